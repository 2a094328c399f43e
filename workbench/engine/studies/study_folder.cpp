// SPDX-License-Identifier: Apache-2.0
#include "engine/studies/study_folder.h"

#include "engine/base/files.h"
#include "engine/base/text.h"
#include "engine/document/variants.h"
#include "engine/learning/changed_session.h"
#include "engine/mechanisms/plugin_host.h"
#include "engine/runs/hash.h"
#include "engine/runs/run.h"
#include "engine/runs/run_list.h"
#include "engine/runs/run_reader.h"
#include "engine/runs/run_store.h"
#include "engine/runs/writer_lock.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

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

Error noMetric(const StudyMeasure& measure, const std::vector<std::string>& names) {
    return {"measures." + measure.name,
            fmt::format("the {} has no metric \"{}\"{}", measure.evaluated ? "evaluation" : "training", measure.metric,
                        suggestion(measure.metric, names))};
}

void requireMetric(const StudyMeasure& measure, const NamedNumbers& metrics) {
    std::vector<std::string> names;
    for (const auto& [name, value] : metrics) {
        if (name == measure.metric) return;
        names.push_back(name);
    }
    throw noMetric(measure, names);
}

/// Ends a training after its first iteration if it measures nothing of what the study asks for.
class MeasuresExist final : public SessionObserver {
public:
    MeasuresExist(const std::vector<StudyMeasure>& measures, SessionObserver* next)
        : measures_(measures), next_(next) {}
    void onIteration(Session& session, const IterationReport& report) override {
        if (next_) next_->onIteration(session, report);
        if (std::exchange(checked_, true)) return;
        std::optional<NamedNumbers> evaluated;
        for (const auto& measure : measures_) {
            if (measure.evaluated && !evaluated) evaluated = session.evaluate({1, {}, {}, 0}).metrics;
            requireMetric(measure, measure.evaluated ? *evaluated : report.metrics);
        }
    }
    void onProgress(Session& session, double fraction) override {
        if (next_) next_->onProgress(session, fraction);
    }
    void onCheck(Session& session, const CheckReport& report) override {
        if (next_) next_->onCheck(session, report);
    }
    void onPaused(Session& session) override {
        if (next_) next_->onPaused(session);
    }
    void onResumed(Session& session) override {
        if (next_) next_->onResumed(session);
    }

private:
    const std::vector<StudyMeasure>& measures_;
    SessionObserver* next_;
    bool checked_ = false;
};

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
    if (std::find(names.begin(), names.end(), measure.metric) == names.end()) throw noMetric(measure, names);
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
    requireMetric(measure, result.metrics);
    return std::find_if(result.metrics.begin(), result.metrics.end(),
                        [&](const auto& metric) { return metric.first == measure.metric; })
        ->second;
}

std::int64_t hashOf(const Json& definition) { return Hash().add(definition.dump()).low(); }

void takeMeasures(const StudyFolder& folder, const std::string& id, const Study& study, const Experiment& experiment,
                  const Registry& registry, int threads) {
    auto values = statusOf(folder.record(id), study.measures).measures; // those that are there already
    const auto reader = RunReader::open(folder.run(id));
    for (const auto& measure : study.measures)
        if (!values.contains(measure.name))
            values[measure.name] = measure.evaluated
                                       ? evaluationMeasure(measure, folder.run(id), experiment, registry, threads)
                                       : trainingMeasure(reader, measure);
    folder.setMeasures(id, study.measures, values);
}

} // namespace

StudyRunStatus statusOf(const StudyRunRecord& record, const std::vector<StudyMeasure>& measures) {
    StudyRunStatus status{record.state, record.iterations, {}, record.hash, record.problem};
    if (record.state != StudyRunState::trained) return status;
    for (const auto& measure : measures) {
        const auto definition = hashOf(measure.definition);
        for (const auto& kept : record.measures)
            if (kept.name == measure.name && kept.definition == definition) status.measures[kept.name] = kept.value;
    }
    if (status.measures.size() == measures.size()) status.state = StudyRunState::done;
    return status;
}

