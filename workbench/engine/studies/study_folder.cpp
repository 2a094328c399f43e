// SPDX-License-Identifier: Apache-2.0
#include "engine/studies/study_folder.h"

#include "engine/base/files.h"
#include "engine/learning/changed_session.h"
#include "engine/runs/run.h"
#include "engine/runs/run_list.h"
#include "engine/runs/run_reader.h"
#include "engine/runs/run_store.h"
#include "engine/runs/writer_lock.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace raphe {

namespace fs = std::filesystem;

const char* nameOf(StudyRunState state) {
    switch (state) {
    case StudyRunState::missing:
        return "missing";
    case StudyRunState::interrupted:
        return "interrupted";
    case StudyRunState::running:
        return "running";
    case StudyRunState::trained:
        return "trained";
    case StudyRunState::failed:
        return "failed";
    case StudyRunState::done:
        return "done";
    }
    return "";
}

namespace {

constexpr std::size_t smallFile = 64 << 20;

fs::path claimOf(const StudyFolder& folder, const std::string& id) { return folder.run(id) / "claim"; }

Json measuresJson(const fs::path& run) {
    std::error_code none;
    const auto path = run / "measures.json";
    return fs::exists(path, none) ? readJson(path) : Json{{"values", Json::object()}};
}

/// The mean of a metric over the last part of the iterations.
double trainingMeasure(const RunReader& run, const StudyMeasure& measure) {
    const auto count = run.metricsCount();
    const auto last =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(std::llround(static_cast<double>(count) * measure.over)));
    double sum = 0;
    std::int64_t n = 0, index = 0;
    std::vector<std::string> names;
    run.forEachMetrics([&](const Metrics& metrics) {
        if (index++ < count - last) return;
        for (const auto& [name, value] : metrics.values) {
            if (n == 0) names.push_back(name);
            if (name == measure.metric) sum += value;
        }
        ++n;
    });
    if (std::find(names.begin(), names.end(), measure.metric) == names.end())
        throw Error("measures." + measure.name, fmt::format("there is no metric \"{}\"; the training has {}",
                                                            measure.metric, fmt::join(names, ", ")));
    return sum / static_cast<double>(n);
}

double evaluationMeasure(const StudyMeasure& measure, const fs::path& run, const Experiment& experiment,
                         const Registry& registry, int threads) {
    auto session = sessionOfRun(run, registry, {threads, "tbb", 0});
    if (!measure.set.empty() || !measure.interventions.empty())
        session = changedSession(*session, evaluationOf(experiment, measure, registry), registry, {threads, "tbb", 0});
    EvaluateRequest request;
    request.trials = measure.trials;
    const auto result = session->evaluate(request);
    std::vector<std::string> names;
    for (const auto& [name, value] : result.metrics) {
        if (name == measure.metric) return value;
        names.push_back(name);
    }
    throw Error("measures." + measure.name, fmt::format("there is no metric \"{}\"; the evaluation has {}",
                                                        measure.metric, fmt::join(names, ", ")));
}

/// The values of measures that have been taken as they are defined now.
std::map<std::string, double> taken(const Json& document, const std::vector<StudyMeasure>& measures) {
    std::map<std::string, double> result;
    for (const auto& measure : measures) {
        if (!document.contains("values") || !document["values"].contains(measure.name)) continue;
        const auto& kept = document["values"][measure.name];
        if (kept.value("definition", Json()) != measure.definition) continue;
        result[measure.name] = kept["value"].is_number() ? kept["value"].get<double>() : NAN;
    }
    return result;
}

void takeMeasures(const StudyFolder& folder, const std::string& id, const Study& study, const Experiment& experiment,
                  const Registry& registry, int threads) {
    const auto path = folder.run(id);
    auto document = measuresJson(path);
    const auto known = taken(document, study.measures);
    const auto reader = RunReader::open(path);
    Json values = Json::object();
    for (const auto& measure : study.measures) {
        const auto found = known.find(measure.name);
        const double value = found != known.end() ? found->second
                             : measure.evaluated  ? evaluationMeasure(measure, path, experiment, registry, threads)
                                                  : trainingMeasure(reader, measure);
        values[measure.name] = {{"definition", measure.definition},
                                {"value", std::isfinite(value) ? Json(value) : Json()}};
    }
    for (const auto& [name, value] : document["values"].items()) // those of an older or another document
        if (!values.contains(name)) values[name] = value;
    writeAtomically(path / "measures.json", Json{{"values", values}}.dump(1) + "\n");
}

} // namespace

