// SPDX-License-Identifier: Apache-2.0
// Which models are swept together and in which order, once it is said what is known and who is wanted.
#include "engine/graph/graph.h"

#include <algorithm>
#include <functional>

namespace raphe {

std::vector<Stage> Graph::stages(const std::vector<std::vector<bool>>& known, const std::vector<bool>& wanted) const {
    const auto count = nodes_.size();
    const auto isKnown = [&](const GraphWire& wire) {
        return known[static_cast<std::size_t>(wire.fromNode)][static_cast<std::size_t>(wire.fromPort)];
    };
    // A node whose outputs are all given has nothing to do.
    const auto isGiven = [&](std::size_t n) {
        bool any = false;
        for (std::size_t p = 0; p < nodes_[n].portSizes.size(); ++p) {
            if (nodes_[n].declaration().ports[p].kind != PortKind::output || nodes_[n].portSizes[p] == noPort) continue;
            if (!known[n][p]) return false;
            any = true;
        }
        return any;
    };
    // Who is needed, from the wanted nodes backwards.
    std::vector<bool> needed(count);
    std::vector<int> stack;
    for (std::size_t n = 0; n < count; ++n)
        if (wanted[n]) stack.push_back(static_cast<int>(n));
    while (!stack.empty()) {
        const auto n = static_cast<std::size_t>(stack.back());
        stack.pop_back();
        if (needed[n] || isGiven(n)) continue;
        needed[n] = true;
        for (const auto& wire : wires_)
            if (wire.toNode == static_cast<int>(n) && !isKnown(wire)) stack.push_back(wire.fromNode);
    }
    const auto takesPart = [&](int n) {
        return needed[static_cast<std::size_t>(n)] && nodes_[static_cast<std::size_t>(n)].kind() == Kind::model;
    };
    std::vector<std::vector<int>> next(count);
    for (const auto& wire : wires_)
        if (!isKnown(wire) && takesPart(wire.fromNode) && takesPart(wire.toNode))
            next[static_cast<std::size_t>(wire.fromNode)].push_back(wire.toNode);

    // Strongly connected components (Tarjan), which come out from the last to the first.
    std::vector<Stage> result;
    std::vector<int> index(count, -1), low(count), path;
    std::vector<bool> onPath(count);
    int counter = 0;
    const std::function<void(int)> visit = [&](int v) {
        const auto n = static_cast<std::size_t>(v);
        index[n] = low[n] = counter++;
        path.push_back(v);
        onPath[n] = true;
        for (int w : next[n]) {
            if (index[static_cast<std::size_t>(w)] < 0) {
                visit(w);
                low[n] = std::min(low[n], low[static_cast<std::size_t>(w)]);
            } else if (onPath[static_cast<std::size_t>(w)]) {
                low[n] = std::min(low[n], index[static_cast<std::size_t>(w)]);
            }
        }
        if (low[n] != index[n]) return;
        Stage stage;
        for (;;) {
            const int member = path.back();
            path.pop_back();
            onPath[static_cast<std::size_t>(member)] = false;
            stage.nodes.push_back(member);
            if (member == v) break;
        }
        const auto inOrderOf = [](const std::vector<int>& order, std::vector<int> nodes) {
            std::vector<int> sorted;
            for (int node : order)
                if (std::find(nodes.begin(), nodes.end(), node) != nodes.end()) sorted.push_back(node);
            return sorted;
        };
        stage.nodes = inOrderOf(stepOrder_, stage.nodes);
        stage.closing = inOrderOf(closeOrder_, stage.nodes);
        stage.cyclic = stage.nodes.size() > 1 || std::find(next[n].begin(), next[n].end(), v) != next[n].end();
        result.push_back(std::move(stage));
    };
    for (int v : stepOrder_)
        if (takesPart(v) && index[static_cast<std::size_t>(v)] < 0) visit(v);
    std::reverse(result.begin(), result.end());
    return result;
}

} // namespace raphe
