// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run.h"

#include "engine/base/available.h"
#include "engine/document/json_reader.h"
#include "engine/learning/preflight.h"
#include "engine/runs/copy_run.h"
#include "engine/runs/provenance.h"
#include "engine/runs/run_reader.h"
#include "engine/runs/run_store.h"
#include "engine/runs/run_summary.h"
#include "engine/runs/stored_session.h"
#include "engine/runs/stored_tensor.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <unistd.h>
#include <xxhash.h>

#include <cctype>
#include <chrono>
#include <ctime>
#include <map>
#include <optional>
#include <thread>

namespace raphe {

namespace {

/// What must be equal for a run to be continued: the document except how long it trains.
Json identity(Json document) {
    document.erase("iterations");
    return document;
}

/// Writes down what the session reports, and a checkpoint about once a second. Keeps nothing itself: a run may be long.
class Recorder final : public SessionObserver {
public:
    /// @param resumedAt  iterations that the run's last checkpoint holds already
    Recorder(RunStore& store, std::optional<int> checkpointEvery, std::int64_t resumedAt, SessionObserver* next)
        : store_(store), checkpointEvery_(checkpointEvery), checkpointed_(resumedAt), next_(next) {}

    void onIteration(Session& session, const IterationReport& report) override {
        if (report.beginsStage) store_.appendEvent(report.iteration, "stage", Json{{"stage", report.stageName}}.dump());
        store_.appendMetrics({report.iteration, report.seconds, report.metrics});
        if (StepTrace::keepsTensorsAfter(report.iteration + 1))
            store_.appendEvent(report.iteration, tensorsEvent, tensorPrintsJson(session).dump());
        for (const auto& [recording, tensor] : report.signals)
            store_.appendSignal(recording.port.text(), report.iteration, tensor);
        const auto time = std::chrono::steady_clock::now();
        const bool due = checkpointEvery_ ? (report.iteration + 1) % *checkpointEvery_ == 0
                                          : time - last_ >= std::chrono::seconds(1);
        if (due) keep(session, traceSteps(session));
        if (due || time - last_ >= std::chrono::seconds(1)) {
            if (!due) store_.commit();
            last_ = std::chrono::steady_clock::now();
        }
        if (next_) next_->onIteration(session, report);
    }
    void onProgress(Session& session, double fraction) override {
        if (next_) next_->onProgress(session, fraction);
    }
    /// What a check has led to belongs to the iteration before it. A checkpoint of that iteration from before the check
    /// would lead to it once more, so it is replaced together with the events.
    void onCheck(Session& session, const CheckReport& report) override {
        const bool again = checkpointed_ == report.iteration + 1;
        if (again) store_.commit(); // so that nothing is committed below but everything at once
        for (const auto& [parameter, value] : report.reduced)
            store_.appendEvent(report.iteration, "reduced",
                               Json{{"stage", report.stage}, {"parameter", parameter}, {"value", value}}.dump());
        if (const auto& best = report.takenUp)
            store_.appendEvent(
                report.iteration, "best_taken_up",
                Json{{"stage", report.stage}, {"iteration", best->iteration}, {"value", best->value}}.dump());
        if (again) keep(session, traceSteps(session));
        if (next_) next_->onCheck(session, report);
    }
    void onPaused(Session& session) override {
        keep(session);
        if (next_) next_->onPaused(session);
    }
    void onResumed(Session& session) override {
        if (next_) next_->onResumed(session);
    }

private:
    void keep(const Session& session, const std::optional<StepTrace>& trace = std::nullopt) {
        const auto checkpoint = checkpointOf(session, trace);
        checkpointed_ = checkpoint.iteration + 1;
        store_.commitCheckpoint(checkpoint);
    }

