// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>

namespace raphe::ppo {

/// One trial as it was collected. Step t stands at [t * stride] of every array; the arrays of the results have the same
/// stride. A flag is anything that converts to bool.
template <class T, class Flag>
struct TrialColumn {
    const T* reward;    ///< r(t), as the task gave it
    const T* value;     ///< V(t), prediction of the critic before it is trained on this trial, scaled like the returns
    const T* nextValue; ///< V of what follows step t; within an episode V(t+1); not read where terminated
    const Flag* terminated; ///< nothing follows step t: what comes after it is worth 0
    const Flag* ended;      ///< terminated, or cut off from outside: what comes after it is worth nextValue
    int steps;              ///< the last step counts as ended, whatever its flag says
    std::ptrdiff_t stride;
};

struct ReturnSettings {
    double gamma = 0.998;     ///< weight of a reward that comes one step later
    double lambda = 0.98;     ///< 0: advantage over one step; 1: Monte-Carlo return minus value
    double rewardScale = 1.0; ///< multiplies every reward
};

/// Where the results go; an array that is null is not wanted. All are dimensionless, in units of scaled reward.
template <class T>
struct ReturnColumn {
    T* delta = nullptr;        ///< temporal-difference error
    T* advantage = nullptr;    ///< generalised advantage estimate
    T* lambdaReturn = nullptr; ///< advantage + value
    T* monteCarlo = nullptr;   ///< discounted sum of the rewards up to the end, plus what follows a cut-off
};

/// Returns and advantages of one trial, from its last step to its first:
///
///     delta(t) = c r(t) + gamma V'(t) - V(t)                                             (GAE, Eq. 9)
///     A(t)     = delta(t) + gamma lambda A(t+1),    0 instead of A(t+1) after an end     (GAE, Eq. 16)
///     G(t)     = c r(t) + gamma G(t+1),             V'(t) instead of G(t+1) after an end
///
/// with c = rewardScale and V'(t) = nextValue, 0 where terminated. No sum crosses an end. The recursions run in double.
///
/// J. Schulman, P. Moritz, S. Levine, M. Jordan, P. Abbeel (2015), High-dimensional continuous control using
/// generalized advantage estimation, arXiv:1506.02438.
template <class T, class Flag>
void computeReturns(const TrialColumn<T, Flag>& trial, const ReturnSettings& settings, const ReturnColumn<T>& result) {
    double advantage = 0, monteCarlo = 0;
    for (int t = trial.steps - 1; t >= 0; --t) {
        const std::ptrdiff_t i = t * trial.stride;
        const bool ended = t == trial.steps - 1 || static_cast<bool>(trial.ended[i]);
        const double next = static_cast<bool>(trial.terminated[i]) ? 0.0 : static_cast<double>(trial.nextValue[i]);
        const double reward = settings.rewardScale * static_cast<double>(trial.reward[i]);
        const auto value = static_cast<double>(trial.value[i]);
        const double delta = reward + settings.gamma * next - value;
        advantage = delta + (ended ? 0.0 : settings.gamma * settings.lambda * advantage);
        monteCarlo = reward + settings.gamma * (ended ? next : monteCarlo);
        if (result.delta) result.delta[i] = static_cast<T>(delta);
        if (result.advantage) result.advantage[i] = static_cast<T>(advantage);
        if (result.lambdaReturn) result.lambdaReturn[i] = static_cast<T>(advantage + value);
        if (result.monteCarlo) result.monteCarlo[i] = static_cast<T>(monteCarlo);
    }
}

struct Moments {
    double mean = 0;
    double deviation = 0;  ///< population standard deviation (divides by count)
    std::size_t count = 0; ///< valid entries
};

/// Mean and population standard deviation over the valid entries, summed in double in the order of the array. Equal
/// entries give exactly that mean and the deviation 0. Without valid entries all is 0.
/// @param valid  flags, or null if every entry is valid
template <class T, class Flag = bool>
Moments momentsOf(const T* x, std::size_t count, const Flag* valid = nullptr) {
    Moments result;
    double origin = 0, sum = 0, squares = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (valid && !static_cast<bool>(valid[i])) continue;
        const auto entry = static_cast<double>(x[i]);
        if (result.count++ == 0) origin = entry; // differences from one entry, so that equal entries round to nothing
        sum += entry - origin;
    }
    if (result.count == 0) return result;
    result.mean = origin + sum / static_cast<double>(result.count);
    for (std::size_t i = 0; i < count; ++i) {
        if (valid && !static_cast<bool>(valid[i])) continue;
        const double distance = static_cast<double>(x[i]) - result.mean;
        squares += distance * distance;
    }
    result.deviation = std::sqrt(squares / static_cast<double>(result.count));
    return result;
}

/// A := (A - mean) / (deviation + epsilon) at the valid entries, with their own moments, which are returned; the other
/// entries become 0. Equal advantages become 0.
/// @pre epsilon > 0
template <class T, class Flag = bool>
Moments normaliseAdvantages(T* advantage, std::size_t count, double epsilon, const Flag* valid = nullptr) {
    const Moments moments = momentsOf(advantage, count, valid);
    const double scale = moments.deviation + epsilon;
    for (std::size_t i = 0; i < count; ++i) {
        const bool counts = !valid || static_cast<bool>(valid[i]);
        advantage[i] = counts ? static_cast<T>((static_cast<double>(advantage[i]) - moments.mean) / scale) : T(0);
    }
    return moments;
}

} // namespace raphe::ppo
