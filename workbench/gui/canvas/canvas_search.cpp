// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_search.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QToolButton>

namespace raphe {

CanvasSearch::CanvasSearch(QWidget* parent) : QFrame(parent), words_(new QLineEdit), count_(new QLabel) {
    setFrameShape(StyledPanel);
    setAttribute(Qt::WA_NoMousePropagation);
    setAutoFillBackground(true);
    words_->setPlaceholderText(tr("Node, mechanism or port"));
    words_->setAccessibleName(tr("Search on the graph"));
    words_->setClearButtonEnabled(true);
    words_->installEventFilter(this);
    count_->setMinimumWidth(70);
    auto* layout = new QHBoxLayout{this};
    layout->setContentsMargins(6, 4, 4, 4);
    layout->addWidget(words_, 1);
    layout->addWidget(count_);
    const auto button = [&](const QString& sign, const QString& tip, const std::function<void()>& act) {
        auto* made = new QToolButton;
        made->setText(sign);
        made->setToolTip(tip);
        made->setAccessibleName(tip);
        made->setAutoRaise(true);
        connect(made, &QToolButton::clicked, this, act);
        layout->addWidget(made);
    };
    button(QStringLiteral("▲"), tr("The hit before (Shift+Enter)"), [this] { go(-1); });
    button(QStringLiteral("▼"), tr("The next hit (Enter)"), [this] { go(1); });
    button(QStringLiteral("✕"), tr("Close the search (Esc)"), [this] {
        hide();
        Q_EMIT closed();
    });
    connect(words_, &QLineEdit::textChanged, this, [this] { search(); });
    setFixedWidth(390);
    hide();
}

void CanvasSearch::open() {
    show();
    raise();
    words_->setFocus();
    words_->selectAll();
    search();
}

void CanvasSearch::setGraph(const CanvasGraph& graph) {
    graph_ = graph;
    if (!isVisible()) return;
    hits_ = searchGraph(graph_, words_->text().toStdString());
    current_ = std::min(current_, static_cast<int>(hits_.size()) - 1);
    showCount();
}

void CanvasSearch::search() {
    hits_ = searchGraph(graph_, words_->text().toStdString());
    current_ = hits_.empty() ? -1 : 0;
    showCount();
    if (current_ >= 0) Q_EMIT found(hits_.front());
}

void CanvasSearch::go(int by) {
    if (hits_.empty()) return;
    const int count = static_cast<int>(hits_.size());
    current_ = (current_ + by + count) % count;
    showCount();
    Q_EMIT found(hits_[static_cast<std::size_t>(current_)]);
}

void CanvasSearch::showCount() {
    count_->setText(words_->text().trimmed().isEmpty() ? QString{}
                    : hits_.empty()                    ? tr("nothing found")
                                                       : tr("%1 of %2").arg(current_ + 1).arg(hits_.size()));
}

bool CanvasSearch::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        if (key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter) {
            go(key->modifiers() & Qt::ShiftModifier ? -1 : 1);
            return true;
        }
        if (key->key() == Qt::Key_Escape) {
            hide();
            Q_EMIT closed();
            return true;
        }
    }
    return QFrame::eventFilter(watched, event);
}

} // namespace raphe
