// SPDX-License-Identifier: Apache-2.0
// Which stage an iteration belongs to, what the rule's parameters are there, and what the checks of metrics decide.
#include "stages_fixture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace raphe::test {
namespace {

StagePlan planOf(const std::string& stages) { return {stagedExperiment(stages), stageRegistry()}; }

double rateAt(const StagePlan& plan, int iteration) { return std::get<double>(plan.params(iteration).at("rate")); }
std::int64_t windowAt(const StagePlan& plan, int iteration) {
    return std::get<std::int64_t>(plan.params(iteration).at("window"));
}

/// Values of `rate` or `window` in a stage of some iterations.
std::vector<double> rates(int iterations, const std::string& schedule) {
    const auto plan = planOf(R"([{"name": "a", "iterations": )" + std::to_string(iterations) +
                             R"(, "schedules": {"rate": )" + schedule + "}}]");
    std::vector<double> result;
    for (int k = 0; k < iterations; ++k) result.push_back(rateAt(plan, k));
    return result;
}
std::vector<std::int64_t> windows(int iterations, const std::string& schedule) {
    const auto plan = planOf(R"([{"name": "a", "iterations": )" + std::to_string(iterations) +
                             R"(, "schedules": {"window": )" + schedule + "}}]");
    std::vector<std::int64_t> result;
    for (int k = 0; k < iterations; ++k) result.push_back(windowAt(plan, k));
    return result;
}

TEST(StagePlan, LaysStagesOutAlongTheIterations) {
    const auto plan =
        planOf(R"([{"name": "a", "iterations": 2}, {"name": "b", "iterations": 1}, {"name": "c", "iterations": 3}])");
    EXPECT_FALSE(plan.empty());
    EXPECT_EQ(plan.iterations(), 6);
    const std::vector<std::vector<int>> expected{{0, 0, 1, 0}, {0, 1, 0, 1}, {1, 0, 1, 1},
                                                 {2, 0, 1, 0}, {2, 1, 0, 0}, {2, 2, 0, 1}};
    for (int k = 0; k < 6; ++k) {
        const auto p = plan.at(k);
        EXPECT_EQ((std::vector<int>{p.stage, p.iteration, p.first, p.last}), expected[static_cast<std::size_t>(k)])
            << k;
    }
    EXPECT_EQ(complaintOf([&] { plan.at(6); }), "stages: have 6 iterations in all, so there is none with the number 6; "
                                                "iterations are counted from 0");
    EXPECT_TRUE(planOf("[]").empty());
    EXPECT_EQ(planOf("[]").iterations(), 0);
}

TEST(StagePlan, RefusesAnExperimentThatWasChangedForTheWorse) {
    auto experiment =
        stagedExperiment(R"([{"name": "a", "iterations": 2, "schedules": {"rate": {"kind": "linear", "to": 1}}}])");
    experiment.stages[0].schedules.at("rate").to = 3;
    experiment.stages[0].set["window"] = std::int64_t{0};
    experiment.stages.push_back({});
    EXPECT_EQ(complaintOf([&] { StagePlan(experiment, stageRegistry()); }),
              "stages[0].set.window: expected integer from 1 to 100, got 0\n"
              "stages[1].name: a stage's name consists of letters, digits and _ (at most 64), got \"\"");
    experiment.stages.pop_back();
    experiment.stages[0].set.clear();
    EXPECT_EQ(complaintOf([&] { StagePlan(experiment, stageRegistry()); }),
              "stages[0].schedules.rate.to: expected number from 0 to 2, got 3.0");
    experiment.stages[0].schedules.clear();
    experiment.iterations = 3;
    EXPECT_EQ(complaintOf([&] { StagePlan(experiment, stageRegistry()); }),
              "iterations: expected at most 2, as many as the stages have in all, got 3");
    experiment.iterations = 1;
    EXPECT_EQ(StagePlan(experiment, stageRegistry()).iterations(), 2) << "of all stages";
}

TEST(StagePlan, GivesEveryValueTheTypeOfItsParameter) {
    auto experiment = stagedExperiment(R"([{"name": "a", "iterations": 2}])");
    experiment.stages[0].set = {{"window", 7.0}, {"rate", std::int64_t{1}}};
    const StagePlan plan(experiment, stageRegistry());
    EXPECT_EQ(windowAt(plan, 0), 7);
    EXPECT_EQ(rateAt(plan, 0), 1);
}

TEST(StagePlan, FreezesByPatternsOfTheStageAndOfTheExperiment) {
    auto document = staged(R"([{"name": "a", "iterations": 2, "frozen": ["core.*"]}, {"name": "b", "iterations": 2}])");
    document["frozen"] = {"gate.bias"};
    const StagePlan plan(experimentFromJson(document, stageRegistry()), stageRegistry());
    EXPECT_TRUE(plan.freezes(0, "core.weight"));
    EXPECT_FALSE(plan.freezes(0, "gate.weight"));
    EXPECT_TRUE(plan.freezes(0, "gate.bias"));
    EXPECT_FALSE(plan.freezes(1, "core.weight"));
    EXPECT_TRUE(plan.freezes(1, "gate.bias"));
}

TEST(StagePlan, ComplainsOfPatternsThatMatchNoTensor) {
    const auto plan = planOf(R"([{"name": "a", "iterations": 2, "frozen": ["core.*", "gat.*"]},
                                 {"name": "b", "iterations": 2, "frozen": ["core.wieght"]}])");
    EXPECT_EQ(complaintOf([&] {
                  plan.checkTensors({"core.weight", "gate.bias"});
              }),
              "stages[0].frozen[1]: no tensor matches \"gat.*\"; known: core.weight, gate.bias\n"
              "stages[1].frozen[0]: no tensor matches \"core.wieght\"; did you mean \"core.weight\"?");
    planOf(R"([{"name": "a", "iterations": 2, "frozen": ["core.*"]}])").checkTensors({"core.weight"});
}

