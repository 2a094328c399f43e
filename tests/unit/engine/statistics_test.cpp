// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/statistics.h"

#include "raphe/error.h"
#include "raphe/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace raphe::statistics {
namespace {

using List = std::vector<double>;

TEST(Statistics, QuantilesAreInterpolated) {
    const List values{4, 1, 3, 2};
    EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
    EXPECT_DOUBLE_EQ(quantile(values, 0.25), 1.75);
    EXPECT_DOUBLE_EQ(median(values), 2.5);
    EXPECT_DOUBLE_EQ(quantile(values, 1), 4);
    EXPECT_DOUBLE_EQ(mean(values), 2.5);
    EXPECT_DOUBLE_EQ(deviation(values), std::sqrt(5.0 / 3));
}

// All 2^6 signs are equally likely; 21 = 1 + ... + 6 comes once, 20 once.
TEST(Statistics, SignedRanksCountTheSigns) {
    const List zero(6, 0.0);
    const auto all = signedRanks(List{1, 2, 3, 4, 5, 6}, zero);
    EXPECT_EQ(all.statistic, 21);
    EXPECT_DOUBLE_EQ(all.p, 2.0 / 64);
    EXPECT_TRUE(all.exact);
    EXPECT_DOUBLE_EQ(signedRanks(List{-1, 2, 3, 4, 5, 6}, zero).p, 4.0 / 64);
    EXPECT_DOUBLE_EQ(signedRanks(List{1, 1, 1}, List(3, 0.0)).p, 2.0 / 8) << "three equal differences";
    EXPECT_DOUBLE_EQ(signedRanks(List{1, 5, 2}, List{1, 3, 1}).p, 2.0 / 4) << "a difference of 0 is left out";
    EXPECT_EQ(signedRanks(zero, zero).p, 1);
}

TEST(Statistics, RankSumsCountTheChoices) {
    EXPECT_EQ(rankSums(List{1, 2, 3}, List{4, 5, 6}).statistic, 0);
    EXPECT_DOUBLE_EQ(rankSums(List{1, 2, 3}, List{4, 5, 6}).p, 2.0 / 20);
    EXPECT_DOUBLE_EQ(rankSums(List{1, 2, 4}, List{3, 5, 6}).p, 4.0 / 20);
    EXPECT_EQ(rankSums(List{5, 5}, List{5, 5, 5}).p, 1);
}

/// Two-sided p of the ranks of the first n values, by going through all choices of n.
double byCounting(const List& values, std::size_t n) {
    const auto rank = [&](double x) {
        double below = 0, equal = 0;
        for (double y : values) {
            below += y < x;
            equal += y == x;
        }
        return 2 * below + equal + 1;
    };
    double sum = 0, lower = 0, upper = 0, all = 0;
    for (std::size_t i = 0; i < n; ++i) sum += rank(values[i]);
    for (unsigned chosen = 0; chosen < 1u << values.size(); ++chosen) {
        double other = 0;
        std::size_t count = 0;
        for (std::size_t i = 0; i < values.size(); ++i)
            if (chosen >> i & 1) {
                other += rank(values[i]);
                ++count;
            }
        if (count != n) continue;
        ++all;
        lower += other <= sum;
        upper += other >= sum;
    }
    return std::min(1.0, 2 * std::min(lower, upper) / all);
}

TEST(Statistics, RankSumsAreExactWithTiesToo) {
    Stream random(3, 1, 0, 0, 0);
    for (int repeat = 0; repeat < 100; ++repeat) {
        List values(2 + random.integer(9));
        for (double& x : values) x = random.integer(5);
        const std::size_t n = 1 + random.integer(static_cast<std::uint32_t>(values.size() - 1));
        const std::span<const double> all(values);
        EXPECT_NEAR(rankSums(all.first(n), all.subspan(n)).p, byCounting(values, n), 1e-12);
    }
}

// The numbers of SciPy 1.17: wilcoxon and mannwhitneyu, exact and asymptotic; bootstrap with BCa, 200,000 resamples.
TEST(Statistics, AgreesWithSciPy) {
    const List a{1.1, 2.3, 0.4, 5.5, 3.2, 2.2, 7.1}, b{0.9, 2.9, 0.1, 4.1, 3.9, 1.0, 5.0};
    EXPECT_NEAR(signedRanks(a, b).p, 0.296875, 1e-12);
    EXPECT_EQ(rankSums(List(a.begin(), a.begin() + 5), b).statistic, 18);
    EXPECT_EQ(rankSums(List(a.begin(), a.begin() + 5), b).p, 1);
    List x, y;
    for (int i = 0; i < 60; ++i) {
        x.push_back((i * 37) % 101);
        y.push_back((i * 53 + 11) % 97 - 8);
    }
    EXPECT_FALSE(signedRanks(x, y).exact);
    EXPECT_NEAR(signedRanks(x, y).p, 0.05849406800548222, 1e-9);
    EXPECT_NEAR(rankSums(x, y).p, 0.09560451668519494, 1e-9);
    const List v{3.1, 2.7, 4.4, 9.8, 3.3, 2.9, 5.0, 4.1}, w{1.1, 2.0, 2.7, 1.3, 3.9, 2.2};
    const auto one = bootstrapMean(v);
    EXPECT_NEAR(one.low, 3.4125, 0.06);
    EXPECT_NEAR(one.high, 6.9, 0.15);
    const auto two = compareSamples(v, w).interval;
    EXPECT_NEAR(two.low, 0.971, 0.08);
    EXPECT_NEAR(two.high, 4.596, 0.15);
}

TEST(Statistics, BootstrapIntervalsHoldTheMeanAboutAsOftenAsTheySay) {
    Stream random(5, 2, 0, 0, 0);
    int held = 0;
    for (int repeat = 0; repeat < 300; ++repeat) {
        List values(20);
        for (double& x : values) x = std::exp(random.normal());
        const auto interval = bootstrapMean(values, 0.9, static_cast<std::uint32_t>(repeat), 1000);
        held += interval.low <= std::exp(0.5) && std::exp(0.5) <= interval.high;
    }
    EXPECT_GT(held, 300 * 0.75); // skewed and few: below 90 %, far above a wrong one
    EXPECT_LT(held, 300 * 0.95);
}

TEST(Statistics, BootstrapIsTheSameForTheSameSeed) {
    const List v{1, 4, 2, 8};
    EXPECT_EQ(bootstrapMean(v, 0.95, 7).low, bootstrapMean(v, 0.95, 7).low);
    const List many{1.17, 4.3, 2.71, 8.9, 3.14, 5.77, 6.02, 0.33, 9.41};
    EXPECT_NE(bootstrapMean(many, 0.95, 7, 1000).low, bootstrapMean(many, 0.95, 8, 1000).low);
    const auto same = bootstrapMean(List{2, 2, 2});
    EXPECT_EQ(same.low, 2);
    EXPECT_EQ(same.high, 2);
}

TEST(Statistics, SuccessRatesAndEffectsAndManyTests) {
    const auto rate = wilson(8, 10);
    EXPECT_NEAR(rate.low, 0.4902, 1e-4);
    EXPECT_NEAR(rate.high, 0.9433, 1e-4);
    EXPECT_EQ(wilson(0, 5).low, 0);
    EXPECT_EQ(wilson(5, 5).high, 1);
    EXPECT_DOUBLE_EQ(cliffsDelta(List{3, 4}, List{1, 3}), 0.75);
    EXPECT_THAT(holm(List{0.01, 0.04, 0.03, 0.005}),
                testing::ElementsAre(testing::DoubleEq(0.03), testing::DoubleEq(0.06), testing::DoubleEq(0.06),
                                     testing::DoubleEq(0.02)));
}

TEST(Statistics, SaysHowManySeedsADifferenceNeeds) {
    // One standard deviation between pairs: ((1.96 + 0.84)^2 + 1.96^2 / 2) pi / 3 = 10.2
    const auto paired = comparePaired(List{3, 1, 2}, List{1, 1, 1});
    EXPECT_DOUBLE_EQ(paired.difference, 1);
    EXPECT_EQ(paired.seedsNeeded, 11);
    EXPECT_THAT(paired.sentence, testing::HasSubstr("about 11 pairs of seeds"));
    EXPECT_EQ(comparePaired(List{1, 2}, List{2, 1}).seedsNeeded, 0);
    EXPECT_EQ(comparePaired(List{2, 3}, List{1, 2}).seedsNeeded, 6) << "fewer can never be significant";
    const auto samples = compareSamples(List{3, 1, 2}, List{2, 0, 1}); // (2 * 7.85 + 1.96^2 / 4) pi / 3 = 17.4
    EXPECT_EQ(samples.seedsNeeded, 18);
    EXPECT_EQ(samples.difference, 1);
}

TEST(Statistics, RefusesWhatSaysNothing) {
    EXPECT_THROW(mean(List{}), Error);
    EXPECT_THROW(deviation(List{1}), Error);
    EXPECT_THROW(median(List{1, NAN}), Error);
    EXPECT_THROW(quantile(List{1}, 1.5), Error);
    EXPECT_THROW(signedRanks(List{1, 2}, List{1}), Error);
    EXPECT_THROW(wilson(3, 2), Error);
    EXPECT_THROW(holm(List{1.5}), Error);
    EXPECT_THROW(comparePaired(List{1}, List{2}), Error);
}

} // namespace
} // namespace raphe::statistics
