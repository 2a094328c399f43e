// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_list.h"

#include "engine/document/json_reader.h"
#include "engine/runs/run_reader.h"
#include "engine/runs/run_schema.h"
#include "engine/runs/writer_lock.h"
#include "raphe/error.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <set>

namespace raphe {

namespace {

constexpr int depthLimit = 8;

void collect(const std::filesystem::path& folder, int depth, std::vector<std::filesystem::path>& found) {
    std::error_code error;
    if (std::filesystem::exists(folder / stored::databaseName, error)) {
        found.push_back(folder);
        return;
    }
    if (depth == depthLimit) return;
    for (std::filesystem::directory_iterator item(folder, error), end; !error && item != end; item.increment(error)) {
        std::error_code ignored;
        if (item->is_directory(ignored) && !item->is_symlink(ignored)) collect(item->path(), depth + 1, found);
    }
}

std::map<std::string, std::string> settingsOf(const Json& document) {
    std::map<std::string, std::string> settings;
    for (const auto& [key, value] : document.items()) {
        if (key == "nodes" && value.is_object()) {
            for (const auto& [node, spec] : value.items()) {
                if (!spec.is_object()) continue;
                if (spec.contains("mechanism")) settings[node] = spec["mechanism"].dump();
                if (spec.contains("params") && spec["params"].is_object())
                    for (const auto& [param, given] : spec["params"].items())
                        settings[node + "." + param] = given.dump();
            }
        } else if (value.is_number() || value.is_boolean() || key == "precision") {
            if (key != "raphe" && key != "seed") settings[key] = value.dump();
        }
    }
    return settings;
}

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

std::optional<double> number(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<double> numberOf(const RunEntry& run, const std::string& name) {
    for (const auto& [metric, value] : run.metrics)
        if (metric == name) return value;
    if (name == "seed") return number(run.seed);
    if (name == "iterations") return static_cast<double>(run.iterations);
    const auto setting = run.settings.find(name);
    return setting == run.settings.end() ? std::nullopt : number(setting->second);
}

bool holds(double a, const std::string& relation, double b) {
    if (relation == ">") return a > b;
    if (relation == ">=") return a >= b;
    if (relation == "<") return a < b;
    if (relation == "<=") return a <= b;
    return (a == b) == (relation != "!=");
}

/// Words, and relations that may touch what they relate: "reward>9".
std::vector<std::string> tokens(const std::string& text) {
    std::vector<std::string> result;
    const auto related = [](char c) { return c == '<' || c == '>' || c == '=' || c == '!'; };
    for (std::size_t i = 0; i < text.size();) {
        if (std::isspace(static_cast<unsigned char>(text[i])) != 0) {
            ++i;
            continue;
        }
        const bool relation = related(text[i]);
        std::size_t end = i;
        while (end < text.size() && std::isspace(static_cast<unsigned char>(text[end])) == 0 &&
               related(text[end]) == relation)
            ++end;
        result.push_back(text.substr(i, end - i));
        i = end;
    }
    return result;
}

} // namespace

std::vector<std::filesystem::path> findRuns(const std::filesystem::path& root) {
    std::vector<std::filesystem::path> found;
    collect(root, 0, found);
    std::sort(found.begin(), found.end());
    return found;
}

RunEntry runEntry(const std::filesystem::path& folder) {
    RunEntry entry;
    entry.folder = folder;
    try {
        const auto reader = RunReader::open(folder);
        const auto document = parseJson(reader.experimentJson(), folder.string());
        entry.experiment = document.value("name", "");
        entry.settings = settingsOf(document);
        entry.state = "interrupted";
        for (const auto& [key, value] : reader.provenance()) {
            if (key == "exit") entry.state = value;
            if (key == "start") entry.start = value;
            if (key == "run_hash") entry.hash = value;
            if (key == "seed") entry.seed = value;
        }
        if (stored::WriterLock::held(folder)) entry.state = "running";
        entry.iterations = reader.metricsCount();
        std::int64_t count = 0;
        const auto tail = std::max<std::int64_t>(1, entry.iterations / 20);
        reader.forEachMetrics(
            [&](const Metrics& item) {
                if (++count == 1)
                    entry.metrics.assign(item.values.begin(), item.values.end());
                else
                    for (std::size_t i = 0; i < std::min(entry.metrics.size(), item.values.size()); ++i)
                        entry.metrics[i].second += item.values[i].second;
            },
            entry.iterations - tail - 1);
        for (auto& [name, sum] : entry.metrics) sum /= static_cast<double>(std::max<std::int64_t>(1, count));
    } catch (const std::exception& error) {
        entry.state = "unreadable";
        entry.problem = error.what();
    }
    return entry;
}

std::vector<std::string> differingSettings(const std::vector<RunEntry>& runs) {
    std::set<std::string> names;
    for (const auto& run : runs)
        for (const auto& [name, value] : run.settings) names.insert(name);
    std::vector<std::string> result;
    for (const auto& name : names) {
        const std::string* first = nullptr;
        bool differs = false;
        for (const auto& run : runs) {
            if (run.state == "unreadable") continue;
            const auto found = run.settings.find(name);
            if (found == run.settings.end() || (first && *first != found->second)) differs = true;
            if (found != run.settings.end() && !first) first = &found->second;
        }
        if (differs) result.push_back(name);
    }
    return result;
}

RunFilter::RunFilter(const std::string& text) {
    const auto parts = tokens(text);
    static const std::set<std::string> relations{">", ">=", "<", "<=", "=", "==", "!="};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i + 1 < parts.size() && relations.count(parts[i + 1]) != 0) {
            const auto value = i + 2 < parts.size() ? number(parts[i + 2]) : std::nullopt;
            if (!value)
                throw Error("filter",
                            "expected a number after \"" + parts[i] + " " + parts[i + 1] + "\", as in reward > 9");
            comparisons_.push_back({parts[i], parts[i + 1], *value});
            i += 2;
        } else if (relations.count(parts[i]) != 0) {
            throw Error("filter", "expected a name before \"" + parts[i] + "\", as in reward > 9");
        } else {
            words_.push_back(lower(parts[i]));
        }
    }
}

bool RunFilter::accepts(const RunEntry& run) const {
    for (const auto& word : words_) {
        bool found = lower(run.folder.filename().string()).find(word) != std::string::npos ||
                     lower(run.experiment).find(word) != std::string::npos || run.state.find(word) != std::string::npos;
        for (const auto& [name, value] : run.settings)
            found = found || lower(name + "=" + value).find(word) != std::string::npos;
        if (!found) return false;
    }
    for (const auto& [name, relation, value] : comparisons_) {
        const auto number = numberOf(run, name);
        if (!number || !holds(*number, relation, value)) return false;
    }
    return true;
}

} // namespace raphe
