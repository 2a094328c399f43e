// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPointF>
#include <QPolygonF>
#include <QRectF>

#include <vector>

namespace raphe {

// Cutting to the axes by geometry, because Qt's SVG writer ignores clip rectangles.

/// The part of a segment inside the rectangle (Liang and Barsky); false when none is.
bool clipSegment(const QRectF& rect, QPointF& from, QPointF& to);
/// The pieces of a polyline inside the rectangle.
std::vector<QPolygonF> clipPolyline(const QRectF& rect, const QPolygonF& line);
/// The polygon inside the rectangle (Sutherland and Hodgman). Where it leaves and returns, an edge of no width remains.
QPolygonF clipPolygon(const QRectF& rect, QPolygonF polygon);

} // namespace raphe
