// SPDX-License-Identifier: Apache-2.0
// Stages of a document: what is read, what is written, and what is said of mistakes.
#include "stages_fixture.h"
#include "temporary_directory.h"

#include <gtest/gtest.h>

#include <fstream>

namespace raphe::test {
namespace {

using Lines = std::vector<std::string>;

TEST(Stages, AreWrittenWithEveryDefault) {
    const auto experiment = stagedExperiment(R"([
        {"name": "warm", "iterations": 10},
        {"name": "rest", "iterations": 30, "frozen": ["core.*"], "set": {"window": 8, "form": "fancy"},
         "schedules": {"rate": {"kind": "plateau", "metric": "loss", "goal": "min"},
                       "ceiling": {"kind": "cosine", "to": 2}},
         "reset_optimiser": true, "keep_best": {"metric": "reward", "goal": "max", "of": "training"}}])");
    const Json expected = parseJson(R"([
        {"name": "warm", "iterations": 10, "frozen": [], "set": {}, "schedules": {}, "reset_optimiser": false},
        {"name": "rest", "iterations": 30, "frozen": ["core.*"], "set": {"form": "fancy", "window": 8},
         "schedules": {
            "ceiling": {"kind": "cosine", "to": 2.0, "over": 0},
            "rate": {"kind": "plateau", "metric": "loss", "goal": "min", "of": "evaluation", "every": 100, "trials": 0,
                     "factor": 0.1, "patience": 10, "threshold": 1e-4, "cooldown": 0, "minimum": 0.0}},
         "reset_optimiser": true,
         "keep_best": {"metric": "reward", "goal": "max", "of": "training", "every": 100, "window": 1}}])",
                                    "expected");
    const auto document = experiment.toJson();
    EXPECT_EQ(document["stages"].dump(1), expected.dump(1));
    EXPECT_EQ(document["iterations"], 40) << "the sum";
    EXPECT_EQ(experimentFromJson(document, stageRegistry()).toJson(), document);
}

TEST(Stages, LeaveADocumentWithoutThemAsItIs) {
    const Json document = {{"raphe", 1}, {"nodes", {{"learner", {{"mechanism", "rule.paced"}}}}}};
    EXPECT_FALSE(experimentFromJson(document, stageRegistry()).toJson().contains("stages"));
    auto none = document;
    none["stages"] = Json::array();
    EXPECT_EQ(experimentFromJson(none, stageRegistry()).toJson(),
              experimentFromJson(document, stageRegistry()).toJson());
}

TEST(Stages, EachScheduleComesBackFromJson) {
    for (
        const char* schedule :
        {R"({"kind": "constant", "value": 0.5})", R"({"kind": "step", "from": 1.0, "every": 10, "factor": 0.5})",
         R"({"kind": "step", "at": [5, 9], "values": [0.5, 0.25]})", R"({"kind": "linear", "to": 0.0, "over": 7})",
         R"({"kind": "cosine", "from": 0.2, "to": 0.1, "over": 0})",
         R"({"kind": "plateau", "from": 0.2, "metric": "loss", "goal": "min", "of": "training", "every": 5, "window": 3,
              "factor": 0.5, "patience": 2, "threshold": 0.0, "cooldown": 1, "minimum": 0.01})"}) {
        const auto text = parseJson(schedule, "schedule");
        Json stages = parseJson(R"([{"name": "a", "iterations": 20}])", "stages");
        stages[0]["schedules"]["rate"] = text;
        const auto document = stagedExperiment(stages.dump()).toJson();
        EXPECT_EQ(document["stages"][0]["schedules"]["rate"].dump(), text.dump());
    }
}

