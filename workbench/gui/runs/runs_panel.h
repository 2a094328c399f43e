// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/runs/run_watcher.h"
#include "gui/runs/runs_model.h"

#include <QTimer>
#include <QWidget>

#include <filesystem>
#include <functional>
#include <optional>
#include <set>

class QAction;
class QLabel;
class QLineEdit;
class QMenu;
class QTreeView;

namespace raphe {

class TrashStrip;

/// The runs that are stored below a folder: found, sorted, filtered, and handed to whoever shows more of them.
class RunsPanel final : public QWidget {
    Q_OBJECT

public:
    explicit RunsPanel(std::filesystem::path root, QWidget* parent = nullptr);

    const std::filesystem::path& root() const { return watcher_.root(); }
    void setRoot(const std::filesystem::path& root);
    /// Looks at the folder again, on another thread.
    void refresh() { watcher_.look(); }
    RunsModel& model() { return model_; }
    QTreeView& view() { return *view_; }

Q_SIGNALS:
    void curvesWanted(const std::filesystem::path& folder, const QString& name);
    /// @param checkpoint  last iteration of the checkpoint; nothing: the last one
    void playWanted(const std::filesystem::path& folder, const QString& name, std::optional<std::int64_t> checkpoint);
    void compareWanted(const raphe::RunList& runs);
    void resumeWanted(const std::filesystem::path& folder);
    void continueWanted(const std::filesystem::path& folder, int iterations);
    void documentWanted(const std::filesystem::path& folder);
    void rootChanged(const std::filesystem::path& root);

protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

private:
    // runs_panel.cpp
    void take(const RunList& runs, bool complete);
    void applyFilter();
    void keepPlace(const std::function<void()>& change);
    void spanUnreadable();
    void showCount();
    void showColumns();
    void chooseColumn(int column, bool shown);
    RunList chosen() const;
    // runs_actions.cpp
    void buildActions();
    void updateActions();
    void showMenu(const QPoint& at);
    void showHeaderMenu(const QPoint& at);
    void chooseRoot();
    void saveTable();
    void copyRows() const;
    void goOn(const RunEntry& run);

    RunsModel model_;
    RunWatcher watcher_;
    QTreeView* view_;
    QLineEdit* filter_;
    QLabel *state_, *complaint_, *where_;
    TrashStrip* trash_;
    QTimer filterTimer_;
    QMenu* more_;
    QAction *compare_, *curves_, *play_, *resume_, *document_, *folder_, *remove_, *copy_, *grouped_;
    std::set<QString> shownColumns_, hiddenColumns_; ///< as somebody chose
    bool listed_ = false;                            ///< once the list was complete
    bool sized_ = false;
};

/// "cue_reward, seed 3"
QString runTitle(const RunEntry& run);

} // namespace raphe
