// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/start/start_page.h"

#include "gui/shell/theme.h"
#include "gui/start/experiment_card.h"

#include <QFileInfo>
#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace raphe {
namespace {

constexpr int gap = 14, sideMargin = 28;

QLabel* caption(const QString& words) {
    auto* label = new QLabel{"<b>" + words + "</b>"};
    QFont font = label->font();
    font.setPointSizeF(font.pointSizeF() * 1.15);
    label->setFont(font);
    return label;
}

} // namespace

StartPage::StartPage(const Registry& registry, QWidget* parent)
    : QScrollArea(parent), registry_(registry), recent_(new QVBoxLayout), grid_(new QGridLayout) {
    setWidgetResizable(true);
    setFrameShape(NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* page = new QWidget;
    page->setBackgroundRole(QPalette::Base);
    page->setAutoFillBackground(true);
    auto* layout = new QVBoxLayout{page};
    layout->setContentsMargins(sideMargin, 20, sideMargin, 20);
    layout->setSpacing(8);
    auto* title = new QLabel{QStringLiteral("<span style='font-size:20pt'><b>Raphe</b></span> &nbsp; %1")
                                 .arg(tr("networks in which one signal changes how another part works"))};
    title->setWordWrap(true);
    layout->addWidget(title);
    auto* buttons = new QHBoxLayout;
    auto* fresh = new QPushButton{tr("New experiment")};
    auto* browse = new QPushButton{tr("Open file…")};
    connect(fresh, &QPushButton::clicked, this, &StartPage::newWanted);
    connect(browse, &QPushButton::clicked, this, &StartPage::browseWanted);
    buttons->addWidget(fresh);
    buttons->addWidget(browse);
    buttons->addStretch();
    layout->addLayout(buttons);
    recent_->setSpacing(2);
    layout->addLayout(recent_);
    layout->addSpacing(8);
    layout->addWidget(caption(tr("Experiments that come with Raphe")));
    grid_->setSpacing(gap);
    layout->addLayout(grid_);
    layout->addStretch(1);
    setWidget(page);
    drawing_.setInterval(0);
    connect(&drawing_, &QTimer::timeout, this, &StartPage::drawNext);
    connect(&ThemeSignal::instance(), &ThemeSignal::changed, this, [this] {
        undrawn_.assign(cards_.begin(), cards_.end());
        drawing_.start();
    });
    QTimer::singleShot(0, this, &StartPage::fill); // the window is up first
}

void StartPage::fill() {
    for (const auto& experiment : shippedExperiments(registry_)) {
        auto* card = new ExperimentCard{experiment};
        connect(card, &ExperimentCard::openWanted, this, &StartPage::openWanted);
        cards_.push_back(card);
    }
    arrange();
}

void StartPage::drawNext() {
    if (undrawn_.empty()) {
        drawing_.stop();
        return;
    }
    undrawn_.front()->drawPicture(registry_);
    undrawn_.pop_front();
}

void StartPage::setRecent(const QStringList& files) {
    while (QLayoutItem* item = recent_->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    if (files.isEmpty()) return;
    recent_->addSpacing(6);
    recent_->addWidget(caption(tr("Recent work")));
    for (const QString& file : files.mid(0, 5)) {
        const QFileInfo info{file};
        auto* link = new QLabel{QStringLiteral("<a href='%1'>%2</a> &nbsp;<span style='color:%3'>%4</span>")
                                    .arg(file.toHtmlEscaped(), info.completeBaseName().toHtmlEscaped(),
                                         theme().faint.name(), info.absolutePath().toHtmlEscaped())};
        connect(link, &QLabel::linkActivated, this, &StartPage::openWanted);
        recent_->addWidget(link);
    }
}

void StartPage::resizeEvent(QResizeEvent* event) {
    QScrollArea::resizeEvent(event);
    arrange();
}

void StartPage::arrange() {
    const int room = viewport()->width() - 2 * sideMargin;
    const int columns = std::clamp((room + gap) / (ExperimentCard::leastWidth + gap), 1, 5);
    const int width = std::min(320, (room - (columns - 1) * gap) / columns);
    if (cards_.empty() || (columns == columns_ && cards_.front()->width() == width)) return;
    for (ExperimentCard* card : cards_) card->setWidth(width);
    undrawn_.assign(cards_.begin(), cards_.end());
    drawing_.start();
    columns_ = columns;
    while (QLayoutItem* item = grid_->takeAt(0)) delete item;
    for (std::size_t i = 0; i < cards_.size(); ++i)
        grid_->addWidget(cards_[i], static_cast<int>(i) / columns, static_cast<int>(i) % columns);
    for (int column = 0; column <= 16; ++column) grid_->setColumnStretch(column, column == columns ? 1 : 0);
}

} // namespace raphe
