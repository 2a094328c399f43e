// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_view.h"
#include "gui/running/run_difference.h"
#include "gui/running/run_queue.h"
#include "gui/shell/open_document.h"
#include "gui/shell/stall_watchdog.h"
#include "gui/shell/theme.h"

#include "engine/mechanisms/plugin_host.h"
#include "engine/runs/run_list.h"

#include <QMainWindow>
#include <QPointer>

#include <map>

class QActionGroup;
class QDockWidget;
class QLabel;
class QPlainTextEdit;
class QTabWidget;
class QToolButton;

namespace raphe {

class CurvesPanel;
class HintStrip;
class InspectorPanel;
class MechanismPanel;
class RunningPanel;
class RunsPanel;
class StartPage;
class StudyPanel;
class TensorPanel;
class TrialPanel;
struct TrialSource;

/// The window: documents in tabs, panels around them, and what connects the two.
class MainWindow final : public QMainWindow {
    Q_OBJECT

public:
    explicit MainWindow(const PluginHost& plugins, std::filesystem::path runs);
    ~MainWindow() override;

    /// Opens a file or an experiment that comes with Raphe, or shows it if it is open. @return null if it cannot be
    CanvasView* open(const QString& nameOrPath);
    CanvasView* create();
    CanvasView* currentView() const;
    /// Trains the current document. @return the row in the queue; -1: it cannot be trained
    int run(bool paused = false, bool anotherSeed = false);

    RunQueue& queue() { return queue_; }
    TrialPanel& trials() { return *trials_; }
    TensorPanel& tensors() { return *tensors_; }
    CurvesPanel& curves() { return *curves_; }
    StallWatchdog& watchdog() { return watchdog_; }
    RunsPanel& runs() { return *runs_; }
    StudyPanel& studies() { return *studies_; }
    InspectorPanel& inspector() { return *inspector_; }
    /// Offers what a crash has left behind.
    void recoverJournals();

protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    // main_window.cpp
    void buildPanels();
    QDockWidget* dock(const QString& name, const QString& title, QWidget* widget, Qt::DockWidgetArea area);
    void resetLayout();
    void restoreSettings();
    void saveSettings();
    void raisePanel(QWidget* panel);
    void searchMechanisms(const QString& words);
    // window_actions.cpp
    void buildActions();
    QAction* action(const QString& text, const QKeySequence& shortcut, const std::function<void()>& act);
    QAction* viewAction(const QString& text, const QKeySequence& shortcut, void (CanvasView::*act)());
    void updateActions();
    void updateIcons();
    void showPalette();
    void setAppearance(Appearance appearance);
    void buildCanvasActions(QMenu& edit, QMenu& view);
    void setCanvasOptions(const CanvasOptions& options);
    // window_documents.cpp
    CanvasView* addTab(std::unique_ptr<Document> document);
    bool save(CanvasView& view, bool as);
    bool closeTab(int index);
    void documentChanged(CanvasView& view);
    void showState();
    void remember(const QString& file);
    QStringList recent() const;
    // window_running.cpp
    void connectRunning();
    void choseJob(int row);
    void playFrom(TrialSource source, CanvasView* canvas);
    void showDiagnostics();
    void showDifferences();
    void trialsOfJob(int row);
    void trialsOfStored(const std::filesystem::path& folder, const QString& name,
                        std::optional<std::int64_t> checkpoint = std::nullopt);
    void trialsOfDocument();
    void openRunDocument(const std::filesystem::path& folder);
    void compare(const RunList& runs);
    void withRunExperiment(const std::filesystem::path& folder, const QString& title,
                           const std::function<void(Experiment)>& use);

    const PluginHost& plugins_;
    RunQueue queue_;
    StallWatchdog watchdog_;
    HintStrip* hints_;
    QTabWidget* tabs_;
    StartPage* start_;
    MechanismPanel* mechanisms_;
    InspectorPanel* inspector_;
    RunningPanel* running_;
    CurvesPanel* curves_;
    TrialPanel* trials_;
    TensorPanel* tensors_;
    RunsPanel* runs_;
    StudyPanel* studies_;
    QPlainTextEdit* echo_;
    std::vector<QDockWidget*> docks_;
    QByteArray defaultLayout_;
    std::map<const RunJob*, QPointer<CanvasView>> begunFrom_;
    QPointer<CanvasView> trialCanvas_; ///< where the moment of a trial is shown
    QToolButton* state_;
    QLabel* difference_;
    std::vector<SettingDifference> differences_; ///< between the document that is shown and its last run

    QAction *undo_, *redo_, *save_, *saveAs_, *run_, *runSeed_, *step_, *pause_, *stop_, *play_, *close_;
    std::vector<QAction*> needDocument_;
    std::vector<std::pair<QAction*, int>> icons_; ///< with their Symbol, drawn anew when the colours change
    QMenu* recentMenu_;
    CanvasOptions canvasOptions_;
};

} // namespace raphe
