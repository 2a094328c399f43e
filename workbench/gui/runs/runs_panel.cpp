// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/runs/runs_panel.h"

#include "gui/runs/trash_strip.h"
#include "gui/shell/theme.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QScrollBar>
#include <QSettings>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>

namespace raphe {

QString runTitle(const RunEntry& run) {
    return QStringLiteral("%1, seed %2").arg(QString::fromStdString(nameOf(run)), QString::fromStdString(run.seed));
}

RunsPanel::RunsPanel(std::filesystem::path root, QWidget* parent)
    : QWidget(parent), watcher_(std::move(root)), view_(new QTreeView), filter_(new QLineEdit), state_(new QLabel),
      complaint_(new QLabel), where_(new QLabel), trash_(new TrashStrip), more_(new QMenu{this}) {
    view_->setModel(&model_);
    view_->setUniformRowHeights(true);
    view_->setAlternatingRowColors(true);
    view_->setAllColumnsShowFocus(true);
    view_->setSelectionMode(QAbstractItemView::ExtendedSelection);
    view_->setContextMenuPolicy(Qt::CustomContextMenu);
    view_->header()->setStretchLastSection(false);
    view_->header()->setContextMenuPolicy(Qt::CustomContextMenu);
    view_->header()->setSortIndicator(RunsModel::dateColumn, Qt::DescendingOrder);
    view_->setSortingEnabled(true);
    view_->setAccessibleName(tr("Stored runs"));
    filter_->setPlaceholderText(tr("Filter: words, or  reward > 9  seed = 2  state = done  experiment ~ cue"));
    filter_->setToolTip(tr("Words, and comparisons with > >= < <= = != and ~ (contains):\n"
                           "reward > 9    hidden = 64    seed = 2    state = done    experiment ~ cue\n"
                           "date > 2026-11-20    duration > 5min    size > 10MB\n"
                           "All must hold; or, not and parentheses combine them otherwise."));
    filter_->setAccessibleName(tr("Filter of the runs"));
    filter_->setClearButtonEnabled(true);
    filter_->setMinimumWidth(120);
    complaint_->setWordWrap(true);
    complaint_->setContentsMargins(8, 0, 8, 3);
    complaint_->hide();
    where_->setContentsMargins(8, 2, 8, 3);
    where_->setEnabled(false);
    where_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);

    buildActions();
    auto* top = new QHBoxLayout;
    top->setContentsMargins(6, 4, 6, 4);
    top->addWidget(filter_, 1);
    top->addSpacing(4);
    top->addWidget(state_);
    top->addSpacing(4);
    for (QAction* action : {compare_, curves_, play_, resume_}) {
        auto* button = new QToolButton;
        button->setDefaultAction(action);
        button->setToolButtonStyle(Qt::ToolButtonTextOnly);
        top->addWidget(button);
    }
    auto* more = new QToolButton;
    more->setText(tr("More"));
    more->setMenu(more_);
    more->setPopupMode(QToolButton::InstantPopup);
    top->addWidget(more);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(top);
    layout->addWidget(complaint_);
    layout->addWidget(view_, 1);
    layout->addWidget(trash_);
    layout->addWidget(where_);

    const QSettings settings;
    const auto list = [&](const char* key) {
        const QStringList names = settings.value(key).toStringList();
        return std::set<QString>{names.begin(), names.end()};
    };
    shownColumns_ = list("runs/shown_columns");
    hiddenColumns_ = list("runs/hidden_columns");
    model_.setGrouped(settings.value("runs/grouped", true).toBool());
    grouped_->setChecked(model_.grouped());
    view_->setRootIsDecorated(model_.grouped());