TEST(StagePlan, ChangesParametersForOneStageOnly) {
    const auto plan = planOf(R"([{"name": "a", "iterations": 2, "set": {"rate": 0.5, "form": "fancy"}},
                                 {"name": "b", "iterations": 2, "set": {"window": 9}}])");
    EXPECT_EQ(rateAt(plan, 1), 0.5);
    EXPECT_EQ(plan.params(1).at("form"), ParamValue(std::string("fancy")));
    EXPECT_EQ(windowAt(plan, 1), 4);
    EXPECT_EQ(rateAt(plan, 2), 0.1);
    EXPECT_EQ(plan.params(2).at("form"), ParamValue(std::string("plain")));
    EXPECT_EQ(windowAt(plan, 2), 9);
    EXPECT_EQ(plan.params(0).size(), 7u) << "complete";
}

TEST(Schedule, ConstantAndStepsAndLines) {
    using R = std::vector<double>;
    EXPECT_EQ(rates(2, R"({"kind": "constant", "value": 0.75})"), (R{0.75, 0.75}));
    EXPECT_EQ(rates(7, R"({"kind": "step", "from": 1, "every": 3, "factor": 0.5})"), (R{1, 1, 1, 0.5, 0.5, 0.5, 0.25}));
    EXPECT_EQ(rates(6, R"({"kind": "step", "at": [2, 5], "values": [0.5, 0.25]})"), (R{0.1, 0.1, 0.5, 0.5, 0.5, 0.25}));
    EXPECT_EQ(rates(4, R"({"kind": "linear", "from": 1, "to": 0})"), (R{1, 0.75, 0.5, 0.25}))
        << "would reach 0 at the end";
    EXPECT_EQ(rates(6, R"({"kind": "linear", "from": 0, "to": 1, "over": 4})"), (R{0, 0.25, 0.5, 0.75, 1, 1}));
    EXPECT_EQ(rates(3, R"({"kind": "linear", "from": 0, "to": 1, "over": 4})"), (R{0, 0.25, 0.5}))
        << "longer than the stage";
    EXPECT_EQ(rates(2, R"({"kind": "linear", "to": 0.3})")[0], 0.1) << "starts with the parameter";
    EXPECT_EQ(rates(3, R"({"kind": "linear", "to": 0.3, "over": 2})")[2], 0.3) << "the number itself";
}