    RunStore& store_;
    std::optional<int> checkpointEvery_;
    std::int64_t checkpointed_; ///< iterations that the last checkpoint holds
    SessionObserver* next_;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// Keeps what the run began with; what differs in a later part of it stands in the event `resumed`.
void writeProvenance(RunStore& store, const std::map<std::string, std::string>& earlier,
                     const std::vector<std::pair<std::string, std::string>>& current,
                     std::optional<std::int64_t> resumedAt) {
    Json changed = Json::object();
    for (const auto& [key, value] : current) {
        const auto found = earlier.find(key);
        if (found == earlier.end())
            store.setProvenance(key, value);
        else if (found->second != value)
            changed[key] = value;
    }
    if (resumedAt) store.appendEvent(*resumedAt, "resumed", changed.dump());
}

/// A run keeps two checkpoints, and while one is written it lies in the journal as well.
constexpr double checkpointsOnDisk = 4;

/// Refuses what cannot be trained or kept here, before anything of it is made. @throws Error with every problem
void requireRoom(const Experiment& experiment, const Registry& registry, const RunOptions& options,
                 const SessionOptions& session, const std::filesystem::path& folder) {
    Problems problems;
    const auto found = preflight(experiment, registry, session, problems);
    problems.throwIfAny();
    const auto& estimate = found->estimate;
    if (const auto sentence = refusal(estimate, session); !sentence.empty()) throw Error(sentence);
    constexpr double most = static_cast<double>(stored::maxTensorBytes) / 8;
    for (const auto& tensor : found->tensors)
        if (static_cast<double>(tensor.rows) * tensor.columns > most)
            throw Error(
                "nodes." + tensor.name.substr(0, tensor.name.find('.')),
                fmt::format("tensor {} has {} x {} numbers, but a checkpoint holds at most {:.0f} of one tensor; "
                            "use a smaller network",
                            tensor.name, tensor.rows, tensor.columns, most));
    const double available = options.availableDisk ? *options.availableDisk : availableDisk(folder);
    const double checkpoints = checkpointsOnDisk * estimate.checkpoint,
                 signals = estimate.signals * experiment.iterations / 1000;
    if (checkpoints + signals > available)
        throw Error(folder.string(),
                    fmt::format("the run takes up to {} of disk, of it {} for checkpoints and {} for recorded signals, "
                                "but only {} are free; use {}, or another disk with --out",
                                bytesText(checkpoints + signals), bytesText(checkpoints), bytesText(signals),
                                bytesText(available),
                                checkpoints > signals ? "a smaller network" : "fewer recordings"));
}

} // namespace

std::filesystem::path freshRunFolder(const std::string& name, const std::filesystem::path& parent) {
    std::string plain = name.empty() ? "experiment" : name.substr(0, 100);
    for (char& c : plain) // the folder must lie in `parent`
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-') c = '_';
    const auto stem = parent / fmt::format("{}-{:%Y%m%d-%H%M%S}", plain, fmt::localtime(std::time(nullptr)));
    std::filesystem::path folder = stem;
    for (int i = 2; std::filesystem::exists(folder); ++i) folder = fmt::format("{}-{}", stem.string(), i);
    return folder;
}

RunOutcome runExperiment(const Experiment& original, const PluginHost& plugins, const RunOptions& options,
                         SessionObserver* observer, const RunStarted& started) {
    Experiment experiment = original;
    if (options.iterations) experiment.iterations = *options.iterations;
    RunOutcome outcome;
    outcome.folder = options.folder.empty() ? freshRunFolder(experiment.name) : options.folder;
    if (options.resume && options.folder.empty()) throw Error("--resume", "name the run's folder with --out");

    auto sessionOptions = options.session;
    sessionOptions.checkpoints = true;
    requireRoom(experiment, plugins.registry(), options, sessionOptions, outcome.folder);
    auto session = Session::create(experiment, plugins.registry(), sessionOptions);
    session->requireRunning();
    const auto document = session->experiment().toJson();

    const bool goOn = !options.copyOf.empty() || (options.resume && RunStore::holdsRun(outcome.folder));
    if (goOn) {
        const auto& place = options.copyOf.empty() ? outcome.folder : options.copyOf;
        const auto stored = experimentOfRun(place, plugins.registry()).toJson();
        if (identity(stored) != identity(document))
            throw Error(place.string(), "holds a run of another experiment (or of other parameters); name "
                                        "another folder with --out, or repeat the run's own settings");
        if (!options.copyOf.empty()) copyRun(options.copyOf, outcome.folder, experiment.iterations);
    }
    auto store = goOn ? RunStore::open(outcome.folder) : RunStore::create(outcome.folder, document.dump(2) + "\n");
    std::map<std::string, std::string> earlier;
    std::optional<std::int64_t> resumedAt;
    if (goOn) {
        const auto reader = RunReader::open(outcome.folder);
        std::int64_t position = 0;
        if (auto checkpoint = reader.latestCheckpoint()) {
            position = checkpoint->iteration + 1;
            restoreFrom(*session, std::move(*checkpoint), outcome.folder.string());
        }
        store.truncateAfter(position - 1);
        for (auto& [key, value] : reader.provenance()) earlier.emplace(key, value);
        resumedAt = position;
    }
    writeProvenance(store, earlier, provenanceOf(*session, plugins, document), resumedAt);
    if (session->iteration() == 0) // also where a run goes on that was ended before its first checkpoint
        if (const auto trace = traceSteps(*session)) store.appendEvent(0, traceEvent, toJson(*trace).dump());
    store.commit();
    Recorder recorder(store, options.checkpointEvery, resumedAt.value_or(0), observer);
    const std::shared_ptr<void> company = started ? started(*session, outcome.folder) : nullptr;

    const auto finish = [&](const std::string& exit) {
        store.setProvenance("end", timeText());
        store.setProvenance("exit", exit);
        store.commitCheckpoint(checkpointOf(*session, traceSteps(*session)));
    };
    try {
        outcome.completed = session->trainTo(experiment.iterations, &recorder);
    } catch (const std::exception& error) {
        store.appendEvent(session->iteration(), "failed", Json{{"message", error.what()}}.dump());
        finish("failed");
        throw;
    }
    store.commit();
    auto summary = summarise(RunReader::open(outcome.folder), session->weights());
    outcome.hash = std::move(summary.hash);
    outcome.metrics = std::move(summary.metrics);
    store.setProvenance("run_hash", outcome.hash);
    if (!outcome.completed) store.appendEvent(session->iteration(), "interrupted", "{}");
    finish(outcome.completed ? "done" : "interrupted");
    outcome.iterations = session->iteration();
    outcome.seconds = session->trainingSeconds();
    return outcome;
}

Experiment experimentOfRun(const std::filesystem::path& folder, const Registry& registry) {
    return experimentFromJson(parseJson(RunReader::open(folder).experimentJson(), folder.string()), registry, folder);
}

std::unique_ptr<Session> sessionOfRun(const std::filesystem::path& folder, const Registry& registry,
                                      const SessionOptions& options, std::optional<std::int64_t> checkpoint) {
    auto session = Session::create(experimentOfRun(folder, registry), registry, options);
    const auto reader = RunReader::open(folder);
    auto kept = checkpoint ? std::optional(reader.checkpoint(*checkpoint)) : reader.latestCheckpoint();
    if (!kept) throw Error(folder.string(), "has no checkpoint yet; let it train for a second first");
    restoreFrom(*session, std::move(*kept), folder.string());
    return session;
}

} // namespace raphe
