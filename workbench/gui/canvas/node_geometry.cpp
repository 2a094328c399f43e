// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/node_geometry.h"

#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr double row = 20;
constexpr double labelGap = 10, leaderGap = 4, side = 10;

/// Where the modulated parameters stand along the lower edge. Where there are more than two, every other name is
/// raised, and the line that leads down from it keeps clear of the names beside it.
struct Modulations {
    std::vector<double> x;
    double width = 0;
    bool raises = false;

    explicit Modulations(const std::vector<double>& names) : raises(names.size() > 2) {
        for (std::size_t i = 0; i < names.size(); ++i) {
            const auto clear = [&](std::size_t before) {
                return x[before] + (names[before] + names[i]) / 2 + labelGap;
            };
            double at = side + names[i] / 2;
            if (i > 0 && !raises) at = clear(i - 1);
            if (i > 0 && raises) at = std::max(at, x[i - 1] + names[i % 2 == 0 ? i : i - 1] / 2 + leaderGap);
            if (i > 1 && raises) at = std::max(at, clear(i - 2));
            x.push_back(std::ceil(at / canvasPitch) * canvasPitch);
            width = std::max(width, x.back() + names[i] / 2 + side);
        }
    }
};

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
    double left = 0, right = 0;
    int inputs = 0, outputs = 0;
    std::vector<double> below;
    for (const CanvasPort& port : node.ports) {
        const double width = widthOf(port.name);
        if (port.kind == PortKind::input) {
            left = std::max(left, width);
            ++inputs;
        } else if (port.kind == PortKind::output) {
            right = std::max(right, width);
            ++outputs;
        } else {
            below.push_back(width);
        }
    }
    const Modulations modulations{below};
    NodeGeometry geometry;
    const double title = std::max(names.horizontalAdvance(QString::fromStdString(node.name)), widthOf(node.mechanism));
    const double width = 2 * onGrid(std::max({140.0, title + 32, left + right + 48, modulations.width}) / 2);
    const int rows = std::max({1, inputs, outputs});
    geometry.size = {width, NodeGeometry::header + rows * row + 10 +
                                (below.empty()        ? 0
                                 : modulations.raises ? onGrid(row + NodeGeometry::raisedBy - 3)
                                                      : row)};
    int input = 0, output = 0;
    std::size_t modulation = 0;
    const double shift = std::floor((width - modulations.width) / 2 / canvasPitch) * canvasPitch;
    for (const CanvasPort& port : node.ports) {
        if (port.kind == PortKind::input) {
            geometry.ports.emplace_back(0, NodeGeometry::header + 10 + row * input++);
        } else if (port.kind == PortKind::output) {
            geometry.ports.emplace_back(width, NodeGeometry::header + 10 + row * output++);
        } else {
            geometry.raised.resize(geometry.ports.size());
            geometry.raised.push_back(modulations.raises && modulation % 2 == 1);
            geometry.ports.emplace_back(shift + modulations.x[modulation++], geometry.size.height());
        }
    }
    geometry.raised.resize(geometry.ports.size());
    return geometry;
}

} // namespace raphe