TEST(Schedule, FollowsHalfACosine) {
    const auto r = rates(5, R"({"kind": "cosine", "from": 1, "to": 0, "over": 4})");
    EXPECT_EQ(r[0], 1);
    EXPECT_NEAR(r[1], (1 + std::sqrt(0.5)) / 2, 1e-15);
    EXPECT_NEAR(r[2], 0.5, 1e-15);
    EXPECT_NEAR(r[3], (1 - std::sqrt(0.5)) / 2, 1e-15);
    EXPECT_EQ(r[4], 0);
}

TEST(Schedule, RoundsForAnIntegerParameter) {
    using W = std::vector<std::int64_t>;
    EXPECT_EQ(windows(5, R"({"kind": "linear", "from": 1, "to": 6, "over": 4})"), (W{1, 2, 4, 5, 6}))
        << "1 2.25 3.5 4.75 6";
    EXPECT_EQ(windows(3, R"({"kind": "step", "every": 1, "factor": 0.5})"), (W{4, 2, 1}));
}

TEST(Schedule, StartsWithTheParameterOfTheStage) {
    auto document = staged(R"([{"name": "a", "iterations": 4, "schedules": {"rate": {"kind": "linear", "to": 0}}},
        {"name": "b", "iterations": 4, "set": {"rate": 1}, "schedules": {"rate": {"kind": "linear", "to": 0}}}])");
    document["nodes"]["learner"]["params"]["rate"] = 0.8;
    auto experiment = experimentFromJson(document, stageRegistry());
    EXPECT_EQ(rateAt(StagePlan(experiment, stageRegistry()), 2), 0.4);
    EXPECT_EQ(rateAt(StagePlan(experiment, stageRegistry()), 6), 0.5);
    experiment.set("learner.rate", 0.4, stageRegistry());
    EXPECT_EQ(rateAt(StagePlan(experiment, stageRegistry()), 2), 0.2) << "a changed parameter takes its schedule along";
}

// -- keep-best
// ---------------------------------------------------------------------------------------------------------

/// What a runner decides while a metric of training takes these values: "k": keep, "t": take up, "-": a check that
/// decides nothing, ".": no check.
std::string decisions(StageRunner& runner, const std::vector<double>& values, const std::string& metric = "loss") {
    std::string result;
    for (const double value : values) {
        runner.record(runner.iteration(), {{"other", 7}, {metric, value}});
        if (!runner.due()) {
            result += '.';
            continue;
        }
        EXPECT_TRUE(runner.evaluations().empty());
        const auto decision = runner.decide({});
        EXPECT_FALSE(decision.keep && decision.takeUp);
        result += decision.keep ? 'k' : decision.takeUp ? 't' : '-';
    }
    return result;
}

StageRunner runnerOf(const std::string& stages) { return StageRunner(planOf(stages)); }

TEST(KeepBest, TakesUpTheBestCheckAtTheEndOfTheStage) {
    const std::string stages = R"([{"name": "a", "iterations": 7, "keep_best":
        {"metric": "loss", "goal": "min", "of": "training", "every": 2}}, {"name": "b", "iterations": 2}])";
    auto runner = runnerOf(stages);
    // Checks after iterations 1, 3, 5, and after the last one.
    EXPECT_EQ(decisions(runner, {9, 5, 0, 4, 0, 6, 4}), ".k.k.-t") << "equal is not better";
    EXPECT_FALSE(runner.best()) << "the next stage begins anew";
    EXPECT_EQ(decisions(runner, {1, 1}), "..") << "no checks in the second stage";
    EXPECT_EQ(runner.iteration(), 9);
    runner = runnerOf(stages);
    EXPECT_EQ(decisions(runner, {9, 5, 0, 4, 0, 6, 3}), ".k.k.-k")
        << "the last weights are the best, nothing to take up";
}

