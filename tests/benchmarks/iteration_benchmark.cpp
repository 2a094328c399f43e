// SPDX-License-Identifier: Apache-2.0
// Seconds of one training iteration of the published networks, at 1 and 2 threads, and what they amount to: scaling,
// and the plastic sweep's operations and bytes a second against the ceilings of this machine, measured in the same run.
#include "ceilings.h"
#include "engine/learning/session.h"
#include "engine/mechanisms/plugin_host.h"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace raphe {
namespace {

const std::vector<std::string> experiments{"cue_reward_none",  "cue_reward_plastic", "cue_reward_simple",
                                           "cue_reward_retro", "mwg_nm_rnn",         "mwg_lr_rnn",
                                           "mwg_lstm",         "nmn_biased_target"};
const std::string acting = "nmn_acting"; ///< the same trials without learning

PluginHost& plugins() {
    static PluginHost host = [] {
        PluginHost h;
        h.loadFolder(PLUGIN_FOLDER);
        return h;
    }();
    return host;
}

void iteration(benchmark::State& state, const std::string& name) {
    const auto& registry = plugins().registry();
    auto session =
        Session::create(loadExperiment(name, registry), registry, {static_cast<int>(state.range(0)), "tbb", 0});
    const auto begun = std::chrono::steady_clock::now(); // until memory and clocks have settled, and replay is full
    for (int i = 0; name == "nmn_biased_target" && i < 4; ++i) session->iterate();
    while (std::chrono::steady_clock::now() - begun < std::chrono::milliseconds(300)) session->iterate();
    for (auto _ : state) benchmark::DoNotOptimize(session->iterate());
}

void act(benchmark::State& state) {
    const auto& registry = plugins().registry();
    auto session = Session::create(loadExperiment("nmn_biased_target", registry), registry,
                                   {static_cast<int>(state.range(0)), "tbb", 0});
    session->evaluate({});
    for (auto _ : state) benchmark::DoNotOptimize(session->evaluate({}));
}

/// Prints as usual, and keeps the shortest time of each benchmark.
class Reporter final : public benchmark::ConsoleReporter {
public:
    Reporter() : ConsoleReporter(OO_None) {}
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const auto& run : runs) {
            if (run.run_type != Run::RT_Iteration || run.iterations == 0) continue;
            const double time = run.real_accumulated_time / double(run.iterations);
            auto& kept = best[run.run_name.function_name + "/" + run.run_name.args];
            kept = kept > 0 ? std::min(kept, time) : time;
        }
        ConsoleReporter::ReportRuns(runs);
    }
    double seconds(const std::string& name, int threads) const {
        const auto found = best.find(name + "/threads:" + std::to_string(threads));
        return found == best.end() ? 0 : found->second;
    }
    std::map<std::string, double> best;
};

/// What the sweeps over the traces of one iteration amount to: an acting, a recording and a backward pass. The trials
/// of a chunk (1 with two traces, else 2) share the loads of W and alpha.
struct Work {
    double operations, bytes;
};
Work workOf(const std::string& name) {
    const bool retroactive = name == "cue_reward_retro";
    const double hidden = 200, padded = 208, trials = 30, steps = 120, traces = retroactive ? 2 : 1,
                 shared = retroactive ? 1 : 0.5;
    const double forward = 2 * traces + 2 * shared, backward = 3 * traces + 4 * shared;
    return {(8 + 28) * (retroactive ? 1.5 : 1.0) * hidden * hidden * trials * steps,
            (2 * forward + backward) * hidden * padded * sizeof(float) * trials * steps};
}

/// The NMN's first benchmark: 50 trials of 1400 steps are run, 400 of each are trained on. Twice the parameters are
/// operations forwards, and twice that backwards.
void reportPolicyOptimisation(const Reporter& times) {
    constexpr double actor = 9592, critic = 9541, nodes = 12;
    constexpr double collect = 50 * 1400 * 2 * (actor + critic);
    constexpr double learn = 50 * 400 * (20 * 6 * actor + 30 * 6 * critic + 2 * actor + 3 * 2 * critic);
    for (const int threads : {1, 2}) {
        const double whole = times.seconds("nmn_biased_target", threads), loop = times.seconds(acting, threads);
        if (whole <= loop || loop <= 0) continue;
        std::printf("PPO at %d thread%s: acting %.1f GFLOP/s (%.0f ns for each node, step and chunk of 13 trials), "
                    "learning %.1f GFLOP/s\n",
                    threads, threads == 1 ? "" : "s", 1e-9 * collect / loop, 1e9 * loop * threads / (1400 * 4 * nodes),
                    1e-9 * learn / (whole - loop));
    }
}

void report(const Reporter& times) {
    std::printf("\n%-20s %12s %12s %9s\n", "experiment", "1 thread", "2 threads", "scaling");
    for (const auto& name : experiments) {
        const double one = times.seconds(name, 1), two = times.seconds(name, 2);
        if (one > 0 && two > 0)
            std::printf("%-20s %9.2f ms %9.2f ms %8.2fx\n", name.c_str(), 1e3 * one, 1e3 * two, one / two);
    }
    reportPolicyOptimisation(times);
    const double rest = times.seconds("cue_reward_none", 1);
    if (rest <= 0) return;
    const auto c = ceilings::measure();
    std::printf("\nCeilings of one core: multiply-add %.0f GFLOP/s, product of 512 x 512 %.0f GFLOP/s, update in L2 "
                "%.0f GB/s, in L3 %.0f GB/s\n",
                c.multiplyAdd * 1e-9, c.gemm * 1e-9, c.update2 * 1e-9, c.update3 * 1e-9);
    std::printf("Plastic sweep at 1 thread (time beyond cue_reward_none):\n");
    for (const char* name : {"cue_reward_plastic", "cue_reward_simple", "cue_reward_retro"}) {
        const double one = times.seconds(name, 1);
        if (one <= rest) continue;
        const auto work = workOf(name);
        const double flops = work.operations / (one - rest), bytes = work.bytes / (one - rest);
        std::printf("%-20s %6.1f GFLOP/s (%4.1f %% of multiply-add, %4.1f %% of product)  %6.1f GB/s (%4.1f %% of L2, "
                    "%4.1f %% of L3)\n",
                    name, flops * 1e-9, 100 * flops / c.multiplyAdd, 100 * flops / c.gemm, bytes * 1e-9,
                    100 * bytes / c.update2, 100 * bytes / c.update3);
    }
}

} // namespace
} // namespace raphe

int main(int argc, char** argv) {
    using namespace raphe;
    for (const auto& name : experiments)
        benchmark::RegisterBenchmark(name.c_str(), [name](benchmark::State& state) { iteration(state, name); })
            ->ArgName("threads")
            ->Arg(1)
            ->Arg(2)
            ->Repetitions(3)
            ->UseRealTime()
            ->MeasureProcessCPUTime()
            ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(acting.c_str(), act)
        ->ArgName("threads")
        ->Arg(1)
        ->Arg(2)
        ->Repetitions(3)
        ->UseRealTime()
        ->MeasureProcessCPUTime()
        ->Unit(benchmark::kMillisecond);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    Reporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    report(reporter);
    return 0;
}
