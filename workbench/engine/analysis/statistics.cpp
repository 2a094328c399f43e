// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/statistics.h"

#include "raphe/error.h"
#include "raphe/random.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace raphe::statistics {

namespace {

using Values = std::span<const double>;
constexpr int exactUpTo = 50; ///< values in a rank test

void require(Values values, std::size_t least, const char* what) {
    if (values.size() < least)
        throw Error(what,
                    fmt::format("expected at least {} value{}, got {}", least, least == 1 ? "" : "s", values.size()));
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!std::isfinite(values[i])) throw Error(what, fmt::format("value {} is not finite", i + 1));
}

double normalCdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

/// The inverse of normalCdf by bisection: as exact as the function itself, and nobody asks often.
double normalQuantile(double p) {
    double low = -40, high = 40;
    for (int i = 0; i < 100; ++i) {
        const double middle = (low + high) / 2;
        (normalCdf(middle) < p ? low : high) = middle;
    }
    return (low + high) / 2;
}

/// The interval from the statistic of resamples, of the sample, and of the sample without one value (all left out in
/// turn).
Interval corrected(std::vector<double> resampled, double observed, const std::vector<double>& without,
                   double confidence) {
    std::sort(resampled.begin(), resampled.end());
    const auto count = static_cast<double>(resampled.size());
    const auto [first, last] = std::equal_range(resampled.begin(), resampled.end(), observed);
    const double below =
        (static_cast<double>(first - resampled.begin()) + static_cast<double>(last - first) / 2) / count;
    if (below <= 0 || below >= 1) return {resampled.front(), resampled.back()};
    const double bias = normalQuantile(below);
    const double centre = mean(without);
    double squares = 0, cubes = 0;
    for (double x : without) {
        squares += (centre - x) * (centre - x);
        cubes += (centre - x) * (centre - x) * (centre - x);
    }
    const double acceleration = squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
    const auto end = [&](double probability) {
        const double z = bias + normalQuantile(probability);
        return sortedQuantile(resampled, normalCdf(bias + z / (1 - acceleration * z)));
    };
    return {end((1 - confidence) / 2), end((1 + confidence) / 2)};
}

double resampledMean(Values values, Stream& random) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
        sum += values[random.integer(static_cast<std::uint32_t>(values.size()))];
    return sum / static_cast<double>(values.size());
}

std::vector<double> meansWithoutOne(Values values) {
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    std::vector<double> result;
    for (double x : values) result.push_back((sum - x) / static_cast<double>(values.size() - 1));
    return result;
}

Stream resampling(std::uint32_t seed) { return Stream(seed, addressOf("bootstrap"), 0, 0, 0); }

/// Twice the midranks, which are whole numbers, and the sum of t^3 - t over groups of t equal values.
struct Ranks {
    std::vector<int> doubled;
    double ties = 0;
};
Ranks ranksOf(Values values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
    Ranks result{std::vector<int>(values.size())};
    for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
        while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
        for (std::size_t i = first; i < last; ++i) result.doubled[order[i]] = static_cast<int>(first + last + 1);
        const auto t = static_cast<double>(last - first);
        result.ties += t * t * t - t;
    }
    return result;
}

/// Two-sided p of a sum, given how many of the equally likely cases have which sum.
double exactP(const std::vector<double>& cases, int sum) {
    const auto at = cases.begin() + sum;
    const double all = std::accumulate(cases.begin(), cases.end(), 0.0),
                 lower = std::accumulate(cases.begin(), at + 1, 0.0), upper = std::accumulate(at, cases.end(), 0.0);
    return std::min(1.0, 2 * std::min(lower, upper) / all);
}

double normalP(double statistic, double expected, double variance) {
    if (variance <= 0) return 1;
    const double distance = std::max(0.0, std::abs(statistic - expected) - 0.5);
    return std::min(1.0, 2 * normalCdf(-distance / std::sqrt(variance)));
}

