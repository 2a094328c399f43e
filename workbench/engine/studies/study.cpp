// SPDX-License-Identifier: Apache-2.0
#include "engine/studies/study.h"

#include "engine/base/text.h"
#include "engine/document/fields.h"
#include "engine/mechanisms/plugin_host.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace raphe {

using namespace fields;

const char* nameOf(Sampling sampling) {
    return sampling == Sampling::grid ? "grid" : sampling == Sampling::zip ? "zip" : "random";
}
const char* nameOf(BarStatistic statistic) {
    switch (statistic) {
    case BarStatistic::median:
        return "median";
    case BarStatistic::mean:
        return "mean";
    case BarStatistic::lowest:
        return "lowest";
    case BarStatistic::highest:
        return "highest";
    case BarStatistic::rate:
        return "rate";
    }
    return "";
}
const char* nameOf(FigureKind kind) { return kind == FigureKind::measures ? "measures" : "learning_curves"; }

namespace {

constexpr std::size_t mostValues = 10'000;

auto settingsInto(std::vector<std::pair<std::string, Json>>& target) {
    return [&target](const Json& value, const std::string& place) {
        if (!value.is_object()) expected(place, "an object such as {\"agent.hidden\": 50}", value);
        for (const auto& [key, item] : value.items()) target.emplace_back(key, item);
    };
}
auto interventionsInto(std::vector<Intervention>& target, Problems& problems) {
    return listInto(target, problems, [](const Json& value, const std::string& place, Intervention& intervention) {
        intervention =
            value.is_string() ? parseIntervention(value.get<std::string>()) : interventionFromJson(value, place);
    });
}
auto objectInto(Json& target) {
    return [&target](const Json& value, const std::string& place) {
        if (!value.is_object()) expected(place, "an object", value);
        target = value;
    };
}

std::vector<FieldReader> changeFields(StudyChange& change, Problems& problems) {
    return {{"experiment", textInto(change.experiment)},
            {"document", objectInto(change.document)},
            {"set", settingsInto(change.set)},
            {"interventions", interventionsInto(change.interventions, problems)}};
}

/// Values from `from` to `to`, evenly spaced, or evenly in their logarithm.
std::vector<Json> rangeOf(const Json& value, const std::string& place) {
    double from = NAN, to = NAN;
    int count = 0;
    bool log = false, rounded = false;
    readFields(value, place,
               {{"from", numberInto(from)},
                {"to", numberInto(to)},
                {"count", integerInto(count, 2, mostValues)},
                {"log", booleanInto(log)},
                {"round", booleanInto(rounded)}});
    if (std::isnan(from) || std::isnan(to) || count == 0)
        throw Error(place, "a range needs \"from\", \"to\" and \"count\"");
    if (log && !(from > 0 && to > 0)) throw Error(place, "a range of logarithms needs \"from\" and \"to\" above 0");
    std::vector<Json> values;
    for (int i = 0; i < count; ++i) {
        const double part = static_cast<double>(i) / (count - 1);
        double x = i + 1 == count ? to : log ? from * std::pow(to / from, part) : from + part * (to - from);
        if (rounded) x = std::round(x);
        if (x == std::floor(x) && std::abs(x) < 1e15)
            values.push_back(static_cast<std::int64_t>(x));
        else
            values.push_back(x);
        if (rounded && values.size() > 1 && values.back() == values[values.size() - 2]) values.pop_back();
    }
    return values;
}

void readAxes(const Json& value, const std::string& place, std::vector<StudyAxis>& axes, Problems& problems) {
    if (!value.is_object()) expected(place, "an object such as {\"agent.hidden\": [20, 50]}", value);
    for (const auto& [path, item] : value.items()) {
        const auto where = place + "." + path;
        problems.collect([&, &given = item] {
            StudyAxis axis{path, {}};
            if (given.is_object())
                axis.values = rangeOf(given, where);
            else if (given.is_array() && !given.empty() && given.size() <= mostValues)
                axis.values.assign(given.begin(), given.end());
            else
                expected(where, "a list of 1 to 10000 values, or a range {\"from\", \"to\", \"count\", \"log\"}",
                         given);
            std::set<std::string> seen; // the same run twice would count as two
            for (std::size_t i = 0; i < axis.values.size(); ++i)
                if (!seen.insert(axis.values[i].dump()).second)
                    throw Error(fmt::format("{}[{}]", where, i), axis.values[i].dump() + " is in the list already");
            axes.push_back(std::move(axis));
        });
    }
}

void readSeeds(const Json& value, const std::string& place, std::vector<std::uint64_t>& seeds) {
    if (value.is_number_integer()) {
        int count = 0;
        integerInto(count, 1, static_cast<std::int64_t>(mostValues))(value, place);
        for (int i = 1; i <= count; ++i) seeds.push_back(static_cast<std::uint64_t>(i));
        return;
    }
    if (!value.is_array() || value.empty() || value.size() > mostValues)
        expected(place, "a number of seeds (they are 1, 2, ...) or a list of them", value);
    for (std::size_t i = 0; i < value.size(); ++i) {
        std::int64_t seed = 0;
        const auto where = fmt::format("{}[{}]", place, i);
        integerInto(seed, 0, std::numeric_limits<std::int64_t>::max())(value[i], where);
        if (std::find(seeds.begin(), seeds.end(), static_cast<std::uint64_t>(seed)) != seeds.end())
            throw Error(where, fmt::format("seed {} is in the list already", seed));
        seeds.push_back(static_cast<std::uint64_t>(seed));
    }
}

void readSampling(const Json& value, const std::string& place, Study& study) {
    if (value.is_string()) return choiceInto(study.sampling, {Sampling::grid, Sampling::zip})(value, place);
    if (!value.is_object()) expected(place, "\"grid\", \"zip\" or {\"random\": 20, \"seed\": 1}", value);
    study.sampling = Sampling::random;
    readFields(value, place,
               {{"random", integerInto(study.samples, 1, mostValues)},
                {"seed", integerInto(study.sampleSeed, 0, std::numeric_limits<std::int64_t>::max())}});
    if (study.samples == 0) throw Error(place, "say how many: {\"random\": 20, \"seed\": 1}");
}

StudyMeasure readMeasure(const std::string& name, const Json& value, const std::string& place, Problems& problems) {
    StudyMeasure measure;
    measure.name = name;
    measure.definition = value;
    checkName(name, "a measure's name", place);
    if (value.is_string()) { // the short form: a metric of the training
        measure.metric = value.get<std::string>();
        return measure;
    }
    const auto evaluation = [&](const Json& given, const std::string& where) {
        measure.evaluated = true;
        readFields(given, where,
                   {{"trials", integerInto(measure.trials, 0, large)},
                    {"set", settingsInto(measure.set)},
                    {"interventions", interventionsInto(measure.interventions, problems)}},
                   problems);
    };
    readFields(value, place,
               {{"metric", textInto(measure.metric)}, {"over", numberInto(measure.over)}, {"evaluate", evaluation}},
               problems);
    if (measure.metric.empty() && !problems.concern(place)) problems.add(place, "a measure needs \"metric\"");
    if (!(measure.over > 0 && measure.over <= 1))
        problems.add(place + ".over",
                     fmt::format("expected a part of the iterations, above 0 and at most 1, got {}", measure.over));
    if (measure.evaluated && value.contains("over"))
        problems.add(place + ".over", "belongs to a measure of the training; an evaluation has \"trials\"");
    return measure;
}

void readBar(const Json& value, const std::string& place, StudyBar& bar, Problems& problems) {
    const auto into = [](std::optional<double>& target) {
        return [&target](const Json& v, const std::string& where) { numberInto(target)(v, where); };
    };
    readFields(value, place,
               {{"measure", textInto(bar.measure)},
                {"variant", textInto(bar.variant)},
                {"minus", textInto(bar.minus)},
                {"over", textInto(bar.over)},
                {"where", settingsInto(bar.where)},
                {"statistic", choiceInto(bar.statistic, {BarStatistic::median, BarStatistic::mean, BarStatistic::lowest,
                                                         BarStatistic::highest, BarStatistic::rate})},
                {"at_least", into(bar.atLeast)},
                {"at_most", into(bar.atMost)},
                {"above", into(bar.above)},
                {"below", into(bar.below)},
                {"solved", into(bar.solved)},
                {"p", into(bar.p)},
                {"text", textInto(bar.text)}},
               problems);
    if (problems.concern(place)) return;
    if (bar.measure.empty() || bar.variant.empty()) problems.add(place, "a bar needs \"measure\" and \"variant\"");
    if (!bar.atLeast && !bar.atMost && !bar.above && !bar.below && !bar.p)
        problems.add(place, "a bar needs \"at_least\", \"at_most\", \"above\", \"below\" or \"p\"");
    if ((bar.statistic == BarStatistic::rate) != bar.solved.has_value())
        problems.add(place,
                     "\"solved\", the value from which a seed counts, and \"statistic\": \"rate\" belong together");
    if (bar.p && bar.minus.empty())
        problems.add(place + ".p", "a rank test needs the variant to compare with: \"minus\"");
    if (!bar.minus.empty() && !bar.over.empty()) problems.add(place, "a bar has \"minus\" or \"over\", not both");
    if (bar.p && !(*bar.p > 0 && *bar.p < 1))
        problems.add(place + ".p", fmt::format("expected a number between 0 and 1, got {}", *bar.p));
}

void readFigure(const Json& value, const std::string& place, StudyFigure& figure, Problems& problems) {
    readFields(value, place,
               {{"name", textInto(figure.name)},
                {"title", textInto(figure.title)},
                {"kind", choiceInto(figure.kind, {FigureKind::learning_curves, FigureKind::measures})},
                {"metric", textInto(figure.metric)},
                {"measure", textInto(figure.metric)},
                {"smoothing", integerInto(figure.smoothing, 0, large)}},
               problems);
    if (problems.concern(place)) return;
    problems.collect([&] { checkName(figure.name, "a figure's name", place + ".name"); });
    if (value.contains("measure") != (figure.kind == FigureKind::measures))
        problems.add(place, figure.kind == FigureKind::measures
                                ? "a figure of measures needs \"measure\""
                                : "learning curves have a \"metric\", not a \"measure\"");
}

/// What parts of the study say of each other.
void checkNames(const Study& study, Problems& problems) {
    std::vector<std::string> variants, measures, axes;
    for (const auto& variant : study.variants) variants.push_back(variant.name);
    for (const auto& measure : study.measures) measures.push_back(measure.name);
    for (const auto& axis : study.axes) axes.push_back(axis.path);
    const auto known = [&](const std::string& name, const std::vector<std::string>& names, const char* what,
                           const std::string& place) {
        if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
            problems.add(place, fmt::format("there is no {} \"{}\"{}", what, name, suggestion(name, names)));
    };
    for (std::size_t i = 0; i < study.bars.size(); ++i) {
        const auto& bar = study.bars[i];
        const auto place = fmt::format("bars[{}]", i);
        known(bar.measure, measures, "measure", place + ".measure");
        known(bar.variant, variants, "variant", place + ".variant");
        known(bar.minus, variants, "variant", place + ".minus");
        known(bar.over, variants, "variant", place + ".over");
        for (const auto& [path, value] : bar.where) {
            known(path, axes, "axis", place + ".where." + path);
            for (const auto& axis : study.axes)
                if (axis.path == path && std::find(axis.values.begin(), axis.values.end(), value) == axis.values.end())
                    problems.add(place + ".where." + path,
                                 fmt::format("{} is none of the values of this axis: {}", value.dump(),
                                             Json(axis.values).dump().substr(0, 120)));
        }
    }
    for (const auto& name : measures)
        if (name == "variant" || name == "seed" || name == "run_hash" || name == "id" ||
            std::find(axes.begin(), axes.end(), name) != axes.end())
            problems.add("measures." + name, "a column of the table has this name; choose another one");
    std::set<std::string> figures;
    for (std::size_t i = 0; i < study.figures.size(); ++i) {
        const auto& figure = study.figures[i];
        const auto place = fmt::format("figures[{}]", i);
        if (figure.kind == FigureKind::measures) known(figure.metric, measures, "measure", place + ".measure");
        if (!figures.insert(figure.name).second) problems.add(place + ".name", "another figure has this name");
    }
    if (std::find(axes.begin(), axes.end(), "seed") != axes.end())
        problems.add("axes.seed", "seeds are no axis; write \"seeds\": [1, 2]");
    const auto setsSeed = [](const StudyChange& change) {
        return std::any_of(change.set.begin(), change.set.end(), [](const auto& item) { return item.first == "seed"; });
    };
    if (setsSeed(study.base)) problems.add("set.seed", "all variants have the same seeds; write \"seeds\": [1, 2]");
    for (const auto& variant : study.variants)
        if (setsSeed(variant.change))
            problems.add("variants." + variant.name + ".set.seed",
                         "all variants have the same seeds; write \"seeds\": [1, 2] in the study");
    if (study.sampling == Sampling::random) {
        double points = study.axes.empty() ? 0 : 1;
        for (const auto& axis : study.axes) points *= static_cast<double>(axis.values.size());
        if (study.samples > points)
            problems.add("sampling", fmt::format("asks for {} points at random; the axes have {} in all", study.samples,
                                                 static_cast<std::int64_t>(points)));
    }
    if (study.sampling == Sampling::zip)
        for (const auto& axis : study.axes)
            if (axis.values.size() != study.axes.front().values.size())
                problems.add(
                    "axes." + axis.path,
                    fmt::format(
                        "axes that go together (zip) have the same number of values; this one has {}, {} has {}",
                        axis.values.size(), study.axes.front().path, study.axes.front().values.size()));
}

} // namespace

