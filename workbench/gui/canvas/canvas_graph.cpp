// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_graph.h"

#include "engine/graph/graph.h"

#include <fmt/format.h>

#include <algorithm>

namespace raphe {
namespace {

CanvasNode canvasNode(const NodeSpec& spec, const Registry& registry) {
    CanvasNode node{.name = spec.name,
                    .mechanism = spec.mechanism,
                    .summary = {},
                    .kind = std::nullopt,
                    .ports = {},
                    .problems = {}};
    if (!registry.contains(spec.mechanism)) return node;
    const DeclarationData& declaration = registry.find(spec.mechanism, spec.name).declaration;
    node.kind = declaration.kind;
    node.summary = declaration.summary;
    ParamValues params = declaration.defaults();
    for (const auto& [key, value] : spec.params)
        if (params.count(key) != 0) params[key] = value;
    for (const PortInfo& info : declaration.ports) {
        CanvasPort port{.name = info.name,
                        .sizeText = info.sizeText,
                        .help = info.help,
                        .kind = info.kind,
                        .read = info.read,
                        .units = openSize,
                        .optional = info.optional,
                        .wired = false};
        try {
            port.units = info.size(params);
        } catch (const std::exception&) { // parameters that do not go together are reported as such
        }
        node.ports.push_back(std::move(port));
    }
    return node;
}

/// Ports that these parameters rule out are shown only while something is wired to them.
void dropAbsentPorts(CanvasGraph& graph) {
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
        auto& ports = graph.nodes[n].ports;
        std::vector<int> moved;
        std::vector<CanvasPort> kept;
        for (const auto& port : ports) {
            const bool stays = port.units != noPort || port.wired;
            moved.push_back(stays ? static_cast<int>(kept.size()) : -1);
            if (stays) kept.push_back(port);
        }
        ports = std::move(kept);
        for (auto& wire : graph.wires) {
            if (wire.fromNode == static_cast<int>(n)) wire.fromPort = moved[static_cast<std::size_t>(wire.fromPort)];
            if (wire.toNode == static_cast<int>(n)) wire.toPort = moved[static_cast<std::size_t>(wire.toPort)];
        }
    }
}

} // namespace

int CanvasNode::port(const std::string& portName) const {
    for (std::size_t i = 0; i < ports.size(); ++i)
        if (ports[i].name == portName) return static_cast<int>(i);
    return -1;
}

int CanvasGraph::node(const std::string& name) const {
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (nodes[i].name == name) return static_cast<int>(i);
    return -1;
}

std::string inWords(const Intervention& intervention) {
    const auto number = [](double value) { return fmt::format("{:.4g}", value); };
    const int first = intervention.component, last = first + intervention.count - 1;
    const std::string what = first < 0       ? ""
                             : last == first ? fmt::format(" component {}", first)
                                             : fmt::format(" components {} to {}", first, last);
    std::string words;
    switch (intervention.operation) {
    case Operation::clamp:
        words = "clamp" + what + " to " + number(intervention.value);
        break;
    case Operation::scale:
        words = "scale" + what + " by " + number(intervention.value);
        break;
    case Operation::perturb:
        words = "add " + number(intervention.value) + (what.empty() ? "" : " to" + what);
        break;
    case Operation::noise:
        words = "add noise of SD " + number(intervention.value) + (what.empty() ? "" : " to" + what);
        break;
    case Operation::lesion:
        words = "lesion" + what;
        break;
    case Operation::swap:
        return fmt::format("neighbouring trials exchange {}, before step {}", intervention.target.port,
                           intervention.from);
    }
    if (intervention.from > 0 || intervention.to >= 0)
        words += intervention.to < 0 ? fmt::format(", from step {}", intervention.from)
                                     : fmt::format(", steps {} to {}", intervention.from, intervention.to - 1);
    return words;
}

CanvasGraph canvasGraph(const Experiment& experiment, const Registry& registry,
                        const std::vector<LocatedProblem>& problems) {
    CanvasGraph result;
    for (const NodeSpec& spec : experiment.nodes) result.nodes.push_back(canvasNode(spec, registry));
    Problems known; // sizes and delays as far as they can be told
    const Graph graph(experiment, registry, known);
    const auto resolved = [&](const WireSpec& spec) -> const GraphWire* {
        for (const auto& wire : graph.wires()) {
            const auto& from = graph.nodes()[static_cast<std::size_t>(wire.fromNode)];
            const auto& to = graph.nodes()[static_cast<std::size_t>(wire.toNode)];
            if (from.name == spec.from.node && to.name == spec.to.node &&
                from.declaration().port(spec.from.port) == wire.fromPort &&
                to.declaration().port(spec.to.port) == wire.toPort)
                return &wire;
        }
        return nullptr;
    };
    for (std::size_t w = 0; w < experiment.wires.size(); ++w) {
        const WireSpec& spec = experiment.wires[w];
        CanvasWire wire;
        wire.spec = spec;
        wire.fromNode = result.node(spec.from.node);
        wire.toNode = result.node(spec.to.node);
        if (wire.fromNode < 0 || wire.toNode < 0) continue;
        auto& from = result.nodes[static_cast<std::size_t>(wire.fromNode)];
        auto& to = result.nodes[static_cast<std::size_t>(wire.toNode)];
        wire.fromPort = from.port(spec.from.port);
        wire.toPort = to.port(spec.to.port);
        if (wire.fromPort < 0 || wire.toPort < 0) continue;
        auto& source = from.ports[static_cast<std::size_t>(wire.fromPort)];
        auto& target = to.ports[static_cast<std::size_t>(wire.toPort)];
        source.wired = target.wired = true;
        wire.modulatory = target.kind == PortKind::modulation;
        const auto* found = resolved(spec);
        wire.delayed = found ? found->delayed : spec.delay.value_or(0) > 0;
        wire.units = found && found->size > 0 ? found->size : source.units;
        for (const auto& problem : problems)
            if (problem.wire == static_cast<int>(w)) wire.problems.push_back(problem.sentence);
        result.wires.push_back(std::move(wire));
    }
    for (auto& node : result.nodes) {
        for (const auto& problem : problems) {
            if (problem.node != node.name) continue;
            node.problems.push_back(problem.sentence);
            if (const int port = node.port(problem.port); port >= 0)
                node.ports[static_cast<std::size_t>(port)].problems.push_back(problem.sentence);
        }
        const int index = graph.node(node.name);
        if (index < 0) continue;
        const auto& sizes = graph.nodes()[static_cast<std::size_t>(index)].portSizes;
        for (std::size_t p = 0; p < std::min(node.ports.size(), sizes.size()); ++p)
            if (sizes[p] > 0) node.ports[p].units = sizes[p];
    }
    for (std::size_t i = 0; i < experiment.interventions.size(); ++i) {
        const auto& entry = experiment.interventions[i];
        const int n = result.node(entry.target.node);
        if (n < 0) continue;
        auto& node = result.nodes[static_cast<std::size_t>(n)];
        const int port = node.port(entry.target.port);
        auto& list = port >= 0 ? node.ports[static_cast<std::size_t>(port)].interventions : node.interventions;
        list.push_back({static_cast<int>(i), (port >= 0 ? "" : entry.target.port + ": ") + inWords(entry),
                        entry.operation, entry.enabled});
    }
    dropAbsentPorts(result);
    return result;
}

} // namespace raphe
