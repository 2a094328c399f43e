// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/curves_figure.h"

#include "engine/analysis/statistics.h"
#include "figure_palette.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>

namespace raphe {
namespace {

constexpr std::size_t pointLimit = 2000;

} // namespace

std::vector<std::string> metricsOf(const std::vector<Curve>& curves) {
    std::set<std::string> names;
    for (const Curve& curve : curves)
        for (const auto& [name, values] : curve.history->metrics) names.insert(name);
    std::vector<std::string> result;
    for (const char* usual : {"reward", "return", "loss"})
        if (names.erase(usual) != 0) result.emplace_back(usual);
    result.insert(result.end(), names.begin(), names.end());
    return result;
}

void decimate(std::vector<double>& x, std::vector<double>& y, std::size_t limit) {
    if (x.size() <= limit || limit < 4) return;
    const std::size_t stretches = limit / 2;
    std::vector<double> keptX, keptY;
    for (std::size_t s = 0; s < stretches; ++s) {
        const std::size_t begin = s * x.size() / stretches, end = (s + 1) * x.size() / stretches;
        std::size_t low = begin, high = begin;
        for (std::size_t i = begin; i < end; ++i) {
            if (y[i] < y[low] || std::isnan(y[low])) low = i;
            if (y[i] > y[high] || std::isnan(y[high])) high = i;
        }
        for (const std::size_t i : {std::min(low, high), std::max(low, high)}) {
            if (!keptX.empty() && keptX.back() == x[i]) continue;
            keptX.push_back(x[i]);
            keptY.push_back(y[i]);
        }
    }
    x = std::move(keptX);
    y = std::move(keptY);
}

std::string metricTitle(const std::string& metric) {
    std::string title = metric;
    std::replace(title.begin(), title.end(), '_', ' ');
    if (!title.empty()) title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
    return title;
}

CurveMark curveMark(std::size_t number, bool dark) {
    const auto& palette = dark ? darkFigurePalette : figurePalette;
    constexpr FigureStroke strokes[] = {FigureStroke::solid, FigureStroke::dash, FigureStroke::dot};
    return {palette[number % palette.size()], strokes[number / palette.size() % std::size(strokes)]};
}

FigureDescription curvesFigure(const std::vector<Curve>& curves, const CurvesLook& look, std::size_t columns) {
    FigureDescription figure;
    for (const auto& metric : look.metrics) {
        FigurePanel& panel = figure.panels.emplace_back();
        panel.x.label = "Iteration";
        panel.y.label = metricTitle(metric);
        panel.y.logarithmic = look.logarithmic;
        // Where it does not jump about while the curves grow. That of the first plot holds for all.
        panel.legend = figure.panels.size() > 1 ? FigureLegend::none : FigureLegend::outside;
        for (const Curve& curve : curves) {
            const auto found = curve.history->metrics.find(metric);
            if (found == curve.history->metrics.end() || found->second.empty()) continue;
            const auto width = look.smoothing > 0 ? static_cast<std::size_t>(look.smoothing)
                                                  : std::max<std::size_t>(1, found->second.size() / 100);
            FigureLine line{.x = curve.history->iterations, .y = statistics::movingMean(found->second, width)};
            line.y.resize(line.x.size(), std::numeric_limits<double>::quiet_NaN());
            if (look.logarithmic) // what has no logarithm is a gap
                for (double& value : line.y)
                    if (!(value > 0)) value = std::numeric_limits<double>::quiet_NaN();
            decimate(line.x, line.y, pointLimit);
            line.markers = line.x.size() == 1; // a line of one point would not be seen
            std::optional<FigureColor> color;
            if (curve.mark) {
                const auto mark = curveMark(*curve.mark, look.dark);
                color = mark.color;
                line.stroke = mark.stroke;
            }
            panel.series.push_back({.name = curve.name, .group = {}, .color = color, .data = std::move(line)});
        }
    }
    figure.columns = std::clamp<std::size_t>(columns, 1, std::max<std::size_t>(1, figure.panels.size()));
    figure.rows = std::max<std::size_t>(1, (figure.panels.size() + figure.columns - 1) / figure.columns);
    return figure;
}

} // namespace raphe
