// SPDX-License-Identifier: Apache-2.0
#include "engine/document/stages.h"

#include "engine/base/text.h"
#include "engine/document/experiment.h"
#include "engine/document/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

namespace raphe {

namespace {

using namespace fields;

constexpr std::size_t mostSteps = 10'000;

auto positiveInto(double& target, double below) {
    return [&target, below](const Json& value, const std::string& place) {
        double number = 0;
        numberInto(number)(value, place);
        if (number <= 0 || number >= below)
            expected(place, std::isfinite(below) ? fmt::format("a number > 0 and < {}", below) : "a number > 0", value);
        target = number;
    };
}

auto notNegativeInto(double& target) {
    return [&target](const Json& value, const std::string& place) {
        double number = 0;
        numberInto(number)(value, place);
        if (number < 0) expected(place, "a number >= 0", value);
        target = number;
    };
}

auto nameInto(std::string& target, const char* what) {
    return [&target, what](const Json& value, const std::string& place) {
        textInto(target)(value, place);
        checkName(target, what, place);
    };
}

/// Adds a problem for each field that must be there.
void require(const Json& object, const std::string& place, const std::string& what,
             const std::vector<const char*>& keys, Problems& problems) {
    for (const char* key : keys)
        if (!object.contains(key)) problems.add(place, fmt::format("{} needs \"{}\"", what, key));
}

std::vector<FieldReader> watchFields(Watch& watch) {
    return {{"metric", nameInto(watch.metric, "a metric's name")},
            {"goal", choiceInto(watch.goal, {Goal::min, Goal::max})},
            {"of", choiceInto(watch.of, {MetricSource::training, MetricSource::evaluation})},
            {"every", integerInto(watch.every, 1, large)},
            {"trials", integerInto(watch.trials, 0, large)},
            {"window", integerInto(watch.window, 1, largestWindow)}};
}

/// What the fields of a watch say together.
void checkWatch(const Json& object, const std::string& place, const std::string& what, const Watch& watch,
                Problems& problems) {
    require(object, place, what, {"metric", "goal"}, problems);
    if (problems.concern(place + ".of")) return;
    if (watch.of == MetricSource::training && object.contains("trials"))
        problems.add(place + ".trials", "belongs to \"of\": \"evaluation\"; training has the trials of its batch");
    if (watch.of == MetricSource::evaluation && object.contains("window"))
        problems.add(
            place + ".window",
            "belongs to \"of\": \"training\"; a mean over more trials of an evaluation is taken by \"trials\"");
    if (watch.of == MetricSource::evaluation && watch.metric == "gradient_norm")
        problems.add(place + ".metric", "an evaluation has no gradient; say \"of\": \"training\"");
}

void readWatch(const Json& value, const std::string& place, Watch& watch, Problems& problems) {
    readFields(value, place, watchFields(watch), problems);
    checkWatch(value, place, "it", watch, problems);
}

void readSteps(const Json& value, const std::string& place, const Schedule& schedule, Problems& problems) {
    const bool regular = value.contains("every") || value.contains("factor");
    const bool listed = value.contains("at") || value.contains("values");
    if (regular == listed) {
        problems.add(place, "a step has either \"every\" and \"factor\", or \"at\" and \"values\"");
        return;
    }
    if (regular) return require(value, place, "a step", {"every", "factor"}, problems);
    require(value, place, "a step", {"at", "values"}, problems);
    if (problems.concern(place)) return;
    if (schedule.at.size() != schedule.values.size())
        problems.add(place + ".values", fmt::format("expected as many as \"at\" has, {}, got {}", schedule.at.size(),
                                                    schedule.values.size()));
    if (schedule.at.empty()) problems.add(place + ".at", "expected at least one iteration");
    if (schedule.at.size() > mostSteps)
        problems.add(place + ".at", fmt::format("a schedule has at most {} steps", mostSteps));
    for (std::size_t i = 1; i < schedule.at.size(); ++i)
        if (schedule.at[i] <= schedule.at[i - 1]) {
            problems.add(fmt::format("{}.at[{}]", place, i),
                         fmt::format("expected an iteration after {}, got {}", schedule.at[i - 1], schedule.at[i]));
            break;
        }
}

void readSchedule(const Json& value, const std::string& place, Schedule& schedule, Problems& problems) {
    if (!value.is_object()) expected(place, "an object", value);
    const auto kindInto = choiceInto(schedule.kind, {ScheduleKind::constant, ScheduleKind::step, ScheduleKind::linear,
                                                     ScheduleKind::cosine, ScheduleKind::plateau});
    if (!value.contains("kind")) throw Error(place, "a schedule needs \"kind\"");
    kindInto(value["kind"], place + ".kind");

    const auto kind = schedule.kind;
    std::vector<FieldReader> fields{{"kind", kindInto}};
    const auto add = [&fields](const char* key, auto read) { fields.push_back({key, read}); };
    if (kind == ScheduleKind::constant)
        add("value", numberInto(schedule.from));
    else
        add("from", numberInto(schedule.from));
    if (kind == ScheduleKind::step) {
        add("every", integerInto(schedule.every, 1, large));
        add("factor", positiveInto(schedule.factor, INFINITY));
        add("at", listInto(schedule.at, problems, [](const Json& v, const std::string& where, int& iteration) {
                integerInto(iteration, 1, large)(v, where);
            }));
        add("values", listInto(schedule.values, problems, [](const Json& v, const std::string& where, double& number) {
                numberInto(number)(v, where);
            }));
    }
    if (kind == ScheduleKind::linear || kind == ScheduleKind::cosine) {
        add("to", numberInto(schedule.to));
        add("over", integerInto(schedule.over, 0, large));
    }
    if (kind == ScheduleKind::plateau) {
        const auto watch = watchFields(schedule.watch);
        fields.insert(fields.end(), watch.begin(), watch.end());
        add("factor", positiveInto(schedule.factor, 1));
        add("patience", integerInto(schedule.patience, 1, large));
        add("threshold", notNegativeInto(schedule.threshold));
        add("cooldown", integerInto(schedule.cooldown, 0, large));
        add("minimum", numberInto(schedule.minimum));
    }
    readFields(value, place, fields, problems);
    if (kind == ScheduleKind::constant) require(value, place, "a constant schedule", {"value"}, problems);
    if (kind == ScheduleKind::step) readSteps(value, place, schedule, problems);
    if (kind == ScheduleKind::linear || kind == ScheduleKind::cosine)
        require(value, place, fmt::format("a {} schedule", nameOf(kind)), {"to"}, problems);
    if (kind == ScheduleKind::plateau) checkWatch(value, place, "a plateau schedule", schedule.watch, problems);
}

const ParamInfo& paramOf(const DeclarationData& rule, const std::string& key, const std::string& place) {
    if (const auto* info = rule.param(key)) return *info;
    std::vector<std::string> known;
    for (const auto& p : rule.params) known.push_back(p.key);
    throw Error(place,
                fmt::format("{} has no parameter \"{}\"{}", rule.key(), key.substr(0, 80), suggestion(key, known)));
}

const char* typeText(ParamType type) {
    switch (type) {
    case ParamType::boolean:
        return "true or false";
    case ParamType::integer:
    case ParamType::real:
        return "a number";
    case ParamType::text:
        return "a text";
    case ParamType::list:
        return "a list";
    }
    return "";
}

void readStage(const Json& value, const std::string& place, TrainingStage& stage, const DeclarationData* rule,
               Problems& problems) {
    const auto setInto = [&](const Json& v, const std::string& where) {
        if (!v.is_object()) expected(where, "an object", v);
        if (rule)
            for (const auto& [key, item] : v.items())
                problems.collect([&, &k = key, &param = item] {
                    const auto at = where + "." + k;
                    stage.set[k] = readParam(paramOf(*rule, k, at), param, at);
                });
    };
    const auto schedulesInto = [&](const Json& v, const std::string& where) {
        if (!v.is_object()) expected(where, "an object", v);
        for (const auto& [key, item] : v.items())
            problems.collect([&, &k = key, &schedule = item] {
                const auto at = where + "." + k;
                if (rule) {
                    const auto& info = paramOf(*rule, k, at);
                    if (info.type != ParamType::integer && info.type != ParamType::real)
                        throw Error(at, fmt::format("this parameter is {}, and only numbers have schedules; change it "
                                                    "with \"set\"",
                                                    typeText(info.type)));
                }
                readSchedule(schedule, at, stage.schedules[k], problems);
            });
    };
    readFields(
        value, place,
        {{"name", nameInto(stage.name, "a stage's name")},
         {"iterations", integerInto(stage.iterations, 1, large)},
         {"frozen", listInto(stage.frozen, problems,
                             [](const Json& v, const std::string& where, std::string& pattern) {
                                 if (!v.is_string()) expected(where, "a pattern of tensor names", v);
                                 pattern = v.get<std::string>();
                             })},
         {"set", setInto},
         {"schedules", schedulesInto},
         {"reset_optimiser", booleanInto(stage.resetOptimiser)},
         {"keep_best",
          [&](const Json& v, const std::string& where) { readWatch(v, where, stage.keepBest.emplace(), problems); }}},
        problems);
    require(value, place, "a stage", {"name", "iterations"}, problems);
}

void addTo(Json& object, const Watch& watch) {
    object["metric"] = watch.metric;
    object["goal"] = nameOf(watch.goal);
    object["of"] = nameOf(watch.of);
    object["every"] = watch.every;
    if (watch.of == MetricSource::evaluation)
        object["trials"] = watch.trials;
    else
        object["window"] = watch.window;
}

Json toJson(const Schedule& schedule) {
    const auto kind = schedule.kind;
    Json result = {{"kind", nameOf(kind)}};
    if (schedule.from) result[kind == ScheduleKind::constant ? "value" : "from"] = *schedule.from;
    if (kind == ScheduleKind::step && schedule.every > 0) {
        result["every"] = schedule.every;
        result["factor"] = schedule.factor;
    } else if (kind == ScheduleKind::step) {
        result["at"] = schedule.at;
        result["values"] = schedule.values;
    }
    if (kind == ScheduleKind::linear || kind == ScheduleKind::cosine) {
        result["to"] = schedule.to;
        result["over"] = schedule.over;
    }
    if (kind == ScheduleKind::plateau) {
        addTo(result, schedule.watch);
        result["factor"] = schedule.factor;
        result["patience"] = schedule.patience;
        result["threshold"] = schedule.threshold;
        result["cooldown"] = schedule.cooldown;
        result["minimum"] = schedule.minimum;
    }
    return result;
}

/// Looks at one stage with the parameters that the rule has in the document.
class StageChecker {
public:
    StageChecker(const TrainingStage& stage, std::string place, const RuleOf& rule, Problems& problems)
        : stage_(stage), place_(std::move(place)), rule_(rule), problems_(problems) {}

