// SPDX-License-Identifier: Apache-2.0
// The optimisers against their published formulas, number by number.
#include "engine/learning/optimiser.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

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
