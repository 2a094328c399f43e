// SPDX-License-Identifier: Apache-2.0
#include "cli/study_screen.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace raphe::cli {

std::string runName(const StudyRun& run) { return fmt::format("{}, seed {}", groupName(run), run.seed); }

StudyScreen::StudyScreen(OutputStyle output) : output_(output), terminal_(isatty(2) != 0) {}

void StudyScreen::show(const StudyProgress& progress) {
    if (!output_.people() || !terminal_) return;
    erase();
    size_ = terminalSize();
    const auto room = static_cast<std::size_t>(std::max(1, size_.rows - 3)); // what scrolls away cannot be drawn over
    const auto name = static_cast<std::size_t>(std::clamp(size_.columns - 60, 12, 60));
    std::size_t shown = 0;
    for (const auto& active : progress.active) {
        if (++shown > room) break;
        line(fmt::format("  {:<{}} {:>6}/{:<6} {:>8.1f} it/s  {}", runName(*active.run).substr(0, name), name,
                         active.iteration, active.run->setting->iterations, active.rate, active.metrics));
    }
    if (progress.active.size() > room) line(fmt::format("  and {} more", progress.active.size() - room));
    auto all = fmt::format("{} of {} runs done", progress.done, progress.total);
    if (progress.failed > 0) all += fmt::format(", {} failed", progress.failed);
    if (progress.elsewhere > 0) all += fmt::format(", {} at work elsewhere", progress.elsewhere);
    if (progress.remaining >= 0) all += ", ETA " + durationText(progress.remaining);
    line(all);
    std::fflush(stderr);
}

void StudyScreen::ended(const StudyRun& run, const StudyRunStatus& status) {
    if (output_.json) {
        Json measures = Json::object();
        for (const auto& [name, value] : status.measures) measures[name] = value;
        Json item{{"event", "run"},
                  {"id", run.id},
                  {"variant", run.variant},
                  {"seed", run.seed},
                  {"state", nameOf(status.state)},
                  {"measures", measures},
                  {"run_hash", status.hash}};
        if (!status.problem.empty()) item["problem"] = status.problem;
        fmt::print("{}\n", item.dump());
        std::fflush(stdout);
    }
    if (!output_.people()) return;
    erase();
    std::string numbers;
    for (const auto& [name, value] : status.measures) numbers += fmt::format("  {} {:.5g}", name, value);
    fmt::print(stderr, "{:<6} {}{}{}\n", nameOf(status.state), runName(run), numbers,
               status.problem.empty() ? "" : ": " + status.problem);
}

void StudyScreen::erase() {
    for (; lines_ > 0; --lines_) fmt::print(stderr, "\033[A\033[2K");
}

void StudyScreen::line(std::string text) {
    // A line that is broken counts as two.
    if (const auto width = static_cast<std::size_t>(size_.columns - 1); text.size() > width) text.resize(width);
    fmt::print(stderr, "{}\n", text);
    ++lines_;
}

} // namespace raphe::cli
