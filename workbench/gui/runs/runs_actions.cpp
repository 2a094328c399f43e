// SPDX-License-Identifier: GPL-3.0-or-later
// What can be done with the chosen runs: the actions of the panel, their menus and their state.
#include "engine/base/files.h"
#include "engine/runs/run_table.h"
#include "gui/runs/runs_panel.h"
#include "gui/runs/trash_strip.h"
#include "gui/shell/background.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QDesktopServices>
#include <QFileDialog>
#include <QHeaderView>
#include <QInputDialog>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMessageBox>
#include <QTreeView>
#include <QUrl>

#include <algorithm>

namespace raphe {

void RunsPanel::buildActions() {
    const auto make = [this](const QString& text, const QKeySequence& shortcut, const QString& tip,
                             const std::function<void()>& act) {
        auto* action = new QAction{text, this};
        if (!shortcut.isEmpty()) {
            action->setShortcut(shortcut);
            action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        }
        action->setToolTip(shortcut.isEmpty() ? tip : tip + " (" + shortcut.toString(QKeySequence::NativeText) + ")");
        connect(action, &QAction::triggered, this, act);
        view_->addAction(action);
        return action;
    };
    compare_ = make(tr("Compare"), QKeySequence{Qt::CTRL | Qt::Key_Return},
                    tr("Curves with median and quartiles, and a table of what differs"),
                    [this] { Q_EMIT compareWanted(chosen()); });
    curves_ = make(tr("Show curves"), {}, tr("Adds the chosen runs to the panel Learning curves (Enter)"), [this] {
        for (const auto& run : chosen()) Q_EMIT curvesWanted(run->folder, runTitle(*run));
    });
    play_ = make(tr("Play trials"), {}, tr("Runs a few trials with the weights of the last checkpoint"), [this] {
        const auto runs = chosen();
        Q_EMIT playWanted(runs.front()->folder, runTitle(*runs.front()), std::nullopt);
    });
    resume_ = make(tr("Resume"), {}, tr("Goes on with interrupted runs from their last checkpoints"), [this] {
        for (const auto& run : chosen()) Q_EMIT resumeWanted(run->folder);
    });
    document_ = make(tr("Open the experiment as it was"), QKeySequence{Qt::CTRL | Qt::Key_E},
                     tr("Opens a copy of the document that the run was made from"), [this] {
                         for (const auto& run : chosen()) Q_EMIT documentWanted(run->folder);
                     });
    folder_ = make(tr("Open folder"), {}, tr("Shows the files of the run"), [this] {
        const auto runs = chosen();
        QDesktopServices::openUrl(QUrl::fromLocalFile(QString::fromStdString(runs.front()->folder.string())));
    });
    copy_ = make(tr("Copy as table"), QKeySequence::Copy, tr("Copies the chosen rows for a spreadsheet"),
                 [this] { copyRows(); });
    remove_ = make(tr("Move to the trash…"), QKeySequence::Delete, tr("Moves the chosen runs to the trash"),
                   [this] { trash_->remove(chosen()); });

    grouped_ = more_->addAction(tr("Group by experiment"));
    grouped_->setCheckable(true);
    more_->addAction(tr("Columns…"), this, [this] { showHeaderMenu({0, view_->header()->height()}); });
    more_->addSeparator();
    more_->addAction(tr("Save the list as CSV…"), this, &RunsPanel::saveTable);
    more_->addSeparator();
    more_->addAction(tr("Folder of runs…"), this, &RunsPanel::chooseRoot);
    more_->addAction(tr("Read every run anew"), this, [this] { watcher_.readAnew(); });
}

void RunsPanel::updateActions() {
    const auto runs = chosen();
    const auto all = [&](const auto& holds) { return !runs.empty() && std::all_of(runs.begin(), runs.end(), holds); };
    const bool readable = all([](const auto& run) { return run->state != "unreadable"; });
    const bool measured = readable && all([](const auto& run) { return !run->metrics.empty(); });
    constexpr std::size_t many = 200; // what is opened one by one
    compare_->setEnabled(measured);
    curves_->setEnabled(measured && runs.size() <= many);
    play_->setEnabled(runs.size() == 1 && readable && !runs.front()->checkpoints.empty());
    resume_->setEnabled(all([](const auto& run) { return run->state == "interrupted"; }) && runs.size() <= many);
    document_->setEnabled(readable && runs.size() <= 20);
    folder_->setEnabled(runs.size() == 1);
    copy_->setEnabled(!runs.empty());
    remove_->setEnabled(all([](const auto& run) { return run->state != "running"; }));
}

void RunsPanel::showMenu(const QPoint& at) {
    const auto runs = chosen();
    if (runs.empty()) return;
    QMenu menu;
    menu.addActions({compare_, curves_, play_});
    const RunEntry& first = *runs.front();
    if (runs.size() == 1 && first.checkpoints.size() > 1) {
        QMenu* stored = menu.addMenu(tr("Play trials of the checkpoint"));
        for (auto kept = first.checkpoints.rbegin(); kept != first.checkpoints.rend(); ++kept) {
            const std::int64_t iteration = *kept;
            stored->addAction(
                tr("after %1 iterations").arg(iteration + 1), this, [this, run = runs.front(), iteration] {
                    Q_EMIT playWanted(run->folder, tr("%1, after %2 iterations").arg(runTitle(*run)).arg(iteration + 1),
                                      iteration);
                });
        }
    }
    menu.addSeparator();
    menu.addAction(resume_);
    QAction* more = menu.addAction(tr("Go on with more iterations…"), this, [this, run = runs.front()] { goOn(*run); });
    more->setEnabled(runs.size() == 1 && first.state == "done" && !first.checkpoints.empty());
    menu.addSeparator();
    menu.addActions({document_, folder_, copy_});
    menu.addSeparator();
    menu.addAction(remove_);
    QPoint place = at;
    if (!view_->indexAt(at).isValid())
        place = view_->visualRect(view_->currentIndex()).bottomLeft(); // from the keyboard
    menu.exec(view_->viewport()->mapToGlobal(place));
}

void RunsPanel::showHeaderMenu(const QPoint& at) {
    QMenu menu;
    for (int column = 1; column < model_.columnCount(); ++column) {
        if (column == RunsModel::fixed) menu.addSeparator();
        QAction* action =
            menu.addAction(model_.headerData(column, Qt::Horizontal, Qt::DisplayRole).toString().replace('&', "&&"));
        action->setCheckable(true);
        action->setChecked(!view_->isColumnHidden(column));
        connect(action, &QAction::toggled, this, [this, column](bool shown) { chooseColumn(column, shown); });
    }
    menu.exec(view_->header()->mapToGlobal(at));
}

void RunsPanel::chooseRoot() {
    const QString folder =
        QFileDialog::getExistingDirectory(this, tr("Folder of runs"), QString::fromStdString(root().string()));
    if (!folder.isEmpty()) setRoot(folder.toStdString());
}

void RunsPanel::saveTable() {
    const QString file = QFileDialog::getSaveFileName(this, tr("Save the list"), "runs.csv", tr("Tables (*.csv)"));
    if (file.isEmpty()) return;
    inBackground<bool>(
        this,
        [path = file.toStdString(), runs = model_.filter()(model_.runs())] {
            writeAtomically(path, runsAsCsv(runs));
            return true;
        },
        [](bool) {}, [this](const QString& why) { QMessageBox::warning(this, tr("Save the list"), why); });
}

void RunsPanel::copyRows() const {
    const auto visible = [this] {
        std::vector<int> columns;
        for (int i = 0; i < model_.columnCount(); ++i)
            if (const int column = view_->header()->logicalIndex(i); !view_->isColumnHidden(column))
                columns.push_back(column);
        return columns;
    }();
    QString text;
    const auto add = [&](const auto& cell) {
        QStringList cells;
        for (const int column : visible) cells << cell(column);
        text += cells.join('\t') + '\n';
    };
    add([&](int column) { return model_.headerData(column, Qt::Horizontal, Qt::DisplayRole).toString(); });
    QModelIndexList rows = view_->selectionModel()->selectedRows();
    std::sort(rows.begin(), rows.end(), [this](const QModelIndex& a, const QModelIndex& b) {
        return view_->visualRect(a).top() < view_->visualRect(b).top();
    });
    for (const QModelIndex& row : rows)
        add([&](int column) { return model_.data(row.siblingAtColumn(column), Qt::DisplayRole).toString(); });
    QApplication::clipboard()->setText(text);
}

void RunsPanel::goOn(const RunEntry& run) {
    bool accepted = false;
    const int done = static_cast<int>(run.iterations);
    const int iterations = QInputDialog::getInt(
        this, tr("Go on with more iterations"),
        tr("A new run begins with a copy of this one, which has done %1 iterations.\nIterations in all:").arg(done),
        done * 2, done + 1, 1'000'000'000, 100, &accepted);
    if (accepted) Q_EMIT continueWanted(run.folder, iterations);
}

} // namespace raphe
