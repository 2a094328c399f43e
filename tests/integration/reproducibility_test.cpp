// SPDX-License-Identifier: Apache-2.0
// Same seed, same bits: for any number of threads, any schedule, whatever is recorded, and across kill -9 and resume.
#include "engine/document/json_reader.h"
#include "engine/mechanisms/plugin_host.h"
#include "engine/runs/run.h"
#include "engine/runs/run_hash.h"
#include "engine/runs/run_reader.h"
#include "support/program.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <random>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

struct Trained {
    std::string name, experiment;
    int iterations;
    std::vector<std::string> settings; ///< to be of a fitting size
    std::string otherwise;             ///< one that changes the weights
    std::string longer = {};           ///< one that gives stages room for a long run
};

class Reproducibility : public testing::TestWithParam<Trained> {
protected:
    void SetUp() override {
        folder_ = fs::path(testing::TempDir()) /
                  ("raphe_reproducibility_" + GetParam().name + "_" + std::to_string(getpid()));
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::vector<std::string> command(const std::string& name, std::vector<std::string> extra) const {
        return command(name, std::to_string(GetParam().iterations), std::move(extra));
    }
    std::vector<std::string> command(const std::string& name, const std::string& iterations,
                                     std::vector<std::string> extra) const {
        std::vector<std::string> words{
            RAPHE_PROGRAM, "run",   GetParam().experiment,    "--iterations", iterations, "--json", "--seed",
            "5",           "--out", (folder_ / name).string()};
        for (const auto& setting : GetParam().settings) words.insert(words.end(), {"--set", setting});
        words.insert(words.end(), extra.begin(), extra.end());
        return words;
    }
    static std::string hashIn(const ProgramResult& result) {
        EXPECT_EQ(result.exitCode, 0) << result.err;
        const auto end = result.out.rfind("{\"event\":\"end\"");
        if (end == std::string::npos) return "no end: " + result.err;
        return parseJson(std::string_view(result.out).substr(end, result.out.find('\n', end) - end), "end")
            .at("run_hash")
            .get<std::string>();
    }
    std::string hashOf(const std::string& name, std::vector<std::string> extra) const {
        return hashIn(runProgram(command(name, std::move(extra))));
    }

    fs::path folder_;
};

TEST_P(Reproducibility, HoldsForAnyNumberOfThreads) {
    const auto one = hashOf("t1", {"--threads", "1"});
    EXPECT_EQ(one.size(), 32u) << one;
    for (const char* threads : {"2", "3", "4", "7"})
        EXPECT_EQ(hashOf(std::string("t") + threads, {"--threads", threads}), one) << threads << " threads";
    EXPECT_EQ(hashOf("std", {"--threads", "3", "--executor", "threads"}), one);
    EXPECT_NE(hashOf("other", {"--threads", "2", "--set", GetParam().otherwise}), one)
        << "the hash does not see the weights";
}

TEST_P(Reproducibility, HoldsForTwentyRandomSchedules) {
    const auto reference = hashOf("plain", {"--threads", "2"});
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(hashOf("s" + std::to_string(i), {"--executor", "shuffled", "--schedule-seed", std::to_string(i)}),
                  reference)
            << "schedule " << i;
}

TEST_P(Reproducibility, DoesNotDependOnWhatIsRecorded) {
    EXPECT_EQ(hashOf("recorded", {"--threads", "2", "--record-all"}), hashOf("silent", {"--threads", "2"}));
}

TEST_P(Reproducibility, SurvivesKillsAtRandomMoments) {
    const auto begun = std::chrono::steady_clock::now();
    const auto reference = hashOf("whole", {"--threads", "2"});
    const double whole = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    std::mt19937 random(11);
    for (int round = 0; round < 20; ++round) {
        const auto name = "killed" + std::to_string(round);
        const std::vector<std::string> extra{"--threads", "2", "--checkpoint-every", "7", "--resume"};
        Program first(command(name, extra));
        std::this_thread::sleep_for(
            std::chrono::duration<double>(whole * std::uniform_real_distribution<double>(0.02, 0.95)(random)));
        first.signal(SIGKILL);
        first.finish();
        EXPECT_EQ(hashOf(name, extra), reference) << "round " << round;
    }
}

TEST_P(Reproducibility, ContinuesAfterAnInterrupt) {
    const auto reference = hashOf("whole", {"--threads", "2"});
    // Slow enough to be caught: the interrupt comes once the run has begun to report.
    std::vector<std::string> extra{"--threads", "2"};
    if (!GetParam().longer.empty()) extra.insert(extra.end(), {"--set", GetParam().longer});
    Program first(command("long", "1000000", extra));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    first.signal(SIGINT);
    const auto result = first.finish();
    EXPECT_EQ(result.exitCode, 130) << result.err;
    const auto end = result.out.rfind("{\"event\":\"end\"");
    ASSERT_NE(end, std::string::npos) << "an interrupted run reports its end too";
    EXPECT_FALSE(parseJson(std::string_view(result.out).substr(end, result.out.find('\n', end) - end), "end")
                     .at("completed")
                     .get<bool>());
    EXPECT_EQ(hashOf("fresh", {"--threads", "2", "--resume"}), reference) << "--resume without a run starts one";
}

std::vector<Trained> trained() {
    const std::vector<std::string> reduced{"task.steps=24",
                                           "trials=10",
                                           "chunk=4",
                                           "learner.train_steps=18",
                                           "learner.segment=6",
                                           "learner.value_minibatch=16",
                                           "learner.policy_epochs=4",
                                           "learner.value_epochs=3"};
    auto recomputed = reduced, stream = reduced;
    for (const char* setting : {"learner.segment_state=recompute", "learner.policy_minibatch=9"})
        recomputed.emplace_back(setting);
    for (const char* setting : {"streams=true", "steps=24", "learner.time_limit=bootstrap"})
        stream.emplace_back(setting);
    const std::string rate = "learner.policy_learning_rate=0.01";
    return {{"cue_small_A_simple", "cue_small_A_simple", 200, {}, "learner.learning_rate=0.002"},
            {"mwg_small_nm_rnn", "mwg_small_nm_rnn", 200, {}, "learner.learning_rate=0.002"},
            {"nmn_biased_target_small", "nmn_biased_target_small", 3, {}, rate},
            {"nmn_reduced", "nmn_biased_target_small", 60, reduced, rate},
            {"nmn_reduced_recomputed", "nmn_biased_target_small", 40, recomputed, rate},
            {"nmn_reduced_stream", "nmn_biased_target_small", 60, stream, rate},
            {"data_set",
             "manifold_rotation",
             150,
             {"task.train_images=600", "chunk=30"},
             "hidden.gradient=plain",
             "stages[0].iterations=1000000"},
            {"scaled_updates",
             "continual_split_both",
             150,
             {"task.train_images=600", "task.task_iterations=[40]", "chunk=15"},
             "head.bias_rate=0.2",
             "stages[0].iterations=1000000"},
            {"learners",
             "gonogo_da_na",
             60,
             {"task.schedule=20 A, 20 B", "trials=30", "chunk=7"},
             "actor.learning_rate=0.2"},
            {"learners_of_a_stream",
             "gonogo_da_na",
             60,
             {"task.schedule=600 A, 600 B", "trials=30", "chunk=7", "streams=true", "steps=20"},
             "actor.learning_rate=0.2"},
            {"mwg_stream", "mwg_small_nm_rnn", 200, {"streams=true", "steps=17"}, "learner.learning_rate=0.002"}};
}

INSTANTIATE_TEST_SUITE_P(Experiments, Reproducibility, testing::ValuesIn(trained()),
                         [](const auto& item) { return item.param.name; });

TEST(Run, ReportsTheHashAndTheEndOfAllItsIterationsAlsoWhenResumed) {
    PluginHost plugins;
    plugins.loadFolder(PLUGIN_FOLDER);
    const auto experiment = loadExperiment("cue_small_A_simple", plugins.registry());
    RunOptions options;
    options.folder = fs::path(testing::TempDir()) / ("raphe_run_" + std::to_string(getpid()));
    options.session.threads = 2;
    options.iterations = 30;
    runExperiment(experiment, plugins, options);
    options.iterations = 60;
    options.resume = true;
    const auto outcome = runExperiment(experiment, plugins, options);

    const auto metrics = RunReader::open(options.folder).metrics();
    ASSERT_EQ(metrics.size(), 60u);
    EXPECT_EQ(outcome.hash, runHash(metrics, sessionOfRun(options.folder, plugins.registry())->weights()));
    for (std::size_t m = 0; m < outcome.metrics.size(); ++m) {
        double mean = 0;
        for (std::size_t i = 57; i < 60; ++i) mean += metrics[i].values[m].second / 3;
        EXPECT_EQ(outcome.metrics[m].first, metrics.back().values[m].first);
        EXPECT_EQ(outcome.metrics[m].second, mean);
    }
    EXPECT_EQ(outcome.metrics.size(), metrics.back().values.size());
    fs::remove_all(options.folder);
}

TEST(Session, IsPausedCancelledAndIntervenedOnFromAnotherThread) {
    PluginHost plugins;
    plugins.loadFolder(PLUGIN_FOLDER);
    auto session =
        Session::create(loadExperiment("cue_small_A_simple", plugins.registry()), plugins.registry(), {2, "tbb", 0});
    struct Watcher final : SessionObserver {
        std::atomic<int> iterations{0};
        std::atomic<bool> paused{false};
        void onIteration(Session&, const IterationReport&) override { ++iterations; }
        void onPaused(Session&) override { paused = true; }
        void onResumed(Session&) override { paused = false; }
    } watcher;
    std::atomic<bool> completed{true};
    std::thread trainer([&] { completed = session->trainTo(1'000'000, &watcher); });
    const auto waitFor = [](auto condition) {
        for (int i = 0; i < 2000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return condition();
    };
    EXPECT_TRUE(waitFor([&] { return watcher.iterations > 3; }));
    session->pause();
    EXPECT_TRUE(waitFor([&] { return watcher.paused.load(); }));
    const int held = watcher.iterations;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_EQ(watcher.iterations, held);
    session->setInterventions({{{"modulator", "output"}, Operation::clamp, 0, 0.0, 0, -1}});
    EXPECT_THROW(session->setInterventions({{{"modulator", "outptu"}, Operation::clamp, 0, 0.0, 0, -1}}), Error);
    EXPECT_EQ(session->interventions().size(), 1u);
    session->resume();
    EXPECT_TRUE(waitFor([&] { return watcher.iterations > held + 3; }));
    session->cancel();
    trainer.join();
    EXPECT_FALSE(completed);
}

TEST(Session, EvaluatesTrialsThatDoNotDependOnHowManyAreAskedFor) {
    PluginHost plugins;
    plugins.loadFolder(PLUGIN_FOLDER);
    auto session =
        Session::create(loadExperiment("cue_small_A_simple", plugins.registry()), plugins.registry(), {2, "tbb", 0});
    EvaluateRequest one, many;
    one.trials = 1;
    many.trials = 17;
    one.record = many.record = {"agent.hidden"};
    const auto a = session->evaluate(one).signals[0].second, b = session->evaluate(many).signals[0].second;
    ASSERT_EQ(a.shape[1], 1);
    ASSERT_EQ(b.shape[1], 17);
    for (std::int64_t t = 0; t < a.shape[0]; ++t)
        for (std::int64_t u = 0; u < a.shape[2]; ++u)
            ASSERT_EQ(a.values[static_cast<std::size_t>(t * a.shape[2] + u)],
                      b.values[static_cast<std::size_t>(t * 17 * a.shape[2] + u)])
                << "step " << t << " unit " << u;
}

TEST(Session, InterventionsChangeWhatTheNetworkItselfSees) {
    PluginHost plugins;
    plugins.loadFolder(PLUGIN_FOLDER);
    auto session =
        Session::create(loadExperiment("cue_small_A_simple", plugins.registry()), plugins.registry(), {2, "tbb", 0});
    EvaluateRequest request;
    request.trials = 2;
    request.record = {"modulator.output", "agent.hidden"};
    request.interventions = {{{"modulator", "output"}, Operation::clamp, -1, 0.25, 10, 20},
                             {{"agent", "hidden"}, Operation::lesion, 3, 0, 5, -1}};
    const auto result = session->evaluate(request);
    const auto& m = result.signals[0].second;
    const auto& h = result.signals[1].second;
    for (std::int64_t t = 0; t < m.shape[0]; ++t)
        for (std::int64_t b = 0; b < 2; ++b) {
            const double value = m.values[static_cast<std::size_t>(t * 2 + b)];
            if (t >= 10 && t < 20)
                EXPECT_EQ(value, 0.25);
            else
                EXPECT_NE(value, 0.25);
            const double unit = h.values[static_cast<std::size_t>((t * 2 + b) * h.shape[2] + 3)];
            if (t >= 5)
                EXPECT_EQ(unit, 0.0);
            else
                EXPECT_NE(unit, 0.0);
        }
}

} // namespace
} // namespace raphe::test
