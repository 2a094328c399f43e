// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/trial_recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr std::size_t fewUnits = 6;

std::size_t unitsOf(const Tensor& signal) { return static_cast<std::size_t>(signal.shape[2]); }

std::string portName(const Graph& graph, int node, int port) {
    const auto& item = graph.nodes()[static_cast<std::size_t>(node)];
    return item.name + "." + item.declaration().ports[static_cast<std::size_t>(port)].name;
}

/// What is known of signals from the graph alone.
void describe(TrialRecording& recording, const Graph& graph) {
    const auto known = [&](const std::string& port) { return recording.signal(port) != nullptr; };
    for (const auto& wire : graph.wires()) {
        const auto& target = graph.nodes()[static_cast<std::size_t>(wire.toNode)];
        if (target.declaration().ports[static_cast<std::size_t>(wire.toPort)].kind != PortKind::modulation) continue;
        const auto port = portName(graph, wire.fromNode, wire.fromPort);
        auto& list = recording.modulating;
        if (known(port) && std::find(list.begin(), list.end(), port) == list.end()) list.push_back(port);
    }
    for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
        const auto& node = graph.nodes()[n];
        for (const auto& event : node.declaration().events) {
            const int port = node.declaration().port(event.port);
            if (port < 0) continue;
            TrialEvent shown{event.name, node.name + "." + event.port, 0, 0};
            if (node.declaration().ports[static_cast<std::size_t>(port)].kind != PortKind::output)
                for (const auto& wire : graph.wires())
                    if (wire.toNode == static_cast<int>(n) && wire.toPort == port)
                        shown.signal = portName(graph, wire.fromNode, wire.fromPort);
            const Tensor* signal = recording.signal(shown.signal);
            if (!signal) continue;
            const int first = event.first(node.params), count = event.count(node.params);
            const auto units = static_cast<int>(unitsOf(*signal));
            if (first < 0 || first >= units) continue;
            shown.first = static_cast<std::size_t>(first);
            shown.count = static_cast<std::size_t>(count > 0 ? std::min(count, units - first) : units - first);
            recording.events.push_back(shown);
        }
    }
}

} // namespace

const Tensor* TrialRecording::signal(const std::string& port) const {
    for (const auto& [name, tensor] : signals)
        if (name == port) return &tensor;
    return nullptr;
}

double TrialRecording::value(const Tensor& signal, int step, int trial, int unit) {
    return signal.values[static_cast<std::size_t>((step * signal.shape[1] + trial) * signal.shape[2] + unit)];
}

double TrialRecording::largest(const Tensor& signal, int trial) {
    double result = 0;
    for (int step = 0; step < signal.shape[0]; ++step)
        for (int unit = 0; unit < signal.shape[2]; ++unit)
            result = std::max(result, std::abs(value(signal, step, trial, unit)));
    return result;
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
    describe(recording, graph);
    const auto add = [&](TrialTarget target) {
        for (const auto& have : recording.targets)
            if (have.name == target.name) return;
        recording.targets.push_back(std::move(target));
    };
    for (const auto* ports : {&recording.modulating, &wanted.record})
        for (const auto& port : *ports) {
            const auto& node = graph.nodes()[static_cast<std::size_t>(graph.node(parseAddress(port, port).node))];
            if (node.kind() == Kind::model) add({port, unitsOf(*recording.signal(port)), 1, false});
        }
    for (const auto& tensor : session.parameters())
        add({tensor.name, static_cast<std::size_t>(tensor.rows), static_cast<std::size_t>(tensor.columns), true});
    return recording;
}

TrialRecording storedTrials(const RunReader& run, const Experiment& experiment, const Registry& registry,
                            std::int64_t iteration) {
    TrialRecording recording;
    for (const auto& summary : run.listSignals()) {
        auto tensor = run.signal(summary.port, iteration);
        if (!tensor || tensor->shape.size() != 3 || tensor->size() == 0) continue;
        int every = 1;
        for (const auto& item : experiment.recordings)
            if (item.port.text() == summary.port) every = item.everySteps;
        // All plots have one axis of time: the signals that were kept most often are shown.
        if (recording.signals.empty() || tensor->shape[0] > recording.steps) {
            recording.signals.clear();
            recording.steps = static_cast<int>(tensor->shape[0]);
            recording.trials = static_cast<int>(tensor->shape[1]);
            recording.everySteps = every;
        } else if (tensor->shape[0] < recording.steps) {
            continue;
        }
        recording.trials = std::min(recording.trials, static_cast<int>(tensor->shape[1]));
        recording.signals.emplace_back(summary.port, std::move(*tensor));
    }
    if (recording.signals.empty())
        throw Error(fmt::format("iteration {}", iteration), "the run has stored no signals of it");
    describe(recording, Graph{experiment, registry});
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
    take([](const std::string&, const Tensor& tensor) { return unitsOf(tensor) > fewUnits; });
    take([](const std::string&, const Tensor&) { return true; });
    return ports;
}

std::vector<TrialSpan> spansOf(const TrialRecording& recording, const TrialEvent& event, int trial) {
    std::vector<TrialSpan> spans;
    const Tensor* signal = recording.signal(event.signal);
    if (!signal) return spans;
    std::vector<std::vector<double>> patterns; // in the order in which they appear
    std::vector<double> before;
    const auto quiet = [](const std::vector<double>& units) {
        return std::all_of(units.begin(), units.end(), [](double unit) { return unit == 0; });
    };
    const auto labelOf = [&](const std::vector<double>& units) -> std::string {
        if (units.size() == 1) return units[0] == 1 ? std::string{} : fmt::format("{:.3g}", units[0]);
        const auto on = std::count_if(units.begin(), units.end(), [](double unit) { return unit != 0; });
        if (on == 1) {
            const auto which = std::find_if(units.begin(), units.end(), [](double unit) { return unit != 0; });
            return std::to_string(which - units.begin());
        }
        auto found = std::find(patterns.begin(), patterns.end(), units);
        if (found == patterns.end()) found = patterns.insert(found, units);
        const auto index = static_cast<std::size_t>(found - patterns.begin());
        return index < 26 ? std::string(1, static_cast<char>('A' + index)) : std::to_string(index + 1);
    };
    for (int step = 0; step < recording.steps; ++step) {
        std::vector<double> units;
        for (std::size_t u = 0; u < event.count; ++u)
            units.push_back(TrialRecording::value(*signal, step, trial, static_cast<int>(event.first + u)));
        if (!quiet(units)) {
            if (!spans.empty() && spans.back().to == step && units == before)
                ++spans.back().to;
            else
                spans.push_back({step, step + 1, labelOf(units)});
        }
        before = std::move(units);
    }
    return spans;
}

} // namespace raphe
