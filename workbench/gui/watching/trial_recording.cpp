// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/trial_recording.h"

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr int tracesAtMost = 6;

std::size_t unitsOf(const Tensor& signal) { return static_cast<std::size_t>(signal.shape[2]); }

} // namespace

const Tensor* TrialRecording::signal(const std::string& port) const {
    for (const auto& [name, tensor] : signals)
        if (name == port) return &tensor;
    return nullptr;
}

double TrialRecording::value(const Tensor& signal, int step, int trial, int unit) {
    return signal.values[static_cast<std::size_t>((step * signal.shape[1] + trial) * signal.shape[2] + unit)];
}

TrialRecording recordTrials(Session& session, const TrialRequest& request) {
    EvaluateRequest wanted{
        .trials = request.trials, .record = {}, .interventions = request.interventions, .stream = request.stream};
    const Graph& graph = session.graph();
    for (const auto& node : graph.nodes())
        for (std::size_t p = 0; p < node.portSizes.size(); ++p)
            if (node.declaration().ports[p].kind == PortKind::output && node.portSizes[p] > 0)
                wanted.record.push_back(node.name + "." + node.declaration().ports[p].name);
    auto result = session.evaluate(wanted);
    TrialRecording recording;
    recording.metrics = std::move(result.metrics);
    recording.signals = std::move(result.signals);
    for (const auto& [port, tensor] : recording.signals) {
        recording.steps = static_cast<int>(tensor.shape[0]);
        recording.trials = static_cast<int>(tensor.shape[1]);
    }
    for (const auto& wire : graph.wires()) {
        const auto& target = graph.nodes()[static_cast<std::size_t>(wire.toNode)];
        if (target.declaration().ports[static_cast<std::size_t>(wire.toPort)].kind != PortKind::modulation) continue;
        const auto& source = graph.nodes()[static_cast<std::size_t>(wire.fromNode)];
        const auto port = source.name + "." + source.declaration().ports[static_cast<std::size_t>(wire.fromPort)].name;
        if (std::find(recording.modulating.begin(), recording.modulating.end(), port) == recording.modulating.end())
            recording.modulating.push_back(port);
    }
    for (const auto* ports : {&recording.modulating, &wanted.record})
        for (const auto& port : *ports) {
            const auto& node = graph.nodes()[static_cast<std::size_t>(graph.node(parseAddress(port, port).node))];
            const bool known =
                std::find(recording.changeable.begin(), recording.changeable.end(), port) != recording.changeable.end();
            if (node.kind() == Kind::model && !known) recording.changeable.push_back(port);
        }
    return recording;
}

std::vector<std::string> tellingPorts(const TrialRecording& recording, std::size_t limit) {
    std::vector<std::string> ports;
    const auto take = [&](const auto& wanted) {
        for (const auto& [port, tensor] : recording.signals)
            if (ports.size() < limit && wanted(port, tensor) &&
                std::find(ports.begin(), ports.end(), port) == ports.end())
                ports.push_back(port);
    };
    const auto modulates = [&](const std::string& port) {
        return std::find(recording.modulating.begin(), recording.modulating.end(), port) != recording.modulating.end();
    };
    take([&](const std::string& port, const Tensor&) { return modulates(port); });
    take([](const std::string& port, const Tensor&) { return port.ends_with(".reward"); });
    take([](const std::string&, const Tensor& tensor) { return unitsOf(tensor) > tracesAtMost; });
    take([](const std::string&, const Tensor&) { return true; });
    return ports;
}

FigureDescription trialFigure(const TrialRecording& recording, int trial, const std::vector<std::string>& ports) {
    FigureDescription figure;
    for (const auto& port : ports) {
        const Tensor* signal = recording.signal(port);
        if (!signal) continue;
        FigurePanel& panel = figure.panels.emplace_back();
        panel.title = port;
        panel.x.min = -0.5;
        panel.x.max = recording.steps - 0.5;
        panel.legend = FigureLegend::none;
        const auto units = unitsOf(*signal);
        const auto steps = static_cast<std::size_t>(recording.steps);
        if (units <= tracesAtMost) {
            for (std::size_t unit = 0; unit < units; ++unit) {
                FigureLine line;
                for (std::size_t step = 0; step < steps; ++step) {
                    line.x.push_back(static_cast<double>(step));
                    line.y.push_back(
                        TrialRecording::value(*signal, static_cast<int>(step), trial, static_cast<int>(unit)));
                }
                panel.series.push_back({.name = units > 1 ? "unit " + std::to_string(unit) : std::string{},
                                        .group = "unit " + std::to_string(unit),
                                        .color = {},
                                        .data = std::move(line)});
            }
        } else {
            FigureHeatmap map;
            map.rows = units;
            map.columns = steps;
            double least = 0, most = 0;
            for (std::size_t unit = 0; unit < units; ++unit)
                for (std::size_t step = 0; step < steps; ++step) {
                    map.values.push_back(
                        TrialRecording::value(*signal, static_cast<int>(step), trial, static_cast<int>(unit)));
                    least = std::min(least, map.values.back());
                    most = std::max(most, map.values.back());
                }
            map.xRange = std::array<double, 2>{-0.5, static_cast<double>(steps) - 0.5};
            map.yRange = std::array<double, 2>{-0.5, static_cast<double>(units) - 0.5};
            if (least < 0) {
                map.colorMap = FigureColorMap::diverging;
                map.max = std::max(-least, most);
                map.min = -*map.max;
            }
            panel.y.label = "Unit";
            panel.series.push_back({.name = {}, .group = {}, .color = {}, .data = std::move(map)});
        }
    }
    figure.columns = figure.panels.size() > 2 ? 2 : 1;
    figure.rows = std::max<std::size_t>(1, (figure.panels.size() + figure.columns - 1) / figure.columns);
    for (std::size_t p = figure.panels.size(); p-- > 0 && p + figure.columns >= figure.panels.size();)
        figure.panels[p].x.label = "Step";
    return figure;
}

} // namespace raphe