Study studyFromJson(const Json& document, const std::filesystem::path& folder) {
    Study study;
    study.document = document;
    study.folder = folder;
    Problems problems;
    std::vector<FieldReader> fields = changeFields(study.base, problems);
    fields.push_back({"raphe_study", [](const Json& value, const std::string& place) {
                          if (value != 1) expected(place, "version 1", value);
                      }});
    fields.push_back({"name", [&](const Json& value, const std::string& place) {
                          textInto(study.name)(value, place);
                          checkName(study.name, "a study's name", place);
                      }});
    fields.push_back({"doc", textInto(study.doc)});
    fields.push_back({"variants", [&](const Json& value, const std::string& place) {
                          if (!value.is_object() || value.empty())
                              expected(place, "an object with at least one variant", value);
                          for (const auto& [name, item] : value.items()) {
                              const auto where = place + "." + name;
                              problems.collect([&, &key = name] { checkName(key, "a variant's name", where); });
                              study.variants.push_back({name, {}});
                              problems.collect([&, &given = item] {
                                  readFields(given, where, changeFields(study.variants.back().change, problems),
                                             problems);
                              });
                          }
                      }});
    fields.push_back(
        {"axes", [&](const Json& value, const std::string& place) { readAxes(value, place, study.axes, problems); }});
    fields.push_back(
        {"sampling", [&](const Json& value, const std::string& place) { readSampling(value, place, study); }});
    fields.push_back(
        {"seeds", [&](const Json& value, const std::string& place) { readSeeds(value, place, study.seeds); }});
    fields.push_back({"iterations", integerInto(study.iterations, 1, large)});
    fields.push_back({"threads", integerInto(study.threads, 0, 1024)});
    fields.push_back({"measures", [&](const Json& value, const std::string& place) {
                          if (!value.is_object())
                              expected(place, "an object such as {\"reward\": {\"metric\": \"reward\"}}", value);
                          for (const auto& [name, item] : value.items())
                              problems.collect([&, &key = name, &given = item] {
                                  study.measures.push_back(readMeasure(key, given, place + "." + key, problems));
                              });
                      }});
    fields.push_back(
        {"bars", listInto(study.bars, problems, [&](const Json& value, const std::string& place, StudyBar& bar) {
             readBar(value, place, bar, problems);
         })});
    fields.push_back({"figures", listInto(study.figures, problems,
                                          [&](const Json& value, const std::string& place, StudyFigure& figure) {
                                              readFigure(value, place, figure, problems);
                                          })});
    readFields(document, "", fields, problems);
    if (!document.contains("raphe_study"))
        problems.add("raphe_study", "the document's version is missing; write \"raphe_study\": 1");
    if (study.name.empty() && !problems.concern("name")) problems.add("name", "a study needs a name");
    if (study.variants.empty() && !document.contains("variants")) study.variants.push_back({"base", {}});
    if (study.seeds.empty() && !problems.concern("seeds")) study.seeds.push_back(1);
    for (const auto& variant : study.variants)
        if (study.base.experiment.empty() && variant.change.experiment.empty())
            problems.add("variants." + variant.name,
                         "names no experiment, and neither does the study; write \"experiment\"");
    if (problems.empty()) checkNames(study, problems);
    problems.throwIfAny();
    return study;
}