    void check() {
        for (const auto& [key, schedule] : stage_.schedules) checkSchedule(key, schedule);
        // What several parameters say together means something only if each of them is right.
        if (!problems_.concern(place_) && !problems_.concern("nodes." + rule_.node)) checkTogether();
    }

private:
    void checkSchedule(const std::string& key, const Schedule& schedule) {
        const auto& info = *rule_.declaration->param(key);
        const auto place = place_ + ".schedules." + key;
        const auto allowed = [&](double value, const std::string& where) {
            problems_.collect([&] { readParam(info, Json(value), where); });
        };
        const double start = startOf(stage_, key, *rule_.params);
        const auto startPlace = place + (schedule.kind == ScheduleKind::constant ? ".value" : ".from");
        if (schedule.from) {
            allowed(start, startPlace);
            if (stage_.set.contains(key))
                problems_.add(startPlace,
                              "\"set\" gives this parameter another value for the stage; remove one of them");
        }
        switch (schedule.kind) {
        case ScheduleKind::constant:
            break;
        case ScheduleKind::step:
            for (std::size_t i = 0; i < schedule.values.size(); ++i)
                allowed(schedule.values[i], fmt::format("{}.values[{}]", place, i));
            if (schedule.every > 0)
                reached(info, valueAt(schedule, start, stage_.iterations, stage_.iterations - 1), place + ".factor");
            break;
        case ScheduleKind::linear:
        case ScheduleKind::cosine:
            allowed(schedule.to, place + ".to");
            break;
        case ScheduleKind::plateau:
            if (start <= 0)
                problems_.add(place,
                              fmt::format("starts with {}, but only a number above 0 is reduced by a factor", start));
            else if (schedule.minimum > start)
                problems_.add(place + ".minimum",
                              fmt::format("is above {}, the value that the schedule starts with", start));
            reached(info, schedule.minimum, place + ".minimum");
            break;
        }
    }

