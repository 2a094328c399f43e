// SPDX-License-Identifier: Apache-2.0
// Ceilings of one core (products, bandwidth of each level of memory, tanh) and how near to them the operations come
// that Raphe's networks are made of. BLAS is measured for comparison only: nothing else links it.
#include "ceilings.h"
#include "raphe/ops.h"

#include <benchmark/benchmark.h>
#include <cblas.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace raphe::ceilings {
namespace {

const auto rate = benchmark::Counter::kIsIterationInvariantRate;

void productEigen(benchmark::State& state) {
    const auto m = state.range(0), n = state.range(1), k = state.range(2);
    const Matrix<float> A = Matrix<float>::Random(m, k), B = Matrix<float>::Random(k, n);
    Matrix<float> C(m, n);
    for (auto _ : state) {
        C.noalias() = A * B;
        benchmark::DoNotOptimize(C.data());
        benchmark::ClobberMemory();
    }
    state.counters["FLOP/s"] = benchmark::Counter(2.0 * double(m * n * k), rate);
}
void productBlas(benchmark::State& state) {
    const auto m = static_cast<int>(state.range(0)), n = static_cast<int>(state.range(1)),
               k = static_cast<int>(state.range(2));
    const Matrix<float> A = Matrix<float>::Random(m, k), B = Matrix<float>::Random(k, n);
    Matrix<float> C(m, n);
    for (auto _ : state) {
        cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0f, A.data(), m, B.data(), k, 0.0f, C.data(),
                    m);
        benchmark::DoNotOptimize(C.data());
        benchmark::ClobberMemory();
    }
    state.counters["FLOP/s"] = benchmark::Counter(2.0 * m * double(n) * k, rate);
}
void multiplyAdd(benchmark::State& state) {
    float x[2] = {0.999f, 0};
    double operations = 0;
    for (auto _ : state) {
        operations = multiplyAdds(x);
        benchmark::DoNotOptimize(x);
        benchmark::ClobberMemory();
    }
    state.counters["FLOP/s"] = benchmark::Counter(operations, rate);
}

void reading(benchmark::State& state) {
    const Numbers x(static_cast<std::size_t>(state.range(0)) * 1024 / 4);
    for (auto _ : state) benchmark::DoNotOptimize(read(x));
    state.counters["bytes/s"] = benchmark::Counter(x.bytes(), rate);
}
void triads(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0)) * 1024 / 12;
    const Numbers a(count), b(count), c(count);
    for (auto _ : state) {
        triad(a, b, c);
        benchmark::ClobberMemory();
    }
    state.counters["bytes/s"] = benchmark::Counter(3 * a.bytes(), rate);
}
void updates(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0)) * 1024 / 8;
    const Numbers a(count), b(count);
    for (auto _ : state) {
        update(a, b);
        benchmark::ClobberMemory();
    }
    state.counters["bytes/s"] = benchmark::Counter(3 * a.bytes(), rate);
}

void tanhEigen(benchmark::State& state) {
    const auto count = state.range(0);
    const Eigen::ArrayXf x = 2 * Eigen::ArrayXf::Random(count);
    Eigen::ArrayXf y(count);
    for (auto _ : state) {
        y = x.tanh();
        benchmark::DoNotOptimize(y.data());
        benchmark::ClobberMemory();
    }
    state.counters["numbers/s"] = benchmark::Counter(double(count), rate);
}

/// y = tanh(W x + b), forwards and backwards, as on a tape.
void affineTanh(benchmark::State& state) {
    const int n = static_cast<int>(state.range(0)), columns = static_cast<int>(state.range(1));
    Numbers W(static_cast<std::size_t>(n * n)), Wbar(W.size()), b(static_cast<std::size_t>(n)), bbar(b.size());
    Tape<float> tape;
    tape.setRecording(true);
    for (auto _ : state) {
        tape.clear();
        const Value<float> w{&tape, W.data(), Wbar.data(), n, n}, bias{&tape, b.data(), bbar.data(), n, 1};
        auto x = tape.make(n, columns);
        x.array().setConstant(0.1f);
        auto y = affineActivation(Activation::tanh, w, x, bias, tape.make(n, columns));
        y.gradientArray().setConstant(1e-6f);
        tape.backward();
        benchmark::ClobberMemory();
    }
    state.counters["FLOP/s"] = benchmark::Counter(6.0 * n * double(n) * columns, rate);
}

void products(benchmark::internal::Benchmark* b) {
    b->ArgNames({"m", "n", "k"})
        ->Args({200, 15, 200})
        ->Args({200, 30, 200})
        ->Args({200, 200, 30})
        ->Args({512, 512, 512});
}
BENCHMARK(multiplyAdd);
BENCHMARK(productBlas)->Apply(products);
BENCHMARK(productEigen)->Apply(products);
BENCHMARK(affineTanh)->ArgNames({"units", "columns"})->Args({200, 15})->Args({200, 30});
constexpr int mebibyte = 1024;
BENCHMARK(reading)->ArgName("KiB")->Arg(24)->Arg(400)->Arg(640)->Arg(800)->Arg(6 * mebibyte)->Arg(256 * mebibyte);
BENCHMARK(triads)->ArgName("KiB")->Arg(24)->Arg(400)->Arg(640)->Arg(800)->Arg(6 * mebibyte)->Arg(256 * mebibyte);
BENCHMARK(updates)->ArgName("KiB")->Arg(24)->Arg(400)->Arg(640)->Arg(800)->Arg(6 * mebibyte)->Arg(256 * mebibyte);
BENCHMARK(tanhEigen)->ArgName("numbers")->Arg(3000)->Arg(6000);

/// Prints as usual, and keeps the best rate of each benchmark.
class Reporter final : public benchmark::ConsoleReporter {
public:
    Reporter() : ConsoleReporter(OO_Tabular) {}
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const auto& run : runs)
            for (const auto& [name, counter] : run.counters)
                best[run.run_name.function_name + "/" + run.run_name.args] =
                    std::max(best[run.run_name.function_name + "/" + run.run_name.args], double(counter));
        ConsoleReporter::ReportRuns(runs);
    }
    std::map<std::string, double> best;
};

void line(const std::map<std::string, double>& best, const std::string& what, const std::string& ceiling) {
    const auto a = best.find(what), b = best.find(ceiling);
    if (a == best.end() || b == best.end()) return; // left out by --benchmark_filter
    std::printf("%-46s %8.1f G/s   %5.1f %% of %s (%.1f)\n", what.c_str(), a->second * 1e-9,
                100 * a->second / b->second, ceiling.c_str(), b->second * 1e-9);
}

} // namespace
} // namespace raphe::ceilings

int main(int argc, char** argv) {
    using namespace raphe::ceilings;
    raphe::detail::pinBlockSizes();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    Reporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    std::printf("\nOne core; products and tanh in float32.\n");
    for (const char* size : {"m:200/n:15/k:200", "m:200/n:30/k:200", "m:200/n:200/k:30", "m:512/n:512/k:512"}) {
        line(reporter.best, std::string("productEigen/") + size, std::string("productBlas/") + size);
        line(reporter.best, std::string("productEigen/") + size, "multiplyAdd/");
    }
    line(reporter.best, "affineTanh/units:200/columns:15", "productEigen/m:200/n:15/k:200");
    line(reporter.best, "affineTanh/units:200/columns:30", "productEigen/m:200/n:30/k:200");
    for (const char* size : {"400", "640", "800", "6144", "262144"})
        line(reporter.best, std::string("updates/KiB:") + size, "updates/KiB:24");
    return 0;
}