TEST(Stages, ReportEveryMistakeWithItsPlace) {
    EXPECT_EQ(
        problemsOf(R"([
        {"name": "a b", "iterations": 0, "frozn": [], "frozen": [1], "set": [], "reset_optimiser": 1},
        {"iterations": 2.5, "schedules": {
            "rate": {"kind": "linar", "to": 1}, "ceiling": {"to": 1}, "window": {"kind": "linear", "too": 3}}},
        {"name": "c", "keep_best": {"metric": "", "goal": "least", "every": 0, "trials": -1}},
        7])"),
        (Lines{"stages[0].name: a stage's name consists of letters, digits and _ (at most 64), got \"a b\"",
               "stages[0].iterations: expected integer from 1 to 1000000000, got 0",
               "stages[0].frozn: unknown field \"frozn\"; did you mean \"frozen\"?",
               "stages[0].frozen[0]: expected a pattern of tensor names, got 1",
               "stages[0].set: expected an object, got []", "stages[0].reset_optimiser: expected true or false, got 1",
               "stages[1].iterations: expected integer from 1 to 1000000000, got 2.5",
               "stages[1].schedules.rate.kind: expected one of constant, step, linear, cosine, plateau, got \"linar\"",
               "stages[1].schedules.ceiling: a schedule needs \"kind\"",
               "stages[1].schedules.window.too: unknown field \"too\"; did you mean \"to\"?",
               "stages[1].schedules.window: a linear schedule needs \"to\"", "stages[1]: a stage needs \"name\"",
               "stages[2].keep_best.metric: a metric's name consists of letters, digits and _ (at most 64), got \"\"",
               "stages[2].keep_best.goal: expected one of min, max, got \"least\"",
               "stages[2].keep_best.every: expected integer from 1 to 1000000000, got 0",
               "stages[2].keep_best.trials: expected integer from 0 to 1000000000, got -1",
               "stages[2]: a stage needs \"iterations\"", "stages[3]: expected an object, got 7"}));
    EXPECT_EQ(problemsOf(R"({"name": "a"})"), Lines{"stages: expected a list, got {\"name\":\"a\"}"});
}

TEST(Stages, KnowTheParametersOfTheRule) {
    EXPECT_EQ(
        problemsOf(R"([{"name": "a", "iterations": 5,
        "set": {"rat": 1, "rate": 3, "window": 2.5, "form": "odd", "strict": 1, "weights": [1, "two"]},
        "schedules": {"windw": {"kind": "constant", "value": 1}, "form": {"kind": "constant", "value": 1},
                      "strict": {"kind": "constant", "value": 1}, "weights": {"kind": "constant", "value": 1}}}])"),
        (Lines{"stages[0].set.rat: rule.paced has no parameter \"rat\"; did you mean \"rate\"?",
               "stages[0].set.rate: expected number from 0 to 2, got 3",
               "stages[0].set.window: expected integer from 1 to 100, got 2.5",
               "stages[0].set.form: expected one of plain, fancy, got \"odd\"",
               "stages[0].set.strict: expected true or false, got 1",
               "stages[0].set.weights[1]: expected number, got \"two\"",
               "stages[0].schedules.windw: rule.paced has no parameter \"windw\"; did you mean \"window\"?",
               "stages[0].schedules.form: this parameter is a text, and only numbers have schedules; change it with "
               "\"set\"",
               "stages[0].schedules.strict: this parameter is true or false, and only numbers have schedules; change "
               "it with \"set\"",
               "stages[0].schedules.weights: this parameter is a list, and only numbers have schedules; change it "
               "with \"set\""}));
}

/// What is said of a schedule of one parameter in a stage of 20 iterations, without "stages[0].schedules.".
Lines scheduleProblems(const std::string& key, const std::string& schedule, const std::string& more = {}) {
    const std::string place = "stages[0].schedules.";
    auto lines = problemsOf(R"([{"name": "a", "iterations": 20, "schedules": {")" + key + R"(": )" + schedule + "}" +
                            more + "}]");
    for (auto& line : lines)
        if (line.starts_with(place)) line.erase(0, place.size());
    return lines;
}

