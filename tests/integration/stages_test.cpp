// SPDX-License-Identifier: Apache-2.0
// Trainings in stages: each does what the document says, and a kill at any moment changes nothing.
#include "engine/document/json_reader.h"
#include "engine/mechanisms/plugin_host.h"
#include "engine/runs/run.h"
#include "engine/runs/run_reader.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <thread>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

struct PacedParams : OptimiserParams {
    double scale = 1, start = 0;
    int groups = 0;
    bool whole = true;
};
/// loss = scale * mean prediction^2, with parameters that decide what the rule consists of.
template <class T>
class Paced final : public GradientRule<T> {
public:
    static auto declare() {
        using P = PacedParams;
        return Declaration<P>{"paced", "1.0.0", "Small predictions"}
            .param("scale", &P::scale, {.help = "Of the loss", .min = 0})
            .param("start", &P::start, {.help = "First value of a memory"})
            .param("groups", &P::groups, {.help = "Copies of the group", .min = 0, .max = 9})
            .param("whole", &P::whole, {.help = "Whether the rule can be built"})
            .with(optimiserParams())
            .input("prediction", "any", {.help = "What is trained"});
    }
    Paced(const PacedParams& p, Builder& b) : p_(p), prediction_(b.input("prediction")) {
        if (!p_.whole) throw Error("not whole");
        b.memory("pace", {p_.start});
        const auto group = b.group("all", {"prediction"});
        for (int i = 0; i < p_.groups; ++i) b.copy("copy", group);
    }
    const OptimiserParams& optimiser() const override { return p_; }
    void objective(Objective<T>& o) const override {
        const Value<T> y = o.input(prediction_);
        double loss = 0;
        for (int t = 0; t < o.steps; ++t)
            for (int b = 0; b < o.trials; ++b)
                for (int r = 0; r < y.rows; ++r) {
                    const int c = o.column(t, b);
                    const T value = y.column(c)[r];
                    loss += p_.scale * double(value) * double(value);
                    if (y.adjoint) y.gradientColumn(c)[r] += T(2 * p_.scale) * value;
                }
        o.addLoss(loss, static_cast<double>(o.steps) * o.trials);
    }

private:
    PacedParams p_;
    Input prediction_;
};

PluginHost& plugins() {
    static PluginHost host = [] {
        PluginHost h;
        h.loadFolder(PLUGIN_FOLDER);
        h.registry().add(entryOf<Paced>(), "tests");
        return h;
    }();
    return host;
}

Json document(const std::string& stages, const std::string& rule = "rule.supervised") {
    Json result = {
        {"raphe", 1},
        {"name", "staged"},
        {"nodes",
         {{"task", {{"mechanism", "task.measure_wait_go"}}},
          {"core", {{"mechanism", "model.rnn"}, {"params", {{"units", 4}}}}},
          {"readout", {{"mechanism", "model.dense"}}},
          {"learner", {{"mechanism", rule}, {"params", {{"optimiser", "adam"}, {"learning_rate", 0.01}}}}}}},
        {"wires",
         {"task.observation -> core.input", "core.hidden -> readout.input", "readout.output -> learner.prediction"}}};
    if (rule == "rule.supervised") result["wires"].push_back("task.target -> learner.target");
    result["stages"] = parseJson(stages, "stages");
    return result;
}
Experiment experimentOf(const Json& json) { return experimentFromJson(json, plugins().registry()); }
std::unique_ptr<Session> sessionOf(const Json& json, int threads = 1) {
    return Session::create(experimentOf(json), plugins().registry(), {threads, "tbb", 0});
}
std::unique_ptr<Session> staged(const std::string& stages, const std::string& rule = "rule.supervised") {
    return sessionOf(document(stages, rule));
}

std::map<std::string, Tensor> weightsOf(const Session& session) {
    std::map<std::string, Tensor> result;
    for (const auto& item : session.weights()) result[item.name] = item.tensor;
    return result;
}
/// Weights and optimiser averages.
std::map<std::string, Tensor> tensorsOf(const Session& session, const std::string& prefix = {}) {
    std::map<std::string, Tensor> result;
    for (const auto& item : session.snapshot().tensors)
        if (item.name.starts_with(prefix)) result[item.name] = item.tensor;
    return result;
}
std::string complaintOf(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "no complaint";
}

