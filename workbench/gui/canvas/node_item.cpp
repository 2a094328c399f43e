// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_items.h"
#include "gui/shell/theme.h"

#include <QCursor>
#include <QGraphicsSceneHoverEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr double reach = 9; ///< how far from a port's middle it is still hit

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

/// White at 0; blue below, vermilion above.
QColor activityColor(float value) {
    const QColor& end = value < 0 ? theme().input : theme().modulation;
    const QColor& middle = theme().node;
    const double part = std::min(1.0, std::abs(static_cast<double>(value)));
    const auto mix = [&](int a, int b) { return static_cast<int>(a + (b - a) * part); };
    return {mix(middle.red(), end.red()), mix(middle.green(), end.green()), mix(middle.blue(), end.blue())};
}

} // namespace

void drawPortMark(QPainter& painter, const QPointF& at, PortKind kind, bool filled, double size) {
    const QColor& color = theme().of(kind);
    painter.setPen(QPen{color, 1.8});
    painter.setBrush(filled ? QBrush{color} : QBrush{theme().node});
    if (kind == PortKind::input) {
        painter.drawEllipse(at, size, size);
    } else if (kind == PortKind::output) {
        painter.drawPolygon(
            QPolygonF{at + QPointF{-size, -size}, at + QPointF{size + 1, 0}, at + QPointF{-size, size}});
    } else {
        const double s = size + 1.5;
        painter.drawPolygon(
            QPolygonF{at + QPointF{0, -s}, at + QPointF{s, 0}, at + QPointF{0, s}, at + QPointF{-s, 0}});
    }
}

NodeItem::NodeItem(CanvasNode node, bool editable) : node_(std::move(node)), geometry_(nodeGeometry(node_)) {
    setFlag(ItemIsSelectable);
    setFlag(ItemIsMovable, editable);
    setFlag(ItemSendsGeometryChanges);
    setAcceptHoverEvents(true);
    setZValue(2);
}

int NodeItem::portNear(const QPointF& scenePoint) const {
    for (std::size_t p = 0; p < geometry_.ports.size(); ++p) {
        const QPointF away = scenePoint - pos() - geometry_.ports[p];
        if (std::hypot(away.x(), away.y()) <= reach) return static_cast<int>(p);
    }
    return -1;
}

void NodeItem::setFitting(std::vector<bool> fitting) {
    fitting_ = std::move(fitting);
    update();
}

void NodeItem::setActivity(std::vector<float> activity) {
    activity_ = std::move(activity);
    update();
}

QRectF NodeItem::boundingRect() const { return QRectF{QPointF{}, geometry_.size}.adjusted(-12, -16, 14, 12); }

QPainterPath NodeItem::shape() const {
    QPainterPath path;
    path.addRect(QRectF{QPointF{}, geometry_.size});
    for (const QPointF& port : geometry_.ports) path.addEllipse(port, reach, reach);
    path.setFillRule(Qt::WindingFill);
    return path;
}

QVariant NodeItem::itemChange(GraphicsItemChange change, const QVariant& value) {
    if (change == ItemPositionChange) {
        const QPointF at = value.toPointF();
        return QPointF{std::round(at.x() / canvasPitch) * canvasPitch, std::round(at.y() / canvasPitch) * canvasPitch};
    }
    if (change == ItemPositionHasChanged) Q_EMIT moving();
    return QGraphicsObject::itemChange(change, value);
}

void NodeItem::hoverMoveEvent(QGraphicsSceneHoverEvent* event) {
    const int port = portNear(event->scenePos());
    if (port >= 0) {
        const CanvasPort& info = node_.ports[static_cast<std::size_t>(port)];
        const char* kinds[] = {"input", "modulation", "output"};
        const QString units = info.units > 0 ? QString::number(info.units) : text(info.sizeText);
        setToolTip(QStringLiteral("<b>%1.%2</b> — %3, %4 %5<br>%6")
                       .arg(text(node_.name), text(info.name), kinds[static_cast<int>(info.kind)], units,
                            units == "1" ? QStringLiteral("unit") : QStringLiteral("units"),
                            text(info.help).toHtmlEscaped()));
    } else if (!node_.problems.empty()) {
        QStringList lines;
        for (const auto& problem : node_.problems) lines << text(problem).toHtmlEscaped();
        setToolTip("<p>" + lines.join("</p><p>") + "</p>");
    } else {
        setToolTip(QStringLiteral("<b>%1</b><br>%2").arg(text(node_.mechanism), text(node_.summary).toHtmlEscaped()));
    }
    setCursor(QCursor{port >= 0 && (flags() & ItemIsMovable) ? Qt::CrossCursor : Qt::ArrowCursor});
}

