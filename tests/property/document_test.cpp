// SPDX-License-Identifier: Apache-2.0
// Documents and hyper-parameters come back from JSON as they went.
#include "engine/document/json_reader.h"
#include "engine/document/stage_plan.h"
#include "support.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <limits>

namespace raphe::test {
namespace {

std::string anyText() { return *rc::gen::string<std::string>(); }

double anyFinite(double low, double high) {
    if (std::isfinite(low) && std::isfinite(high)) return low + (high - low) * (*rc::gen::inRange(0, 1000001)) * 1e-6;
    const double x = *rc::gen::suchThat(rc::gen::arbitrary<double>(), [](double v) { return std::isfinite(v); });
    if (std::isfinite(low)) return low + std::min(std::abs(x), 1e300);
    if (std::isfinite(high)) return high - std::min(std::abs(x), 1e300);
    return x;
}

/// A value that the declaration allows.
ParamValue anyValue(const ParamInfo& info) {
    switch (info.type) {
    case ParamType::boolean:
        return *rc::gen::arbitrary<bool>();
    case ParamType::integer: {
        const auto low = std::max(info.min, -2147483647.0), high = std::min(info.max, 2147483646.0);
        return *rc::gen::inRange(static_cast<std::int64_t>(low), static_cast<std::int64_t>(high) + 1);
    }
    case ParamType::real:
        return anyFinite(info.min, info.max);
    case ParamType::text:
        return info.choices.empty() ? std::string("any text") : *rc::gen::elementOf(info.choices);
    case ParamType::list: {
        std::vector<double> numbers;
        for (int i = *rc::gen::inRange(0, 5); i > 0; --i) numbers.push_back(anyFinite(info.min, info.max));
        return numbers;
    }
    }
    return false;
}

Watch anyWatch() {
    Watch watch{*rc::gen::element<std::string>("loss", "reward"), *rc::gen::element(Goal::min, Goal::max)};
    watch.of = *rc::gen::element(MetricSource::training, MetricSource::evaluation);
    watch.every = *rc::gen::inRange(1, 20);
    if (watch.of == MetricSource::training)
        watch.window = *rc::gen::inRange(1, 6);
    else
        watch.trials = *rc::gen::inRange(0, 3);
    return watch;
}

/// A schedule of a parameter whose value is above 0, within its range.
Schedule anySchedule(const ParamInfo& info) {
    const double high = std::min(info.max, 10.0), low = std::max(info.min, 1e-3);
    Schedule s;
    s.kind = *rc::gen::element(ScheduleKind::constant, ScheduleKind::step, ScheduleKind::linear, ScheduleKind::cosine,
                               ScheduleKind::plateau);
    if (s.kind == ScheduleKind::constant || *rc::gen::arbitrary<bool>()) s.from = anyFinite(low, high);
    if (s.kind == ScheduleKind::step && *rc::gen::arbitrary<bool>()) {
        s.every = *rc::gen::inRange(1, 30);
        s.factor = anyFinite(0.1, 1);
    } else if (s.kind == ScheduleKind::step) {
        for (int i = *rc::gen::inRange(1, 5); i > 0; --i) {
            s.at.push_back((s.at.empty() ? 0 : s.at.back()) + *rc::gen::inRange(1, 10));
            s.values.push_back(anyFinite(low, high));
        }
    }
    if (s.kind == ScheduleKind::linear || s.kind == ScheduleKind::cosine) {
        s.to = anyFinite(low, high);
        s.over = *rc::gen::inRange(0, 60);
    }
    if (s.kind == ScheduleKind::plateau) {
        s.watch = anyWatch();
        s.factor = anyFinite(0.01, 0.99);
        s.patience = *rc::gen::inRange(1, 4);
        s.threshold = anyFinite(0, 1);
        s.cooldown = *rc::gen::inRange(0, 3);
    }
    return s;
}

std::vector<TrainingStage> anyStages() {
    const auto& rule = registry().find("rule.supervised", "").declaration;
    std::vector<TrainingStage> stages;
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
        TrainingStage stage;
        stage.name = "stage_" + std::to_string(i);
        stage.iterations = *rc::gen::inRange(1, 40);
        if (*rc::gen::arbitrary<bool>()) stage.frozen.push_back("core.*");
        stage.resetOptimiser = *rc::gen::arbitrary<bool>();
        if (*rc::gen::arbitrary<bool>()) stage.keepBest = anyWatch();
        for (const char* key : {"optimiser", "clip_norm", "burn_in"})
            if (*rc::gen::arbitrary<bool>()) stage.set[key] = anyValue(*rule.param(key));
        for (const char* key : {"learning_rate", "weight_decay"})
            if (*rc::gen::arbitrary<bool>()) stage.schedules[key] = anySchedule(*rule.param(key));
        stages.push_back(std::move(stage));
    }
    return stages;
}

Experiment anyStagedExperiment() {
    auto e = load("mwg_small_nm_rnn");
    e.set("learner.weight_decay", 0.01, registry());
    e.stages = anyStages();
    if (!e.stages.empty()) e.iterations = *rc::gen::inRange(0, static_cast<int>(iterationsOf(e.stages)) + 1);
    return e;
}

Experiment anyExperiment() {
    Experiment e = load(*rc::gen::elementOf(experimentNames()));
    e.seed = static_cast<std::uint64_t>(*rc::gen::inRange<std::int64_t>(0, std::numeric_limits<std::int64_t>::max()));
    e.dt = anyFinite(1e-6, 100);
    e.trials = *rc::gen::inRange(0, 1000001);
    e.chunk = *rc::gen::inRange(0, 1000001);
    e.iterations = *rc::gen::inRange(0, e.stages.empty() ? 1000000001 : static_cast<int>(iterationsOf(e.stages)) + 1);
    e.memoryMiB = anyFinite(1e-3, 1e6);
    e.precision = *rc::gen::element(Precision::float32, Precision::float64);
    for (auto& node : e.nodes)
        for (const auto& info : registry().find(node.mechanism, "").declaration.params)
            if (*rc::gen::inRange(0, 3) == 0) node.params[info.key] = anyValue(info);
    for (auto& wire : e.wires)
        if (*rc::gen::inRange(0, 3) == 0) wire.delay = *rc::gen::inRange(0, 2);
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
        e.recordings.push_back({{e.nodes[0].name, "observation"},
                                *rc::gen::inRange(1, 1000),
                                *rc::gen::inRange(1, 1000),
                                *rc::gen::inRange(1, 1000)});
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
        Intervention item{{"modulator", "output"},
                          *rc::gen::element(Operation::clamp, Operation::scale, Operation::perturb, Operation::lesion),
                          *rc::gen::inRange(-1, 5),
                          anyFinite(-INFINITY, INFINITY),
                          *rc::gen::inRange(0, 50),
                          -1};
        if (item.operation == Operation::lesion) item.value = 0;
        if (*rc::gen::arbitrary<bool>()) item.to = item.from + *rc::gen::inRange(1, 50);
        e.interventions.push_back(item);
    }
    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) e.frozen.push_back("agent.*");
    return e;
}

