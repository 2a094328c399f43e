// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run.h"

#include "engine/document/json_reader.h"
#include "engine/runs/run_reader.h"
#include "engine/runs/run_store.h"
#include "engine/runs/run_summary.h"

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

std::string now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

std::string hostName() {
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

/// runs/NAME-20261123-153000, with a number behind it if there is one already.
std::filesystem::path freshFolder(const std::string& name) {
    std::string plain = name.empty() ? "experiment" : name.substr(0, 100);
    for (char& c : plain) // the name is any text; the folder must lie in runs/
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-') c = '_';
    const auto stem = fmt::format("runs/{}-{:%Y%m%d-%H%M%S}", plain, fmt::localtime(std::time(nullptr)));
    std::filesystem::path folder = stem;
    for (int i = 2; std::filesystem::exists(folder); ++i) folder = fmt::format("{}-{}", stem, i);
    return folder;
}

/// What must be equal for a run to be continued: the document except how long it trains.
Json identity(Json document) {
    document.erase("iterations");
    return document;
}

Json stateJson(const SessionSnapshot& snapshot, const Session& session) {
    Json interventions = Json::array();
    for (const auto& intervention : session.interventions()) interventions.push_back(toJson(intervention));
    return {
        {"optimiser_steps", snapshot.optimiserSteps}, {"seconds", snapshot.seconds}, {"interventions", interventions}};
}

Checkpoint checkpointOf(const Session& session) {
    auto snapshot = session.snapshot();
    auto state = stateJson(snapshot, session).dump();
    return {snapshot.iteration - 1, std::move(snapshot.tensors), std::move(state)};
}

void restoreFrom(Session& session, Checkpoint checkpoint, const std::string& place) {
    const auto state = parseJson(checkpoint.stateJson, place);
    SessionSnapshot snapshot;
    snapshot.iteration = static_cast<int>(checkpoint.iteration) + 1;
    snapshot.optimiserSteps = state.at("optimiser_steps").get<long>();
    snapshot.seconds = state.at("seconds").get<double>();
    snapshot.tensors = std::move(checkpoint.tensors);
    session.restore(snapshot);
    std::vector<Intervention> interventions;
    for (const auto& item : state.at("interventions")) interventions.push_back(interventionFromJson(item, place));
    if (interventions != session.interventions()) session.setInterventions(std::move(interventions));
}

/// Writes down what the session reports, and a checkpoint about once a second. Keeps nothing itself: a run may be long.
class Recorder final : public SessionObserver {
public:
    Recorder(RunStore& store, std::optional<int> checkpointEvery, SessionObserver* next)
        : store_(store), checkpointEvery_(checkpointEvery), next_(next) {}

    void onIteration(Session& session, const IterationReport& report) override {
        store_.appendMetrics({report.iteration, report.seconds, report.metrics});
        for (const auto& [recording, tensor] : report.signals)
            store_.appendSignal(recording.port.text(), report.iteration, tensor);
        const auto time = std::chrono::steady_clock::now();
        const bool due = checkpointEvery_ ? (report.iteration + 1) % *checkpointEvery_ == 0
                                          : time - last_ >= std::chrono::seconds(1);
        if (due) store_.commitCheckpoint(checkpointOf(session));
        if (due || time - last_ >= std::chrono::seconds(1)) {
            if (!due) store_.commit();
            last_ = std::chrono::steady_clock::now();
        }
        if (next_) next_->onIteration(session, report);
    }
    void onProgress(Session& session, double fraction) override {
        if (next_) next_->onProgress(session, fraction);
    }
    void onPaused(Session& session) override {
        store_.commitCheckpoint(checkpointOf(session));
        if (next_) next_->onPaused(session);
    }
    void onResumed(Session& session) override {
        if (next_) next_->onResumed(session);
    }

private:
    RunStore& store_;
    std::optional<int> checkpointEvery_;
    SessionObserver* next_;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// By key: what this part of a run is made with.
std::vector<std::pair<std::string, std::string>> provenanceOf(const Session& session, const PluginHost& plugins,
                                                              const Json& document) {
    const auto text = document.dump();
    Json used = Json::array();
    for (const auto& record : plugins.records()) {
        bool needed = false;
        for (const auto& node : session.experiment().nodes)
            for (const auto& mechanism : record.mechanisms) needed = needed || node.mechanism == mechanism;
        if (needed && record.error.empty())
            used.push_back({{"name", record.name}, {"version", record.version}, {"manifest", record.manifestHash}});
    }
    return {{"raphe_version", RAPHE_VERSION},
            {"raphe_commit", RAPHE_COMMIT},
            {"experiment_hash", fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()))},
            {"seed", std::to_string(session.experiment().seed)},
            {"precision", session.experiment().precision == Precision::float32 ? "float32" : "float64"},
            {"threads", std::to_string(session.threads())},
            {"host", hostName()},
            {"plugins", used.dump()},
            {"start", now()}};
}

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

} // namespace

RunOutcome runExperiment(const Experiment& original, const PluginHost& plugins, const RunOptions& options,
                         SessionObserver* observer, const RunStarted& started) {
    Experiment experiment = original;
    if (options.iterations) experiment.iterations = *options.iterations;
    RunOutcome outcome;
    outcome.folder = options.folder.empty() ? freshFolder(experiment.name) : options.folder;
    if (options.resume && options.folder.empty()) throw Error("--resume", "name the run's folder with --out");

    auto session = Session::create(experiment, plugins.registry(), options.session);
    session->requireRunning();
    const auto document = session->experiment().toJson();

    const bool goOn = options.resume && RunStore::holdsRun(outcome.folder);
    if (goOn) {
        const auto stored = experimentOfRun(outcome.folder, plugins.registry()).toJson();
        if (identity(stored) != identity(document))
            throw Error(outcome.folder.string(), "holds a run of another experiment (or of other parameters); name "
                                                 "another folder with --out, or repeat the run's own settings");
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
    store.commit();
    Recorder recorder(store, options.checkpointEvery, observer);
    const std::shared_ptr<void> company = started ? started(*session, outcome.folder) : nullptr;

    const auto finish = [&](const std::string& exit) {
        store.setProvenance("end", now());
        store.setProvenance("exit", exit);
        store.commitCheckpoint(checkpointOf(*session));
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
                                      const SessionOptions& options) {
    auto session = Session::create(experimentOfRun(folder, registry), registry, options);
    auto checkpoint = RunReader::open(folder).latestCheckpoint();
    if (!checkpoint) throw Error(folder.string(), "has no checkpoint yet; let it train for a second first");
    restoreFrom(*session, std::move(*checkpoint), folder.string());
    return session;
}

} // namespace raphe
