// SPDX-License-Identifier: Apache-2.0
#include "plastic_rnn_driver.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

// Not inlined: the compiler would take malloc and delete for a mismatched pair.
static std::atomic<long> allocations{0};

[[gnu::noinline]] void* operator new(std::size_t size) {
    ++allocations;
    if (void* result = std::malloc(size)) return result;
    throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
    ++allocations;
    const auto unit = static_cast<std::size_t>(alignment);
    if (void* result = std::aligned_alloc(unit, (size + unit - 1) / unit * unit)) return result;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* data) noexcept { std::free(data); }
[[gnu::noinline]] void operator delete(void* data, std::size_t) noexcept { std::free(data); }
[[gnu::noinline]] void operator delete(void* data, std::align_val_t) noexcept { std::free(data); }
[[gnu::noinline]] void operator delete(void* data, std::size_t, std::align_val_t) noexcept { std::free(data); }

namespace raphe::plasticTest {
namespace {

struct Variant {
    std::string rule, clip, alpha, fanOut;
    bool traceFirst;

    ParamValues params() const {
        auto values = entry().declaration.defaults();
        values["rule"] = rule;
        values["clip"] = clip;
        values["alpha"] = alpha;
        values["fan_out"] = fanOut;
        values["trace_first"] = traceFirst;
        values["clip_bound"] = 0.5; // within reach of a few steps
        return values;
    }
    template <class T>
    Driver<T> driver(Sizes sizes = {}) const {
        Driver<T> result(params(), sizes);
        result.decayingModulator = clip == "decay";
        return result;
    }
};

std::ostream& operator<<(std::ostream& out, const Variant& v) {
    return out << v.rule << "_" << v.clip << "_" << v.alpha << "_" << v.fanOut << (v.traceFirst ? "_traceFirst" : "");
}

/// Every combination that the declaration allows.
std::vector<Variant> variants() {
    std::vector<Variant> result;
    for (std::string rule : {"none", "plastic", "simple", "retroactive"})
        for (std::string clip : {"hard", "soft", "decay", "oja", "none"})
            for (std::string alpha : {"per_connection", "per_neuron", "single"})
                for (std::string fanOut : {"none", "per_neuron"})
                    for (bool traceFirst : {false, true}) {
                        const Variant v{rule, clip, alpha, fanOut, traceFirst};
                        if (rule == "none" && (clip != "hard" || alpha != "single")) continue; // neither matters there
                        if (entry().declaration.check(v.params()).empty()) result.push_back(v);
                    }
    return result;
}

struct Reference {
    std::vector<double> hidden, signal;
    std::vector<double> H, E; ///< at the end
};

/// The equations of the manual in plain loops.
/// @param sent  if given, what the units send each other instead of their activity: [step][trial][unit]
Reference reference(const Variant& v, const Driver<double>& d, const std::vector<double>* sent = nullptr) {
    const auto& sizes = d.sizes();
    const int inputs = sizes.inputs, N = sizes.hidden, trials = sizes.trials, steps = sizes.steps;
    const auto weight = [&](const std::string& name) -> const std::vector<double>* {
        for (std::size_t k = 0; k < d.weights.size(); ++k)
            if (d.weightInfos()[k].name == name) return &d.weights[k];
        return nullptr;
    };
    const auto initial = [&](const std::string& name, int b, int r, int c) {
        for (std::size_t k = 0; k < d.initial.size(); ++k) {
            const auto& info = d.stateInfos()[k];
            if (info.name == name)
                return d.initial[k][static_cast<std::size_t>(b) * info.size() +
                                    static_cast<std::size_t>(c * info.stride + r)];
        }
        return 0.0;
    };
    const auto &Win = *weight("input_weight"), &bin = *weight("input_bias"), &W = *weight("recurrent_weight");
    const bool plastic = v.rule != "none", retroactive = v.rule == "retroactive";
    const auto alpha = [&](int i, int j) {
        const auto& a = *weight("alpha");
        return a[static_cast<std::size_t>(v.alpha == "single" ? 0 : v.alpha == "per_neuron" ? i : j * N + i)];
    };
    const double bound = std::get<double>(v.params().at("clip_bound"));
    Reference result;
    result.hidden.resize(static_cast<std::size_t>(N * steps * trials));
    result.signal.resize(static_cast<std::size_t>(steps * trials));
    const auto square = static_cast<std::size_t>(N * N);
    for (int b = 0; b < trials; ++b) {
        std::vector<double> h, H(square), E(square);
        for (int i = 0; i < N; ++i) h.push_back(initial("hidden", b, i, 0));
        for (int j = 0; j < N && plastic; ++j)
            for (int i = 0; i < N; ++i) {
                H[static_cast<std::size_t>(j * N + i)] = initial("hebbian_trace", b, i, j);
                E[static_cast<std::size_t>(j * N + i)] = initial("eligibility", b, i, j);
            }
        for (int t = 0; t < steps; ++t) {
            const int column = t * trials + b;
            auto next = h;
            double sum = d.modulator[static_cast<std::size_t>(N)];
            for (int i = 0; i < N; ++i) {
                double z = bin[static_cast<std::size_t>(i)];
                for (int k = 0; k < inputs; ++k)
                    z += Win[static_cast<std::size_t>(k * N + i)] *
                         d.inputs[static_cast<std::size_t>(column * inputs + k)];
                for (int j = 0; j < N; ++j) {
                    const auto at = static_cast<std::size_t>(j * N + i);
                    const double from = sent && t > 0 ? (*sent)[static_cast<std::size_t>((column - trials) * N + j)]
                                                      : h[static_cast<std::size_t>(j)];
                    z += (W[at] + (plastic ? alpha(i, j) * H[at] : 0.0)) * from;
                }
                next[static_cast<std::size_t>(i)] = std::tanh(z);
                result.hidden[static_cast<std::size_t>(column * N + i)] = std::tanh(z);
                sum += d.modulator[static_cast<std::size_t>(i)] * std::tanh(z);
            }
            const double M = d.decayingModulator ? 1 / (1 + std::exp(-sum)) : std::tanh(sum);
            result.signal[static_cast<std::size_t>(column)] = M;
            for (int i = 0; i < N && plastic; ++i)
                for (int j = 0; j < N; ++j) {
                    const auto at = static_cast<std::size_t>(j * N + i);
                    const double D = next[static_cast<std::size_t>(i)] * h[static_cast<std::size_t>(j)],
                                 hi = next[static_cast<std::size_t>(i)];
                    double q = v.rule == "plastic" ? (*weight("eta"))[0] : M;
                    if (v.fanOut == "per_neuron")
                        q = (*weight("fan_gain"))[static_cast<std::size_t>(i)] * M +
                            (*weight("fan_bias"))[static_cast<std::size_t>(i)];
                    const double etaE = retroactive ? (*weight("eta_trace"))[0] : 0,
                                 newE = (1 - etaE) * E[at] + etaE * D;
                    const double increment = q * (!retroactive ? D : v.traceFirst ? newE : E[at]), old = H[at];
                    if (v.clip == "hard") H[at] = std::min(std::max(old + increment, -bound), bound);
                    if (v.clip == "soft")
                        H[at] = std::min(
                            std::max(old + std::max(increment, 0.0) * (1 - old) + std::min(increment, 0.0) * (1 + old),
                                     -bound),
                            bound);
                    if (v.clip == "decay") H[at] = (1 - q) * old + increment;
                    if (v.clip == "oja") H[at] = old + q * (D - hi * hi * old);
                    if (v.clip == "none") H[at] = old + increment;
                    E[at] = newE;
                }
            h = next;
        }
        result.H.insert(result.H.end(), H.begin(), H.end());
        result.E.insert(result.E.end(), E.begin(), E.end());
    }
    return result;
}

double difference(const std::vector<double>& a, const std::vector<double>& b) {
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
    return worst;
}
double largest(const std::vector<double>& a) {
    double result = 0;
    for (double x : a) result = std::max(result, std::abs(x));
    return result;
}
template <class T>
std::vector<double> dense(const Driver<T>& d, const std::string& name) {
    std::vector<double> result;
    const int N = d.sizes().hidden, stride = plastic::paddedRows<T>(N);
    for (int b = 0; b < d.sizes().trials; ++b)
        for (int j = 0; j < N; ++j)
            for (int i = 0; i < N; ++i) result.push_back(d.state(name)[(b * N + j) * stride + i]);
    return result;
}
template <class T>
std::vector<double> allGradients(const Driver<T>& d) {
    std::vector<double> result;
    for (const auto& g : d.gradients) result.insert(result.end(), g.begin(), g.end());
    result.insert(result.end(), d.modulatorGradient.begin(), d.modulatorGradient.end());
    result.insert(result.end(), d.inputGradient.begin(), d.inputGradient.end());
    for (const auto& g : d.initialGradient) result.insert(result.end(), g.begin(), g.end());
    return result;
}

class PlasticRnnVariant : public testing::TestWithParam<Variant> {};

TEST_P(PlasticRnnVariant, ComputesTheEquationsOfTheManual) {
    for (int hidden : {1, 5, 9, 16, 21})
        for (bool known : {true, false}) {
            auto d = GetParam().driver<double>({.hidden = hidden, .trials = hidden == 5 ? 4 : 3});
            d.inputKnown = known;
            d.act(1);
            const auto expected = reference(GetParam(), d);
            EXPECT_LT(difference(expected.hidden, d.hidden), 1e-12) << hidden;
            if (d.state("rate")) {
                EXPECT_LT(difference(expected.signal, d.signal), 1e-12);
            }
            if (d.state("hebbian_trace")) {
                EXPECT_LT(difference(expected.H, dense(d, "hebbian_trace")), 1e-12);
            }
            if (d.state("eligibility")) {
                EXPECT_LT(difference(expected.E, dense(d, "eligibility")), 1e-12);
            }
            const auto acted = d.hidden;
            d.learn(1);
            EXPECT_LT(difference(acted, d.hidden), 1e-13) << "what is recorded is not what was done";
        }
}

TEST_P(PlasticRnnVariant, HasAdjointsThatMatchCentralDifferences) {
    auto d = GetParam().driver<double>();
    const int span = d.sizes().steps;
    d.act(span);
    d.learn(span);
    const auto check = [&](std::vector<double>& numbers, const std::vector<double>& gradient, const std::string& name) {
        double worst = 0;
        const double scale = std::max(1e-2, largest(gradient));
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            constexpr double epsilon = 1e-6; // small enough that no entry crosses its bound
            const double value = numbers[i];
            numbers[i] = value + epsilon;
            const double above = d.act(span);
            numbers[i] = value - epsilon;
            const double below = d.act(span);
            numbers[i] = value;
            worst = std::max(worst, std::abs((above - below) / (2 * epsilon) - gradient[i]));
        }
        EXPECT_LT(worst / scale, 1e-6) << name;
    };
    const auto gradients = d.gradients, initialGradient = d.initialGradient;
    for (std::size_t k = 0; k < d.weights.size(); ++k) check(d.weights[k], gradients[k], d.weightInfos()[k].name);
    const auto modulatorGradient = d.modulatorGradient, inputGradient = d.inputGradient;
    if (d.state("rate")) check(d.modulator, modulatorGradient, "modulator");
    check(d.inputs, inputGradient, "input");
    for (std::size_t k = 0; k < d.initial.size(); ++k) {
        const auto& info = d.stateInfos()[k];
        if (info.name == "previous" || info.name == "rate" || info.stride != info.rows) continue; // padding must stay 0
        check(d.initial[k], initialGradient[k], info.name);
    }
    for (std::size_t k = 0; k < d.initial.size(); ++k) { // padded states: their numbers only
        const auto& info = d.stateInfos()[k];
        if (info.stride == info.rows) continue;
        for (int b = 0; b < d.sizes().trials; ++b)
            for (int c = 0; c < info.columns; ++c) {
                const auto at =
                    static_cast<std::size_t>(b) * info.size() + static_cast<std::size_t>(c * info.stride + c);
                constexpr double epsilon = 1e-6; // small enough that no entry crosses its bound
                const double value = d.initial[k][at];
                d.initial[k][at] = value + epsilon;
                const double above = d.act(span);
                d.initial[k][at] = value - epsilon;
                const double below = d.act(span);
                d.initial[k][at] = value;
                EXPECT_NEAR((above - below) / (2 * epsilon), initialGradient[k][at], 1e-6) << info.name;
            }
    }
}

TEST_P(PlasticRnnVariant, HasTheSameGradientForAnySpan) {
    auto d = GetParam().driver<double>({.hidden = 10, .trials = 3, .steps = 7});
    d.act(7);
    d.learn(7);
    const auto whole = allGradients(d);
    for (bool known : {true, false})
        for (int span : {1, 2, 3, 5}) {
            d.inputKnown = known;
            d.act(span);
            d.learn(span);
            EXPECT_LT(difference(whole, allGradients(d)) / std::max(1.0, largest(whole)), 1e-12) << "span " << span;
        }
}

TEST_P(PlasticRnnVariant, IsCloseInFloatAndDouble) {
    const Sizes sizes{.hidden = 18, .trials = 2, .steps = 5};
    auto d = GetParam().driver<double>(sizes);
    auto f = GetParam().driver<float>(sizes);
    // Small weights: no entry may come so near the bound that it is clipped in one type only.
    for (auto& w : d.weights)
        for (auto& x : w) x *= 0.3;
    for (auto& w : f.weights)
        for (auto& x : w) x *= 0.3f;
    d.act(2);
    f.act(2);
    EXPECT_LT(difference(d.hidden, {f.hidden.begin(), f.hidden.end()}), 2e-6);
    d.learn(2);
    f.learn(2);
    for (std::size_t k = 0; k < d.gradients.size(); ++k) {
        const double scale = std::max(1.0, largest(d.gradients[k]));
        EXPECT_LT(difference(d.gradients[k], {f.gradients[k].begin(), f.gradients[k].end()}) / scale, 1e-4)
            << d.weightInfos()[k].name;
    }
}

TEST_P(PlasticRnnVariant, TakesWhatUnitsSendEachOtherAsGivenWhereCreditIsLocal) {
    auto d = GetParam().driver<double>();
    d.credit = creditOf("local");
    for (auto& w : d.stateWeights) std::fill(w.begin(), w.end(), 0.0);
    const auto sent = reference(GetParam(), d).hidden;
    const auto loss = [&] {
        const auto r = reference(GetParam(), d, &sent);
        const double ofHidden = std::inner_product(r.hidden.begin(), r.hidden.end(), d.hiddenWeight.begin(), 0.0);
        return d.state("rate") ? std::inner_product(r.signal.begin(), r.signal.end(), d.signalWeight.begin(), ofHidden)
                               : ofHidden;
    };
    for (int span : {1, 4}) {
        d.act(span);
        d.learn(span);
        for (std::size_t k = 0; k < d.weights.size(); ++k) {
            const double scale = std::max(1e-2, largest(d.gradients[k]));
            for (std::size_t i = 0; i < d.weights[k].size(); ++i) {
                constexpr double epsilon = 1e-6;
                const double value = d.weights[k][i];
                d.weights[k][i] = value + epsilon;
                const double above = loss();
                d.weights[k][i] = value - epsilon;
                const double below = loss();
                d.weights[k][i] = value;
                ASSERT_NEAR((above - below) / (2 * epsilon) / scale, d.gradients[k][i] / scale, 1e-6)
                    << d.weightInfos()[k].name << " " << i << " span " << span;
            }
        }
    }
}

TEST_P(PlasticRnnVariant, AsksNothingOfTheHeapOnceWarm) {
    auto d = GetParam().driver<float>({.hidden = 20, .trials = 3, .steps = 6});
    for (int i = 0; i < 2; ++i) {
        d.act(3);
        d.learn(3);
    }
    const long before = allocations;
    d.act(3);
    d.learn(3);
    EXPECT_EQ(allocations - before, 0);
}

INSTANTIATE_TEST_SUITE_P(All, PlasticRnnVariant, testing::ValuesIn(variants()), [](const auto& test) {
    std::ostringstream name;
    name << test.param;
    return name.str();
});

long parameterCount(const std::string& rule) {
    auto params = entry().declaration.defaults();
    params["rule"] = rule;
    const Driver<double> d(params, {.inputs = 27, .hidden = 200, .trials = 1, .steps = 1});
    long count = 0;
    for (const auto& w : d.weights) count += static_cast<long>(w.size());
    return count;
}

TEST(PlasticRnnParameters, AreAsManyAsInThePublishedNetworks) {
    // Totals of the paper's cue task, less policy (402), value (201) and, where there is one, modulator (201).
    EXPECT_EQ(parameterCount("none"), 46203 - 402 - 201);
    EXPECT_EQ(parameterCount("plastic"), 86204 - 402 - 201);
    EXPECT_EQ(parameterCount("simple"), 86404 - 402 - 201 - 201);
    EXPECT_EQ(parameterCount("retroactive"), 86405 - 402 - 201 - 201);
}

TEST(PlasticRnnInput, WithoutALayerIsThatOfALayerOfOnes) {
    constexpr int N = 9;
    auto params = entry().declaration.defaults();
    params["rule"] = std::string("plastic");
    const Sizes sizes{.inputs = N, .hidden = N};
    Driver<double> layered(params, sizes);
    params["input_layer"] = false;
    params["input_gain"] = 20.0;
    Driver<double> plain(params, sizes);
    ASSERT_EQ(plain.weights.size() + 2, layered.weights.size());
    std::copy(plain.weights.begin(), plain.weights.end(), layered.weights.begin() + 2);
    auto &W = layered.weights[0], &b = layered.weights[1];
    std::fill(W.begin(), W.end(), 0.0);
    std::fill(b.begin(), b.end(), 0.0);
    for (std::size_t i = 0; i < N; ++i) W[i * N + i] = 20;
    for (auto* d : {&layered, &plain}) {
        for (auto& x : d->inputs) x *= 0.05;
        d->act(2);
        d->learn(2);
    }
    EXPECT_LT(difference(layered.hidden, plain.hidden), 1e-13);
    EXPECT_LT(difference(layered.inputGradient, plain.inputGradient), 1e-12);
    for (std::size_t k = 0; k < plain.gradients.size(); ++k)
        EXPECT_LT(difference(layered.gradients[k + 2], plain.gradients[k]), 1e-12);
}

TEST(PlasticRnnInput, WithoutALayerNeedsAUnitForEachNeuron) {
    auto params = entry().declaration.defaults();
    params["input_layer"] = false;
    params["rule"] = std::string("none");
    Builder builder(entry().declaration, {3, 1, 200}, {true, false, false}, 1);
    EXPECT_THROW(entry().makeDouble(params, builder), Error);
}

TEST(PlasticRnnParameters, ThatContradictEachOtherAreRefused) {
    const auto sentence = [](const std::string& key, const ParamValue& value, const std::string& rule) {
        auto params = entry().declaration.defaults();
        params["rule"] = rule;
        params[key] = value;
        return entry().declaration.check(params);
    };
    EXPECT_NE(sentence("clip", std::string("oja"), "retroactive"), "");
    EXPECT_NE(sentence("clip", std::string("decay"), "retroactive"), "");
    EXPECT_NE(sentence("fan_out", std::string("per_neuron"), "plastic"), "");
    EXPECT_NE(sentence("trace_first", true, "simple"), "");
    EXPECT_NE(sentence("input_gain", 20.0, "simple"), "");
    EXPECT_EQ(sentence("clip", std::string("soft"), "retroactive"), "");
}

TEST(PlasticRnnWiring, MustSuitTheRule) {
    const auto build = [](const std::string& rule, bool wired) {
        auto params = entry().declaration.defaults();
        params["rule"] = rule;
        Builder builder(entry().declaration, {2, 1, 200}, {true, wired, false}, 1);
        entry().makeDouble(params, builder);
    };
    EXPECT_THROW(build("simple", false), Error);
    EXPECT_THROW(build("retroactive", false), Error);
    EXPECT_THROW(build("plastic", true), Error);
    EXPECT_THROW(build("none", true), Error);
    EXPECT_NO_THROW(build("simple", true));
    EXPECT_NO_THROW(build("none", false));
}

} // namespace
} // namespace raphe::plasticTest
