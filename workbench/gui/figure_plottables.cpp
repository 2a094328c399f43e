// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_plottables.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace raphe {
namespace {

constexpr double bandOpacity = 0.22;

QColor withOpacity(QColor color, double opacity) {
    color.setAlphaF(static_cast<float>(opacity));
    return color;
}

/// The part of a segment inside the rectangle (Liang and Barsky); false when none is.
bool clipSegment(const QRectF& rect, QPointF& from, QPointF& to) {
    double start = 0, end = 1;
    const QPointF d = to - from;
    const double p[4] = {-d.x(), d.x(), -d.y(), d.y()};
    const double q[4] = {from.x() - rect.left(), rect.right() - from.x(), from.y() - rect.top(),
                         rect.bottom() - from.y()};
    for (int edge = 0; edge < 4; ++edge) {
        if (p[edge] == 0) {
            if (q[edge] < 0) return false;
        } else {
            const double t = q[edge] / p[edge];
            if (p[edge] < 0)
                start = std::max(start, t);
            else
                end = std::min(end, t);
        }
    }
    if (start > end) return false;
    const QPointF origin = from;
    from = origin + start * d;
    to = origin + end * d;
    return true;
}

/// The pieces of a polyline inside the rectangle.
std::vector<QPolygonF> clipPolyline(const QRectF& rect, const QPolygonF& line) {
    std::vector<QPolygonF> pieces;
    bool open = false; // the last piece ends where the next segment starts
    for (qsizetype i = 0; i + 1 < line.size(); ++i) {
        QPointF from = line[i], to = line[i + 1];
        if (!clipSegment(rect, from, to)) {
            open = false;
            continue;
        }
        if (!open) pieces.push_back(QPolygonF{from});
        pieces.back().append(to);
        open = to == line[i + 1];
    }
    return pieces;
}

/// The polygon inside the rectangle (Sutherland and Hodgman). Where it leaves and returns, an edge of no width remains.
QPolygonF clipPolygon(const QRectF& rect, QPolygonF polygon) {
    const auto cut = [&polygon](auto distance) { // keeps where distance(point) >= 0
        QPolygonF result;
        for (qsizetype i = 0; i < polygon.size(); ++i) {
            const QPointF a = polygon[i], b = polygon[(i + 1) % polygon.size()];
            const double da = distance(a), db = distance(b);
            if (da >= 0) result.append(a);
            if ((da >= 0) != (db >= 0)) result.append(a + (b - a) * (da / (da - db)));
        }
        polygon = result;
    };
    cut([&rect](QPointF p) { return p.x() - rect.left(); });
    cut([&rect](QPointF p) { return rect.right() - p.x(); });
    cut([&rect](QPointF p) { return p.y() - rect.top(); });
    cut([&rect](QPointF p) { return rect.bottom() - p.y(); });
    return polygon;
}

QPolygonF markerOutline(FigureMarker marker, QPointF at, double size) {
    const double r = size / 2;
    switch (marker) {
    case FigureMarker::square:
        return {at + QPointF{-r, -r}, at + QPointF{r, -r}, at + QPointF{r, r}, at + QPointF{-r, r}};
    case FigureMarker::triangle:
        return {at + QPointF{0, -1.15 * r}, at + QPointF{1.1 * r, 0.8 * r}, at + QPointF{-1.1 * r, 0.8 * r}};
    case FigureMarker::diamond:
        return {at + QPointF{0, -1.25 * r}, at + QPointF{1.25 * r, 0}, at + QPointF{0, 1.25 * r},
                at + QPointF{-1.25 * r, 0}};
    case FigureMarker::circle:
        break;
    }
    return {};
}

void drawMarker(QCPPainter* painter, FigureMarker marker, QPointF at, double size) {
    if (marker == FigureMarker::circle)
        painter->drawEllipse(at, size / 2, size / 2);
    else
        painter->drawPolygon(markerOutline(marker, at, size));
}

/// Remembers which cells of a raster of pixels are taken, so that thousands of equal marks are drawn once.
class Taken {
public:
    explicit Taken(double cell) : cell_{cell} {}
    /// True at the first visit of the cell around the point.
    bool first(QPointF point) {
        const auto column = static_cast<std::int64_t>(std::floor(point.x() / cell_));
        const auto row = static_cast<std::int64_t>(std::floor(point.y() / cell_));
        return cells_.insert(column * 1'000'003 + row).second;
    }

private:
    double cell_;
    std::unordered_set<std::int64_t> cells_;
};

} // namespace

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

