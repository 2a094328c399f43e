// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_plottables.h"

#include <utility>
#include <vector>

namespace raphe {

// What element i of a series covers in y.
inline void reach(const FigureLine& line, std::size_t i, FigureExtent& extent) { extent.include(line.y[i]); }
inline void reach(const FigureBand& band, std::size_t i, FigureExtent& extent) {
    extent.include(band.lower[i]);
    extent.include(band.upper[i]);
}
inline void reach(const FigureRaster& raster, std::size_t i, FigureExtent& extent) {
    extent.include(raster.y[i] - 0.5 * raster.height);
    extent.include(raster.y[i] + 0.5 * raster.height);
}
inline void reach(const FigureSpans& spans, std::size_t i, FigureExtent& extent) {
    extent.include(spans.y[i] - 0.5 * spans.height);
    extent.include(spans.y[i] + 0.5 * spans.height);
}
/// Points and bars: with their whiskers, if there are any.
template <class Whiskered>
void reach(const Whiskered& series, std::size_t i, FigureExtent& extent) {
    extent.include(series.y[i]);
    if (series.lower.empty()) return;
    extent.include(series.lower[i]);
    extent.include(series.upper[i]);
}

/// A plottable of elements that stand at the x of the series, or at others in their place.
template <class Series>
class FigureElements : public FigurePlottable {
public:
    FigureElements(QCPAxis* x, QCPAxis* y, FigureLook look, const Series& series, std::vector<double> moved = {})
        : FigurePlottable{x, y, look}, series_{series}, moved_{std::move(moved)} {}

    void extendX(FigureExtent& extent) const override {
        for (const double x : xs()) extent.include(x);
    }
    void extendY(FigureExtent& extent, const QCPRange& xRange) const override {
        for (std::size_t i = 0; i < xs().size(); ++i)
            if (xRange.contains(xs()[i])) reach(series_, i, extent);
    }

protected:
    const std::vector<double>& xs() const { return moved_.empty() ? series_.x : moved_; }

    const Series& series_;

private:
    std::vector<double> moved_; ///< empty: they stand where the series says
};

} // namespace raphe
