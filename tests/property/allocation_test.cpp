// SPDX-License-Identifier: Apache-2.0
// Once warm, the sweeps of a training iteration ask nothing of the heap.
#include "chunk.h"
#include "heap_counter.h"

#include <gtest/gtest.h>

namespace raphe::test {
namespace {

void* volatile escaped = nullptr; // so that the compiler cannot leave the allocation out

TEST(HeapCounter, CountsWhatThisThreadAsksFor) {
    if (!HeapCounter::available()) GTEST_SKIP() << "sanitizers replace malloc; the other builds count";
    const HeapCounter heap;
    EXPECT_EQ(heap.calls(), 0);
    auto* number = new long(1);
    escaped = number;
    delete number;
    EXPECT_EQ(heap.calls(), 1);
}

class Allocation : public testing::TestWithParam<std::string> {};

template <class T>
void expectNoAllocation(const std::string& name, double memoryMiB) {
    if (!HeapCounter::available()) GTEST_SKIP() << "sanitizers replace malloc; the other builds count";
    auto experiment = load(name);
    experiment.memoryMiB = memoryMiB;
    Chunk<T> chunk(experiment);
    Sweep<T> sweep(chunk.plan);
    for (int warm = 0; warm < 2; ++warm) sweep.learn(chunk.range, chunk.weights.data(), chunk.gradient.data());
    chunk.range.iteration = 1;
    const HeapCounter heap;
    sweep.learn(chunk.range, chunk.weights.data(), chunk.gradient.data());
    EXPECT_EQ(heap.calls(), 0);
}

TEST_P(Allocation, WarmIterationAsksNothingOfTheHeap) { expectNoAllocation<float>(GetParam(), 8); }
TEST_P(Allocation, NorInCheckpointedSegments) { expectNoAllocation<float>(GetParam(), 0.01); }
TEST_P(Allocation, NorInDoublePrecision) { expectNoAllocation<double>(GetParam(), 8); }

auto named = [](const auto& item) { return item.param; };
INSTANTIATE_TEST_SUITE_P(Small, Allocation, testing::ValuesIn(smallExperiments()), named);
INSTANTIATE_TEST_SUITE_P(Full, Allocation,
                         testing::Values("cue_reward_none", "cue_reward_plastic", "cue_reward_simple",
                                         "cue_reward_retro", "mwg_nm_rnn", "mwg_lr_rnn"),
                         named);

} // namespace
} // namespace raphe::test
