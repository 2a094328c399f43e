// SPDX-License-Identifier: Apache-2.0
// raphe runs: the list of stored runs that the window shows as well.
#include "cli/commands.h"

#include "engine/runs/run_filter.h"
#include "engine/runs/run_index.h"
#include "engine/runs/run_table.h"
#include "raphe/error.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

namespace raphe::cli {

namespace {

std::optional<double> numberOf(const RunEntry& run, const std::string& name) {
    for (const auto& [metric, value] : run.metrics)
        if (metric == name) return value;
    if (name == "iterations") return static_cast<double>(run.iterations);
    if (name == "duration") return run.seconds;
    if (name == "size") return static_cast<double>(run.bytes);
    if (name == "seed") return std::atof(run.seed.c_str());
    return std::nullopt;
}

/// By a number from the largest to the smallest, what has none at the end; by a text in alphabetical order.
void sortBy(RunList& runs, const std::string& name) {
    const auto textOf = [&](const RunEntry& run) {
        return name == "experiment" ? run.experiment : name == "state" ? run.state : run.start;
    };
    const bool text = name == "experiment" || name == "state" || name == "date";
    const bool known = text || std::any_of(runs.begin(), runs.end(),
                                           [&](const auto& run) { return numberOf(*run, name).has_value(); });
    if (!known && !runs.empty())
        throw Error("--sort", "no run has \"" + name +
                                  "\"; sort by a metric, iterations, duration, size, seed, date, experiment or state");
    std::stable_sort(runs.begin(), runs.end(), [&](const auto& a, const auto& b) {
        if (name == "date") return textOf(*a) > textOf(*b);
        if (text) return textOf(*a) < textOf(*b);
        const auto left = numberOf(*a, name), right = numberOf(*b, name);
        return left && right ? *left > *right : left.has_value() && !right.has_value();
    });
}

std::string shown(const std::string& name, const RunEntry& run, const std::vector<std::string>& metrics) {
    if (std::find(metrics.begin(), metrics.end(), name) != metrics.end()) {
        for (const auto& [metric, value] : run.metrics)
            if (metric == name) return fmt::format("{:.5g}", value);
        return "";
    }
    const auto found = run.settings.find(name);
    return found == run.settings.end() ? "" : settingText(found->second);
}

void print(const RunList& runs) {
    constexpr std::size_t metricColumns = 3, settingColumns = 6, widest = 28;
    auto metrics = metricNames(runs), settings = changedSettings(runs);
    metrics.resize(std::min(metrics.size(), metricColumns));
    settings.resize(std::min(settings.size(), settingColumns));
    std::vector<std::vector<std::string>> rows{{"state", "experiment", "seed", "iterations"}};
    rows[0].insert(rows[0].end(), metrics.begin(), metrics.end());
    rows[0].insert(rows[0].end(), settings.begin(), settings.end());
    rows[0].emplace_back("folder");
    for (const auto& run : runs) {
        auto& row = rows.emplace_back();
        row = {run->state, run->experiment, run->seed,
               run->state == "unreadable"        ? std::string()
               : run->iterations == run->planned ? std::to_string(run->iterations)
                                                 : fmt::format("{} of {}", run->iterations, run->planned)};
        for (const auto& name : metrics) row.push_back(shown(name, *run, metrics));
        for (const auto& name : settings) row.push_back(shown(name, *run, metrics));
        row.push_back(run->folder.string() + (run->problem.empty() ? "" : ": " + run->problem));
    }
    std::vector<std::size_t> widths(rows[0].size());
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], std::min(row[i].size(), widest));
    for (const auto& row : rows) {
        for (std::size_t i = 0; i + 1 < row.size(); ++i)
            fmt::print("{:<{}}  ", row[i].size() > widest ? row[i].substr(0, widest - 1) + "~" : row[i], widths[i]);
        fmt::print("{}\n", row.back());
    }
}

} // namespace

int runs(const RunsArguments& a) {
    std::string words;
    for (const auto& part : a.filter) words += (words.empty() ? "" : " ") + part;
    const RunFilter filter(words);
    if (!std::filesystem::is_directory(a.folder))
        throw Error(a.folder, "there is no such folder; name the folder of the runs with --in");
    const auto file = RunIndex::cacheFile(a.folder);
    if (a.rebuild) std::filesystem::remove(file);
    RunIndex index(a.folder, file);
    const bool people = isatty(2) != 0;
    bool told = false;
    const auto all = index.refresh([&](const RunIndex::Progress& progress) {
        told = people;
        if (people) fmt::print(stderr, "\rreading run {} of {}", progress.read, progress.runs);
    });
    if (told) fmt::print(stderr, "\r\033[K");
    auto chosen = filter(all);
    if (const auto doubt = filter.doubt(all); !doubt.empty() && chosen.empty()) throw Error("filter", doubt);
    if (!a.sortBy.empty()) sortBy(chosen, a.sortBy);
    if (a.json) {
        for (const auto& run : chosen)
            fmt::print("{}\n", runAsJson(*run).dump(-1, ' ', false, Json::error_handler_t::replace));
    } else if (a.csv) {
        fmt::print("{}", runsAsCsv(chosen));
    } else if (chosen.empty()) {
        fmt::print(stderr, "{} below {}\n", all.empty() ? "no runs" : "none of the runs fits", a.folder);
    } else {
        print(chosen);
    }
    return 0;
}

} // namespace raphe::cli
