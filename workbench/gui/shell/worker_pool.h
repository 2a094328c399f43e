// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace raphe {

/// Threads for what the window must not wait for. What is given first begins first. Plain threads rather than the
/// toolkit's, so that the thread sanitizer sees what is handed from one to the other.
class WorkerPool {
public:
    /// @param threads  at most; they begin when there is something to do
    explicit WorkerPool(int threads) : most_(static_cast<std::size_t>(threads)) {}
    ~WorkerPool(); ///< waits for all that was given
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// @param act  throws nothing
    void start(std::function<void()> act);
    void waitForDone();

    /// That of the process: one thread a core.
    static WorkerPool& ofProcess();

private:
    void work();

    const std::size_t most_;
    std::mutex mutex_; ///< of what follows
    std::condition_variable given_, idle_;
    std::deque<std::function<void()>> waiting_;
    std::vector<std::thread> threads_;
    std::size_t busy_ = 0;
    bool ends_ = false;
};

} // namespace raphe