/// Keeps what a session reports.
struct Witness : SessionObserver {
    std::vector<IterationReport> iterations;
    std::vector<CheckReport> checks;
    std::vector<std::map<std::string, Tensor>> weights; ///< after each iteration
    void onIteration(Session& session, const IterationReport& report) override {
        iterations.push_back(report);
        weights.push_back(weightsOf(session));
    }
    void onCheck(Session&, const CheckReport& report) override { checks.push_back(report); }
};

// -- what a stage says ------------------------------------------------------------------------------------------------

TEST(Stages, FreezeTheirTensorsBesideThoseOfTheDocumentAndOfTheHand) {
    auto json = document(R"([{"name": "a", "iterations": 2, "frozen": ["core.*"]},
                             {"name": "b", "iterations": 2, "frozen": ["readout.weight"]}])");
    json["frozen"] = {"readout.bias"};
    const auto session = sessionOf(json);
    const auto trainable = [&](const std::string& name) {
        for (const auto& p : session->parameters())
            if (p.name == name) return p.trainable;
        ADD_FAILURE() << name;
        return false;
    };
    const auto start = weightsOf(*session);
    EXPECT_FALSE(trainable("core.recurrent_weight"));
    EXPECT_TRUE(trainable("readout.weight"));
    session->trainTo(1);
    session->freeze("readout.weight");
    const auto first = weightsOf(*session);
    EXPECT_NE(first.at("readout.weight"), start.at("readout.weight"));
    session->trainTo(2);
    EXPECT_EQ(weightsOf(*session), first) << "by stage, document and hand nothing is left to train";
    session->freeze("*", false);
    EXPECT_TRUE(trainable("core.recurrent_weight")) << "the second stage";
    EXPECT_FALSE(trainable("readout.weight")) << "the second stage";
    EXPECT_TRUE(trainable("readout.bias")) << "the document's word ends by hand";
    session->trainTo(4);
    const auto end = weightsOf(*session);
    EXPECT_NE(end.at("core.recurrent_weight"), start.at("core.recurrent_weight"));
    EXPECT_EQ(end.at("readout.weight"), first.at("readout.weight"));
    EXPECT_NE(end.at("readout.bias"), start.at("readout.bias"));
}

TEST(Stages, TrainAsSessionsOneAfterTheOther) {
    const auto whole = staged(R"([{"name": "a", "iterations": 3, "set": {"weight_decay": 0.1}},
        {"name": "b", "iterations": 3, "schedules": {"learning_rate": {"kind": "step", "at": [1, 2], "values": [0.02, 0.04]}}},
        {"name": "c", "iterations": 2, "frozen": ["core.*"], "reset_optimiser": true}])");
    Witness witness;
    EXPECT_TRUE(whole->trainTo(8, &witness));

    struct Part {
        int until;
        const char *parameter, *frozen;
        double value;
        bool reset;
    };
    SessionSnapshot state;
    std::vector<NamedNumbers> metrics;
    for (const auto& part : std::vector<Part>{{3, "weight_decay", "", 0.1, false},
                                              {4, "learning_rate", "", 0.01, false},
                                              {5, "learning_rate", "", 0.02, false},
                                              {6, "learning_rate", "", 0.04, false},
                                              {8, "learning_rate", "core.*", 0.01, true}}) {
        auto json = document("[]");
        json["nodes"]["learner"]["params"][part.parameter] = part.value;
        const auto session = sessionOf(json);
        if (!state.tensors.empty()) session->restore(state);
        if (*part.frozen != 0) session->freeze(part.frozen);
        if (part.reset) session->resetOptimiser();
        while (session->iteration() < part.until) metrics.push_back(session->iterate().metrics);
        state = session->snapshot();
    }
    const auto end = tensorsOf(*whole);
    ASSERT_EQ(end.size(), state.tensors.size());
    for (const auto& item : state.tensors) EXPECT_EQ(end.at(item.name), item.tensor) << item.name;
    std::vector<std::string> stages;
    for (std::size_t k = 0; k < metrics.size(); ++k) {
        EXPECT_EQ(witness.iterations[k].metrics, metrics[k]) << k;
        stages.push_back(witness.iterations[k].stageName + (witness.iterations[k].beginsStage ? "!" : ""));
    }
    EXPECT_EQ(stages, (std::vector<std::string>{"a!", "a", "a", "b!", "b", "b", "c!", "c"}));
    EXPECT_EQ(witness.iterations[7].stage, 2);
    EXPECT_EQ(sessionOf(document("[]"))->iterate().stage, -1);
}

