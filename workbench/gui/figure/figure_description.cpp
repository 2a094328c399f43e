// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_description.h"

#include "figure_fields.h"

#include "engine/document/json_reader.h"
#include "raphe/error.h"

#include <cmath>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

namespace raphe {

using namespace figure_json;

namespace {

FigureAxis readAxis(const Json& value, const std::string& place) {
    Fields fields{value, place};
    FigureAxis axis;
    axis.label = fields.text("label");
    axis.unit = fields.text("unit");
    axis.logarithmic = fields.choice<bool>("scale", false, {{"linear", false}, {"log", true}});
    axis.reversed = fields.flag("reversed", false);
    axis.min = fields.optionalNumber("min");
    axis.max = fields.optionalNumber("max");
    axis.categories = fields.texts("categories", 500);
    fields.done();
    if (axis.min && axis.max) requireOrder(*axis.min, *axis.max, place);
    if (axis.logarithmic) {
        if (!axis.categories.empty()) throw Error(place + ".categories", "cannot stand on a log axis");
        for (const auto& [key, bound] : {std::pair{".min", axis.min}, std::pair{".max", axis.max}}) {
            if (bound && *bound <= 0)
                throw Error(place + key, "a log axis needs values above 0, got " + shown(Json(*bound)));
        }
    }
    return axis;
}

const std::vector<std::pair<std::string, FigureStroke>> strokes{{"auto", FigureStroke::automatic},
                                                                {"solid", FigureStroke::solid},
                                                                {"dash", FigureStroke::dash},
                                                                {"dot", FigureStroke::dot}};

FigureLine readLine(Fields& fields, Budget& budget) {
    FigureLine line;
    line.x = fields.numbers("x", budget, Gaps::refused);
    line.y = fields.numbers("y", budget, Gaps::allowed, line.x.size());
    line.width = fields.numberWithin("width", line.width, 0.1, 20);
    line.stroke = fields.choice("style", line.stroke, strokes);
    line.markers = fields.flag("markers", false);
    return line;
}

void requireOrdered(const std::vector<double>& lower, const std::vector<double>& upper, const std::string& place) {
    for (std::size_t i = 0; i < lower.size(); ++i) {
        if (lower[i] > upper[i]) {
            throw Error(element(place, i),
                        "expected at least the lower end " + shown(Json(lower[i])) + ", got " + shown(Json(upper[i])));
        }
    }
}

FigureBand readBand(Fields& fields, Budget& budget) {
    FigureBand band;
    band.x = fields.numbers("x", budget, Gaps::refused);
    band.lower = fields.numbers("lower", budget, Gaps::allowed, band.x.size());
    band.upper = fields.numbers("upper", budget, Gaps::allowed, band.x.size());
    requireOrdered(band.lower, band.upper, fields.placeOf("upper"));
    return band;
}

/// The optional whiskers of points and bars: both ends or neither.
template <class Series>
void readWhiskers(Fields& fields, Budget& budget, Series& series) {
    series.lower = fields.optionalNumbers("lower", budget, Gaps::allowed, series.x.size());
    series.upper = fields.optionalNumbers("upper", budget, Gaps::allowed, series.x.size());
    if (series.lower.size() != series.upper.size()) {
        throw Error(fields.placeOf(series.lower.empty() ? "lower" : "upper"), "is missing; whiskers need both ends");
    }
    requireOrdered(series.lower, series.upper, fields.placeOf("upper"));
}

FigurePoints readPoints(Fields& fields, Budget& budget) {
    FigurePoints points;
    points.x = fields.numbers("x", budget, Gaps::refused);
    points.y = fields.numbers("y", budget, Gaps::allowed, points.x.size());
    readWhiskers(fields, budget, points);
    points.size = fields.numberWithin("size", points.size, 0.5, 40);
    points.jitter = fields.numberWithin("jitter", 0, 0, 1e9);
    points.marker = fields.choice<FigureMarker>("marker", points.marker,
                                                {{"circle", FigureMarker::circle},
                                                 {"square", FigureMarker::square},
                                                 {"triangle", FigureMarker::triangle},
                                                 {"diamond", FigureMarker::diamond}});
    return points;
}

FigureRaster readRaster(Fields& fields, Budget& budget) {
    FigureRaster raster;
    raster.x = fields.numbers("x", budget, Gaps::refused);
    raster.y = fields.numbers("y", budget, Gaps::refused, raster.x.size());
    raster.height = fields.numberWithin("height", raster.height, 1e-6, 1e6);
    return raster;
}

FigureHeatmap readHeatmap(Fields& fields, Budget& budget) {
    FigureHeatmap map;
    const Json& rows = fields.require("values");
    const std::string place = fields.placeOf("values");
    if (!rows.is_array() || rows.empty())
        throw Error(place, "expected a list of rows, got " + (rows.is_array() ? "an empty list" : shown(rows)));
    map.rows = rows.size();
    for (std::size_t row = 0; row < map.rows; ++row) {
        const Json& list = rows[row];
        const std::string rowPlace = element(place, row);
        if (!list.is_array()) throw Error(rowPlace, "expected a list of numbers, got " + shown(list));
        if (row == 0) {
            map.columns = list.size();
            if (map.columns == 0) throw Error(rowPlace, "expected a list of numbers, got an empty list");
        }
        if (list.size() != map.columns) {
            throw Error(rowPlace,
                        "expected " + std::to_string(map.columns) + " numbers, got " + std::to_string(list.size()));
        }
        budget.take(list.size(), rowPlace);
        appendNumbers(list, rowPlace, Gaps::allowed, map.values);
    }
    map.xRange = fields.range("x_range");
    map.yRange = fields.range("y_range");
    map.label = fields.text("label");
    map.unit = fields.text("unit");
    map.min = fields.optionalNumber("min");
    map.max = fields.optionalNumber("max");
    if (map.min && map.max) requireOrder(*map.min, *map.max, fields.placeOf("max"));
    map.colorMap = fields.choice<FigureColorMap>("color_map", map.colorMap,
                                                 {{"viridis", FigureColorMap::viridis},
                                                  {"diverging", FigureColorMap::diverging},
                                                  {"gray", FigureColorMap::gray}});
    return map;
}

FigureReference readReference(Fields& fields, bool horizontal) {
    FigureReference line;
    line.horizontal = horizontal;
    line.at = number(fields.require("at"), fields.placeOf("at"));
    line.label = fields.text("label");
    line.width = fields.numberWithin("width", line.width, 0.1, 20);
    line.stroke = fields.choice("style", line.stroke, strokes);
    return line;
}

FigureReference readHorizontal(Fields& fields, Budget&) { return readReference(fields, true); }
FigureReference readVertical(Fields& fields, Budget&) { return readReference(fields, false); }

FigureBars readBars(Fields& fields, Budget& budget) {
    FigureBars bars;
    bars.x = fields.numbers("x", budget, Gaps::refused);
    bars.y = fields.numbers("y", budget, Gaps::allowed, bars.x.size());
    readWhiskers(fields, budget, bars);
    bars.width = fields.numberWithin("width", bars.width, 1e-9, 1e9);
    return bars;
}

FigureSpans readSpans(Fields& fields, Budget& budget) {
    FigureSpans spans;
    spans.x = fields.numbers("x", budget, Gaps::refused);
    spans.to = fields.numbers("to", budget, Gaps::refused, spans.x.size());
    requireOrdered(spans.x, spans.to, fields.placeOf("to"));
    spans.y = fields.numbers("y", budget, Gaps::refused, spans.x.size());
    spans.height = fields.numberWithin("height", spans.height, 1e-6, 1e6);
    spans.labels = fields.texts("labels", FigureLimits::numbers);
    if (!spans.labels.empty() && spans.labels.size() != spans.x.size())
        throw Error(fields.placeOf("labels"), "expected " + std::to_string(spans.x.size()) + " texts, got " +
                                                  std::to_string(spans.labels.size()));
    return spans;
}

using SeriesReader = void (*)(Fields&, Budget&, FigureSeries&);

template <auto read>
void into(Fields& fields, Budget& budget, FigureSeries& series) {
    series.data = read(fields, budget);
}

FigureSeries readSeries(const Json& value, const std::string& place, Budget& budget) {
    Fields fields{value, place};
    const bool heatmap = fields.require("kind") == "heatmap";
    const auto read = fields.choice<SeriesReader>("kind", nullptr,
                                                  {{"line", into<readLine>},
                                                   {"band", into<readBand>},
                                                   {"points", into<readPoints>},
                                                   {"raster", into<readRaster>},
                                                   {"heatmap", into<readHeatmap>},
                                                   {"hline", into<readHorizontal>},
                                                   {"vline", into<readVertical>},
                                                   {"bars", into<readBars>},
                                                   {"spans", into<readSpans>}});
    FigureSeries series;
    if (!heatmap) {
        series.name = fields.text("name");
        series.group = fields.text("group");
        series.color = fields.color("color");
    }
    read(fields, budget, series);
    fields.done();
    return series;
}

void requirePositive(const std::vector<double>& values, const std::string& place) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] <= 0)
            throw Error(element(place, i), "a log axis needs values above 0, got " + shown(Json(values[i])));
    }
}

