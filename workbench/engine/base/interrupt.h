// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/error.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace raphe {

/// Thrown where a computation that was cancelled polls.
class Cancelled : public Error {
public:
    Cancelled() : Error("cancelled") {}
};

/// Lets any thread pause or cancel a computation whose threads poll often.
class Interrupt {
public:
    /// Returns at once unless paused or cancelled. While paused it waits. @throws Cancelled
    void poll() const {
        if (raised_.load(std::memory_order_relaxed)) attend();
    }

    void pause();
    void resume();
    void cancel();
    void clearCancel();
    bool paused() const;
    bool cancelled() const;
    /// What the first thread calls that begins to wait, and when it goes on; none while `watch` is empty.
    void setWatch(std::function<void(bool waiting)> watch);
    /// Waits while paused. @return false if cancelled
    bool wait() const;

private:
    void attend() const;
    void update() { raised_.store(paused_ || cancelled_, std::memory_order_relaxed); }

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::atomic<bool> raised_{false};
    bool paused_ = false, cancelled_ = false;
    mutable bool announced_ = false; ///< somebody waits and has said so
    std::function<void(bool)> watch_;
};

} // namespace raphe