    filterTimer_.setSingleShot(true);
    filterTimer_.setInterval(120);
    connect(&filterTimer_, &QTimer::timeout, this, &RunsPanel::applyFilter);
    connect(filter_, &QLineEdit::textChanged, &filterTimer_, qOverload<>(&QTimer::start));
    connect(filter_, &QLineEdit::returnPressed, this, [this] {
        applyFilter();
        view_->setFocus();
    });
    connect(grouped_, &QAction::toggled, this, [this](bool grouped) {
        QSettings{}.setValue("runs/grouped", grouped);
        keepPlace([&] { model_.setGrouped(grouped); });
        view_->setRootIsDecorated(grouped);
        if (grouped) view_->expandAll();
    });
    connect(view_, &QWidget::customContextMenuRequested, this, &RunsPanel::showMenu);
    connect(view_->header(), &QWidget::customContextMenuRequested, this, &RunsPanel::showHeaderMenu);
    connect(view_, &QTreeView::activated, this, [this](const QModelIndex& index) {
        if (model_.run(index)) curves_->trigger();
    });
    connect(view_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &RunsPanel::updateActions);
    connect(&watcher_, &RunWatcher::listed, this, &RunsPanel::take);
    connect(&watcher_, &RunWatcher::progress, this,
            [this](int read, int runs) { state_->setText(tr("reading %1 of %2…").arg(read).arg(runs)); });
    connect(trash_, &TrashStrip::changed, this, &RunsPanel::refresh);
    showCount();
    updateActions();
}

void RunsPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    watcher_.setAwake(true);
}

void RunsPanel::hideEvent(QHideEvent* event) {
    QWidget::hideEvent(event);
    watcher_.setAwake(false);
}

void RunsPanel::setRoot(const std::filesystem::path& root) {
    listed_ = false;
    sized_ = false;
    watcher_.setRoot(root);
    Q_EMIT rootChanged(root);
}

/// For changes after which the view has forgotten what was chosen and open.
void RunsPanel::keepPlace(const std::function<void()>& change) {
    QStringList chosen, closed;
    for (const QModelIndex& index : view_->selectionModel()->selectedRows()) chosen << model_.key(index);
    const QString current = model_.key(view_->currentIndex());
    for (int row = 0; model_.grouped() && row < model_.rowCount(); ++row)
        if (const QModelIndex group = model_.index(row, 0); !view_->isExpanded(group)) closed << model_.key(group);
    const int scrolled = view_->verticalScrollBar()->value();
    bool reset = false;
    const auto watch = connect(&model_, &QAbstractItemModel::modelReset, this, [&] { reset = true; });
    change();
    disconnect(watch);
    if (reset) {
        showColumns();
        view_->expandAll();
        for (const QString& key : closed) view_->collapse(model_.indexOf(key));
        if (const QModelIndex index = model_.indexOf(current); index.isValid())
            view_->selectionModel()->setCurrentIndex(index, QItemSelectionModel::NoUpdate);
        QItemSelection selection;
        for (const QString& key : chosen)
            if (const QModelIndex index = model_.indexOf(key); index.isValid()) selection.select(index, index);
        view_->selectionModel()->select(selection, QItemSelectionModel::Select | QItemSelectionModel::Rows);
        view_->verticalScrollBar()->setValue(scrolled);
    }
    spanUnreadable();
    showCount();
    updateActions();
}

void RunsPanel::take(const RunList& runs, bool complete) {
    listed_ = listed_ || complete;
    std::set<QString> known;
    for (int row = 0; model_.grouped() && row < model_.rowCount(); ++row)
        known.insert(model_.key(model_.index(row, 0)));
    keepPlace([&] { model_.setRuns(runs); });
    for (int row = 0; model_.grouped() && row < model_.rowCount(); ++row) // what is new is open
        if (const QModelIndex group = model_.index(row, 0); known.count(model_.key(group)) == 0) view_->expand(group);
    if (!sized_ && !runs.empty()) {
        sized_ = true;
        for (int column = 0; column < model_.columnCount(); ++column) {
            view_->resizeColumnToContents(column);
            view_->setColumnWidth(column, std::min(view_->columnWidth(column) + 8, column == 0 ? 320 : 170));
        }
    }
    applyFilter();
}

