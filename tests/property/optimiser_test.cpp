// SPDX-License-Identifier: Apache-2.0
// The optimisers against their published formulas, number by number.
#include "engine/learning/optimiser.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>
#include <memory>
#include <random>

namespace raphe::test {
namespace {

/// One number under an optimiser, as the papers write it.
struct Scalar {
    double w = 0, m = 0, v = 0;
    void step(const OptimiserParams& p, double g, int t) {
        if (p.optimiser == "sgd") {
            m = p.momentum * m + g + p.weightDecay * w;
            w -= p.learningRate * m;
            return;
        }
        const double before = w;
        if (p.optimiser == "adam") g += p.weightDecay * w;
        m = p.beta1 * m + (1 - p.beta1) * g;
        v = p.beta2 * v + (1 - p.beta2) * g * g;
        const double mean = m / (1 - std::pow(p.beta1, t)), square = v / (1 - std::pow(p.beta2, t));
        w -= p.learningRate * mean / (std::sqrt(square) + p.epsilon);
        if (p.optimiser == "adamw") w -= p.learningRate * p.weightDecay * before;
    }
};

std::vector<ParameterInfo> twoTensors(bool secondTrainable) {
    ParameterInfo a{"a", 0, 0, 3, 5, 0, true}, b{"b", 0, 1, 7, 1, 16, secondTrainable};
    return {a, b};
}
constexpr std::size_t size = 32;

double global(const std::vector<double>& g) {
    double sum = 0;
    for (double x : g) sum += x * x;
    return std::sqrt(sum);
}

TEST(Optimiser, FollowsTheFormulas) {
    EXPECT_TRUE(rc::check("any settings", [] {
        OptimiserParams p;
        p.optimiser = *rc::gen::element<std::string>("sgd", "adam", "adamw");
        p.learningRate = *rc::gen::element(1e-3, 0.1);
        p.momentum = *rc::gen::element(0.0, 0.9);
        p.weightDecay = *rc::gen::element(0.0, 1e-2);
        p.clipNorm = *rc::gen::element(0.0, 1.0, 1e3);
        p.clipValue = *rc::gen::element(0.0, 0.3);
        p.burnIn = *rc::gen::inRange(0, 3);
        p.stateResetEvery = *rc::gen::element(0, 4);
        const bool both = *rc::gen::arbitrary<bool>();
        std::mt19937 random(*rc::gen::arbitrary<unsigned>());
        std::normal_distribution<double> normal;

        const auto tensors = twoTensors(both);
        Optimiser<double> optimiser(size);
        AlignedArray<double> weights(size), gradient(size);
        std::vector<Scalar> expected(size);
        for (std::size_t i = 0; i < size; ++i) weights[i] = expected[i].w = normal(random);
        int t = 0;
        for (int iteration = 0; iteration < 12; ++iteration) {
            std::vector<double> g(size);
            for (std::size_t i = 0; i < size; ++i) gradient[i] = g[i] = normal(random);
            std::vector<std::size_t> entries;
            for (const auto& tensor : tensors)
                for (std::size_t i = 0; i < tensor.size() && tensor.trainable; ++i)
                    entries.push_back(tensor.offset + i);
            std::vector<double> trained;
            for (auto i : entries) trained.push_back(g[i]);
            const double norm = global(trained);
            const double reported = optimiser.step(p, weights, gradient, tensors, iteration);
            RC_ASSERT(std::abs(reported - norm) <= 1e-12 * norm);
            if (iteration >= p.burnIn) {
                if (p.stateResetEvery > 0 && iteration > p.burnIn && (iteration - p.burnIn) % p.stateResetEvery == 0) {
                    for (auto& s : expected) s.m = s.v = 0;
                    t = 0;
                }
                ++t;
                for (auto& x : trained)
                    if (p.clipValue > 0) x = std::max(-p.clipValue, std::min(p.clipValue, x));
                const double scale = p.clipNorm > 0 ? std::min(1.0, p.clipNorm / (global(trained) + 1e-6)) : 1.0;
                for (std::size_t k = 0; k < entries.size(); ++k) expected[entries[k]].step(p, scale * trained[k], t);
            }
            for (std::size_t i = 0; i < size; ++i)
                RC_ASSERT(std::abs(weights[i] - expected[i].w) <= 1e-12 * std::max(1.0, std::abs(expected[i].w)));
        }
    }));
}

std::shared_ptr<UpdateForm> blocks(int count, std::vector<double> matrix) {
    auto form = std::make_shared<UpdateForm>();
    form->blocks = count;
    form->matrix = std::move(matrix);
    return form;
}

/// One tensor of 4 rows and 3 columns, stepped along random gradients.
std::vector<double> stepped(const OptimiserParams& p, const ParameterInfo& info, const std::vector<double>& factors,
                            const std::function<void(std::vector<double>&)>& change = {}) {
    Optimiser<double> optimiser(size);
    AlignedArray<double> weights(size), gradient(size);
    Stream random(3, 0, 0, 0, 0);
    for (std::size_t i = 0; i < 12; ++i) weights[i] = random.normal();
    for (int step = 0; step < 5; ++step) {
        std::vector<double> g(12);
        for (auto& x : g) x = random.normal();
        if (change) change(g);
        std::copy(g.begin(), g.end(), gradient.data());
        optimiser.step(p, weights, gradient, {info}, step, 0, factors.empty() ? nullptr : factors.data());
    }
    return {weights.data(), weights.data() + 12};
}

OptimiserParams settings(const char* name) {
    OptimiserParams p;
    p.optimiser = name;
    p.learningRate = 0.1;
    p.momentum = 0.9;
    p.weightDecay = 0.05;
    return p;
}
const ParameterInfo plainTensor{"a", 0, 0, 4, 3, 0, true};

TEST(Optimiser, PreconditionsBeforeAnythingElse) {
    auto info = plainTensor;
    info.form = blocks(2, {2, -1, 0.5, 3});
    for (const char* name : {"sgd", "adam", "adamw"}) {
        const auto p = settings(name);
        const auto expected = stepped(p, plainTensor, {}, [](std::vector<double>& g) {
            auto old = g;
            for (std::size_t c = 0; c < 3; ++c)
                for (std::size_t r = 0; r < 2; ++r) {
                    g[4 * c + r] = 2 * old[4 * c + r] - old[4 * c + 2 + r];
                    g[4 * c + 2 + r] = 0.5 * old[4 * c + r] + 3 * old[4 * c + 2 + r];
                }
        });
        const auto got = stepped(p, info, {});
        for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(got[i], expected[i], 1e-12) << name;
        EXPECT_NE(got, stepped(p, plainTensor, {})) << name;
    }
}

TEST(Optimiser, ScalesChangesByUnit) {
    auto info = plainTensor;
    info.form = blocks(1, {});
    info.rowFactors = 0;
    info.columnFactors = 4;
    const std::vector<double> factors{1, 0, 0.5, 2, /* columns */ 1, 3, 0};
    for (const char* name : {"sgd", "adam", "adamw"}) {
        auto p = settings(name);
        const auto start = [&] {
            auto still = p;
            still.learningRate = 0;
            return stepped(still, plainTensor, {});
        }();
        const auto got = stepped(p, info, factors), whole = stepped(p, plainTensor, {});
        for (std::size_t c = 0; c < 3; ++c)
            for (std::size_t r = 0; r < 4; ++r) {
                const double factor = factors[r] * factors[4 + c];
                const auto i = 4 * c + r;
                if (factor == 0) EXPECT_EQ(got[i], start[i]) << name << ": nothing is left of a change times 0";
                if (factor == 1) EXPECT_EQ(got[i], whole[i]) << name;
                if (factor > 0 && factor != 1) EXPECT_NE(got[i], whole[i]) << name;
            }
        // Without decay the sum of changes is proportional to the factor, for Adam as well.
        p.weightDecay = 0;
        const auto scaled = stepped(p, info, factors), all = stepped(p, plainTensor, {});
        for (std::size_t c = 0; c < 3; ++c)
            for (std::size_t r = 0; r < 4; ++r)
                EXPECT_NEAR(scaled[4 * c + r] - start[4 * c + r],
                            factors[r] * factors[4 + c] * (all[4 * c + r] - start[4 * c + r]), 1e-12)
                    << name;
    }
}

TEST(Optimiser, ScalesChangesOfWholeTensors) {
    auto info = plainTensor;
    auto form = blocks(1, {});
    form->rate = 0.1;
    info.form = form;
    auto slower = settings("sgd");
    slower.learningRate *= 0.1;
    const auto got = stepped(settings("sgd"), info, {}), expected = stepped(slower, plainTensor, {});
    for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(got[i], expected[i], 1e-12);
}

TEST(Optimiser, LeavesFrozenTensorsAlone) {
    OptimiserParams p;
    p.weightDecay = 0.1;
    const auto tensors = twoTensors(false);
    Optimiser<float> optimiser(size);
    AlignedArray<float> weights(size), gradient(size);
    for (std::size_t i = 0; i < size; ++i) weights[i] = gradient[i] = 1.0f;
    optimiser.step(p, weights, gradient, tensors, 0);
    EXPECT_NE(weights[0], 1.0f);
    for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(weights[16 + i], 1.0f);
}

} // namespace
} // namespace raphe::test
