// SPDX-License-Identifier: Apache-2.0
// Passes of a gated recurrent layer over a span of 200 steps, as they occur in the updates of a recurrent policy, and
// what they amount to against the ceilings of this machine, measured in the same run. FLOP/s count the products of the
// recurrent and the input weights only: 2 for each number of W and U in a forward pass, 4 more in a backward pass (no
// gradient of the input).
#include "../../plugins/models/gru/gru.h"
#include "ceilings.h"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace raphe {
namespace {

enum class Pass { act, forward, learn };

/// One layer whose input is known in advance, swept the way the engine does.
class Layer final : private StepHost<float> {
public:
    Layer(int units, int inputs, int trials, int steps)
        : builder_(entryOf<Gru>().declaration, {inputs, units}, {true, false}, 1), trials_(trials), steps_(steps) {
        GruParams params;
        params.units = units;
        model_ = std::make_unique<Gru<float>>(params, builder_);
        Stream random(1, 0, 0, 0, 0);
        const auto fill = [&](std::vector<float>& numbers, int count, double spread) {
            numbers.resize(static_cast<std::size_t>(count));
            for (auto& x : numbers) x = static_cast<float>(spread * random.normal());
        };
        for (const auto& info : builder_.weights()) {
            weights_.emplace_back();
            fill(weights_.back(), info.rows * info.cols, 0.1);
            gradients_.emplace_back(weights_.back().size());
        }
        fill(input_, inputs * trials * steps, 1);
        fill(adjoint_, units * trials * steps, 1e-3);
        start_.resize(static_cast<std::size_t>(units * trials));
        for (std::size_t k = 0; k < weights_.size(); ++k) {
            const auto& info = builder_.weights()[k];
            frame_.weights.push_back({&tape_, weights_[k].data(), gradients_[k].data(), info.rows, info.cols});
        }
        for (int k : builder_.packedWeights()) {
            const auto& W = frame_.weights[static_cast<std::size_t>(k)];
            memory_.emplace_back(Packed<float>::size(W.rows, W.cols));
            frame_.packed.emplace_back(W.data, W.rows, W.cols, memory_.back().data());
        }
        frame_.inputs.resize(2);
        frame_.outputs.resize(2);
        for (auto* flags : {&frame_.intervened, &frame_.given, &frame_.remembered}) flags->assign(2, false);
        frame_.wired = {true, false};
        frame_.states.resize(1);
        frame_.next.resize(1);
        frame_.locals.resize(static_cast<std::size_t>(builder_.locals()));
        units_ = units;
        inputs_ = inputs;
    }

    void run(Pass pass) {
        const bool learn = pass == Pass::learn;
        frame_.states[0] = {&tape_, start_.data(), nullptr, units_, trials_};
        if (pass != Pass::act) return span(0, steps_, learn);
        for (int t = 0; t < steps_; ++t) {
            span(t, 1, false);
            std::copy_n(frame_.states[0].data, start_.size(), start_.data());
            frame_.states[0].data = start_.data();
        }
    }
    double operations(Pass pass) const {
        return (pass == Pass::learn ? 6.0 : 2.0) * 3 * units_ * double(units_ + inputs_) * trials_ * steps_;
    }

private:
    void span(int first, int count, bool learn) {
        tape_.clear();
        tape_.setRecording(learn);
        Step<float>::Window window{first, count, 0, count, trials_, 1, 1, 0, 0};
        const Value<float> input{&tape_, input_.data(), nullptr, inputs_, trials_ * steps_};
        frame_.inputs[0] = input.columns(first * trials_, count * trials_);
        frame_.outputs[1] = tape_.make(units_, count * trials_);
        if (learn) frame_.states[0].adjoint = tape_.zeros(start_.size());
        Step<float> whole(tape_, frame_, *this, window);
        model_->begin(whole);
        window.count = 1;
        for (int t = 0; t < count; ++t) {
            window.offset = t;
            frame_.inputs[0] = input.columns((first + t) * trials_, trials_);
            Step<float> s(tape_, frame_, *this, window);
            model_->step(s);
            frame_.states[0] = frame_.next[0];
        }
        if (!learn) return;
        std::copy_n(adjoint_.data(), adjoint_.size(), frame_.outputs[1].adjoint);
        tape_.backward();
    }
    void intervene(NodeFrame<float>&, int, Value<float>, Value<float>, int) override {}

    Builder builder_;
    std::unique_ptr<Gru<float>> model_;
    int trials_, steps_, units_ = 0, inputs_ = 0;
    std::vector<std::vector<float>> weights_, gradients_;
    std::vector<float> input_, adjoint_, start_;
    std::deque<ceilings::Numbers> memory_;
    Tape<float> tape_;
    NodeFrame<float> frame_;
};

void gru(benchmark::State& state, Pass pass) {
    constexpr int steps = 200;
    Layer layer(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), static_cast<int>(state.range(2)),
                steps);
    for (auto _ : state) {
        layer.run(pass);
        benchmark::ClobberMemory();
    }
    const auto rate = benchmark::Counter::kIsIterationInvariantRate;
    state.counters["FLOP/s"] = benchmark::Counter(layer.operations(pass), rate);
    state.counters["s/step"] = benchmark::Counter(steps, rate | benchmark::Counter::kInvert);
}

/// Prints as usual, and keeps the best rate of each benchmark.
class Reporter final : public benchmark::ConsoleReporter {
public:
    Reporter() : ConsoleReporter(OO_Tabular) {}
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const auto& run : runs) {
            if (run.run_type != Run::RT_Iteration || run.iterations == 0) continue;
            auto& kept = best[run.run_name.function_name + "/" + run.run_name.args];
            kept = std::max(kept, double(run.counters.at("FLOP/s")));
        }
        ConsoleReporter::ReportRuns(runs);
    }
    std::map<std::string, double> best;
};

} // namespace
} // namespace raphe

int main(int argc, char** argv) {
    using namespace raphe;
    detail::pinBlockSizes();
    for (const auto& [name, pass] :
         {std::pair{"act", Pass::act}, {"forward", Pass::forward}, {"forward and backward", Pass::learn}})
        benchmark::RegisterBenchmark(name, [pass = pass](benchmark::State& state) { gru(state, pass); })
            ->ArgNames({"units", "inputs", "columns"})
            ->Args({50, 3, 13})
            ->Args({50, 3, 25})
            ->Args({100, 5, 25})
            ->Args({75, 100, 25})
            ->Repetitions(3)
            ->Unit(benchmark::kMicrosecond);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    Reporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    const auto c = ceilings::measure();
    std::printf("\nCeilings of one core: multiply-add %.0f GFLOP/s, product of 512 x 512 %.0f GFLOP/s\n",
                c.multiplyAdd * 1e-9, c.gemm * 1e-9);
    for (const auto& [name, rate] : reporter.best)
        std::printf("%-52s %6.1f GFLOP/s  %5.1f %% of multiply-add  %5.1f %% of the product\n", name.c_str(),
                    rate * 1e-9, 100 * rate / c.multiplyAdd, 100 * rate / c.gemm);
    return 0;
}
