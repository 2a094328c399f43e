// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/node_geometry.h"

#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr double row = 20;

QFont canvasFont(int pixels, bool bold) {
    QFont font;
    font.setPixelSize(pixels);
    font.setBold(bold);
    return font;
}

double onGrid(double length) { return std::ceil(length / canvasPitch) * canvasPitch; }

} // namespace

QFont nodeNameFont() { return canvasFont(14, true); }
QFont nodeSmallFont() { return canvasFont(11, false); }

NodeGeometry nodeGeometry(const CanvasNode& node) {
    const QFontMetricsF names{nodeNameFont()}, small{nodeSmallFont()};
    const auto widthOf = [&](const std::string& text) { return small.horizontalAdvance(QString::fromStdString(text)); };
    double left = 0, right = 0, below = 0;
    int inputs = 0, outputs = 0, modulations = 0;
    for (const CanvasPort& port : node.ports) {
        const double width = widthOf(port.name);
        if (port.kind == PortKind::input) {
            left = std::max(left, width);
            ++inputs;
        } else if (port.kind == PortKind::output) {
            right = std::max(right, width);
            ++outputs;
        } else {
            below += onGrid(width + 24);
            ++modulations;
        }
    }
    NodeGeometry geometry;
    const double title = std::max(names.horizontalAdvance(QString::fromStdString(node.name)), widthOf(node.mechanism));
    const double width = 2 * onGrid(std::max({140.0, title + 32, left + right + 48, below + 20}) / 2);
    const int rows = std::max({1, inputs, outputs});
    geometry.size = {width, NodeGeometry::header + rows * row + 10 + (modulations > 0 ? row : 0)};
    int input = 0, output = 0;
    double x = onGrid((width - below) / 2);
    for (const CanvasPort& port : node.ports) {
        if (port.kind == PortKind::input) {
            geometry.ports.emplace_back(0, NodeGeometry::header + 10 + row * input++);
        } else if (port.kind == PortKind::output) {
            geometry.ports.emplace_back(width, NodeGeometry::header + 10 + row * output++);
        } else {
            const double cell = onGrid(widthOf(port.name) + 24);
            geometry.ports.emplace_back(std::round((x + cell / 2) / canvasPitch) * canvasPitch, geometry.size.height());
            x += cell;
        }
    }
    return geometry;
}

} // namespace raphe
