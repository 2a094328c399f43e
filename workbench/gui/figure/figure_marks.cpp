// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_clip.h"
#include "figure_elements.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_set>

namespace raphe {
namespace {

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

/// The x of points, spread by their jitter: multiples of the golden ratio, evenly and without a random stream.
std::vector<double> jittered(const FigurePoints& points) {
    if (points.jitter <= 0) return {};
    std::vector<double> x = points.x;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double turn = 0.6180339887498949 * static_cast<double>(i + 1);
        x[i] += points.jitter * (2 * (turn - std::floor(turn)) - 1);
    }
    return x;
}

class Points final : public FigureElements<FigurePoints> {
public:
    Points(QCPAxis* x, QCPAxis* y, FigureLook look, const FigurePoints& points)
        : FigureElements{x, y, look, points, jittered(points)} {}

protected:
    void draw(QCPPainter* painter) override {
        painter->setAntialiasing(true);
        drawWhiskers(painter, QPen{look_.color, 1.2}, xs(), series_.lower, series_.upper, 3);
        const bool many = xs().size() > 5000;
        const QRectF area = this->area();
        painter->setPen(many ? QPen{Qt::NoPen} : QPen{look_.inks->outline, 0.6});
        painter->setBrush(withOpacity(look_.color, many ? 0.5 : 0.8));
        Taken taken{0.5};
        for (std::size_t i = 0; i < xs().size(); ++i) {
            if (std::isnan(series_.y[i])) continue;
            const QPointF point = pixel(xs()[i], series_.y[i]);
            if (area.contains(point) && (!many || taken.first(point)))
                drawMarker(painter, series_.marker, point, series_.size);
        }
    }

    void drawLegendIcon(QCPPainter* painter, const QRectF& rect) const override {
        painter->setAntialiasing(true);
        painter->setPen(Qt::NoPen);
        painter->setBrush(withOpacity(look_.color, 0.8));
        drawMarker(painter, series_.marker, rect.center(), std::clamp(series_.size, 4.0, 10.0));
    }
};

class Raster final : public FigureElements<FigureRaster> {
public:
    using FigureElements::FigureElements;

protected:
    void draw(QCPPainter* painter) override {
        const QRectF area = this->area();
        const bool many = series_.x.size() > 5000;
        Taken taken{many ? columnWidth(painter) : 1e-6};
        QPainterPath path; // one element of a vector image, however many events
        for (std::size_t i = 0; i < series_.x.size(); ++i) {
            QPointF from = pixel(series_.x[i], series_.y[i] - 0.5 * series_.height);
            QPointF to = pixel(series_.x[i], series_.y[i] + 0.5 * series_.height);
            if (!clipSegment(area, from, to) || (many && !taken.first(from))) continue;
            path.moveTo(from);
            path.lineTo(to);
        }
        painter->setAntialiasing(true);
        painter->setBrush(Qt::NoBrush);
        painter->setPen(QPen{look_.color, many ? 0.7 : 1.0, Qt::SolidLine, Qt::FlatCap});
        painter->drawPath(path);
    }

    void drawLegendIcon(QCPPainter* painter, const QRectF& rect) const override {
        painter->setAntialiasing(true);
        painter->setPen(QPen{look_.color, 1.2});
        for (const double at : {0.2, 0.45, 0.6, 0.85}) {
            const double x = rect.left() + at * rect.width();
            painter->drawLine(QLineF{x, rect.top() + 2, x, rect.bottom() - 2});
        }
    }
};

class Spans final : public FigureElements<FigureSpans> {
public:
    using FigureElements::FigureElements;

