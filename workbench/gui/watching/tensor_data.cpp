// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/tensor_data.h"

#include <algorithm>
#include <cmath>

namespace raphe {

ShownMatrix shownMatrix(const Tensor& tensor) {
    ShownMatrix matrix;
    const auto count = static_cast<int>(tensor.values.size());
    matrix.rows = tensor.shape.empty() ? 1 : static_cast<int>(tensor.shape[0]);
    if (tensor.shape.size() < 2) matrix.rows = 1;
    matrix.columns = matrix.rows > 0 ? count / matrix.rows : 0;
    if (matrix.columns == 1) std::swap(matrix.rows, matrix.columns);
    matrix.values.assign(tensor.values.begin(), tensor.values.end());
    return matrix;
}

MatrixSummary summaryOf(const std::vector<float>& values) {
    MatrixSummary summary;
    if (values.empty()) return summary;
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    summary.least = *least;
    summary.most = *most;
    const auto count = static_cast<double>(values.size());
    for (const float value : values) summary.mean += value / count;
    double squares = 0;
    for (const float value : values) squares += (value - summary.mean) * (value - summary.mean);
    summary.deviation = std::sqrt(squares / count);
    return summary;
}

float reachOf(const std::vector<float>& values) {
    float reach = 0;
    for (const float value : values) reach = std::max(reach, std::abs(value));
    return reach;
}

std::vector<double> histogramOf(const std::vector<float>& values, float reach, int bins) {
    std::vector<double> counts(static_cast<std::size_t>(bins));
    if (reach <= 0) reach = 1;
    for (const float value : values) {
        if (!std::isfinite(value)) continue;
        const int bin = static_cast<int>(std::floor((value + reach) / (2 * reach) * static_cast<float>(bins)));
        ++counts[static_cast<std::size_t>(std::clamp(bin, 0, bins - 1))];
    }
    return counts;
}

FigureDescription histogramFigure(const std::vector<float>& values, float reach) {
    constexpr int bins = 61; // odd, so that zero has a bar of its own
    if (reach <= 0) reach = 1;
    FigureDescription figure;
    FigurePanel& panel = figure.panels.emplace_back();
    panel.x.label = "Value";
    panel.y.label = "Entries";
    panel.x.min = -reach;
    panel.x.max = reach;
    FigureBars bars;
    bars.width = 2.0 * reach / bins;
    bars.y = histogramOf(values, reach, bins);
    for (int bin = 0; bin < bins; ++bin) bars.x.push_back(-reach + (bin + 0.5) * bars.width);
    panel.series.push_back({.name = {}, .group = "entries", .color = {}, .data = std::move(bars)});
    return figure;
}

FigureDescription matrixFigure(const std::string& name, const ShownMatrix& matrix, float reach) {
    if (reach <= 0) reach = 1;
    FigureDescription figure;
    FigurePanel& panel = figure.panels.emplace_back();
    panel.title = name;
    panel.x.label = "Column";
    panel.y.label = "Row";
    panel.y.reversed = true;
    FigureHeatmap map;
    map.rows = static_cast<std::size_t>(matrix.rows);
    map.columns = static_cast<std::size_t>(matrix.columns);
    map.values.assign(matrix.values.begin(), matrix.values.end());
    map.colorMap = FigureColorMap::diverging;
    map.min = -reach;
    map.max = reach;
    panel.series.push_back({.name = {}, .group = {}, .color = {}, .data = std::move(map)});
    return figure;
}

} // namespace raphe
