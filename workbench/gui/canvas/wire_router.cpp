// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/wire_router.h"

#include "gui/canvas/node_geometry.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <queue>

namespace raphe {
namespace {

constexpr std::array<int, 4> stepX{1, 0, -1, 0}, stepY{0, 1, 0, -1}; // right, down, left, up
constexpr int right = 0, up = 3;
constexpr double detour = 300; // how far beyond the ends of all wires a way may lead
constexpr int turnCost = 8, shareCost = 12, crossCost = 3, tightCost = 2;

class Router {
public:
    Router(const std::vector<QRectF>& nodes, const std::vector<RouteRequest>& wires) {
        QRectF all, near;
        for (const RouteRequest& wire : wires) {
            const QRectF ends = QRectF{wire.from, wire.to}.normalized().adjusted(-1, -1, 1, 1);
            all |= ends;
            near |= ends;
        }
        for (const QRectF& node : nodes) all |= node;
        // Where few wires are routed, as while a node is dragged, what lies far from them is left out.
        all = all.adjusted(-60, -60, 60, 60) & near.adjusted(-detour, -detour, detour, detour);
        left_ = std::floor(all.left() / canvasPitch);
        top_ = std::floor(all.top() / canvasPitch);
        width_ = static_cast<int>(std::ceil(all.width() / canvasPitch)) + 2;
        height_ = static_cast<int>(std::ceil(all.height() / canvasPitch)) + 2;
        const auto cells = static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
        blocked_.assign(cells, false);
        tight_.assign(cells, false);
        cost_.assign(cells * 4, unreached);
        cameBy_.assign(cells * 4, -1);
        owner_[0].assign(cells, -1);
        owner_[1].assign(cells, -1);
        for (const QRectF& node : nodes) {
            mark(blocked_, node.adjusted(-9, -9, 9, 9));
            mark(tight_, node.adjusted(-19, -19, 19, 19));
        }
    }

    std::vector<QPointF> route(const RouteRequest& wire, int source) {
        // The ways out of and into a port lead straight through the margin of its node.
        const QPointF start = wire.from + QPointF{2 * canvasPitch, 0};
        const QPointF end = wire.to + (wire.fromBelow ? QPointF{0, 2 * canvasPitch} : QPointF{-2 * canvasPitch, 0});
        std::vector<QPointF> corners{wire.from};
        for (const QPointF& corner : search(start, end, wire.fromBelow ? up : right, source)) corners.push_back(corner);
        corners.push_back(wire.to);
        return simplified(corners);
    }

private:
    int cellX(double x) const { return static_cast<int>(std::lround(x / canvasPitch - left_)); }
    int cellY(double y) const { return static_cast<int>(std::lround(y / canvasPitch - top_)); }
    std::size_t cell(int x, int y) const {
        return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
    }
    QPointF point(std::size_t c) const {
        const auto width = static_cast<std::size_t>(width_);
        return {(static_cast<double>(c % width) + left_) * canvasPitch,
                (static_cast<double>(c / width) + top_) * canvasPitch};
    }

    void mark(std::vector<bool>& field, const QRectF& area) {
        for (int y = std::max(0, static_cast<int>(std::ceil(area.top() / canvasPitch - top_)));
             y < height_ && (y + top_) * canvasPitch <= area.bottom(); ++y)
            for (int x = std::max(0, static_cast<int>(std::ceil(area.left() / canvasPitch - left_)));
                 x < width_ && (x + left_) * canvasPitch <= area.right(); ++x)
                field[cell(x, y)] = true;
    }

    /// How often a way turns at least that goes on in a direction, if its end lies at (dx, dy) from here.
    static int turnsLeft(int direction, int dx, int dy, int arriving) {
        const auto along = [&](int d) {
            return stepX[static_cast<std::size_t>(d)] * dx + stepY[static_cast<std::size_t>(d)] * dy;
        };
        if (direction == arriving) return along(direction) >= 0 && along((direction + 1) % 4) == 0 ? 0 : 2;
        if ((direction + 2) % 4 == arriving) return 2;
        return along(direction) >= 0 && along(arriving) >= 0 ? 1 : 3;
    }

