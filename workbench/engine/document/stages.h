// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/json_reader.h"
#include "engine/document/problems.h"
#include "raphe/declaration.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace raphe {

struct Experiment;
class Registry;

/// Whether the smaller or the larger value of a metric is the better one.
enum class Goal { min, max };
/// Where the values of a metric come from: the iterations themselves, or evaluations between them.
enum class MetricSource { training, evaluation };

/// A metric that is looked at from time to time while a stage trains; one look is a check.
struct Watch {
    std::string metric;
    Goal goal = Goal::min;
    MetricSource of = MetricSource::evaluation;
    int every = 100; ///< iterations from one check to the next
    int trials = 0;  ///< of an evaluation; 0: one batch
    int window = 1;  ///< of training: mean over so many last iterations of the stage
    friend bool operator==(const Watch&, const Watch&) = default;
};

enum class ScheduleKind { constant, step, linear, cosine, plateau };

/// How a parameter of the rule goes through a stage. Iterations are those of the stage, from 0. A field that is not
/// named with the kind is not used. Values of integer parameters are rounded.
struct Schedule {
    ScheduleKind kind = ScheduleKind::constant;
    /// constant: the value. Otherwise: the value at the start; unset: the value that the parameter has in this stage.
    std::optional<double> from;
    double to = 0; ///< linear, cosine: reached after `over` iterations and kept
    int over = 0;  ///< linear, cosine: 0: the whole stage
    int every = 0; ///< step: times `factor` after so many iterations; 0: `values` hold from the iterations `at` on
    double factor = 0.1; ///< step, plateau
    std::vector<int> at;
    std::vector<double> values;
    Watch watch;             ///< plateau: times `factor`, when the metric has not become better
    int patience = 10;       ///< plateau: for so many checks;
    double threshold = 1e-4; ///< plateau: better means by more than this fraction of the best value
    int cooldown = 0;        ///< plateau: checks after a change that are not counted
    double minimum = 0;      ///< plateau: not below this
    friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// A part of a training. (Nodes that are swept together are another kind of stage: Stage in graph.h.)
struct TrainingStage {
    std::string name;
    int iterations = 1;
    std::vector<std::string> frozen;           ///< patterns of tensor names, beside those of the experiment
    ParamValues set;                           ///< parameters of the rule that differ in this stage
    std::map<std::string, Schedule> schedules; ///< by parameter of the rule
    bool resetOptimiser = false;               ///< before the first iteration
    std::optional<Watch> keepBest;             ///< the weights of the best check are taken up at the end
    friend bool operator==(const TrainingStage&, const TrainingStage&) = default;
};

constexpr std::size_t mostStages = 1000;
constexpr int largestWindow = 10'000;

const char* nameOf(Goal goal);
const char* nameOf(MetricSource source);
const char* nameOf(ScheduleKind kind);

/// Of all stages together.
std::int64_t iterationsOf(const std::vector<TrainingStage>& stages);

/// Reads the list "stages" and adds to `problems`; what cannot be read keeps its default. What depends on the rest of
/// the document is left to checkStages().
/// @param rule  for the types of parameters; null if there is none that is known: then `set` stays empty
std::vector<TrainingStage> stagesFromJson(const Json& value, const DeclarationData* rule, Problems& problems);
/// Complete with every default.
Json toJson(const TrainingStage& stage);
Json toJson(const std::vector<TrainingStage>& stages);

/// The declaration of the experiment's learning rule, and its parameters; null if there is none that is known.
struct RuleOf {
    const DeclarationData* declaration = nullptr;
    const ParamValues* params = nullptr;
    std::string node;
};
RuleOf ruleOf(const Experiment& experiment, const Registry& registry);

/// Adds what is wrong with the stages of an experiment, its parameters as they are now. Takes into account what
/// `problems` say of the document already. Which tensors there are only a session knows; see StagePlan::checkTensors().
void checkStages(const Experiment& experiment, const Registry& registry, Problems& problems);

/// The value of a schedule that starts with `start`, at an iteration of a stage of `stageIterations` iterations.
/// Of a plateau it is the start.
double valueAt(const Schedule& schedule, double start, int stageIterations, int iteration);
/// What a schedule of a parameter starts with. @param base  the rule's parameters without the stage
double startOf(const TrainingStage& stage, const std::string& key, const ParamValues& base);
/// A number for a parameter: rounded if that is an integer.
ParamValue valueFor(const ParamInfo& info, double value);
/// The rule's parameters at an iteration of a stage; plateaus have their start.
ParamValues paramsAt(const TrainingStage& stage, const DeclarationData& rule, const ParamValues& base, int iteration);

} // namespace raphe
