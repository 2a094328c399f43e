// SPDX-License-Identifier: Apache-2.0
// How fast many runs are listed. Makes RAPHE_BENCHMARK_RUNS (10,000) small run folders below the temporary folder,
// about 70 kB each, and removes them at the end:
//   run_list_benchmark
// "Listing" is what a program does that starts: it opens the index, looks at every folder for changes, and has the
// list.
#include "engine/document/json_reader.h"
#include "engine/runs/run_filter.h"
#include "engine/runs/run_index.h"
#include "engine/runs/run_store.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace raphe {
namespace {

namespace fs = std::filesystem;

/// A run of an experiment with as many settings as a typical one.
void writeRun(const fs::path& folder, int kind) {
    Json params = Json::object();
    for (int i = 0; i < 24; ++i) params[fmt::format("parameter_{}", i)] = i < 3 ? kind * (i + 1) : i;
    const Json document = {{"raphe", 1},
                           {"name", fmt::format("experiment_{}", kind % 8)},
                           {"trials", 60},
                           {"iterations", 100},
                           {"nodes", {{"agent", {{"mechanism", "model.plastic_rnn"}, {"params", params}}}}}};
    auto store = RunStore::create(folder, document.dump(2));
    store.setProvenance("seed", std::to_string(kind));
    store.setProvenance("start", "2026-11-20T09:30:00Z");
    store.setProvenance("run_hash", "0123456789abcdef0123456789abcdef");
    store.setProvenance("exit", kind % 10 == 0 ? "interrupted" : "done");
    for (int i = 0; i < 100; ++i)
        store.appendMetrics({i, 0.1 * i, {{"reward", 0.1 * i + kind}, {"loss", 1.0 / (i + 1)}, {"entropy", 0.5}}});
    store.commitCheckpoint(
        {99, {{"agent.weight", Tensor{{8, 8}, std::vector<double>(64, 0.5), Precision::float32}}}, "{}"});
}

class Runs {
public:
    Runs() : root_(fs::temp_directory_path() / fmt::format("raphe-run-list-{}", ::getpid())) {
        const char* wanted = std::getenv("RAPHE_BENCHMARK_RUNS");
        const int count = wanted ? std::atoi(wanted) : 10'000, kinds = std::min(count, 100);
        for (int i = 0; i < count; ++i) {
            const auto folder = this->folder() / fmt::format("study_{:02}", i % 20) / fmt::format("run_{:05}", i);
            if (i < kinds) {
                writeRun(folder, i);
                first_.push_back(folder);
            } else { // the same bytes: making a run anew waits for the disk several times
                fs::create_directories(folder);
                for (const char* name : {"run.sqlite", "experiment.json", "run.lock"})
                    fs::copy_file(first_[static_cast<std::size_t>(i % kinds)] / name, folder / name);
            }
        }
        ::usleep(200'000); // what was written just now does not count as settled
    }
    ~Runs() {
        std::error_code ignored;
        fs::remove_all(root_, ignored);
    }
    fs::path folder() const { return root_ / "runs"; }
    fs::path index() const { return root_ / "index.sqlite"; }

private:
    fs::path root_;
    std::vector<fs::path> first_;
};

Runs& runs() {
    static Runs made;
    return made;
}

void firstIndexing(benchmark::State& state) {
    auto& all = runs();
    std::size_t count = 0;
    for (auto _ : state) {
        fs::remove(all.index());
        count = RunIndex(all.folder(), all.index()).refresh().size();
    }
    state.counters["runs"] = static_cast<double>(count);
}
BENCHMARK(firstIndexing)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();

void listing(benchmark::State& state) {
    auto& all = runs();
    std::size_t opened = 0;
    for (auto _ : state) {
        RunIndex index(all.folder(), all.index());
        benchmark::DoNotOptimize(index.refresh());
        opened = index.opened();
    }
    state.counters["opened"] = static_cast<double>(opened);
}
BENCHMARK(listing)->Iterations(10)->Unit(benchmark::kMillisecond)->UseRealTime();

void whatTheIndexKnows(benchmark::State& state) {
    auto& all = runs();
    for (auto _ : state) benchmark::DoNotOptimize(RunIndex(all.folder(), all.index()).known());
}
BENCHMARK(whatTheIndexKnows)->Iterations(10)->Unit(benchmark::kMillisecond)->UseRealTime();

/// What a window does again and again.
void lookingAgain(benchmark::State& state) {
    RunIndex index(runs().folder(), runs().index());
    index.refresh();
    for (auto _ : state) benchmark::DoNotOptimize(index.refresh());
}
BENCHMARK(lookingAgain)->Iterations(10)->Unit(benchmark::kMillisecond)->UseRealTime();

void filtering(benchmark::State& state) {
    const auto all = RunIndex(runs().folder(), runs().index()).refresh();
    const RunFilter filter("reward > 50 state = done experiment ~ experiment_3 parameter_5=5");
    for (auto _ : state) benchmark::DoNotOptimize(filter(all));
}
BENCHMARK(filtering)->Unit(benchmark::kMillisecond);

void filteringByAWord(benchmark::State& state) {
    const auto all = RunIndex(runs().folder(), runs().index()).refresh();
    const RunFilter filter("nowhere");
    for (auto _ : state) benchmark::DoNotOptimize(filter(all));
}
BENCHMARK(filteringByAWord)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace raphe

BENCHMARK_MAIN();
