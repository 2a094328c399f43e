// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace raphe {

/// What a figure shows, as plain values: read from JSON by parseFigure(), drawn by FigureWidget. The JSON form is
/// documented in resources/docs/figures.md. In every vector of coordinates a NaN is a gap (JSON: null).

/// One axis of a panel. Without min or max the range follows the data.
struct FigureAxis {
    std::string label;
    std::string unit;
    bool logarithmic = false;
    bool reversed = false;
    std::optional<double> min;
    std::optional<double> max;
    std::vector<std::string> categories; ///< when given, the ticks: names at 0, 1, 2...

    bool operator==(const FigureAxis&) const = default;
};

enum class FigureStroke { automatic, solid, dash, dot };
enum class FigureMarker { circle, square, triangle, diamond };
enum class FigureColorMap { viridis, diverging, gray };
enum class FigureLegend { automatic, none, topLeft, topRight, bottomLeft, bottomRight, outside };

using FigureColor = std::array<unsigned char, 3>; ///< red, green, blue

struct FigureLine {
    std::vector<double> x, y;
    double width = 1.5; ///< in units of 1/96 inch, like all sizes on paper
    FigureStroke stroke = FigureStroke::automatic;
    bool markers = false;
};

/// The region between two curves, translucent.
struct FigureBand {
    std::vector<double> x, lower, upper;
};

/// Scattered points, with optional whiskers from lower to upper. `jitter` spreads them in x by at most this much to
/// either side, the same way at every drawing.
struct FigurePoints {
    std::vector<double> x, y, lower, upper;
    double size = 5;
    double jitter = 0;
    FigureMarker marker = FigureMarker::circle;
};

/// Events: a short upright stroke at each (time, row).
struct FigureRaster {
    std::vector<double> x, y;
    double height = 0.8; ///< of a stroke, in rows
};

/// Periods: a bar from x to `to` in each row y, e.g. when a cue is shown.
struct FigureSpans {
    std::vector<double> x, to, y;
    std::vector<std::string> labels; ///< written into them where there is room; empty: none
    double height = 0.8;             ///< of a bar, in rows
};

/// A matrix of colours with a colour bar. The ranges are the outer edges of the first and last cell.
struct FigureHeatmap {
    std::size_t rows = 0, columns = 0;
    std::vector<double> values; ///< row after row
    std::optional<std::array<double, 2>> xRange, yRange;
    std::string label, unit;
    std::optional<double> min, max;
    FigureColorMap colorMap = FigureColorMap::viridis;
};

/// A reference line across the panel, with its label written beside it.
struct FigureReference {
    bool horizontal = true;
    double at = 0;
    std::string label;
    double width = 1;
    FigureStroke stroke = FigureStroke::dash;
};

/// Bars from zero, with optional whiskers. Several bar series of a panel stand side by side within `width`.
struct FigureBars {
    std::vector<double> x, y, lower, upper;
    double width = 0.8;
};

struct FigureSeries {
    std::string name;  ///< in the legend; empty: not there
    std::string group; ///< series of one group share a colour; empty: the name serves as the group
    std::optional<FigureColor> color;
    std::variant<FigureLine, FigureBand, FigurePoints, FigureRaster, FigureHeatmap, FigureReference, FigureBars,
                 FigureSpans>
        data;
};

struct FigurePanel {
    std::string title;
    FigureAxis x, y;
    FigureLegend legend = FigureLegend::automatic;
    std::vector<FigureSeries> series;
};

struct FigureDescription {
    std::string title;
    std::vector<FigurePanel> panels;
    std::size_t rows = 1, columns = 1; ///< the grid; panels fill it row after row
    std::vector<double> rowHeights;    ///< relative to one another; empty: all alike
};

/// What a description may hold. Whatever exceeds it is refused before it is stored.
struct FigureLimits {
    static constexpr std::size_t bytes = std::size_t{512} << 20;
    static constexpr std::size_t panels = 64;
    static constexpr std::size_t seriesPerPanel = 500;
    static constexpr std::size_t numbers = 20'000'000; ///< in the whole figure
    static constexpr std::size_t characters = 1000;    ///< of one text
    static constexpr std::size_t gridSide = 16;
    static constexpr double magnitude = 1e200;
};

/// Reads and checks a figure description.
/// @throws Error with the place, e.g. `panels[0].series[1].y: expected 200 numbers, got 150`
FigureDescription parseFigure(const nlohmann::ordered_json& document);
/// The same from JSON text; `place` (a file name) stands in front of syntax errors.
FigureDescription parseFigure(std::string_view text, const std::string& place);

/// "Reward per episode (reward units)": the label with its unit in parentheses.
std::string figureLabel(const std::string& label, const std::string& unit);

} // namespace raphe