TEST(Stages, KeepTheBestWeightsAndTheLastAveragesOfTheOptimiser) {
    for (const char* of : {"training", "evaluation"}) {
        const std::string best =
            R"("keep_best": {"metric": "loss", "goal": "max", "every": 2, "of": ")" + std::string(of) + R"("})";
        const auto session =
            staged(R"([{"name": "a", "iterations": 7, )" + best + R"(}, {"name": "b", "iterations": 2}])");
        Witness witness;
        session->trainTo(6, &witness);
        session->iterate();
        ASSERT_TRUE(session->checkDue());
        const auto averages = tensorsOf(*session, "optimiser.");
        const auto kept = tensorsOf(*session, "stages.best.");
        session->check(&witness);
        EXPECT_FALSE(session->checkDue());
        ASSERT_EQ(witness.checks.size(), 4u) << "after 2, 4, 6 and at the end";
        ASSERT_TRUE(witness.checks[3].takenUp) << "the loss becomes smaller";
        EXPECT_EQ(witness.checks[3].takenUp->iteration, 1);
        EXPECT_FALSE(witness.checks[2].takenUp);
        EXPECT_EQ(weightsOf(*session), witness.weights[1]);
        EXPECT_EQ(kept.size(), witness.weights[1].size());
        for (const auto& [name, tensor] : witness.weights[1]) EXPECT_EQ(kept.at("stages.best." + name), tensor);
        EXPECT_EQ(tensorsOf(*session, "optimiser."), averages) << "they stay";
        EXPECT_TRUE(tensorsOf(*session, "stages.best.").empty()) << "and the copy goes";
        EXPECT_TRUE(session->trainTo(9));
    }
}

TEST(Stages, TakeUpNothingWhereTheLastWeightsAreTheBest) {
    const auto session =
        staged(R"([{"name": "a", "iterations": 4, "keep_best": {"metric": "loss", "goal": "min", "every": 1}}])");
    Witness witness;
    session->trainTo(4, &witness);
    EXPECT_EQ(weightsOf(*session), witness.weights[3]);
    EXPECT_FALSE(witness.checks.back().takenUp);
}

TEST(Stages, EvaluateWithoutATraceInTheTraining) {
    const std::string watch = R"("metric": "loss", "goal": "min", "every": 1, "trials": 3)";
    const auto plain = staged(R"([{"name": "a", "iterations": 6}])"),
               checked = staged(R"([{"name": "a", "iterations": 6, "keep_best": {)" + watch +
                                R"(}, "schedules": {"clip_value": {"kind": "plateau", "from": 1e9, "patience": 100, )" +
                                watch + "}}}]");
    Witness a, b;
    plain->trainTo(6, &a);
    checked->trainTo(6, &b);
    for (std::size_t k = 0; k < 6; ++k) {
        EXPECT_EQ(a.iterations[k].metrics, b.iterations[k].metrics);
        EXPECT_EQ(a.weights[k], b.weights[k]);
    }
    EXPECT_EQ(b.checks.size(), 6u);
}

TEST(Stages, ReduceParametersThatHaveReachedAPlateau) {
    const auto session = staged(R"([{"name": "a", "iterations": 6, "schedules": {"learning_rate": {"kind": "plateau",
        "from": 0.5, "metric": "loss", "goal": "max", "of": "training", "every": 2, "factor": 1e-300, "patience": 1}}}])");
    Witness witness;
    auto& checks = witness.checks;
    session->trainTo(6, &witness);
    ASSERT_EQ(checks.size(), 2u) << "at the end of the stage there is nothing to reduce for";
    ASSERT_EQ(checks[1].reduced.size(), 1u);
    EXPECT_EQ(checks[1].reduced[0], (std::pair<std::string, double>("learning_rate", 0.5e-300)));
    EXPECT_EQ(witness.weights[5], witness.weights[3]) << "steps that change nothing";
    EXPECT_NE(witness.weights[3], witness.weights[2]);
}

