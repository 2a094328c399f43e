// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace raphe::cli {

namespace {
volatile std::sig_atomic_t interruptCount = 0;
extern "C" void onInterrupt(int) {
    interruptCount = interruptCount + 1;
    if (interruptCount > 1) _exit(130);
}
} // namespace

TerminalSize terminalSize() {
    winsize size{};
    TerminalSize result;
    if (ioctl(2, TIOCGWINSZ, &size) != 0) return result;
    if (size.ws_col > 20) result.columns = size.ws_col;
    if (size.ws_row > 3) result.rows = size.ws_row;
    return result;
}

std::string durationText(double seconds) {
    const auto s = static_cast<long>(seconds + 0.5);
    if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
    return fmt::format("{}:{:02}", s / 60, s % 60);
}

bool interrupted() { return interruptCount > 0; }
void watchInterrupts() {
    struct sigaction action {};
    action.sa_handler = onInterrupt;
    action.sa_flags = SA_RESTART; // a write to a full pipe goes on instead of failing
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

bool OutputStyle::people() const { return !quiet && !(json && isatty(1) != 0); }

Progress::~Progress() { finish(); }

void Progress::finish() {
    if (lineOpen_) fmt::print(stderr, "\n");
    lineOpen_ = false;
}

void Progress::onIteration(Session& session, const IterationReport& report) {
    const auto now = std::chrono::steady_clock::now();
    if (output_.json) {
        Json metrics = Json::object();
        for (const auto& [name, value] : report.metrics) metrics[name] = value;
        Json line{
            {"event", "iteration"}, {"iteration", report.iteration}, {"seconds", report.seconds}, {"metrics", metrics}};
        if (report.stage >= 0) line["stage"] = report.stageName;
        fmt::print("{}\n", line.dump());
        if (now - flushed_ > std::chrono::milliseconds(200)) {
            std::fflush(stdout);
            flushed_ = now;
        }
    }
    if (!output_.people()) return;
    if (first_ < 0) {
        first_ = report.iteration;
        begun_ = now;
        for (const auto& [name, value] : report.metrics)
            if (shownMetric_.empty() || name == "reward" || name == "return") shownMetric_ = name;
    }
    double value = 0;
    for (const auto& [name, number] : report.metrics)
        if (name == shownMetric_) value = number;
    smoothed_ = report.iteration == first_
                    ? value
                    : smoothed_ + std::max(0.01, 1.0 / (report.iteration - first_ + 1)) * (value - smoothed_);
    done_ = report.iteration + 1;
    stage_ = report.stage >= 0 ? report.stageName : "";
    const double elapsed = std::chrono::duration<double>(now - begun_).count();
    rate_ = elapsed > 0 ? (report.iteration - first_) / elapsed : 0;
    const bool last = done_ == iterations_;
    const bool terminal = isatty(2) != 0;
    if (!last && now - drawn_ < (terminal ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000))) return;
    drawn_ = now;
    const double remaining = rate_ > 0 ? (iterations_ - done_) / rate_ : 0;
    drawBar(done_, line(done_, rate_,
                        last        ? "done in " + durationText(report.seconds)
                        : rate_ > 0 ? "ETA " + durationText(remaining)
                                    : ""));
}

void Progress::onProgress(Session& session, double fraction) {
    const auto now = std::chrono::steady_clock::now();
    if (!output_.people() || isatty(2) == 0 || now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    const int done = session.iteration();
    const double remaining = rate_ > 0 ? (iterations_ - done - fraction) / rate_ : 0;
    drawBar(done + fraction, line(done, rate_, rate_ > 0 ? "ETA " + durationText(remaining) : ""));
}

std::string Progress::line(int done, double rate, const std::string& end) const {
    const auto metric = shownMetric_.empty() ? std::string() : fmt::format("{} {:.4g}  ", shownMetric_, smoothed_);
    return fmt::format("{}/{}  {}{}{:.{}f} it/s  {}", done, iterations_, stage_.empty() ? "" : stage_ + "  ", metric,
                       rate, rate < 10 ? 1 : 0, end);
}

void Progress::drawBar(double done, const std::string& text) {
    if (isatty(2) == 0) {
        fmt::print(stderr, "{}\n", text);
        return;
    }
    const int room = std::max(10, terminalSize().columns - static_cast<int>(text.size()) - 4);
    const int filled = static_cast<int>(std::min(room, 40) * done / std::max(1, iterations_));
    std::string bar;
    for (int i = 0; i < std::min(room, 40); ++i) bar += i < filled ? "█" : "░";
    fmt::print(stderr, "\r{} {}\033[K", bar, text);
    std::fflush(stderr);
    lineOpen_ = true;
}

InterruptWatch::InterruptWatch(Session& session)
    : thread_([this, &session] {
          std::unique_lock lock(mutex_);
          while (!changed_.wait_for(lock, std::chrono::milliseconds(20), [this] { return done_; }))
              if (interrupted()) session.cancel();
      }) {}

InterruptWatch::~InterruptWatch() {
    {
        const std::lock_guard lock(mutex_);
        done_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

} // namespace raphe::cli
