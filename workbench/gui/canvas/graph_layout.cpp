// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/graph_layout.h"

#include "gui/canvas/node_geometry.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace raphe {
namespace {

constexpr double columnGap = 80, rowGap = 50, passage = 20;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// What takes part in the layout: a node, or the passage of a wire through a layer in which neither of its ends lies.
struct Item {
    int node = -1; ///< -1: a passage
    int layer = 0;
    QSizeF size{0, passage};
    double y = 0;
    double order = 0;
};

struct Link {
    int from, to;      ///< items
    double fromY, toY; ///< of the ports, from the top of their items
};

class Layout {
public:
    explicit Layout(const CanvasGraph& graph) : graph_(graph) {
        for (const auto& node : graph.nodes) geometry_.push_back(nodeGeometry(node));
    }

    std::vector<QPointF> places() {
        findLayers();
        makeItems();
        for (int sweep = 0; sweep < 8; ++sweep) orderLayers(sweep % 2 == 0);
        for (int sweep = 0; sweep < 10; ++sweep) align(sweep % 2 == 0);
        std::vector<double> columnX{0};
        for (const auto& layer : layers_) {
            double width = 0;
            for (const int item : layer) width = std::max(width, items_[at(item)].size.width());
            columnX.push_back(columnX.back() + width + columnGap);
        }
        std::vector<QPointF> result(graph_.nodes.size());
        double top = 0;
        for (const auto& item : items_) top = std::min(top, item.y);
        for (const auto& item : items_)
            if (item.node >= 0)
                result[at(item.node)] = {columnX[at(item.layer)],
                                         std::round((item.y - top) / canvasPitch) * canvasPitch};
        return result;
    }

private:
    bool reaches(int from, int to) const {
        std::vector<bool> seen(graph_.nodes.size());
        std::vector<int> open{from};
        while (!open.empty()) {
            const int node = open.back();
            open.pop_back();
            if (node == to) return true;
            if (seen[at(node)]) continue;
            seen[at(node)] = true;
            for (const auto& [a, b] : forward_)
                if (a == node) open.push_back(b);
        }
        return false;
    }

    void findLayers() {
        const auto wanted = [&](const CanvasWire& wire, bool readAtStart) {
            const auto& target = graph_.nodes[at(wire.toNode)];
            const bool start = target.ports[at(wire.toPort)].read == Read::start;
            return !wire.delayed && target.kind != Kind::task && start == readAtStart;
        };
        // What is read at the end of a step closes cycles without a delay; it may only add to the order.
        for (const bool readAtStart : {true, false})
            for (const auto& wire : graph_.wires)
                if (wanted(wire, readAtStart) && !reaches(wire.toNode, wire.fromNode)) {
                    const std::pair edge{wire.fromNode, wire.toNode};
                    if (std::find(forward_.begin(), forward_.end(), edge) == forward_.end()) forward_.push_back(edge);
                }
        layer_.assign(graph_.nodes.size(), 0);
        for (std::size_t pass = 0; pass < graph_.nodes.size(); ++pass)
            for (const auto& [from, to] : forward_) layer_[at(to)] = std::max(layer_[at(to)], layer_[at(from)] + 1);
        // Nodes without a predecessor stand just before whom they feed, the learning rule behind all others.
        int last = 0;
        for (std::size_t n = 0; n < graph_.nodes.size(); ++n)
            if (graph_.nodes[n].kind != Kind::rule) last = std::max(last, layer_[n]);
        for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
            if (graph_.nodes[n].kind == Kind::rule && graph_.nodes.size() > 1) layer_[n] = last + 1;
            if (graph_.nodes[n].kind == Kind::task || graph_.nodes[n].kind == Kind::rule) continue;
            const int node = static_cast<int>(n);
            int nearest = last + 1;
            bool fed = false;
            for (const auto& [from, to] : forward_) {
                fed = fed || to == node;
                if (from == node) nearest = std::min(nearest, layer_[at(to)]);
            }
            if (!fed && nearest <= last) layer_[n] = std::max(0, nearest - 1);
        }
    }

