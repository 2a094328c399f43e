// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// What is said of runs that differ in their seed: how large, how sure, how many more.
/// All functions throw Error where there are too few values, or values that are not finite.
namespace raphe::statistics {

double mean(std::span<const double> values);
/// Standard deviation of the population that the values were drawn from (divided by n - 1). At least two values.
double deviation(std::span<const double> values);
/// The q-quantile, 0 <= q <= 1, interpolated linearly between its neighbours (type 7 of Hyndman and Fan 1996).
double quantile(std::span<const double> values, double q);
/// The same of values that are in order already. @pre there is one
double sortedQuantile(const std::vector<double>& sorted, double q);
/// Means over the last `width` values, of those that are finite; NaN where there is none.
std::vector<double> movingMean(const std::vector<double>& values, std::size_t width);
inline double median(std::span<const double> values) { return quantile(values, 0.5); }

struct Interval {
    double low, high;
};
/// Bias-corrected and accelerated bootstrap interval of the mean (Efron 1987). The same seed gives the same interval.
Interval bootstrapMean(std::span<const double> values, double confidence = 0.95, std::uint32_t seed = 1,
                       int resamples = 10000);
/// Interval of a success rate (Wilson 1927). @param successes  of `trials`, 0 <= successes <= trials, trials >= 1
Interval wilson(int successes, int trials, double confidence = 0.95);

/// A rank test, two-sided. Exact (the permutation distribution of the ranks, ties included) as long as `exact`, else by
/// the normal approximation with corrections for ties and continuity.
struct RankTest {
    double statistic; ///< signed ranks: their sum over positive differences; rank sums: Mann and Whitney's U of x
    double p;
    bool exact;
};
/// Wilcoxon's signed rank test of x[i] - y[i]; differences of 0 are left out. Without any other, p = 1.
RankTest signedRanks(std::span<const double> x, std::span<const double> y);
/// Mann and Whitney's test of two samples.
RankTest rankSums(std::span<const double> x, std::span<const double> y);
/// Cliff's delta: P(x > y) - P(x < y), from -1 to 1.
double cliffsDelta(std::span<const double> x, std::span<const double> y);
/// p values adjusted for their number (Holm 1979), in the order given.
std::vector<double> holm(std::span<const double> p);

/// Two conditions compared, over pairs (the same seeds) or over two samples.
struct Comparison {
    double difference; ///< mean of x - mean of y
    Interval interval; ///< of the difference, bootstrap, 95 %; for two samples, both are resampled
    RankTest test;
    double delta;         ///< Cliff's
    int seedsNeeded;      ///< seeds a condition at which a difference like this is found at p < 0.05 in four of five
                          ///< studies; 0: none
    std::string sentence; ///< the last in words
};
/// @throws Error  unless x and y have the same number of values, at least two
Comparison comparePaired(std::span<const double> x, std::span<const double> y, std::uint32_t seed = 1);
Comparison compareSamples(std::span<const double> x, std::span<const double> y, std::uint32_t seed = 1);

} // namespace raphe::statistics