TEST(KeepBest, ReportsWhichIterationWasBest) {
    auto runner = runnerOf(R"([{"name": "a", "iterations": 3, "keep_best":
        {"metric": "reward", "goal": "max", "of": "training", "every": 1}}])");
    runner.record(0, {{"reward", 1}});
    EXPECT_EQ(runner.decide({}).best, (StageRunner::Best{0, 1}));
    runner.record(1, {{"reward", 3}});
    EXPECT_TRUE(runner.decide({}).keep);
    EXPECT_EQ(runner.best(), (StageRunner::Best{1, 3}));
    runner.record(2, {{"reward", 2}});
    const auto last = runner.decide({});
    EXPECT_TRUE(last.takeUp);
    EXPECT_EQ(last.best, (StageRunner::Best{1, 3}));
}

TEST(KeepBest, TakesTheMeanOfTheLastIterationsOfTheStage) {
    auto runner = runnerOf(R"([{"name": "a", "iterations": 6, "keep_best":
        {"metric": "loss", "goal": "min", "of": "training", "every": 2, "window": 3}}, {"name": "b", "iterations": 1,
        "keep_best": {"metric": "loss", "goal": "min", "of": "training", "window": 3}}])");
    // Means: (8 + 6) / 2 = 7, (6 + 0 + 9) / 3 = 5, (9 + 3 + 6) / 3 = 6.
    EXPECT_EQ(decisions(runner, {8, 6, 0, 9, 3, 6}), ".k.k.t");
    runner.record(6, {{"loss", 100}});
    EXPECT_EQ(runner.decide({}).best, (StageRunner::Best{6, 100})) << "the window does not reach into the stage before";
}

TEST(KeepBest, NeverTakesWhatIsNotFinite) {
    const std::string stages = R"([{"name": "a", "iterations": 4, "keep_best":
        {"metric": "loss", "goal": "max", "of": "training", "every": 1}}])";
    auto runner = runnerOf(stages);
    EXPECT_EQ(decisions(runner, {NAN, INFINITY, 1, NAN}), "--kt");
    runner = runnerOf(stages);
    EXPECT_EQ(decisions(runner, {NAN, NAN, -INFINITY, NAN}), "----") << "nothing to take up";
}

TEST(KeepBest, AsksForAnEvaluationWhenItsCheckIsDue) {
    auto runner = runnerOf(R"([{"name": "a", "iterations": 5, "keep_best":
        {"metric": "loss", "goal": "min", "every": 2, "trials": 30}}])");
    const auto step = [&](std::optional<double> loss) {
        runner.record(runner.iteration(), {{"loss", -1}});
        EXPECT_EQ(runner.due(), loss.has_value());
        EXPECT_EQ(runner.evaluations(), loss ? std::vector<int>{30} : std::vector<int>{});
        return loss ? runner.decide({{{"reward", 1}, {"loss", *loss}}}) : StageRunner::Decision{};
    };
    step({});
    EXPECT_TRUE(step(4).keep);
    step({});
    EXPECT_FALSE(step(5).keep);
    EXPECT_TRUE(step(4.5).takeUp);
}

// -- plateau
// -----------------------------------------------------------------------------------------------------------

TEST(Plateau, ReducesWhenTheMetricHasNotBecomeBetter) {
    auto runner = runnerOf(R"([{"name": "a", "iterations": 20, "schedules": {"rate": {"kind": "plateau", "from": 0.8,
        "metric": "loss", "goal": "min", "of": "training", "every": 1, "factor": 0.5, "patience": 2, "threshold": 0.1,
        "cooldown": 1, "minimum": 0.3}}}])");
    const auto rate = [&] { return std::get<double>(runner.params(runner.iteration()).at("rate")); };
    struct Check {
        double loss, rateAfter;
        const char* why;
    };
    for (const auto& check : std::vector<Check>{{1.0, 0.8, "the first value is the best"},
                                                {0.5, 0.8, "better"},
                                                {0.46, 0.8, "better by less than a tenth: bad 1"},
                                                {0.44, 0.8, "better by more"},
                                                {0.5, 0.8, "bad 1"},
                                                {NAN, 0.4, "bad 2"},
                                                {0.5, 0.4, "cools down, not counted"},
                                                {0.5, 0.4, "bad 1"},
                                                {0.5, 0.3, "bad 2; not below the minimum"},
                                                {0.2, 0.3, "cools down, but counts as the best"},
                                                {0.3, 0.3, "bad 1"},
                                                {0.3, 0.3, "bad 2; there is nothing to reduce"}}) {
        const double before = rate();
        runner.record(runner.iteration(), {{"loss", check.loss}});
        ASSERT_TRUE(runner.due());
        const auto decision = runner.decide({});
        EXPECT_EQ(rate(), check.rateAfter) << check.why;
        EXPECT_EQ(decision.reduced, rate() < before ? std::vector<std::string>{"rate"} : std::vector<std::string>{});
        EXPECT_FALSE(decision.keep || decision.takeUp);
    }
    EXPECT_TRUE(runner.mayChange(1));
}

