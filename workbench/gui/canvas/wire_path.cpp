// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/wire_path.h"

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr double widest = 140, clearance = 5;
constexpr int samples = 12;

/// The bend at one corner, from where it leaves one line to where it joins the other.
struct Bend {
    QPointF start, corner, end;

    QPointF at(double t) const { return start * (1 - t) * (1 - t) + corner * 2 * t * (1 - t) + end * t * t; }
};

double lengthOf(const QPointF& line) { return std::hypot(line.x(), line.y()); }

Bend bendAt(const std::vector<QPointF>& corners, std::size_t i, double radius) {
    const QPointF before = corners[i - 1] - corners[i], after = corners[i + 1] - corners[i];
    const double a = lengthOf(before), b = lengthOf(after);
    if (a < 1e-6 || b < 1e-6) return {corners[i], corners[i], corners[i]};
    // The first and the last line belong to one bend alone; the others are shared by two.
    const double r = std::min({radius, i == 1 ? a : a / 2, i + 2 == corners.size() ? b : b / 2});
    return {corners[i] + before / a * r, corners[i], corners[i] + after / b * r};
}

bool touches(const Bend& bend, const std::vector<QRectF>& nodes) {
    for (int s = 1; s < samples; ++s) {
        const QPointF point = bend.at(static_cast<double>(s) / samples);
        for (const QRectF& node : nodes)
            if (node.adjusted(-clearance, -clearance, clearance, clearance).contains(point)) return true;
    }
    return false;
}

template <class RadiusOf>
QPainterPath way(const std::vector<QPointF>& corners, RadiusOf radiusOf) {
    if (corners.empty()) return {};
    QPainterPath path{corners.front()};
    for (std::size_t i = 1; i + 1 < corners.size(); ++i) {
        const Bend bend = bendAt(corners, i, radiusOf(i));
        path.lineTo(bend.start);
        if (bend.start != bend.end) path.quadTo(bend.corner, bend.end);
    }
    path.lineTo(corners.back());
    return path;
}

} // namespace

QPainterPath roundedWay(const std::vector<QPointF>& corners, double radius) {
    return way(corners, [radius](std::size_t) { return radius; });
}

QPainterPath curvedWay(const std::vector<QPointF>& corners, const std::vector<QRectF>& nodes) {
    return way(corners, [&](std::size_t i) {
        double radius = widest;
        while (radius > 8 && touches(bendAt(corners, i, radius), nodes)) radius *= 0.7;
        return radius;
    });
}

} // namespace raphe