// line ---------------------------------------------------------------------------------------------------------------

FigureLinePlottable::FigureLinePlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureLine& line)
    : FigurePlottable{x, y, look}, line_{line}, ascending_{std::is_sorted(line.x.begin(), line.x.end())} {}

void FigureLinePlottable::extendX(FigureExtent& extent) const {
    for (const double x : line_.x) extent.include(x);
}

void FigureLinePlottable::extendY(FigureExtent& extent, const QCPRange& xRange) const {
    for (std::size_t i = 0; i < line_.x.size(); ++i) {
        if (xRange.contains(line_.x[i])) extent.include(line_.y[i]);
    }
}

void FigureLinePlottable::draw(QCPPainter* painter) {
    const auto& [x, y, width, style, markers] = line_;
    std::size_t begin = 0, end = x.size();
    if (ascending_) { // one point beyond either side, so that the line enters and leaves in the right direction
        const QCPRange range = mKeyAxis->range();
        begin = static_cast<std::size_t>(std::lower_bound(x.begin(), x.end(), range.lower) - x.begin());
        end = static_cast<std::size_t>(std::upper_bound(x.begin(), x.end(), range.upper) - x.begin());
        begin -= begin > 0 ? 1 : 0;
        end += end < x.size() ? 1 : 0;
    }
    const double cell = columnWidth(painter);
    const QRectF area = this->area();
    painter->setPen(stroke(width));
    painter->setBrush(Qt::NoBrush);
    painter->setAntialiasing(true);

    QPolygonF line;
    QPointF lowest, highest; // of the current column
    std::size_t lowestIndex = 0, highestIndex = 0, inColumn = 0;
    double column = 0;
    const auto closeColumn = [&] {
        if (inColumn == 0) return;
        line.append(lowestIndex <= highestIndex ? lowest : highest);
        if (lowestIndex != highestIndex) line.append(lowestIndex <= highestIndex ? highest : lowest);
        inColumn = 0;
    };
    const auto closeLine = [&, width = width] {
        closeColumn();
        if (line.size() == 1 && area.contains(line[0])) { // a point between two gaps
            painter->setBrush(look_.color);
            painter->setPen(Qt::NoPen);
            painter->drawEllipse(line[0], width, width);
            painter->setPen(stroke(width));
            painter->setBrush(Qt::NoBrush);
        }
        for (const QPolygonF& piece : clipPolyline(area, line)) painter->drawPolyline(piece);
        line.clear();
    };
    for (std::size_t i = begin; i < end; ++i) {
        if (std::isnan(y[i])) {
            closeLine();
            continue;
        }
        const QPointF point = pixel(x[i], y[i]);
        if (!ascending_) { // a curve: drop only what cannot be told from the point before
            if (line.isEmpty() || i + 1 == end || (point - line.back()).manhattanLength() > 0.3 * cell)
                line.append(point);
            continue;
        }
        const double ofPoint = std::floor(point.x() / cell);
        if (inColumn > 0 && ofPoint != column) closeColumn();
        column = ofPoint;
        if (inColumn == 0 || point.y() < highest.y()) highest = point, highestIndex = i;
        if (inColumn == 0 || point.y() > lowest.y()) lowest = point, lowestIndex = i;
        ++inColumn;
    }
    closeLine();

    if (markers) {
        painter->setPen(Qt::NoPen);
        painter->setBrush(look_.color);
        const double radius = width + 1.2;
        QPointF last{-1e9, -1e9};
        for (std::size_t i = begin; i < end; ++i) { // where points crowd, only so many that the marks stay apart
            if (std::isnan(y[i])) continue;
            const QPointF point = pixel(x[i], y[i]);
            if (!area.contains(point) || QLineF{last, point}.length() < 3 * radius) continue;
            painter->drawEllipse(point, radius, radius);
            last = point;
        }
    }
}