TEST(Plateau, MeasuresItsThresholdByTheSizeOfTheBestValue) {
    auto runner = runnerOf(R"([{"name": "a", "iterations": 9, "schedules": {"rate": {"kind": "plateau", "from": 1,
        "metric": "reward", "goal": "max", "of": "training", "every": 1, "factor": 0.5, "patience": 1, "threshold": 0.5}}}])");
    std::vector<double> rates;
    for (const double reward : {-4.0, -2.5, -1.5, 0.0, 0.001}) { // better than -4 + 2, better than -1.5 + 0.75
        runner.record(runner.iteration(), {{"reward", reward}});
        runner.decide({});
        rates.push_back(std::get<double>(runner.params(runner.iteration()).at("rate")));
    }
    EXPECT_EQ(rates, (std::vector<double>{1, 0.5, 0.5, 0.5, 0.5}));
}

TEST(Plateau, BeginsAnewInEachStage) {
    const std::string plateau =
        R"("schedules": {"window": {"kind": "plateau", "from": 9, "metric": "loss", "goal": "min",
        "of": "training", "every": 1, "factor": 0.5, "patience": 1, "minimum": 1}})";
    auto runner = runnerOf(R"([{"name": "a", "iterations": 4, )" + plateau + R"(}, {"name": "b", "iterations": 3, )" +
                           plateau + "}]");
    std::vector<std::int64_t> seen;
    for (int k = 0; k < 7; ++k) {
        seen.push_back(std::get<std::int64_t>(runner.params(k).at("window")));
        runner.record(k, {{"loss", 1}});
        EXPECT_EQ(runner.due(), !runner.plan().at(k).last) << "at the end of a stage there is nothing to reduce for";
        if (runner.due()) runner.decide({});
    }
    // 9, 4.5, 2.25; rounded only where the parameter is set
    EXPECT_EQ(seen, (std::vector<std::int64_t>{9, 9, 5, 2, 9, 9, 5}));
}

TEST(StageRunner, LooksAtEachEvaluationOnce) {
    auto runner = runnerOf(
        R"([{"name": "a", "iterations": 4, "keep_best": {"metric": "loss", "goal": "min", "every": 2, "trials": 8},
        "schedules": {
            "ceiling": {"kind": "plateau", "metric": "loss", "goal": "min", "every": 1, "trials": 8, "patience": 1, "minimum": 0.5},
            "rate": {"kind": "plateau", "metric": "reward", "goal": "max", "every": 2, "patience": 1}}}])");
    runner.record(0, {});
    EXPECT_EQ(runner.evaluations(), (std::vector<int>{8}));
    runner.decide({{{"loss", 1}}});
    runner.record(1, {});
    EXPECT_EQ(runner.evaluations(), (std::vector<int>{8, 0}));
    const auto decision = runner.decide({{{"loss", 2}}, {{"reward", 5}}});
    EXPECT_TRUE(decision.keep);
    EXPECT_EQ(decision.best, (StageRunner::Best{1, 2}));
    EXPECT_EQ(decision.reduced, std::vector<std::string>{"ceiling"});
}

