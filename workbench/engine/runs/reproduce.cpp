// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/reproduce.h"

#include "engine/runs/provenance.h"
#include "engine/runs/run_hash.h"
#include "engine/runs/run_reader.h"

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
    }
    void onIteration(Session& session, const IterationReport& report) override {
        if (next_) next_->onIteration(session, report);
        if (done_ >= stored_.size()) return;
        const auto& expected = stored_[done_++];
        compareSignals(session, report);
        compareMetrics(expected, report);
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

    const RunReader& run_;
    Reproduction& found_;
    SessionObserver* next_;
    std::vector<Metrics> stored_;
    RunHash hash_;
    std::optional<Checkpoint> checkpoint_;
    std::set<std::string> ports_;
    std::size_t done_ = 0;
};

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
    if (!signal.empty())
        text += fmt::format(": signal {} at step {} of trial {}, unit {}: {}", signal, step, trial, unit, values);
    else if (!metric.empty())
        text += ": metric " + metric;
    else if (!tensor.empty())
        text += ": tensor " + tensor + " after it";
    if (signal.empty())
        text += signalsRecorded
                    ? "; the signals that were recorded there are the same"
                    : "; to see the step and the signal, signals of both must be recorded (raphe run --record-all)";
    return text;
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
    const auto session =
        computeAgain(folder, static_cast<int>(comparison.iterations()), plugins, options, comparison, started);
    for (const auto& [key, now] : provenanceOf(*session, plugins, session->experiment().toJson()))
        if (key == "plugins")
            comparePlugins(then[key], now, found.environment);
        else if (key != "start" && then[key] != now)
            found.environment.push_back({key, then[key], now});
    if (found.iteration >= 0) return found;
    if (session->iteration() < static_cast<int>(comparison.iterations())) throw Cancelled();
    found.hash = comparison.hash(*session);
    // A run that was interrupted has the hash of what it had done then.
    found.same = found.hash == found.expected;
    return found;
}

} // namespace raphe
