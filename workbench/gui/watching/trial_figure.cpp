// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/trial_figure.h"

#include "gui/watching/still_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr std::size_t tracesAtMost = 6;
constexpr std::size_t tracesWhenAsked = 64;

std::size_t unitsOf(const Tensor& signal) { return static_cast<std::size_t>(signal.shape[2]); }

Tensor differenceOf(const Tensor& perturbed, const Tensor& intact) {
    Tensor result = perturbed;
    for (std::size_t i = 0; i < result.values.size() && i < intact.values.size(); ++i)
        result.values[i] -= intact.values[i];
    return result;
}

/// Draws signals of one trial.
class TrialDrawing {
public:
    TrialDrawing(const TrialRecording& intact, const TrialRecording* perturbed, int trial)
        : intact_(intact), perturbed_(perturbed), trial_(trial), steps_(intact.steps), every_(intact.everySteps) {}

    FigurePanel panel(std::string title) const {
        FigurePanel panel;
        panel.title = std::move(title);
        panel.x.min = -0.5 * every_;
        panel.x.max = (steps_ - 0.5) * every_;
        panel.legend = FigureLegend::none;
        return panel;
    }

    FigurePanel events() const {
        FigurePanel result = panel({});
        for (const auto& event : intact_.events) {
            const auto spans = spansOf(intact_, event, trial_);
            addEvent(result, event.name, event.name, spans);
            if (!perturbed_) continue;
            const auto other = spansOf(*perturbed_, event, trial_);
            const auto same = [](const TrialSpan& a, const TrialSpan& b) {
                return a.from == b.from && a.to == b.to && a.label == b.label;
            };
            if (!std::equal(spans.begin(), spans.end(), other.begin(), other.end(), same))
                addEvent(result, event.name, event.name + "′", other);
        }
        result.y.reversed = true;
        return result;
    }

    void addTraces(FigurePanel& panel, const Tensor& signal, FigureStroke stroke, const std::string& name) const {
        const auto units = std::min(unitsOf(signal), tracesWhenAsked);
        for (std::size_t unit = 0; unit < units; ++unit) {
            FigureLine line;
            line.stroke = stroke;
            line.width = units > tracesAtMost ? 0.8 : 1.5;
            for (int step = 0; step < steps_; ++step) {
                line.x.push_back(static_cast<double>(step) * every_);
                line.y.push_back(TrialRecording::value(signal, step, trial_, static_cast<int>(unit)));
            }
            panel.series.push_back({.name = unit == 0 ? name : std::string{},
                                    .group = "unit " + std::to_string(unit),
                                    .color = {},
                                    .data = std::move(line)});
        }
    }

    /// @param like  the signal whose range the colours have
    FigurePanel map(std::string title, const Tensor& signal, const Tensor& like, bool signedColours) const {
        FigurePanel result = panel(std::move(title));
        FigureHeatmap map;
        map.rows = unitsOf(signal);
        map.columns = static_cast<std::size_t>(steps_);
        double least = 0, most = 0;
        for (std::size_t unit = 0; unit < map.rows; ++unit)
            for (int step = 0; step < steps_; ++step) {
                map.values.push_back(TrialRecording::value(signal, step, trial_, static_cast<int>(unit)));
                for (const double value :
                     {map.values.back(), TrialRecording::value(like, step, trial_, static_cast<int>(unit))}) {
                    least = std::min(least, value);
                    most = std::max(most, value);
                }
            }
        map.xRange = std::array<double, 2>{*result.x.min, *result.x.max};
        map.yRange = std::array<double, 2>{-0.5, static_cast<double>(map.rows) - 0.5};
        colourRange(map, least, most, signedColours);
        result.y.label = "Unit";
        result.series.push_back({.name = {}, .group = {}, .color = {}, .data = std::move(map)});
        return result;
    }

private:
    void addEvent(FigurePanel& panel, const std::string& group, const std::string& name,
                  const std::vector<TrialSpan>& spans) const {
        const double row = static_cast<double>(panel.y.categories.size());
        panel.y.categories.push_back(name);
        FigureSpans data;
        for (const auto& span : spans) {
            data.x.push_back((span.from - 0.5) * every_);
            data.to.push_back((span.to - 0.5) * every_);
            data.y.push_back(row);
            data.labels.push_back(span.label);
        }
        panel.series.push_back({.name = {}, .group = group, .color = {}, .data = std::move(data)});
    }

