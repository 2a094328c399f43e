// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/still_figure.h"

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr std::size_t smallestPicture = 49;

std::size_t sideOf(std::size_t units) {
    const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(units))));
    return side * side == units ? side : 0;
}

std::vector<double> unitsOf(const Tensor& signal, int trial) {
    std::vector<double> values;
    for (int unit = 0; unit < signal.shape[2]; ++unit) values.push_back(TrialRecording::value(signal, 0, trial, unit));
    return values;
}

std::vector<double> minus(std::vector<double> values, const std::vector<double>& other) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] -= other[i];
    return values;
}

FigurePanel bars(std::string title, const std::vector<double>& intact, const std::vector<double>* perturbed,
                 bool named) {
    FigurePanel panel;
    panel.title = std::move(title);
    panel.legend = named ? FigureLegend::outside : FigureLegend::none;
    panel.x.label = "Unit";
    const auto add = [&](const std::vector<double>& values, const char* name) {
        FigureBars series;
        for (std::size_t unit = 0; unit < values.size(); ++unit) series.x.push_back(static_cast<double>(unit));
        series.y = values;
        panel.series.push_back({.name = named ? name : "", .group = name, .color = {}, .data = std::move(series)});
    };
    add(intact, "intact");
    if (perturbed) add(*perturbed, "perturbed");
    return panel;
}

/// @param like  other values that the colours must reach as well
FigurePanel picture(std::string title, const std::vector<double>& values, const std::vector<double>& like,
                    bool signedColours) {
    FigurePanel panel;
    panel.title = std::move(title);
    panel.legend = FigureLegend::none;
    panel.y.reversed = true;
    FigureHeatmap map;
    const auto side = sideOf(values.size());
    map.rows = side > 0 ? side : 1;
    map.columns = values.size() / map.rows;
    map.values = values;
    double least = 0, most = 0;
    for (const auto* list : {&values, &like})
        for (const double value : *list) {
            least = std::min(least, value);
            most = std::max(most, value);
        }
    colourRange(map, least, most, signedColours);
    panel.series.push_back({.name = {}, .group = {}, .color = {}, .data = std::move(map)});
    return panel;
}

} // namespace

FigureDescription stillFigure(const TrialRecording& intact, const TrialRecording* perturbed, const TrialLook& look) {
    FigureDescription figure;
    bool legend = false;
    for (const auto& shown : look.signals) {
        const Tensor* signal = intact.signal(shown.port);
        if (!signal) continue;
        const auto values = unitsOf(*signal, look.trial);
        const Tensor* other = perturbed ? perturbed->signal(shown.port) : nullptr;
        const auto changed = other ? unitsOf(*other, look.trial) : std::vector<double>{};
        const bool asPicture =
            shown.look == SignalLook::map ||
            (shown.look == SignalLook::automatic && values.size() >= smallestPicture && sideOf(values.size()) > 0);
        const bool both = !other || look.pair != PairLook::difference;
        if (both && asPicture) {
            const auto& like = other ? changed : values;
            figure.panels.push_back(picture(other ? shown.port + ", intact" : shown.port, values, like, false));
            if (other) figure.panels.push_back(picture(shown.port + ", perturbed", changed, values, false));
        } else if (both) {
            const bool named = other && !std::exchange(legend, true);
            figure.panels.push_back(bars(shown.port, values, other ? &changed : nullptr, named));
        }
        if (!other || look.pair == PairLook::both) continue;
        const auto difference = minus(changed, values);
        const std::string title = shown.port + ", perturbed − intact";
        figure.panels.push_back(asPicture ? picture(title, difference, difference, true)
                                          : bars(title, difference, nullptr, false));
    }
    figure.columns = std::clamp<std::size_t>(look.columns, 1, std::max<std::size_t>(1, figure.panels.size()));
    figure.rows = std::max<std::size_t>(1, (figure.panels.size() + figure.columns - 1) / figure.columns);
    return figure;
}

} // namespace raphe
