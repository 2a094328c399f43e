// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/comparison.h"

#include "engine/analysis/statistics.h"
#include "engine/base/text.h"
#include "engine/runs/run_reader.h"
#include "engine/runs/run_table.h"
#include "raphe/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace raphe {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t shownPoints = 2000;

/// What the axis calls a metric.
std::pair<std::string, std::string> label(const std::string& metric) {
    if (metric == "reward") return {"Reward per episode", "reward units"};
    std::string text = metric;
    std::replace(text.begin(), text.end(), '_', ' ');
    if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
    return {text, ""};
}

std::vector<double> values(const RunList& runs, const std::string& metric) {
    std::vector<double> result;
    for (const auto& run : runs)
        for (const auto& [name, value] : run->metrics)
            if (name == metric) result.push_back(value);
    return result;
}

/// What a JSON document can say: a gap is null.
Json numbers(const std::vector<double>& values, bool positive = false) {
    Json list = Json::array();
    for (const double value : values)
        list.push_back(std::isfinite(value) && (!positive || value > 0) ? Json(value) : Json(nullptr));
    return list;
}

struct Summary {
    std::vector<double> x, median, lower, upper;
};

/// @param curves  smoothed; those without values are left out
Summary summaryOf(const std::vector<MetricCurve>& curves) {
    const MetricCurve* longest = nullptr;
    std::size_t runs = 0;
    for (const auto& curve : curves) {
        if (curve.values.empty()) continue;
        ++runs;
        if (!longest || curve.values.size() > longest->values.size()) longest = &curve;
    }
    Summary result;
    if (!longest) return result;
    const std::size_t stride = std::max<std::size_t>(1, longest->values.size() / shownPoints);
    for (std::size_t i = stride - 1; i < longest->values.size(); i += stride) {
        std::vector<double> here;
        std::size_t going = 0;
        for (const auto& curve : curves) {
            if (i >= curve.values.size()) continue;
            ++going;
            here.push_back(curve.values[i]);
        }
        if (2 * going < runs) break;
        const auto found = quartilesOf(std::move(here));
        result.x.push_back(longest->iterations[i]);
        result.median.push_back(found.median);
        result.lower.push_back(found.lower);
        result.upper.push_back(found.upper);
    }
    return result;
}

Json curvesPanel(const GroupCurves& given, const CurveStyle& style) {
    Json series = Json::array();
    const bool each = style.show != CurveStyle::Show::groups;
    for (std::size_t g = 0; g < given.groups.size(); ++g) {
        const auto& name = given.groups[g].name;
        std::vector<MetricCurve> smooth = given.curves[g];
        std::size_t runs = 0;
        for (auto& curve : smooth) {
            const auto width = style.smoothing > 0 ? static_cast<std::size_t>(style.smoothing)
                                                   : std::max<std::size_t>(1, curve.values.size() / 100);
            curve.values = statistics::movingMean(curve.values, width);
            runs += curve.values.empty() ? 0 : 1;
        }
        if (runs == 0) continue;
        const auto legend = runs > 1 ? fmt::format("{} ({} runs)", name, runs) : name;
        bool named = style.show == CurveStyle::Show::both && runs > 1; // by the line of the group
        if (each)
            for (const auto& curve : smooth) {
                if (curve.values.empty()) continue;
                std::vector<double> x, y;
                const std::size_t stride = std::max<std::size_t>(1, curve.values.size() / shownPoints);
                for (std::size_t i = stride - 1; i < curve.values.size(); i += stride) {
                    x.push_back(curve.iterations[i]);
                    y.push_back(curve.values[i]);
                }
                Json line = {{"kind", "line"}, {"group", name}};
                if (!named) line["name"] = legend;
                line["x"] = x;
                line["y"] = numbers(y, style.logarithmic);
                line["width"] = runs > 1 ? 0.75 : 1.5;
                series.push_back(std::move(line));
                named = true;
            }
        if (style.show == CurveStyle::Show::runs || (each && runs == 1)) continue;
        const auto summary = summaryOf(smooth);
        if (runs > 1 && !each)
            series.push_back({{"kind", "band"},
                              {"group", name},
                              {"x", summary.x},
                              {"lower", numbers(summary.lower, style.logarithmic)},
                              {"upper", numbers(summary.upper, style.logarithmic)}});
        series.push_back({{"kind", "line"},
                          {"group", name},
                          {"name", legend},
                          {"x", summary.x},
                          {"y", numbers(summary.median, style.logarithmic)},
                          {"width", each ? 2 : 1.5}});
    }
    const auto [text, unit] = label(given.metric);
    Json y = {{"label", text}, {"unit", unit}};
    if (style.logarithmic) y["scale"] = "log";
    return {{"x", {{"label", "Iteration"}}}, {"y", y}, {"series", series}};
}

