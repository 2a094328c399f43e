// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPointF>
#include <QRectF>

#include <vector>

namespace raphe {

enum class Alignment { left, centre, right, top, middle, bottom, across, down };

/// Centres of nodes after they were lined up: by an edge, by their centres, or (across, down) with equal gaps between
/// the first and the last. On the grid of the canvas, as nodes lie.
std::vector<QPointF> aligned(const std::vector<QRectF>& nodes, Alignment alignment);

} // namespace raphe