void StudyFolder::prepare(const Study& study, const std::vector<const StudyRun*>& runs) const {
    std::error_code error;
    fs::create_directories(path_ / "runs", error);
    if (error)
        throw Error(path_.string(),
                    fmt::format("cannot be made ({}); choose another folder with --out", error.message()));
    const auto text = study.document.dump(2) + "\n";
    writeAtomically(path_ / "study.json", text);
    Json measures = study.document.value("measures", Json::object());
    for (const auto* run : runs) {
        fs::create_directories(this->run(run->id), error);
        writeAtomically(this->run(run->id) / "work.json",
                        Json{{"experiment", run->experiment.toJson()}, {"measures", measures}}.dump() + "\n");
    }
}

StudyRunStatus StudyFolder::status(const StudyRun& run, const std::vector<StudyMeasure>& measures) const {
    StudyRunStatus status;
    const auto path = this->run(run.id);
    std::error_code none;
    try {
        const bool there = RunStore::holdsRun(path);
        std::string state;
        if (there) {
            const auto entry = runEntry(path);
            state = entry.state;
            status.iterations = entry.iterations;
            status.hash = entry.hash;
            if (state == "unreadable") status.problem = entry.problem;
        }
        if (claimed(run.id)) {
            status.state = StudyRunState::running;
        } else if (fs::exists(path / "failure.json", none)) {
            status.state = StudyRunState::failed;
            status.problem = readJson(path / "failure.json").value("problem", std::string());
        } else if (state == "unreadable") {
            status.state = StudyRunState::failed;
        } else if (state == "done") {
            status.measures = taken(measuresJson(path), measures);
            status.state = status.measures.size() == measures.size() ? StudyRunState::done : StudyRunState::trained;
        } else if (there) {
            status.state = StudyRunState::interrupted;
        }
    } catch (const std::exception& error) {
        status.state = StudyRunState::failed;
        status.problem = error.what();
    }
    return status;
}

bool StudyFolder::claimed(const std::string& id) const { return stored::WriterLock::held(claimOf(*this, id)); }

void StudyFolder::setFailure(const std::string& id, const std::string& sentence) const {
    writeAtomically(run(id) / "failure.json", Json{{"problem", sentence}}.dump(1) + "\n");
}

void StudyFolder::forgetFailure(const std::string& id) const {
    std::error_code none;
    fs::remove(run(id) / "failure.json", none);
}

std::string StudyFolder::logTail(const std::string& id, std::size_t lines) const {
    std::error_code none;
    if (!fs::exists(log(id), none)) return {};
    auto text = readBytes(log(id), smallFile);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    auto start = text.size();
    for (std::size_t line = 0; line < lines && start != std::string::npos && start > 0; ++line)
        start = text.rfind('\n', start - 1);
    return start == std::string::npos || start == 0 ? text : text.substr(start + 1);
}

std::vector<fs::path> StudyFolder::strays(const std::vector<StudyRun>& plan) const {
    std::set<std::string> known;
    for (const auto& run : plan) known.insert(run.id);
    std::vector<fs::path> result;
    std::error_code none;
    for (fs::directory_iterator item(path_ / "runs", none), end; !none && item != end; item.increment(none))
        if (item->is_directory() && !known.contains(item->path().filename().string())) result.push_back(item->path());
    std::sort(result.begin(), result.end());
    return result;
}

WorkResult workOn(const StudyFolder& folder, const std::string& id, const PluginHost& plugins,
                  const WorkOptions& options) {
    const auto path = folder.run(id);
    std::error_code none;
    fs::create_directories(claimOf(folder, id), none);
    std::optional<stored::WriterLock> claim;
    try {
        claim.emplace(claimOf(folder, id));
    } catch (const Error&) {
        if (folder.claimed(id)) return WorkResult::claimed;
        throw;
    }
    try {
        const auto work = readJson(path / "work.json");
        const auto experiment = experimentFromJson(work.at("experiment"), plugins.registry());
        Study study = studyFromJson(
            {{"raphe_study", 1}, {"name", "work"}, {"experiment", "-"}, {"measures", work.at("measures")}});
        if (!RunStore::holdsRun(path) || runEntry(path).state != "done") {
            RunOptions run;
            run.folder = path;
            run.resume = RunStore::holdsRun(path);
            run.session.threads = options.threads;
            if (!runExperiment(experiment, plugins, run, options.observer, options.started).completed)
                return WorkResult::interrupted;
        }
        takeMeasures(folder, id, study, experiment, plugins.registry(), options.threads);
        folder.forgetFailure(id);
        return WorkResult::done;
    } catch (const Cancelled&) {
        return WorkResult::interrupted;
    } catch (const std::exception& error) {
        folder.setFailure(id, error.what());
        throw;
    }
}

} // namespace raphe
