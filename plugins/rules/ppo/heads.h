// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

namespace raphe::ppo {

/// How strongly a loss depends on what a head says about one column: dL/dlog pi(a), dL/dH and dL/dKL.
template <class T>
struct HeadGradient {
    T logProbability = 0;
    T entropy = 0;
    T kl = 0;
};

// Each head below is a view of one column of a distribution's parameters: it owns nothing and is cheap to copy. All
// have
//
//     logProbability(action)   log pi(action), natural logarithm
//     entropy()                H, in nats
//     klFrom(old)              KL(old || this), in nats
//     addGradient(...)         adds g.logProbability dlog pi/dp + g.entropy dH/dp + g.kl dKL/dp to the adjoints of the
//                              parameters p; `old` is a constant and is not read if g.kl is 0
//
// Columns are contiguous, one number per unit.

/// Independent normal deviates, one per unit, with mean mu and v = log variance (variance in squared units of the
/// action):
///
///     log pi(a)     = -1/2 sum[ (a - mu)^2 / s + v + log 2 pi ]
///     H             =  1/2 sum[ v + log 2 pi + 1 ]
///     KL(old||this) =  1/2 sum[ v - v0 + e^(v0 - v) - 1 + (mu - mu0)^2 / s ]
///
/// with s = e^v + varianceEpsilon. The epsilon stands in the quadratic terms only, as in the program of N. Vecoven,
/// D. Ernst, A. Wehenkel, G. Drion (2020), Introducing neuromodulation in deep neural networks to learn adaptive
/// behaviours, PLoS ONE 15(1), doi:10.1371/journal.pone.0227922; 0 gives the exact expressions.
template <class T>
struct Gaussian {
    const T* mean;
    const T* logVariance;
    int units;
    T varianceEpsilon = 0;

    /// @param action  the raw sample, before the task clips or scales it
    T logProbability(const T* action) const {
        T sum = 0;
        for (int i = 0; i < units; ++i) {
            const T distance = action[i] - mean[i];
            sum += distance * distance / (std::exp(logVariance[i]) + varianceEpsilon) + logVariance[i] + logTwoPi;
        }
        return sum * T(-0.5);
    }

    T entropy() const {
        T sum = 0;
        for (int i = 0; i < units; ++i) sum += logVariance[i] + logTwoPi + T(1);
        return sum * T(0.5);
    }

    T klFrom(const Gaussian& old) const {
        T sum = 0;
        for (int i = 0; i < units; ++i) {
            const T shift = mean[i] - old.mean[i], narrowing = old.logVariance[i] - logVariance[i];
            // expm1: the difference of two nearly equal numbers would lose the small divergences of float.
            sum += std::expm1(narrowing) - narrowing + shift * shift / (std::exp(logVariance[i]) + varianceEpsilon);
        }
        return sum * T(0.5);
    }

    /// With s as above:
    ///     dlog pi/dmu = (a - mu)/s,      dlog pi/dv = 1/2 ((a - mu)^2 e^v/s^2 - 1),      dH/dv = 1/2,
    ///     dKL/dmu     = (mu - mu0)/s,    dKL/dv     = 1/2 (1 - e^(v0 - v) - (mu - mu0)^2 e^v/s^2).
    void addGradient(const T* action, const Gaussian& old, const HeadGradient<T>& g, T* meanAdjoint,
                     T* logVarianceAdjoint) const {
        for (int i = 0; i < units; ++i) {
            const T variance = std::exp(logVariance[i]), precision = T(1) / (variance + varianceEpsilon);
            const T slope = (action[i] - mean[i]) * precision;
            T byMean = g.logProbability * slope;
            T byLogVariance = g.logProbability * T(0.5) * (slope * slope * variance - T(1)) + g.entropy * T(0.5);
            if (g.kl != T(0)) {
                const T pull = (mean[i] - old.mean[i]) * precision;
                byMean += g.kl * pull;
                byLogVariance -=
                    g.kl * T(0.5) * (std::expm1(old.logVariance[i] - logVariance[i]) + pull * pull * variance);
            }
            meanAdjoint[i] += byMean;
            logVarianceAdjoint[i] += byLogVariance;
        }
    }

private:
    static constexpr T logTwoPi = static_cast<T>(1.837877066409345483560659472811);
};

/// One of several actions, with p = softmax(q) of the logits q:
///
///     log pi(a) = log p_a,    H = -sum p log p,    KL(old||this) = sum p0 (log p0 - log p)
///
/// An action that is not allowed has the logit -infinity, in the old distribution too; it counts nowhere.
/// @pre at least one logit is finite
template <class T>
struct Categorical {
    const T* logits;
    int units;

    /// @param action  one-hot
    T logProbability(const T* action) const {
        const Scale s = scale();
        T sum = 0;
        for (int i = 0; i < units; ++i)
            if (action[i] != T(0)) sum += action[i] * logProbabilityOf(i, s);
        return sum;
    }

