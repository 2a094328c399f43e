// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/mini_map.h"

#include "gui/canvas/canvas_scene.h"
#include "gui/shell/theme.h"

#include <QGraphicsView>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>

namespace raphe {
namespace {

constexpr int mapWidth = 168, mapHeight = 108, corner = 10, inside = 6;

} // namespace

MiniMap::MiniMap(CanvasScene& scene, QGraphicsView& view, QWidget* parent)
    : QWidget(parent), scene_(scene), view_(view) {
    resize(mapWidth, mapHeight);
    setCursor(Qt::OpenHandCursor);
    setAccessibleName(tr("Overview of the graph"));
    setToolTip(tr("Drag to see another part of the graph"));
    hide();
}

void MiniMap::setWanted(bool wanted) {
    wanted_ = wanted;
    refresh();
}

QRectF MiniMap::seen() const { return view_.mapToScene(view_.viewport()->rect()).boundingRect(); }

void MiniMap::refresh() {
    const QRectF content = scene_.content();
    const QSize room = parentWidget()->size();
    const bool fits = room.width() > 2 * mapWidth && room.height() > mapHeight + 60;
    setVisible(wanted_ && fits && !content.isEmpty() && !seen().contains(content));
    move(room.width() - width() - corner, room.height() - height() - corner);
    update();
}

QTransform MiniMap::mapping() const {
    const QRectF all = scene_.content() | seen();
    const QRectF room = QRectF{rect()}.adjusted(inside, inside, -inside, -inside);
    const double scale = std::min(room.width() / all.width(), room.height() / all.height());
    QTransform result;
    result.translate(room.center().x(), room.center().y());
    result.scale(scale, scale);
    result.translate(-all.center().x(), -all.center().y());
    return result;
}

void MiniMap::goTo(const QPointF& at) {
    view_.centerOn(mapping().inverted().map(at));
    Q_EMIT dragged();
}

void MiniMap::mousePressEvent(QMouseEvent* event) { goTo(event->position()); }

void MiniMap::mouseMoveEvent(QMouseEvent* event) {
    if (event->buttons() & Qt::LeftButton) goTo(event->position());
}

void MiniMap::paintEvent(QPaintEvent*) {
    const Theme& t = theme();
    QPainter painter{this};
    painter.setRenderHint(QPainter::Antialiasing);
    QColor back = t.raised;
    back.setAlpha(235);
    painter.setPen(QPen{t.line, 1});
    painter.setBrush(back);
    painter.drawRoundedRect(QRectF{rect()}.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5);
    const QTransform map = mapping();
    painter.setPen(Qt::NoPen);
    for (const auto& [body, node] : scene_.bodies()) {
        QColor color = !node->problems.empty() ? t.bad : node->kind ? t.of(*node->kind) : t.faint;
        color.setAlpha(190);
        painter.setBrush(color);
        QRectF box = map.mapRect(body);
        if (box.width() < 2) box.setWidth(2);
        if (box.height() < 2) box.setHeight(2);
        painter.drawRect(box);
    }
    QColor glass = t.accent;
    glass.setAlpha(36);
    painter.setPen(QPen{t.accent, 1.4});
    painter.setBrush(glass);
    painter.drawRect(map.mapRect(seen()).intersected(QRectF{rect()}.adjusted(1, 1, -1, -1)));
}

} // namespace raphe
