// SPDX-License-Identifier: Apache-2.0
// The command line as scripts see it: exit codes, one clear sentence for bad input, no file touched.
#include "engine/document/json_reader.h"
#include "support/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

class CommandLine : public testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::path(testing::TempDir()) / ("raphe_cli_" + std::to_string(getpid()));
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        ::setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string file(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name) << text;
        return (folder_ / name).string();
    }
    static ProgramResult raphe(std::vector<std::string> words) {
        words.insert(words.begin(), RAPHE_PROGRAM);
        return runProgram(words);
    }
    /// Bad input: exit code 2, the words in the message, nothing on stdout, no stack trace, nothing written.
    void expectRefused(const std::string& experiment, const std::vector<std::string>& extra,
                       const std::string& words) const {
        const auto out = (folder_ / "run").string();
        std::vector<std::string> command{"run", experiment, "--out", out, "--iterations", "1"};
        command.insert(command.end(), extra.begin(), extra.end());
        const auto result = raphe(command);
        EXPECT_EQ(result.exitCode, 2) << words << "\n" << result.err;
        EXPECT_NE(result.err.find(words), std::string::npos) << "expected \"" << words << "\" in: " << result.err;
        EXPECT_EQ(result.out, "");
        EXPECT_LT(result.err.size(), 500u) << result.err;
        EXPECT_FALSE(fs::exists(out)) << words;
        fs::remove_all(out);
    }
    static constexpr const char* small = R"({"raphe": 1, "nodes": {
        "task": {"mechanism": "task.measure_wait_go"},
        "core": {"mechanism": "model.rnn", "params": {"units": 4}},
        "readout": {"mechanism": "model.dense"},
        "learner": {"mechanism": "rule.supervised"}},
        "wires": [WIRES"task.observation -> core.input", "core.hidden -> readout.input", "readout.output -> learner.prediction", "task.target -> learner.target"]EXTRA})";
    static std::string withWire(const std::string& wire, const std::string& extra = {}) {
        std::string text = small;
        text.replace(text.find("WIRES"), 5, wire.empty() ? "" : wire + ", ");
        text.replace(text.find("EXTRA"), 5, extra);
        return text;
    }

    fs::path folder_;
};

TEST_F(CommandLine, TrainsPlotsEvaluatesAndExports) {
    const auto experiment = file("small.json", withWire(""));
    const auto run = (folder_ / "run").string();
    const auto trained = raphe({"run", experiment, "--out", run, "--iterations", "20", "--json", "--seed", "3"});
    ASSERT_EQ(trained.exitCode, 0) << trained.err;
    EXPECT_NE(trained.err.find("20/20"), std::string::npos)
        << "people see the progress beside the objects: " << trained.err;
    EXPECT_EQ(raphe({"run", experiment, "--out", run + "q", "--iterations", "2", "--json", "--quiet"}).err, "");
    int lines = 0;
    std::istringstream stream(trained.out);
    std::string line, last;
    while (std::getline(stream, line)) {
        const auto event = parseJson(line, "line");
        if (event.at("event") == "iteration") {
            EXPECT_EQ(event.at("iteration"), lines);
            EXPECT_TRUE(event.at("metrics").at("loss").is_number());
            ++lines;
        }
        last = line;
    }
    EXPECT_EQ(lines, 20);
    const auto end = parseJson(last, "line");
    EXPECT_EQ(end.at("event"), "end");
    EXPECT_EQ(end.at("iterations"), 20);
    EXPECT_EQ(end.at("run"), run);
    EXPECT_TRUE(end.contains("seconds_training"));
    EXPECT_EQ(raphe({"run", experiment, "--out", run, "--iterations", "20"}).exitCode, 2)
        << "an existing run is never overwritten";

    const auto evaluation = raphe({"evaluate", run, "--trials", "5", "--record", "core.hidden", "--json"});
    ASSERT_EQ(evaluation.exitCode, 0) << evaluation.err;
    EXPECT_EQ(parseJson(evaluation.out, "out").at("signals").at("core.hidden").at("shape").dump(), "[110,5,4]");
    const auto changed = raphe(
        {"evaluate", run, "--set", "task.intervals=[20]", "--json", "--intervene", "core.hidden[1]=scale:0.5@10:20"});
    EXPECT_EQ(changed.exitCode, 0) << changed.err;
    for (const char* target : {"a.npz", "a.csv", "a.h5"})
        EXPECT_EQ(raphe({"export", run, "-o", (folder_ / target).string()}).exitCode, 0) << target;
    EXPECT_GT(fs::file_size(folder_ / "a.npz"), 500u);
#ifdef RAPHE_HAS_FIGURE
    for (const char* target : {"a.svg", "a.png"}) {
        const auto drawn = raphe({"plot", run, "--metric", "loss", "-o", (folder_ / target).string()});
        EXPECT_EQ(drawn.exitCode, 0) << drawn.err;
        EXPECT_GT(fs::file_size(folder_ / target), 1000u);
    }
    EXPECT_EQ(raphe({"plot", run, "--metric", "los", "-o", (folder_ / "b.svg").string()}).exitCode, 2);
#endif
}

