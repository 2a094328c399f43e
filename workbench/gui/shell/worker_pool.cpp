// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/worker_pool.h"

#include <algorithm>

namespace raphe {

WorkerPool& WorkerPool::ofProcess() {
    static WorkerPool pool{static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))};
    return pool;
}

WorkerPool::~WorkerPool() {
    {
        const std::lock_guard lock(mutex_);
        ends_ = true;
    }
    given_.notify_all();
    for (auto& thread : threads_) thread.join();
}

void WorkerPool::start(std::function<void()> act) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(act));
        if (waiting_.size() + busy_ > threads_.size() && threads_.size() < most_)
            threads_.emplace_back([this] { work(); });
    }
    given_.notify_one();
}

void WorkerPool::waitForDone() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return waiting_.empty() && busy_ == 0; });
}

void WorkerPool::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        given_.wait(lock, [&] { return ends_ || !waiting_.empty(); });
        if (waiting_.empty()) return; // the end; what was given has been done
        auto act = std::move(waiting_.front());
        waiting_.pop_front();
        ++busy_;
        lock.unlock();
        act();
        act = nullptr; // with what it holds, before it counts as done
        lock.lock();
        --busy_;
        if (waiting_.empty() && busy_ == 0) idle_.notify_all();
    }
}

} // namespace raphe
