// SPDX-License-Identifier: Apache-2.0
#include "target.h"

#include "engine/document/json_reader.h"
#include "engine/document/stage_plan.h"
#include "engine/graph/graph.h"
#include "engine/learning/preflight.h"
#include "engine/mechanisms/plugin_host.h"

#include <cmath>

using namespace raphe;

namespace {
const Registry& registry() {
    static PluginHost host;
    static const bool loaded = (host.loadFolder(PLUGIN_FOLDER), true);
    fuzz::check(loaded && !host.registry().keys().empty(), "no plugins were found");
    return host.registry();
}
/// Metrics under every name that a stage looks at, now and then not a number.
NamedNumbers metricsOf(const TrainingStage& stage, int iteration) {
    const double value = iteration % 7 == 3 ? NAN : std::sin(iteration);
    NamedNumbers metrics;
    if (stage.keepBest) metrics.emplace_back(stage.keepBest->metric, value);
    for (const auto& [key, schedule] : stage.schedules)
        if (schedule.kind == ScheduleKind::plateau) metrics.emplace_back(schedule.watch.metric, value);
    return metrics;
}

/// The first iterations of the stages and those at their ends: parameters stay within what the rule declares, and the
/// state comes back from its numbers.
void followStages(const Experiment& experiment) {
    StageRunner runner(StagePlan(experiment, registry()));
    const auto& plan = runner.plan();
    const auto& rule = *ruleOf(experiment, registry()).declaration;
    const auto checkParams = [&](const ParamValues& params) {
        for (const auto& [key, value] : params)
            fuzz::check(readParam(*rule.param(key), toJson(value), key) == value, "a stage leaves a parameter's range");
    };
    for (int end = 0, s = 0; s < static_cast<int>(std::min<std::size_t>(plan.stages().size(), 20)); ++s) {
        const int first = end;
        end += plan.stages()[static_cast<std::size_t>(s)].iterations;
        checkParams(plan.params(first));
        checkParams(plan.params((first + end) / 2));
        checkParams(plan.params(end - 1));
    }
    for (int k = 0; k < std::min(plan.iterations(), 50); ++k) {
        const auto metrics = metricsOf(plan.stages()[static_cast<std::size_t>(plan.at(k).stage)], k);
        checkParams(runner.params(k));
        runner.record(k, metrics);
        if (runner.due()) runner.decide(std::vector<NamedNumbers>(runner.evaluations().size(), metrics));
        const auto saved = runner.save();
        for (const auto& [name, value] : saved) fuzz::check(std::isfinite(value), "a saved number is not finite");
        StageRunner again(plan);
        again.load(saved);
        fuzz::check(again.save() == saved, "the state of the stages changed when it was saved and loaded");
    }
}

/// Sizes may be anything; what they take is a number all the same, and nothing is made of them.
void estimate(const Experiment& experiment) {
    SessionOptions options;
    options.threads = 2;
    options.checkpoints = true;
    options.availableMemory = 1e9;
    Problems problems;
    const auto found = preflight(experiment, registry(), options, problems);
    fuzz::check(found.has_value() == problems.empty(), "an estimate and problems exclude each other");
    if (!found) return;
    const double total = found->estimate.total();
    fuzz::check(std::isfinite(total) && total >= 0 && std::isfinite(found->estimate.checkpoint) &&
                    std::isfinite(found->estimate.signals),
                "an estimate is not a number");
    fuzz::check(refusal(found->estimate, options).empty() == (total <= 1e9), "a refusal does not fit the estimate");
}

} // namespace

/// Any document: what is accepted as an experiment must stay the same through its own JSON, its stages must be fit to
/// be followed, its graph must resolve or be refused, and its memory must be estimated without being taken.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const auto experiment =
            experimentFromJson(parseJson(fuzz::textOf(data, size), "input"), registry(), "/nowhere");
        const auto document = experiment.toJson();
        fuzz::check(experimentFromJson(document, registry()).toJson() == document,
                    "an experiment changed when it was written and read");
        const Graph graph(experiment, registry());
        if (!experiment.stages.empty()) followStages(experiment);
        estimate(experiment);
    } catch (const Error&) {
    }
    return 0;
}