TEST(Stages, CancelACheckThatStaysDue) {
    const std::string stages =
        R"([{"name": "a", "iterations": 4, "keep_best": {"metric": "loss", "goal": "max", "every": 1}},
                                   {"name": "b", "iterations": 2}])";
    const auto plain = staged(stages), cancelled = staged(stages);
    plain->trainTo(6);
    for (int k = 0; k < 6; ++k) {
        cancelled->iterate();
        if (!cancelled->checkDue()) continue;
        const auto before = cancelled->snapshot();
        cancelled->cancel();
        EXPECT_THROW(cancelled->check(), Cancelled);
        EXPECT_TRUE(cancelled->checkDue());
        EXPECT_FALSE(cancelled->trainTo(6));
        cancelled->clearCancel();
        EXPECT_EQ(cancelled->snapshot().stages, before.stages);
        EXPECT_EQ(cancelled->iteration(), k + 1);
    }
    EXPECT_EQ(tensorsOf(*cancelled), tensorsOf(*plain));
}

TEST(Stages, EndAndSaySo) {
    const auto session = staged(R"([{"name": "a", "iterations": 2}])");
    EXPECT_EQ(complaintOf([&] { session->trainTo(3); }),
              "stages: have 2 iterations in all, so that none can be trained up to 3");
    EXPECT_EQ(session->iteration(), 0);
    EXPECT_TRUE(session->trainTo(2));
    EXPECT_EQ(complaintOf([&] { session->iterate(); }),
              "stages: have 2 iterations in all, so there is none with the number 2; iterations are counted from 0");
}

TEST(Stages, AreReadFromOtherThreadsWhileTheyChangeTheRule) {
    const auto session = staged(R"([{"name": "a", "iterations": 40, "frozen": ["core.*"], "schedules":
        {"scale": {"kind": "linear", "to": 2}}}, {"name": "b", "iterations": 40, "set": {"credit": "local"}}])",
                                "rule.paced");
    std::atomic<bool> done{false};
    std::thread reader([&] {
        EvaluateRequest few;
        few.trials = 2;
        while (!done) {
            EXPECT_GT(session->evaluate(few).metrics.at(0).second, 0);
            EXPECT_EQ(session->parameters().size(), session->weights().size());
            session->snapshot();
        }
    });
    session->trainTo(80);
    done = true;
    reader.join();
}

// -- what is refused --------------------------------------------------------------------------------------------------

TEST(Stages, RefuseARuleThatConsistsOfOtherParts) {
    const auto complaint = [](const std::string& stage) {
        return complaintOf([&] { staged(R"([{"name": "a", "iterations": 9, )" + stage + "}]", "rule.paced"); });
    };
    const std::string ending =
        ", which a training keeps from its start; leave the parameters that it depends on as they are";
    EXPECT_EQ(complaint(R"("set": {"scale": 2})"), "no complaint");
    EXPECT_EQ(complaint(R"("set": {"start": 2})"), "stages[0]: gives learner another memory \"pace\"" + ending);
    EXPECT_EQ(complaint(R"("schedules": {"groups": {"kind": "linear", "to": 3}})"),
              "stages[0]: gives learner another number of copies" + ending);
    EXPECT_EQ(complaint(R"("schedules": {"start": {"kind": "plateau", "from": 1, "metric": "loss", "goal": "min"}})"),
              "stages[0]: gives learner another memory \"pace\"" + ending);
    EXPECT_EQ(complaint(R"("set": {"whole": false})"), "stages[0]: not whole");
}

