// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

namespace raphe::ppo {

// Terms of the loss for one column (step and trial), with their derivatives. None is divided by the number of valid
// columns: a mean is left to the caller, who counts them.
//
// J. Schulman, F. Wolski, P. Dhariwal, A. Radford, O. Klimov (2017), Proximal policy optimization algorithms,
// arXiv:1707.06347 (PPO); N. Vecoven, D. Ernst, A. Wehenkel, G. Drion (2020), Introducing neuromodulation in deep
// neural networks to learn adaptive behaviours, PLoS ONE 15(1), doi:10.1371/journal.pone.0227922.

/// A term of the loss and its derivative by the one quantity it depends on.
template <class T>
struct Term {
    T value = 0;
    T gradient = 0;
};

template <class T>
struct SurrogateTerm {
    T value = 0;             ///< to be minimised
    T gradient = 0;          ///< derivative by log pi(a)
    T ratio = 1;             ///< rho = pi(a) / pi_old(a)
    T approximateKl = 0;     ///< (rho - 1) - log rho: estimate of KL(old || new) from this action
    bool outOfRange = false; ///< |rho - 1| > clip; its mean is the clip fraction
};

/// The part that both forms share:  -rho A  with  rho = exp(log pi - log pi_old)   (PPO, Eq. 6, negated). This is the
/// policy term of the KL-penalised form, to which klPenalty() belongs.
template <class T>
SurrogateTerm<T> unclippedSurrogate(T logProbability, T oldLogProbability, T advantage) {
    const T logRatio = logProbability - oldLogProbability;
    SurrogateTerm<T> result;
    result.ratio = std::exp(logRatio);
    result.value = -result.ratio * advantage;
    result.gradient = result.value;
    result.approximateKl = std::expm1(logRatio) - logRatio;
    return result;
}

/// -min(rho A, clamp(rho, 1 - clip, 1 + clip) A)   (PPO, Eq. 7, negated). The gradient is 0 where the probability of
/// the action has already moved by more than `clip` in the direction that A asks for.
/// @param clip  dimensionless, positive
template <class T>
SurrogateTerm<T> clippedSurrogate(T logProbability, T oldLogProbability, T advantage, T clip) {
    auto result = unclippedSurrogate(logProbability, oldLogProbability, advantage);
    const T rho = result.ratio, low = T(1) - clip, high = T(1) + clip;
    result.outOfRange = rho < low || rho > high;
    if ((advantage > T(0) && rho > high) || (advantage < T(0) && rho < low)) {
        result.value = -(rho > high ? high : low) * advantage;
        result.gradient = 0;
    }
    return result;
}

/// beta KL + eta max(0, KL - 2 target)^2, and its derivative by the KL   (PPO, Eq. 8, with the squared hinge of the
/// program of Vecoven et al.).
/// @param kl      KL(old || new) of the column, nats
/// @param target  divergence that one update is meant to have, nats
template <class T>
Term<T> klPenalty(T kl, T beta, T eta, T target) {
    const T excess = std::max(T(0), kl - T(2) * target);
    return {beta * kl + eta * excess * excess, beta + T(2) * eta * excess};
}

/// (V - G)^2, and its derivative by V. With clip > 0 it is the larger of this and (V_old + clamp(V - V_old, -clip,
/// clip)
/// - G)^2, so that the gradient is 0 where V has moved by more than `clip` and the clipped error is the larger one.
/// @param value     V, prediction with the weights being trained
/// @param oldValue  V_old, prediction when the trial was collected; not read if clip is 0
/// @param target    G, the return; in the units of value, as clip is
template <class T>
Term<T> valueLoss(T value, T oldValue, T target, T clip = 0) {
    const T error = value - target;
    const Term<T> plain{error * error, T(2) * error};
    // Within the range both errors are the same number up to rounding, and the gradient is that of the plain one.
    if (!(clip > T(0)) || !(std::abs(value - oldValue) > clip)) return plain;
    const T clippedError = oldValue + (value > oldValue ? clip : -clip) - target;
    return clippedError * clippedError > plain.value ? Term<T>{clippedError * clippedError, T(0)} : plain;
}

/// Sums of the quantities that are watched during training, over the valid columns of a chunk. Add the sums of chunks
/// in their order: the result then does not depend on the number of threads.
struct Diagnostics {
    double kl = 0, approximateKl = 0, entropy = 0, ratio = 0, outOfRange = 0, count = 0;

    template <class T>
    void add(const SurrogateTerm<T>& term, T columnKl, T columnEntropy) {
        kl += static_cast<double>(columnKl);
        approximateKl += static_cast<double>(term.approximateKl);
        entropy += static_cast<double>(columnEntropy);
        ratio += static_cast<double>(term.ratio);
        outOfRange += term.outOfRange ? 1.0 : 0.0;
        count += 1.0;
    }

    void add(const Diagnostics& other) {
        kl += other.kl;
        approximateKl += other.approximateKl;
        entropy += other.entropy;
        ratio += other.ratio;
        outOfRange += other.outOfRange;
        count += other.count;
    }

    /// The means; all is 0 without columns. `count` stays the number of columns.
    Diagnostics means() const {
        const double n = count > 0 ? count : 1.0;
        return {kl / n, approximateKl / n, entropy / n, ratio / n, outOfRange / n, count};
    }
};

} // namespace raphe::ppo