/// A log axis can show neither zero nor negative values, nor what is drawn from zero.
void checkLogAxes(const FigurePanel& panel, const FigureSeries& series, const std::string& place) {
    std::visit(
        [&](const auto& data) {
            using Data = std::decay_t<decltype(data)>;
            if constexpr (std::is_same_v<Data, FigureHeatmap>) {
                if (panel.x.logarithmic || panel.y.logarithmic)
                    throw Error(place, "a heatmap cannot stand on a log axis");
            } else if constexpr (std::is_same_v<Data, FigureReference>) {
                if ((data.horizontal ? panel.y : panel.x).logarithmic) requirePositive({data.at}, place + ".at");
            } else {
                if (std::is_same_v<Data, FigureBars> && (panel.x.logarithmic || panel.y.logarithmic)) {
                    throw Error(place, "bars start at zero and cannot stand on a log axis");
                }
                if (panel.x.logarithmic) requirePositive(data.x, place + ".x");
                if (!panel.y.logarithmic) return;
                if constexpr (requires { data.y; }) requirePositive(data.y, place + ".y");
                if constexpr (requires { data.lower; }) requirePositive(data.lower, place + ".lower");
                if constexpr (requires { data.upper; }) requirePositive(data.upper, place + ".upper");
            }
        },
        series.data);
}

