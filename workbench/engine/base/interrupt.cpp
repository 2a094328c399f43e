// SPDX-License-Identifier: Apache-2.0
#include "engine/base/interrupt.h"

namespace raphe {

void Interrupt::pause() {
    const std::lock_guard lock(mutex_);
    paused_ = true;
    update();
}
void Interrupt::resume() {
    const std::lock_guard lock(mutex_);
    paused_ = false;
    update();
    changed_.notify_all();
}
void Interrupt::cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    update();
    changed_.notify_all();
}
void Interrupt::clearCancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = false;
    update();
}
bool Interrupt::paused() const {
    const std::lock_guard lock(mutex_);
    return paused_;
}
bool Interrupt::cancelled() const {
    const std::lock_guard lock(mutex_);
    return cancelled_;
}
void Interrupt::setWatch(std::function<void(bool)> watch) {
    const std::lock_guard lock(mutex_);
    watch_ = std::move(watch);
}

bool Interrupt::wait() const {
    std::unique_lock lock(mutex_);
    while (paused_ && !cancelled_) { // it may be paused again while the resumption is announced
        const bool speaks = !announced_ && watch_;
        if (speaks) announced_ = true;
        const auto watch = watch_;
        if (speaks) { // may take its time, and may call resume()
            lock.unlock();
            watch(true);
            lock.lock();
        }
        changed_.wait(lock, [&] { return !paused_ || cancelled_ || (watch_ && !announced_); });
        if (speaks) {
            lock.unlock();
            watch(false);
            lock.lock();
            announced_ = false;
            changed_.notify_all();
        }
    }
    return !cancelled_;
}

void Interrupt::attend() const {
    if (!wait()) throw Cancelled();
}

} // namespace raphe
