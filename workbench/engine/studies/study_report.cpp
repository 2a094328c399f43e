// SPDX-License-Identifier: Apache-2.0
#include "engine/studies/study_report.h"

#include "engine/analysis/figure.h"
#include "engine/base/files.h"
#include "engine/runs/run_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace raphe {

namespace {

constexpr const char* style = R"(
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5b6b7d; --line: #d9e0e7; --ground: #ffffff; --good: #1b7f4b; --bad: #b3261e; --head: #f2f5f8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --soft: #9fb0c0; --line: #3a4653; --ground: #171d24; --good: #5fd39b; --bad: #ff8a80; --head: #202932; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0.2rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; } p.doc { color: var(--soft); margin-top: 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } div.wide { overflow-x: auto; }
th, td { text-align: left; padding: 0.3rem 0.7rem 0.3rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; } th { color: var(--soft); font-weight: 600; }
td.n, th.n { text-align: right; } .met { color: var(--good); font-weight: 600; } .not { color: var(--bad); font-weight: 600; } .soft { color: var(--soft); }
figure { margin: 1rem 0; background: #ffffff; border: 1px solid var(--line); border-radius: 6px; padding: 0.6rem; } figure svg { max-width: 100%; height: auto; display: block; margin: auto; }
pre { background: var(--head); padding: 0.8rem; overflow-x: auto; border-radius: 6px; font-size: 13px; } details summary { cursor: pointer; } td.bar, td:first-child { white-space: normal; }
)";

constexpr double pageWidth = 174; ///< of figures, in mm: two columns

std::string escaped(const std::string& text) {
    std::string result;
    for (char c : text) {
        switch (c) {
        case '&':
            result += "&amp;";
            break;
        case '<':
            result += "&lt;";
            break;
        case '>':
            result += "&gt;";
            break;
        case '"':
            result += "&quot;";
            break;
        default:
            result += c;
        }
    }
    return result;
}
std::string number(double x) { return fmt::format("{:.4g}", x); }

/// The picture without what only a file of its own needs.
std::string inlined(const std::string& svg) {
    const auto start = svg.find("<svg");
    return start == std::string::npos ? std::string() : svg.substr(start);
}

void table(std::string& page, const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows,
           std::size_t texts) {
    page += "<div class=\"wide\"><table><tr>";
    for (std::size_t i = 0; i < head.size(); ++i)
        page += fmt::format("<th{}>{}</th>", i >= texts ? " class=\"n\"" : "", escaped(head[i]));
    page += "</tr>\n";
    for (const auto& row : rows) {
        page += "<tr>";
        for (std::size_t i = 0; i < row.size(); ++i)
            page += fmt::format("<td{}>{}</td>", i >= texts ? " class=\"n\"" : "", escaped(row[i]));
        page += "</tr>\n";
    }
    page += "</table></div>\n";
}

/// "a2c 0.1.0, categorical 0.1.0" of the list that a run keeps.
std::string pluginsText(const std::string& list) {
    const auto plugins = Json::parse(list, nullptr, false);
    if (!plugins.is_array()) return list;
    std::string text;
    for (const auto& plugin : plugins)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", plugin.value("name", ""), plugin.value("version", ""));
    return text;
}

/// Of all runs: each key with the values that occur.
void provenance(std::string& page, const std::vector<StudyRow>& rows, const StudyFolder& folder) {
    std::map<std::string, std::set<std::string>> values;
    for (const auto& row : rows) {
        if (row.status.state != StudyRunState::done) continue;
        try {
            for (const auto& [key, value] : RunReader::open(folder.run(row.run->id)).provenance()) {
                if (key == "plugins") values["plugins"].insert(pluginsText(value));
                if (key == "raphe_version" || key == "raphe_commit" || key == "host" || key == "precision")
                    values[key].insert(value);
            }
        } catch (const std::exception&) {
            continue; // the table says that the run cannot be read
        }
    }
    if (values.empty()) return;
    page += "<h2>Where it was computed</h2>\n<table>";
    for (const auto& [key, all] : values) {
        page += fmt::format("<tr><td>{}</td><td class=\"bar\">", escaped(key));
        bool first = true;
        for (const auto& value : all) {
            page += (first ? "" : "<br>") + escaped(value);
            first = false;
        }
        page += "</td></tr>\n";
    }
    page += "</table>\n";
}

/// Every value of a document by its place, "nodes.agent.params.hidden".
void flatten(const Json& value, const std::string& place, std::map<std::string, std::string>& into) {
    if (value.is_object() && !value.empty())
        for (const auto& [key, item] : value.items()) flatten(item, place.empty() ? key : place + "." + key, into);
    else
        into[place] = value.dump();
}

/// The places in which the experiments of the groups differ, and what stands there.
void differences(std::string& page, const std::vector<StudyRow>& rows) {
    std::vector<std::pair<std::string, std::map<std::string, std::string>>> groups;
    std::set<std::string> places;
    for (const auto& row : rows) {
        const auto name = groupName(*row.run);
        if (!groups.empty() && groups.back().first == name) continue;
        auto document = row.run->experiment().toJson();
        for (const char* key : {"name", "doc", "seed", "canvas"}) document.erase(key);
        groups.emplace_back(name, std::map<std::string, std::string>{});
        flatten(document, "", groups.back().second);
        for (const auto& [place, value] : groups.back().second) places.insert(place);
    }
    if (groups.size() < 2) return;
    std::string lines;
    for (const auto& place : places) {
        std::vector<std::string> values;
        for (auto& [name, settings] : groups) values.push_back(settings.contains(place) ? settings[place] : "-");
        if (std::all_of(values.begin(), values.end(), [&](const auto& value) { return value == values.front(); }))
            continue;
        lines += fmt::format("<tr><td>{}</td>", escaped(place));
        for (const auto& value : values)
            lines += fmt::format("<td>{}</td>", escaped(value.size() > 60 ? value.substr(0, 57) + "..." : value));
        lines += "</tr>\n";
    }
    page += "<h2>What differs between the variants</h2>\n<div class=\"wide\"><table><tr><th></th>";
    for (const auto& [name, settings] : groups) page += fmt::format("<th>{}</th>", escaped(name));
    page += "</tr>\n" + lines + "</table></div>\n";
}

} // namespace