TEST(Stages, KeepSchedulesWithinTheRangeOfTheirParameter) {
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "constant", "value": 2.5})"),
              Lines{"rate.value: expected number from 0 to 2, got 2.5"});
    EXPECT_EQ(
        scheduleProblems("rate", R"({"kind": "linear", "from": -1, "to": 3})"),
        (Lines{"rate.from: expected number from 0 to 2, got -1.0", "rate.to: expected number from 0 to 2, got 3.0"}));
    EXPECT_EQ(scheduleProblems("window", R"({"kind": "cosine", "to": 1.5})"),
              Lines{"window.to: expected integer from 1 to 100, got 1.5"});
    EXPECT_EQ(scheduleProblems("window", R"({"kind": "step", "at": [3, 6], "values": [2, 0]})"),
              Lines{"window.values[1]: expected integer from 1 to 100, got 0.0"});
    // 4 * 2^(19 / 4) = 64 within the range, 4 * 2^(19 / 3) = 256 beyond it.
    EXPECT_EQ(scheduleProblems("window", R"({"kind": "step", "every": 4, "factor": 2})"), Lines{});
    EXPECT_EQ(scheduleProblems("window", R"({"kind": "step", "every": 3, "factor": 2})"),
              Lines{"window.factor: takes the parameter to 256 in this stage, expected number from 1 to 100"});
    EXPECT_EQ(scheduleProblems("window", R"({"kind": "step", "every": 1, "factor": 1e300})"),
              Lines{"window.factor: takes the parameter to inf in this stage, expected number from 1 to 100"});
    // 4, 1, and 0.25 that is rounded to 0.
    EXPECT_EQ(scheduleProblems("window", R"({"kind": "step", "every": 8, "factor": 0.25})"),
              Lines{"window.factor: takes the parameter to 0.25 in this stage, expected number from 1 to 100"});
    const std::string plateau = R"({"kind": "plateau", "metric": "loss", "goal": "min")";
    EXPECT_EQ(scheduleProblems("window", plateau + "}"),
              Lines{"window.minimum: takes the parameter to 0 in this stage, expected number from 1 to 100"});
    EXPECT_EQ(scheduleProblems("window", plateau + R"(, "minimum": 1})"), Lines{});
    EXPECT_EQ(scheduleProblems("rate", plateau + R"(, "minimum": 0.2})"),
              Lines{"rate.minimum: is above 0.1, the value that the schedule starts with"});
    EXPECT_EQ(scheduleProblems("rate", plateau + R"(, "from": 0})"),
              Lines{"rate: starts with 0, but only a number above 0 is reduced by a factor"});
    EXPECT_EQ(scheduleProblems("rate", plateau + R"(, "factor": 1})"),
              Lines{"rate.factor: expected a number > 0 and < 1, got 1"});
}

TEST(Stages, AskForFieldsThatBelongTogether) {
    const std::string either = "rate: a step has either \"every\" and \"factor\", or \"at\" and \"values\"";
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "step"})"), Lines{either});
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "step", "every": 3, "at": [1], "values": [1]})"), Lines{either});
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "step", "every": 3})"), Lines{"rate: a step needs \"factor\""});
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "step", "at": [3]})"), Lines{"rate: a step needs \"values\""});
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "step", "at": [], "values": []})"),
              Lines{"rate.at: expected at least one iteration"});
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "step", "at": [3, 3], "values": [1, 1]})"),
              Lines{"rate.at[1]: expected an iteration after 3, got 3"});
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "step", "at": [3, 4], "values": [1]})"),
              Lines{"rate.values: expected as many as \"at\" has, 2, got 1"});
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "constant"})"), Lines{"rate: a constant schedule needs \"value\""});
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "constant", "value": 1, "from": 1})"),
              Lines{"rate.from: unknown field \"from\"; known: kind, value"});
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "plateau"})"),
              (Lines{"rate: a plateau schedule needs \"metric\"", "rate: a plateau schedule needs \"goal\""}));
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "linear", "from": 0.5, "to": 1})", R"(, "set": {"rate": 0.2})"),
              Lines{"rate.from: \"set\" gives this parameter another value for the stage; remove one of them"});
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "linear", "to": 1})", R"(, "set": {"rate": 0.2})"), Lines{});
    const auto keepBest = [](const std::string& fields) {
        return problemsOf(R"([{"name": "a", "iterations": 5, "keep_best": {"goal": "min", )" + fields + "}}]");
    };
    EXPECT_EQ(keepBest(R"("of": "evaluation")"), Lines{"stages[0].keep_best: it needs \"metric\""});
    EXPECT_EQ(
        keepBest(R"("metric": "loss", "of": "training", "trials": 3)"),
        Lines{"stages[0].keep_best.trials: belongs to \"of\": \"evaluation\"; training has the trials of its batch"});
    EXPECT_EQ(
        keepBest(R"("metric": "loss", "window": 3)"),
        Lines{
            "stages[0].keep_best.window: belongs to \"of\": \"training\"; a mean over more trials of an evaluation is "
            "taken by \"trials\""});
    EXPECT_EQ(keepBest(R"("metric": "loss", "of": "training", "window": 10001)"),
              Lines{"stages[0].keep_best.window: expected integer from 1 to 10000, got 10001"});
    EXPECT_EQ(keepBest(R"("metric": "gradient_norm")"),
              Lines{"stages[0].keep_best.metric: an evaluation has no gradient; say \"of\": \"training\""});
}