TEST(Stages, RefuseMetricsThatThereAreNot) {
    const auto complaint = [](const std::string& metric, const std::string& of) {
        return complaintOf([&] {
            staged(R"([{"name": "a", "iterations": 9}, {"name": "b", "iterations": 9, "keep_best": {"metric": ")" +
                   metric + R"(", "goal": "min", "of": ")" + of + R"("}}])");
        });
    };
    EXPECT_EQ(complaint("gradient_norm", "training"), "no complaint");
    EXPECT_EQ(complaint("gradient_norm", "evaluation"),
              "stages[1].keep_best.metric: an evaluation has no gradient; say \"of\": \"training\"");
    EXPECT_EQ(complaint("los", "training"),
              "stages[1].keep_best.metric: the training reports no metric \"los\"; did you mean \"loss\"?");
}

TEST(Stages, RefuseSnapshotsOfOtherStages) {
    const auto ab = R"([{"name": "a", "iterations": 3}, {"name": "b", "iterations": 3}])",
               ba = R"([{"name": "a", "iterations": 2}, {"name": "b", "iterations": 4}])";
    const auto first = staged(ab), second = staged(ba), without = staged("[]");
    first->trainTo(1);
    const auto snapshot = first->snapshot();
    const auto start = weightsOf(*second);
    EXPECT_EQ(complaintOf([&] { second->restore(snapshot); }),
              "checkpoint: was made in other stages than these; it belongs to another experiment");
    EXPECT_EQ(weightsOf(*second), start);
    EXPECT_EQ(complaintOf([&] { without->restore(snapshot); }),
              "checkpoint: was made in a training with stages; it belongs to another experiment");
    EXPECT_EQ(complaintOf([&] { second->restore(without->snapshot()); }),
              "checkpoint: knows nothing of stages; it belongs to another experiment");
    auto earlier = snapshot;
    earlier.iteration = 0;
    EXPECT_EQ(complaintOf([&] { first->restore(earlier); }),
              "checkpoint: holds stages after 1 iterations, but weights after 0");
    first->trainTo(6);
    first->restore(snapshot);
    EXPECT_EQ(first->iteration(), 1);
    EXPECT_TRUE(first->trainTo(6));
}

// -- runs -------------------------------------------------------------------------------------------------------------

/// Checks of both kinds, reductions, best weights that are taken up, and stages without any of it.
const char* const eventful = R"([
    {"name": "a", "iterations": 5, "frozen": ["core.*"],
     "keep_best": {"metric": "loss", "goal": "max", "every": 2, "trials": 3},
     "schedules": {"learning_rate": {"kind": "plateau", "metric": "loss", "goal": "max", "of": "training", "every": 1,
                                     "factor": 0.5, "patience": 1}}},
    {"name": "b", "iterations": 3, "reset_optimiser": true, "set": {"weight_decay": 0.01},
     "schedules": {"learning_rate": {"kind": "linear", "to": 0.001}}},
    {"name": "c", "iterations": 6,
     "keep_best": {"metric": "loss", "goal": "max", "of": "training", "every": 2, "window": 2},
     "schedules": {"learning_rate": {"kind": "cosine", "from": 0.02, "to": 0}}}])";

class StagedRun : public testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::path(testing::TempDir()) / ("raphe_stages_" + std::to_string(getpid()));
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    RunOutcome run(const std::string& name, int checkpointEvery, bool resume = false,
                   SessionObserver* observer = nullptr, std::optional<int> iterations = {}) const {
        RunOptions options;
        options.folder = folder_ / name;
        options.checkpointEvery = checkpointEvery;
        options.resume = resume;
        options.iterations = iterations;
        options.session.threads = 1;
        return runExperiment(experimentOf(document(eventful)), plugins(), options, observer);
    }
    /// What has happened, but for that it was resumed.
    std::vector<std::string> events(const std::string& name) const {
        std::vector<std::string> lines;
        for (const auto& event : RunReader::open(folder_ / name).events())
            if (event.kind != "resumed")
                lines.push_back(std::to_string(event.iteration) + " " + event.kind + " " + event.json);
        return lines;
    }
    std::map<std::string, Tensor> tensors(const std::string& name) const {
        std::map<std::string, Tensor> result;
        const auto checkpoint = RunReader::open(folder_ / name).latestCheckpoint();
        for (const auto& item : checkpoint->tensors) result[item.name] = item.tensor;
        return result;
    }

    fs::path folder_;
};

