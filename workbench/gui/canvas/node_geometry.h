// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_graph.h"

#include <QFont>
#include <QPointF>
#include <QSizeF>

#include <vector>

namespace raphe {

/// Nodes, ports and wires lie on a grid of this pitch.
constexpr double canvasPitch = 10;

/// Where the parts of a node are, from its top left corner. Inputs are on the left, outputs on the right; what is
/// modulated is reached from below.
struct NodeGeometry {
    QSizeF size;
    std::vector<QPointF> ports;
    std::vector<bool>
        raised; ///< of a modulated parameter: its name stands above those beside it, so that both have room

    static constexpr double header = 40;
    static constexpr double raisedBy = 13; ///< the name
};

NodeGeometry nodeGeometry(const CanvasNode& node);

QFont nodeNameFont();
QFont nodeSmallFont();

} // namespace raphe