TEST(Stages, KeepTheConditionsOfTheRule) {
    // rate may not exceed ceiling.
    EXPECT_EQ(problemsOf(R"([{"name": "a", "iterations": 5, "set": {"rate": 1.5}}])"),
              Lines{"stages[0]: rate is above ceiling"});
    EXPECT_EQ(problemsOf(R"([{"name": "a", "iterations": 5, "set": {"rate": 1.5, "ceiling": 2}}])"), Lines{});
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "linear", "to": 2})"),
              Lines{"stages[0]: at its iteration 19: rate is above ceiling"});
    EXPECT_EQ(scheduleProblems("rate", R"({"kind": "step", "at": [7, 9], "values": [1.5, 0.1]})"),
              Lines{"stages[0]: at its iteration 7: rate is above ceiling"});
    EXPECT_EQ(
        problemsOf(R"([{"name": "a", "iterations": 5, "set": {"channels": 3}}])"),
        Lines{"stages[0]: gives the port learner.prediction 3 units instead of 2; the wires of a training stay as "
              "they are"});
}

TEST(Stages, HaveDifferentNames) {
    EXPECT_EQ(
        problemsOf(
            R"([{"name": "a", "iterations": 5}, {"name": "b", "iterations": 5}, {"name": "a", "iterations": 5}])"),
        Lines{"stages[2].name: \"a\" is the name of stages[0]"});
}

TEST(Stages, NeedALearningRule) {
    Json document = staged(R"([{"name": "a", "iterations": 5, "set": {"rate": 1}}])");
    document["nodes"] = {{"core", {{"mechanism", "model.still"}}}};
    EXPECT_EQ(problemsOfDocument(document),
              Lines{"stages: train by a learning rule, but the experiment has none; add a node such "
                    "as \"learner\": {\"mechanism\": \"rule.supervised\"}"});
    document["nodes"] = {{"core", {{"mechanism", "rule.pacd"}}}};
    EXPECT_EQ(problemsOfDocument(document),
              Lines{"nodes.core.mechanism: no mechanism \"rule.pacd\" is loaded; did you mean \"rule.paced\"?"})
        << "one mistake, not two";
}

TEST(Stages, AreLimitedInNumberAndLength) {
    Json many = Json::array();
    for (int i = 0; i < 1001; ++i) many.push_back({{"name", "s" + std::to_string(i)}, {"iterations", 1}});
    EXPECT_EQ(problemsOf(many.dump()), Lines{"stages: a training has at most 1000 stages, got 1001"});
    many.erase(0);
    EXPECT_EQ(problemsOf(many.dump()), Lines{});
    EXPECT_EQ(problemsOf(R"([{"name": "a", "iterations": 1000000000}, {"name": "b", "iterations": 1}])"),
              Lines{"stages: have 1000000001 iterations in all; a training has at most 1000000000"});
}

TEST(Stages, SetTheIterationsOfTheTraining) {
    const std::string stages = R"([{"name": "a", "iterations": 5}, {"name": "b", "iterations": 7}])";
    auto document = staged(stages);
    EXPECT_EQ(experimentFromJson(document, stageRegistry()).iterations, 12);
    document["iterations"] = 9;
    EXPECT_EQ(experimentFromJson(document, stageRegistry()).toJson()["iterations"], 9) << "stops earlier";
    document["iterations"] = 13;
    EXPECT_EQ(problemsOfDocument(document),
              Lines{"iterations: expected at most 12, as many as the stages have in all, got 13"});

    auto experiment = stagedExperiment(stages);
    experiment.set("iterations", 9, stageRegistry());
    EXPECT_EQ(experiment.iterations, 9);
    EXPECT_EQ(complaintOf([&] { experiment.setText("iterations=13", stageRegistry()); }),
              "iterations: expected at most 12, as many as the stages have in all, got 13");
    EXPECT_EQ(experiment.iterations, 9);
}

