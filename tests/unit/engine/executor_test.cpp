// SPDX-License-Identifier: Apache-2.0
#include "engine/base/executor.h"

#include "raphe/error.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace raphe {
namespace {

struct Kind {
    const char* name;
    int threads;
};

class ExecutorTest : public testing::TestWithParam<Kind> {
protected:
    std::unique_ptr<Executor> make() const { return makeExecutor(GetParam().name, GetParam().threads, 7); }
};

TEST_P(ExecutorTest, CallsEveryPieceExactlyOnce) {
    const auto executor = make();
    for (int count : {0, 1, 2, 15, 1000}) {
        std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
        executor->run(count, [&](int i) { ++calls.at(static_cast<std::size_t>(i)); });
        for (int i = 0; i < count; ++i)
            EXPECT_EQ(calls[static_cast<std::size_t>(i)], 1) << "piece " << i << " of " << count;
    }
}

TEST_P(ExecutorTest, UsesNoMoreThreadsThanItSays) {
    const auto executor = make();
    std::mutex mutex;
    std::set<std::thread::id> seen;
    executor->run(200, [&](int) {
        const std::lock_guard lock(mutex);
        seen.insert(std::this_thread::get_id());
    });
    EXPECT_GE(seen.size(), 1u);
    EXPECT_LE(seen.size(), static_cast<std::size_t>(executor->threads()));
}

TEST_P(ExecutorTest, RethrowsOnceNothingRunsAnyMore) {
    const auto executor = make();
    std::atomic<int> done{0};
    try {
        executor->run(50, [&](int i) {
            if (i == 13) throw std::runtime_error("piece 13");
            ++done;
        });
        FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
        EXPECT_EQ(std::string(error.what()), "piece 13");
    }
    const int before = done;
    EXPECT_LE(before, 49);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(done, before) << "a piece was still running";
}

TEST_P(ExecutorTest, RethrowsTheFirstOfSeveral) {
    const auto executor = make();
    std::mutex mutex;
    std::string first;
    try {
        executor->run(20, [&](int i) {
            const auto text = std::to_string(i);
            const std::lock_guard lock(mutex);
            if (first.empty()) first = text;
            throw std::runtime_error(text);
        });
        FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
        if (executor->threads() == 1)
            EXPECT_EQ(error.what(), first);
        else
            EXPECT_FALSE(std::string(error.what()).empty());
    }
}

TEST_P(ExecutorTest, CanBeUsedAgainAfterAFailure) {
    const auto executor = make();
    EXPECT_THROW(executor->run(3, [](int) { throw Error("bad"); }), Error);
    std::atomic<int> done{0};
    executor->run(3, [&](int) { ++done; });
    EXPECT_EQ(done, 3);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ExecutorTest,
                         testing::Values(Kind{"tbb", 1}, Kind{"tbb", 2}, Kind{"tbb", 5}, Kind{"threads", 1},
                                         Kind{"threads", 3}, Kind{"shuffled", 1}),
                         [](const auto& item) { return item.param.name + std::to_string(item.param.threads); });

TEST(ShuffledExecutor, DrawsAnOrderAnewForEveryCall) {
    const auto executor = makeShuffledExecutor(3);
    const auto order = [&] {
        std::vector<int> list;
        executor->run(30, [&](int i) { list.push_back(i); });
        return list;
    };
    const auto first = order(), second = order();
    EXPECT_NE(first, second);
    const auto again = makeShuffledExecutor(3);
    std::vector<int> repeated;
    again->run(30, [&](int i) { repeated.push_back(i); });
    EXPECT_EQ(repeated, first) << "the same seed, the same order";
}

TEST(Executors, RefuseWhatTheyDoNotKnow) {
    EXPECT_THROW(makeExecutor("fibers", 1, 0), Error);
    EXPECT_THROW(makeExecutor("tbb", 0, 0), Error);
    EXPECT_THROW(makeExecutor("tbb", 5000, 0), Error);
}

} // namespace
} // namespace raphe
