// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPainterPath>
#include <QPointF>
#include <QRectF>

#include <vector>

namespace raphe {

/// How wires are drawn along their way.
enum class WireStyle { orthogonal, curved };

/// A line through the corners with rounded bends.
QPainterPath roundedWay(const std::vector<QPointF>& corners, double radius = 8);
/// One that flows: every bend is as wide as its neighbours and the nodes leave room for.
QPainterPath curvedWay(const std::vector<QPointF>& corners, const std::vector<QRectF>& nodes);

} // namespace raphe