    /// A* over cells and directions. Where every way is blocked (ports under other nodes), straight across.
    std::vector<QPointF> search(const QPointF& from, const QPointF& to, int arriving, int source) {
        const int toX = cellX(to.x()), toY = cellY(to.y());
        const std::size_t first = cell(cellX(from.x()), cellY(from.y())), last = cell(toX, toY);
        for (const std::size_t state : touched_) { // of the search before
            cost_[state] = unreached;
            cameBy_[state] = -1;
        }
        touched_.assign(1, first * 4);
        // Where the last step would come from: under a node, as while one is dragged over another, there is no way.
        const int beforeX = toX - stepX[static_cast<std::size_t>(arriving)],
                  beforeY = toY - stepY[static_cast<std::size_t>(arriving)];
        const std::vector<QPointF> across{from, {to.x(), from.y()}, to};
        if (blocked_[cell(beforeX, beforeY)] && cell(beforeX, beforeY) != first) return across;
        struct Entry {
            int estimate;
            std::uint32_t state;
            bool operator>(const Entry& other) const {
                return estimate != other.estimate ? estimate > other.estimate : state > other.state;
            }
        };
        std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
        const auto guess = [&](int x, int y, int direction) {
            return std::abs(x - toX) + std::abs(y - toY) + turnCost * turnsLeft(direction, toX - x, toY - y, arriving);
        };
        const auto width = static_cast<std::uint32_t>(width_);
        cost_[first * 4] = 0;
        open.push({guess(cellX(from.x()), cellY(from.y()), right), static_cast<std::uint32_t>(first * 4)});
        const std::size_t goal = last * 4 + static_cast<std::size_t>(arriving);
        while (!open.empty()) {
            const auto [estimate, state] = open.top();
            open.pop();
            if (state == goal) break;
            const std::uint32_t here = state / 4;
            const int direction = static_cast<int>(state % 4);
            const int hereX = static_cast<int>(here % width), hereY = static_cast<int>(here / width);
            if (estimate > cost_[state] + guess(hereX, hereY, direction)) continue;
            for (int next = 0; next < 4; ++next) {
                if (next == (direction + 2) % 4) continue;
                const int turning = next == direction ? 0 : turnCost;
                const int x = hereX + stepX[static_cast<std::size_t>(next)],
                          y = hereY + stepY[static_cast<std::size_t>(next)];
                if (x < 0 || y < 0 || x >= width_ || y >= height_) continue;
                const std::size_t there = cell(x, y);
                if (blocked_[there] && there != last) continue;
                int step = 1 + turning + (tight_[there] ? tightCost : 0);
                const auto along = static_cast<std::size_t>(next % 2);
                if (owner_[along][there] >= 0 && owner_[along][there] != source) step += shareCost;
                if (owner_[1 - along][there] >= 0 && owner_[1 - along][there] != source) step += crossCost;
                if (owner_[along][there] == source) step = turning; // the wires of one port go together
                const std::size_t state2 = there * 4 + static_cast<std::size_t>(next);
                if (cost_[state] + step < cost_[state2]) {
                    if (cost_[state2] == unreached) touched_.push_back(state2);
                    cost_[state2] = cost_[state] + step;
                    cameBy_[state2] = static_cast<std::int8_t>(direction);
                    open.push({cost_[state2] + guess(x, y, next), static_cast<std::uint32_t>(state2)});
                }
            }
        }
        if (cost_[goal] == unreached) return across;
        std::vector<QPointF> way;
        for (std::size_t state = goal;;) {
            const std::size_t here = state / 4, direction = state % 4;
            way.push_back(point(here));
            owner_[direction % 2][here] = source;
            if (cameBy_[state] < 0) break;
            const std::size_t before =
                cell(static_cast<int>(here % static_cast<std::size_t>(width_)) - stepX[direction],
                     static_cast<int>(here / static_cast<std::size_t>(width_)) - stepY[direction]);
            owner_[direction % 2][before] = source;
            state = before * 4 + static_cast<std::size_t>(cameBy_[state]);
        }
        std::reverse(way.begin(), way.end());
        return way;
    }

    static std::vector<QPointF> simplified(const std::vector<QPointF>& points) {
        std::vector<QPointF> corners;
        for (const QPointF& point : points) {
            if (!corners.empty() && corners.back() == point) continue;
            if (corners.size() >= 2) {
                const QPointF a = corners.back() - corners[corners.size() - 2], b = point - corners.back();
                if (std::abs(a.x() * b.y() - a.y() * b.x()) < 1e-6 && a.x() * b.x() + a.y() * b.y() >= 0)
                    corners.pop_back();
            }
            corners.push_back(point);
        }
        return corners;
    }

    static constexpr int unreached = std::numeric_limits<int>::max();
    std::vector<int> cost_; ///< of each cell and direction, as far as a search has reached
    std::vector<std::int8_t> cameBy_;
    std::vector<std::size_t> touched_; ///< what a search has reached
    double left_ = 0, top_ = 0;        ///< in cells
    int width_ = 0, height_ = 0;
    std::vector<bool> blocked_, tight_;
    std::array<std::vector<int>, 2> owner_; ///< horizontally, vertically: the source of the wire that lies here
};

} // namespace

std::vector<std::vector<QPointF>> routeWires(const std::vector<QRectF>& nodes, const std::vector<RouteRequest>& wires) {
    std::vector<std::size_t> order(wires.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto length = [&](std::size_t w) { return (wires[w].to - wires[w].from).manhattanLength(); };
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return length(a) < length(b); });
    Router router{nodes, wires};
    std::vector<std::vector<QPointF>> ways(wires.size());
    for (const std::size_t w : order) {
        int source = static_cast<int>(w);
        for (std::size_t other = 0; other < w; ++other)
            if (wires[other].from == wires[w].from) {
                source = static_cast<int>(other);
                break;
            }
        ways[w] = router.route(wires[w], source);
    }
    return ways;
}

} // namespace raphe