TEST(Document, ComesBackFromJsonAsItWent) {
    EXPECT_TRUE(rc::check("experiment -> JSON -> text -> JSON -> experiment", [] {
        const auto experiment = anyExperiment();
        const auto document = experiment.toJson();
        const auto again = experimentFromJson(parseJson(document.dump(), "document"), registry());
        RC_ASSERT(again.toJson().dump() == document.dump());
        RC_ASSERT(again.interventions == experiment.interventions);
        RC_ASSERT(again.nodes.size() == experiment.nodes.size());
        for (std::size_t n = 0; n < again.nodes.size(); ++n)
            RC_ASSERT(again.nodes[n].params == experiment.nodes[n].params);
    }));
}

TEST(Document, StagesComeBackFromJson) {
    EXPECT_TRUE(rc::check("stages -> JSON -> text -> JSON -> stages", [] {
        const auto experiment = anyStagedExperiment();
        const auto document = experiment.toJson();
        const auto again = experimentFromJson(parseJson(document.dump(), "document"), registry());
        RC_ASSERT(again.stages == experiment.stages);
        RC_ASSERT(again.iterations == experiment.iterations);
        RC_ASSERT(again.toJson().dump() == document.dump());
    }));
}

/// What a training with these stages does from where the runner stands: parameters and decisions.
std::vector<std::string> follow(StageRunner& runner, const std::vector<double>& losses, int end) {
    std::vector<std::string> lines;
    const auto metrics = [&](int k) {
        return NamedNumbers{{"loss", losses[static_cast<std::size_t>(k) % losses.size()]}, {"reward", std::sin(k)}};
    };
    for (;;) {
        if (runner.due()) {
            const auto d =
                runner.decide(std::vector<NamedNumbers>(runner.evaluations().size(), metrics(runner.iteration() + 7)));
            lines.push_back(fmt::format("{} {} {} {}", d.keep, d.takeUp, d.best ? d.best->iteration : -1,
                                        fmt::join(d.reduced, " ")));
        }
        const int k = runner.iteration();
        if (k >= end) return lines;
        std::string text;
        for (const auto& [key, value] : runner.params(k)) text += key + "=" + raphe::toJson(value).dump() + " ";
        lines.push_back(text);
        runner.record(k, metrics(k));
        if (k + 1 == end && end != runner.plan().iterations()) return lines; // its check may wait
    }
}

