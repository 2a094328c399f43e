// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_colors.h"
#include "figure_description.h"
#include "figure_plottables.h"

#include <vector>

namespace raphe {

/// What stands in one cell of the grid. QCustomPlot owns it all.
struct FigurePanelView {
    static constexpr int legendInset = 3; ///< keeps a legend off the axes

    const FigurePanel& description;
    QCPLayoutGrid* cell = nullptr; ///< title above axes, colour bar and legend
    QCPTextElement* title = nullptr;
    QCPAxisRect* axes = nullptr;
    QCPAxis* x = nullptr;
    QCPAxis* y = nullptr;
    QCPColorScale* colorScale = nullptr;
    QCPLegend* legend = nullptr;
    QCPLayoutGrid* outside = nullptr; ///< holds the legend while it stands outside
    int rightRoom = 0;                ///< kept free beside the axes, so that they end where those above do
    std::vector<FigurePlottable*> drawn;
    std::vector<FigureReferenceLabel*> labels;

    FigurePanelView(QCustomPlot* plot, QCPLayoutGrid* cell, const FigurePanel& description, const ColorDealer& dealer);

    void fitTitle() const;
    void fitText() const;
    void fitTicks();
    void putLegend(FigureLegend where);
    /// Puts labels and legend where there is room; true when the legend had to go outside, so that the axes shrink.
    bool placeLabelsAndLegend();

private:
    void addSeries(const FigureSeries& series, FigureLook look, QCustomPlot* plot, int slot, int slotCount);
    void addHeatmap(const FigureHeatmap& map, QCustomPlot* plot, const FigureInks& inks);
    void chooseRanges();
    void putLegendOutside();
};

} // namespace raphe
