// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_clip.h"
#include "figure_elements.h"

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr double bandOpacity = 0.22;

class Line final : public FigureElements<FigureLine> {
public:
    Line(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureLine& line)
        : FigureElements{x, y, look, line}, ascending_{std::is_sorted(line.x.begin(), line.x.end())} {}

protected:
    void draw(QCPPainter* painter) override {
        const auto& [x, y, width, style, markers] = series_;
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
            for (const QPolygonF& piece : clipPolyline(area, line)) drawStroke(painter, piece);
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

    void drawLegendIcon(QCPPainter* painter, const QRectF& rect) const override {
        painter->setAntialiasing(true);
        if (look_.band) painter->fillRect(rect.adjusted(0, 2, 0, -2), withOpacity(look_.color, bandOpacity));
        painter->setPen(stroke(std::min(series_.width, 4.0)));
        painter->drawLine(QLineF{rect.left(), rect.center().y(), rect.right(), rect.center().y()});
        if (series_.markers) {
            painter->setPen(Qt::NoPen);
            painter->setBrush(look_.color);
            painter->drawEllipse(rect.center(), 2.7, 2.7);
        }
    }

private:
    /// Filling the outline of a long stroke that crosses a row of pixels again and again takes time that grows with the
    /// square of the crossings, so on the screen it is drawn in short pieces.
    static void drawStroke(QCPPainter* painter, const QPolygonF& stroke) {
        constexpr qsizetype most = 24;
        if (stroke.size() <= most || painter->modes().testFlag(QCPPainter::pmVectorized) ||
            painter->pen().style() != Qt::SolidLine) {
            painter->drawPolyline(stroke);
            return;
        }
        for (qsizetype first = 0; first + 1 < stroke.size(); first += most - 1)
            painter->drawPolyline(stroke.constData() + first, static_cast<int>(std::min(most, stroke.size() - first)));
    }

    bool ascending_;
};

class Band final : public FigureElements<FigureBand> {
public:
    using FigureElements::FigureElements;

protected:
    void draw(QCPPainter* painter) override {
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
        for (std::size_t i = 0; i < series_.x.size(); ++i) {
            if (std::isnan(series_.lower[i]) || std::isnan(series_.upper[i])) {
                close();
                continue;
            }
            const QPointF top = pixel(series_.x[i], series_.upper[i]), bottom = pixel(series_.x[i], series_.lower[i]);
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

    void drawLegendIcon(QCPPainter* painter, const QRectF& rect) const override {
        painter->fillRect(rect.adjusted(0, 2, 0, -2), withOpacity(look_.color, bandOpacity));
    }
};

} // namespace

FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureLine& line) {
    return new Line{x, y, look, line};
}
FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureBand& band) {
    return new Band{x, y, look, band};
}

} // namespace raphe
