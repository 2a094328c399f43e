// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"
#include "engine/document/stage_plan.h"

#include <functional>
#include <string>

namespace raphe::test {

struct PacedParams {
    double rate = 0.1, ceiling = 1;
    int window = 4, channels = 2;
    bool strict = false;
    std::string form = "plain";
    std::vector<double> weights;
};

/// A registry with the declaration of one rule and one model; nothing can be built from it.
inline const Registry& stageRegistry() {
    static const Registry registry = [] {
        using P = PacedParams;
        MechanismEntry rule, model;
        rule.declaration =
            Declaration<P>{"paced", "1.0.0", "A rule with parameters of every type"}
                .param("rate", &P::rate, {.help = "Rate", .min = 0, .max = 2})
                .param("ceiling", &P::ceiling, {.help = "Not below the rate", .min = 0})
                .param("window", &P::window, {.help = "Steps", .min = 1, .max = 100})
                .param("channels", &P::channels, {.help = "Size of a port", .min = 1})
                .param("strict", &P::strict, {.help = "Whether"})
                .param("form", &P::form, {.help = "Which", .choices = {"plain", "fancy"}})
                .param("weights", &P::weights, {.help = "Numbers"})
                .input("prediction", "channels", {.help = "What is trained", .optional = true})
                .check([](const P& p) { return p.rate > p.ceiling ? std::string("rate is above ceiling") : ""; })
                .data(Kind::rule);
        model.declaration = Declaration<P>{"still", "1.0.0", "A model"}.data(Kind::model);
        Registry result;
        result.add(std::move(rule), "tests");
        result.add(std::move(model), "tests");
        return result;
    }();
    return registry;
}

/// A document with a rule and these stages.
inline Json staged(const std::string& stages) {
    Json document = {{"raphe", 1}, {"nodes", {{"learner", {{"mechanism", "rule.paced"}}}}}};
    document["stages"] = parseJson(stages, "stages");
    return document;
}

/// All that is wrong with a document and its stages, one line each.
inline std::vector<std::string> problemsOfDocument(const Json& document) {
    Problems problems;
    problems.collect([&] {
        const auto experiment = experimentFromJson(document, stageRegistry(), {}, problems);
        checkStages(experiment, stageRegistry(), problems);
    });
    return problems.lines();
}
inline std::vector<std::string> problemsOf(const std::string& stages) { return problemsOfDocument(staged(stages)); }

inline Experiment stagedExperiment(const std::string& stages) {
    return experimentFromJson(staged(stages), stageRegistry());
}

inline std::string complaintOf(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "no complaint";
}

} // namespace raphe::test
