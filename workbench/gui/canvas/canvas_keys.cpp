// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_position.h"
#include "gui/canvas/canvas_view.h"

#include <QAccessible>
#include <QContextMenuEvent>
#include <QKeyEvent>

#include <algorithm>

namespace raphe {

void CanvasView::currentChanged() {
    const auto words = scene_->currentText();
    if (words.isEmpty() || !hasFocus()) return;
    ensureVisible(scene_->currentArea(), 20, 20);
    if (scene_->drawsByKey())
        showNotice(tr("%1. Tab: the next port that fits. Enter: connect. Esc: leave it.").arg(words), false);
    else
        showNotice({}, false);
    setAccessibleDescription(words);
    if (!QAccessible::isActive()) return;
    if (auto* own = QAccessible::queryAccessibleInterface(this))
        if (auto* child = own->focusChild()) {
            QAccessibleEvent focused{child, QAccessible::Focus};
            QAccessible::updateAccessibility(&focused);
        }
}

bool CanvasView::focusNextPrevChild(bool next) {
    if (scene_->drawsByKey()) {
        scene_->nextTarget(next);
        return true;
    }
    if (scene_->moveCurrent(next)) {
        const auto current = scene_->current();
        if (current && current->port.empty()) scene_->select({current->node});
        return true;
    }
    scene_->clearCurrent();
    return QGraphicsView::focusNextPrevChild(next);
}

void CanvasView::focusInEvent(QFocusEvent* event) {
    QGraphicsView::focusInEvent(event);
    const bool tabbed = event->reason() == Qt::TabFocusReason || event->reason() == Qt::BacktabFocusReason;
    if (tabbed && !scene_->current()) focusNextPrevChild(event->reason() == Qt::TabFocusReason);
}

void CanvasView::focusOutEvent(QFocusEvent* event) {
    if (scene_->drawsByKey()) scene_->endWireByKey(false);
    QGraphicsView::focusOutEvent(event);
}

void CanvasView::nudge(int dx, int dy) {
    auto places = scene_->places();
    const auto chosen = scene_->selectedNodes();
    for (const auto& name : chosen) places[name] += QPointF{dx * canvasPitch, dy * canvasPitch};
    document_.execute({{"command", "move"}, {"positions", positionsJson(places)}}, "nudge " + Json(chosen).dump());
}

void CanvasView::keyPressEvent(QKeyEvent* event) {
    const int key = event->key();
    const bool plain = !(event->modifiers() & (Qt::ControlModifier | Qt::AltModifier));
    const bool enter = key == Qt::Key_Return || key == Qt::Key_Enter;
    const bool arrow = key == Qt::Key_Left || key == Qt::Key_Right || key == Qt::Key_Up || key == Qt::Key_Down;
    event->accept();
    if (scene_->drawsByKey()) {
        const bool connects = enter || key == Qt::Key_Space;
        if (arrow) scene_->nextTarget(key == Qt::Key_Right || key == Qt::Key_Down);
        if (connects || key == Qt::Key_Escape) {
            showNotice({}, false);
            scene_->endWireByKey(connects);
        }
        return;
    }
    const auto current = scene_->current();
    if (plain && key == Qt::Key_W) {
        if (!current || current->port.empty())
            showNotice(tr("Go to a port with Tab first; W then draws a wire from it."), true);
        else
            scene_->beginWireByKey();
        return;
    }
    if (plain && (enter || key == Qt::Key_Space) && current) {
        scene_->select({current->node});
        const QRectF area = scene_->currentArea();
        showProblems(*current, current->port.empty() ? QPointF{area.right() - 30, area.top() + 30} : area.center());
        return;
    }
    if (plain && arrow && !scene_->selectedNodes().empty()) {
        const int by = event->modifiers() & Qt::ShiftModifier ? 5 : 1;
        nudge(key == Qt::Key_Left    ? -by
              : key == Qt::Key_Right ? by
                                     : 0,
              key == Qt::Key_Up     ? -by
              : key == Qt::Key_Down ? by
                                    : 0);
        return;
    }
    if (key == Qt::Key_Escape) {
        delete bubble_;
        showNotice({}, false);
    }
    QGraphicsView::keyPressEvent(event);
}

} // namespace raphe