#ifdef RAPHE_HAS_FIGURE
TEST_F(CommandLine, PlotsRunsWhoseDescriptionIsLargerThanAPipe) {
    const auto run = (folder_ / "long").string();
    ASSERT_EQ(
        raphe({"run", file("small.json", withWire("")), "--out", run, "--iterations", "2000", "--quiet"}).exitCode, 0);
    for (int i = 0; i < 3; ++i) {
        const auto drawn = raphe({"plot", run, run, run, "--metric", "loss", "-o", (folder_ / "long.svg").string()});
        EXPECT_EQ(drawn.exitCode, 0) << drawn.err;
    }
}
#endif

TEST_F(CommandLine, ListsRunsAndGoesOnWithACopyOfOne) {
    const auto experiment = file("small.json", withWire(""));
    const auto runs = (folder_ / "runs").string(), first = (folder_ / "runs" / "first").string();
    for (const char* seed : {"1", "2"})
        ASSERT_EQ(raphe({"run", experiment, "--seed", seed, "--out", seed[0] == '1' ? first : first + "2",
                         "--iterations", "10", "--quiet"})
                      .exitCode,
                  0);
    fs::create_directories(folder_ / "runs" / "broken");
    std::ofstream(folder_ / "runs" / "broken" / "run.sqlite") << "nothing";
    const auto all = raphe({"runs", "--in", runs});
    EXPECT_EQ(all.exitCode, 0) << all.err;
    EXPECT_NE(all.out.find("cannot be read: "), std::string::npos) << all.out;
    const auto second = raphe({"runs", "--in", runs, "--json", "seed = 2", "state = done"});
    const auto entry = parseJson(second.out, "out");
    EXPECT_EQ(entry.at("run"), first + "2");
    EXPECT_EQ(entry.at("iterations"), 10);
    EXPECT_EQ(raphe({"runs", "--in", runs, "loss >"}).exitCode, 2);
    EXPECT_NE(raphe({"runs", "--in", runs, "los > 1"}).err.find("did you mean \"loss\"?"), std::string::npos);
    EXPECT_EQ(raphe({"runs", "--in", runs + "/nothing"}).exitCode, 2);
    EXPECT_EQ(raphe({"runs", "--in", runs, "--csv", "state = done"}).out.substr(0, 18), "folder,experiment,");

    const auto whole = (folder_ / "runs" / "whole").string(), copy = (folder_ / "runs" / "copy").string();
    const auto hashOf = [](const ProgramResult& result) {
        const auto last = result.out.rfind("{\"event\":\"end\"");
        return last == std::string::npos ? result.err : parseJson(result.out.substr(last), "out").value("run_hash", "");
    };
    EXPECT_EQ(hashOf(raphe({"run", experiment, "--seed", "1", "--out", copy, "--copy-of", first, "--iterations", "15",
                            "--json"})),
              hashOf(raphe({"run", experiment, "--seed", "1", "--out", whole, "--iterations", "15", "--json"})));
    EXPECT_NE(raphe({"run", experiment, "--seed", "1", "--copy-of", first, "--iterations", "5", "--out", copy + "2"})
                  .err.find("has done 10 iterations already"),
              std::string::npos);
    EXPECT_EQ(raphe({"evaluate", first, "--checkpoint", "3"}).exitCode, 2);
    EXPECT_EQ(raphe({"evaluate", first, "--checkpoint", "9"}).exitCode, 0);
}

