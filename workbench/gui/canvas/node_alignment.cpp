// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/node_alignment.h"

#include "gui/canvas/node_geometry.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace raphe {
namespace {

double onGrid(double x) { return std::round(x / canvasPitch) * canvasPitch; }

/// Along one axis: top left corners so that the gaps between neighbours are equal.
void distribute(std::vector<QRectF>& nodes, bool across) {
    const auto start = [&](const QRectF& node) { return across ? node.left() : node.top(); };
    const auto length = [&](const QRectF& node) { return across ? node.width() : node.height(); };
    std::vector<std::size_t> order(nodes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return start(nodes[a]) + length(nodes[a]) / 2 < start(nodes[b]) + length(nodes[b]) / 2;
    });
    const double begin = start(nodes[order.front()]);
    double room = start(nodes[order.back()]) + length(nodes[order.back()]) - begin;
    for (const auto& node : nodes) room -= length(node);
    const double gap = room / static_cast<double>(nodes.size() - 1);
    double at = begin;
    for (const std::size_t n : order) {
        if (across)
            nodes[n].moveLeft(onGrid(at));
        else
            nodes[n].moveTop(onGrid(at));
        at += length(nodes[n]) + gap;
    }
}

} // namespace

std::vector<QPointF> aligned(const std::vector<QRectF>& given, Alignment alignment) {
    auto nodes = given;
    QRectF all;
    for (const auto& node : nodes) all |= node;
    const bool spread = alignment == Alignment::across || alignment == Alignment::down;
    if (spread && nodes.size() > 2) distribute(nodes, alignment == Alignment::across);
    for (auto& node : nodes) {
        switch (alignment) {
        case Alignment::left:
            node.moveLeft(all.left());
            break;
        case Alignment::centre:
            node.moveLeft(onGrid(all.center().x() - node.width() / 2));
            break;
        case Alignment::right:
            node.moveLeft(all.right() - node.width());
            break;
        case Alignment::top:
            node.moveTop(all.top());
            break;
        case Alignment::middle:
            node.moveTop(onGrid(all.center().y() - node.height() / 2));
            break;
        case Alignment::bottom:
            node.moveTop(all.bottom() - node.height());
            break;
        case Alignment::across:
        case Alignment::down:
            break;
        }
    }
    std::vector<QPointF> centres;
    for (const auto& node : nodes) centres.push_back(node.center());
    return centres;
}

} // namespace raphe