void RunsPanel::applyFilter() {
    filterTimer_.stop();
    QString complaint;
    try {
        const RunFilter filter{filter_->text().toStdString()};
        complaint = QString::fromStdString(filter.doubt(model_.runs()));
        if (filter_->text() != filter_->property("applied").toString()) {
            keepPlace([&] { model_.setFilter(filter_->text().toStdString()); });
            filter_->setProperty("applied", filter_->text());
            if (model_.grouped()) view_->expandAll();
        }
    } catch (const Error& error) { // the list stays as it was while one types
        complaint = QString::fromStdString(error.what()).section(": ", 1);
    }
    complaint_->setText(complaint);
    complaint_->setVisible(!complaint.isEmpty());
    QPalette palette = complaint_->palette();
    palette.setColor(QPalette::WindowText, theme().bad);
    complaint_->setPalette(palette);
    showCount();
}

/// The sentence about what cannot be read takes the whole row.
void RunsPanel::spanUnreadable() {
    const auto span = [this](const QModelIndex& parent) {
        for (int row = 0; row < model_.rowCount(parent); ++row) {
            const auto run = model_.run(model_.index(row, 0, parent));
            if (!run) continue;
            const bool whole = run->state == "unreadable";
            if (view_->isFirstColumnSpanned(row, parent) != whole) view_->setFirstColumnSpanned(row, parent, whole);
        }
    };
    if (!model_.grouped()) {
        span({});
        return;
    }
    for (int row = 0; row < model_.rowCount(); ++row) span(model_.index(row, 0));
}

void RunsPanel::showCount() {
    const auto all = static_cast<int>(model_.runs().size());
    const int shown = model_.shownCount();
    const auto running = std::count_if(model_.runs().begin(), model_.runs().end(),
                                       [](const auto& run) { return run->state == "running"; });
    QString words = shown != all ? tr("%L1 of %L2 runs").arg(shown).arg(all)
                    : all == 1   ? tr("1 run")
                                 : tr("%L1 runs").arg(all);
    if (!listed_ && all == 0) words = tr("reading…");
    if (running > 0) words += tr(", %1 running").arg(running);
    state_->setText(words);
    const auto folder = QString::fromStdString(std::filesystem::absolute(root()).lexically_normal().string());
    where_->setText(listed_ && all == 0 ? tr("No runs below %1 yet: open an experiment and press Run (F5)").arg(folder)
                                        : tr("Below %1").arg(folder));
}

void RunsPanel::showColumns() {
    for (int column = 1; column < model_.columnCount(); ++column) {
        const QString key = model_.columnKey(column);
        const bool shown =
            shownColumns_.count(key) != 0 || (hiddenColumns_.count(key) == 0 && model_.columnShownAtFirst(column));
        view_->setColumnHidden(column, !shown);
    }
}

void RunsPanel::chooseColumn(int column, bool shown) {
    const QString key = model_.columnKey(column);
    (shown ? shownColumns_ : hiddenColumns_).insert(key);
    (shown ? hiddenColumns_ : shownColumns_).erase(key);
    QSettings settings;
    settings.setValue("runs/shown_columns", QStringList{shownColumns_.begin(), shownColumns_.end()});
    settings.setValue("runs/hidden_columns", QStringList{hiddenColumns_.begin(), hiddenColumns_.end()});
    showColumns();
    if (shown && view_->columnWidth(column) < 30) view_->resizeColumnToContents(column);
}

RunList RunsPanel::chosen() const {
    RunList runs;
    std::set<const RunEntry*> known;
    for (const QModelIndex& index : view_->selectionModel()->selectedRows())
        for (auto& run : model_.runsOf(index))
            if (known.insert(run.get()).second) runs.push_back(std::move(run));
    return runs;
}

} // namespace raphe
