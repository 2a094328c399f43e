// SPDX-License-Identifier: Apache-2.0
#include "strokes.h"

#include "raphe/random.h"

#include <algorithm>
#include <cmath>

namespace raphe {

namespace {

struct Point {
    double x, y;
};
using Line = std::vector<Point>;

Line ellipse(double x, double y, double width, double height) {
    Line line;
    for (int i = 0; i <= 12; ++i) {
        const double angle = 6.283185307179586 * i / 12;
        line.push_back({x + width * std::sin(angle), y - height * std::cos(angle)});
    }
    return line;
}

/// Lines of a digit within the unit square, y downwards.
const std::vector<Line>& linesOf(int digit) {
    static const Line six{{.64, .14}, {.46, .25}, {.34, .44}, {.29, .64}, {.35, .81}, {.50, .87},
                          {.65, .80}, {.70, .66}, {.63, .54}, {.49, .50}, {.36, .56}, {.30, .66}};
    static const std::vector<std::vector<Line>> digits = [] {
        std::vector<std::vector<Line>> all{{ellipse(.5, .5, .25, .36)},
                                           {{{.38, .27}, {.53, .13}, {.53, .87}}},
                                           {{{.28, .32},
                                             {.34, .20},
                                             {.50, .13},
                                             {.66, .19},
                                             {.70, .33},
                                             {.62, .48},
                                             {.44, .66},
                                             {.28, .85},
                                             {.74, .85}}},
                                           {{{.30, .20},
                                             {.48, .13},
                                             {.65, .19},
                                             {.68, .33},
                                             {.60, .45},
                                             {.45, .49},
                                             {.62, .54},
                                             {.71, .67},
                                             {.66, .80},
                                             {.48, .87},
                                             {.29, .80}}},
                                           {{{.56, .13}, {.26, .62}, {.77, .62}}, {{.61, .38}, {.61, .88}}},
                                           {{{.70, .15},
                                             {.36, .15},
                                             {.32, .47},
                                             {.50, .42},
                                             {.67, .49},
                                             {.72, .65},
                                             {.65, .80},
                                             {.48, .87},
                                             {.29, .80}}},
                                           {six},
                                           {{{.27, .16}, {.74, .16}, {.58, .46}, {.44, .87}}},
                                           {ellipse(.5, .31, .17, .18), ellipse(.5, .68, .21, .19)},
                                           {six}};
        for (auto& point : all[9][0]) point = {1 - point.x, 1 - point.y};
        return all;
    }();
    return digits[static_cast<std::size_t>(digit)];
}

constexpr int side = 28;

/// Darkens the pixels near a piece of line.
void draw(Point a, Point b, double width, double* ink) {
    const double reach = width + 1, dx = b.x - a.x, dy = b.y - a.y, square = std::max(dx * dx + dy * dy, 1e-9);
    const auto bound = [](double x) { return static_cast<int>(std::clamp(x, 0.0, side - 1.0)); };
    for (int r = bound(std::min(a.y, b.y) - reach); r <= bound(std::max(a.y, b.y) + reach); ++r)
        for (int c = bound(std::min(a.x, b.x) - reach); c <= bound(std::max(a.x, b.x) + reach); ++c) {
            const double along = std::clamp(((c - a.x) * dx + (r - a.y) * dy) / square, 0.0, 1.0);
            const double distance = std::hypot(c - a.x - along * dx, r - a.y - along * dy);
            double& pixel = ink[r * side + c];
            pixel = std::max(pixel, std::clamp(width + 0.5 - distance, 0.0, 1.0));
        }
}

} // namespace

ImageSet drawDigits(int count, bool test) {
    ImageSet set{count, side, side, 10, {}, {}};
    set.pixels.resize(static_cast<std::size_t>(count) * side * side);
    set.labels.resize(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        Stream random(0, addressOf("drawn digits"), test ? 1 : 0, static_cast<std::uint32_t>(i), 0);
        const int digit = static_cast<int>(random.integer(10));
        const double angle = random.uniform(-0.25, 0.25), slant = random.uniform(-0.3, 0.3),
                     width = random.uniform(0.75, 1.1), height = random.uniform(0.8, 1.05),
                     x = 13.5 + random.uniform(-1.5, 1.5), y = 13.5 + random.uniform(-1.5, 1.5),
                     pen = random.uniform(0.8, 1.7);
        const auto place = [&](Point p) {
            p.x += 0.025 * random.normal() - 0.5;
            p.y += 0.025 * random.normal() - 0.5;
            const double u = 24 * width * (p.x - slant * p.y), v = 24 * height * p.y;
            return Point{x + std::cos(angle) * u - std::sin(angle) * v, y + std::sin(angle) * u + std::cos(angle) * v};
        };
        double ink[side * side] = {};
        for (const auto& line : linesOf(digit)) {
            Point last = place(line[0]);
            for (std::size_t k = 1; k < line.size(); ++k) {
                const Point next = place(line[k]);
                draw(last, next, pen, ink);
                last = next;
            }
        }
        set.labels[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(digit);
        for (int p = 0; p < side * side; ++p)
            set.pixels[static_cast<std::size_t>(i) * side * side + static_cast<std::size_t>(p)] =
                static_cast<std::uint8_t>(std::lround(255 * ink[p]));
    }
    return set;
}

} // namespace raphe
