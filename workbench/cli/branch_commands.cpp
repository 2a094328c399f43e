// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include "engine/runs/branch.h"
#include "engine/runs/reproduce.h"

#include <fmt/format.h>

namespace raphe::cli {

int branch(const PluginHost& plugins, const BranchArguments& a) {
    auto experiment = experimentOfRun(a.run, plugins.registry());
    for (const auto& assignment : a.assignments) experiment.setText(assignment, plugins.registry());
    if (a.iterations) experiment.set("iterations", *a.iterations, plugins.registry());
    for (const auto& text : a.interventions) experiment.interventions.push_back(parseIntervention(text));
    RunOptions options;
    options.folder = a.out;
    options.session.threads = a.threads;
    watchInterrupts();
    Progress progress(a.output, experiment.iterations);
    std::filesystem::path folder;
    const auto started = [&](Session& session, const std::filesystem::path& run) -> std::shared_ptr<void> {
        if (a.output.people() && folder.empty())
            fmt::print(stderr, "branch of {} after {} iterations -> {}\n", a.run, a.at, run.string());
        folder = run;
        return std::make_shared<InterruptWatch>(session);
    };
    const auto outcome = branchRun(a.run, experiment, a.at, plugins, options, &progress, started);
    progress.finish();
    if (a.output.json)
        fmt::print("{}\n", Json{{"event", "end"},
                                {"run", outcome.folder.string()},
                                {"run_hash", outcome.hash},
                                {"iterations", outcome.iterations},
                                {"completed", outcome.completed}}
                               .dump());
    else
        fmt::print("{}\n", outcome.folder.string());
    if (a.output.people() && outcome.completed)
        fmt::print(stderr, "run hash {}\ncompare them with: raphe plot {} {} -o difference.svg\n", outcome.hash, a.run,
                   outcome.folder.string());
    return outcome.completed ? 0 : 130;
}

int reproduce(const PluginHost& plugins, const std::string& run, int threads, bool json) {
    watchInterrupts();
    const auto found = raphe::reproduce(run, plugins, {threads, "tbb", 0}, nullptr,
                                        [](Session& session, const std::filesystem::path&) -> std::shared_ptr<void> {
                                            return std::make_shared<InterruptWatch>(session);
                                        });
    if (json) {
        Json result{{"event", "reproduction"},
                    {"run", run},
                    {"same", found.same},
                    {"sentence", found.sentence()},
                    {"expected", found.expected}};
        if (!found.hash.empty()) result["run_hash"] = found.hash;
        if (found.iteration >= 0) result["iteration"] = found.iteration;
        if (!found.metric.empty()) result["metric"] = found.metric;
        if (!found.tensor.empty()) result["tensor"] = found.tensor;
        if (!found.signal.empty()) result.update({{"signal", found.signal}, {"step", found.step}});
        if (found.trial >= 0) result["trial"] = found.trial;
        if (found.unit >= 0) result["unit"] = found.unit;
        if (found.tracedAfter >= 0) result["traced_after"] = found.tracedAfter;
        Json environment = Json::object();
        for (const auto& change : found.environment) environment[change.key] = {change.then, change.now};
        result["environment"] = environment;
        fmt::print("{}\n", result.dump());
    } else {
        fmt::print("{}: {}\n", run, found.sentence());
        if (!found.same)
            for (const auto& change : found.environment)
                fmt::print("  {}: then {}, now {}\n", change.key, change.then.empty() ? "unknown" : change.then,
                           change.now);
    }
    return found.same ? 0 : 1;
}

} // namespace raphe::cli
