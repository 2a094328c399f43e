// SPDX-License-Identifier: Apache-2.0
// An experiment without a learning rule: it runs, is recorded, exported and intervened on; without a task too, if it
// says for how long.
#include "engine/document/json_reader.h"
#include "engine/mechanisms/plugin_host.h"
#include "engine/runs/run.h"
#include "engine/runs/run_reader.h"
#include "support/program.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

struct Free {
    std::string name;
    Json document;
    std::int64_t steps, trials;
};

std::vector<Free> experiments() {
    const Json net = {{"mechanism", "model.rnn"}, {"params", {{"units", 6}, {"tau", 4}, {"initial_state", 0.3}}}},
               readout = {{"mechanism", "model.dense"}, {"params", {{"units", 2}}}};
    const Json record = {{{"port", "net.hidden"}, {"every_iterations", 2}, {"trials", 2}, {"every_steps", 5}}};
    Json autonomous = {{"raphe", 1},
                       {"nodes", {{"net", net}, {"readout", readout}}},
                       {"wires", {"net.hidden -> readout.input", "readout.output -> net.input"}},
                       {"record", record},
                       {"steps", 50},
                       {"trials", 3},
                       {"precision", "float64"}};
    Json driven = {{"raphe", 1},
                   {"nodes", {{"task", {{"mechanism", "task.measure_wait_go"}}}, {"net", net}}},
                   {"wires", {"task.observation -> net.input"}},
                   {"record", record},
                   {"precision", "float64"}};
    auto stream = driven;
    stream["streams"] = true;
    stream["steps"] = 30;
    return {{"autonomous", autonomous, 50, 3}, {"driven", driven, 110, 40}, {"stream", stream, 30, 40}};
}

class WithoutRule : public testing::TestWithParam<Free> {
protected:
    void SetUp() override {
        folder_ = fs::path(testing::TempDir()) / ("raphe_free_" + GetParam().name + "_" + std::to_string(getpid()));
        fs::remove_all(folder_);
        fs::create_directories(folder_);
        plugins_.loadFolder(PLUGIN_FOLDER);
    }
    void TearDown() override { fs::remove_all(folder_); }
    static ProgramResult raphe(std::vector<std::string> words) {
        words.insert(words.begin(), RAPHE_PROGRAM);
        return runProgram(words);
    }
    std::string file() const {
        const auto path = (folder_ / "experiment.json").string();
        std::ofstream(path) << GetParam().document.dump();
        return path;
    }
    std::unique_ptr<Session> session(int threads = 1) const {
        return Session::create(experimentFromJson(GetParam().document, plugins_.registry()), plugins_.registry(),
                               {threads, "tbb", 0});
    }

    fs::path folder_;
    PluginHost plugins_;
};

TEST_P(WithoutRule, RunsIsResumedAndExported) {
    const auto run = (folder_ / "run").string(), whole = (folder_ / "whole").string();
    EXPECT_EQ(raphe({"check", file()}).exitCode, 0);
    const auto first = raphe({"run", file(), "--out", run, "--iterations", "3", "--threads", "2"});
    EXPECT_EQ(first.exitCode, 0) << first.err;
    EXPECT_NE(first.err.find("3/3"), std::string::npos) << first.err;
    const auto second = raphe({"run", file(), "--out", run, "--iterations", "6", "--resume", "--json", "--quiet"});
    EXPECT_EQ(second.exitCode, 0) << second.err;
    const auto once = raphe({"run", file(), "--out", whole, "--iterations", "6", "--json", "--quiet"});
    const auto hashIn = [](const ProgramResult& result) {
        return parseJson(std::string_view(result.out).substr(result.out.rfind("{\"event\":\"end\"")), "end")
            .at("run_hash")
            .get<std::string>();
    };
    EXPECT_EQ(hashIn(second), hashIn(once));
    for (const std::int64_t iteration : {0, 2, 4}) {
        const auto kept = RunReader::open(run).signal("net.hidden", iteration),
                   expected = RunReader::open(whole).signal("net.hidden", iteration);
        ASSERT_TRUE(kept && expected) << iteration;
        EXPECT_EQ(*kept, *expected) << iteration;
        EXPECT_EQ(kept->shape, (std::vector<std::int64_t>{GetParam().steps / 5, 2, 6}));
    }
    for (const char* target : {"a.npz", "a.csv", "a.h5"}) {
        EXPECT_EQ(raphe({"export", run, "-o", (folder_ / target).string()}).exitCode, 0) << target;
        EXPECT_GT(fs::file_size(folder_ / target), 50u) << target;
    }
    const auto evaluated =
        raphe({"evaluate", run, "--record", "net.hidden", "--intervene", "net.hidden[1]=clamp:0.5@3:6", "--json"});
    EXPECT_EQ(evaluated.exitCode, 0) << evaluated.err;
    const auto drawn = raphe({"plot", run, "-o", (folder_ / "a.svg").string()});
    EXPECT_EQ(drawn.exitCode, 2) << "there is no learning curve";
    EXPECT_EQ(std::count(drawn.err.begin(), drawn.err.end(), '\n'), 1) << drawn.err;
    const auto checked = raphe({"gradcheck", file()});
    EXPECT_EQ(checked.exitCode, 2);
    EXPECT_NE(checked.err.find("no learning rule"), std::string::npos) << checked.err;
}