TEST(StageRunner, NamesMetricsThatThereAreNot) {
    auto runner = runnerOf(R"([{"name": "a", "iterations": 4, "keep_best": {"metric": "los", "goal": "min", "every": 2},
        "schedules": {"rate": {"kind": "plateau", "metric": "rewrd", "goal": "max", "of": "training"}}}])");
    EXPECT_EQ(complaintOf([&] {
                  runner.record(0, {{"loss", 1}, {"reward", 2}});
              }),
              "stages[0].schedules.rate.metric: the training reports no metric \"rewrd\"; did you mean \"reward\"?");
    EXPECT_EQ(runner.iteration(), 0) << "nothing has changed";
    runner.record(0, {{"rewrd", 2}});
    runner.record(1, {{"rewrd", 2}});
    EXPECT_EQ(complaintOf([&] {
                  runner.decide({{{"loss", 1}}});
              }),
              "stages[0].keep_best.metric: an evaluation reports no metric \"los\"; did you mean \"loss\"?");
    EXPECT_TRUE(runner.due()) << "the check still waits";
    EXPECT_EQ(complaintOf([&] { runner.decide({}); }), "stages: 0 evaluations were given where 1 are needed");
    EXPECT_EQ(complaintOf([&] {
                  runner.record(2, {{"rewrd", 2}});
              }),
              "stages: iteration 2 cannot be recorded after 2 iterations whose check has not been made");
    runner.decide({{{"los", 1}}});
    EXPECT_EQ(complaintOf([&] {
                  runner.record(3, {{"rewrd", 2}});
              }),
              "stages: iteration 3 cannot be recorded after 2 iterations");
}

TEST(StageRunner, SaysWhenParametersMayChange) {
    const auto runner = runnerOf(R"([{"name": "a", "iterations": 2}, {"name": "b", "iterations": 2, "schedules":
        {"rate": {"kind": "linear", "to": 1}}}])");
    std::vector<bool> changes;
    for (int k = 0; k < 4; ++k) changes.push_back(runner.mayChange(k));
    EXPECT_EQ(changes, (std::vector<bool>{true, false, true, true}));
}

// -- checkpoints
// -------------------------------------------------------------------------------------------------------

const char* const everything = R"([
    {"name": "a", "iterations": 7, "keep_best": {"metric": "loss", "goal": "min", "of": "training", "every": 2, "window": 3},
     "schedules": {"rate": {"kind": "plateau", "metric": "loss", "goal": "min", "every": 1, "factor": 0.5, "patience": 1,
                            "cooldown": 1}}},
    {"name": "b", "iterations": 2},
    {"name": "c", "iterations": 9, "keep_best": {"metric": "loss", "goal": "max", "every": 3, "trials": 5},
     "schedules": {"rate": {"kind": "cosine", "to": 0},
                   "window": {"kind": "plateau", "metric": "loss", "goal": "min", "of": "training", "every": 2, "window": 4,
                              "factor": 0.7, "patience": 2, "minimum": 1}}}])";

/// Numbers that go up and down, now and then not finite.
double lossAt(int k) { return k % 6 == 4 ? NAN : std::sin(1.7 * k) + 0.1 * k; }

/// Does one iteration, and its check. @return what was decided and what the parameters were, as text
std::string advance(StageRunner& runner) {
    const int k = runner.iteration();
    std::string text = std::to_string(k);
    for (const auto& [key, value] : runner.params(k)) text += " " + key + "=" + toJson(value).dump();
    runner.record(k, {{"loss", lossAt(k)}});
    return text;
}
std::string settle(StageRunner& runner) {
    const std::vector<NamedNumbers> evaluations(runner.evaluations().size(),
                                                {{"loss", lossAt(runner.iteration() + 100)}});
    const auto decision = runner.decide(evaluations);
    std::string text = std::string(decision.keep ? " keep" : "") + (decision.takeUp ? " take_up" : "");
    for (const auto& key : decision.reduced) text += " " + key;
    if (decision.best) text += " " + std::to_string(decision.best->iteration) + ":" + Json(decision.best->value).dump();
    return text;
}
std::vector<std::string> follow(StageRunner& runner) {
    std::vector<std::string> result;
    if (runner.due()) result.push_back(settle(runner));
    while (runner.iteration() < runner.plan().iterations()) {
        result.push_back(advance(runner));
        if (runner.due()) result.push_back(settle(runner));
    }
    return result;
}