void FigureLinePlottable::drawLegendIcon(QCPPainter* painter, const QRectF& rect) const {
    painter->setAntialiasing(true);
    if (look_.band) painter->fillRect(rect.adjusted(0, 2, 0, -2), withOpacity(look_.color, bandOpacity));
    painter->setPen(stroke(std::min(line_.width, 4.0)));
    painter->drawLine(QLineF{rect.left(), rect.center().y(), rect.right(), rect.center().y()});
    if (line_.markers) {
        painter->setPen(Qt::NoPen);
        painter->setBrush(look_.color);
        painter->drawEllipse(rect.center(), 2.7, 2.7);
    }
}

// band ---------------------------------------------------------------------------------------------------------------

void FigureBandPlottable::extendX(FigureExtent& extent) const {
    for (const double x : band_.x) extent.include(x);
}

void FigureBandPlottable::extendY(FigureExtent& extent, const QCPRange& xRange) const {
    for (std::size_t i = 0; i < band_.x.size(); ++i) {
        if (!xRange.contains(band_.x[i])) continue;
        extent.include(band_.lower[i]);
        extent.include(band_.upper[i]);
    }
}

void FigureBandPlottable::draw(QCPPainter* painter) {
    const double cell = columnWidth(painter);
    const QRectF area = this->area();
    painter->setPen(Qt::NoPen);
    painter->setBrush(withOpacity(look_.color, bandOpacity));
    painter->setAntialiasing(true);

    QPolygonF upper, lower;
    double column = 0;
    const auto close = [&] {
        QPolygonF outline = upper;
        for (qsizetype i = lower.size(); i-- > 0;) outline.append(lower[i]);
        outline = clipPolygon(area, outline);
        if (outline.size() > 2) painter->drawPolygon(outline);
        upper.clear();
        lower.clear();
    };
    for (std::size_t i = 0; i < band_.x.size(); ++i) {
        if (std::isnan(band_.lower[i]) || std::isnan(band_.upper[i])) {
            close();
            continue;
        }
        const QPointF top = pixel(band_.x[i], band_.upper[i]), bottom = pixel(band_.x[i], band_.lower[i]);
        const double ofPoint = std::floor(top.x() / cell);
        if (!upper.isEmpty() && ofPoint == column) { // the column's hull
            upper.back().setY(std::min(upper.back().y(), top.y()));
            lower.back().setY(std::max(lower.back().y(), bottom.y()));
        } else {
            upper.append(top);
            lower.append(bottom);
        }
        column = ofPoint;
    }
    close();
}

void FigureBandPlottable::drawLegendIcon(QCPPainter* painter, const QRectF& rect) const {
    painter->fillRect(rect.adjusted(0, 2, 0, -2), withOpacity(look_.color, bandOpacity));
}

// points -------------------------------------------------------------------------------------------------------------

FigurePointsPlottable::FigurePointsPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigurePoints& points)
    : FigurePlottable{x, y, look}, points_{points}, x_{points.x} {
    if (points.jitter > 0) { // multiples of the golden ratio spread evenly, without a random stream
        for (std::size_t i = 0; i < x_.size(); ++i) {
            const double turn = 0.6180339887498949 * static_cast<double>(i + 1);
            x_[i] += points.jitter * (2 * (turn - std::floor(turn)) - 1);
        }
    }
}

void FigurePointsPlottable::extendX(FigureExtent& extent) const {
    for (const double x : x_) extent.include(x);
}

void FigurePointsPlottable::extendY(FigureExtent& extent, const QCPRange& xRange) const {
    for (std::size_t i = 0; i < x_.size(); ++i) {
        if (!xRange.contains(x_[i])) continue;
        extent.include(points_.y[i]);
        if (points_.lower.empty()) continue;
        extent.include(points_.lower[i]);
        extent.include(points_.upper[i]);
    }
}

