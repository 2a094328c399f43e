// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_clip.h"

#include <algorithm>

namespace raphe {

bool clipSegment(const QRectF& rect, QPointF& from, QPointF& to) {
    double start = 0, end = 1;
    const QPointF d = to - from;
    const double p[4] = {-d.x(), d.x(), -d.y(), d.y()};
    const double q[4] = {from.x() - rect.left(), rect.right() - from.x(), from.y() - rect.top(),
                         rect.bottom() - from.y()};
    for (int edge = 0; edge < 4; ++edge) {
        if (p[edge] == 0) {
            if (q[edge] < 0) return false;
        } else {
            const double t = q[edge] / p[edge];
            if (p[edge] < 0)
                start = std::max(start, t);
            else
                end = std::min(end, t);
        }
    }
    if (start > end) return false;
    const QPointF origin = from;
    from = origin + start * d;
    to = origin + end * d;
    return true;
}

std::vector<QPolygonF> clipPolyline(const QRectF& rect, const QPolygonF& line) {
    std::vector<QPolygonF> pieces;
    bool open = false; // the last piece ends where the next segment starts
    for (qsizetype i = 0; i + 1 < line.size(); ++i) {
        QPointF from = line[i], to = line[i + 1];
        if (!clipSegment(rect, from, to)) {
            open = false;
            continue;
        }
        if (!open) pieces.push_back(QPolygonF{from});
        pieces.back().append(to);
        open = to == line[i + 1];
    }
    return pieces;
}

QPolygonF clipPolygon(const QRectF& rect, QPolygonF polygon) {
    const auto cut = [&polygon](auto distance) { // keeps where distance(point) >= 0
        QPolygonF result;
        for (qsizetype i = 0; i < polygon.size(); ++i) {
            const QPointF a = polygon[i], b = polygon[(i + 1) % polygon.size()];
            const double da = distance(a), db = distance(b);
            if (da >= 0) result.append(a);
            if ((da >= 0) != (db >= 0)) result.append(a + (b - a) * (da / (da - db)));
        }
        polygon = result;
    };
    cut([&rect](QPointF p) { return p.x() - rect.left(); });
    cut([&rect](QPointF p) { return rect.right() - p.x(); });
    cut([&rect](QPointF p) { return p.y() - rect.top(); });
    cut([&rect](QPointF p) { return rect.bottom() - p.y(); });
    return polygon;
}

} // namespace raphe
