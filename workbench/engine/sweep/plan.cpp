// SPDX-License-Identifier: Apache-2.0
#include "engine/sweep/plan.h"

#include <algorithm>
#include <cmath>

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
std::size_t recordedBytes(const Network<T>& network, int trials) {
    std::size_t perStep = 0;
    const auto& nodes = network.graph().nodes();
    for (std::size_t n = 0; n < nodes.size(); ++n) {
        for (const auto& state : network.nodes()[n].states)
            if (state.inPlace) perStep += state.size() * sizeof(T);
        for (std::size_t p = 0; p < nodes[n].portSizes.size(); ++p)
            if (nodes[n].declaration().ports[p].kind == PortKind::output)
                perStep += 6 * at(nodes[n].portSizes[p]) * sizeof(T);
    }
    return perStep * at(trials);
}

template <class T>
std::vector<Segment> planSegments(const SweepPlan<T>& plan) {
    const std::size_t perStep = recordedBytes(*plan.network, plan.trials);
    int length = plan.steps;
    if (perStep * at(plan.steps) > plan.memoryBytes) {
        const int root = static_cast<int>(std::ceil(std::sqrt(double(plan.steps))));
        length = std::clamp(static_cast<int>(plan.memoryBytes / std::max<std::size_t>(perStep, 1)), root, plan.steps);
        const int count = (plan.steps + length - 1) / length;
        length = (plan.steps + count - 1) / count;
    }
    std::vector<int> edges{0, plan.steps};
    for (int t = length; t < plan.steps; t += length) edges.push_back(t);
    if (plan.burnIn > 0) edges.push_back(plan.burnIn);
    for (int mark : plan.marks)
        if (mark < plan.steps) edges.push_back(mark);
    for (const auto& i : plan.interventions)
        if (i.parameter >= 0)
            for (int edge : {i.from, i.to})
                if (edge > 0 && edge < plan.steps) edges.push_back(edge);
    std::sort(edges.begin(), edges.end());
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    std::vector<Segment> segments;
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) segments.push_back({edges[i], edges[i + 1] - edges[i]});
    return segments;
}

template std::size_t recordedBytes(const Network<float>&, int);
template std::size_t recordedBytes(const Network<double>&, int);
template std::vector<Segment> planSegments(const SweepPlan<float>&);
template std::vector<Segment> planSegments(const SweepPlan<double>&);

} // namespace raphe
