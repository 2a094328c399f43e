// SPDX-License-Identifier: Apache-2.0
// How fast a study with many runs is listed. Makes one of RAPHE_BENCHMARK_RUNS (10,000) small runs below the temporary
// folder, about 70 kB each, and removes them at the end:
//   study_list_benchmark
// "Listing" is what `raphe study status` does when it has started: it reads the document, knows every run by its
// identity, opens the index, looks at every folder for changes, and has the states and measures.
#include "engine/mechanisms/plugin_host.h"
#include "engine/runs/run_store.h"
#include "engine/studies/study_index.h"
#include "engine/studies/study_results.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>

namespace raphe {
namespace {

namespace fs = std::filesystem;

int wantedRuns() {
    const char* wanted = std::getenv("RAPHE_BENCHMARK_RUNS");
    return wanted ? std::max(4, std::atoi(wanted)) : 10'000;
}

/// Two variants at ten points.
Json documentOf(int runs) {
    auto document = Json::parse(R"({"raphe_study": 1, "name": "many", "set": {"iterations": 100},
        "variants": {"simple": {"experiment": "cue_small_A_simple"}, "none": {"experiment": "cue_small_A_none"}},
        "axes": {"agent.hidden": {"from": 10, "to": 100, "count": 10}},
        "measures": {"reward": "reward", "fresh": {"metric": "reward", "evaluate": {"trials": 200}}},
        "bars": [{"measure": "reward", "variant": "simple", "minus": "none", "above": 0, "p": 0.05}]})");
    document["seeds"] = std::max(1, runs / 20);
    return document;
}

void writeRun(const fs::path& folder, const StudyRun& run) {
    auto store = RunStore::create(folder, run.experiment().toJson().dump(2));
    store.setProvenance("seed", std::to_string(run.seed));
    store.setProvenance("start", "2026-11-20T09:30:00Z");
    store.setProvenance("run_hash", "0123456789abcdef0123456789abcdef");
    store.setProvenance("exit", "done");
    for (int i = 0; i < 100; ++i)
        store.appendMetrics({i, 0.1 * i, {{"reward", 0.1 * i}, {"loss", 1.0 / (i + 1)}, {"entropy", 0.5}}});
    store.commitCheckpoint(
        {99, {{"agent.weight", Tensor{{8, 8}, std::vector<double>(64, 0.5), Precision::float32}}}, "{}"});
}

class Many {
public:
    Many()
        : root_(fs::temp_directory_path() / fmt::format("raphe-study-list-{}", ::getpid())), folder_(root_ / "many") {
        for (const auto& found : PluginHost::defaultFolders()) plugins.loadFolder(found);
        study = studyFromJson(documentOf(wantedRuns()));
        plan = planOf(study, plugins.registry());
        folder_.prepare(study);
        std::vector<fs::path> kinds; // the others have the same bytes: making a run waits for the disk several times
        for (const auto& run : plan) {
            const auto path = folder_.run(run.id);
            fs::create_directories(path / "claim");
            if (kinds.size() < 100) {
                writeRun(path, run);
                const auto value = static_cast<double>(kinds.size());
                folder_.setMeasures(run.id, study.measures, {{"reward", std::sin(value)}, {"fresh", std::cos(value)}});
                fs::copy_file(path / "run.lock", path / "claim" / "run.lock");
                kinds.push_back(path);
                continue;
            }
            const auto& from = kinds[std::hash<std::string>()(run.id) % kinds.size()];
            for (const char* name : {"run.sqlite", "experiment.json", "run.lock", "measures.json", "claim/run.lock"})
                fs::copy_file(from / name, path / name);
        }
        ::usleep(200'000); // what was written just now does not count as settled
    }
    ~Many() {
        std::error_code ignored;
        fs::remove_all(root_, ignored);
    }
    const StudyFolder& folder() const { return folder_; }
    fs::path index() const { return root_ / "index"; }

    PluginHost plugins;
    Study study;
    std::vector<StudyRun> plan;

private:
    fs::path root_;
    StudyFolder folder_;
};

Many& many() {
    static Many made;
    return made;
}

void firstListing(benchmark::State& state) {
    auto& all = many();
    for (auto _ : state) {
        fs::remove(all.index());
        benchmark::DoNotOptimize(StudyIndex(all.folder(), all.index()).statuses(all.plan, all.study.measures));
    }
    state.counters["runs"] = static_cast<double>(all.plan.size());
}
BENCHMARK(firstListing)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();

void planning(benchmark::State& state) {
    auto& all = many();
    for (auto _ : state) benchmark::DoNotOptimize(planOf(all.study, all.plugins.registry(), PlanChecks::first));
}
BENCHMARK(planning)->Iterations(10)->Unit(benchmark::kMillisecond)->UseRealTime();

void listing(benchmark::State& state) {
    auto& all = many();
    std::size_t opened = 0, done = 0;
    for (auto _ : state) {
        const auto study = loadStudy((all.folder().path() / "study.json").string());
        const auto plan = planOf(study, all.plugins.registry(), PlanChecks::first);
        StudyIndex index(all.folder(), all.index());
        done = 0;
        for (const auto& status : index.statuses(plan, study.measures)) done += status.state == StudyRunState::done;
        opened = index.opened();
    }
    state.counters["opened"] = static_cast<double>(opened);
    state.counters["done"] = static_cast<double>(done);
}
BENCHMARK(listing)->Iterations(10)->Unit(benchmark::kMillisecond)->UseRealTime();

/// What a table computes beyond that.
void statistics(benchmark::State& state) {
    auto& all = many();
    std::vector<StudyRow> rows;
    const auto statuses = StudyIndex(all.folder(), all.index()).statuses(all.plan, all.study.measures);
    for (std::size_t i = 0; i < all.plan.size(); ++i) rows.push_back({&all.plan[i], statuses[i]});
    for (auto _ : state) {
        benchmark::DoNotOptimize(groupsOf(all.study, rows));
        benchmark::DoNotOptimize(pairsOf(all.study, rows));
        benchmark::DoNotOptimize(barsOf(all.study, rows));
    }
}
BENCHMARK(statistics)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();

} // namespace
} // namespace raphe

BENCHMARK_MAIN();
