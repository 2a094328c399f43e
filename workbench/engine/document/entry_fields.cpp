// SPDX-License-Identifier: Apache-2.0
#include "engine/document/entry_fields.h"

#include "engine/document/fields.h"

namespace raphe {

namespace {

constexpr double large = fields::large, unlimited = std::numeric_limits<double>::infinity();

ParamInfo made(const char* key, ParamType type, ParamValue initial, ParamOptions options) {
    ParamInfo info;
    static_cast<ParamOptions&>(info) = std::move(options);
    info.key = key;
    info.type = type;
    info.initial = std::move(initial);
    return info;
}
ParamInfo integer(const char* key, std::int64_t initial, double min, double max, const char* unit, const char* help) {
    return made(key, ParamType::integer, initial, {.unit = unit, .help = help, .min = min, .max = max});
}
ParamInfo number(const char* key, double initial, const char* help, double min = -unlimited, double max = unlimited) {
    return made(key, ParamType::real, initial, {.help = help, .min = min, .max = max});
}
ParamInfo choice(const char* key, const char* initial, std::vector<std::string> choices, const char* help) {
    return made(key, ParamType::text, std::string(initial), {.help = help, .choices = std::move(choices)});
}

} // namespace

const std::vector<ParamInfo>& recordingFields() {
    static const Recording plain;
    static const std::vector<ParamInfo> table{
        integer("trials", plain.trials, 1, large, "trials", "how many of the batch, from the first on"),
        integer("every_steps", plain.everySteps, 1, large, "steps", "keeps steps 0, this one, and so on"),
        integer("every_iterations", plain.everyIterations, 1, large, "iterations", "keeps iterations 0, this one, ..."),
    };
    return table;
}

const std::vector<ParamInfo>& interventionFields() {
    static const std::vector<ParamInfo> table = [] {
        std::vector<std::string> names;
        for (const auto operation : operations) names.emplace_back(nameOf(operation));
        return std::vector<ParamInfo>{
            choice(
                "operation", nameOf(Operation::clamp), names,
                "clamp: to the value; scale: by it; perturb: adds it; noise: adds random numbers with this standard "
                "deviation; lesion: to 0; swap: trials 0 and 1, 2 and 3, ... exchange a state before the first step"),
            number("value", 0, "see the operation"),
            integer("component", -1, 0, 2e9, "1", "unit of a signal, or entry of a tensor counted row by row, from 0"),
            integer("count", 1, 1, 2e9, "1", "how many components, from that one on"),
            integer("from", 0, 0, 2e9, "steps", "the first step, from 0"),
            integer("to", -1, 0, 2e9, "steps", "the step before which it ends"),
        };
    }();
    return table;
}

const std::vector<ParamInfo>& stageFields() {
    static const std::vector<ParamInfo> table{
        made("name", ParamType::text, std::string(), {.help = "letters, digits and _"}),
        integer("iterations", 1, 1, large, "1", "updates in this stage"),
        made("reset_optimiser", ParamType::boolean, false,
             {.help = "whether the optimiser forgets its moments before the stage"}),
    };
    return table;
}

std::vector<ParamInfo> watchFields(MetricSource source) {
    const Watch plain;
    std::vector<ParamInfo> table{
        made("metric", ParamType::text, std::string("loss"), {.help = "its name, as in the learning curves"}),
        choice("goal", nameOf(plain.goal), {"min", "max"}, "whether the smaller or the larger value is the better one"),
        choice("of", nameOf(plain.of), {"evaluation", "training"},
               "evaluations between the iterations, or the iterations themselves"),
        integer("every", plain.every, 1, large, "iterations", "from one check to the next"),
    };
    if (source == MetricSource::evaluation)
        table.push_back(integer("trials", plain.trials, 0, large, "trials", "of an evaluation; 0: one batch"));
    else
        table.push_back(integer("window", plain.window, 1, largestWindow, "iterations", "over which a mean is taken"));
    return table;
}

std::vector<ParamInfo> scheduleFields(ScheduleKind kind, bool regular) {
    const Schedule plain;
    std::vector<ParamInfo> table;
    if (kind == ScheduleKind::constant) return {number("value", 0, "in the whole stage")};
    table.push_back(number("from", 0, "at the start; otherwise the value that the parameter has"));
    switch (kind) {
    case ScheduleKind::constant:
        break;
    case ScheduleKind::step:
        if (regular) {
            table.push_back(integer("every", 1, 1, large, "iterations", "after which the factor is applied again"));
            table.push_back(number("factor", plain.factor, "above 0", 0));
        } else {
            table.push_back(made("at", ParamType::list, std::vector<double>{},
                                 {.unit = "iterations", .help = "from which the values hold", .min = 1, .max = large}));
            table.push_back(
                made("values", ParamType::list, std::vector<double>{}, {.help = "as many as there are iterations"}));
        }
        break;
    case ScheduleKind::linear:
    case ScheduleKind::cosine:
        table.push_back(number("to", 0, "at the end"));
        table.push_back(
            integer("over", 0, 0, large, "iterations", "after which the end is reached; 0: the whole stage"));
        break;
    case ScheduleKind::plateau:
        for (auto& info : watchFields(MetricSource::evaluation)) table.push_back(std::move(info));
        table.push_back(number("factor", plain.factor, "above 0 and below 1", 0, 1));
        table.push_back(integer("patience", plain.patience, 1, large, "checks",
                                "without a better value, before the factor is applied"));
        table.push_back(
            number("threshold", plain.threshold, "better means by more than this fraction of the best value", 0));
        table.push_back(integer("cooldown", plain.cooldown, 0, large, "checks", "after a change that do not count"));
        table.push_back(number("minimum", plain.minimum, "below which the parameter does not go"));
        break;
    }
    return table;
}

Json freshSchedule(ScheduleKind kind, double value) {
    Json schedule{{"kind", nameOf(kind)}};
    switch (kind) {
    case ScheduleKind::constant:
        schedule["value"] = value;
        break;
    case ScheduleKind::step:
        schedule["every"] = 1000;
        schedule["factor"] = 0.5;
        break;
    case ScheduleKind::linear:
    case ScheduleKind::cosine:
        schedule["to"] = value;
        break;
    case ScheduleKind::plateau:
        schedule["metric"] = "loss";
        schedule["goal"] = "min";
        schedule["factor"] = 0.5;
        break;
    }
    return schedule;
}

} // namespace raphe