    const TrialRecording& intact_;
    const TrialRecording* perturbed_;
    int trial_, steps_, every_;
};

void addSignal(std::vector<FigurePanel>& panels, const TrialDrawing& drawing, const ShownSignal& shown,
               const Tensor& intact, const Tensor* perturbed, PairLook pair, bool& legend) {
    const bool traces =
        shown.look == SignalLook::traces || (shown.look == SignalLook::automatic && unitsOf(intact) <= tracesAtMost);
    const bool both = !perturbed || pair != PairLook::difference;
    if (traces && both) {
        FigurePanel panel = drawing.panel(shown.port);
        const bool named = perturbed && !std::exchange(legend, true);
        drawing.addTraces(panel, intact, perturbed ? FigureStroke::solid : FigureStroke::automatic,
                          named ? "intact" : "");
        if (perturbed) drawing.addTraces(panel, *perturbed, FigureStroke::dash, named ? "perturbed" : "");
        if (named) panel.legend = FigureLegend::outside;
        panels.push_back(std::move(panel));
    } else if (both) {
        panels.push_back(drawing.map(perturbed ? shown.port + ", intact" : shown.port, intact,
                                     perturbed ? *perturbed : intact, false));
        if (perturbed) panels.push_back(drawing.map(shown.port + ", perturbed", *perturbed, intact, false));
    }
    if (!perturbed || pair == PairLook::both) return;
    const Tensor difference = differenceOf(*perturbed, intact);
    const std::string title = shown.port + ", perturbed − intact";
    if (!traces) {
        panels.push_back(drawing.map(title, difference, difference, true));
        return;
    }
    FigurePanel panel = drawing.panel(title);
    drawing.addTraces(panel, difference, FigureStroke::solid, {});
    panel.series.push_back(
        {.name = {},
         .group = {},
         .color = {},
         .data = FigureReference{.horizontal = true, .at = 0, .label = {}, .stroke = FigureStroke::dot}});
    panels.push_back(std::move(panel));
}

} // namespace

void colourRange(FigureHeatmap& map, double least, double most, bool signedColours) {
    if (least < 0 || signedColours) {
        map.colorMap = FigureColorMap::diverging;
        const double reach = std::max({-least, most, 1e-12});
        map.max = reach;
        map.min = -reach;
    } else if (most > 0) {
        map.min = 0;
        map.max = most;
    }
}

FigureDescription trialFigure(const TrialRecording& intact, const TrialRecording* perturbed, const TrialLook& look) {
    if (intact.steps == 1) return stillFigure(intact, perturbed, look);
    FigureDescription figure;
    const TrialDrawing drawing{intact, perturbed, look.trial};
    std::vector<FigurePanel> panels;
    const auto modulates = [&](const ShownSignal& shown) {
        return std::find(intact.modulating.begin(), intact.modulating.end(), shown.port) != intact.modulating.end();
    };
    std::vector<ShownSignal> signals = look.signals;
    std::stable_partition(signals.begin(), signals.end(), modulates);
    bool legend = false;
    for (const auto& shown : signals)
        if (const Tensor* signal = intact.signal(shown.port))
            addSignal(panels, drawing, shown, *signal, perturbed ? perturbed->signal(shown.port) : nullptr, look.pair,
                      legend);

    figure.columns = std::clamp<std::size_t>(look.columns, 1, std::max<std::size_t>(1, panels.size()));
    if (!intact.events.empty()) {
        const FigurePanel band = drawing.events();
        for (std::size_t c = 0; c < figure.columns; ++c) figure.panels.push_back(band);
        figure.rowHeights.push_back(0.42 + 0.165 * static_cast<double>(band.y.categories.size())); // a line for each
    }
    for (auto& panel : panels) figure.panels.push_back(std::move(panel));
    figure.rows = std::max<std::size_t>(1, (figure.panels.size() + figure.columns - 1) / figure.columns);
    if (!figure.rowHeights.empty()) figure.rowHeights.resize(figure.rows, 1);
    for (std::size_t p = figure.panels.size(); p-- > 0 && p + figure.columns >= figure.panels.size();)
        figure.panels[p].x.label = "Step";
    return figure;
}