/// Seeds by which a difference of `effect` standard deviations is found at p < 0.05 (two-sided) in four of five
/// studies: the formula for normal deviates, over the efficiency 3/pi of rank tests. @param samples  1: pairs, 2: two
/// samples
void saySeeds(Comparison& c, double effect, int samples, std::size_t present) {
    constexpr int fewest[] = {0, 6, 4}; // below, no outcome of the rank test has p < 0.05
    if (!(effect > 0) || !std::isfinite(effect)) {
        c.seedsNeeded = effect > 0 ? fewest[samples] : 0;
    } else {
        const double alpha = normalQuantile(0.975), power = normalQuantile(0.8);
        const double seeds =
            (samples * std::pow((alpha + power) / effect, 2) + alpha * alpha / (2 * samples)) * std::acos(-1.0) / 3;
        c.seedsNeeded = seeds < 1e6 ? std::max(fewest[samples], static_cast<int>(std::ceil(seeds))) : 0;
    }
    if (c.seedsNeeded == 0)
        c.sentence = "there is no difference that more seeds could show";
    else
        c.sentence = fmt::format(
            "a difference of this size needs about {} {} to be found at p < 0.05 in four of five studies; there {} {}",
            c.seedsNeeded, samples == 1 ? "pairs of seeds" : "seeds a condition", present == 1 ? "is" : "are", present);
}

} // namespace

double sortedQuantile(const std::vector<double>& sorted, double q) {
    const double position = q * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<std::size_t>(position), high = std::min(low + 1, sorted.size() - 1);
    return sorted[low] + (position - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

std::vector<double> movingMean(const std::vector<double>& values, std::size_t width) {
    std::vector<double> result;
    result.reserve(values.size());
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isfinite(values[i])) {
            sum += values[i];
            ++count;
        }
        if (i >= width && std::isfinite(values[i - width])) {
            sum -= values[i - width];
            --count;
        }
        result.push_back(count > 0 ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN());
    }
    return result;
}

double mean(Values values) {
    require(values, 1, "mean");
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation(Values values) {
    require(values, 2, "deviation");
    const double centre = mean(values);
    double sum = 0;
    for (double x : values) sum += (x - centre) * (x - centre);
    return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double quantile(Values values, double q) {
    require(values, 1, "quantile");
    if (!(q >= 0 && q <= 1)) throw Error("quantile", fmt::format("expected a number from 0 to 1, got {}", q));
    std::vector<double> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    return sortedQuantile(sorted, q);
}

Interval bootstrapMean(Values values, double confidence, std::uint32_t seed, int resamples) {
    require(values, 2, "bootstrap");
    if (!(confidence > 0 && confidence < 1))
        throw Error("confidence", fmt::format("expected a number between 0 and 1, got {}", confidence));
    if (resamples < 100) throw Error("resamples", fmt::format("expected at least 100, got {}", resamples));
    auto random = resampling(seed);
    std::vector<double> means(static_cast<std::size_t>(resamples));
    for (double& m : means) m = resampledMean(values, random);
    return corrected(std::move(means), mean(values), meansWithoutOne(values), confidence);
}

Interval wilson(int successes, int trials, double confidence) {
    if (trials < 1 || successes < 0 || successes > trials)
        throw Error("success rate", fmt::format("expected 0 to {} successes of at least 1 trial, got {} of {}",
                                                std::max(trials, 0), successes, trials));
    if (!(confidence > 0 && confidence < 1))
        throw Error("confidence", fmt::format("expected a number between 0 and 1, got {}", confidence));
    const double n = trials, p = successes / n, z = normalQuantile((1 + confidence) / 2), z2 = z * z;
    const double centre = (p + z2 / (2 * n)) / (1 + z2 / n),
                 half = z / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

RankTest signedRanks(Values x, Values y) {
    require(x, 1, "rank test");
    require(y, 1, "rank test");
    if (x.size() != y.size())
        throw Error("rank test", fmt::format("expected pairs, got {} and {} values", x.size(), y.size()));
    std::vector<double> sizes;
    std::vector<char> positive;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (x[i] == y[i]) continue;
        sizes.push_back(std::abs(x[i] - y[i]));
        positive.push_back(x[i] > y[i]);
    }
    if (sizes.empty()) return {0, 1, true};
    const auto ranks = ranksOf(sizes);
    int sum = 0, total = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        total += ranks.doubled[i];
        if (positive[i]) sum += ranks.doubled[i];
    }
    if (sizes.size() > exactUpTo) {
        const auto n = static_cast<double>(sizes.size());
        return {sum / 2.0, normalP(sum / 2.0, n * (n + 1) / 4, n * (n + 1) * (2 * n + 1) / 24 - ranks.ties / 48),
                false};
    }
    std::vector<double> cases(static_cast<std::size_t>(total + 1));
    cases[0] = 1;
    for (int rank : ranks.doubled) // each difference could as well have had the other sign
        for (int s = total; s >= rank; --s)
            cases[static_cast<std::size_t>(s)] += cases[static_cast<std::size_t>(s - rank)];
    return {sum / 2.0, exactP(cases, sum), true};
}

RankTest rankSums(Values x, Values y) {
    require(x, 1, "rank test");
    require(y, 1, "rank test");
    std::vector<double> all(x.begin(), x.end());
    all.insert(all.end(), y.begin(), y.end());
    const auto ranks = ranksOf(all);
    const auto n = x.size(), m = y.size();
    const int sum = std::accumulate(ranks.doubled.begin(), ranks.doubled.begin() + static_cast<std::ptrdiff_t>(n), 0);
    const double u = sum / 2.0 - static_cast<double>(n * (n + 1)) / 2;
    if (all.size() > exactUpTo) {
        const auto a = static_cast<double>(n), b = static_cast<double>(m), N = a + b;
        return {u, normalP(u, a * b / 2, a * b / 12 * (N + 1 - ranks.ties / (N * (N - 1)))), false};
    }
    const int total = std::accumulate(ranks.doubled.begin(), ranks.doubled.end(), 0);
    const auto width = static_cast<std::size_t>(total + 1);
    std::vector<double> cases((n + 1) * width); // [how many were chosen][sum of their ranks]
    cases[0] = 1;
    for (int rank : ranks.doubled) // any n of the values could as well have been x
        for (std::size_t k = n; k > 0; --k)
            for (std::size_t s = width; s-- > static_cast<std::size_t>(rank);)
                cases[k * width + s] += cases[(k - 1) * width + s - static_cast<std::size_t>(rank)];
    return {u, exactP({cases.begin() + static_cast<std::ptrdiff_t>(n * width), cases.end()}, sum), true};
}

double cliffsDelta(Values x, Values y) {
    require(x, 1, "Cliff's delta");
    require(y, 1, "Cliff's delta");
    double sum = 0;
    for (double a : x)
        for (double b : y) sum += (a > b) - (a < b);
    return sum / (static_cast<double>(x.size()) * static_cast<double>(y.size()));
}

std::vector<double> holm(Values p) {
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = 0; i < p.size(); ++i)
        if (!(p[i] >= 0 && p[i] <= 1))
            throw Error("p values", fmt::format("expected numbers from 0 to 1, got {}", p[i]));
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return p[a] < p[b]; });
    std::vector<double> result(p.size());
    double least = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        least = std::max(least, std::min(1.0, static_cast<double>(order.size() - i) * p[order[i]]));
        result[order[i]] = least;
    }
    return result;
}

