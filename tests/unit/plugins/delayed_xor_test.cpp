// SPDX-License-Identifier: Apache-2.0
#include "tasks/delayed_xor/delayed_xor.h"
#include "tasks/pattern_generation/pattern_generation.h"

#include "model_driver.h"
#include "task_driver.h"

#include <gtest/gtest.h>

#include <numeric>

namespace raphe::test {
namespace {

struct Shown {
    std::vector<double> inputs[2];
    bool same = false;
    double masked = 0;
};
Shown play(TaskDriver<DelayedXor>& d, std::uint32_t trial) {
    d.begin(trial);
    Shown result;
    for (int t = 0; t < d.task().steps(); ++t, d.act()) {
        d.observe();
        for (std::size_t i = 0; i < 2; ++i) result.inputs[i].push_back(d.port("observation")[i]);
        EXPECT_EQ(d.port("target")[0] + d.port("target")[1], 1);
        EXPECT_EQ(d.port("mask")[0], t + 1 == d.task().steps() ? 1 : 0);
        result.same = d.port("target")[1] == 1;
        result.masked += d.port("mask")[0];
    }
    return result;
}
double sum(const std::vector<double>& x, std::size_t from, std::size_t to) {
    return std::accumulate(x.begin() + static_cast<std::ptrdiff_t>(from), x.begin() + static_cast<std::ptrdiff_t>(to),
                           0.0);
}

// Of the specification: a bump of 100 steps sums to 118.700, one of 10 to 10.997.
TEST(DelayedXor, ShowsCuesOfTheSpecifiedSizeInTheirWindows) {
    for (const auto& [cue, delay, expected] : {std::tuple{100, 700, 118.700}, {10, 70, 10.997}}) {
        TaskDriver<DelayedXor> d({{"cue", integer(cue)}, {"delay", integer(delay)}, {"noise", 0.0}});
        ASSERT_EQ(d.task().steps(), 2 * cue + delay);
        const auto window = static_cast<std::size_t>(cue), steps = static_cast<std::size_t>(2 * cue + delay);
        int seen[2][2] = {};
        for (std::uint32_t trial = 0; trial < 60; ++trial) {
            const auto shown = play(d, trial);
            EXPECT_EQ(shown.masked, 1);
            bool cued[2];
            for (std::size_t i = 0; i < 2; ++i) {
                const std::size_t from = i == 0 ? 0 : steps - window;
                const double bump = sum(shown.inputs[i], from, from + window) - 0.02 * cue;
                cued[i] = bump > 1;
                EXPECT_NEAR(bump, cued[i] ? expected : 0, 5e-4);
                EXPECT_NEAR(sum(shown.inputs[i], 0, steps) - bump, 0.02 * static_cast<double>(steps), 1e-9)
                    << "nothing outside of the window";
            }
            EXPECT_EQ(shown.same, cued[0] == cued[1]);
            ++seen[cued[0]][cued[1]];
        }
        for (const auto& row : seen)
            for (int count : row) EXPECT_GT(count, 0) << "all four kinds of trials";
    }
}

TEST(DelayedXor, HasHalfOfItsTrialsInEachClassAndFreshNoise) {
    TaskDriver<DelayedXor> d({{"cue", integer(2)}, {"delay", integer(1)}});
    constexpr int trials = 4000;
    int same = 0;
    double squares = 0;
    for (std::uint32_t trial = 0; trial < trials; ++trial) {
        const auto shown = play(d, trial);
        same += shown.same;
        squares += std::pow(shown.inputs[0][2] - 0.02, 2); // in the delay
        EXPECT_NE(shown.inputs[0][2], shown.inputs[1][2]);
    }
    EXPECT_NEAR(same, trials / 2, 4 * std::sqrt(trials / 4.0));
    EXPECT_NEAR(std::sqrt(squares / trials), 0.01, 4 * 0.01 / std::sqrt(2.0 * trials));
}

TEST(PatternGeneration, IsTheSameInEveryTrialAndHasTheStatedFrequencies) {
    TaskDriver<PatternGeneration> d({{"steps", integer(2000)},
                                     {"components", integer(2)},
                                     {"lowest", 1.0},
                                     {"highest", 3.0},
                                     {"inputs", integer(3)}});
    std::vector<double> target[2], noise[2];
    for (std::uint32_t trial : {0u, 1u}) {
        d.begin(trial, trial + 1);
        for (int t = 0; t < 2000; ++t, d.act()) {
            d.observe();
            target[trial].push_back(d.port("target")[0]);
            noise[trial].insert(noise[trial].end(), d.port("observation").begin(), d.port("observation").end());
        }
    }
    EXPECT_EQ(target[0], target[1]);
    EXPECT_EQ(noise[0], noise[1]);
    const double squares = std::inner_product(noise[0].begin(), noise[0].end(), noise[0].begin(), 0.0);
    EXPECT_NEAR(squares / 6000, 1, 4 * std::sqrt(2.0 / 6000));
    for (double frequency : {1.0, 2.0, 3.0}) { // two whole seconds: sinusoids of whole frequencies are orthogonal
        double c = 0, s = 0;
        for (int t = 0; t < 2000; ++t) {
            c += target[0][static_cast<std::size_t>(t)] * std::cos(2 * M_PI * frequency * t * 0.001) / 1000;
            s += target[0][static_cast<std::size_t>(t)] * std::sin(2 * M_PI * frequency * t * 0.001) / 1000;
        }
        EXPECT_NEAR(std::hypot(c, s), frequency == 2 ? 0 : 1, 1e-9) << frequency;
    }
}

} // namespace
} // namespace raphe::test
