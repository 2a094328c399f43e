// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_panel.h"

#include "figure_axes.h"
#include "figure_style.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace raphe {

FigurePanelView::FigurePanelView(QCustomPlot* plot, QCPLayoutGrid* grid, const FigurePanel& panel,
                                 const ColorDealer& dealer)
    : description{panel}, cell{grid} {
    cell->setRowSpacing(0);
    cell->setColumnSpacing(6);
    cell->expandTo(3, 1); // title, legend above the axes, axes; only the axes stretch
    cell->setRowStretchFactors({0.001, 0.001, 1});
    if (!panel.title.empty()) {
        title = new QCPTextElement{plot, text(panel.title), panelTitleFont()};
        title->setTextColor(dealer.inks().text);
        cell->addElement(0, 0, title);
    }
    axes = new QCPAxisRect{plot};
    cell->addElement(2, 0, axes);
    if (!panel.y.categories.empty()) { // names one below the other stay apart
        const auto lines = static_cast<int>(std::min<std::size_t>(panel.y.categories.size(), 12));
        axes->setMinimumSize(0, lines * QFontMetrics{tickFont()}.height());
    }
    axes->insetLayout()->setMargins({legendInset, legendInset, legendInset, legendInset});
    x = axes->axis(QCPAxis::atBottom);
    y = axes->axis(QCPAxis::atLeft);
    for (QCPAxis* axis : {x, y}) {
        styleAxis(axis, dealer.inks());
        const FigureAxis& given = axis == x ? panel.x : panel.y;
        axis->setScaleType(given.logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
        axis->setRangeReversed(given.reversed);
    }

    // Drawn from the back to the front: areas, references, bands, events, lines, points, labels of references.
    const auto layerOf = [](const FigureSeries& series) {
        constexpr int order[] = {4, 2, 5, 3, 0, 2, 1, 2}; // by index of the variant
        return std::holds_alternative<FigureReference>(series.data) ? 1 : order[series.data.index()];
    };
    std::vector<std::pair<const FigureSeries*, FigureLook>> series;
    int barSeries = 0;
    for (const FigureSeries& one : panel.series) {
        series.emplace_back(&one, dealer.look(one));
        barSeries += std::holds_alternative<FigureBars>(one.data);
    }
    for (auto& [one, look] : series) { // a band shows in the legend behind the line of its group
        if (!std::holds_alternative<FigureLine>(one->data)) continue;
        const std::string& key = ColorDealer::key(*one);
        look.band =
            !key.empty() && std::any_of(panel.series.begin(), panel.series.end(), [&key](const FigureSeries& other) {
                return std::holds_alternative<FigureBand>(other.data) && other.name.empty() && other.group == key;
            });
    }
    std::map<const FigureSeries*, FigurePlottable*> plottableOf;
    for (int layer = 0; layer <= 5; ++layer) {
        int barSlot = 0;
        for (const auto& [one, look] : series) {
            const int slot = std::holds_alternative<FigureBars>(one->data) ? barSlot++ : 0;
            if (layerOf(*one) != layer) continue;
            const std::size_t before = drawn.size();
            addSeries(*one, look, plot, slot, barSeries);
            if (drawn.size() > before) plottableOf[one] = drawn.back();
        }
    }
    for (const auto& [one, look] : series) {
        const auto* line = std::get_if<FigureReference>(&one->data);
        if (line && !line->label.empty()) labels.push_back(new FigureReferenceLabel{x, y, look, *line, tickFont()});
    }
    chooseRanges();

    if (panel.legend == FigureLegend::none) return;
    for (const FigureSeries& one : panel.series) {
        if (one.name.empty() || !plottableOf.count(&one)) continue;
        if (!legend) {
            legend = new QCPLegend;
            axes->insetLayout()->addElement(legend, Qt::AlignTop | Qt::AlignRight);
            legend->setFont(tickFont());
            legend->setTextColor(dealer.inks().text);
            legend->setBorderPen(Qt::NoPen);
            legend->setBrush(dealer.inks().veil);
            legend->setIconSize(24, 12);
            legend->setIconTextPadding(6);
            legend->setRowSpacing(0);
            legend->setColumnSpacing(10);
            legend->setMargins({6, 4, 6, 4});
            legend->setLayer(QStringLiteral("legend"));
        }
        FigurePlottable* plottable = plottableOf[&one];
        plottable->setName(wrapped(text(one.name), tickFont(), 180, 2));
        plottable->addToLegend(legend);
        legend->itemWithPlottable(plottable)->setMargins({0, 1, 0, 2}); // room for descenders
    }
}

void FigurePanelView::addSeries(const FigureSeries& series, FigureLook look, QCustomPlot* plot, int slot,
                                int slotCount) {
    std::visit(
        [&](const auto& data) {
            using Data = std::decay_t<decltype(data)>;
            if constexpr (std::is_same_v<Data, FigureHeatmap>) {
                addHeatmap(data, plot, *look.inks);
            } else if constexpr (std::is_same_v<Data, FigureBars>) {
                drawn.push_back(newPlottable(x, y, look, data, slot, slotCount));
            } else {
                if constexpr (std::is_same_v<Data, FigureReference>)
                    if (data.stroke == FigureStroke::automatic) look.stroke = Qt::DashLine;
                drawn.push_back(newPlottable(x, y, look, data));
            }
        },
        series.data);
}

void FigurePanelView::addHeatmap(const FigureHeatmap& given, QCustomPlot* plot, const FigureInks& inks) {
    auto* map = new QCPColorMap{x, y};
    map->setInterpolate(false);
    map->setTightBoundary(false);
    const int columns = static_cast<int>(given.columns), rows = static_cast<int>(given.rows);
    map->data()->setSize(columns, rows);
    // QCustomPlot's ranges run between the centres of the outer cells; with a single cell, between its edges.
    const auto centres = [](const std::optional<std::array<double, 2>>& edges, int count) {
        const double low = edges ? (*edges)[0] : -0.5, high = edges ? (*edges)[1] : count - 0.5;
        const double half = count > 1 ? 0.5 * (high - low) / count : 0;
        return QCPRange{low + half, high - half};
    };
    map->data()->setRange(centres(given.xRange, columns), centres(given.yRange, rows));
    FigureExtent extent;
    for (int row = 0; row < rows; ++row) {
        for (int column = 0; column < columns; ++column) {
            const double value =
                given.values[static_cast<std::size_t>(row) * given.columns + static_cast<std::size_t>(column)];
            map->data()->setCell(column, row, value);
            extent.include(value);
        }
    }
    if (extent.empty()) extent = {0, 1};
    if (given.colorMap == FigureColorMap::diverging) { // its middle colour means zero
        const double reach = std::max(std::abs(extent.low), std::abs(extent.high));
        extent = {-reach, reach};
    }
    FigureAxis bounds;
    bounds.min = given.min;
    bounds.max = given.max;
    const QCPRange range = rangeOf(bounds, extent, 0);

    colorScale = new QCPColorScale{plot};
    cell->addElement(2, 1, colorScale);
    cell->setColumnStretchFactor(1, 0.001);
    colorScale->setType(QCPAxis::atRight);
    colorScale->setLabel(text(figureLabel(given.label, given.unit)));
    styleAxis(colorScale->axis(), inks);
    colorScale->setBarWidth(12);
    colorScale->setRangeDrag(false);
    colorScale->setRangeZoom(false);
    auto* group = new QCPMarginGroup{plot};
    axes->setMarginGroup(QCP::msTop | QCP::msBottom, group);
    colorScale->setMarginGroup(QCP::msTop | QCP::msBottom, group);
    colorScale->setGradient(gradientOf(given.colorMap));
    map->setColorScale(colorScale);
    map->setGradient(gradientOf(given.colorMap));
    map->setDataRange(range);
    x->grid()->setVisible(false);
    y->grid()->setVisible(false);
}

void FigurePanelView::chooseRanges() {
    FigureExtent xExtent, yExtent;
    bool spots = false, areas = false;
    for (const FigureSeries& series : description.series) {
        spots = spots || std::holds_alternative<FigurePoints>(series.data) ||
                std::holds_alternative<FigureBars>(series.data);
        const auto* map = std::get_if<FigureHeatmap>(&series.data);
        if (!map) continue;
        areas = true;
        xExtent.include(map->xRange ? (*map->xRange)[0] : -0.5);
        xExtent.include(map->xRange ? (*map->xRange)[1] : static_cast<double>(map->columns) - 0.5);
        yExtent.include(map->yRange ? (*map->yRange)[0] : -0.5);
        yExtent.include(map->yRange ? (*map->yRange)[1] : static_cast<double>(map->rows) - 0.5);
    }
    for (const FigurePlottable* plottable : drawn) plottable->extendX(xExtent);
    x->setRange(rangeOf(description.x, xExtent, spots && !areas ? 0.05 : 0));
    for (const FigurePlottable* plottable : drawn) plottable->extendY(yExtent, x->range());
    QCPRange range = rangeOf(description.y, yExtent, areas ? 0 : 0.05);
    const bool bars = std::any_of(description.series.begin(), description.series.end(), [](const FigureSeries& series) {
        return std::holds_alternative<FigureBars>(series.data);
    });
    if (bars) { // they stand on the axis
        if (yExtent.low == 0 && !description.y.min) range.lower = 0;
        if (yExtent.high == 0 && !description.y.max && range.lower < 0) range.upper = 0;
    }
    y->setRange(range);
}

void FigurePanelView::fitTitle() const {
    if (!title) return;
    const QRect outer = title->outerRect(), inner = axes->rect();
    const int middle = inner.center().x();
    const int half = std::min(middle - outer.left(), outer.right() - middle);
    const QString lines = wrapped(text(description.title), panelTitleFont(), std::max(40, 2 * half), 4);
    title->setText(lines);
    // Its width follows the axes, which it stands centred above; it claims only its height.
    title->setMinimumSize(1,
                          QFontMetrics{panelTitleFont()}.lineSpacing() * static_cast<int>(lines.count('\n') + 1) + 3);
    title->setMargins({std::max(0, middle - half - outer.left()), 4, std::max(0, outer.right() - middle - half), 2});
}

void FigurePanelView::fitText() const {
    x->setLabel(axisLabel(description.x.label, description.x.unit, std::max(40, axes->width() + 16)));
    y->setLabel(axisLabel(description.y.label, description.y.unit, std::max(40, axes->height() + 30)));
    if (!colorScale) return;
    for (const FigureSeries& series : description.series) {
        if (const auto* map = std::get_if<FigureHeatmap>(&series.data)) {
            colorScale->setLabel(axisLabel(map->label, map->unit, std::max(40, axes->height())));
        }
    }
}

void FigurePanelView::fitTicks() {
    const double width = std::max(1, axes->width()), height = std::max(1, axes->height());
    const double right = description.x.categories.empty()
                             ? setTicks(x, width, true)
                             : setCategories(x, description.x.categories, width, height, true);
    const double top = description.y.categories.empty()
                           ? setTicks(y, height, false)
                           : setCategories(y, description.y.categories, height, width, false);
    if (colorScale) setTicks(colorScale->axis(), height, false);
    axes->setMinimumMargins({12, std::max(8, static_cast<int>(std::ceil(top)) + 2),
                             std::max(10, static_cast<int>(std::ceil(right)) + 3) + rightRoom, 0});
}

} // namespace raphe
