// SPDX-License-Identifier: Apache-2.0
// Passes over the Hebbian traces of a plastic_rnn: one chunk of trials of the cue-reward task's size. Multiply the time
// by (trials of the batch / trials of the chunk) for one batch on one core.
#include "../unit/plugins/plastic_rnn_driver.h"

#include <benchmark/benchmark.h>

namespace raphe::plasticTest {
namespace {

enum class Pass { act, record, learn };

void sweep(benchmark::State& state, const std::string& rule, Pass pass) {
    const int trials = static_cast<int>(state.range(0)), span = static_cast<int>(state.range(1));
    const Sizes sizes{.inputs = 27, .hidden = 200, .trials = trials, .steps = 120};
    auto params = entry().declaration.defaults();
    params["rule"] = rule;
    Driver<float> driver(params, sizes);
    for (auto& weight : driver.weights)
        for (auto& x : weight) x *= 0.05f;
    driver.act(span, false);
    driver.learn(span);
    for (auto _ : state) {
        if (pass == Pass::act) benchmark::DoNotOptimize(driver.act(span, false));
        if (pass == Pass::record) driver.record(span);
        if (pass == Pass::learn) driver.learn(span);
    }
    // Squares of N x N numbers that a pass moves per step of each trial, and operations on each of their entries.
    const bool retroactive = rule == "retroactive";
    const double shared = 1.0 / std::min(trials, plastic::maxBlock), traces = retroactive ? 2 : 1;
    const double forward = 2 * traces + 2 * shared, backward = 3 * traces + 4 * shared;
    const double moved = pass == Pass::learn ? forward + backward : forward;
    const double operations = (pass == Pass::learn ? 28 : 8) * (retroactive ? 1.5 : 1.0);
    const double square = double(sizes.hidden) * plastic::paddedRows<float>(sizes.hidden),
                 stepsOfTrials = double(sizes.steps) * trials;
    const auto rate = benchmark::Counter::kIsIterationInvariantRate;
    if (rule != "none") {
        state.counters["bytes/s"] = benchmark::Counter(moved * square * sizeof(float) * stepsOfTrials, rate);
        state.counters["FLOP/s"] = benchmark::Counter(operations * sizes.hidden * sizes.hidden * stepsOfTrials, rate);
    }
    state.counters["ms/batch30"] = benchmark::Counter(1e-3 * trials / 30.0, rate | benchmark::Counter::kInvert);
}

void arguments(benchmark::internal::Benchmark* b) {
    b->ArgNames({"trials", "span"})
        ->Args({1, 11})
        ->Args({2, 11})
        ->Args({3, 11})
        ->Args({2, 120})
        ->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(sweep, simple_act, "simple", Pass::act)->Apply(arguments);
BENCHMARK_CAPTURE(sweep, simple_record, "simple", Pass::record)->Apply(arguments);
BENCHMARK_CAPTURE(sweep, simple_learn, "simple", Pass::learn)->Apply(arguments);
BENCHMARK_CAPTURE(sweep, retroactive_act, "retroactive", Pass::act)->Apply(arguments);
BENCHMARK_CAPTURE(sweep, retroactive_record, "retroactive", Pass::record)->Apply(arguments);
BENCHMARK_CAPTURE(sweep, retroactive_learn, "retroactive", Pass::learn)->Apply(arguments);
BENCHMARK_CAPTURE(sweep, none_act, "none", Pass::act)->Args({15, 11})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sweep, none_learn, "none", Pass::learn)->Args({15, 11})->Unit(benchmark::kMillisecond);

} // namespace
} // namespace raphe::plasticTest

BENCHMARK_MAIN();