/// Each run as a point, and beside them the group's median with its quartiles.
Json finalsPanel(const GroupCurves& given, const CurveStyle& style) {
    Json series = Json::array(), categories = Json::array();
    std::size_t at = 0;
    for (const auto& group : given.groups) {
        auto ends = values(group.runs, given.metric);
        if (ends.empty()) continue;
        categories.push_back(group.name);
        const double x = static_cast<double>(at++);
        const auto found = quartilesOf(ends);
        series.push_back({{"kind", "points"},
                          {"group", group.name},
                          {"x", std::vector<double>(ends.size(), x)},
                          {"y", numbers(ends, style.logarithmic)},
                          {"size", 4},
                          {"jitter", ends.size() > 1 ? 0.12 : 0.0}});
        if (ends.size() > 1)
            series.push_back({{"kind", "points"},
                              {"group", group.name},
                              {"x", {x + 0.28}},
                              {"y", numbers({found.median}, style.logarithmic)},
                              {"lower", numbers({found.lower}, style.logarithmic)},
                              {"upper", numbers({found.upper}, style.logarithmic)},
                              {"marker", "diamond"},
                              {"size", 7}});
    }
    const auto [text, unit] = label(given.metric);
    Json y = {{"label", text}, {"unit", unit}};
    if (style.logarithmic) y["scale"] = "log";
    return {{"title", "At the end (last 5 %)"},
            {"x", {{"categories", categories}}},
            {"y", y},
            {"legend", "none"},
            {"series", series}};
}

} // namespace

RunList runsIn(const std::vector<std::filesystem::path>& folders) {
    RunList runs;
    for (const auto& folder : folders) {
        auto entry = std::make_shared<RunEntry>(runEntry(folder));
        if (entry->state == "unreadable") throw Error(folder.string(), entry->problem);
        runs.push_back(std::move(entry));
    }
    return runs;
}

std::vector<RunGroup> groupRuns(const RunList& runs) {
    std::map<std::string, RunList> experiments;
    for (const auto& run : runs) experiments[nameOf(*run)].push_back(run);
    std::map<std::string, std::vector<std::string>> differing;
    for (const auto& [name, same] : experiments) differing[name] = differingSettings(same);

    constexpr std::size_t namedSettings = 3;
    std::vector<RunGroup> groups;
    std::map<std::pair<std::string, std::vector<std::string>>, std::size_t> places;
    std::set<std::string> names;
    for (const auto& run : runs) {
        const auto experiment = nameOf(*run);
        std::vector<std::string> values, words;
        for (const auto& setting : differing[experiment]) {
            const auto found = run->settings.find(setting);
            values.push_back(found == run->settings.end() ? "" : found->second);
            if (words.size() < namedSettings)
                words.push_back(found == run->settings.end() ? "without " + setting
                                                             : setting + " " + settingText(found->second));
        }
        const auto [place, fresh] = places.try_emplace({experiment, values}, groups.size());
        if (fresh) {
            auto name = words.empty()            ? experiment
                        : experiments.size() > 1 ? experiment + ", " + joined(words)
                                                 : joined(words);
            if (values.size() > namedSettings) name += ", …";
            const auto stem = name;
            for (int i = 2; !names.insert(name).second; ++i) name = fmt::format("{} ({})", stem, i);
            groups.push_back({name, {}});
        }
        groups[place->second].runs.push_back(run);
    }
    return groups;
}

Quartiles quartilesOf(std::vector<double> values) {
    values.erase(std::remove_if(values.begin(), values.end(), [](double v) { return std::isnan(v); }), values.end());
    if (values.empty()) return {nan, nan, nan, 0};
    std::sort(values.begin(), values.end());
    return {statistics::sortedQuantile(values, 0.25), statistics::sortedQuantile(values, 0.5),
            statistics::sortedQuantile(values, 0.75), values.size()};
}

Quartiles finalMetric(const RunList& runs, const std::string& metric) { return quartilesOf(values(runs, metric)); }