void NodeItem::paint(QPainter* painter, const QStyleOptionGraphicsItem*, QWidget*) {
    const Theme& t = theme();
    const QRectF box{QPointF{}, geometry_.size};
    const QColor kind = node_.kind ? t.of(*node_.kind) : t.faint;

    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    painter->setBrush(QColor{0, 0, 0, t.dark ? 70 : 22});
    painter->drawRoundedRect(box.translated(1.5, 2.5), 8, 8);
    QPainterPath outline;
    outline.addRoundedRect(box, 8, 8);
    painter->fillPath(outline, t.node);
    painter->save();
    painter->setClipPath(outline, Qt::IntersectClip);
    QColor tint = kind;
    tint.setAlpha(t.dark ? 60 : 34);
    painter->fillRect(QRectF{0, 0, box.width(), NodeGeometry::header}, tint);
    painter->fillRect(QRectF{0, 0, box.width(), 4}, kind);
    painter->restore();
    painter->setBrush(Qt::NoBrush);
    const bool bad = !node_.problems.empty();
    painter->setPen(isSelected() ? QPen{t.accent, 2.5} : bad ? QPen{t.bad, 1.6} : QPen{t.line.darker(115), 1.2});
    painter->drawPath(outline);

    painter->setFont(nodeNameFont());
    painter->setPen(t.nodeText);
    painter->drawText(QRectF{10, 5, box.width() - 20, 20}, Qt::AlignLeft | Qt::AlignVCenter, text(node_.name));
    painter->setFont(nodeSmallFont());
    painter->setPen(node_.kind ? t.faint : t.bad);
    painter->drawText(QRectF{10, 22, box.width() - 20, 16}, Qt::AlignLeft | Qt::AlignVCenter, text(node_.mechanism));
    paintPorts(*painter);

    if (!activity_.empty()) {
        const double width = box.width() / static_cast<double>(activity_.size());
        painter->setRenderHint(QPainter::Antialiasing, false);
        for (std::size_t i = 0; i < activity_.size(); ++i)
            painter->fillRect(QRectF{static_cast<double>(i) * width, -13, width + 0.5, 9}, activityColor(activity_[i]));
        painter->setPen(QPen{t.line.darker(120), 1});
        painter->setBrush(Qt::NoBrush);
        painter->drawRect(QRectF{0, -13, box.width(), 9});
        painter->setRenderHint(QPainter::Antialiasing);
    }
    if (bad) {
        const QRectF badge{box.right() - 10, -8, 18, 18};
        painter->setPen(QPen{t.node, 1.5});
        painter->setBrush(t.bad);
        painter->drawEllipse(badge);
        painter->setPen(t.dark ? QColor{0x20, 0x10, 0x10} : QColor{Qt::white});
        painter->setFont(nodeNameFont());
        painter->drawText(badge, Qt::AlignCenter, QStringLiteral("!"));
    }
}

void NodeItem::paintPorts(QPainter& painter) const {
    painter.setFont(nodeSmallFont());
    const bool choosing = !fitting_.empty();
    for (std::size_t p = 0; p < node_.ports.size(); ++p) {
        const CanvasPort& port = node_.ports[p];
        const QPointF at = geometry_.ports[p];
        const bool fits = choosing && fitting_[p];
        painter.setOpacity(choosing && !fits ? 0.3 : 1);
        if (fits) {
            QColor glow = theme().of(port.kind);
            glow.setAlpha(70);
            painter.setPen(Qt::NoPen);
            painter.setBrush(glow);
            painter.drawEllipse(at, 11, 11);
        }
        drawPortMark(painter, at, port.kind, port.wired);
        painter.setPen(theme().nodeText);
        const QString name = text(port.name);
        const double half = geometry_.size.width();
        if (port.kind == PortKind::input)
            painter.drawText(QRectF{at.x() + 11, at.y() - 10, half, 20}, Qt::AlignLeft | Qt::AlignVCenter, name);
        else if (port.kind == PortKind::output)
            painter.drawText(QRectF{at.x() - 11 - half, at.y() - 10, half, 20}, Qt::AlignRight | Qt::AlignVCenter,
                             name);
        else
            painter.drawText(QRectF{at.x() - half, at.y() - 26, 2 * half, 18}, Qt::AlignHCenter | Qt::AlignVCenter,
                             name);
    }
    painter.setOpacity(1);
}

} // namespace raphe
