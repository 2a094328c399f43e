// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/reproduce.h"

#include "engine/runs/provenance.h"
#include "engine/runs/run_hash.h"
#include "engine/runs/run_reader.h"
#include "engine/runs/step_trace.h"
#include "engine/runs/stored_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace raphe {

namespace {

bool alike(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Compares each iteration with what was stored, and ends the training at the first difference.
class Comparison final : public SessionObserver {
public:
    Comparison(const RunReader& run, Reproduction& found, SessionObserver* next)
        : run_(run), found_(found), next_(next), stored_(run.metrics()),
          hash_(static_cast<std::int64_t>(stored_.size())), checkpoint_(run.latestCheckpoint()) {
        for (const auto& summary : run.listSignals()) ports_.insert(summary.port);
        for (const auto& event : run.events())
            if (event.kind == tensorsEvent) prints_[event.iteration] = event.json;
    }
    void onIteration(Session& session, const IterationReport& report) override {
        if (next_) next_->onIteration(session, report);
        if (done_ >= stored_.size()) return;
        const auto& expected = stored_[done_++];
        compareSignals(session, report);
        compareMetrics(expected, report);
        comparePrints(session, report);
        if (found_.iteration < 0 && checkpoint_ && checkpoint_->iteration == report.iteration) compareTensors(session);
        if (found_.iteration >= 0) session.cancel();
        hash_.add({report.iteration, report.seconds, report.metrics});
    }
    void onProgress(Session& session, double fraction) override {
        if (next_) next_->onProgress(session, fraction);
    }
    std::size_t iterations() const { return stored_.size(); }
    std::string hash(const Session& session) { return hash_.finish(session.weights()); }

private:
    void compareMetrics(const Metrics& expected, const IterationReport& report) {
        for (std::size_t i = 0; i < std::max(expected.values.size(), report.metrics.size()); ++i) {
            const bool both = i < expected.values.size() && i < report.metrics.size();
            if (both && expected.values[i].first == report.metrics[i].first &&
                alike(expected.values[i].second, report.metrics[i].second))
                continue;
            found_.iteration = report.iteration;
            found_.metric = both ? fmt::format("{} (then {}, now {})", report.metrics[i].first,
                                               expected.values[i].second, report.metrics[i].second)
                                 : "their number";
            return;
        }
    }
    /// The earliest number in time; of several at one step, that of the signal that comes first among the recordings.
    void compareSignals(Session&, const IterationReport& report) {
        for (const auto& [recording, now] : report.signals) {
            const auto port = recording.port.text();
            if (!ports_.contains(port)) continue;
            const auto then = run_.signal(port, report.iteration);
            if (!then) continue;
            found_.signalsRecorded = true;
            if (then->shape != now.shape) continue;
            const auto trials = static_cast<std::size_t>(now.shape[1]), units = static_cast<std::size_t>(now.shape[2]);
            for (std::size_t k = 0; k < now.values.size(); ++k) {
                if (alike(then->values[k], now.values[k])) continue;
                const int step = static_cast<int>(k / (trials * units)) * recording.everySteps;
                if (found_.step >= 0 && step >= found_.step) break;
                found_.iteration = report.iteration;
                found_.signal = port;
                found_.step = step;
                found_.trial = static_cast<int>(k / units % trials);
                found_.unit = static_cast<int>(k % units);
                found_.values = fmt::format("then {}, now {}", then->values[k], now.values[k]);
                break;
            }
        }
    }
    void compareTensors(const Session& session) {
        std::map<std::string, const Tensor*> then;
        for (const auto& item : checkpoint_->tensors) then[item.name] = &item.tensor;
        for (const auto& item : session.weights()) {
            const auto other = then.find(item.name);
            if (other == then.end() || (other->second->shape == item.tensor.shape &&
                                        std::equal(item.tensor.values.begin(), item.tensor.values.end(),
                                                   other->second->values.begin(), alike)))
                continue;
            found_.iteration = session.iteration() - 1;
            found_.tensor = item.name;
            return;
        }
    }

    /// Of the first iterations, and ever fewer later on.
    void comparePrints(const Session& session, const IterationReport& report) {
        const auto stored = prints_.find(report.iteration);
        if (stored == prints_.end()) return;
        const auto then = Json::parse(stored->second, nullptr, false), now = tensorPrintsJson(session);
        if (then == now || !then.is_object() || !then.contains("prints") || !then["prints"].is_string()) return;
        const auto before = then["prints"].get<std::string>(), after = now["prints"].get<std::string>();
        const auto at = std::mismatch(before.begin(), before.end(), after.begin(), after.end()).first - before.begin();
        const auto weights = session.weights();
        found_.iteration = report.iteration;
        found_.tensor = weights[std::min(static_cast<std::size_t>(at) / 8, weights.size() - 1)].name;
    }

    const RunReader& run_;
    Reproduction& found_;
    SessionObserver* next_;
    std::vector<Metrics> stored_;
    RunHash hash_;
    std::optional<Checkpoint> checkpoint_;
    std::set<std::string> ports_;
    std::map<std::int64_t, std::string> prints_;
    std::size_t done_ = 0;
};

void note(Reproduction& found, const TraceDifference& difference, std::int64_t after) {
    found.tensor = difference.tensor.empty() ? found.tensor : difference.tensor;
    found.signal = difference.signal;
    found.step = difference.step;
    found.trial = difference.step < 0 ? -1 : 0;
    found.tracedAfter = after;
}

/// Looks for the step and the signal where a run was not recorded: each state that it kept is run again, and held
/// against the fingerprints that were kept with it. Where these agree, the difference lies in what training does with
/// the signals; then the last part of the training is done again from the state before it.
void bisect(const RunReader& run, const std::filesystem::path& folder, const PluginHost& plugins,
            const SessionOptions& options, const RunStarted& started, Reproduction& found) {
    const auto stored = run.checkpoints();
    std::optional<Checkpoint> before;
    for (const auto iteration : stored) {
        auto checkpoint = run.checkpoint(iteration);
        const auto then = traceOf(checkpoint);
        const auto session = Session::create(experimentOfRun(folder, plugins.registry()), plugins.registry(), options);
        restoreFrom(*session, checkpoint, folder.string());
        const auto now = then ? traceSteps(*session) : std::nullopt;
        if (then && now) {
            found.traced = true;
            if (const auto difference = compareTraces(*then, *now)) return note(found, *difference, iteration + 1);
        }
        if (before && found.tensor.empty()) {
            const auto again =
                Session::create(experimentOfRun(folder, plugins.registry()), plugins.registry(), options);
            restoreFrom(*again, *before, folder.string());
            const auto company = started ? started(*again, folder) : nullptr;
            if (!again->trainTo(static_cast<int>(iteration) + 1)) throw Cancelled();
            const auto weights = again->weights();
            for (const auto& item : session->weights())
                for (const auto& other : weights)
                    if (other.name == item.name && found.tensor.empty() &&
                        !std::equal(item.tensor.values.begin(), item.tensor.values.end(), other.tensor.values.begin(),
                                    other.tensor.values.end(), alike)) {
                        found.tensor = item.name;
                        found.tracedAfter = before->iteration + 1;
                    }
        }
        before = std::move(checkpoint);
    }
}

} // namespace

namespace {

/// "name" -> "version, manifest" of the list that a run keeps.
std::map<std::string, std::string> versionsOf(const std::string& list) {
    std::map<std::string, std::string> versions;
    const auto plugins = Json::parse(list, nullptr, false);
    if (plugins.is_array())
        for (const auto& plugin : plugins)
            if (plugin.is_object())
                versions[plugin.value("name", "")] =
                    fmt::format("{} ({})", plugin.value("version", ""), plugin.value("manifest", ""));
    return versions;
}

/// Only the plugins that are not as they were.
void comparePlugins(const std::string& then, const std::string& now, std::vector<Reproduction::Change>& changes) {
    auto before = versionsOf(then), after = versionsOf(now);
    std::set<std::string> names;
    for (const auto* list : {&before, &after})
        for (const auto& [name, version] : *list) names.insert(name);
    for (const auto& name : names)
        if (before[name] != after[name]) changes.push_back({"plugin " + name, before[name], after[name]});
}

} // namespace

std::unique_ptr<Session> computeAgain(const std::filesystem::path& folder, int iterations, const PluginHost& plugins,
                                      const SessionOptions& options, SessionObserver& observer,
                                      const RunStarted& started) {
    std::string trunk;
    int at = 0;
    for (const auto& [key, value] : RunReader::open(folder).provenance()) {
        if (key == "branch_of") trunk = value;
        if (key == "branch_at") at = std::stoi(value);
    }
    auto session = Session::create(experimentOfRun(folder, plugins.registry()), plugins.registry(), options);
    if (!trunk.empty()) {
        if (!std::filesystem::is_directory(trunk)) { // both may have been moved, or copied to another machine
            const auto beside = std::filesystem::absolute(folder).lexically_normal().parent_path() /
                                std::filesystem::path(trunk).filename();
            if (!std::filesystem::is_directory(beside))
                throw Error(folder.string(), fmt::format("is a branch of {}, which is no longer there; put that run "
                                                         "back, or beside the branch",
                                                         trunk));
            trunk = beside.string();
        }
        const auto shared = computeAgain(trunk, std::min(at, iterations), plugins, options, observer, started);
        if (shared->iteration() < std::min(at, iterations)) return session; // ended by the observer, or from outside
        session->restore(shared->snapshot());
    }
    const auto company = started ? started(*session, folder) : nullptr;
    session->trainTo(iterations, &observer);
    return session;
}

std::string Reproduction::sentence() const {
    if (same) return fmt::format("the same: run hash {}", hash);
    if (iteration < 0)
        return fmt::format("the run hash is {} and was {}, with the same metrics: the final weights differ", hash,
                           expected);
    auto text = fmt::format("differs from iteration {} on", iteration);
    if (!signal.empty() && unit < 0)
        text += fmt::format(": signal {} at step {} of a trial under {}", signal, step, weightsText());
    else if (!signal.empty())
        text += fmt::format(": signal {} at step {} of trial {}, unit {}: {}", signal, step, trial, unit, values);
    else if (!metric.empty())
        text += ": metric " + metric;
    if (signal.empty() && !tensor.empty() && tracedAfter < 0)
        text += fmt::format("{} tensor {} after it", metric.empty() ? ":" : ",", tensor);
    return text + whereText();
}

std::string Reproduction::weightsText() const {
    return tracedAfter == 0 ? "the initial weights"
                            : fmt::format("the weights that were stored after {} iterations", tracedAfter);
}

std::string Reproduction::whereText() const {
    if (!signal.empty()) return {};
    if (tracedAfter == 0 && !tensor.empty()) return fmt::format("; tensor {} differs before the first", tensor);
    if (tracedAfter > 0 && !tensor.empty())
        return fmt::format("; trained on from {}, tensor {} differs", weightsText(), tensor);
    if (signalsRecorded) return "; the signals that were recorded there are the same";
    if (traced)
        return "; a trial under the weights that were stored has the same signals, so that the difference lies in how "
               "they are learned from";
    return "; to see the step and the signal, signals of both must be recorded (raphe run --record-all)";
}

Reproduction reproduce(const std::filesystem::path& folder, const PluginHost& plugins, const SessionOptions& options,
                       SessionObserver* observer, const RunStarted& started) {
    const auto run = RunReader::open(folder);
    Reproduction found;
    std::map<std::string, std::string> then;
    for (const auto& [key, value] : run.provenance()) then[key] = value;
    found.expected = then["run_hash"];
    Comparison comparison(run, found, observer);
    if (comparison.iterations() == 0)
        throw Error(folder.string(), "has no metrics yet, so there is nothing to compare");
    std::optional<TraceDifference> initial;
    const auto begun = [&](Session& session, const std::filesystem::path& place) -> std::shared_ptr<void> {
        if (place == folder) // and not a trunk of it
            for (const auto& event : run.events())
                if (event.kind == traceEvent) {
                    const auto before = stepTraceFromJson(Json::parse(event.json, nullptr, false));
                    const auto now = before ? traceSteps(session) : std::nullopt;
                    if (before && now) {
                        found.traced = true;
                        initial = compareTraces(*before, *now);
                    }
                }
        return started ? started(session, place) : nullptr;
    };
    const auto session =
        computeAgain(folder, static_cast<int>(comparison.iterations()), plugins, options, comparison, begun);
    for (const auto& [key, now] : provenanceOf(*session, plugins, session->experiment().toJson()))
        if (key == "plugins")
            comparePlugins(then[key], now, found.environment);
        else if (key != "start" && then[key] != now)
            found.environment.push_back({key, then[key], now});
    if (found.iteration >= 0) {
        if (found.signal.empty() && initial)
            note(found, *initial, 0);
        else if (found.signal.empty())
            bisect(run, folder, plugins, options, started, found);
        return found;
    }
    if (session->iteration() < static_cast<int>(comparison.iterations())) throw Cancelled();
    found.hash = comparison.hash(*session);
    // A run that was interrupted has the hash of what it had done then.
    found.same = found.hash == found.expected;
    return found;
}

} // namespace raphe