void FigurePointsPlottable::draw(QCPPainter* painter) {
    painter->setAntialiasing(true);
    drawWhiskers(painter, QPen{look_.color, 1.2}, x_, points_.lower, points_.upper, 3);
    const bool many = x_.size() > 5000;
    const QRectF area = this->area();
    painter->setPen(many ? QPen{Qt::NoPen} : QPen{QColor{255, 255, 255, 200}, 0.6});
    painter->setBrush(withOpacity(look_.color, many ? 0.5 : 0.8));
    Taken taken{0.5};
    for (std::size_t i = 0; i < x_.size(); ++i) {
        if (std::isnan(points_.y[i])) continue;
        const QPointF point = pixel(x_[i], points_.y[i]);
        if (area.contains(point) && (!many || taken.first(point)))
            drawMarker(painter, points_.marker, point, points_.size);
    }
}

void FigurePointsPlottable::drawLegendIcon(QCPPainter* painter, const QRectF& rect) const {
    painter->setAntialiasing(true);
    painter->setPen(Qt::NoPen);
    painter->setBrush(withOpacity(look_.color, 0.8));
    drawMarker(painter, points_.marker, rect.center(), std::clamp(points_.size, 4.0, 10.0));
}

// raster -------------------------------------------------------------------------------------------------------------

void FigureRasterPlottable::extendX(FigureExtent& extent) const {
    for (const double x : raster_.x) extent.include(x);
}

void FigureRasterPlottable::extendY(FigureExtent& extent, const QCPRange& xRange) const {
    for (std::size_t i = 0; i < raster_.x.size(); ++i) {
        if (!xRange.contains(raster_.x[i])) continue;
        extent.include(raster_.y[i] - 0.5 * raster_.height);
        extent.include(raster_.y[i] + 0.5 * raster_.height);
    }
}

void FigureRasterPlottable::draw(QCPPainter* painter) {
    const QRectF area = this->area();
    const bool many = raster_.x.size() > 5000;
    Taken taken{many ? columnWidth(painter) : 1e-6};
    QPainterPath path; // one element of a vector image, however many events
    for (std::size_t i = 0; i < raster_.x.size(); ++i) {
        QPointF from = pixel(raster_.x[i], raster_.y[i] - 0.5 * raster_.height);
        QPointF to = pixel(raster_.x[i], raster_.y[i] + 0.5 * raster_.height);
        if (!clipSegment(area, from, to) || (many && !taken.first(from))) continue;
        path.moveTo(from);
        path.lineTo(to);
    }
    painter->setAntialiasing(true);
    painter->setBrush(Qt::NoBrush);
    painter->setPen(QPen{look_.color, many ? 0.7 : 1.0, Qt::SolidLine, Qt::FlatCap});
    painter->drawPath(path);
}

void FigureRasterPlottable::drawLegendIcon(QCPPainter* painter, const QRectF& rect) const {
    painter->setAntialiasing(true);
    painter->setPen(QPen{look_.color, 1.2});
    for (const double at : {0.2, 0.45, 0.6, 0.85}) {
        const double x = rect.left() + at * rect.width();
        painter->drawLine(QLineF{x, rect.top() + 2, x, rect.bottom() - 2});
    }
}

// bars ---------------------------------------------------------------------------------------------------------------

FigureBarsPlottable::FigureBarsPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureBars& bars, int slot,
                                         int slotCount)
    : FigurePlottable{x, y, look}, bars_{bars}, width_{bars.width / slotCount}, x_{bars.x} {
    for (double& centre : x_) centre += (slot - 0.5 * (slotCount - 1)) * width_;
}

void FigureBarsPlottable::extendX(FigureExtent& extent) const {
    for (const double x : x_) {
        extent.include(x - 0.5 * width_);
        extent.include(x + 0.5 * width_);
    }
}

void FigureBarsPlottable::extendY(FigureExtent& extent, const QCPRange& xRange) const {
    extent.include(0);
    for (std::size_t i = 0; i < x_.size(); ++i) {
        if (!xRange.contains(x_[i])) continue;
        extent.include(bars_.y[i]);
        if (bars_.lower.empty()) continue;
        extent.include(bars_.lower[i]);
        extent.include(bars_.upper[i]);
    }
}