    void extendX(FigureExtent& extent) const override {
        FigureElements::extendX(extent);
        for (const double to : series_.to) extent.include(to);
    }

protected:
    void draw(QCPPainter* painter) override {
        painter->setFont(tickFont());
        const QFontMetricsF metrics{tickFont()};
        const bool lightColor = look_.color.lightnessF() > 0.55F;
        for (std::size_t i = 0; i < series_.x.size(); ++i) {
            const QRectF whole = QRectF{pixel(series_.x[i], series_.y[i] - 0.5 * series_.height),
                                        pixel(series_.to[i], series_.y[i] + 0.5 * series_.height)}
                                     .normalized();
            QRectF visible = whole.intersected(area());
            if (whole.right() < area().left() || whole.left() > area().right()) continue;
            visible.setWidth(std::max(visible.width(), 0.8)); // one that is shorter than a pixel is still to be seen
            painter->setAntialiasing(true);
            painter->setPen(Qt::NoPen);
            painter->setBrush(withOpacity(look_.color, 0.85));
            painter->drawRect(visible);
            if (series_.labels.empty()) continue;
            const QString label = text(series_.labels[i]);
            if (metrics.horizontalAdvance(label) + 2 > visible.width() || visible.height() < 0.8 * metrics.height())
                continue;
            painter->setPen(lightColor ? Qt::black : Qt::white);
            painter->drawText(visible, Qt::AlignCenter | Qt::TextDontClip | Qt::TextSingleLine, label);
        }
    }

    void drawLegendIcon(QCPPainter* painter, const QRectF& rect) const override {
        painter->fillRect(rect.adjusted(2, 2, -2, -2), withOpacity(look_.color, 0.85));
    }
};

/// The centres of the bars of one series among those that share the width.
std::vector<double> centres(const FigureBars& bars, int slot, int slotCount) {
    std::vector<double> x = bars.x;
    for (double& centre : x) centre += (slot - 0.5 * (slotCount - 1)) * (bars.width / slotCount);
    return x;
}

class Bars final : public FigureElements<FigureBars> {
public:
    Bars(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureBars& bars, int slot, int slotCount)
        : FigureElements{x, y, look, bars, centres(bars, slot, slotCount)}, width_{bars.width / slotCount} {}

    void extendX(FigureExtent& extent) const override {
        for (const double x : xs()) {
            extent.include(x - 0.5 * width_);
            extent.include(x + 0.5 * width_);
        }
    }
    void extendY(FigureExtent& extent, const QCPRange& xRange) const override {
        extent.include(0);
        FigureElements::extendY(extent, xRange);
    }

protected:
    void draw(QCPPainter* painter) override {
        painter->setAntialiasing(true);
        painter->setPen(Qt::NoPen);
        painter->setBrush(withOpacity(look_.color, 0.85));
        for (std::size_t i = 0; i < xs().size(); ++i) {
            if (std::isnan(series_.y[i])) continue;
            const QRectF bar =
                QRectF{pixel(xs()[i] - 0.47 * width_, 0), pixel(xs()[i] + 0.47 * width_, series_.y[i])}.normalized();
            const QRectF visible = bar.intersected(area());
            if (!visible.isEmpty()) painter->drawRect(visible);
        }
        const double room = std::abs(mKeyAxis->coordToPixel(mKeyAxis->range().lower + width_) -
                                     mKeyAxis->coordToPixel(mKeyAxis->range().lower));
        drawWhiskers(painter, QPen{look_.inks->axis, 1.2}, xs(), series_.lower, series_.upper, std::min(4.0, room / 4));
    }

    void drawLegendIcon(QCPPainter* painter, const QRectF& rect) const override {
        painter->fillRect(rect.adjusted(4, 2, -4, -2), withOpacity(look_.color, 0.85));
    }

private:
    double width_;
};

} // namespace

FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigurePoints& points) {
    return new Points{x, y, look, points};
}
FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureRaster& raster) {
    return new Raster{x, y, look, raster};
}
FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureSpans& spans) {
    return new Spans{x, y, look, spans};
}
FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureBars& bars, int slot,
                              int slotCount) {
    return new Bars{x, y, look, bars, slot, slotCount};
}

} // namespace raphe
