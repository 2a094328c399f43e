// SPDX-License-Identifier: Apache-2.0
#include "engine/sweep/plan.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace raphe {

PortMask replayKnown(const Graph& graph) {
    PortMask known;
    for (const auto& node : graph.nodes()) {
        known.emplace_back(node.portSizes.size(), node.kind() == Kind::task);
        for (std::size_t p = 0; p < node.portSizes.size(); ++p)
            if (node.declaration().ports[p].sampled) known.back()[p] = true;
    }
    return known;
}

std::vector<bool> sourcesOf(const Graph& graph, const std::vector<int>& rulePorts, const PortMask& known) {
    std::vector<bool> result(graph.nodes().size());
    for (const auto& wire : graph.wires())
        if (wire.toNode == graph.rule() && !known[at(wire.fromNode)][at(wire.fromPort)] &&
            std::find(rulePorts.begin(), rulePorts.end(), wire.toPort) != rulePorts.end())
            result[at(wire.fromNode)] = true;
    return result;
}

template <class T>
double recordedBytes(const Network<T>& network, int trials) {
    double perStep = 0;
    const auto& nodes = network.graph().nodes();
    for (std::size_t n = 0; n < nodes.size(); ++n) {
        for (const auto& state : network.nodes()[n].states)
            if (state.inPlace) perStep += double(state.size()) * sizeof(T);
        for (std::size_t p = 0; p < nodes[n].portSizes.size(); ++p)
            if (nodes[n].declaration().ports[p].kind == PortKind::output)
                perStep += 6.0 * nodes[n].portSizes[p] * sizeof(T);
    }
    return perStep * trials;
}

int segmentSteps(double bytesPerStep, int steps, double memoryBytes) {
    if (bytesPerStep * steps <= memoryBytes) return steps;
    const int root = static_cast<int>(std::ceil(std::sqrt(double(steps))));
    const double fitting = std::min(std::floor(memoryBytes / std::max(bytesPerStep, 1.0)), double(steps));
    const int length = std::clamp(static_cast<int>(fitting), root, steps);
    const int count = (steps - 1) / length + 1;
    return (steps - 1) / count + 1;
}

template <class T>
std::vector<Segment> planSegments(const SweepPlan<T>& plan) {
    const int length =
        segmentSteps(recordedBytes(*plan.network, plan.trials), plan.steps, static_cast<double>(plan.memoryBytes));
    std::vector<int> edges{0, plan.steps};
    for (std::int64_t t = length; t < plan.steps; t += length) edges.push_back(static_cast<int>(t));
    if (plan.burnIn > 0) edges.push_back(plan.burnIn);
    for (int mark : plan.marks)
        if (mark < plan.steps) edges.push_back(mark);
    for (const auto& i : plan.interventions)
        if (i.parameter >= 0)
            for (int edge : {i.from, i.to})
                if (edge > 0 && edge < plan.steps) edges.push_back(edge);
    for (const auto& i : plan.interventions)
        if (i.state >= 0 && i.from < plan.steps) edges.push_back(i.from);
    std::sort(edges.begin(), edges.end());
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    std::vector<Segment> segments;
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) segments.push_back({edges[i], edges[i + 1] - edges[i]});
    return segments;
}

template double recordedBytes(const Network<float>&, int);
template double recordedBytes(const Network<double>&, int);
template std::vector<Segment> planSegments(const SweepPlan<float>&);
template std::vector<Segment> planSegments(const SweepPlan<double>&);

} // namespace raphe
