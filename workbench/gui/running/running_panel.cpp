// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/running/running_panel.h"

#include "gui/shell/icons.h"
#include "gui/shell/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QDesktopServices>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QPushButton>
#include <QSpinBox>
#include <QStyle>
#include <QStyledItemDelegate>
#include <QThread>
#include <QToolButton>
#include <QTreeView>
#include <QUrl>
#include <QVBoxLayout>

namespace raphe {
namespace {

/// A bar behind the count of iterations.
class ProgressDelegate final : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        return QStyledItemDelegate::sizeHint(option, index).expandedTo({0, 26});
    }
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        QStyleOptionViewItem plain = option;
        initStyleOption(&plain, index);
        const QString words = plain.text;
        plain.text.clear();
        QApplication::style()->drawControl(QStyle::CE_ItemViewItem, &plain, painter, plain.widget);
        const QRectF frame = QRectF{option.rect}.adjusted(4, 4, -4, -4);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(Qt::NoPen);
        painter->setBrush(theme().line);
        painter->drawRoundedRect(frame, 3, 3);
        QColor bar = theme().good;
        bar.setAlpha(150);
        painter->setBrush(bar);
        QRectF done = frame;
        done.setWidth(frame.width() * index.data(RunQueue::fractionRole).toDouble());
        painter->drawRoundedRect(done, 3, 3);
        painter->setPen(theme().text);
        painter->drawText(frame, Qt::AlignCenter, words);
        painter->restore();
    }
};

} // namespace

RunningPanel::RunningPanel(RunQueue& queue, QWidget* parent)
    : QWidget(parent), queue_(queue), view_(new QTreeView), empty_(new QLabel), pause_(new QToolButton),
      step_(new QToolButton), stop_(new QToolButton), play_(new QToolButton) {
    view_->setModel(&queue);
    view_->setRootIsDecorated(false);
    view_->setUniformRowHeights(true);
    view_->setAllColumnsShowFocus(true);
    view_->setAccessibleName(tr("Queue of runs"));
    view_->setItemDelegateForColumn(RunQueue::progressColumn, new ProgressDelegate{view_});
    view_->setContextMenuPolicy(Qt::CustomContextMenu);
    view_->header()->setStretchLastSection(true);
    const int widths[] = {230, 75, 190, 80, 95};
    for (int c = 0; c < 5; ++c) view_->setColumnWidth(c, widths[c]);
    connect(view_, &QWidget::customContextMenuRequested, this, &RunningPanel::showMenu);
    connect(view_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& now) {
        updateButtons();
        Q_EMIT chosen(now.row());
    });
    connect(&queue, &RunQueue::stateChanged, this, &RunningPanel::updateButtons);
    connect(view_, &QTreeView::activated, this, [this](const QModelIndex& index) { Q_EMIT playWanted(index.row()); });

    empty_->setText(tr("Runs appear here. Open an experiment and press Run (F5)."));
    empty_->setAlignment(Qt::AlignCenter);
    empty_->setEnabled(false);
    const auto showEmpty = [this] {
        empty_->setVisible(queue_.jobCount() == 0);
        view_->setVisible(queue_.jobCount() > 0);
    };
    connect(&queue, &QAbstractItemModel::rowsInserted, this, showEmpty);
    connect(&queue, &QAbstractItemModel::rowsRemoved, this, showEmpty);

    auto* atOnce = new QSpinBox;
    atOnce->setRange(1, std::max(1, QThread::idealThreadCount()));
    atOnce->setValue(queue.settings().atOnce);
    atOnce->setToolTip(tr("How many runs share the cores at the same time"));
    auto* threads = new QSpinBox;
    threads->setRange(0, std::max(1, QThread::idealThreadCount()));
    threads->setSpecialValueText(tr("shared"));
    threads->setValue(queue.settings().threads);
    threads->setToolTip(tr("Threads of each run that begins from now on; the results do not depend on it"));
    const auto apply = [this, atOnce, threads] {
        auto settings = queue_.settings();
        settings.atOnce = atOnce->value();
        settings.threads = threads->value();
        queue_.setSettings(settings);
    };
    connect(atOnce, &QSpinBox::valueChanged, this, apply);
    connect(threads, &QSpinBox::valueChanged, this, apply);
    auto* clear = new QPushButton{tr("Clear ended")};
    clear->setToolTip(tr("Takes ended runs off this list; their folders stay"));
    connect(clear, &QPushButton::clicked, &queue, &RunQueue::removeEnded);

    const auto button = [this](QToolButton* item, const std::function<void(RunJob&)>& act) {
        item->setAutoRaise(true);
        item->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        connect(item, &QToolButton::clicked, this, [this, act] {
            if (currentRow() >= 0) act(queue_.job(currentRow()));
            updateButtons();
        });
    };
    button(pause_, [](RunJob& job) { job.status().state == JobState::paused ? job.resume() : job.pause(); });
    button(step_, [](RunJob& job) { job.step(); });
    button(stop_, [](RunJob& job) { job.stop(); });
    play_->setAutoRaise(true);
    play_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    connect(play_, &QToolButton::clicked, this, [this] {
        if (currentRow() >= 0) Q_EMIT playWanted(currentRow());
    });
    step_->setText(tr("One iteration"));
    stop_->setText(tr("Stop"));
    stop_->setToolTip(tr("Stops after a checkpoint; the run can be resumed"));
    play_->setText(tr("Play trials"));
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, &RunningPanel::updateButtons);

    auto* row = new QHBoxLayout;
    row->setContentsMargins(6, 4, 6, 4);
    for (auto* item : {pause_, step_, stop_, play_}) row->addWidget(item);
    row->addSpacing(16);
    row->addWidget(new QLabel{tr("Runs at once")});
    row->addSpacing(4);
    row->addWidget(atOnce);
    row->addSpacing(12);
    row->addWidget(new QLabel{tr("Threads of each")});
    row->addSpacing(4);
    row->addWidget(threads);
    row->addStretch();
    row->addWidget(clear);
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(row);
    layout->addWidget(empty_, 1);
    layout->addWidget(view_, 1);
    showEmpty();
    updateButtons();
}

