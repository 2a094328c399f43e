// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/branch.h"

#include "engine/runs/reproduce.h"
#include "engine/runs/run_reader.h"
#include "engine/runs/run_store.h"
#include "engine/runs/stored_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace raphe {

namespace {

bool alike(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Holds what is computed again against what the trunk stored.
class Witness final : public SessionObserver {
public:
    Witness(const RunReader& trunk, std::int64_t after) : stored_(trunk.metrics(after)) {}
    void onIteration(Session&, const IterationReport& report) override {
        if (next_ >= stored_.size()) return;
        const auto& expected = stored_[next_++];
        for (std::size_t i = 0; i < std::min(expected.values.size(), report.metrics.size()); ++i)
            if (!alike(expected.values[i].second, report.metrics[i].second))
                throw Error("branch", fmt::format("iteration {} gives {} {} now and gave {} in the trunk, so they "
                                                  "share nothing; raphe reproduce says what differs",
                                                  report.iteration, report.metrics[i].first, report.metrics[i].second,
                                                  expected.values[i].second));
    }

private:
    std::vector<Metrics> stored_;
    std::size_t next_ = 0;
};

} // namespace

RunOutcome branchRun(const std::filesystem::path& trunk, const Experiment& changed, int at, const PluginHost& plugins,
                     const RunOptions& options, SessionObserver* observer, const RunStarted& started) {
    const auto reader = RunReader::open(trunk);
    if (at < 0 || at > reader.metricsCount())
        throw Error(trunk.string(), fmt::format("has {} iterations, so a branch begins after 0 to {} of them, got {}",
                                                reader.metricsCount(), reader.metricsCount(), at));
    if (changed.iterations <= at)
        throw Error(
            "branch",
            fmt::format("begins after {} iterations, but the changed experiment has {}; ask for more with --iterations",
                        at, changed.iterations));
    auto run = options;
    run.folder = options.folder.empty() ? freshRunFolder(changed.name + "-branch") : options.folder;
    if (RunStore::holdsRun(run.folder))
        throw Error(run.folder.string(), "holds a run already; choose another folder with --out");

    // The trunk as it was after `at` iterations.
    auto sessionOptions = options.session;
    sessionOptions.checkpoints = true;
    auto checkpoint = reader.latestCheckpoint();
    const bool near = checkpoint && checkpoint->iteration + 1 <= at;
    Witness witness(reader, near ? checkpoint->iteration : -1);
    std::unique_ptr<Session> session;
    if (near) {
        session = Session::create(experimentOfRun(trunk, plugins.registry()), plugins.registry(), sessionOptions);
        restoreFrom(*session, std::move(*checkpoint), trunk.string());
        const auto company = started ? started(*session, run.folder) : nullptr;
        session->trainTo(at, &witness);
    } else {
        session = computeAgain(trunk, at, plugins, sessionOptions, witness, started);
    }
    if (session->iteration() < at) throw Cancelled();
    const auto shared = session->snapshot();

    // What goes on from there: made first, so that nothing is written where it does not fit.
    auto branch = Session::create(changed, plugins.registry(), sessionOptions);
    try {
        branch->restore(shared);
    } catch (const Error& error) {
        throw Error("branch",
                    fmt::format("the state of the trunk does not fit the changed experiment: {}", error.what()));
    }
    {
        auto store = RunStore::create(run.folder, branch->experiment().toJson().dump(2) + "\n");
        store.setProvenance("branch_of", std::filesystem::weakly_canonical(trunk).string());
        store.setProvenance("branch_at", std::to_string(at));
        reader.forEachMetrics([&](const Metrics& metrics) {
            if (metrics.iteration < at) store.appendMetrics(metrics);
        });
        store.commitCheckpoint(checkpointOf(*branch));
    }
    session.reset();
    branch.reset();
    run.resume = true;
    return runExperiment(changed, plugins, run, observer, started);
}

} // namespace raphe