std::vector<std::string> studyNames() {
    std::vector<std::string> names;
    const auto folder = resourceFolder() / "studies";
    std::error_code none;
    for (std::filesystem::directory_iterator item(folder, none), end; !none && item != end; item.increment(none))
        if (item->path().string().ends_with(".study.json")) names.push_back(item->path().stem().stem());
    std::sort(names.begin(), names.end());
    return names;
}

std::filesystem::path findStudy(const std::string& nameOrPath) {
    if (std::filesystem::is_regular_file(nameOrPath)) return nameOrPath;
    const auto packaged = resourceFolder() / "studies" / (nameOrPath + ".study.json");
    if (!nameOrPath.empty() && nameOrPath.find('/') == std::string::npos && std::filesystem::exists(packaged))
        return packaged;
    throw Error(nameOrPath, "neither a study document nor a study folder nor a study that comes with Raphe" +
                                suggestion(nameOrPath, studyNames()));
}

Json overridden(Json document, const StudyOverrides& overrides) {
    if (!document.is_object()) return document; // what is wrong with it, its reader says
    if (overrides.seeds) document["seeds"] = *overrides.seeds;
    if (overrides.iterations) document["iterations"] = *overrides.iterations;
    if (overrides.set.empty()) return document;
    if (!document.contains("variants")) document["variants"] = {{"base", Json::object()}};
    if (!document["variants"].is_object()) return document;
    for (auto& [name, variant] : document["variants"].items())
        if (variant.is_object())
            for (const auto& [path, value] : overrides.set) variant["set"][path] = value;
    return document;
}

Study loadStudy(const std::string& nameOrPath, const StudyOverrides& overrides) {
    const auto path = findStudy(nameOrPath);
    return studyFromJson(overridden(readJson(path), overrides), path.parent_path());
}

} // namespace raphe
