// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ceilings.h"

#include "raphe/plugin.h"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

/// Passes of a gated recurrent layer over a span of 200 steps, as they occur in the updates of a recurrent policy, and
/// what they amount to against the ceilings of this machine, measured in the same run. FLOP/s count the products of the
/// recurrent and the input weights only: 2 for each number of W and U in a forward pass, 4 more in a backward pass (no
/// gradient of the input).
namespace raphe::gated {

enum class Pass { act, forward, learn };

/// One layer whose input is known in advance, swept the way the engine does. Its first port is the input, the second
/// its state; all others are as large.
template <template <class> class C, class Params>
class Layer final : private StepHost<float> {
public:
    Layer(int units, int inputs, int trials, int steps)
        : declaration_(entryOf<C>().declaration), ports_(declaration_.ports.size()),
          builder_(declaration_, sizes(units, inputs), wired(), 1), trials_(trials), steps_(steps) {
        Params params;
        params.units = units;
        model_ = std::make_unique<C<float>>(params, builder_);
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
        for (const auto& state : builder_.states())
            start_.emplace_back(state.size() * static_cast<std::size_t>(trials));
        for (std::size_t k = 0; k < weights_.size(); ++k) {
            const auto& info = builder_.weights()[k];
            frame_.weights.push_back({&tape_, weights_[k].data(), gradients_[k].data(), info.rows, info.cols});
        }
        for (int k : builder_.packedWeights()) {
            const auto& W = frame_.weights[static_cast<std::size_t>(k)];
            memory_.emplace_back(Packed<float>::size(W.rows, W.cols));
            frame_.packed.emplace_back(W.data, W.rows, W.cols, memory_.back().data());
        }
        frame_.inputs.resize(ports_);
        frame_.outputs.resize(ports_);
        for (auto* flags : {&frame_.intervened, &frame_.given, &frame_.remembered}) flags->assign(ports_, false);
        frame_.wired = wired();
        frame_.states.resize(start_.size());
        frame_.next.resize(start_.size());
        frame_.links = builder_.links();
        frame_.means.resize(frame_.links.size());
        frame_.locals.resize(static_cast<std::size_t>(builder_.locals()));
        units_ = units;
        inputs_ = inputs;
    }

    void run(Pass pass) {
        const bool learn = pass == Pass::learn;
        for (std::size_t k = 0; k < start_.size(); ++k)
            frame_.states[k] = {&tape_, start_[k].data(), nullptr, units_, trials_};
        if (pass != Pass::act) return span(0, steps_, learn);
        for (int t = 0; t < steps_; ++t) {
            span(t, 1, false);
            for (std::size_t k = 0; k < start_.size(); ++k) {
                std::copy_n(frame_.states[k].data, start_[k].size(), start_[k].data());
                frame_.states[k].data = start_[k].data();
            }
        }
    }
    double operations(Pass pass) const {
        double numbers = 0;
        for (const auto& info : builder_.weights())
            if (info.cols > 1) numbers += double(info.rows) * info.cols;
        return (pass == Pass::learn ? 6.0 : 2.0) * numbers * trials_ * steps_;
    }

private:
    void span(int first, int count, bool learn) {
        tape_.clear();
        tape_.setRecording(learn);
        Step<float>::Window window{first, count, 0, count, trials_, 1, 1, 0, 0};
        const Value<float> input{&tape_, input_.data(), nullptr, inputs_, trials_ * steps_};
        frame_.inputs[0] = input.columns(first * trials_, count * trials_);
        for (std::size_t p = 1; p < ports_; ++p) frame_.outputs[p] = tape_.make(units_, count * trials_);
        for (std::size_t k = 0; learn && k < start_.size(); ++k)
            frame_.states[k].adjoint = tape_.zeros(start_[k].size());
        Step<float> whole(tape_, frame_, *this, window);
        model_->begin(whole);
        window.count = 1;
        for (int t = 0; t < count; ++t) {
            window.offset = t;
            frame_.inputs[0] = input.columns((first + t) * trials_, trials_);
            Step<float> s(tape_, frame_, *this, window);
            model_->step(s);
            frame_.states = frame_.next;
        }
        if (!learn) return;
        std::copy_n(adjoint_.data(), adjoint_.size(), frame_.outputs[1].adjoint);
        tape_.backward();
    }
    void intervene(NodeFrame<float>&, int, Value<float>, Value<float>, int) override {}

    std::vector<int> sizes(int units, int inputs) const {
        std::vector<int> result(ports_, units);
        result.front() = inputs;
        return result;
    }
    std::vector<bool> wired() const {
        std::vector<bool> result(ports_, false);
        result.front() = true;
        return result;
    }

    DeclarationData declaration_;
    std::size_t ports_;
    Builder builder_;
    std::unique_ptr<C<float>> model_;
    int trials_, steps_, units_ = 0, inputs_ = 0;
    std::vector<std::vector<float>> weights_, gradients_, start_;
    std::vector<float> input_, adjoint_;
    std::deque<ceilings::Numbers> memory_;
    Tape<float> tape_;
    NodeFrame<float> frame_;
};

template <template <class> class C, class Params>
void run(benchmark::State& state, Pass pass) {
    constexpr int steps = 200;
    Layer<C, Params> layer(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)),
                           static_cast<int>(state.range(2)), steps);
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

/// A benchmark program. @param sizes  units, inputs and columns of the layers to measure
template <template <class> class C, class Params>
int program(int argc, char** argv, const std::vector<std::vector<std::int64_t>>& sizes) {
    detail::pinBlockSizes();
    for (const auto& [name, pass] :
         {std::pair{"act", Pass::act}, {"forward", Pass::forward}, {"forward and backward", Pass::learn}})
        for (const auto& size : sizes)
            benchmark::RegisterBenchmark(name, [pass = pass](benchmark::State& state) { run<C, Params>(state, pass); })
                ->ArgNames({"units", "inputs", "columns"})
                ->Args(size)
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

} // namespace raphe::gated