TEST(StageRunner, GoesOnFromSavedNumbersAsIfNothingHadHappened) {
    const auto plan = planOf(everything);
    StageRunner whole(plan);
    const auto expected = follow(whole);
    EXPECT_GT(
        std::count_if(expected.begin(), expected.end(), [](const auto& t) { return t.find("take_up") != t.npos; }), 0);
    EXPECT_GT(std::count_if(expected.begin(), expected.end(), [](const auto& t) { return t.starts_with(" rate"); }), 0);
    for (int stop = 0; stop <= plan.iterations(); ++stop)
        for (const bool beforeTheCheck : {false, true}) {
            StageRunner first(plan);
            std::size_t lines = 0;
            while (first.iteration() < stop) {
                advance(first);
                ++lines;
                if (!first.due() || (beforeTheCheck && first.iteration() == stop)) continue;
                settle(first);
                ++lines;
            }
            // As a checkpoint does: through text.
            Json saved = Json::object();
            for (const auto& [name, value] : first.save()) saved[name] = value;
            const auto read = parseJson(saved.dump(), "saved");
            NamedNumbers loaded;
            for (const auto& [name, value] : read.items()) loaded.emplace_back(name, value.get<double>());
            StageRunner second(plan);
            second.load(loaded);
            EXPECT_EQ(second.due(), first.due());
            EXPECT_EQ(second.best(), first.best());
            const std::vector<std::string> rest(expected.begin() + static_cast<std::ptrdiff_t>(lines), expected.end());
            EXPECT_EQ(follow(second), rest) << "stopped after " << stop;
        }
}

TEST(StageRunner, RefusesNumbersThatAreNotItsOwn) {
    const auto plan = planOf(everything);
    StageRunner runner(plan);
    for (int k = 0; k < 3; ++k) {
        advance(runner);
        if (runner.due()) settle(runner);
    }
    const auto saved = runner.save();
    const auto with = [&](const std::string& name, double value) {
        NamedNumbers changed;
        for (const auto& item : saved)
            if (item.first != name) changed.push_back(item);
        if (!std::isnan(value)) changed.emplace_back(name, value);
        StageRunner other(plan);
        return complaintOf([&] { other.load(changed); });
    };
    const std::string ending = "; it belongs to another experiment";
    EXPECT_EQ(with("iteration", 3), "no complaint");
    EXPECT_EQ(with("iteration", 19), "checkpoint: number \"iteration\" of the stages is 19, out of range" + ending);
    EXPECT_EQ(with("iteration", 2.5), "checkpoint: number \"iteration\" of the stages is 2.5, not an integer" + ending);
    EXPECT_EQ(with("due", NAN), "checkpoint: number \"due\" of the stages is missing" + ending);
    EXPECT_EQ(with("schedules.rate.value", NAN),
              "checkpoint: number \"schedules.rate.value\" of the stages is missing" + ending);
    EXPECT_EQ(with("schedules.rate.value", 5),
              "checkpoint: number \"schedules.rate.value\" of the stages is 5, out of range" + ending);
    EXPECT_EQ(with("more", 5), "checkpoint: number \"more\" of the stages is not known" + ending);
    EXPECT_EQ(with("iteration", 8), "checkpoint: number \"keep_best.iteration\" of the stages is not known" + ending);
    StageRunner other(plan);
    EXPECT_EQ(complaintOf([&] {
                  other.load({{"iteration", 8}, {"due", 1}});
              }),
              "checkpoint: waits for a check where the stages have none" + ending);
    EXPECT_EQ(complaintOf([&] {
                  other.load({{"iteration", 8}, {"due", 0}, {"due", 0}});
              }),
              "checkpoint: number \"due\" of the stages is there twice" + ending);
    EXPECT_EQ(other.iteration(), 0) << "nothing has changed";
}

} // namespace
} // namespace raphe::test
