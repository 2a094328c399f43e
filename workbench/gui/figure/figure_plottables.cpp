// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_plottables.h"

#include "figure_clip.h"

#include <algorithm>
#include <cmath>

namespace raphe {

QColor withOpacity(QColor color, double opacity) {
    color.setAlphaF(static_cast<float>(opacity));
    return color;
}

FigurePlottable::FigurePlottable(QCPAxis* x, QCPAxis* y, FigureLook look) : QCPAbstractPlottable{x, y}, look_{look} {
    setSelectable(QCP::stNone);
}

QCPRange FigurePlottable::getKeyRange(bool& found, QCP::SignDomain) const {
    FigureExtent extent;
    extendX(extent);
    found = !extent.empty();
    return found ? QCPRange{extent.low, extent.high} : QCPRange{};
}

QCPRange FigurePlottable::getValueRange(bool& found, QCP::SignDomain, const QCPRange& keys) const {
    FigureExtent extent;
    const bool everywhere = keys == QCPRange();
    extendY(extent, everywhere ? QCPRange{-FigureLimits::magnitude, FigureLimits::magnitude} : keys);
    found = !extent.empty();
    return found ? QCPRange{extent.low, extent.high} : QCPRange{};
}

QPen FigurePlottable::stroke(double width) const {
    return {look_.color, width, look_.stroke, look_.stroke == Qt::SolidLine ? Qt::SquareCap : Qt::FlatCap,
            Qt::RoundJoin};
}

double FigurePlottable::columnWidth(const QCPPainter* painter) {
    if (painter->modes().testFlag(QCPPainter::pmVectorized)) return 0.5;
    return 1 / std::max(1.0, painter->transform().m11());
}

void FigurePlottable::drawClippedLine(QCPPainter* painter, QPointF from, QPointF to) const {
    if (clipSegment(area(), from, to)) painter->drawLine(QLineF{from, to});
}

void FigurePlottable::drawWhiskers(QCPPainter* painter, const QPen& pen, const std::vector<double>& x,
                                   const std::vector<double>& lower, const std::vector<double>& upper,
                                   double cap) const {
    painter->setPen(pen);
    for (std::size_t i = 0; i < lower.size(); ++i) {
        if (std::isnan(lower[i]) || std::isnan(upper[i])) continue;
        const QPointF low = pixel(x[i], lower[i]), high = pixel(x[i], upper[i]);
        drawClippedLine(painter, low, high);
        drawClippedLine(painter, low - QPointF{cap, 0}, low + QPointF{cap, 0});
        drawClippedLine(painter, high - QPointF{cap, 0}, high + QPointF{cap, 0});
    }
}

} // namespace raphe
