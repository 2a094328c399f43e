// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/sweep/sweep.h"

#include <memory>
#include <mutex>
#include <vector>

namespace raphe {

/// Sweeps of one plan that are lent to whoever works on a chunk, so that their memory stays warm.
template <class T>
class SweepPool {
public:
    explicit SweepPool(SweepPlan<T> plan) : plan_(std::move(plan)) {}

    const SweepPlan<T>& plan() const { return plan_; }
    /// Calls work(sweep) with a sweep that nobody else has meanwhile. One that throws is given up.
    template <class F>
    void with(F work) {
        auto sweep = borrow();
        work(*sweep);
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(sweep));
    }

private:
    std::unique_ptr<Sweep<T>> borrow() {
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                auto sweep = std::move(idle_.back());
                idle_.pop_back();
                return sweep;
            }
        }
        return std::make_unique<Sweep<T>>(plan_);
    }

    SweepPlan<T> plan_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Sweep<T>>> idle_;
};

} // namespace raphe
