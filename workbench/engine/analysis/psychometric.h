// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/analysis/statistics.h"
#include "engine/base/executor.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace raphe {

/// How often something was answered at each strength of a stimulus.
struct ChoiceCounts {
    std::vector<double> level; ///< strengths, ascending, each once
    std::vector<int> yes, trials;
};
/// Counts single trials. @throws Error  unless there are as many choices (true: yes) as levels
ChoiceCounts countChoices(const std::vector<double>& level, const std::vector<bool>& yes);

/// Share of yes = guess + (1 - guess - lapse) / (1 + exp(-slope (x - threshold))).
struct PsychometricCurve {
    double threshold = 0; ///< where the logistic function is at its middle, in the unit of the levels
    double slope = 0;     ///< of the logistic function, per unit of the levels; negative: falling
    double lapse = 0;     ///< share that stays "no" however strong the stimulus
    double guess = 0;     ///< share that is "yes" however weak it is

    double at(double x) const;
};

struct PsychometricOptions {
    std::optional<double> guess; ///< held at this; nothing: equal to the lapse, as where two choices are alike
    std::optional<double> lapse; ///< held at this; nothing: fitted, from 0 to `mostLapse`
    double mostLapse = 0.2;
    double confidence = 0.95;
    std::uint64_t seed = 1;
    int resamples = 1000; ///< 0: no intervals
};

struct PsychometricFit {
    PsychometricCurve curve;
    double logLikelihood = 0; ///< of the counts, without the binomial coefficients
    double deviance = 0;      ///< twice the distance from the likelihood of a curve through all shares
    statistics::Interval threshold{}, slope{}, lapse{}; ///< parametric bootstrap, percentiles; none: NaN
    int steep = 0; ///< resamples in which the slope has no end, so that the steepest that can be told was taken
};

/// Maximum likelihood, with a parametric bootstrap (Wichmann and Hill 2001, Perception & Psychophysics 63, 1293 and
/// 1314). The same seed gives the same intervals for any number of threads.
/// @throws Error  with fewer than two levels, without any trial, with counts beyond the trials; where the choices do
/// not depend on the level, or switch at once between two levels, so that threshold or slope are not determined
PsychometricFit fitPsychometric(const ChoiceCounts& counts, const PsychometricOptions& options, Executor& executor);

} // namespace raphe
