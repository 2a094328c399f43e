// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/runs/runs_panel.h"

#include "gui/shell/background.h"
#include "gui/shell/theme.h"

#include <QDesktopServices>
#include <QFile>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <QToolButton>
#include <QTreeView>
#include <QUrl>
#include <QVBoxLayout>

#include <algorithm>

namespace raphe {
namespace {

QString nameFor(const RunEntry& run) {
    return QStringLiteral("%1, seed %2").arg(QString::fromStdString(run.experiment), QString::fromStdString(run.seed));
}

} // namespace

RunsPanel::RunsPanel(std::filesystem::path root, QWidget* parent)
    : QWidget(parent), root_(std::move(root)), view_(new QTreeView), filter_(new QLineEdit), state_(new QLabel),
      where_(new QLabel), curves_(new QPushButton{tr("Show curves")}), play_(new QPushButton{tr("Play trials")}),
      resume_(new QPushButton{tr("Resume")}) {
    view_->setModel(&model_);
    view_->setRootIsDecorated(false);
    view_->setUniformRowHeights(true);
    view_->setAlternatingRowColors(true);
    view_->setSortingEnabled(true);
    view_->setSelectionMode(QAbstractItemView::ExtendedSelection);
    view_->setContextMenuPolicy(Qt::CustomContextMenu);
    view_->header()->setStretchLastSection(false);
    view_->header()->setSortIndicator(4, Qt::DescendingOrder);
    view_->setAccessibleName(tr("Stored runs"));
    filter_->setPlaceholderText(tr("Filter: words, or  reward > 9  seed = 3"));
    filter_->setClearButtonEnabled(true);
    auto* change = new QToolButton;
    change->setText(tr("Folder…"));
    auto* again = new QToolButton;
    again->setText(tr("Read again"));

    auto* top = new QHBoxLayout;
    top->setContentsMargins(6, 4, 6, 4);
    top->addWidget(filter_, 2);
    top->addWidget(state_);
    top->addStretch(1);
    for (auto* widget : std::initializer_list<QWidget*>{curves_, play_, resume_, again, change}) top->addWidget(widget);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(top);
    layout->addWidget(view_, 1);
    where_->setContentsMargins(8, 2, 8, 3);
    where_->setEnabled(false);
    layout->addWidget(where_);

    connect(filter_, &QLineEdit::textChanged, this, [this](const QString& text) {
        try {
            model_.setFilter(text.toStdString());
            filter_->setToolTip({});
            filter_->setStyleSheet({});
        } catch (const std::exception& error) { // half a comparison while one types
            filter_->setToolTip(QString::fromUtf8(error.what()));
            filter_->setStyleSheet(QStringLiteral("QLineEdit { color: %1; }").arg(theme().bad.name()));
        }
        updateButtons();
    });
    connect(change, &QToolButton::clicked, this, &RunsPanel::chooseRoot);
    connect(again, &QToolButton::clicked, this, &RunsPanel::refresh);
    connect(view_, &QWidget::customContextMenuRequested, this, &RunsPanel::showMenu);
    connect(view_, &QTreeView::activated, curves_, &QPushButton::click);
    connect(view_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &RunsPanel::updateButtons);
    connect(&model_, &QAbstractItemModel::modelReset, this, &RunsPanel::updateButtons);
    connect(curves_, &QPushButton::clicked, this, [this] {
        for (const auto& run : chosen()) Q_EMIT curvesWanted(run.folder, nameFor(run));
    });
    connect(play_, &QPushButton::clicked, this, [this] {
        const auto runs = chosen();
        Q_EMIT playWanted(runs.front().folder, nameFor(runs.front()));
    });
    connect(resume_, &QPushButton::clicked, this, [this] {
        for (const auto& run : chosen()) Q_EMIT resumeWanted(run.folder);
    });
    updateButtons();
}

std::vector<RunEntry> RunsPanel::chosen() const {
    std::vector<RunEntry> runs;
    for (const QModelIndex& index : view_->selectionModel()->selectedRows()) runs.push_back(model_.run(index.row()));
    return runs;
}

void RunsPanel::updateButtons() {
    const auto runs = chosen();
    const auto all = [&](const auto& holds) { return !runs.empty() && std::all_of(runs.begin(), runs.end(), holds); };
    const auto readable = [](const RunEntry& run) { return run.state != "unreadable"; };
    curves_->setEnabled(all(readable));
    play_->setEnabled(runs.size() == 1 && all(readable));
    resume_->setEnabled(all([](const RunEntry& run) { return run.state == "interrupted"; }));
    const auto count = model_.runs().size();
    const auto shown = static_cast<std::size_t>(model_.rowCount());
    state_->setText(shown == count ? (count == 1 ? tr("1 run") : tr("%1 runs").arg(count))
                                   : tr("%1 of %2 runs").arg(shown).arg(count));
    where_->setText(tr("Below %1").arg(QString::fromStdString(std::filesystem::absolute(root_).string())));
}

void RunsPanel::refresh() {
    if (reading_) return;
    reading_ = true;
    state_->setText(tr("reading…"));
    const auto finished = [this, root = root_] {
        reading_ = false;
        if (root != root_) refresh();
    };
    inBackground<std::vector<RunEntry>>(
        this,
        [root = root_] {
            std::vector<RunEntry> runs;
            for (const auto& folder : findRuns(root)) runs.push_back(runEntry(folder));
            return runs;
        },
        [this, finished](std::vector<RunEntry> runs) {
            const bool first = model_.runs().empty();
            model_.setRuns(std::move(runs));
            if (first)
                for (int column = 0; column < std::min(12, model_.columnCount()); ++column)
                    view_->resizeColumnToContents(column);
            finished();
        },
        [finished](const QString&) { finished(); });
}

void RunsPanel::chooseRoot() {
    const QString folder =
        QFileDialog::getExistingDirectory(this, tr("Folder of runs"), QString::fromStdString(root_.string()));
    if (folder.isEmpty()) return;
    root_ = folder.toStdString();
    Q_EMIT rootChanged(root_);
    refresh();
}

void RunsPanel::showMenu(const QPoint& at) {
    const auto runs = chosen();
    if (runs.empty()) return;
    QMenu menu;
    for (auto* button : {curves_, play_, resume_}) {
        QAction* action = menu.addAction(button->text());
        action->setEnabled(button->isEnabled());
        connect(action, &QAction::triggered, button, &QPushButton::click);
    }
    if (runs.size() == 1) {
        menu.addAction(tr("Open its experiment"), [&] { Q_EMIT documentWanted(runs.front().folder); });
        menu.addAction(tr("Open folder"), [&] {
            QDesktopServices::openUrl(QUrl::fromLocalFile(QString::fromStdString(runs.front().folder.string())));
        });
    }
    menu.addSeparator();
    menu.addAction(tr("Move to the trash…"), [&] { trash(runs); });
    menu.exec(view_->viewport()->mapToGlobal(at));
}

void RunsPanel::trash(const std::vector<RunEntry>& runs) {
    for (const auto& run : runs)
        if (run.state == "running") {
            QMessageBox::information(
                this, tr("Move to the trash"),
                tr("%1 is being written; stop it first.").arg(QString::fromStdString(run.folder.string())));
            return;
        }
    const QString question =
        runs.size() == 1 ? tr("Move this run to the trash?") : tr("Move %1 runs to the trash?").arg(runs.size());
    if (QMessageBox::question(this, tr("Move to the trash"), question) != QMessageBox::Yes) return;
    for (const auto& run : runs)
        if (!QFile::moveToTrash(QString::fromStdString(run.folder.string())))
            QMessageBox::warning(this, tr("Move to the trash"),
                                 tr("%1 could not be moved.").arg(QString::fromStdString(run.folder.string())));
    refresh();
}

} // namespace raphe