FigurePanel readPanel(const Json& value, const std::string& place, Budget& budget) {
    Fields fields{value, place};
    FigurePanel panel;
    panel.title = fields.text("title");
    if (const Json* axis = fields.find("x")) panel.x = readAxis(*axis, fields.placeOf("x"));
    if (const Json* axis = fields.find("y")) panel.y = readAxis(*axis, fields.placeOf("y"));
    panel.legend = fields.choice<FigureLegend>("legend", FigureLegend::automatic,
                                               {{"auto", FigureLegend::automatic},
                                                {"none", FigureLegend::none},
                                                {"top-left", FigureLegend::topLeft},
                                                {"top-right", FigureLegend::topRight},
                                                {"bottom-left", FigureLegend::bottomLeft},
                                                {"bottom-right", FigureLegend::bottomRight},
                                                {"outside", FigureLegend::outside}});
    const Json& list = fields.require("series");
    const std::string listPlace = fields.placeOf("series");
    fields.done();
    if (!list.is_array()) throw Error(listPlace, "expected a list, got " + shown(list));
    if (list.size() > FigureLimits::seriesPerPanel) {
        throw Error(listPlace, "expected at most " + std::to_string(FigureLimits::seriesPerPanel) + " series, got " +
                                   std::to_string(list.size()));
    }
    std::map<std::string, FigureColor> colorOfGroup;
    bool heatmap = false;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string seriesPlace = element(listPlace, i);
        FigureSeries series = readSeries(list[i], seriesPlace, budget);
        checkLogAxes(panel, series, seriesPlace);
        if (std::holds_alternative<FigureHeatmap>(series.data) && std::exchange(heatmap, true)) {
            throw Error(seriesPlace, "a panel holds one heatmap; put the second into a panel of its own");
        }
        if (series.color && !series.group.empty() && !colorOfGroup.try_emplace(series.group, *series.color).second &&
            colorOfGroup[series.group] != *series.color) {
            throw Error(seriesPlace + ".color",
                        "the group " + shown(Json(series.group)) + " has another color already");
        }
        panel.series.push_back(std::move(series));
    }
    return panel;
}

} // namespace