namespace {

/// Arrows below the trials, and the states that do not move above them.
void addArrows(FigurePanel& panel, const PortraitFlow& flow) {
    FigureLine arrows;
    arrows.x = flow.arrows.x;
    arrows.y = flow.arrows.y;
    arrows.width = 0.7;
    arrows.stroke = FigureStroke::solid;
    panel.series.push_back(
        {.name = {}, .group = "flow", .color = FigureColor{0x6A, 0x9F, 0xB5}, .data = std::move(arrows)});
}
void addFixedPoints(FigurePanel& panel, const PortraitFlow& flow) {
    const struct {
        const char* stability;
        FigureMarker marker;
        FigureColor color;
    } kinds[]{{"stable", FigureMarker::circle, {0x00, 0x9E, 0x73}},
              {"marginal", FigureMarker::square, {0xE6, 0x9F, 0x00}},
              {"saddle", FigureMarker::diamond, {0xCC, 0x79, 0xA7}},
              {"unstable", FigureMarker::triangle, {0xD5, 0x5E, 0x00}}};
    for (const auto& kind : kinds) {
        FigurePoints points;
        for (const auto& point : flow.points)
            if (point.stability == kind.stability) {
                points.x.push_back(point.x);
                points.y.push_back(point.y);
            }
        if (points.x.empty()) continue;
        points.size = 9;
        points.marker = kind.marker;
        panel.series.push_back(
            {.name = kind.stability, .group = kind.stability, .color = kind.color, .data = std::move(points)});
    }
}

} // namespace

FigureDescription portraitFigure(const std::string& port, const PrincipalComponents& plane, const Portrait& intact,
                                 const Portrait* perturbed, int trial, const PortraitFlow* flow) {
    FigureDescription figure;
    FigurePanel& panel = figure.panels.emplace_back();
    panel.title = port;
    panel.legend = FigureLegend::outside;
    panel.x.label = fmt::format("PC 1 ({:.0f} %)", 100 * plane.share[0]);
    panel.y.label = fmt::format("PC 2 ({:.0f} %)", 100 * plane.share[1]);
    const auto way = [](const Portrait& portrait, int of, FigureStroke stroke, double width) {
        FigureLine line;
        line.stroke = stroke;
        line.width = width;
        for (int step = 0; step < portrait.steps; ++step) {
            line.x.push_back(portrait.x[portrait.at(step, of)]);
            line.y.push_back(portrait.y[portrait.at(step, of)]);
        }
        return line;
    };
    if (intact.steps == 1) { // places instead of ways
        FigurePoints others;
        others.size = 4;
        for (int other = 0; other < intact.trials; ++other)
            if (other != trial) {
                others.x.push_back(intact.x[intact.at(0, other)]);
                others.y.push_back(intact.y[intact.at(0, other)]);
            }
        panel.series.push_back({.name = "other trials",
                                .group = "other trials",
                                .color = FigureColor{0x90, 0x98, 0xA0},
                                .data = std::move(others)});
        return figure;
    }
    if (flow) addArrows(panel, *flow);
    constexpr int othersAtMost = 40;
    for (int other = 0; other < std::min(intact.trials, othersAtMost); ++other)
        if (other != trial)
            panel.series.push_back({.name = {},
                                    .group = "other trials",
                                    .color = FigureColor{0x90, 0x98, 0xA0},
                                    .data = way(intact, other, FigureStroke::solid, 0.5)});
    panel.series.push_back({.name = perturbed ? "intact" : "",
                            .group = "trial",
                            .color = {},
                            .data = way(intact, trial, FigureStroke::solid, 1.6)});
    if (perturbed)
        panel.series.push_back({.name = "perturbed",
                                .group = "perturbed",
                                .color = {},
                                .data = way(*perturbed, trial, FigureStroke::solid, 1.2)});
    FigurePoints begin;
    begin.x = {intact.x[intact.at(0, trial)]};
    begin.y = {intact.y[intact.at(0, trial)]};
    begin.size = 6;
    begin.marker = FigureMarker::square;
    panel.series.push_back({.name = {}, .group = "trial", .color = {}, .data = std::move(begin)});
    if (flow) addFixedPoints(panel, *flow);
    return figure;
}

} // namespace raphe
