// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_items.h"
#include "gui/shell/theme.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace raphe {

WireItem::WireItem(CanvasWire wire) : wire_(std::move(wire)) {
    setFlag(ItemIsSelectable);
    setZValue(wire_.modulatory ? 1.5 : 1);
    QString tip = QStringLiteral("%1 → %2").arg(QString::fromStdString(wire_.spec.from.text()),
                                                QString::fromStdString(wire_.spec.to.text()));
    if (wire_.units > 0) tip += QStringLiteral("<br>%1 %2").arg(wire_.units).arg(wire_.units == 1 ? "unit" : "units");
    if (wire_.modulatory) tip += QStringLiteral("<br>sets a parameter of its target");
    if (wire_.delayed) tip += QStringLiteral("<br>delivers the value of the previous step");
    for (const auto& problem : wire_.problems) tip += "<p>" + QString::fromStdString(problem).toHtmlEscaped() + "</p>";
    setToolTip("<div>" + tip + "</div>");
}

void WireItem::setWay(const std::vector<QPointF>& corners, WireStyle style, const std::vector<QRectF>& nodes) {
    prepareGeometryChange();
    path_ = style == WireStyle::curved ? curvedWay(corners, nodes) : roundedWay(corners);
    double longest = -1;
    for (std::size_t i = 1; i < corners.size(); ++i) {
        const QPointF piece = corners[i] - corners[i - 1];
        const double length = std::abs(piece.x()) + 0.5 * std::abs(piece.y());
        if (length <= longest) continue;
        longest = length;
        labelAt_ = (corners[i] + corners[i - 1]) / 2;
    }
}

void WireItem::setValue(const QString& value) {
    if (value_ == value) return;
    prepareGeometryChange();
    value_ = value;
    update();
}

QString WireItem::label() const {
    if (!value_.isEmpty()) return value_;
    QStringList parts;
    if (wire_.units > 1) parts << QString::number(wire_.units);
    if (wire_.delayed) parts << QStringLiteral("t−1");
    return parts.join(QStringLiteral(" · "));
}

QRectF WireItem::boundingRect() const {
    return path_.boundingRect().adjusted(-10, -10, 10, 10) | QRectF{labelAt_ - QPointF{45, 12}, QSizeF{90, 24}};
}

QPainterPath WireItem::shape() const {
    QPainterPathStroker stroker;
    stroker.setWidth(9);
    return stroker.createStroke(path_);
}

void WireItem::paint(QPainter* painter, const QStyleOptionGraphicsItem*, QWidget*) {
    const Theme& t = theme();
    painter->setRenderHint(QPainter::Antialiasing);
    const QColor color = !wire_.problems.empty() ? t.bad : wire_.modulatory ? t.modulation : t.signalWire;
    const double width = (wire_.modulatory ? 4.2 : 1.7) + (isSelected() ? 1 : 0);
    if (isSelected()) {
        QColor glow = t.accent;
        glow.setAlpha(80);
        painter->setPen(QPen{glow, width + 7, Qt::SolidLine, Qt::RoundCap});
        painter->drawPath(path_);
    }
    QPen pen{color, width, Qt::SolidLine, Qt::FlatCap};
    if (wire_.delayed) pen.setDashPattern({8 / width, 5 / width});
    painter->setBrush(Qt::NoBrush);
    painter->setPen(pen);
    painter->drawPath(path_);
    if (wire_.modulatory) { // two lines, so that it is another kind of wire in print as well
        painter->setPen(QPen{t.canvas, 1.5});
        painter->drawPath(path_);
    }
    const QString words = label();
    if (words.isEmpty()) return;
    constexpr double readable = 0.42; // below this scale numbers are only spots on the wires
    if (std::hypot(painter->deviceTransform().m11(), painter->deviceTransform().m12()) < readable) return;
    painter->setFont(nodeSmallFont());
    const QFontMetricsF metrics{nodeSmallFont()};
    QRectF box{0, 0, metrics.horizontalAdvance(words) + 8, 15};
    box.moveCenter(labelAt_);
    painter->setPen(value_.isEmpty() ? QPen{Qt::NoPen} : QPen{color, 1});
    painter->setBrush(t.canvas);
    painter->drawRoundedRect(box, 4, 4);
    painter->setPen(wire_.modulatory ? t.modulation : t.faint);
    painter->drawText(box, Qt::AlignCenter, words);
}

} // namespace raphe