void FigureBarsPlottable::draw(QCPPainter* painter) {
    painter->setAntialiasing(true);
    painter->setPen(Qt::NoPen);
    painter->setBrush(withOpacity(look_.color, 0.85));
    for (std::size_t i = 0; i < x_.size(); ++i) {
        if (std::isnan(bars_.y[i])) continue;
        const QRectF bar =
            QRectF{pixel(x_[i] - 0.47 * width_, 0), pixel(x_[i] + 0.47 * width_, bars_.y[i])}.normalized();
        const QRectF visible = bar.intersected(area());
        if (!visible.isEmpty()) painter->drawRect(visible);
    }
    const double room = std::abs(mKeyAxis->coordToPixel(mKeyAxis->range().lower + width_) -
                                 mKeyAxis->coordToPixel(mKeyAxis->range().lower));
    drawWhiskers(painter, QPen{QColor{0x33, 0x33, 0x33}, 1.2}, x_, bars_.lower, bars_.upper, std::min(4.0, room / 4));
}

void FigureBarsPlottable::drawLegendIcon(QCPPainter* painter, const QRectF& rect) const {
    painter->fillRect(rect.adjusted(4, 2, -4, -2), withOpacity(look_.color, 0.85));
}

// reference ----------------------------------------------------------------------------------------------------------

void FigureReferencePlottable::extendX(FigureExtent& extent) const {
    if (!line_.horizontal) extent.include(line_.at);
}

void FigureReferencePlottable::extendY(FigureExtent& extent, const QCPRange&) const {
    if (line_.horizontal) extent.include(line_.at);
}

void FigureReferencePlottable::draw(QCPPainter* painter) {
    const QRectF area = this->area();
    painter->setAntialiasing(true);
    painter->setPen(stroke(line_.width));
    if (line_.horizontal) {
        const double y = mValueAxis->coordToPixel(line_.at);
        drawClippedLine(painter, {area.left(), y}, {area.right(), y});
    } else {
        const double x = mKeyAxis->coordToPixel(line_.at);
        drawClippedLine(painter, {x, area.top()}, {x, area.bottom()});
    }
}

void FigureReferencePlottable::drawLegendIcon(QCPPainter* painter, const QRectF& rect) const {
    painter->setAntialiasing(true);
    painter->setPen(stroke(std::min(line_.width, 4.0)));
    painter->drawLine(QLineF{rect.left(), rect.center().y(), rect.right(), rect.center().y()});
}

QSizeF FigureReferenceLabel::textSize() const {
    const QFontMetricsF metrics{font_};
    return {metrics.horizontalAdvance(QString::fromStdString(line_.label)) + 4, metrics.height()};
}

std::vector<QRectF> FigureReferenceLabel::candidates() const {
    const QRectF area = this->area();
    const QSizeF size = textSize();
    const double gap = 2;
    std::vector<QRectF> result;
    const auto add = [&](double left, double top) {
        const QRectF rect{QPointF{left, top}, size};
        if (area.adjusted(-0.5, -0.5, 0.5, 0.5).contains(rect)) result.push_back(rect);
    };
    if (line_.horizontal) {
        const double y = mValueAxis->coordToPixel(line_.at);
        if (y < area.top() - 0.5 || y > area.bottom() + 0.5) return {};
        for (const double left : {area.right() - size.width(), area.left() + 3, area.center().x() - size.width() / 2}) {
            add(left, y - gap - size.height());
            add(left, y + gap);
        }
    } else {
        const double x = mKeyAxis->coordToPixel(line_.at);
        if (x < area.left() - 0.5 || x > area.right() + 0.5) return {};
        for (const double top : {area.top(), area.bottom() - size.height(), area.center().y() - size.height() / 2}) {
            add(x + gap, top);
            add(x - gap - size.width(), top);
        }
    }
    return result;
}

void FigureReferenceLabel::draw(QCPPainter* painter) {
    if (!placed_) return;
    const QRectF rect{area().topLeft() + offset_, textSize()};
    painter->setAntialiasing(true);
    const bool light = look_.color.lightnessF() > 0.8f; // a light line over a dark heat map
    painter->fillRect(rect.adjusted(0, 1, 0, -1), light ? QColor{0, 0, 0, 130} : QColor{255, 255, 255, 190});
    painter->setFont(font_);
    painter->setPen(light ? look_.color : look_.color.darker(115));
    painter->drawText(rect, Qt::AlignCenter | Qt::TextDontClip | Qt::TextSingleLine,
                      QString::fromStdString(line_.label));
}

} // namespace raphe