FigureDescription parseFigure(const nlohmann::ordered_json& document) {
    Fields fields{document, ""};
    const Json& version = fields.require("raphe_figure");
    if (version != 1) throw Error("raphe_figure", "expected version 1, got " + shown(version));
    FigureDescription figure;
    figure.title = fields.text("title");
    const Json& panels = fields.require("panels");
    const Json* layout = fields.find("layout");
    fields.done();
    if (!panels.is_array() || panels.empty()) {
        throw Error("panels", "expected a list of at least one panel, got " +
                                  (panels.is_array() ? "an empty list" : shown(panels)));
    }
    if (panels.size() > FigureLimits::panels) {
        throw Error("panels", "expected at most " + std::to_string(FigureLimits::panels) + " panels, got " +
                                  std::to_string(panels.size()));
    }
    std::optional<std::size_t> rows, columns;
    Budget budget;
    if (layout) {
        Fields grid{*layout, "layout"};
        rows = grid.count("rows", FigureLimits::gridSide);
        columns = grid.count("columns", FigureLimits::gridSide);
        if (grid.find("row_heights")) figure.rowHeights = grid.numbers("row_heights", budget, Gaps::refused);
        for (std::size_t row = 0; row < figure.rowHeights.size(); ++row)
            if (figure.rowHeights[row] < 0.01 || figure.rowHeights[row] > 100)
                throw Error(element(grid.placeOf("row_heights"), row),
                            "expected a number from 0.01 to 100, got " + shown(Json(figure.rowHeights[row])));
        grid.done();
    }
    // What the layout leaves open: as square as the number of panels allows, wide rather than high.
    const std::size_t count = panels.size();
    const auto covering = [count](std::size_t side) { return (count + side - 1) / side; };
    const auto square = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(count))));
    figure.columns = columns ? *columns : rows ? covering(*rows) : square;
    figure.rows = rows ? *rows : covering(figure.columns);
    if (figure.rows * figure.columns < count) {
        throw Error("layout", "a grid of " + std::to_string(figure.rows) + " x " + std::to_string(figure.columns) +
                                  " is too small for " + std::to_string(count) + " panels");
    }
    if (!figure.rowHeights.empty() && figure.rowHeights.size() != figure.rows)
        throw Error("layout.row_heights", "expected a number for each of the " + std::to_string(figure.rows) +
                                              " rows, got " + std::to_string(figure.rowHeights.size()));
    for (std::size_t i = 0; i < count; ++i) figure.panels.push_back(readPanel(panels[i], element("panels", i), budget));
    return figure;
}

FigureDescription parseFigure(std::string_view text, const std::string& place) {
    if (text.size() > FigureLimits::bytes) {
        throw Error(place, "expected at most " + std::to_string(FigureLimits::bytes) + " bytes, got " +
                               std::to_string(text.size()));
    }
    // A document nests nine deep at most; texts and containers come on top of the numbers.
    const JsonLimits limits{.bytes = FigureLimits::bytes, .depth = 16, .values = FigureLimits::numbers + 1'000'000};
    return parseFigure(parseJson(text, place, limits));
}

std::string figureLabel(const std::string& label, const std::string& unit) {
    if (unit.empty()) return label;
    return label.empty() ? "(" + unit + ")" : label + " (" + unit + ")";
}

} // namespace raphe
