// SPDX-License-Identifier: Apache-2.0
#include "engine/studies/study_results.h"

#include "engine/analysis/comparison.h"
#include "engine/studies/study_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace raphe {

namespace {

std::optional<double> valueOf(const StudyRow& row, const std::string& measure) {
    const auto found = row.status.measures.find(measure);
    if (found == row.status.measures.end()) return std::nullopt;
    return found->second;
}

/// A field of a CSV file (RFC 4180).
std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) return text;
    std::string result = "\"";
    for (char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
    return result + "\"";
}

std::string textOf(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

bool matches(const StudyRun& run, const StudyBar& bar) {
    return std::all_of(bar.where.begin(), bar.where.end(), [&](const auto& wanted) {
        return std::any_of(run.point.begin(), run.point.end(), [&](const auto& value) { return value == wanted; });
    });
}

/// The values of a variant that a bar asks for, by point and seed; `complete` says whether all are there.
using Keyed = std::map<std::string, double>;
Keyed selected(const std::vector<StudyRow>& rows, const std::string& variant, const StudyBar& bar, bool& complete) {
    Keyed result;
    for (const auto& row : rows) {
        if (row.run->variant != variant || !matches(*row.run, bar)) continue;
        if (const auto value = valueOf(row, bar.measure)) {
            std::string key;
            for (const auto& [path, at] : row.run->point) key += at.dump() + ",";
            result[key + fmt::format("{:020}", row.run->seed)] = *value;
        } else {
            complete = false;
        }
    }
    return result;
}
std::vector<double> numbers(const Keyed& keyed) {
    std::vector<double> result;
    for (const auto& [key, value] : keyed) result.push_back(value);
    return result;
}
bool allFinite(const std::vector<double>& values) {
    return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

double statisticOf(const StudyBar& bar, const std::vector<double>& values) {
    switch (bar.statistic) {
    case BarStatistic::median:
        return statistics::median(values);
    case BarStatistic::mean:
        return statistics::mean(values);
    case BarStatistic::lowest:
        return *std::min_element(values.begin(), values.end());
    case BarStatistic::highest:
        return *std::max_element(values.begin(), values.end());
    case BarStatistic::rate:
        return static_cast<double>(
                   std::count_if(values.begin(), values.end(), [&](double x) { return x >= *bar.solved; })) /
               static_cast<double>(values.size());
    }
    return NAN;
}

std::string sentenceOf(const StudyBar& bar) {
    if (!bar.text.empty()) return bar.text;
    auto text = bar.statistic == BarStatistic::rate
                    ? fmt::format("rate of seeds with {} >= {:.6g}, {}", bar.measure, *bar.solved, bar.variant)
                    : fmt::format("{} {} of {}", nameOf(bar.statistic), bar.measure, bar.variant);
    if (!bar.minus.empty()) text += " minus " + bar.minus;
    if (!bar.over.empty()) text += " over " + bar.over;
    for (const auto& [path, value] : bar.where) text += fmt::format(", {} = {}", path, value.dump());
    for (const auto& [relation, limit] :
         {std::pair{">=", bar.atLeast}, {"<=", bar.atMost}, {">", bar.above}, {"<", bar.below}})
        if (limit) text += fmt::format(" {} {:.6g}", relation, *limit);
    if (bar.p) text += fmt::format(", p < {:.3g}", *bar.p);
    return text;
}

bool within(const StudyBar& bar, double value) {
    return (!bar.atLeast || value >= *bar.atLeast) && (!bar.atMost || value <= *bar.atMost) &&
           (!bar.above || value > *bar.above) && (!bar.below || value < *bar.below);
}

/// p of the bars that ask for one, corrected for their number.
std::vector<double> correctedP(const Study& study, const std::vector<StudyRow>& rows) {
    std::vector<double> p;
    std::vector<std::size_t> of;
    std::vector<double> result(study.bars.size(), 1);
    for (std::size_t i = 0; i < study.bars.size(); ++i) {
        const auto& bar = study.bars[i];
        bool complete = true;
        if (!bar.p) continue;
        const auto x = selected(rows, bar.variant, bar, complete), y = selected(rows, bar.minus, bar, complete);
        std::vector<double> a, b;
        for (const auto& [key, value] : x)
            if (const auto other = y.find(key); other != y.end()) {
                a.push_back(value);
                b.push_back(other->second);
            }
        of.push_back(i);
        p.push_back(a.empty() || !allFinite(a) || !allFinite(b) ? 1 : statistics::signedRanks(a, b).p);
    }
    const auto adjusted = statistics::holm(p);
    for (std::size_t k = 0; k < of.size(); ++k) result[of[k]] = adjusted[k];
    return result;
}

} // namespace

std::vector<StudyRow> rowsOf(const Study& study, const std::vector<StudyRun>& plan, const StudyFolder& folder) {
    std::vector<StudyRow> rows;
    rows.reserve(plan.size());
    auto statuses = StudyIndex(folder).statuses(plan, study.measures);
    for (std::size_t i = 0; i < plan.size(); ++i) rows.push_back({&plan[i], std::move(statuses[i])});
    return rows;
}

std::string csvOf(const Study& study, const std::vector<StudyRow>& rows) {
    std::string text = "variant";
    for (const auto& axis : study.axes) text += "," + quoted(axis.path);
    text += ",seed";
    for (const auto& measure : study.measures) text += "," + measure.name;
    text += ",run_hash,id\n";
    for (const auto& row : rows) {
        text += quoted(row.run->variant);
        for (const auto& [path, value] : row.run->point) text += "," + quoted(textOf(value));
        text += fmt::format(",{}", row.run->seed);
        for (const auto& measure : study.measures) {
            const auto value = valueOf(row, measure.name);
            text += value ? fmt::format(",{}", *value) : ",";
        }
        const bool done = row.status.state == StudyRunState::done;
        text += fmt::format(",{},{}\n", done ? row.status.hash : "", row.run->id);
    }
    return text;
}

std::vector<NamedTensor> columnsOf(const Study& study, const std::vector<StudyRow>& rows) {
    std::vector<NamedTensor> columns;
    const auto add = [&](const std::string& name, const auto& valueAt) {
        Tensor tensor{{static_cast<std::int64_t>(rows.size())}, {}, Precision::float64};
        for (const auto& row : rows) tensor.values.push_back(valueAt(row));
        columns.push_back({name, std::move(tensor)});
    };
    add("variant", [&](const StudyRow& row) {
        const auto found = std::find_if(study.variants.begin(), study.variants.end(),
                                        [&](const auto& variant) { return variant.name == row.run->variant; });
        return static_cast<double>(found - study.variants.begin());
    });
    for (std::size_t k = 0; k < study.axes.size(); ++k)
        add(study.axes[k].path, [&](const StudyRow& row) {
            const auto& value = row.run->point[k].second;
            const auto& values = study.axes[k].values;
            return value.is_number()
                       ? value.get<double>()
                       : static_cast<double>(std::find(values.begin(), values.end(), value) - values.begin());
        });
    add("seed", [](const StudyRow& row) { return static_cast<double>(row.run->seed); });
    for (const auto& measure : study.measures)
        add(measure.name, [&](const StudyRow& row) { return valueOf(row, measure.name).value_or(NAN); });
    return columns;
}

std::vector<GroupResult> groupsOf(const Study& study, const std::vector<StudyRow>& rows) {
    std::vector<std::string> order;
    std::map<std::string, std::vector<const StudyRow*>> groups;
    for (const auto& row : rows) {
        auto& group = groups[groupName(*row.run)];
        if (group.empty()) order.push_back(groupName(*row.run));
        group.push_back(&row);
    }
    std::vector<GroupResult> results;
    for (const auto& name : order)
        for (const auto& measure : study.measures) {
            GroupResult result{name, measure.name, {}, groups[name].size(), 0, 0, 0, 0, {}};
            for (const auto* row : groups[name])
                if (const auto value = valueOf(*row, measure.name); value && std::isfinite(*value))
                    result.values.push_back(*value);
            if (result.values.empty()) continue;
            result.median = statistics::median(result.values);
            result.lower = statistics::quantile(result.values, 0.25);
            result.upper = statistics::quantile(result.values, 0.75);
            result.mean = statistics::mean(result.values);
            if (result.values.size() > 1) result.interval = statistics::bootstrapMean(result.values);
            results.push_back(std::move(result));
        }
    return results;
}

std::vector<BarResult> barsOf(const Study& study, const std::vector<StudyRow>& rows) {
    std::vector<BarResult> results;
    const auto p = correctedP(study, rows);
    for (std::size_t i = 0; i < study.bars.size(); ++i) {
        const auto& bar = study.bars[i];
        BarResult result{sentenceOf(bar), false, true};
        auto values = selected(rows, bar.variant, bar, result.complete);
        const auto other = bar.minus + bar.over;
        const auto against = other.empty() ? Keyed{} : selected(rows, other, bar, result.complete);
        if (!bar.minus.empty()) {
            Keyed differences;
            for (const auto& [key, value] : values)
                if (const auto found = against.find(key); found != against.end())
                    differences[key] = value - found->second;
            values = std::move(differences);
        }
        const auto list = numbers(values);
        if (list.empty() || (!bar.over.empty() && against.empty())) {
            result.complete = false;
            result.sentence += ": no runs yet";
        } else if (!allFinite(list) || !allFinite(numbers(against))) {
            result.sentence += ": a value is not finite";
        } else {
            const double value = statisticOf(bar, list) / (bar.over.empty() ? 1 : statisticOf(bar, numbers(against)));
            result.met = result.complete && within(bar, value) && (!bar.p || p[i] < *bar.p);
            result.sentence += fmt::format(": {:.5g}", value);
            if (bar.p) result.sentence += fmt::format(", p = {:.3g}", p[i]);
            if (bar.statistic == BarStatistic::rate) {
                const auto solved =
                    static_cast<int>(std::lround(statisticOf(bar, list) * static_cast<double>(list.size())));
                const auto interval = statistics::wilson(solved, static_cast<int>(list.size()));
                result.sentence += fmt::format(" ({} of {}, 95 % from {:.2f} to {:.2f})", solved, list.size(),
                                               interval.low, interval.high);
            }
            if (!result.complete) result.sentence += fmt::format(" ({} values so far)", list.size());
        }
        results.push_back(std::move(result));
    }
    return results;
}

std::vector<PairResult> pairsOf(const Study& study, const std::vector<StudyRow>& rows) {
    std::vector<PairResult> results;
    for (const auto& measure : study.measures) {
        const auto begun = results.size();
        for (std::size_t i = 0; i < study.variants.size(); ++i)
            for (std::size_t j = i + 1; j < study.variants.size(); ++j) {
                StudyBar all;
                all.measure = measure.name;
                bool complete = true;
                const auto x = selected(rows, study.variants[i].name, all, complete),
                           y = selected(rows, study.variants[j].name, all, complete);
                std::vector<double> a, b;
                for (const auto& [key, value] : x)
                    if (const auto other = y.find(key);
                        other != y.end() && std::isfinite(value) && std::isfinite(other->second)) {
                        a.push_back(value);
                        b.push_back(other->second);
                    }
                if (a.size() < 2) continue;
                const auto comparison = statistics::comparePaired(a, b);
                results.push_back({study.variants[i].name, study.variants[j].name, measure.name, comparison,
                                   comparison.test.p, a.size()});
            }
        std::vector<double> p;
        for (auto k = begun; k < results.size(); ++k) p.push_back(results[k].p);
        p = statistics::holm(p);
        for (auto k = begun; k < results.size(); ++k) results[k].p = p[k - begun];
    }
    return results;
}

Json resultsJson(const Study& study, const std::vector<StudyRow>& rows) {
    const auto finite = [](double x) { return std::isfinite(x) ? Json(x) : Json(); };
    Json runs = Json::array(), groups = Json::array(), pairs = Json::array(), bars = Json::array();
    for (const auto& row : rows) {
        Json point = Json::object(), measures = Json::object();
        for (const auto& [path, value] : row.run->point) point[path] = value;
        for (const auto& [name, value] : row.status.measures) measures[name] = finite(value);
        Json item{{"id", row.run->id},     {"variant", row.run->variant},       {"point", point},
                  {"seed", row.run->seed}, {"state", nameOf(row.status.state)}, {"iterations", row.status.iterations},
                  {"measures", measures},  {"run_hash", row.status.hash}};
        if (!row.status.problem.empty()) item["problem"] = row.status.problem;
        runs.push_back(std::move(item));
    }
    for (const auto& group : groupsOf(study, rows)) {
        Json item{{"group", group.group},          {"measure", group.measure}, {"n", group.values.size()},
                  {"expected", group.expected},    {"median", group.median},   {"lower_quartile", group.lower},
                  {"upper_quartile", group.upper}, {"mean", group.mean}};
        if (group.interval) item["mean_interval"] = {group.interval->low, group.interval->high};
        groups.push_back(std::move(item));
    }
    for (const auto& pair : pairsOf(study, rows))
        pairs.push_back({{"first", pair.first},
                         {"second", pair.second},
                         {"measure", pair.measure},
                         {"n", pair.seeds},
                         {"difference", pair.comparison.difference},
                         {"interval", {pair.comparison.interval.low, pair.comparison.interval.high}},
                         {"p", pair.p},
                         {"delta", pair.comparison.delta},
                         {"seeds_needed", pair.comparison.seedsNeeded}});
    for (const auto& bar : barsOf(study, rows))
        bars.push_back({{"bar", bar.sentence}, {"met", bar.met}, {"complete", bar.complete}});
    return {{"event", "study"}, {"study", study.name},  {"runs", runs},
            {"groups", groups}, {"comparisons", pairs}, {"bars", bars}};
}

namespace {

std::optional<Json> learningCurvesOf(const StudyFigure& figure, const std::vector<StudyRow>& rows,
                                     const StudyFolder& folder) {
    std::vector<std::pair<std::string, std::vector<std::filesystem::path>>> folders;
    for (const auto& row : rows) {
        if (row.status.state != StudyRunState::done && row.status.state != StudyRunState::trained) continue;
        const auto name = groupName(*row.run);
        if (folders.empty() || folders.back().first != name)
            folders.emplace_back(name, std::vector<std::filesystem::path>{});
        folders.back().second.push_back(folder.run(row.run->id));
    }
    if (folders.empty()) return std::nullopt;
    std::vector<RunGroup> groups;
    for (const auto& [name, runs] : folders) groups.push_back({name, runsIn(runs)});
    auto description = learningCurves(readCurves(std::move(groups), figure.metric), {.smoothing = figure.smoothing});
    if (!figure.title.empty()) description["title"] = figure.title;
    return description;
}

std::optional<Json> measuresFigure(const StudyFigure& figure, const std::vector<GroupResult>& groups) {
    Json labels = Json::array(), series = Json::array();
    for (const auto& group : groups) {
        if (group.measure != figure.metric) continue;
        const std::vector<std::size_t> places(group.values.size(), labels.size());
        series.push_back(
            {{"kind", "points"}, {"group", group.group}, {"x", places}, {"y", group.values}, {"jitter", 0.15}});
        series.push_back({{"kind", "points"},
                          {"group", group.group},
                          {"x", {labels.size()}},
                          {"y", {group.median}},
                          {"lower", {group.lower}},
                          {"upper", {group.upper}},
                          {"size", 9},
                          {"marker", "square"}});
        labels.push_back(group.group);
    }
    if (labels.empty()) return std::nullopt;
    const Json panel{
        {"x", {{"categories", labels}}}, {"y", {{"label", figure.metric}}}, {"legend", "none"}, {"series", series}};
    return Json{{"raphe_figure", 1},
                {"title", figure.title.empty() ? "Seeds; median and quartiles" : figure.title},
                {"panels", Json::array({panel})}};
}

} // namespace

std::vector<StudyPicture> figuresOf(const Study& study, const std::vector<StudyRow>& rows, const StudyFolder& folder) {
    std::vector<StudyPicture> figures;
    std::vector<GroupResult> groups;
    for (const auto& figure : study.figures) {
        try {
            if (figure.kind == FigureKind::measures && groups.empty()) groups = groupsOf(study, rows);
            auto description = figure.kind == FigureKind::measures ? measuresFigure(figure, groups)
                                                                   : learningCurvesOf(figure, rows, folder);
            if (description) figures.push_back({figure.name, std::move(*description), {}});
        } catch (const std::exception& error) { // a metric that no run has; the other figures are there
            figures.push_back({figure.name, {}, fmt::format("figures.{}: {}", figure.name, error.what())});
        }
    }
    return figures;
}

} // namespace raphe
