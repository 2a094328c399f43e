// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace raphe {

/// Runs independent pieces of work. Results must not depend on which executor does it, nor in which order.
class Executor {
public:
    virtual ~Executor() = default;
    /// Calls work(0) ... work(count - 1), each once, on up to threads() threads; returns when all are done. When
    /// a piece throws, those that have not begun are left out, and the first exception is rethrown once none runs any
    /// more.
    virtual void run(int count, const std::function<void(int)>& work) = 0;
    virtual int threads() const = 0;
};

/// oneTBB, in an arena of its own.
std::unique_ptr<Executor> makeTbbExecutor(int threads);
/// std::thread; the thread sanitizer can see into it.
std::unique_ptr<Executor> makeThreadExecutor(int threads);
/// One thread, in an order that is drawn anew for every call from `seed`: shows that results do not depend on a
/// schedule.
std::unique_ptr<Executor> makeShuffledExecutor(std::uint64_t seed);
/// "tbb", "threads", "shuffled". @throws Error
std::unique_ptr<Executor> makeExecutor(const std::string& kind, int threads, std::uint64_t seed);

} // namespace raphe