TEST(Stages, AreChangedByAssignments) {
    auto e = stagedExperiment(R"([{"name": "a", "iterations": 5, "keep_best": {"metric": "loss", "goal": "min"}},
                                  {"name": "b", "iterations": 7, "schedules": {"rate": {"kind": "linear", "to": 1}}}])");
    const auto set = [&](const std::string& assignment) { e.setText(assignment, stageRegistry()); };
    set("stages[0].iterations=10");
    EXPECT_EQ(e.stages[0].iterations, 10);
    EXPECT_EQ(e.iterations, 17) << "follows";
    set("stages[1].schedules.rate.to=0.5");
    EXPECT_EQ(e.stages[1].schedules.at("rate").to, 0.5);
    set("stages[1].set.form=fancy");
    EXPECT_EQ(e.stages[1].set.at("form"), ParamValue(std::string("fancy")));
    set(R"(stages[1].frozen=["core.*"])");
    EXPECT_EQ(e.stages[1].frozen, Lines{"core.*"});
    set("stages[0].keep_best.every=3");
    EXPECT_EQ(e.stages[0].keepBest->every, 3);
    set("stages[0].keep_best=null");
    EXPECT_FALSE(e.stages[0].keepBest);
    set("iterations=4");
    set("stages[0].iterations=2");
    EXPECT_EQ(e.iterations, 4) << "still stops there";
    set("stages[1].iterations=1");
    EXPECT_EQ(e.iterations, 3) << "no further than the stages";
    set(R"(stages=[{"name": "all", "iterations": 6}])");
    EXPECT_EQ(e.stages.size(), 1u);
    EXPECT_EQ(e.iterations, 6);
    set("stages=[]");
    EXPECT_TRUE(e.stages.empty());
    EXPECT_EQ(e.iterations, 6);

    e = stagedExperiment(R"([{"name": "a", "iterations": 5}])");
    const auto complaint = [&](const std::string& assignment) { return complaintOf([&] { set(assignment); }); };
    EXPECT_EQ(complaint("stages[0].itrations=1"),
              "stages[0].itrations: unknown field \"itrations\"; did you mean \"iterations\"?");
    EXPECT_EQ(complaint("stages[0].iterations=0"),
              "stages[0].iterations: expected integer from 1 to 1000000000, got 0");
    EXPECT_EQ(complaint("stages[0].set.rat=1"),
              "stages[0].set.rat: rule.paced has no parameter \"rat\"; did you mean \"rate\"?");
    EXPECT_EQ(complaint("stages[1].iterations=1"),
              "stages[1].iterations: there is no number 1; the list has 1, counted from 0");
    EXPECT_EQ(complaint("stages[one].iterations=1"),
              "stages[one].iterations: expected a place such as stages[0].iterations");
    EXPECT_EQ(complaint("stages[0]iterations=1"), "stages[0]iterations: expected a place such as stages[0].iterations");
    EXPECT_EQ(complaint("stages[0].name.x=1"), "stages[0].name.x: there is no object here that could have \"x\"");
    EXPECT_EQ(complaint("stages[0][1]=1"), "stages[0][1]: there is no list here, so nothing has a number");
    EXPECT_EQ(complaint("stages=3"), "stages: expected a list, got 3");
    EXPECT_EQ(complaint("stags=3"), "stags: the document has no field of this name; did you mean \"stages\"?; a "
                                    "hyper-parameter is written node.parameter");
    EXPECT_EQ(e.toJson()["stages"].size(), 1u) << "a refused assignment changes nothing";
    EXPECT_EQ(e.iterations, 5);
}

TEST(Stages, AreInheritedFromABaseDocument) {
    const TemporaryDirectory folder;
    const auto write = [&](const std::string& name, const Json& document) {
        const auto file = folder / (name + ".json");
        std::ofstream(file) << document.dump();
        return file.string();
    };
    auto plain = staged("[]");
    plain.erase("stages");
    plain["iterations"] = 1000;
    write("plain", plain);
    const auto twoStages =
        parseJson(R"([{"name": "a", "iterations": 500}, {"name": "b", "iterations": 700}])", "stages");
    const auto two = write("two", {{"raphe", 1}, {"base", "plain"}, {"stages", twoStages}});
    EXPECT_EQ(loadExperiment(two, stageRegistry()).iterations, 1200) << "those of the base no longer count";
    const auto one = write("one", {{"raphe", 1}, {"base", "two"}, {"stages", Json::array({twoStages[1]})}});
    EXPECT_EQ(loadExperiment(one, stageRegistry()).toJson()["stages"].size(), 1u) << "a list is replaced as a whole";
    const auto shorter = write("shorter", {{"raphe", 1}, {"base", "two"}, {"iterations", 600}});
    EXPECT_EQ(loadExperiment(shorter, stageRegistry()).iterations, 600);
    EXPECT_EQ(loadExperiment(shorter, stageRegistry()).stages.size(), 2u);
    const auto none = write("none", {{"raphe", 1}, {"base", "two"}, {"stages", nullptr}});
    EXPECT_TRUE(loadExperiment(none, stageRegistry()).stages.empty());
    Problems problems;
    loadExperiment(two, stageRegistry(), {"stages[1].set.rate=3", "stages[0].name=b"}, problems);
    EXPECT_EQ(problems.lines(), (Lines{"stages[1].set.rate: expected number from 0 to 2, got 3",
                                       "stages[1].name: \"b\" is the name of stages[0]"}));
    EXPECT_EQ(complaintOf([&] { loadExperiment(two, stageRegistry(), {"stages[0].name=b"}); }),
              "stages[1].name: \"b\" is the name of stages[0]");
}

} // namespace
} // namespace raphe::test