void writeReport(const std::filesystem::path& file, const Study& study, const std::vector<StudyRow>& rows,
                 const StudyFolder& folder) {
    std::error_code error; // what is wrong, the writing says
    std::filesystem::create_directories(folder.path(), error);
    writeAtomically(file, reportOf(study, rows, folder));
}

std::string reportOf(const Study& study, const std::vector<StudyRow>& rows, const StudyFolder& folder) {
    std::map<StudyRunState, int> states;
    for (const auto& row : rows) ++states[row.status.state];
    std::string page =
        fmt::format("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                    "content=\"width=device-width\">"
                    "<title>{0}</title><style>{1}</style></head><body>\n<h1>{0}</h1>\n<p class=\"doc\">{2}</p>\n",
                    escaped(study.name), style, escaped(study.doc));
    std::string counted;
    for (const auto& [state, count] : states)
        counted += fmt::format("{}{} {}", counted.empty() ? "" : ", ", count, nameOf(state));
    page += fmt::format("<p>{} runs: {}.</p>\n", rows.size(), counted);
    if (const auto bars = barsOf(study, rows); !bars.empty()) {
        page += "<h2>Bars</h2>\n<table>";
        for (const auto& bar : bars)
            page += fmt::format("<tr><td class=\"{}\">{}</td><td class=\"bar\">{}</td></tr>\n",
                                bar.met        ? "met"
                                : bar.complete ? "not"
                                               : "soft",
                                bar.met        ? "met"
                                : bar.complete ? "not met"
                                               : "open",
                                escaped(bar.sentence));
        page += "</table>\n";
    }
    if (const auto groups = groupsOf(study, rows); !groups.empty()) {
        page += "<h2>Results</h2>\n";
        std::vector<std::vector<std::string>> lines;
        for (const auto& group : groups)
            lines.push_back({group.group, group.measure, fmt::format("{} of {}", group.values.size(), group.expected),
                             number(group.median), fmt::format("{} to {}", number(group.lower), number(group.upper)),
                             number(group.mean),
                             group.interval
                                 ? fmt::format("{} to {}", number(group.interval->low), number(group.interval->high))
                                 : "-"});
        table(page, {"Variant", "Measure", "Seeds", "Median", "Quartiles", "Mean", "95 % of the mean"}, lines, 2);
    }
    for (const auto& figure : figuresOf(study, rows, folder)) {
        if (!figure.problem.empty()) {
            page += fmt::format("<p class=\"not\">{}</p>\n", escaped(figure.problem));
            continue;
        }
        const auto path = folder.path() / "figures" / (figure.name + "-wide.svg");
        drawFigure(figure.description, path, pageWidth);
        page += "<figure>" + inlined(readBytes(path, std::size_t{256} << 20)) + "</figure>\n";
    }
    if (const auto pairs = pairsOf(study, rows); !pairs.empty()) {
        page += "<h2>Comparisons</h2>\n<p class=\"soft\">Over the seeds that both variants have: mean difference with "
                "its bootstrap interval, "
                "Wilcoxon's signed rank test (Holm's correction for the pairs of a measure), Cliff's delta.</p>\n";
        std::vector<std::vector<std::string>> lines;
        for (const auto& pair : pairs)
            lines.push_back(
                {pair.first + " - " + pair.second, pair.measure, fmt::format("{}", pair.seeds),
                 number(pair.comparison.difference),
                 fmt::format("{} to {}", number(pair.comparison.interval.low), number(pair.comparison.interval.high)),
                 fmt::format("{:.3g}", pair.p), fmt::format("{:.2f}", pair.comparison.delta),
                 pair.comparison.seedsNeeded > 0 ? fmt::format("{}", pair.comparison.seedsNeeded) : "-"});
        table(page, {"Difference", "Measure", "Seeds", "Mean", "95 %", "p", "Delta", "Seeds needed"}, lines, 2);
    }
    differences(page, rows);
    page += "<h2>Runs</h2>\n";
    std::vector<std::string> head{"Variant"};
    for (const auto& axis : study.axes) head.push_back(axis.path);
    head.insert(head.end(), {"State", "Seed"});
    for (const auto& measure : study.measures) head.push_back(measure.name);
    head.insert(head.end(), {"Run hash", "ID"});
    std::vector<std::vector<std::string>> lines;
    for (const auto& row : rows) {
        std::vector<std::string> line{row.run->variant};
        for (const auto& [path, value] : row.run->point) line.push_back(value.dump());
        line.push_back(nameOf(row.status.state) +
                       (row.status.problem.empty() ? std::string() : ": " + row.status.problem.substr(0, 120)));
        line.push_back(fmt::format("{}", row.run->seed));
        for (const auto& measure : study.measures) {
            const auto found = row.status.measures.find(measure.name);
            line.push_back(found == row.status.measures.end() ? "" : number(found->second));
        }
        line.push_back(row.status.hash.substr(0, 12));
        line.push_back(row.run->id);
        lines.push_back(std::move(line));
    }
    table(page, head, lines, 2 + study.axes.size());
    provenance(page, rows, folder);
    page += fmt::format("<h2>How to make it again</h2>\n<pre>raphe study run {0}.study.json     # with the document "
                        "below\nraphe study report {0}.study.json</pre>\n",
                        escaped(study.name));
    page += "<details><summary>The document</summary><pre>" + escaped(study.document.dump(2)) + "</pre></details>\n";
    std::set<std::string> shown;
    for (const auto& row : rows)
        if (const auto name = groupName(*row.run); shown.insert(name).second)
            page += fmt::format("<details><summary>Every parameter of {}</summary><pre>{}</pre></details>\n",
                                escaped(name), escaped(row.run->experiment().toJson().dump(2)));
    return page + "</body></html>\n";
}

} // namespace raphe
