// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_graph.h"

#include <string>
#include <vector>

namespace raphe {

/// A node, or a port of one, that was looked for.
struct GraphHit {
    std::string node, port; ///< port: empty if the node itself is meant
    friend bool operator==(const GraphHit&, const GraphHit&) = default;
};

/// Nodes whose name or mechanism, and ports whose name contains the words, whatever their case: names that begin so
/// first, then other names, mechanisms, ports.
std::vector<GraphHit> searchGraph(const CanvasGraph& graph, const std::string& words);

} // namespace raphe