Comparison comparePaired(Values x, Values y, std::uint32_t seed) {
    if (x.size() != y.size())
        throw Error("comparison", fmt::format("expected pairs, got {} and {} values", x.size(), y.size()));
    require(x, 2, "comparison");
    require(y, 2, "comparison");
    std::vector<double> differences;
    for (std::size_t i = 0; i < x.size(); ++i) differences.push_back(x[i] - y[i]);
    Comparison result{
        mean(differences), bootstrapMean(differences, 0.95, seed), signedRanks(x, y), cliffsDelta(x, y), 0, {}};
    saySeeds(result, std::abs(result.difference) / deviation(differences), 1, x.size());
    return result;
}

Comparison compareSamples(Values x, Values y, std::uint32_t seed) {
    require(x, 2, "comparison");
    require(y, 2, "comparison");
    const double difference = mean(x) - mean(y);
    auto random = resampling(seed);
    std::vector<double> resampled(10000), without;
    for (double& d : resampled) {
        d = resampledMean(x, random);
        d -= resampledMean(y, random);
    }
    for (const auto& [values, sign] : {std::pair{x, 1}, {y, -1}})
        for (double m : meansWithoutOne(values)) {
            const auto n = static_cast<double>(values.size());
            without.push_back(difference + sign * (m - mean(values)) * (n - 1) / n);
        }
    Comparison result{
        difference, corrected(std::move(resampled), difference, without, 0.95), rankSums(x, y), cliffsDelta(x, y), 0,
        {}};
    const double variance = (std::pow(deviation(x), 2) + std::pow(deviation(y), 2)) / 2;
    saySeeds(result, std::abs(difference) / std::sqrt(variance), 2, std::min(x.size(), y.size()));
    return result;
}

} // namespace raphe::statistics
