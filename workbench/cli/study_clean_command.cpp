// SPDX-License-Identifier: Apache-2.0
#include "cli/opened_study.h"
#include "cli/progress.h"
#include "engine/base/available.h"
#include "engine/studies/slurm.h"
#include "engine/studies/study_clean.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace raphe::cli {

namespace {

Json jsonOf(const StrayRun& run) {
    return {{"event", "stray"},
            {"id", run.id},
            {"experiment", run.what},
            {"state", nameOf(run.state)},
            {"iterations", run.iterations},
            {"seconds_training", run.seconds},
            {"bytes", run.bytes}};
}

bool agreed(const std::string& question) {
    fmt::print("{} [y/N] ", question);
    std::fflush(stdout);
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

} // namespace

int studyClean(const PluginHost& plugins, const StudyArguments& a) {
    const auto o = opened(plugins, a, PlanChecks::first);
    auto strays = strayRuns(o.folder, o.plan);
    std::map<std::string, std::string> queue;
    try {
        queue = queueOf(o.folder);
    } catch (const Error& error) {
        if (!strays.empty()) fmt::print(stderr, "what Slurm has of the study is not known: {}\n", error.what());
    }
    const auto stays = [&](const StrayRun& run) {
        const bool queued = queue.contains(run.id);
        if (queued || run.state == StudyRunState::running)
            fmt::print(stderr, "{}: {}, and stays\n", o.folder.run(run.id).string(),
                       queued ? "is in Slurm's queue" : "is being worked on");
        return queued || run.state == StudyRunState::running;
    };
    strays.erase(std::remove_if(strays.begin(), strays.end(), stays), strays.end());
    double bytes = 0, seconds = 0;
    for (const auto& run : strays) {
        bytes += run.bytes;
        seconds += run.seconds;
        if (a.output.json)
            fmt::print("{}\n", jsonOf(run).dump());
        else
            fmt::print("{}  {:<32} {:<11} {:>8} iterations {:>9} {:>10}\n", run.id, run.what,
                       run.state == StudyRunState::trained ? "done" : nameOf(run.state), run.iterations,
                       durationText(run.seconds), bytesText(run.bytes));
    }
    if (strays.empty()) {
        if (!a.output.json)
            fmt::print("nothing to remove: every run in {} belongs to the study\n", o.folder.path().string());
        return 0;
    }
    const auto what = fmt::format("{} run{} that the study does not have, {} with {} of training", strays.size(),
                                  strays.size() == 1 ? "" : "s", bytesText(bytes), durationText(seconds));
    if (a.dryRun) {
        if (!a.output.json) fmt::print("would remove {}\n", what);
        return 0;
    }
    if (!a.yes) {
        if (a.output.json || isatty(0) == 0 || isatty(1) == 0) {
            std::fflush(stdout);
            fmt::print(stderr, "{}: {}; nothing was removed. Say --yes to remove them for good\n",
                       o.folder.path().string(), what);
            return 2;
        }
        if (!agreed(fmt::format("Remove {} from {} for good?", what, o.folder.path().string()))) {
            fmt::print("nothing was removed\n");
            return 1;
        }
    }
    int removed = 0;
    for (const auto& run : strays) {
        try {
            removeRun(o.folder, run.id);
            ++removed;
        } catch (const Error& error) {
            std::fflush(stdout);
            fmt::print(stderr, "{}\n", error.what());
        }
    }
    if (a.output.json)
        fmt::print(
            "{}\n",
            Json{{"event", "clean"}, {"removed", removed}, {"left", static_cast<int>(strays.size()) - removed}}.dump());
    else
        fmt::print("{} removed\n", removed);
    return removed == static_cast<int>(strays.size()) ? 0 : 1;
}

} // namespace raphe::cli