    T entropy() const {
        const Scale s = scale();
        T sum = 0;
        for (int i = 0; i < units; ++i) {
            const T logP = logProbabilityOf(i, s), p = std::exp(logP);
            if (p > T(0)) sum -= p * logP;
        }
        return sum;
    }

    T klFrom(const Categorical& old) const {
        const Scale s = scale(), oldScale = old.scale();
        T sum = 0;
        for (int i = 0; i < units; ++i) {
            const T oldLogP = old.logProbabilityOf(i, oldScale), p0 = std::exp(oldLogP);
            if (p0 > T(0)) sum += p0 * (oldLogP - logProbabilityOf(i, s));
        }
        return sum;
    }

    /// dlog pi/dq = onehot(a) - p,    dH/dq = -p (log p + H),    dKL/dq = p - p0.
    void addGradient(const T* action, const Categorical& old, const HeadGradient<T>& g, T* logitsAdjoint) const {
        const Scale s = scale(), oldScale = g.kl != T(0) ? old.scale() : Scale{};
        const T H = g.entropy != T(0) ? entropy() : T(0);
        for (int i = 0; i < units; ++i) {
            const T logP = logProbabilityOf(i, s), p = std::exp(logP);
            T sum = g.logProbability * (action[i] - p);
            if (g.entropy != T(0) && p > T(0)) sum -= g.entropy * p * (logP + H);
            if (g.kl != T(0)) sum += g.kl * (p - std::exp(old.logProbabilityOf(i, oldScale)));
            logitsAdjoint[i] += sum;
        }
    }

private:
    /// log sum e^q in two parts, which keeps the digits of differences between large logits.
    struct Scale {
        T top = 0, logSum = 0;
    };

    Scale scale() const {
        Scale result{logits[0], 0};
        for (int i = 1; i < units; ++i) result.top = std::max(result.top, logits[i]);
        T sum = 0;
        for (int i = 0; i < units; ++i) sum += std::exp(logits[i] - result.top);
        result.logSum = std::log(sum);
        return result;
    }

    T logProbabilityOf(int i, const Scale& s) const { return (logits[i] - s.top) - s.logSum; }
};

/// Independent binary actions, with p = 1/(1 + e^-q) of the logit q of each unit; sums of the two-class case:
///
///     log pi(a)     = sum[ a log p + (1 - a) log(1 - p) ],    H = -sum[ p log p + (1 - p) log(1 - p) ],
///     KL(old||this) = sum[ p0 (log p0 - log p) + (1 - p0) (log(1 - p0) - log(1 - p)) ]
///
/// A logit of -infinity or +infinity, in the old distribution too, fixes a unit's action; such a unit counts nowhere.
template <class T>
struct Bernoulli {
    const T* logits;
    int units;

    /// @param action  0 or 1 per unit
    T logProbability(const T* action) const {
        T sum = 0;
        for (int i = 0; i < units; ++i) sum += logSigmoid(action[i] != T(0) ? logits[i] : -logits[i]);
        return sum;
    }

    T entropy() const {
        T sum = 0;
        for (int i = 0; i < units; ++i)
            for (const T q : {logits[i], -logits[i]}) {
                const T logP = logSigmoid(q), p = std::exp(logP);
                if (p > T(0)) sum -= p * logP;
            }
        return sum;
    }

    T klFrom(const Bernoulli& old) const {
        T sum = 0;
        for (int i = 0; i < units; ++i)
            for (const T side : {T(1), T(-1)}) {
                const T oldLogP = logSigmoid(side * old.logits[i]), p0 = std::exp(oldLogP);
                if (p0 > T(0)) sum += p0 * (oldLogP - logSigmoid(side * logits[i]));
            }
        return sum;
    }

    /// dlog pi/dq = a - p,    dH/dq = -q p (1 - p),    dKL/dq = p - p0.
    void addGradient(const T* action, const Bernoulli& old, const HeadGradient<T>& g, T* logitsAdjoint) const {
        for (int i = 0; i < units; ++i) {
            const T q = logits[i], p = sigmoid(q), both = p * sigmoid(-q);
            T sum = g.logProbability * (action[i] - p);
            if (both > T(0)) sum -= g.entropy * q * both;
            if (g.kl != T(0)) sum += g.kl * (p - sigmoid(old.logits[i]));
            logitsAdjoint[i] += sum;
        }
    }

private:
    static T logSigmoid(T q) { return std::min(q, T(0)) - std::log1p(std::exp(-std::abs(q))); }

    static T sigmoid(T q) {
        const T e = std::exp(-std::abs(q));
        return (q < T(0) ? e : T(1)) / (T(1) + e);
    }
};

} // namespace raphe::ppo
