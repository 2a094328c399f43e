// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/figure.h"

#include "engine/analysis/statistics.h"
#include "engine/base/files.h"
#include "engine/base/process.h"
#include "engine/base/text.h"
#include "engine/document/json_reader.h"
#include "engine/mechanisms/plugin_host.h"
#include "engine/runs/run_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace raphe {

namespace {

std::vector<double> movingAverage(const std::vector<double>& values, int width) {
    std::vector<double> result(values.size());
    double sum = 0;
    const auto w = static_cast<std::size_t>(width);
    for (std::size_t i = 0; i < values.size(); ++i) {
        sum += values[i];
        if (i >= w) sum -= values[i - w];
        result[i] = sum / static_cast<double>(std::min(i + 1, w));
    }
    return result;
}

/// Where a run has `metric` among those of its first iteration. An empty name becomes "reward" if there is one, else
/// "loss".
std::size_t columnOf(std::string& metric, const Metrics& first, const std::filesystem::path& folder) {
    std::vector<std::string> names;
    for (const auto& [name, value] : first.values) names.push_back(name);
    if (metric.empty()) metric = std::find(names.begin(), names.end(), "reward") != names.end() ? "reward" : "loss";
    const auto found = std::find(names.begin(), names.end(), metric);
    if (found == names.end())
        throw Error(folder.string(), "has no metric \"" + metric + "\"" + suggestion(metric, names));
    return static_cast<std::size_t>(found - names.begin());
}

/// What the axis calls a metric.
std::pair<std::string, std::string> label(const std::string& metric) {
    if (metric == "reward") return {"Reward per episode", "reward units"};
    std::string text = metric;
    std::replace(text.begin(), text.end(), '_', ' ');
    if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
    return {text, ""};
}

} // namespace

std::vector<RunGroup> groupRuns(const std::vector<std::filesystem::path>& folders) {
    std::vector<RunGroup> groups;
    for (const auto& folder : folders) {
        const auto path = folder / "experiment.json";
        if (!std::filesystem::exists(path))
            throw Error(folder.string(), "is not a run folder (it has no experiment.json)");
        const auto document = readJson(path);
        const std::string name = document.is_object() && document.contains("name") && document["name"].is_string()
                                     ? document["name"].get<std::string>()
                                     : folder.filename().string();
        auto found = std::find_if(groups.begin(), groups.end(), [&](const RunGroup& g) { return g.name == name; });
        if (found == groups.end()) found = groups.insert(groups.end(), {name, {}});
        found->runs.push_back(folder);
    }
    return groups;
}

Json learningCurves(const std::vector<RunGroup>& groups, std::string metric, int smoothing) {
    constexpr std::size_t shownPoints = 2000;
    Json series = Json::array();
    std::size_t runCount = 0;
    for (const auto& group : groups) {
        std::vector<std::vector<double>> curves;
        std::vector<double> iterations;
        for (const auto& folder : group.runs) {
            std::vector<double> curve, done;
            std::size_t column = 0;
            RunReader::open(folder).forEachMetrics([&](const Metrics& item) {
                if (curve.empty()) column = columnOf(metric, item, folder);
                curve.push_back(column < item.values.size() ? item.values[column].second : std::nan(""));
                done.push_back(static_cast<double>(item.iteration + 1));
            });
            if (curve.empty()) throw Error(folder.string(), "has no metrics yet");
            const int width = smoothing > 0 ? smoothing : std::max(1, static_cast<int>(curve.size() / 100));
            curves.push_back(movingAverage(curve, width));
            if (iterations.size() < done.size()) iterations = std::move(done);
            ++runCount;
        }
        std::vector<double> x, median, lower, upper;
        const std::size_t stride = std::max<std::size_t>(1, iterations.size() / shownPoints);
        for (std::size_t i = stride - 1; i < iterations.size(); i += stride) {
            std::vector<double> values;
            for (const auto& curve : curves)
                if (i < curve.size() && std::isfinite(curve[i])) values.push_back(curve[i]);
            const auto at = [&](double q) { return values.empty() ? std::nan("") : statistics::quantile(values, q); };
            x.push_back(iterations[i]);
            median.push_back(at(0.5));
            lower.push_back(at(0.25));
            upper.push_back(at(0.75));
        }
        const auto name =
            group.runs.size() > 1 ? fmt::format("{} ({} runs)", group.name, group.runs.size()) : group.name;
        if (group.runs.size() > 1)
            series.push_back({{"kind", "band"}, {"group", group.name}, {"x", x}, {"lower", lower}, {"upper", upper}});
        series.push_back({{"kind", "line"}, {"group", group.name}, {"name", name}, {"x", x}, {"y", median}});
    }
    const auto [text, unit] = label(metric);
    Json yAxis = {{"label", text}, {"unit", unit}};
    return {{"raphe_figure", 1},
            {"title", runCount > groups.size() ? "Median and quartiles" : ""},
            {"panels", Json::array({{{"x", {{"label", "Iteration"}}}, {"y", yAxis}, {"series", series}}})}};
}

void drawFigure(const Json& description, const std::filesystem::path& picture) {
    const auto extension = picture.extension().string();
    if (extension != ".svg" && extension != ".png" && extension != ".pdf")
        throw Error(picture.string(), "pictures are written as .svg, .png or .pdf");
    if (const auto folder = picture.parent_path(); !folder.empty()) {
        std::error_code problem;
        std::filesystem::create_directories(folder, problem);
        if (problem) throw Error(picture.string(), "its folder cannot be made: " + problem.message());
    }
    const auto program = programFolder() / "raphe-figure";
    if (!std::filesystem::exists(program))
        throw Error(program.string(),
                    "the program that draws figures is missing; build or install Raphe with Qt 6 (RAPHE_BUILD_GUI=ON)");

    const auto result = runProcess({program.string(), "-", "-o", picture.string()}, description.dump());
    if (result.exitCode != 0) {
        const auto said = result.output + result.messages;
        throw Error(picture.string(), "could not be drawn: " +
                                          (said.empty() ? std::string("raphe-figure ended without a message") : said));
    }
}

} // namespace raphe