TEST(Document, StagesGoOnFromSavedNumbers) {
    EXPECT_TRUE(rc::check("stopped anywhere, and gone on from the numbers", [] {
        const auto experiment = anyStagedExperiment();
        RC_PRE(!experiment.stages.empty());
        const StagePlan plan(experiment, registry());
        std::vector<double> losses;
        for (int i = 0; i < 17; ++i) losses.push_back(*rc::gen::inRange(0, 8) == 0 ? NAN : anyFinite(-1, 1));
        StageRunner whole(plan), first(plan), second(plan);
        const auto expected = follow(whole, losses, plan.iterations());
        auto lines = follow(first, losses, *rc::gen::inRange(0, plan.iterations() + 1));
        second.load(first.save());
        for (auto& line : follow(second, losses, plan.iterations())) lines.push_back(std::move(line));
        RC_ASSERT(lines == expected);
        RC_ASSERT(second.save() == whole.save());
    }));
}

TEST(Document, EveryDeclaredParameterComesBackFromJson) {
    EXPECT_TRUE(rc::check("value -> JSON -> text -> JSON -> value", [] {
        const auto& declaration = registry().find(*rc::gen::elementOf(registry().keys()), "").declaration;
        RC_PRE(!declaration.params.empty());
        const auto& info = *rc::gen::elementOf(declaration.params);
        const auto value = anyValue(info);
        const Json json = parseJson(raphe::toJson(value).dump(), "value");
        RC_ASSERT(readParam(info, json, "value") == value);
    }));
}

TEST(Document, ReadsAroundItsProblems) {
    const Json document = {
        {"raphe", 1},
        {"dt", -1},
        {"trials", 7},
        {"nodes",
         {{"core", {{"mechanism", "model.rnn"}, {"parms", 1}, {"params", {{"units", "many"}, {"tau", 5}}}}},
          {"gate", {{"mechanism", "model.dens"}, {"params", {{"units", 2}}}}},
          {"head", {{"mechanism", 3}}}}},
        {"wires", {"core.hidden", {{"from", "core.hidden"}, {"to", "gate.input"}, {"dely", 1}, {"delay", 2}}}}};
    Problems problems;
    const auto experiment = experimentFromJson(document, registry(), {}, problems);
    std::vector<std::string> places;
    for (const auto& line : problems.lines()) places.push_back(line.substr(0, line.find(':')));
    EXPECT_EQ(places,
              (std::vector<std::string>{"dt", "nodes.core.parms", "nodes.core.params.units", "nodes.gate.mechanism",
                                        "nodes.head.mechanism", "wires[0]", "wires[1].dely", "wires[1].delay"}));
    EXPECT_EQ(experiment.dt, 1);
    EXPECT_EQ(experiment.trials, 7);
    ASSERT_EQ(experiment.nodes.size(), 3u);
    const auto defaults = registry().find("model.rnn", "").declaration.defaults();
    EXPECT_EQ(experiment.nodes[0].params.at("units"), defaults.at("units"));
    EXPECT_EQ(experiment.nodes[0].params.at("tau"), ParamValue(5.0));
    ASSERT_EQ(experiment.wires.size(), 2u);
    EXPECT_EQ(experiment.wires[1].to.text(), "gate.input");
}

TEST(Document, InterventionComesBackFromJson) {
    EXPECT_TRUE(rc::check("intervention -> JSON -> intervention", [] {
        const auto experiment = anyExperiment();
        for (const auto& i : experiment.interventions)
            RC_ASSERT(interventionFromJson(raphe::toJson(i), "intervention") == i);
    }));
}

TEST(Document, AnyTextIsReadOrRefusedInASentence) {
    EXPECT_TRUE(rc::check("addresses, interventions and assignments", [] {
        const auto text = anyText();
        auto experiment = load("cue_small_A_simple");
        const auto attempt = [&](auto f) {
            try {
                f();
            } catch (const Error& error) {
                RC_ASSERT(!std::string(error.what()).empty());
            }
        };
        attempt([&] { parseAddress(text, "place"); });
        attempt([&] { parseIntervention(text); });
        attempt([&] { experiment.setText(text, registry()); });
    }));
}

} // namespace
} // namespace raphe::test
