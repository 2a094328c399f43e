// SPDX-License-Identifier: Apache-2.0
// Numbers in comments "SciPy" are the best of 27 Nelder-Mead searches (scipy.optimize.minimize, xatol 1e-11).
#include "engine/analysis/psychometric.h"

#include "raphe/error.h"
#include "raphe/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace raphe {
namespace {

using testing::HasSubstr;

const ChoiceCounts counts{{-2, -1, -0.5, 0, 0.5, 1, 2}, {2, 5, 9, 22, 30, 35, 39}, {40, 40, 40, 40, 40, 40, 40}};

PsychometricFit fit(const ChoiceCounts& counted, const PsychometricOptions& options, int threads = 1) {
    const auto executor = makeThreadExecutor(threads);
    return fitPsychometric(counted, options, *executor);
}
PsychometricOptions withoutIntervals() {
    PsychometricOptions options;
    options.resamples = 0;
    return options;
}

TEST(Psychometric, AgreesWithSciPy) {
    const auto both = fit(counts, withoutIntervals());
    EXPECT_NEAR(both.curve.threshold, -0.02024033684656666, 1e-7);
    EXPECT_NEAR(both.curve.slope, 2.320667590417419, 1e-6);
    EXPECT_NEAR(both.curve.lapse, 0.03004567950377858, 1e-7);
    EXPECT_EQ(both.curve.guess, both.curve.lapse);
    EXPECT_NEAR(both.logLikelihood, -114.59552683992231, 1e-10);
    auto options = withoutIntervals();
    options.guess = 0;
    const auto upper = fit(counts, options);
    EXPECT_NEAR(upper.curve.threshold, -0.0343866168988171, 1e-6);
    EXPECT_NEAR(upper.curve.slope, 1.896550537428261, 1e-5);
    EXPECT_NEAR(upper.curve.lapse, 0.00285391060224145, 1e-6);
    EXPECT_NEAR(upper.logLikelihood, -115.19022357948742, 1e-9);
    options.lapse = 0;
    const auto plain = fit(counts, options);
    EXPECT_NEAR(plain.curve.threshold, -0.02865776702216862, 1e-8);
    EXPECT_NEAR(plain.curve.slope, 1.8793916580474912, 1e-7);
    EXPECT_NEAR(plain.deviance, 2.172430033697026 + 2 * (115.19471844489692 - 115.19022357948742), 2e-2);
}

// Two levels determine a logistic function without lapse: log(p / (1 - p)) is -1.0986 at -1 and 1.0986 at 3.
TEST(Psychometric, OfTwoLevelsGoesThroughTheirShares) {
    auto options = withoutIntervals();
    options.guess = options.lapse = 0;
    const auto found = fit({{-1, 3}, {10, 30}, {40, 40}}, options);
    EXPECT_NEAR(found.curve.threshold, 1, 1e-9);
    EXPECT_NEAR(found.curve.slope, std::log(3) / 2, 1e-9);
    EXPECT_NEAR(found.deviance, 0, 1e-10);
    EXPECT_NEAR(found.curve.at(-1), 0.25, 1e-10);
    const auto falling = fit({{-1, 3}, {30, 10}, {40, 40}}, options);
    EXPECT_NEAR(falling.curve.slope, -std::log(3) / 2, 1e-9);
}

/// Counts that a known curve gives on average, with many trials.
ChoiceCounts expected(const PsychometricCurve& curve, int trials) {
    ChoiceCounts result;
    for (int i = -6; i <= 6; ++i) {
        result.level.push_back(10 + 4.0 * i);
        result.yes.push_back(static_cast<int>(std::lround(trials * curve.at(10 + 4.0 * i))));
        result.trials.push_back(trials);
    }
    return result;
}

TEST(Psychometric, FindsAKnownCurveInAnyUnit) {
    const PsychometricCurve known{12, 0.25, 0.06, 0.06};
    const auto found = fit(expected(known, 10'000'000), withoutIntervals());
    EXPECT_NEAR(found.curve.threshold, 12, 1e-5);
    EXPECT_NEAR(found.curve.slope, 0.25, 1e-6);
    EXPECT_NEAR(found.curve.lapse, 0.06, 1e-6);
    auto options = withoutIntervals();
    options.guess = 0.5;
    const auto forced = fit(expected({9, 0.3, 0.04, 0.5}, 10'000'000), options);
    EXPECT_NEAR(forced.curve.threshold, 9, 1e-4);
    EXPECT_NEAR(forced.curve.lapse, 0.04, 1e-5);
}

TEST(Psychometric, IntervalsAreTheSameForAnyNumberOfThreadsAndCoverTheTruth) {
    PsychometricOptions options;
    options.resamples = 200;
    const auto one = fit(counts, options, 1), three = fit(counts, options, 3);
    EXPECT_EQ(one.threshold.low, three.threshold.low);
    EXPECT_EQ(one.slope.high, three.slope.high);
    EXPECT_EQ(one.lapse.high, three.lapse.high);
    EXPECT_LT(one.threshold.low, one.curve.threshold);
    EXPECT_GT(one.threshold.high, one.curve.threshold);
    options.seed = 2;
    EXPECT_NE(fit(counts, options).threshold.low, one.threshold.low);

    // 95 % intervals of 40 experiments: about 38 cover the truth; 33 or fewer have probability 0.005.
    const PsychometricCurve known{0.3, 2, 0.05, 0.05};
    int covered = 0;
    for (std::uint32_t experiment = 0; experiment < 40; ++experiment) {
        Stream random(7, 1, experiment, 0, 0);
        ChoiceCounts drawn = counts;
        for (std::size_t i = 0; i < drawn.level.size(); ++i) {
            drawn.yes[i] = 0;
            for (int n = 0; n < drawn.trials[i]; ++n) drawn.yes[i] += random.uniform() < known.at(drawn.level[i]);
        }
        const auto found = fit(drawn, options);
        covered += found.threshold.low <= known.threshold && known.threshold <= found.threshold.high;
    }
    EXPECT_GE(covered, 34);
}

TEST(Psychometric, CountsTrials) {
    const auto counted = countChoices({1, -1, 1, 0, -1, 1}, {true, false, false, true, false, true});
    EXPECT_EQ(counted.level, (std::vector<double>{-1, 0, 1}));
    EXPECT_EQ(counted.yes, (std::vector<int>{0, 1, 2}));
    EXPECT_EQ(counted.trials, (std::vector<int>{2, 1, 3}));
}

TEST(Psychometric, SaysWhatIsWrongAndWhatToDo) {
    const auto says = [](const ChoiceCounts& counted, const std::string& words) {
        EXPECT_THAT([&] { fit(counted, withoutIntervals()); }, testing::ThrowsMessage<Error>(HasSubstr(words)));
    };
    says({{1}, {1}, {2}}, "expected at least two levels, got 1");
    says({{1, 2}, {3, 1}, {2, 2}}, "level 1: expected 0 to 2 answers of at least one trial, got 3");
    says({{2, 1}, {0, 1}, {2, 2}}, "ascending order");
    says({{1, 2, 3}, {1, 2, 3}, {2, 4, 6}}, "the same at all levels");
    says({{-1, 0, 1, 2}, {0, 0, 20, 20}, {20, 20, 20, 20}}, "switch at once between the levels 0 and 1");
}

} // namespace
} // namespace raphe