namespace {

/// The study's document with copies of the experiments that do not come with Raphe, so that the folder stands for the
/// study wherever it lies.
class KeptDocument {
public:
    KeptDocument(const Study& study, fs::path folder)
        : document(study.document), from_(study.folder), folder_(std::move(folder)) {
        keep(document);
        if (document.contains("variants"))
            for (auto& [name, variant] : document["variants"].items()) keep(variant);
    }
    Json document;

private:
    void keep(Json& change) {
        if (!change.contains("experiment")) return;
        const auto path = fs::weakly_canonical(findBase(change["experiment"].get<std::string>(), from_));
        const auto packaged = fs::weakly_canonical(resourceFolder() / "experiments"), own = folder_ / "experiments";
        if (path.parent_path() == packaged || path.parent_path() == fs::weakly_canonical(own)) return;
        auto& name = names_[path];
        if (name.empty()) {
            name = path.stem().string();
            for (int other = 2; !used_.insert(name).second; ++other)
                name = fmt::format("{}_{}", path.stem().string(), other);
            fs::create_directories(own);
            writeAtomically(own / (name + ".json"), readExtended(path).dump(2) + "\n");
        }
        change["experiment"] = "experiments/" + name;
    }
    fs::path from_, folder_;
    std::map<fs::path, std::string> names_;
    std::set<std::string> used_;
};

} // namespace

void requireFolderOf(const Study& study, const StudyFolder& folder) {
    const auto kept = folder.path() / "study.json";
    std::error_code none;
    if (!fs::exists(kept, none)) return;
    std::string name;
    try {
        name = readJson(kept).value("name", std::string());
    } catch (const std::exception&) {
        return; // damaged: it is written anew
    }
    if (name != study.name)
        throw Error(
            folder.path().string(),
            fmt::format("holds the study \"{}\", not \"{}\"; choose another folder with --out", name, study.name));
}

void StudyFolder::prepare(const Study& study) const {
    requireFolderOf(study, *this);
    std::error_code error;
    fs::create_directories(path_ / "runs", error);
    if (error)
        throw Error(path_.string(),
                    fmt::format("cannot be made ({}); choose another folder with --out", error.message()));
    writeAtomically(path_ / "study.json", KeptDocument(study, path_).document.dump(2) + "\n");
}

void StudyFolder::prepare(const Study& study, const StudyRun& run) const {
    std::error_code error;
    fs::create_directories(this->run(run.id), error);
    writeAtomically(
        this->run(run.id) / "work.json",
        Json{{"experiment", run.experiment().toJson()}, {"measures", study.document.value("measures", Json::object())}}
                .dump() +
            "\n");
}

StudyRunRecord StudyFolder::record(const std::string& id) const {
    StudyRunRecord record;
    const auto path = run(id);
    std::error_code none;
    try {
        const bool there = RunStore::holdsRun(path);
        std::string state;
        if (there) {
            const auto entry = runEntry(path);
            state = entry.state;
            record.iterations = entry.iterations;
            record.hash = entry.hash;
            if (state == "unreadable") record.problem = entry.problem;
        }
        if (claimed(id)) {
            record.state = StudyRunState::running;
        } else if (fs::exists(path / "failure.json", none)) {
            record.state = StudyRunState::failed;
            record.problem = readJson(path / "failure.json").value("problem", std::string());
        } else if (state == "unreadable") {
            record.state = StudyRunState::failed;
        } else if (state == "done") {
            record.state = StudyRunState::trained;
            const auto document = measuresJson(path);
            for (const auto& [name, kept] : document.at("values").items())
                record.measures.push_back({name, hashOf(kept.value("definition", Json())),
                                           kept.at("value").is_number() ? kept["value"].get<double>() : NAN});
        } else if (there) {
            record.state = StudyRunState::interrupted;
        }
    } catch (const std::exception& error) {
        record.state = StudyRunState::failed;
        record.problem = error.what();
    }
    return record;
}

void StudyFolder::setMeasures(const std::string& id, const std::vector<StudyMeasure>& measures,
                              const std::map<std::string, double>& values) const {
    auto document = measuresJson(run(id));
    Json all = Json::object();
    for (const auto& measure : measures)
        if (const auto found = values.find(measure.name); found != values.end())
            all[measure.name] = {{"definition", measure.definition},
                                 {"value", std::isfinite(found->second) ? Json(found->second) : Json()}};
    for (const auto& [name, value] : document["values"].items()) // those of an older or another document
        if (!all.contains(name)) all[name] = value;
    writeAtomically(run(id) / "measures.json", Json{{"values", all}}.dump(1) + "\n");
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

std::vector<std::string> StudyFolder::strays(const std::vector<StudyRun>& plan) const {
    std::set<std::string> known;
    for (const auto& run : plan) known.insert(run.id);
    std::vector<std::string> result;
    std::error_code none;
    for (fs::directory_iterator item(path_ / "runs", none), end; !none && item != end; item.increment(none)) {
        auto id = item->path().filename().string();
        if (item->is_directory(none) && !item->is_symlink(none) &&
            (id.starts_with(removedPrefix) || !id.starts_with('.')) && !known.contains(id))
            result.push_back(std::move(id));
    }
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
            MeasuresExist observer(study.measures, options.observer);
            if (!runExperiment(experiment, plugins, run, &observer, options.started).completed)
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