TEST_F(CommandLine, RefusesBadExperimentsWithOneClearSentence) {
    const auto good = file("good.json", withWire(""));
    expectRefused(good, {"--set", "core.unit=5"}, "did you mean \"units\"");
    expectRefused(good, {"--set", "core.units=many"},
                  "nodes.core.params.units: expected integer from 1 to 100000, got \"many\"");
    expectRefused(good, {"--set", "core.units=0"}, "got 0");
    expectRefused(good, {"--set", "core.tau=-1"}, "nodes.core.params.tau");
    expectRefused(good, {"--set", "core.activation=tanhh"}, "expected one of");
    expectRefused(good, {"--set", "cores.units=4"}, "no node \"cores\"");
    expectRefused(good, {"--set", "core.units"}, "expected node.parameter=value");
    expectRefused(good, {"--seed", "-1"}, "seed");
    expectRefused(good, {"--precision", "float16"}, "precision");
    expectRefused(good, {"--threads", "0"}, "threads");
    expectRefused("no_such_experiment", {}, "neither a file nor an experiment");
    expectRefused(file("port.json", withWire(R"("core.hiden -> readout.bias")")), {}, "did you mean \"hidden\"");
    expectRefused(file("node.json", withWire(R"("kore.hidden -> readout.bias")")), {}, "did you mean \"core\"");
    expectRefused(file("size.json", withWire(R"("core.hidden -> readout.bias")")), {},
                  "readout.bias takes 1 unit, but core.hidden has 4");
    expectRefused(file("cycle.json", withWire(R"({"from": "readout.output", "to": "core.feedback", "delay": 0})")), {},
                  "cycle within one time step");
    expectRefused(file("wire.json", withWire(R"("core.hidden readout.bias")")), {}, "wires[0]");
    expectRefused(file("field.json", withWire("", R"(, "tials": 3)")), {}, "did you mean \"trials\"");
    expectRefused(file("type.json", withWire("", R"(, "trials": "three")")), {}, "trials: expected integer");
    expectRefused(file("nan.json", withWire("", R"(, "dt": NaN)")), {}, "nan.json");
    expectRefused(file("cut.json", withWire("").substr(0, 90)), {}, "cut.json");
    expectRefused(file("deep.json", std::string(100'000, '[')), {}, "deep.json");
    expectRefused(file("twice.json", R"({"raphe": 1, "nodes": {}, "nodes": {}})"), {}, "nodes");
    expectRefused(file("version.json", R"({"raphe": 2, "nodes": {}})"), {}, "version 1");
    expectRefused(file("empty.json", R"({"raphe": 1})"), {},
                  "nodes: the experiment has no task; add a node with a task");
    std::string missing = withWire("");
    missing.replace(missing.find("model.rnn"), 9, "model.lstn");
    expectRefused(file("missing.json", missing), {}, "no mechanism \"model.lstn\"");
    expectRefused(file("itself.json", R"({"raphe": 1, "base": "itself"})"), {}, "extends itself");
    expectRefused(folder_.string(), {}, "folder");
}

TEST_F(CommandLine, ListsEveryProblemOnALineOfItsOwn) {
    const auto result =
        raphe({"check", file("bad.json", withWire("", R"(, "trials": "x", "chunk": -1)")), "--set", "core.units=3"});
    EXPECT_EQ(result.exitCode, 2);
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 2) << result.err;
}

TEST_F(CommandLine, ListsProblemsOfParametersMechanismsWiresAndRecordingsTogether) {
    std::string text =
        withWire(R"("core.hiden -> readout.bias")", R"(, "record": ["core.hidden", "core.hiden"], "tials": 3)");
    text.replace(text.find("\"units\": 4"), 10, "\"units\": \"many\"");
    text.replace(text.find("rule.supervised"), 15, "rule.supervisd");
    const auto experiment = file("bad.json", text);
    for (const char* command : {"check", "gradcheck", "run"}) {
        const auto result = raphe({command, experiment, "--set", "readout.units=0"});
        EXPECT_EQ(result.exitCode, 2) << command;
        EXPECT_EQ(result.out, "") << command;
        EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 6) << command << "\n" << result.err;
        for (const char* place :
             {"nodes.core.params.units: ", "nodes.learner.mechanism: ", "wires[0] (core.hiden -> readout.bias): ",
              "record[1]: ", "tials: ", "nodes.readout.params.units: "})
            EXPECT_NE(result.err.find(place), std::string::npos) << command << ": " << place << "\n" << result.err;
    }
}

/// What only a session finds comes with the rest, each with its place.
TEST_F(CommandLine, ListsWhatOnlyASessionFindsTogetherWithTheRest) {
    const auto lines = [&](const std::string& extra, const std::vector<std::string>& assignments) {
        std::vector<std::string> command{"check", file("bad.json", withWire("", extra))};
        for (const auto& assignment : assignments) command.insert(command.end(), {"--set", assignment});
        const auto result = raphe(command);
        EXPECT_EQ(result.exitCode, 2) << result.out;
        EXPECT_EQ(result.out, "");
        return result.err;
    };
    const std::string names = R"(, "frozen": ["readout.*", "kore.*"], "steps": 300,
        "interventions": [{"port": "core.hidden", "component": 4}, {"port": "core.hiden"},
            {"port": "core.hidden", "from": 300}, {"port": "kore.x"}, {"port": "task.target"},
            {"port": "core.recurrent_weight", "component": 99}],
        "stages": [{"name": "a", "iterations": 2, "frozen": ["readout.bias", "core.*", "core.wieght"]}])";
    const auto all = lines(names, {});
    EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 9) << all;
    for (const char* line :
         {"steps: the task says how many steps", "frozen[1]: no tensor matches \"kore.*\"",
          "interventions[0] (core.hidden): component 4 does not exist; there are 4",
          "interventions[1] (core.hiden): model.rnn has no output port \"hiden\"",
          "interventions[2] (core.hidden): step 300 lies outside the trial",
          "interventions[3] (kore.x): ", "interventions[4] (task.target): a task's signals cannot be changed",
          "interventions[5] (core.recurrent_weight): component 99", "stages[0].frozen[2]: no tensor matches"})
        EXPECT_NE(all.find(line), std::string::npos) << line << "\n" << all;

    // With a wrong parameter nobody knows how many units there are, but which names there are.
    const auto some = lines(R"(, "tials": 3, "frozen": ["core.*", "*.weight", "readout.weigt"],
        "interventions": [{"port": "core.hidden", "component": 7}, {"port": "readout.outputt"}])",
                            {"core.units=none"});
    EXPECT_EQ(std::count(some.begin(), some.end(), '\n'), 4) << some;
    for (const char* line : {"tials: ", "nodes.core.params.units: ", "frozen[2]: no tensor matches",
                             "interventions[1] (readout.outputt): model.dense has no"})
        EXPECT_NE(some.find(line), std::string::npos) << line << "\n" << some;
}