GroupCurves readCurves(std::vector<RunGroup> groups, std::string metric) {
    RunList runs;
    for (const auto& group : groups) runs.insert(runs.end(), group.runs.begin(), group.runs.end());
    const auto names = metricNames(runs);
    const auto has = [&](const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (metric.empty()) metric = has("reward") ? "reward" : "loss";
    const std::string place = runs.size() == 1 ? runs.front()->folder.string() : "runs";
    if (names.empty()) throw Error(place, runs.size() == 1 ? "has no metrics yet" : "none of these has metrics yet");
    if (!has(metric)) throw Error(place, "no metric is called \"" + metric + "\"" + suggestion(metric, names));
    GroupCurves result{metric, std::move(groups), {}};
    for (const auto& group : result.groups) {
        auto& curves = result.curves.emplace_back();
        for (const auto& run : group.runs) {
            curves.emplace_back();
            const bool measured = std::any_of(run->metrics.begin(), run->metrics.end(),
                                              [&](const auto& item) { return item.first == metric; });
            if (measured) curves.back() = RunReader::open(run->folder).curve(metric);
        }
    }
    return result;
}

Json learningCurves(const GroupCurves& curves, const CurveStyle& style) {
    std::size_t runs = 0;
    for (const auto& group : curves.groups) runs += group.runs.size();
    Json panels = Json::array({curvesPanel(curves, style)});
    if (style.finals) panels.push_back(finalsPanel(curves, style));
    const bool several = style.show == CurveStyle::Show::groups && runs > curves.groups.size();
    Json figure = {{"raphe_figure", 1}, {"title", several ? "Median and quartiles" : ""}, {"panels", panels}};
    if (style.finals) figure["layout"] = {{"rows", 1}, {"columns", 2}};
    return figure;
}

Table curvesTable(const GroupCurves& given) {
    Table table{given.metric, {"iteration"}, {}};
    std::vector<const MetricCurve*> columns;
    std::vector<MetricCurve> summaries;
    summaries.reserve(3 * given.groups.size());
    const MetricCurve* longest = nullptr;
    for (std::size_t g = 0; g < given.groups.size(); ++g) {
        const auto& group = given.groups[g];
        for (std::size_t r = 0; r < group.runs.size(); ++r) {
            const auto& curve = given.curves[g][r];
            if (curve.values.empty()) continue;
            table.columns.push_back(fmt::format("{}, seed {}, {}", group.name, group.runs[r]->seed,
                                                group.runs[r]->folder.filename().string()));
            columns.push_back(&curve);
            if (!longest || curve.values.size() > longest->values.size()) longest = &curve;
        }
        if (group.runs.size() < 2) continue;
        MetricCurve median, lower, upper;
        for (std::size_t i = 0;; ++i) {
            std::vector<double> here;
            for (const auto& curve : given.curves[g])
                if (i < curve.values.size()) here.push_back(curve.values[i]);
            if (here.empty()) break;
            const auto found = quartilesOf(std::move(here));
            median.values.push_back(found.median);
            lower.values.push_back(found.lower);
            upper.values.push_back(found.upper);
        }
        for (auto& [what, curve] :
             {std::pair{"median", &median}, std::pair{"lower quartile", &lower}, std::pair{"upper quartile", &upper}}) {
            summaries.push_back(std::move(*curve));
            table.columns.push_back(group.name + ", " + what);
            columns.push_back(&summaries.back());
        }
    }
    for (std::size_t i = 0; longest && i < longest->values.size(); ++i) {
        std::vector<double> row{longest->iterations[i]};
        for (const auto* curve : columns) row.push_back(i < curve->values.size() ? curve->values[i] : nan);
        table.rows.push_back(std::move(row));
    }
    return table;
}

std::string comparisonAsCsv(const std::vector<RunGroup>& groups) {
    RunList runs;
    for (const auto& group : groups) runs.insert(runs.end(), group.runs.begin(), group.runs.end());
    const auto settings = differingSettings(runs), metrics = metricNames(runs);
    std::vector<std::string> header{"group", "run", "seed", "state", "runs"};
    header.insert(header.end(), settings.begin(), settings.end());
    for (const auto& metric : metrics)
        for (const char* what : {"", " lower quartile", " upper quartile"}) header.push_back(metric + what);
    CsvText csv(header);
    const auto settingsOf = [&](const RunEntry& run, std::vector<std::string>& cells) {
        for (const auto& name : settings) {
            const auto found = run.settings.find(name);
            cells.push_back(found == run.settings.end() ? "" : settingText(found->second));
        }
    };
    for (const auto& group : groups) {
        std::vector<std::string> cells{group.name, "", "", "", std::to_string(group.runs.size())};
        settingsOf(*group.runs.front(), cells);
        for (const auto& metric : metrics) {
            const auto found = finalMetric(group.runs, metric);
            for (const double value : {found.median, found.lower, found.upper}) cells.push_back(csvNumber(value));
        }
        csv.row(cells);
        for (const auto& run : group.runs) {
            cells = {group.name, run->folder.string(), run->seed, run->state, "1"};
            settingsOf(*run, cells);
            for (const auto& metric : metrics) {
                cells.push_back(csvNumber(finalMetric({run}, metric).median));
                cells.insert(cells.end(), 2, "");
            }
            csv.row(cells);
        }
    }
    return csv.text();
}

} // namespace raphe
