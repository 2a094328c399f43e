// SPDX-License-Identifier: Apache-2.0
#include "cli/opened_study.h"
#include "cli/study_screen.h"
#include "engine/analysis/figure.h"
#include "engine/base/files.h"
#include "engine/base/npz.h"
#include "engine/studies/local_executor.h"
#include "engine/studies/slurm.h"
#include "engine/studies/study_report.h"

#include <fmt/format.h>

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>

namespace raphe::cli {

namespace fs = std::filesystem;

namespace {

/// Tells the executor on standard output how far a worker is, five times a second.
class WorkerReports final : public SessionObserver {
public:
    void onIteration(Session&, const IterationReport& report) override {
        const auto now = std::chrono::steady_clock::now();
        if (now - told_ < std::chrono::milliseconds(200)) return;
        told_ = now;
        std::string text;
        for (const auto& [name, value] : report.metrics)
            if (text.empty() || name == "reward" || name == "return") text = fmt::format("{} {:.4g}", name, value);
        fmt::print("{}\n", Json{{"iteration", report.iteration}, {"text", text}}.dump());
        std::fflush(stdout);
    }

private:
    std::chrono::steady_clock::time_point told_{};
};

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

void printBars(const std::vector<BarResult>& bars) {
    for (const auto& bar : bars)
        fmt::print("{:<4} {}\n", bar.met ? "met" : bar.complete ? "NOT" : "open", bar.sentence);
}
bool allMet(const std::vector<BarResult>& bars) {
    return std::all_of(bars.begin(), bars.end(), [](const auto& bar) { return bar.met; });
}

} // namespace

int studyList() {
    for (const auto& name : studyNames()) fmt::print("{:<26} {}\n", name, loadStudy(name).doc);
    return 0;
}

int studyCheck(const PluginHost& plugins, const StudyArguments& a) {
    const auto o = opened(plugins, a);
    std::map<std::string, int> groups;
    for (const auto& run : o.plan) ++groups[groupName(run)];
    fmt::print("{}: {} runs of {} experiments, {} measures, {} bars, {} figures -> {}\n", o.study.name, o.plan.size(),
               groups.size(), o.study.measures.size(), o.study.bars.size(), o.study.figures.size(),
               o.folder.path().string());
    return 0;
}

int studyRun(const PluginHost& plugins, const StudyArguments& a) {
    const auto o = opened(plugins, a);
    watchInterrupts();
    StudyScreen screen(a.output);
    LocalOptions options;
    options.workers = a.workers;
    options.cores = a.threads;
    options.retry = a.retry;
    options.stop = [] { return interrupted(); };
    options.progress = [&](const StudyProgress& progress) { screen.show(progress); };
    options.ended = [&](const StudyRun& run, const StudyRunStatus& status) { screen.ended(run, status); };
    if (a.output.people())
        fmt::print(stderr, "{}: {} runs -> {}\n", o.study.name, o.plan.size(), o.folder.path().string());
    const auto result = runLocally(o.study, o.plan, o.folder, plugins.registry(), options);
    screen.erase();
    const auto rows = rowsOf(o.study, o.plan, o.folder);
    writeAtomically(o.folder.path() / "table.csv", csvOf(o.study, rows));
    if (a.output.json) fmt::print("{}\n", resultsJson(o.study, rows).dump());
    if (a.output.people()) {
        fmt::print(stderr, "{} of {} runs done", result.done, result.total);
        if (result.failed > 0) fmt::print(stderr, ", {} failed (run them again with --retry)", result.failed);
        if (result.elsewhere > 0) fmt::print(stderr, ", {} at work elsewhere", result.elsewhere);
        fmt::print(stderr, "; table: {}\n", (o.folder.path() / "table.csv").string());
        if (interrupted())
            fmt::print(stderr, "interrupted after checkpoints; go on with: raphe study run {}{}\n", a.study,
                       a.out.empty() ? "" : " --out " + a.out);
    }
    if (interrupted()) return 130;
    return result.failed > 0 ? 1 : 0;
}

int studyStatus(const PluginHost& plugins, const StudyArguments& a) {
    const auto o = opened(plugins, a, PlanChecks::first);
    const auto rows = rowsOf(o.study, o.plan, o.folder);
    std::map<std::string, std::string> queue;
    try {
        queue = queueOf(o.folder);
    } catch (const Error& error) { // the folder may have been brought from a cluster
        fmt::print(stderr, "what Slurm has of the study is not known: {}\n", error.what());
    }
    if (a.output.json) {
        auto result = resultsJson(o.study, rows);
        for (auto& run : result["runs"])
            if (const auto found = queue.find(run["id"].get<std::string>()); found != queue.end())
                run["queue"] = found->second;
        fmt::print("{}\n", result.dump());
        return 0;
    }
    std::vector<std::string> order;
    std::map<std::string, std::map<std::string, int>> groups;
    std::map<std::string, int> all;
    for (const auto& row : rows) {
        const auto name = groupName(*row.run);
        if (!groups.contains(name)) order.push_back(name);
        const auto queued = queue.find(row.run->id);
        const bool waits = queued != queue.end() && row.status.state != StudyRunState::running &&
                           row.status.state != StudyRunState::done;
        const auto state = waits ? lower(queued->second) + " in the queue" : std::string(nameOf(row.status.state));
        ++groups[name][state];
        ++all[state];
    }
    const auto print = [](const std::string& name, const std::map<std::string, int>& states) {
        std::string counts;
        for (const auto& [state, count] : states)
            counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count, state);
        fmt::print("{:<44} {}\n", name, counts);
    };
    for (const auto& name : order) print(name, groups[name]);
    if (order.size() > 1) print(fmt::format("all {} runs", rows.size()), all);
    for (const auto& row : rows)
        if (!row.status.problem.empty())
            fmt::print("{}: {}; log: {}\n", runName(*row.run), row.status.problem, o.folder.log(row.run->id).string());
    return 0;
}