TEST_F(CommandLine, ListsMechanismsThatRefuseTheirPorts) {
    const auto experiment = file("refused.json", R"({"raphe": 1, "trials": -1, "nodes": {
        "task": {"mechanism": "task.measure_wait_go"},
        "one": {"mechanism": "model.plastic_rnn", "params": {"hidden": 4, "rule": "simple"}},
        "two": {"mechanism": "model.plastic_rnn", "params": {"hidden": 4, "rule": "retroactive"}},
        "readout": {"mechanism": "model.dense"}, "learner": {"mechanism": "rule.supervised"}},
        "wires": ["task.observation -> one.input", "one.hidden -> two.input", "two.hidden -> readout.input",
            "readout.output -> learner.prediction", "task.observation -> learner.target"]})");
    const auto result = raphe({"check", experiment, "--json"});
    EXPECT_EQ(result.exitCode, 2);
    const auto problems = parseJson(result.out, "out").at("problems");
    ASSERT_EQ(problems.size(), 4u) << result.out;
    const char* places[] = {"trials: ", "nodes.one: port \"plasticity\"", "nodes.two: port \"plasticity\"",
                            "nodes.learner: port \"target\""};
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(problems[i].get<std::string>().find(places[i]), 0u) << problems[i];
}

TEST_F(CommandLine, EstimatesMemoryAndDisk) {
    const auto checked = raphe({"check", "cue_small_A_simple", "--threads", "2"});
    EXPECT_EQ(checked.exitCode, 0) << checked.err;
    EXPECT_NE(checked.out.find("\n  memory: about "), std::string::npos) << checked.out;
    EXPECT_NE(checked.out.find(" with 2 threads\n"), std::string::npos) << checked.out;
    EXPECT_NE(checked.out.find("\n  disk: at most "), std::string::npos) << checked.out;
    const auto json = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"check", "--json"});
        const auto result = raphe(words);
        EXPECT_EQ(result.exitCode, 0) << result.err;
        return parseJson(result.out, "out");
    };
    const auto one = json({"cue_small_A_simple", "--threads", "1"}),
               two = json({"cue_small_A_simple", "--threads", "2"});
    EXPECT_EQ(one.at("problems").size(), 0u);
    EXPECT_EQ(one.at("numbers"), 2756);
    EXPECT_LT(one.at("memory").get<double>(), two.at("memory").get<double>());
    double sum = 0;
    for (const auto& [name, bytes] : one.at("memory_parts").items()) sum += bytes.get<double>();
    EXPECT_NEAR(sum, one.at("memory").get<double>(), 50);
    EXPECT_EQ(one.at("signals_per_1000"), 0);
    const auto recorded = json({file("r.json", withWire("", R"(, "record": ["core.hidden"])"))});
    EXPECT_EQ(recorded.at("signals_per_1000"), 10 * 110 * 4 * 4) << "iterations, steps, units, bytes";
    EXPECT_EQ(one.at("checkpoint"), 3 * 4 * 2756) << "weights and two averages";
}

