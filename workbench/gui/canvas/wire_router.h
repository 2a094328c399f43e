// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPointF>
#include <QRectF>

#include <vector>

namespace raphe {

/// A wire to be drawn: it leaves `from` to the right and comes into `to` from the left, or from below.
struct RouteRequest {
    QPointF from, to;
    bool fromBelow = false;

    bool operator==(const RouteRequest&) const = default;
};

/// Corners of each wire. Wires go along the grid of the canvas, around the nodes and, where there is room, beside each
/// other; wires from one port may share their way. The same nodes and wires give the same ways.
std::vector<std::vector<QPointF>> routeWires(const std::vector<QRectF>& nodes, const std::vector<RouteRequest>& wires);

} // namespace raphe
