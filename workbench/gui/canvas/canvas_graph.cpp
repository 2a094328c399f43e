// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_graph.h"

#include "engine/graph/graph.h"

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

CanvasGraph canvasGraph(const Experiment& experiment, const Registry& registry,
                        const std::vector<LocatedProblem>& problems) {
    CanvasGraph result;
    for (const NodeSpec& spec : experiment.nodes) result.nodes.push_back(canvasNode(spec, registry));
    std::optional<Graph> graph; // only a sound one knows all sizes and delays
    if (problems.empty()) graph.emplace(experiment, registry);
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
        wire.delayed = graph ? graph->wires()[w].delayed : spec.delay.value_or(0) > 0;
        wire.units = graph ? graph->wires()[w].size : source.units;
        for (const auto& problem : problems)
            if (problem.wire == static_cast<int>(w)) wire.problems.push_back(problem.sentence);
        result.wires.push_back(std::move(wire));
    }
    for (std::size_t n = 0; n < result.nodes.size(); ++n) {
        auto& node = result.nodes[n];
        for (const auto& problem : problems)
            if (problem.node == node.name) node.problems.push_back(problem.sentence);
        if (graph)
            for (std::size_t p = 0; p < node.ports.size(); ++p)
                if (const int units = graph->nodes()[n].portSizes[p]; units > 0) node.ports[p].units = units;
    }
    dropAbsentPorts(result);
    return result;
}

} // namespace raphe
