// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/psychometric.h"

#include "raphe/error.h"
#include "raphe/random.h"

#include <Eigen/Dense>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace raphe {
namespace {

using Vector = Eigen::Vector3d; ///< threshold, slope, lapse
enum { thresholdAt, slopeAt, lapseAt };

constexpr double leastShare = 1e-12; ///< and the most is 1 minus this, so that likelihoods are finite
constexpr double steepest = 50;      ///< times the levels' smallest distance: a switch at once
constexpr double beyond = 3;         ///< the threshold is sought up to so many half ranges from the levels' middle
constexpr double mostDraws = 2e9;
constexpr int refinedStarts = 2, mostIterations = 300;

double logistic(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

/// The likelihood over levels that are scaled to [-1, 1].
class Likelihood {
public:
    Likelihood(const ChoiceCounts& counts, const PsychometricOptions& options)
        : trials_(counts.trials), yes_(counts.yes.begin(), counts.yes.end()), options_(options) {
        middle_ = (counts.level.front() + counts.level.back()) / 2;
        half_ = (counts.level.back() - counts.level.front()) / 2;
        double gap = 2;
        for (std::size_t i = 0; i < counts.level.size(); ++i) {
            level_.push_back((counts.level[i] - middle_) / half_);
            if (i > 0) gap = std::min(gap, level_[i] - level_[i - 1]);
        }
        low_ = {-beyond, -steepest / gap, options.lapse.value_or(0)};
        high_ = {beyond, steepest / gap, options.lapse.value_or(options.mostLapse)};
    }

    /// The same levels with other counts.
    Likelihood with(std::vector<double> yes) const {
        Likelihood other = *this;
        other.yes_ = std::move(yes);
        return other;
    }
    const std::vector<int>& trials() const { return trials_; }

    PsychometricCurve curve(const Vector& p) const {
        return {middle_ + half_ * p[thresholdAt], p[slopeAt] / half_, p[lapseAt], guess(p)};
    }
    double share(const Vector& p, std::size_t i) const {
        return std::clamp(guess(p) + (1 - guess(p) - p[lapseAt]) * logistic(p[slopeAt] * (level_[i] - p[thresholdAt])),
                          leastShare, 1 - leastShare);
    }
    double value(const Vector& p) const {
        double sum = 0;
        for (std::size_t i = 0; i < level_.size(); ++i) {
            const double share = this->share(p, i);
            sum += yes_[i] * std::log(share) + (trials_[i] - yes_[i]) * std::log1p(-share);
        }
        return sum;
    }
    bool steep(const Vector& p) const { return p[slopeAt] <= low_[slopeAt] || p[slopeAt] >= high_[slopeAt]; }
    bool outside(const Vector& p) const { return std::abs(p[thresholdAt]) >= beyond; }

    /// @param also  a further start
    Vector best(const Vector* also = nullptr) const {
        std::vector<std::pair<double, Vector>> starts;
        const auto add = [&](const Vector& p) { starts.emplace_back(value(p), p); };
        for (const double threshold : {-0.5, 0.0, 0.5})
            for (const double slope : {-16.0, -4.0, -1.0, 1.0, 4.0, 16.0})
                for (const double part : {0.0, 0.25})
                    add({threshold, std::clamp(slope, low_[slopeAt], high_[slopeAt]),
                         low_[lapseAt] + part * (high_[lapseAt] - low_[lapseAt])});
        std::stable_sort(starts.begin(), starts.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
        starts.resize(refinedStarts);
        if (also) add(*also);
        Vector best;
        double most = -INFINITY;
        for (const auto& [first, start] : starts) {
            const Vector end = climb(start);
            if (const double reached = value(end); reached > most) {
                most = reached;
                best = end;
            }
        }
        return best;
    }

private:
    double guess(const Vector& p) const { return options_.guess.value_or(p[lapseAt]); }

    void derive(const Vector& p, Vector& gradient, Eigen::Matrix3d& information) const {
        gradient.setZero();
        information.setZero();
        const double reach = 1 - guess(p) - p[lapseAt];
        for (std::size_t i = 0; i < level_.size(); ++i) {
            const double distance = level_[i] - p[thresholdAt], s = logistic(p[slopeAt] * distance);
            const double share = this->share(p, i), spread = share * (1 - share);
            const double rising = reach * s * (1 - s);
            const Vector d{-p[slopeAt] * rising, distance * rising, options_.guess ? -s : 1 - 2 * s};
            gradient += (yes_[i] - trials_[i] * share) / spread * d;
            information += trials_[i] / spread * d * d.transpose();
        }
    }

    /// Fisher's scoring, damped, within the box.
    Vector climb(Vector p) const {
        double reached = value(p), damping = 1e-3;
        for (int i = 0; i < mostIterations && damping < 1e12; ++i) {
            Vector gradient;
            Eigen::Matrix3d information;
            derive(p, gradient, information);
            // What stands at an end and is pushed against it stays there.
            for (int k = 0; k < 3; ++k)
                if ((p[k] <= low_[k] && gradient[k] <= 0) || (p[k] >= high_[k] && gradient[k] >= 0)) {
                    gradient[k] = 0;
                    information.row(k).setZero();
                    information.col(k).setZero();
                    information(k, k) = 1;
                }
            if (gradient.norm() < 1e-11 * (1 + std::abs(reached))) break;
            const double scale = information.trace() / 3;
            information.diagonal().array() += damping * scale + 1e-300;
            const Vector there = (p + information.ldlt().solve(gradient)).cwiseMax(low_).cwiseMin(high_);
            const double next = there.allFinite() ? value(there) : -INFINITY;
            if (next > reached) {
                p = there;
                reached = next;
                damping = std::max(1e-15, damping / 10);
            } else {
                damping *= 10;
            }
        }
        return p;
    }

    std::vector<double> level_;
    std::vector<int> trials_;
    std::vector<double> yes_;
    PsychometricOptions options_;
    double middle_ = 0, half_ = 1;
    Vector low_, high_;
};

void check(const ChoiceCounts& counts, const PsychometricOptions& options) {
    constexpr const char* place = "psychometric";
    const auto levels = counts.level.size();
    if (levels < 2) throw Error(place, fmt::format("expected at least two levels, got {}", levels));
    if (counts.yes.size() != levels || counts.trials.size() != levels)
        throw Error(place, fmt::format("expected a count for each of the {} levels, got {} and {}", levels,
                                       counts.yes.size(), counts.trials.size()));
    for (std::size_t i = 0; i < levels; ++i) {
        if (!std::isfinite(counts.level[i]) || (i > 0 && counts.level[i] <= counts.level[i - 1]))
            throw Error(place, fmt::format("expected finite levels in ascending order, each once, but level {} is {}",
                                           i + 1, counts.level[i]));
        if (counts.trials[i] < 1 || counts.yes[i] < 0 || counts.yes[i] > counts.trials[i])
            throw Error(place, fmt::format("level {}: expected 0 to {} answers of at least one trial, got {}",
                                           counts.level[i], counts.trials[i], counts.yes[i]));
    }
    const auto inside = [](double x, double low, double high) { return x >= low && x <= high; };
    if (options.guess && !inside(*options.guess, 0, 0.99))
        throw Error("psychometric.guess", fmt::format("expected a number from 0 to 0.99, got {}", *options.guess));
    for (const double lapse : {options.lapse.value_or(0), options.mostLapse})
        if (!inside(lapse, 0, 0.49) || options.guess.value_or(0) + lapse > 0.999)
            throw Error(
                "psychometric.lapse",
                fmt::format("expected a number from 0 to 0.49 that leaves room above the guess, got {}", lapse));
    if (!(options.confidence > 0 && options.confidence < 1))
        throw Error("psychometric.confidence",
                    fmt::format("expected a number between 0 and 1, got {}", options.confidence));
    const bool flat =
        std::adjacent_find(counts.level.begin(), counts.level.end(), [&](const double& a, const double& b) {
            const auto i = static_cast<std::size_t>(&a - counts.level.data()),
                       j = static_cast<std::size_t>(&b - counts.level.data());
            return std::int64_t{counts.yes[i]} * counts.trials[j] != std::int64_t{counts.yes[j]} * counts.trials[i];
        }) == counts.level.end();
    if (flat)
        throw Error(place, "the share of answers is the same at all levels, so that threshold and slope are not "
                           "determined; give levels at which it differs");
}

statistics::Interval middleOf(std::vector<double> values, double confidence) {
    std::sort(values.begin(), values.end());
    return {statistics::sortedQuantile(values, (1 - confidence) / 2),
            statistics::sortedQuantile(values, (1 + confidence) / 2)};
}

} // namespace

ChoiceCounts countChoices(const std::vector<double>& level, const std::vector<bool>& yes) {
    if (level.size() != yes.size())
        throw Error("psychometric",
                    fmt::format("expected a choice for each of the {} trials, got {}", level.size(), yes.size()));
    std::map<double, std::pair<int, int>> counts; // yes, trials
    for (std::size_t i = 0; i < level.size(); ++i) {
        if (!std::isfinite(level[i]))
            throw Error("psychometric", fmt::format("the level of trial {} is not a finite number", i + 1));
        auto& [answers, trials] = counts[level[i]];
        answers += yes[i] ? 1 : 0;
        ++trials;
    }
    ChoiceCounts result;
    for (const auto& [x, count] : counts) {
        result.level.push_back(x);
        result.yes.push_back(count.first);
        result.trials.push_back(count.second);
    }
    return result;
}

double PsychometricCurve::at(double x) const { return guess + (1 - guess - lapse) * logistic(slope * (x - threshold)); }

PsychometricFit fitPsychometric(const ChoiceCounts& counts, const PsychometricOptions& options, Executor& executor) {
    check(counts, options);
    const Likelihood likelihood(counts, options);
    const Vector best = likelihood.best();
    PsychometricFit result;
    result.curve = likelihood.curve(best);
    if (likelihood.steep(best)) {
        const auto above = std::upper_bound(counts.level.begin(), counts.level.end(), result.curve.threshold);
        const auto i = std::clamp<std::ptrdiff_t>(above - counts.level.begin(), 1,
                                                  static_cast<std::ptrdiff_t>(counts.level.size()) - 1);
        throw Error(
            "psychometric",
            fmt::format("the answers switch at once between the levels {} and {}, so that the slope is not determined; "
                        "give levels in between",
                        counts.level[static_cast<std::size_t>(i - 1)], counts.level[static_cast<std::size_t>(i)]));
    }
    if (likelihood.outside(best))
        throw Error("psychometric", fmt::format("the threshold lies far beyond the levels, {} to {}; give {} ones",
                                                counts.level.front(), counts.level.back(),
                                                result.curve.threshold > counts.level.back() ? "higher" : "lower"));
    result.logLikelihood = likelihood.value(best);
    double saturated = 0;
    for (std::size_t i = 0; i < counts.level.size(); ++i) {
        const double n = counts.trials[i], k = counts.yes[i];
        if (k > 0) saturated += k * std::log(k / n);
        if (k < n) saturated += (n - k) * std::log((n - k) / n);
    }
    result.deviance = 2 * (saturated - result.logLikelihood);
    result.threshold = result.slope = result.lapse = {std::nan(""), std::nan("")};
    if (options.resamples <= 0) return result;

    double draws = 0;
    for (const int n : counts.trials) draws += n;
    if (draws * options.resamples > mostDraws)
        throw Error("psychometric.resamples",
                    fmt::format("{} resamples of {} trials are too many; ask for fewer", options.resamples, draws));
    std::vector<Vector> resampled(static_cast<std::size_t>(options.resamples));
    executor.run(options.resamples, [&](int r) {
        Stream random(options.seed, addressOf("analysis.psychometric"), 0, static_cast<std::uint32_t>(r), 0);
        std::vector<double> yes;
        for (std::size_t i = 0; i < counts.level.size(); ++i) {
            const double share = likelihood.share(best, i);
            int count = 0;
            for (int n = 0; n < counts.trials[i]; ++n) count += random.uniform() < share;
            yes.push_back(count);
        }
        resampled[static_cast<std::size_t>(r)] = likelihood.with(std::move(yes)).best(&best);
    });
    std::vector<double> thresholds, slopes, lapses;
    for (const auto& p : resampled) {
        const auto curve = likelihood.curve(p);
        thresholds.push_back(curve.threshold);
        slopes.push_back(curve.slope);
        lapses.push_back(curve.lapse);
        result.steep += likelihood.steep(p);
    }
    result.threshold = middleOf(std::move(thresholds), options.confidence);
    result.slope = middleOf(std::move(slopes), options.confidence);
    result.lapse = middleOf(std::move(lapses), options.confidence);
    return result;
}

} // namespace raphe
