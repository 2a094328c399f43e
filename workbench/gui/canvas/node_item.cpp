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

/// Below these scales the small words, and the names, would be too small to be read, and are left out.
constexpr double smallWords = 0.42, names = 0.28;

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

/// White at 0; blue below, vermilion above.
QColor activityColor(float value) {
    const QColor& end = value < 0 ? theme().input : theme().modulation;
    const QColor& middle = theme().node;
    const double part = std::min(1.0, std::abs(static_cast<double>(value)));
    const auto mix = [&](int a, int b) { return static_cast<int>(a + (b - a) * part); };
    return {mix(middle.red(), end.red()), mix(middle.green(), end.green()), mix(middle.blue(), end.blue())};
}

constexpr double tag = 13; ///< side of the mark of an intervention

QString signOf(Operation operation) {
    switch (operation) {
    case Operation::clamp:
        return QStringLiteral("=");
    case Operation::scale:
        return QStringLiteral("×");
    case Operation::perturb:
        return QStringLiteral("+");
    case Operation::noise:
        return QStringLiteral("~");
    case Operation::lesion:
        return QStringLiteral("∅");
    case Operation::swap:
        return QStringLiteral("⇄");
    }
    return {};
}

/// A small tag; one that is off is empty and struck through.
void drawIntervention(QPainter& painter, const QPointF& centre, const CanvasIntervention& intervention) {
    const QRectF box{centre.x() - tag / 2, centre.y() - tag / 2, tag, tag};
    const QColor& color = intervention.on ? theme().warning : theme().faint;
    painter.setPen(QPen{color, 1.2});
    painter.setBrush(intervention.on ? QBrush{color} : QBrush{theme().node});
    painter.drawRoundedRect(box, 3, 3);
    painter.setFont(nodeSmallFont());
    painter.setPen(intervention.on ? QColor{0x20, 0x18, 0x08} : theme().faint);
    painter.drawText(box, Qt::AlignCenter, signOf(intervention.operation));
    if (intervention.on) return;
    painter.setPen(QPen{theme().bad, 1.4});
    painter.drawLine(box.bottomLeft() + QPointF{-1, 1}, box.topRight() + QPointF{1, -1});
}