    /// A value that follows from others, and is rounded if the parameter is an integer.
    void reached(const ParamInfo& info, double value, const std::string& place) {
        const double number = info.type == ParamType::integer ? std::round(value) : value;
        if (std::isfinite(number) && number >= info.min && number <= info.max &&
            (info.type != ParamType::integer || std::abs(number) <= 2147483647.0))
            return;
        problems_.add(
            place, fmt::format("takes the parameter to {} in this stage, expected number{}", value, rangeText(info)));
    }

    /// Iterations of the stage at which the parameters take a new turn.
    std::set<int> turns() const {
        const int last = stage_.iterations - 1;
        std::set<int> result{0, last};
        for (const auto& [key, schedule] : stage_.schedules)
            for (std::size_t i = 0; i < std::min<std::size_t>(schedule.at.size(), 100); ++i)
                if (schedule.at[i] < last) result.insert(schedule.at[i]);
        return result;
    }

    void checkTogether() {
        const auto& declaration = *rule_.declaration;
        if (!declaration.check(*rule_.params).empty()) return; // the graph says so
        for (const int iteration : turns()) {
            const auto params = paramsAt(stage_, declaration, *rule_.params, iteration);
            const auto when = iteration == 0 ? std::string{} : fmt::format("at its iteration {}: ", iteration);
            if (const auto sentence = declaration.check(params); !sentence.empty()) {
                problems_.add(place_, when + sentence);
                return;
            }
            for (const auto& port : declaration.ports)
                if (const int size = port.size(params), before = port.size(*rule_.params); size != before) {
                    problems_.add(place_, fmt::format("{}gives the port {}.{} {} units instead of {}; the wires of a "
                                                      "training stay as they are",
                                                      when, rule_.node, port.name, size, before));
                    return;
                }
        }
    }

