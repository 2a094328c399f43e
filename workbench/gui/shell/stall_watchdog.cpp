// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/shell/stall_watchdog.h"

#include <algorithm>
#include <chrono>

namespace raphe {

void StallFigures::count(double late) {
    ++beats;
    if (late < noticed) return;
    ++stalls;
    aboveFelt += late > felt;
    aboveLong += late > long_;
    longest = std::max(longest, late);
    total += late;
}

double StallFigures::shareBelowFelt() const {
    return stalls == 0 ? 1 : 1 - static_cast<double>(aboveFelt) / static_cast<double>(stalls);
}

StallWatchdog::StallWatchdog(QObject* parent, std::function<double()> milliseconds)
    : QObject(parent), now_(std::move(milliseconds)) {
    if (!now_)
        now_ = [] {
            const auto now = std::chrono::steady_clock::now().time_since_epoch();
            return std::chrono::duration<double, std::milli>(now).count();
        };
    timer_.setTimerType(Qt::PreciseTimer);
    timer_.setInterval(period);
    connect(&timer_, &QTimer::timeout, this, &StallWatchdog::beat);
}

void StallWatchdog::start() {
    last_ = now_();
    timer_.start();
}

void StallWatchdog::beat() {
    const double now = now_();
    figures_.count(std::max(0.0, now - last_ - period));
    last_ = now;
}

void StallWatchdog::reset() {
    figures_ = {};
    last_ = now_();
}

} // namespace raphe
