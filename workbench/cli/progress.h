// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/session.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace raphe::cli {

/// What a training says: objects on stdout for programs, and a bar and sentences on stderr for people, or either alone.
struct OutputStyle {
    bool json = false, quiet = false;
    /// Whether people are addressed. Not where the objects would fall between the pieces of the bar.
    bool people() const;
};

/// Of the terminal behind standard error, or 80 x 24.
struct TerminalSize {
    int columns = 80, rows = 24;
};
TerminalSize terminalSize();

/// "1:05", "2:00:09"
std::string durationText(double seconds);

/// Set by Ctrl-C (SIGINT) and SIGTERM once watchInterrupts() was called. The second signal ends the program at once.
bool interrupted();
void watchInterrupts();

/// Cancels a session when the user interrupts, also in the middle of an iteration.
class InterruptWatch {
public:
    explicit InterruptWatch(Session& session);
    ~InterruptWatch();

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool done_ = false;
    std::thread thread_;
};

/// Shows a training on the terminal (stderr): a bar with rate and remaining time, redrawn in place, or a line every few
/// seconds where there is no terminal; with `json` also one object per iteration on stdout.
class Progress final : public SessionObserver {
public:
    Progress(OutputStyle output, int iterations) : output_(output), iterations_(iterations) {}
    ~Progress() override;
    void onIteration(Session& session, const IterationReport& report) override;
    void onProgress(Session& session, double fraction) override;
    /// Ends the bar's line.
    void finish();

private:
    void drawBar(double done, const std::string& text);
    std::string line(int done, double rate, const std::string& end) const;

    OutputStyle output_;
    int iterations_;
    int first_ = -1;
    int done_ = 0;
    double rate_ = 0;
    bool lineOpen_ = false;
    std::string shownMetric_, stage_;
    double smoothed_ = 0;
    std::chrono::steady_clock::time_point begun_, drawn_{}, flushed_{};
};

} // namespace raphe::cli