    const TrainingStage& stage_;
    std::string place_;
    const RuleOf& rule_;
    Problems& problems_;
};

double numberOf(const ParamValue& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
    return std::get<double>(value);
}

} // namespace

const char* nameOf(Goal goal) { return goal == Goal::min ? "min" : "max"; }
const char* nameOf(MetricSource source) { return source == MetricSource::training ? "training" : "evaluation"; }
const char* nameOf(ScheduleKind kind) {
    switch (kind) {
    case ScheduleKind::constant:
        return "constant";
    case ScheduleKind::step:
        return "step";
    case ScheduleKind::linear:
        return "linear";
    case ScheduleKind::cosine:
        return "cosine";
    case ScheduleKind::plateau:
        return "plateau";
    }
    return "";
}

std::int64_t iterationsOf(const std::vector<TrainingStage>& stages) {
    std::int64_t sum = 0;
    for (const auto& stage : stages) sum += stage.iterations;
    return sum;
}

std::vector<TrainingStage> stagesFromJson(const Json& value, const DeclarationData* rule, Problems& problems) {
    std::vector<TrainingStage> stages;
    problems.collect([&] {
        if (value.is_array() && value.size() > mostStages)
            throw Error("stages", fmt::format("a training has at most {} stages, got {}", mostStages, value.size()));
        listInto(stages, problems, [&](const Json& item, const std::string& place, TrainingStage& stage) {
            readStage(item, place, stage, rule, problems);
        })(value, "stages");
    });
    return stages;
}

Json toJson(const TrainingStage& stage) {
    Json result = {{"name", stage.name}, {"iterations", stage.iterations}, {"frozen", stage.frozen}};
    auto& set = result["set"] = Json::object();
    for (const auto& [key, value] : stage.set) set[key] = toJson(value);
    auto& schedules = result["schedules"] = Json::object();
    for (const auto& [key, schedule] : stage.schedules) schedules[key] = toJson(schedule);
    result["reset_optimiser"] = stage.resetOptimiser;
    if (stage.keepBest) addTo(result["keep_best"] = Json::object(), *stage.keepBest);
    return result;
}

Json toJson(const std::vector<TrainingStage>& stages) {
    Json list = Json::array();
    for (const auto& stage : stages) list.push_back(toJson(stage));
    return list;
}

RuleOf ruleOf(const Experiment& experiment, const Registry& registry) {
    for (const auto& node : experiment.nodes)
        if (registry.contains(node.mechanism)) {
            const auto& declaration = registry.find(node.mechanism, node.name).declaration;
            if (declaration.kind == Kind::rule) return {&declaration, &node.params, node.name};
        }
    return {};
}

void checkStages(const Experiment& experiment, const Registry& registry, Problems& problems) {
    if (experiment.stages.empty()) return;
    auto stages = experiment.stages;
    const auto rule = ruleOf(experiment, registry);
    const bool wasRead = !problems.concern("stages");
    if (!rule.declaration) {
        const bool unknown = std::any_of(experiment.nodes.begin(), experiment.nodes.end(),
                                         [&](const NodeSpec& node) { return !registry.contains(node.mechanism); });
        if (!unknown && !problems.concern("nodes"))
            problems.add("stages", "train by a learning rule, but the experiment has none; add a node such as "
                                   "\"learner\": {\"mechanism\": \"rule.supervised\"}");
    }
    // Whoever made the stages: they must be what could be read.
    if (wasRead) {
        stages = stagesFromJson(toJson(stages), rule.declaration, problems);
        if (stages.empty()) return; // too many
        const auto sum = iterationsOf(stages);
        if (sum > large)
            problems.add("stages", fmt::format("have {} iterations in all; a training has at most {}", sum, large));
        else if (experiment.iterations > sum && !problems.concern("iterations"))
            problems.add("iterations", fmt::format("expected at most {}, as many as the stages have in all, got {}",
                                                   sum, experiment.iterations));
    }
    std::map<std::string, std::size_t> names;
    for (std::size_t i = 0; i < stages.size(); ++i) {
        const auto place = fmt::format("stages[{}]", i);
        if (rule.declaration && !problems.concern(place)) StageChecker(stages[i], place, rule, problems).check();
        const auto [first, isNew] = names.emplace(stages[i].name, i);
        if (!isNew && !stages[i].name.empty())
            problems.add(place + ".name",
                         fmt::format("\"{}\" is the name of stages[{}]", stages[i].name, first->second));
    }
}

double valueAt(const Schedule& schedule, double start, int stageIterations, int iteration) {
    const auto progress = [&] {
        return std::min(1.0, static_cast<double>(iteration) / (schedule.over > 0 ? schedule.over : stageIterations));
    };
    switch (schedule.kind) {
    case ScheduleKind::constant:
    case ScheduleKind::plateau:
        return start;
    case ScheduleKind::step: {
        if (schedule.every > 0) return start * std::pow(schedule.factor, iteration / schedule.every);
        const auto passed = std::upper_bound(schedule.at.begin(), schedule.at.end(), iteration) - schedule.at.begin();
        return passed == 0 ? start : schedule.values[static_cast<std::size_t>(passed - 1)];
    }
    case ScheduleKind::linear:
        return std::lerp(start, schedule.to, progress());
    case ScheduleKind::cosine:
        return std::lerp(start, schedule.to, (1 - std::cos(std::numbers::pi * progress())) / 2);
    }
    return start;
}

double startOf(const TrainingStage& stage, const std::string& key, const ParamValues& base) {
    if (const auto& from = stage.schedules.at(key).from) return *from;
    const auto changed = stage.set.find(key);
    return numberOf(changed != stage.set.end() ? changed->second : base.at(key));
}

ParamValue valueFor(const ParamInfo& info, double value) {
    if (info.type == ParamType::integer) return static_cast<std::int64_t>(std::llround(value));
    return value;
}

ParamValues paramsAt(const TrainingStage& stage, const DeclarationData& rule, const ParamValues& base, int iteration) {
    ParamValues params = base;
    for (const auto& [key, value] : stage.set) params[key] = value;
    for (const auto& [key, schedule] : stage.schedules)
        params[key] =
            valueFor(*rule.param(key), valueAt(schedule, startOf(stage, key, base), stage.iterations, iteration));
    return params;
}

} // namespace raphe
