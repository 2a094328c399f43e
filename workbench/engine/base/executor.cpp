// SPDX-License-Identifier: Apache-2.0
#include "engine/base/executor.h"

#include "raphe/error.h"
#include "raphe/random.h"

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

namespace raphe {

namespace {

/// Keeps the first exception of several threads; what has not begun by then is left out.
class FirstFailure {
public:
    void call(const std::function<void(int)>& work, int i) {
        if (failed_.load(std::memory_order_relaxed)) return;
        try {
            work(i);
        } catch (...) {
            failed_.store(true, std::memory_order_relaxed);
            const std::lock_guard lock(mutex_);
            if (!first_) first_ = std::current_exception();
        }
    }
    void rethrow() {
        if (first_) std::rethrow_exception(first_);
    }

private:
    std::mutex mutex_;
    std::atomic<bool> failed_{false};
    std::exception_ptr first_;
};

class TbbExecutor final : public Executor {
public:
    // The library gives out no more workers than there are cores, to all arenas together, and the smallest of all
    // wishes counts. Every session gets the threads it asks for, and the system shares the cores among them.
    explicit TbbExecutor(int threads)
        : threads_(threads), control_(tbb::global_control::max_allowed_parallelism, std::size_t{1024}),
          arena_(threads) {}

    void run(int count, const std::function<void(int)>& work) override {
        FirstFailure failure;
        // The library orders what is before, in and after the pieces. These two say so to the thread sanitizer, which
        // does not see into the library.
        std::atomic<bool> begun{false};
        std::atomic<int> ended{0};
        begun.store(true, std::memory_order_release);
        arena_.execute([&] {
            tbb::parallel_for(
                tbb::blocked_range<int>(0, count, 1),
                [&](const tbb::blocked_range<int>& range) {
                    static_cast<void>(begun.load(std::memory_order_acquire));
                    for (int i = range.begin(); i != range.end(); ++i) failure.call(work, i);
                    ended.fetch_add(1, std::memory_order_release);
                },
                tbb::simple_partitioner{});
        });
        static_cast<void>(ended.load(std::memory_order_acquire));
        failure.rethrow();
    }
    int threads() const override { return threads_; }

private:
    int threads_;
    tbb::global_control control_;
    tbb::task_arena arena_;
};

class ThreadExecutor final : public Executor {
public:
    explicit ThreadExecutor(int threads) : threads_(threads) {}
    void run(int count, const std::function<void(int)>& work) override {
        FirstFailure failure;
        std::atomic<int> next{0};
        const auto loop = [&] {
            for (int i = next++; i < count; i = next++) failure.call(work, i);
        };
        std::vector<std::thread> helpers;
        for (int t = 1; t < std::min(threads_, count); ++t) helpers.emplace_back(loop);
        loop();
        for (auto& helper : helpers) helper.join();
        failure.rethrow();
    }
    int threads() const override { return threads_; }

private:
    int threads_;
};

class ShuffledExecutor final : public Executor {
public:
    explicit ShuffledExecutor(std::uint64_t seed) : seed_(seed) {}
    void run(int count, const std::function<void(int)>& work) override {
        std::vector<int> order(static_cast<std::size_t>(count));
        std::iota(order.begin(), order.end(), 0);
        Stream stream(seed_, addressOf("schedule"), calls_++, 0, 0);
        stream.shuffle(order.begin(), static_cast<std::uint32_t>(count));
        FirstFailure failure;
        for (int i : order) failure.call(work, i);
        failure.rethrow();
    }
    int threads() const override { return 1; }

private:
    std::uint64_t seed_;
    std::uint32_t calls_ = 0;
};

} // namespace

std::unique_ptr<Executor> makeTbbExecutor(int threads) { return std::make_unique<TbbExecutor>(threads); }
std::unique_ptr<Executor> makeThreadExecutor(int threads) { return std::make_unique<ThreadExecutor>(threads); }
std::unique_ptr<Executor> makeShuffledExecutor(std::uint64_t seed) { return std::make_unique<ShuffledExecutor>(seed); }

std::unique_ptr<Executor> makeExecutor(const std::string& kind, int threads, std::uint64_t seed) {
    if (threads < 1 || threads > 1024)
        throw Error("threads", "expected 1 to 1024 threads, got " + std::to_string(threads));
    if (kind == "tbb") return makeTbbExecutor(threads);
    if (kind == "threads") return makeThreadExecutor(threads);
    if (kind == "shuffled") return makeShuffledExecutor(seed);
    throw Error("executor", "expected tbb, threads or shuffled, got \"" + kind + "\"");
}

} // namespace raphe
