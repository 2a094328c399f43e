// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_graph.h"

#include <QPointF>

#include <vector>

namespace raphe {

/// Places for the nodes, from left to right along the flow of the signals: the task first, the learning rule last.
/// Wires that go back (actions, delayed signals, rates of plasticity) do not count. The same graph gives the same
/// places.
std::vector<QPointF> layoutGraph(const CanvasGraph& graph);

} // namespace raphe
