// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_view.h"
#include "gui/running/run_difference.h"
#include "gui/running/run_queue.h"
#include "gui/scripting/script_completion.h"
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
class QTabWidget;
class QToolButton;

namespace raphe {

class CommandsPanel;
class ConsolePanel;
class CurvesPanel;
class HintStrip;
class InspectorPanel;
class MechanismPanel;
class NoticeBar;
class RunningPanel;
class RunsPanel;
class ScriptTab;
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
    /// Opens a script in a tab, or shows it if it is open. @return null if it cannot be
    ScriptTab* openScript(const QString& file);
    ScriptTab* createScript(const QString& text = {});
    ScriptTab* currentScript() const;
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
    ConsolePanel& console() { return *console_; }
    CommandsPanel& commands() { return *commands_; }
    /// As large as the screen allows, unless the window has a size from last time. Before it is shown.
    void fitScreen();
    /// Offers what a crash has left behind.
    void recoverJournals();
    /// Says something that needs no answer.
    void notify(const QString& words);
    const NoticeBar& notices() const { return *notices_; }

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
    bool saveReadOnly(CanvasView& view);
    bool mayQuit();
    void documentChanged(CanvasView& view);
    void showState();
    void remember(const QString& file);
    QStringList recent() const;
    // window_recovery.cpp
    static std::filesystem::path journalFolder();
    static std::filesystem::path draftFolder();
    void discardJournal(const std::filesystem::path& journal);
    /// Offers the journal of a file that is to be opened. @param opened  what came of it  @return whether that settles
    /// it
    bool recoverOne(const std::filesystem::path& file, CanvasView*& opened);
    /// Begins the journal of a document; one that is open elsewhere becomes read-only or a copy, as the user wants.
    /// @return false: it shall not be opened
    bool keepJournal(Document& document);
    // window_scripts.cpp
    CanvasView* documentInFront() const;
    CompletionSource completionSource();
    void connectScripting();
    void bindScripting();
    ScriptTab* addScriptTab();
    bool saveScript(ScriptTab& script, bool as);
    bool closeScript(ScriptTab& script);
    void scriptChanged(ScriptTab& script);
    void fillExamples(QMenu& menu);
    void editScript(unsigned int message);
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
    ConsolePanel* console_;
    CommandsPanel* commands_;
    NoticeBar* notices_;
    std::string journalProblem_; ///< that was told last
    LuaVocabulary vocabulary_;
    QPointer<CanvasView> lastView_; ///< the document that was in front last
    std::vector<QDockWidget*> docks_;
    QByteArray defaultLayout_;
    bool placed_ = false; ///< where it was last time
    std::map<const RunJob*, QPointer<CanvasView>> begunFrom_;
    QPointer<CanvasView> trialCanvas_; ///< where the moment of a trial is shown
    QToolButton* state_;
    QLabel* difference_;
    std::vector<SettingDifference> differences_; ///< between the document that is shown and its last run

    QAction *undo_, *redo_, *save_, *saveAs_, *run_, *runSeed_, *step_, *pause_, *stop_, *play_, *close_;
    QAction *cut_, *copy_, *paste_, *selectAll_;
    std::vector<QAction*> needDocument_;
    std::vector<std::pair<QAction*, int>> icons_; ///< with their Symbol, drawn anew when the colours change
    QMenu* recentMenu_;
    CanvasOptions canvasOptions_;
};

} // namespace raphe
