// SPDX-License-Identifier: Apache-2.0
// A layer whose weights are a point on a manifold, forwards and backwards over a chunk of images, as in the training of
// the ellipse on turned digits, and what it amounts to against the ceilings of this machine, measured in the same run.
// FLOP/s count the products only: 2 for each number of the K stacked matrices and column forwards, 2 for the gradient
// of the weights, and 2 for that of the input where it is wanted.
#include "../../plugins/models/manifold_dense/manifold_dense.h"
#include "ceilings.h"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace raphe {
namespace {

class Layer final : private StepHost<float> {
public:
    Layer(int units, int inputs, int points, int trials, bool inputGradient)
        : units_(units), inputs_(inputs), points_(points), trials_(trials), inputGradient_(inputGradient),
          builder_(entryOf<ManifoldDense>().declaration, {inputs, points, units}, {true, true, false}, 1) {
        ManifoldDenseParams params;
        params.units = units;
        params.activation = "relu";
        model_ = std::make_unique<ManifoldDense<float>>(params, builder_);
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
        fill(input_, inputs * trials, 1);
        fill(point_, points * trials, 1);
        fill(adjoint_, units * trials, 1e-3);
        inputAdjoint_.resize(input_.size());
        for (std::size_t k = 0; k < weights_.size(); ++k) {
            const auto& info = builder_.weights()[k];
            frame_.weights.push_back({&tape_, weights_[k].data(), gradients_[k].data(), info.rows, info.cols});
        }
        frame_.inputs.resize(3);
        frame_.outputs.resize(3);
        for (auto* flags : {&frame_.intervened, &frame_.given, &frame_.remembered}) flags->assign(3, false);
        frame_.wired = {true, true, false};
    }

    void run() {
        tape_.clear();
        tape_.setRecording(true);
        const Step<float>::Window window{0, 1, 0, 1, trials_, 1, 1, 0, 0};
        frame_.inputs[0] = {&tape_, input_.data(), inputGradient_ ? inputAdjoint_.data() : nullptr, inputs_, trials_};
        frame_.inputs[1] = {&tape_, point_.data(), nullptr, points_, trials_};
        frame_.outputs[2] = tape_.make(units_, trials_);
        Step<float> step(tape_, frame_, *this, window);
        model_->step(step);
        std::copy_n(adjoint_.data(), adjoint_.size(), frame_.outputs[2].adjoint);
        tape_.backward();
    }
    double operations() const { return (inputGradient_ ? 6.0 : 4.0) * points_ * units_ * double(inputs_) * trials_; }

private:
    void intervene(NodeFrame<float>&, int, Value<float>, Value<float>, int) override {}

    int units_, inputs_, points_, trials_;
    bool inputGradient_;
    Builder builder_;
    std::unique_ptr<ManifoldDense<float>> model_;
    std::vector<std::vector<float>> weights_, gradients_;
    std::vector<float> input_, point_, adjoint_, inputAdjoint_;
    Tape<float> tape_;
    NodeFrame<float> frame_;
};

void manifold(benchmark::State& state) {
    Layer layer(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), static_cast<int>(state.range(2)),
                static_cast<int>(state.range(3)), state.range(4) != 0);
    for (auto _ : state) {
        layer.run();
        benchmark::ClobberMemory();
    }
    state.counters["FLOP/s"] = benchmark::Counter(layer.operations(), benchmark::Counter::kIsIterationInvariantRate);
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
    benchmark::RegisterBenchmark("layer", manifold)
        ->ArgNames({"units", "inputs", "points", "columns", "input_gradient"})
        ->Args({64, 784, 3, 50, 0})
        ->Args({64, 784, 3, 100, 0})
        ->Args({64, 784, 1, 50, 0})
        ->Args({64, 196, 2, 50, 0})
        ->Args({196, 64, 2, 50, 1})
        ->Args({10, 64, 3, 50, 1})
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
        std::printf("%-72s %6.1f GFLOP/s  %5.1f %% of multiply-add  %5.1f %% of the product\n", name.c_str(),
                    rate * 1e-9, 100 * rate / c.multiplyAdd, 100 * rate / c.gemm);
    return 0;
}