/// Where a machine may have any amount of memory: nobody has this much.
TEST_F(CommandLine, RefusesWhatCannotFitBeforeAnythingIsMade) {
    const auto good = file("good.json", withWire(""));
    for (const char* precision : {"float32", "float64"}) {
        expectRefused("cue_small_A_simple",
                      {"--set", "agent.hidden=100000", "--set", "trials=1000000", "--set", "chunk=1000", "--precision",
                       precision},
                      "nodes.agent: the experiment takes about ");
        expectRefused(good, {"--set", "core.units=100000", "--set", "trials=1000000", "--precision", precision},
                      "are free; use a smaller network");
    }
    const auto checked = raphe({"check", good, "--set", "core.units=100000", "--set", "trials=1000000"});
    EXPECT_EQ(checked.exitCode, 2);
    EXPECT_NE(checked.out.find("  memory: about "), std::string::npos) << "the estimate is shown all the same";
    EXPECT_EQ(std::count(checked.err.begin(), checked.err.end(), '\n'), 1) << checked.err;
}

TEST_F(CommandLine, StopsWithTheTensorWhenNumbersAreNoLongerFinite) {
    const auto run = (folder_ / "run").string();
    const auto result = raphe({"run", file("a.json", withWire("")), "--out", run, "--iterations", "50", "--set",
                               "learner.optimiser=sgd", "--set", "learner.learning_rate=1e30"});
    EXPECT_EQ(result.exitCode, 1) << result.err;
    EXPECT_NE(result.err.find("not finite"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("iteration"), std::string::npos) << result.err;
    EXPECT_EQ(raphe({"evaluate", run, "--trials", "1"}).exitCode, 0) << "the last good state was kept";
}

TEST_F(CommandLine, ChecksGradients) {
    for (const char* experiment :
         {"cue_small_A_simple", "cue_small_A_retro", "cue_small_A_plastic", "cue_small_A_none", "cue_small_B_simple",
          "mwg_small_nm_rnn", "mwg_small_lr_rnn", "crossed_plasticity", "crossed_gain", "crossed_cellular_plasticity",
          "crossed_biased_target", "nmn_biased_target_small", "crossed_gru_modulator", "crossed_lstm_modulator",
          "crossed_two_modulators", "crossed_input_modulation", "mwg_small_lstm", "mwg_multiregion"}) {
        const auto result = raphe({"gradcheck", experiment, "--entries", "3"});
        EXPECT_EQ(result.exitCode, 0) << experiment << "\n" << result.out << result.err;
    }
}

TEST_F(CommandLine, ListsAndChangesStages) {
    const auto staged = file("staged.json", withWire("", R"(, "stages": [
        {"name": "first", "iterations": 4, "frozen": ["core.*"], "set": {"optimiser": "sgd"}},
        {"name": "second", "iterations": 6, "reset_optimiser": true, "schedules": {"learning_rate": {"kind": "linear", "to": 0}},
         "keep_best": {"metric": "loss", "goal": "min"}}])"));
    const auto checked = raphe({"check", staged});
    EXPECT_EQ(checked.exitCode, 0) << checked.err;
    EXPECT_NE(
        checked.out.find("\n  stage first: 4 iterations, frozen core.*, optimiser \"sgd\"\n"
                         "  stage second: 6 iterations, learning_rate linear, fresh optimiser, keeps the weights of "
                         "the smallest loss of evaluation\n"),
        std::string::npos)
        << checked.out;
    const auto shorter = raphe({"check", staged, "--set", "stages[0].iterations=2", "--set", "iterations=5"});
    EXPECT_NE(shorter.out.find("stops after 5 of 8 iterations, in stage"), std::string::npos)
        << shorter.out << shorter.err;
    const auto refused = raphe({"check", staged, "--set", "stages[0].frozen=[\"kore.*\"]"});
    EXPECT_EQ(refused.exitCode, 2);
    EXPECT_NE(refused.err.find("stages[0].frozen[0]: no tensor matches \"kore.*\""), std::string::npos) << refused.err;
    expectRefused(staged, {"--set", "stages[0].iterations=none"}, "stages[0].iterations: expected integer");
    expectRefused(staged, {"--set", "stages[1].schedules.learning_rate.to=-1"},
                  "stages[1].schedules.learning_rate.to: expected number >= 0, got -1.0");
    const auto out = (folder_ / "run").string();
    const auto longer = raphe({"run", staged, "--out", out, "--iterations", "11"});
    EXPECT_EQ(longer.exitCode, 2);
    EXPECT_NE(longer.err.find("iterations: expected at most 10, as many as the stages have in all, got 11"),
              std::string::npos)
        << longer.err;
    EXPECT_FALSE(fs::exists(out));
}

TEST_F(CommandLine, TrainsInStages) {
    const auto staged = file("staged.json", withWire("", R"(, "stages": [
        {"name": "first", "iterations": 2, "frozen": ["core.*"]}, {"name": "second", "iterations": 3}])"));
    const auto out = (folder_ / "staged_run").string();
    const auto begun = raphe({"run", staged, "--out", out, "--iterations", "3", "--json"});
    EXPECT_EQ(begun.exitCode, 0) << begun.err;
    EXPECT_NE(begun.out.find(R"("stage":"first")"), std::string::npos) << begun.out;
    EXPECT_NE(begun.err.find("3/3  second  loss"), std::string::npos) << begun.err;
    const auto rest = raphe({"run", staged, "--out", out, "--resume", "--json"});
    EXPECT_EQ(rest.exitCode, 0) << rest.err;
    EXPECT_NE(rest.out.find(R"("iterations":5)"), std::string::npos) << rest.out;
    EXPECT_EQ(raphe({"evaluate", out}).exitCode, 0);
    const auto other = raphe({"run", staged, "--out", out, "--resume", "--set", "stages[1].iterations=9"});
    EXPECT_EQ(other.exitCode, 2);
    EXPECT_NE(other.err.find("holds a run of another experiment"), std::string::npos) << other.err;
}

TEST_F(CommandLine, RefusesStagesThatCannotBeFollowed) {
    const auto refused = [&](const std::string& stage, const std::string& words) {
        const auto name =
            file("staged.json",
                 withWire("", R"(, "stages": [{"name": "a", "iterations": 3}, {"name": "b", "iterations": 3, )" +
                                  stage + "}]"));
        expectRefused(name, {}, words);
        const auto checked = raphe({"check", name});
        EXPECT_EQ(checked.exitCode, 2);
        EXPECT_NE(checked.err.find(words), std::string::npos) << checked.err;
    };
    refused(R"("frozen": ["kore.*"])", "stages[1].frozen[0]: no tensor matches \"kore.*\"");
    refused(R"("keep_best": {"metric": "los", "goal": "min"})",
            "stages[1].keep_best.metric: an evaluation reports no metric \"los\"; did you mean \"loss\"?");
    refused(
        R"("schedules": {"learning_rate": {"kind": "plateau", "metric": "reward", "goal": "max", "of": "training"}})",
        "stages[1].schedules.learning_rate.metric: the training reports no metric \"reward\"; known: loss, "
        "final_error, gradient_norm");
    // The memory of PPO's weight of the divergence begins with the parameter.
    expectRefused("nmn_biased_target",
                  {"--set", "task.steps=4", "--set", "trials=2", "--set",
                   R"(stages=[{"name": "a", "iterations": 1, "set": {"kl_weight": 3}}])"},
                  "stages[0]: gives learner another memory \"kl_weight\", which a training keeps from its start");
}

TEST_F(CommandLine, ChecksTheExperimentsThatComeWithRaphe) {
    for (const auto& entry : fs::directory_iterator(RESOURCES "/experiments"))
        EXPECT_EQ(raphe({"check", entry.path().stem().string()}).exitCode, 0) << entry.path();
}

TEST_F(CommandLine, ListsAndDescribesMechanisms) {
    const auto list = raphe({"list", "models", "--json"});
    EXPECT_EQ(list.exitCode, 0);
    EXPECT_NE(list.out.find("\"model.low_rank_rnn\""), std::string::npos);
    const auto description = raphe({"describe", "model.plastic_rnn", "--json"});
    EXPECT_EQ(parseJson(description.out, "out").at("name"), "model.plastic_rnn");
    EXPECT_EQ(raphe({"describe", "model.plastic_rn"}).exitCode, 2);
    EXPECT_EQ(raphe({"--version"}).exitCode, 0);
    EXPECT_EQ(raphe({}).exitCode, 2);
}

} // namespace
} // namespace raphe::test
