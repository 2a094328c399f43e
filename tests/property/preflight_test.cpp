// SPDX-License-Identifier: Apache-2.0
// The estimate of memory against what sessions really take.
#include "engine/base/text.h"
#include "engine/learning/preflight.h"
#include "heap_counter.h"
#include "support.h"

#include <gtest/gtest.h>

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

class Memory : public testing::TestWithParam<Case> {};

/// Never less than 0.8 of what training takes, so that nobody is killed by the system, and never more than 1.5 times as
/// much, so that nothing that fits is refused.
TEST_P(Memory, IsEstimatedCloselyBeforeAnythingIsMade) {
    if (!HeapCounter::available()) GTEST_SKIP() << "sanitizers replace malloc; the other builds count";
    const auto& [name, assignments, threads] = GetParam();
    const auto experiment = loadExperiment(name, registry(), assignments);
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
    RecordProperty("ratio", std::to_string(ratio));
    EXPECT_GT(ratio, 0.8) << heap.bytes() << " bytes were taken; estimated: " << parts;
    EXPECT_LT(ratio, 1.5) << heap.bytes() << " bytes were taken; estimated: " << parts;
}

INSTANTIATE_TEST_SUITE_P(Experiments, Memory,
                         testing::Values(Case{"cue_small_A_simple", {}, 2}, Case{"cue_reward_none", {"trials=32"}, 2},
                                         Case{"cue_reward_simple", {"trials=16"}},
                                         Case{"cue_reward_simple", {"trials=16"}, 2},
                                         Case{"cue_reward_retro", {"trials=8", "precision=float64"}},
                                         Case{"cue_reward_simple", {"agent.hidden=600", "trials=4", "chunk=1"}, 2},
                                         Case{"mwg_nm_rnn", {}, 2}, Case{"mwg_lr_rnn", {"core.units=800"}, 2},
                                         Case{"crossed_plasticity", {}}, Case{"nmn_biased_target_small", {}},
                                         Case{"nmn_biased_target_small", {}, 2}, Case{"rnn_two_targets_small", {}, 2}));

} // namespace
} // namespace raphe::test
