// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_description.h"
#include "figure_style.h"

#include <qcustomplot.h>

#include <limits>
#include <vector>

namespace raphe {

/// Smallest and largest coordinates seen so far.
struct FigureExtent {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();

    void include(double value) {
        if (value < low) low = value;
        if (value > high) high = value;
    }
    bool empty() const { return low > high; }
};

/// How a series looks once colours are dealt out.
struct FigureLook {
    QColor color;
    Qt::PenStyle stroke = Qt::SolidLine;
    bool band = false; ///< a band of the same group lies behind, and shows in the legend
    const FigureInks* inks = &paperInks;
};

QColor withOpacity(QColor color, double opacity);

/// What we draw ourselves instead of using QCPGraph and its kin: lines are decimated to two points per pixel column,
/// and everything is cut to the axes geometrically, because Qt's SVG writer ignores clip rectangles.
/// A plottable borrows its data from the description, which must outlive it.
class FigurePlottable : public QCPAbstractPlottable {
public:
    FigurePlottable(QCPAxis* x, QCPAxis* y, FigureLook look);

    /// Widens the extents by the data; for y, by those with x within `xRange` only.
    virtual void extendX(FigureExtent& extent) const = 0;
    virtual void extendY(FigureExtent& extent, const QCPRange& xRange) const = 0;

    /// Draws with any painter whose coordinates are those of the plot.
    void paint(QCPPainter* painter) { draw(painter); }

    double selectTest(const QPointF&, bool, QVariant* = nullptr) const override { return -1; }
    QCPRange getKeyRange(bool& found, QCP::SignDomain domain = QCP::sdBoth) const override;
    QCPRange getValueRange(bool& found, QCP::SignDomain domain = QCP::sdBoth,
                           const QCPRange& keys = QCPRange()) const override;

protected:
    QRectF area() const { return QRectF{mKeyAxis->axisRect()->rect()}; }
    QPointF pixel(double x, double y) const { return {mKeyAxis->coordToPixel(x), mValueAxis->coordToPixel(y)}; }
    QPen stroke(double width) const;
    /// Width of a column for decimation: one device pixel, or half a unit in a vector image.
    static double columnWidth(const QCPPainter* painter);
    void drawClippedLine(QCPPainter* painter, QPointF from, QPointF to) const;
    void drawWhiskers(QCPPainter* painter, const QPen& pen, const std::vector<double>& x,
                      const std::vector<double>& lower, const std::vector<double>& upper, double cap) const;

    QRect clipRect() const override { return mKeyAxis->axisRect()->rect().adjusted(-6, -6, 6, 6); }

    FigureLook look_;
};

// One plottable for each kind of series; heat maps are QCustomPlot's own.
FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureLine& line);
FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureBand& band);
FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigurePoints& points);
FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureRaster& raster);
FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureSpans& spans);
/// The `slot`-th of `slotCount` series that share the width.
FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureBars& bars, int slot, int slotCount);
FigurePlottable* newPlottable(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureReference& line);

/// The label of a reference line, on top of the data. It stands where place() put it.
class FigureReferenceLabel final : public FigurePlottable {
public:
    FigureReferenceLabel(QCPAxis* x, QCPAxis* y, FigureLook look, const FigureReference& line, const QFont& font)
        : FigurePlottable{x, y, look}, line_{line}, font_{font} {}
    void extendX(FigureExtent&) const override {}
    void extendY(FigureExtent&, const QCPRange&) const override {}

    /// Rectangles beside the line, the preferred one first; all within the axes. Empty when the line is out of sight.
    std::vector<QRectF> candidates() const;
    void place(const QRectF& rect) {
        offset_ = rect.topLeft() - area().topLeft();
        placed_ = true;
    }
    void hide() { placed_ = false; }
    bool placed() const { return placed_; }

protected:
    void draw(QCPPainter* painter) override;
    void drawLegendIcon(QCPPainter*, const QRectF&) const override {}

private:
    QSizeF textSize() const;

    const FigureReference& line_;
    QFont font_;
    QPointF offset_;
    bool placed_ = false;
};

} // namespace raphe
