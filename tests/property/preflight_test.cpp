// SPDX-License-Identifier: Apache-2.0
// The estimate of memory against what sessions really take.
#include "engine/base/text.h"
#include "engine/learning/preflight.h"
#include "engine/runs/run.h"
#include "heap_counter.h"
#include "support.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

namespace raphe::test {
namespace {

struct Case {
    const char* name;
    std::vector<std::string> assignments;
    int threads = 1;
};

void PrintTo(const Case& item, std::ostream* out) {
    *out << item.name;
    for (const auto& assignment : item.assignments) *out << " " << assignment;
    *out << ", threads " << item.threads;
}

/// What a session and two iterations of it take, and what was estimated. Never less than 0.8 of it, so that nobody is
/// killed by the system; never more than 1.5 times as much, so that nothing that fits is refused. (Of several threads
/// one may happen to do all the work.)
void expectCloseEstimate(const Experiment& experiment, int threads) {
    SessionOptions options;
    options.threads = threads;
    Problems problems;
    double estimated = 0;
    std::string parts;
    {
        const HeapPeak heap;
        const auto found = preflight(experiment, registry(), options, problems);
        ASSERT_TRUE(found) << joined(problems.lines());
        estimated = found->estimate.total();
        parts = toJson(found->estimate).dump(2);
        EXPECT_LT(heap.bytes(), 2'000'000) << "the estimate itself takes next to nothing";
    }
    const HeapPeak heap;
    auto session = Session::create(experiment, registry(), options);
    for (int i = 0; i < 2; ++i) session->iterate();
    const double ratio = estimated / static_cast<double>(heap.bytes());
    EXPECT_GT(ratio, 0.8) << heap.bytes() << " bytes were taken; estimated: " << parts;
    if (threads == 1) EXPECT_LT(ratio, 1.5) << heap.bytes() << " bytes were taken; estimated: " << parts;
}

class MemoryEstimate : public testing::TestWithParam<Case> {
protected:
    void SetUp() override {
        if (!HeapCounter::available()) GTEST_SKIP() << "sanitizers replace malloc; the other builds count";
    }
};

TEST_P(MemoryEstimate, IsEstimatedCloselyBeforeAnythingIsMade) {
    expectCloseEstimate(loadExperiment(GetParam().name, registry(), GetParam().assignments), GetParam().threads);
}

INSTANTIATE_TEST_SUITE_P(
    Experiments, MemoryEstimate,
    testing::Values(Case{"cue_small_A_simple", {}}, Case{"cue_reward_none", {"trials=32"}},
                    Case{"cue_reward_simple", {"trials=16"}}, Case{"cue_reward_simple", {"trials=16"}, 2},
                    Case{"cue_reward_retro", {"trials=8", "precision=float64"}},
                    Case{"cue_reward_simple", {"agent.hidden=600", "trials=4", "chunk=1"}}, Case{"mwg_nm_rnn", {}},
                    Case{"mwg_lr_rnn", {"core.units=800"}}, Case{"crossed_plasticity", {}},
                    Case{"nmn_biased_target_small", {}}, Case{"nmn_biased_target_small", {}, 2},
                    Case{"nmn_biased_target_small",
                         {"streams=true", "steps=60", "trials=40", "learner.time_limit=bootstrap"}},
                    Case{"rnn_two_targets_small", {}},
                    Case{"gonogo_da_na", {"trials=10000", "chunk=250", "task.schedule=40 A, 40 B"}},
                    Case{"gonogo_da_na", {"trials=10000", "task.schedule=40 A, 40 B", "streams=true", "steps=20"}},
                    Case{"bandit_ri_ensemble", {"task.contexts=1", "trials=400", "chunk=100"}}));

TEST_F(MemoryEstimate, IsEstimatedWithRecordingsAndInterventions) {
    auto experiment = loadExperiment("cue_reward_simple", registry(), {"trials=64"});
    experiment.recordings.push_back({{"agent", "hidden"}, 1, 1, 64});
    experiment.interventions.push_back({{"agent", "recurrent_weight"}, Operation::scale, -1, 0.5});
    expectCloseEstimate(experiment, 1);
}

TEST_F(MemoryEstimate, IsEstimatedWithoutALearningRule) {
    auto experiment = loadExperiment("cue_reward_simple", registry(), {"trials=16"});
    std::erase_if(experiment.nodes, [](const auto& node) { return node.name == "learner"; });
    std::erase_if(experiment.wires, [](const auto& wire) { return wire.to.node == "learner"; });
    expectCloseEstimate(experiment, 1);
}

std::string complaintOf(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

TEST(Preflight, RefusesInOneSentenceWhatDoesNotFit) {
    const auto experiment = loadExperiment("cue_small_A_simple", registry(), {"agent.hidden=2000", "chunk=1"});
    SessionOptions options;
    options.threads = 1;
    options.availableMemory = 1e8;
    EXPECT_EQ(
        complaintOf([&] { Session::create(experiment, registry(), options); }),
        "nodes.agent: the experiment takes about 1.5 GiB of memory, of it 951 MiB for gradients of the chunks (the "
        "largest tensor, agent.recurrent_weight, has 2000 x 2000 numbers), but only 95 MiB are free; use a smaller "
        "network, a larger chunk or fewer trials");
    options.availableMemory = 2e10;
    const HeapPeak heap;
    Problems problems;
    EXPECT_EQ(refusal(preflight(experiment, registry(), options, problems)->estimate, options), "");
    EXPECT_LT(heap.bytes(), 2'000'000);
}

TEST(Preflight, CountsBeyondWhatIntegersHold) {
    auto experiment =
        loadExperiment("mwg_small_nm_rnn", registry(),
                       {"core.units=100000", "gate.units=1000", "core.rank=1000", "trials=1000000", "chunk=1000000"});
    for (int i = 0; i < 300; ++i) {
        experiment.nodes.push_back(*experiment.node("readout"));
        auto& wide = experiment.nodes.back();
        wide.name = "wide" + std::to_string(i);
        wide.params["units"] = std::int64_t{1'000'000};
        experiment.wires.push_back({{"core", "hidden"}, {wide.name, "input"}, {}});
        if (i > 0) experiment.wires.push_back({{"wide0", "output"}, {wide.name, "input"}, {}});
    }
    SessionOptions options;
    options.threads = 1000;
    Problems problems;
    const HeapPeak heap;
    const auto found = preflight(experiment, registry(), options, problems);
    ASSERT_TRUE(found) << joined(problems.lines());
    EXPECT_GT(found->estimate.total(), 1e17);
    EXPECT_LT(found->estimate.total(), 1e21);
    EXPECT_LT(heap.bytes(), 20'000'000);
}

TEST(Preflight, RefusesWhatDoesNotFitOntoTheDisk) {
    RunOptions options;
    options.folder = std::filesystem::path(testing::TempDir()) / ("raphe_preflight_" + std::to_string(getpid()));
    options.session.threads = 1;
    options.availableDisk = 50'000;
    auto experiment = loadExperiment("cue_small_A_simple", registry());
    const auto words = complaintOf([&] { runExperiment(experiment, plugins(), options); });
    EXPECT_EQ(words,
              options.folder.string() +
                  ": the run takes up to 129 KiB of disk, of it 129 KiB for checkpoints and 0.0 KiB for recorded "
                  "signals, but only 49 KiB are free; use a smaller network, or another disk with --out");
    EXPECT_FALSE(std::filesystem::exists(options.folder));
    experiment.recordings.push_back({{"agent", "hidden"}, 1, 1, 30});
    options.availableDisk = 1e6;
    EXPECT_NE(complaintOf([&] { runExperiment(experiment, plugins(), options); }).find("use fewer recordings"),
              std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(options.folder));
}

} // namespace
} // namespace raphe::test