int RunningPanel::currentRow() const {
    const QModelIndex index = view_->currentIndex();
    return index.isValid() ? index.row() : queue_.jobCount() - 1;
}

void RunningPanel::updateButtons() {
    const int row = currentRow();
    const JobState state = row >= 0 && row < queue_.jobCount() ? queue_.job(row).status().state : JobState::failed;
    const bool paused = state == JobState::paused;
    pause_->setText(paused ? tr("Go on") : tr("Pause"));
    pause_->setIcon(icon(paused ? Symbol::run : Symbol::pause));
    step_->setIcon(icon(Symbol::step));
    stop_->setIcon(icon(Symbol::stop));
    play_->setIcon(icon(Symbol::forward));
    pause_->setEnabled(paused || state == JobState::running);
    step_->setEnabled(paused);
    stop_->setEnabled(row >= 0 && state < JobState::stopping);
    play_->setEnabled(row >= 0 && state != JobState::waiting && state != JobState::failed);
}

void RunningPanel::choose(int row) { view_->setCurrentIndex(queue_.index(row, 0)); }

void RunningPanel::showMenu(const QPoint& at) {
    const QModelIndex index = view_->indexAt(at);
    if (!index.isValid()) return;
    const int row = index.row();
    const JobStatus status = queue_.job(row).status();
    QMenu menu;
    if (status.state == JobState::running) menu.addAction(tr("Pause"), [&] { queue_.job(row).pause(); });
    if (status.state == JobState::paused) {
        menu.addAction(tr("Go on"), [&] { queue_.job(row).resume(); });
        menu.addAction(tr("One iteration"), [&] { queue_.job(row).step(); });
    }
    if (status.state == JobState::waiting) menu.addAction(tr("Run it next"), [&] { queue_.putFirst(row); });
    if (status.state == JobState::stopped && status.iteration > 0)
        menu.addAction(tr("Resume"), [&] { Q_EMIT resumeWanted(queue_.job(row).folder()); });
    if (!status.ended()) menu.addAction(tr("Stop"), [&] { queue_.job(row).stop(); });
    menu.addAction(tr("Play trials"), [&] { Q_EMIT playWanted(row); });
    menu.addSeparator();
    const QString folder = QString::fromStdString(queue_.job(row).folder().string());
    menu.addAction(tr("Open folder"), [&] { QDesktopServices::openUrl(QUrl::fromLocalFile(folder)); });
    menu.addAction(tr("Copy path of the folder"), [&] { QApplication::clipboard()->setText(folder); });
    menu.exec(view_->viewport()->mapToGlobal(at));
}

} // namespace raphe