void drawBadge(QPainter& painter, const QPointF& centre, double radius) {
    const Theme& t = theme();
    painter.setPen(QPen{t.node, 1.5});
    painter.setBrush(t.bad);
    painter.drawEllipse(centre, radius, radius);
    painter.setPen(t.dark ? QColor{0x20, 0x10, 0x10} : QColor{Qt::white});
    QFont font = nodeNameFont();
    if (radius < 8) font.setPixelSize(10);
    painter.setFont(font);
    painter.drawText(QRectF{centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius}, Qt::AlignCenter,
                     QStringLiteral("!"));
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

void NodeItem::setFitting(std::vector<Fit> fitting) {
    fitting_ = std::move(fitting);
    update();
}

void NodeItem::setActivity(std::vector<float> activity) {
    activity_ = std::move(activity);
    update();
}

std::optional<int> NodeItem::badgeNear(const QPointF& scenePoint) const {
    const auto hits = [&](int port, double radius) {
        const QPointF away = scenePoint - pos() - badgeOf(port);
        return std::hypot(away.x(), away.y()) <= radius;
    };
    for (int p = 0; p < static_cast<int>(node_.ports.size()); ++p)
        if (!node_.ports[static_cast<std::size_t>(p)].problems.empty() && hits(p, 7)) return p;
    if (!node_.problems.empty() && hits(nodeItself, 11)) return nodeItself;
    return std::nullopt;
}

QPointF NodeItem::badgeOf(int port) const {
    if (port == nodeItself) return {geometry_.size.width() - 1, 1};
    const auto index = static_cast<std::size_t>(port);
    const double side = node_.ports[index].kind == PortKind::input ? -13 : 13;
    return geometry_.ports[index] + QPointF{side, 8};
}

void NodeItem::setCurrent(int spot) {
    if (current_ == spot) return;
    current_ = spot;
    update();
}

QRectF NodeItem::boundingRect() const {
    std::size_t tags = 0;
    for (const auto& port : node_.ports) tags = std::max(tags, port.interventions.size());
    return QRectF{QPointF{}, geometry_.size}.adjusted(-22, -22, 22 + static_cast<double>(tags) * (tag + 2), 20);
}

QPainterPath NodeItem::shape() const {
    QPainterPath path;
    path.addRect(QRectF{QPointF{}, geometry_.size});
    if (!node_.problems.empty()) path.addEllipse(badgeOf(nodeItself), 10, 10);
    for (int p = 0; p < static_cast<int>(node_.ports.size()); ++p)
        if (!node_.ports[static_cast<std::size_t>(p)].problems.empty()) path.addEllipse(badgeOf(p), 7, 7);
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

QString NodeItem::tipOf(int port) const {
    QString tip;
    const auto add = [&tip](const std::vector<CanvasIntervention>& interventions) {
        for (const auto& intervention : interventions)
            tip += "<br>" + (intervention.on ? QObject::tr("intervention: %1") : QObject::tr("intervention, off: %1"))
                                .arg(text(intervention.text).toHtmlEscaped());
    };
    const std::vector<std::string>* problems = &node_.problems;
    if (port >= 0) {
        const CanvasPort& info = node_.ports[static_cast<std::size_t>(port)];
        const char* kinds[] = {"input", "modulation", "output"};
        const QString units = info.units > 0 ? QString::number(info.units) : text(info.sizeText);
        tip =
            QStringLiteral("<b>%1.%2</b> — %3, %4 %5<br>%6")
                .arg(text(node_.name), text(info.name), kinds[static_cast<int>(info.kind)], units,
                     units == "1" ? QStringLiteral("unit") : QStringLiteral("units"), text(info.help).toHtmlEscaped());
        add(info.interventions);
        problems = &info.problems;
    } else {
        tip = QStringLiteral("<b>%1</b><br>%2").arg(text(node_.mechanism), text(node_.summary).toHtmlEscaped());
        add(node_.interventions);
    }
    for (const auto& problem : *problems) tip += "<p>" + text(problem).toHtmlEscaped() + "</p>";
    if (!problems->empty()) tip += "<p><i>" + QObject::tr("Click the red mark for remedies.") + "</i></p>";
    return tip;
}

void NodeItem::hoverMoveEvent(QGraphicsSceneHoverEvent* event) {
    const auto badge = badgeNear(event->scenePos());
    const int port = badge ? *badge : portNear(event->scenePos());
    setToolTip(tipOf(port));
    setCursor(QCursor{badge                                    ? Qt::PointingHandCursor
                      : port >= 0 && (flags() & ItemIsMovable) ? Qt::CrossCursor
                                                               : Qt::ArrowCursor});
}

void NodeItem::paint(QPainter* painter, const QStyleOptionGraphicsItem*, QWidget*) {
    const Theme& t = theme();
    const QRectF box{QPointF{}, geometry_.size};
    const QColor kind = node_.kind ? t.of(*node_.kind) : t.faint;

    const double scale = std::hypot(painter->deviceTransform().m11(), painter->deviceTransform().m12());

    painter->setRenderHint(QPainter::Antialiasing);
    QColor tint = kind;
    tint.setAlpha(t.dark ? 60 : 34);
    const QRectF header{0, 0, box.width(), NodeGeometry::header}, stripe{0, 0, box.width(), 4};
    QPainterPath outline;
    if (scale < smallWords) { // no shadow, nor round corners, of less than a pixel
        outline.addRect(box);
        painter->fillRect(box, t.node);
        painter->fillRect(header, tint);
        painter->fillRect(stripe, kind);
    } else {
        painter->setPen(Qt::NoPen);
        painter->setBrush(QColor{0, 0, 0, t.dark ? 70 : 22});
        painter->drawRoundedRect(box.translated(1.5, 2.5), 8, 8);
        outline.addRoundedRect(box, 8, 8);
        painter->fillPath(outline, t.node);
        painter->save();
        painter->setClipPath(outline, Qt::IntersectClip);
        painter->fillRect(header, tint);
        painter->fillRect(stripe, kind);
        painter->restore();
    }
    painter->setBrush(Qt::NoBrush);
    const bool bad = !node_.problems.empty();
    painter->setPen(isSelected() ? QPen{t.accent, 2.5} : bad ? QPen{t.bad, 1.6} : QPen{t.line.darker(115), 1.2});
    painter->drawPath(outline);

    if (scale >= names) {
        painter->setFont(nodeNameFont());
        painter->setPen(t.nodeText);
        painter->drawText(QRectF{10, 5, box.width() - 20, 20}, Qt::AlignLeft | Qt::AlignVCenter, text(node_.name));
    }
    if (scale >= smallWords) {
        painter->setFont(nodeSmallFont());
        painter->setPen(node_.kind ? t.faint : t.bad);
        painter->drawText(QRectF{10, 22, box.width() - 20, 16}, Qt::AlignLeft | Qt::AlignVCenter,
                          text(node_.mechanism));
    }
    paintPorts(*painter, scale >= smallWords);

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
    paintMarks(*painter);
}

void NodeItem::paintMarks(QPainter& painter) const {
    for (std::size_t p = 0; p < node_.ports.size(); ++p) {
        double x = 10;
        for (const auto& intervention : node_.ports[p].interventions) {
            drawIntervention(painter, geometry_.ports[p] + QPointF{x, -12}, intervention);
            x += tag + 2;
        }
        if (!node_.ports[p].problems.empty()) drawBadge(painter, badgeOf(static_cast<int>(p)), 6);
    }
    double x = geometry_.size.width() - 14;
    for (const auto& intervention : node_.interventions) {
        drawIntervention(painter, {x, 30}, intervention);
        x -= tag + 2;
    }
    if (!node_.problems.empty()) drawBadge(painter, badgeOf(nodeItself), 9);
    if (current_ == nowhere) return;
    painter.setPen(QPen{theme().accent, 2, Qt::DotLine});
    painter.setBrush(Qt::NoBrush);
    if (current_ == nodeItself)
        painter.drawRoundedRect(QRectF{QPointF{}, geometry_.size}.adjusted(-5, -5, 5, 5), 11, 11);
    else
        painter.drawEllipse(geometry_.ports[static_cast<std::size_t>(current_)], 12, 12);
}

void NodeItem::paintPorts(QPainter& painter, bool named) const {
    painter.setFont(nodeSmallFont());
    const bool choosing = !fitting_.empty();
    for (std::size_t p = 0; p < node_.ports.size(); ++p) {
        const CanvasPort& port = node_.ports[p];
        const QPointF at = geometry_.ports[p];
        const Fit fit = choosing ? fitting_[p] : Fit::no;
        painter.setOpacity(choosing && fit == Fit::no ? 0.3 : 1);
        QColor glow = theme().of(port.kind);
        glow.setAlpha(70);
        if (fit == Fit::wholly) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(glow);
            painter.drawEllipse(at, 11, 11);
        } else if (fit == Fit::partly) { // an empty ring: it would not be enough
            painter.setPen(QPen{glow, 1.5, Qt::DotLine});
            painter.setBrush(Qt::NoBrush);
            painter.drawEllipse(at, 10, 10);
        }
        drawPortMark(painter, at, port.kind, port.wired);
        if (!named) continue;
        painter.setPen(theme().nodeText);
        const QString name = text(port.name);
        const double half = geometry_.size.width();
        if (port.kind == PortKind::input)
            painter.drawText(QRectF{at.x() + 11, at.y() - 10, half, 20}, Qt::AlignLeft | Qt::AlignVCenter, name);
        else if (port.kind == PortKind::output)
            painter.drawText(QRectF{at.x() - 11 - half, at.y() - 10, half, 20}, Qt::AlignRight | Qt::AlignVCenter,
                             name);
        else {
            const double lift = geometry_.raised[p] ? NodeGeometry::raisedBy : 0;
            painter.drawText(QRectF{at.x() - half, at.y() - 26 - lift, 2 * half, 18},
                             Qt::AlignHCenter | Qt::AlignVCenter, name);
            if (lift == 0) continue;
            painter.setPen(QPen{theme().line.darker(115), 1});
            painter.drawLine(at - QPointF{0, 8}, at - QPointF{0, 9 + lift});
        }
    }
    painter.setOpacity(1);
}

} // namespace raphe