int studyTable(const PluginHost& plugins, const StudyArguments& a) {
    const auto o = opened(plugins, a, PlanChecks::first);
    const auto rows = rowsOf(o.study, o.plan, o.folder);
    const auto bars = barsOf(o.study, rows);
    if (!a.file.empty()) writeAtomically(a.file, csvOf(o.study, rows));
    if (!a.npz.empty()) writeNpz(a.npz, columnsOf(o.study, rows), NonFinite::allow);
    if (a.output.json) {
        fmt::print("{}\n", resultsJson(o.study, rows).dump());
        return allMet(bars) ? 0 : 1;
    }
    const auto groups = groupsOf(o.study, rows);
    if (groups.empty())
        fmt::print("no run is done yet; start them with: raphe study run {}\n", a.study);
    else
        fmt::print("| {:<32} | {:<16} | {:>7} | {:>10} | {:>23} | {:>23} "
                   "|\n|{:-<34}|{:-<18}|{:-<9}|{:-<12}|{:-<25}|{:-<25}|\n",
                   "variant", "measure", "seeds", "median", "quartiles", "mean, 95 %", "", "", "", "", "", "");
    for (const auto& group : groups)
        fmt::print("| {:<32} | {:<16} | {:>7} | {:>10.4g} | {:>10.4g} to {:>9.4g} | {:>23} |\n", group.group,
                   group.measure, fmt::format("{} / {}", group.values.size(), group.expected), group.median,
                   group.lower, group.upper,
                   group.interval
                       ? fmt::format("{:.4g} ({:.4g}, {:.4g})", group.mean, group.interval->low, group.interval->high)
                       : fmt::format("{:.4g}", group.mean));
    for (const auto& pair : pairsOf(o.study, rows))
        fmt::print("{}: {} - {} = {:.4g} (95 % {:.4g} to {:.4g}), p = {:.3g}, delta {:.2f}; {}\n", pair.measure,
                   pair.first, pair.second, pair.comparison.difference, pair.comparison.interval.low,
                   pair.comparison.interval.high, pair.p, pair.comparison.delta, pair.comparison.sentence);
    printBars(bars);
    return allMet(bars) ? 0 : 1;
}