TEST_F(StagedRun, WritesDownWhatHappens) {
    run("whole", 100);
    std::vector<std::string> heads, all;
    for (const auto& line : events("whole")) {
        const auto head = line.substr(0, line.find(" {"));
        if (head.ends_with(" trace") || head.ends_with(" tensors")) continue; // fingerprints, see step_trace.h
        heads.push_back(head);
        all.push_back(line);
    }
    EXPECT_EQ(heads, (std::vector<std::string>{"0 stage", "1 reduced", "2 reduced", "3 reduced", "4 best_taken_up",
                                               "5 stage", "8 stage", "13 best_taken_up"}));
    EXPECT_EQ(all[0], R"(0 stage {"stage":"a"})");
    EXPECT_EQ(all[1], R"(1 reduced {"stage":"a","parameter":"learning_rate","value":0.005})");
    EXPECT_NE(all[4].find(R"({"stage":"a","iteration":1,"value":)"), std::string::npos) << all[4];
}

/// At each report the folder is what a kill would leave: it is copied, and the copy is resumed.
TEST_F(StagedRun, GoesOnAfterAKillAtAnyMoment) {
    struct Killer final : SessionObserver {
        fs::path from, to;
        int copies = 0, due = 0;
        void copy(Session& session) {
            due += session.checkDue() ? 1 : 0;
            fs::copy(from, to / ("copy" + std::to_string(copies++)), fs::copy_options::recursive);
        }
        void onIteration(Session& session, const IterationReport&) override { copy(session); }
        void onCheck(Session& session, const CheckReport&) override { copy(session); }
    };
    run("reference", 100);
    const auto expected = events("reference");
    for (const int every : {1, 4}) {
        Killer killer;
        killer.from = folder_ / "whole";
        killer.to = folder_ / std::to_string(every);
        fs::create_directories(killer.to);
        const auto whole = run("whole", every, false, &killer);
        EXPECT_EQ(events("whole"), expected);
        const auto weights = tensors("whole");
        EXPECT_EQ(killer.due, 8) << "kills between iteration and check";
        EXPECT_EQ(killer.copies, 22);
        for (int i = 0; i < killer.copies; ++i) {
            const auto name = std::to_string(every) + "/copy" + std::to_string(i);
            EXPECT_EQ(run(name, every, true).hash, whole.hash) << name;
            EXPECT_EQ(tensors(name), weights) << name;
            EXPECT_EQ(events(name), expected) << name;
        }
        fs::remove_all(folder_ / "whole");
    }
}

TEST_F(StagedRun, StopsEarlierAndGoesOn) {
    const auto whole = run("whole", 100);
    EXPECT_EQ(whole.iterations, 14);
    for (const int stop : {0, 2, 5, 7, 13}) {
        const auto name = "stopped" + std::to_string(stop);
        EXPECT_EQ(run(name, 100, false, nullptr, stop).iterations, stop);
        const auto rest = run(name, 100, true);
        EXPECT_EQ(rest.hash, whole.hash) << stop;
        EXPECT_EQ(events(name), events("whole")) << stop;
    }
    EXPECT_EQ(complaintOf([&] { run("longer", 100, false, nullptr, 15); }),
              "iterations: expected at most 14, as many as the stages have in all, got 15");
    EXPECT_FALSE(fs::exists(folder_ / "longer"));
}

TEST_F(StagedRun, CancelledInACheckGoesOnWithIt) {
    struct Canceller final : SessionObserver {
        bool on = true;
        void onIteration(Session& session, const IterationReport& report) override {
            if (on && report.iteration == 3) session.cancel();
        }
    } canceller;
    const auto whole = run("whole", 100);
    EXPECT_FALSE(run("cancelled", 100, false, &canceller).completed);
    EXPECT_EQ(run("cancelled", 100, true).hash, whole.hash);
    auto expected = events("whole"), found = events("cancelled");
    std::erase_if(found, [](const auto& line) { return line.find("interrupted") != std::string::npos; });
    EXPECT_EQ(found, expected);
}

} // namespace
} // namespace raphe::test
