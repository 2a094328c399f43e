// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_table.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

namespace raphe {

void CsvText::row(const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) text_ += ',';
        if (cells[i].find_first_of(",\"\r\n") == std::string::npos) {
            text_ += cells[i];
            continue;
        }
        text_ += '"';
        for (const char c : cells[i]) text_.append(c == '"' ? 2 : 1, c);
        text_ += '"';
    }
    text_ += "\r\n";
}

std::string csvNumber(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

std::string settingText(const std::string& json) {
    return json.size() >= 2 && json.front() == '"' && json.back() == '"' ? json.substr(1, json.size() - 2) : json;
}

std::vector<std::string> changedSettings(const RunList& runs) {
    std::map<std::string, RunList> experiments;
    for (const auto& run : runs) experiments[nameOf(*run)].push_back(run);
    std::set<std::string> settings;
    for (const auto& [name, same] : experiments)
        for (auto& setting : differingSettings(same)) settings.insert(std::move(setting));
    return {settings.begin(), settings.end()};
}

std::string runsAsCsv(const RunList& runs) {
    const auto metrics = metricNames(runs), settings = changedSettings(runs);
    std::vector<std::string> header{"folder",  "experiment", "state", "seed", "iterations",
                                    "seconds", "bytes",      "start", "hash"};
    header.insert(header.end(), metrics.begin(), metrics.end());
    header.insert(header.end(), settings.begin(), settings.end());
    CsvText csv(header);
    for (const auto& run : runs) {
        std::vector<std::string> cells{run->folder.string(),
                                       run->experiment,
                                       run->state,
                                       run->seed,
                                       std::to_string(run->iterations),
                                       csvNumber(run->seconds),
                                       std::to_string(run->bytes),
                                       run->start,
                                       run->hash};
        for (const auto& name : metrics) {
            double value = std::nan("");
            for (const auto& [metric, number] : run->metrics)
                if (metric == name) value = number;
            cells.push_back(csvNumber(value));
        }
        for (const auto& name : settings) {
            const auto found = run->settings.find(name);
            cells.push_back(found == run->settings.end() ? "" : settingText(found->second));
        }
        csv.row(cells);
    }
    return csv.text();
}

Json runAsJson(const RunEntry& run) {
    Json json = {{"run", run.folder.string()}, {"state", run.state}};
    if (run.state == "unreadable") {
        json["problem"] = run.problem;
        return json;
    }
    json["experiment"] = run.experiment;
    json["seed"] = run.seed;
    json["iterations"] = run.iterations;
    json["planned"] = run.planned;
    json["start"] = run.start;
    json["seconds"] = run.seconds;
    json["bytes"] = run.bytes;
    json["run_hash"] = run.hash;
    json["checkpoints"] = run.checkpoints;
    json["metrics"] = Json::object();
    for (const auto& [name, value] : run.metrics) json["metrics"][name] = value;
    json["settings"] = Json::object();
    for (const auto& [name, value] : run.settings) {
        auto setting = Json::parse(value, nullptr, false);
        json["settings"][name] = setting.is_discarded() ? Json(value) : setting; // what was cut is a text
    }
    return json;
}

} // namespace raphe