int studyPlot(const PluginHost& plugins, const StudyArguments& a) {
    const auto o = opened(plugins, a, PlanChecks::first);
    int drawn = 0, failed = 0;
    for (const auto& figure : figuresOf(o.study, rowsOf(o.study, o.plan, o.folder), o.folder)) {
        if (!figure.problem.empty()) {
            ++failed;
            fmt::print(stderr, "{}\n", figure.problem);
            continue;
        }
        const auto path =
            o.folder.path() / "figures" / (figure.name + "." + (a.file.empty() ? std::string("svg") : a.file));
        drawFigure(figure.description, path);
        fmt::print("{}\n", path.string());
        ++drawn;
    }
    if (o.study.figures.empty())
        fmt::print(stderr, "the study has no figures; describe some in its \"figures\"\n");
    else if (drawn + failed == 0)
        fmt::print(stderr, "no figure can be drawn yet: no run is done; start them with: raphe study run {}\n",
                   a.study);
    return drawn > 0 && failed == 0 ? 0 : 1;
}

int studyReport(const PluginHost& plugins, const StudyArguments& a) {
    const auto o = opened(plugins, a, PlanChecks::first);
    const auto rows = rowsOf(o.study, o.plan, o.folder);
    const fs::path file = a.file.empty() ? o.folder.path() / "report.html" : fs::path(a.file);
    writeReport(file, o.study, rows, o.folder);
    fmt::print("{}\n", file.string());
    return allMet(barsOf(o.study, rows)) ? 0 : 1;
}

int studySubmit(const PluginHost& plugins, const StudyArguments& a) {
    const auto o = opened(plugins, a);
    const auto settings = a.slurm.empty() ? SlurmSettings{} : slurmSettings(a.slurm);
    const auto result = submit(o.study, o.plan, o.folder, settings, a.retry);
    if (a.output.json) {
        fmt::print("{}\n", Json{{"event", "submission"},
                                {"job", result.job},
                                {"runs", result.runs},
                                {"queued", result.queued},
                                {"done", result.done},
                                {"failed", result.failed}}
                               .dump());
        return 0;
    }
    if (!result.job.empty()) fmt::print("job {}: {} runs\n", result.job, result.runs);
    fmt::print("{} done, {} in the queue before{}\n", result.done, result.queued,
               result.failed > 0 ? fmt::format(", {} failed (submit them again with --retry)", result.failed) : "");
    return 0;
}

int studyCancel(const PluginHost& plugins, const StudyArguments& a) {
    const auto o = opened(plugins, a, PlanChecks::first);
    fmt::print("{} jobs cancelled\n", cancelJobs(o.folder));
    return 0;
}

int studyWork(const PluginHost& plugins, const StudyArguments& a) {
    std::signal(SIGPIPE, SIG_IGN); // an executor that was killed does not end its workers by no longer listening
    watchInterrupts();
    if (a.parent > 0) { // but its end does: after a checkpoint
        ::prctl(PR_SET_PDEATHSIG, SIGINT);
        if (::getppid() != a.parent) return static_cast<int>(WorkResult::interrupted);
    }
    WorkerReports reports;
    WorkOptions options;
    options.threads = std::max(1, a.threads);
    options.observer = &reports;
    options.started = [](Session& session, const fs::path&) { return std::make_shared<InterruptWatch>(session); };
    try {
        return static_cast<int>(workOn(StudyFolder(a.study), a.id, plugins, options));
    } catch (const Error& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 1;
    }
}

} // namespace raphe::cli