TEST_P(WithoutRule, IsRecordedAndIntervenedOn) {
    const auto alone = session(1), together = session(3);
    for (int i = 0; i < 4; ++i) {
        const auto report = together->iterate();
        const auto expected = alone->iterate();
        EXPECT_TRUE(report.metrics.empty());
        EXPECT_EQ(report.signals.size(), i % 2 == 0 ? 1u : 0u);
        for (std::size_t k = 0; k < report.signals.size(); ++k)
            EXPECT_EQ(report.signals[k].second, expected.signals[k].second) << i;
    }
    together->setInterventions({{{"net", "hidden"}, Operation::clamp, 2, 0.7, 10, 20}});
    const auto changed = together->iterate().signals.at(0).second;
    for (std::int64_t t = 0; t < changed.shape[0]; ++t)
        for (std::int64_t b = 0; b < changed.shape[1]; ++b) {
            const double unit = changed.values[static_cast<std::size_t>((t * changed.shape[1] + b) * 6 + 2)];
            if (t * 5 >= 10 && t * 5 < 20)
                EXPECT_EQ(unit, 0.7) << t;
            else
                EXPECT_NE(unit, 0.7) << t;
        }
    EvaluateRequest request;
    request.record = {"net.hidden"};
    const auto result = together->evaluate(request);
    EXPECT_TRUE(result.metrics.empty());
    EXPECT_EQ(result.signals[0].second.shape, (std::vector<std::int64_t>{GetParam().steps, GetParam().trials, 6}));
    const auto player = together->play(request);
    std::vector<double> played;
    while (player->next()) {
        const auto tensor = player->signal("net.hidden");
        played.insert(played.end(), tensor.values.begin(), tensor.values.end());
    }
    ASSERT_EQ(played.size(), result.signals[0].second.values.size());
    for (std::size_t i = 0; i < played.size(); ++i) ASSERT_NEAR(played[i], result.signals[0].second.values[i], 1e-12);
    EXPECT_THROW(together->checkGradients(), Error);
    EXPECT_THROW(together->iterateOn({}), Error);
    EXPECT_THROW(together->lossOn({}), Error);
}

INSTANTIATE_TEST_SUITE_P(Experiments, WithoutRule, testing::ValuesIn(experiments()),
                         [](const auto& item) { return item.param.name; });

/// Pauses a run in its first iteration, twice, and looks whether what it then writes can be continued.
TEST(RunWithPauses, IsTheSameRun) {
    PluginHost plugins;
    plugins.loadFolder(PLUGIN_FOLDER);
    const auto experiment = loadExperiment("nmn_biased_target_small", plugins.registry(),
                                           {"task.steps=20", "trials=6", "chunk=2", "learner.segment=5",
                                            "learner.policy_epochs=3", "learner.value_epochs=2"});
    struct Pauser final : SessionObserver {
        int pauses = 0;
        std::vector<double> progress;
        void onProgress(Session& session, double fraction) override {
            progress.push_back(fraction);
            if (pauses < 5) session.pause();
        }
        void onPaused(Session& session) override {
            ++pauses;
            session.resume();
        }
    } pauser;
    const auto folder = fs::path(testing::TempDir()) / ("raphe_pauses_" + std::to_string(getpid()));
    fs::remove_all(folder);
    const auto outcome = [&](const char* name, SessionObserver* observer) {
        RunOptions options;
        options.folder = folder / name;
        options.session.threads = 2;
        options.iterations = 4;
        return runExperiment(experiment, plugins, options, observer).hash;
    };
    EXPECT_EQ(outcome("paused", &pauser), outcome("plain", nullptr));
    EXPECT_EQ(pauser.pauses, 5);
    EXPECT_GT(pauser.progress.size(), 8u) << "a run hands on how far an iteration is";
    fs::remove_all(folder);
}

} // namespace
} // namespace raphe::test