    void makeItems() {
        int count = 0;
        for (const int layer : layer_) count = std::max(count, layer + 1);
        layers_.resize(at(count));
        for (std::size_t n = 0; n < graph_.nodes.size(); ++n)
            add({.node = static_cast<int>(n), .layer = layer_[n], .size = geometry_[n].size, .y = 0, .order = 0});
        for (const auto& wire : graph_.wires) {
            const int first = layer_[at(wire.fromNode)], last = layer_[at(wire.toNode)];
            if (first >= last) continue;
            int from = wire.fromNode;
            double fromY = geometry_[at(wire.fromNode)].ports[at(wire.fromPort)].y();
            for (int layer = first + 1; layer < last; ++layer) {
                const int item = add({.node = -1, .layer = layer, .size = {0, passage}, .y = 0, .order = 0});
                links_.push_back({from, item, fromY, passage / 2});
                from = item;
                fromY = passage / 2;
            }
            links_.push_back({from, wire.toNode, fromY, geometry_[at(wire.toNode)].ports[at(wire.toPort)].y()});
        }
        for (auto& layer : layers_) stack(layer);
    }

    int add(Item item) {
        items_.push_back(item);
        const int index = static_cast<int>(items_.size()) - 1;
        layers_[at(item.layer)].push_back(index);
        return index;
    }

    double gapBetween(int upper, int lower) const {
        return items_[at(upper)].node < 0 || items_[at(lower)].node < 0 ? passage : rowGap;
    }

    void stack(const std::vector<int>& layer) {
        double y = 0;
        for (std::size_t i = 0; i < layer.size(); ++i) {
            if (i > 0) y += gapBetween(layer[i - 1], layer[i]);
            items_[at(layer[i])].y = y;
            y += items_[at(layer[i])].size.height();
        }
    }

    /// Where an item would stand if its wires from the one side were straight.
    double wish(int item, bool fromLeft) const {
        double sum = 0;
        int count = 0;
        for (const Link& link : links_) {
            if (fromLeft ? link.to != item : link.from != item) continue;
            sum += fromLeft ? items_[at(link.from)].y + link.fromY - link.toY
                            : items_[at(link.to)].y + link.toY - link.fromY;
            ++count;
        }
        return count > 0 ? sum / count : items_[at(item)].y;
    }

    void orderLayers(bool leftToRight) {
        const int count = static_cast<int>(layers_.size());
        for (int i = 0; i < count; ++i) {
            auto& layer = layers_[at(leftToRight ? i : count - 1 - i)];
            for (const int item : layer)
                items_[at(item)].order = wish(item, leftToRight) + items_[at(item)].size.height() / 2;
            std::stable_sort(layer.begin(), layer.end(),
                             [&](int a, int b) { return items_[at(a)].order < items_[at(b)].order; });
            stack(layer);
        }
    }

    void align(bool leftToRight) {
        const int count = static_cast<int>(layers_.size());
        for (int i = 0; i < count; ++i) {
            const auto& layer = layers_[at(leftToRight ? i : count - 1 - i)];
            std::vector<double> wishes;
            for (const int item : layer) wishes.push_back(wish(item, leftToRight));
            double below = -1e9, shift = 0;
            for (std::size_t k = 0; k < layer.size(); ++k) {
                auto& item = items_[at(layer[k])];
                const double free = k > 0 ? below + gapBetween(layer[k - 1], layer[k]) : -1e9;
                item.y = std::max(wishes[k], free);
                shift += wishes[k] - item.y;
                below = item.y + item.size.height();
            }
            if (!layer.empty()) shift /= static_cast<double>(layer.size());
            for (const int item : layer) items_[at(item)].y += shift;
        }
    }

    const CanvasGraph& graph_;
    std::vector<NodeGeometry> geometry_;
    std::vector<std::pair<int, int>> forward_;
    std::vector<int> layer_;  ///< by node
    std::vector<Item> items_; ///< nodes first, so that an item's index is that of its node
    std::vector<Link> links_;
    std::vector<std::vector<int>> layers_;
};

} // namespace

std::vector<QPointF> layoutGraph(const CanvasGraph& graph) {
    if (graph.nodes.empty()) return {};
    return Layout{graph}.places();
}

} // namespace raphe
