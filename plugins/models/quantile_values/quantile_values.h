// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../chosen_arm.h"
#include "../in_place.h"

#include "raphe/plugin.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace raphe {

struct QuantileValuesParams : ArmParams {
    int quantiles = 31;
    double low = -1, high = 1;
    double estimatorDeviation = 1;
};

inline constexpr const char* quantileValuesManual =
    R"(Learns within the trial the distribution of the reward of each action as n quantiles, and how sure it is of them by an
estimator of the inequality [r <= quantile]. At the end of a step with reward r for action a:

    theta_j <- theta_j + alpha (tau_j - [r < theta_j]),   tau_j = (j - 1/2) / n
    w: one Adam step (0.9, 0.999, 1e-8; learning rate alpha) on the mean cross-entropy between sigmoid(w_j) and [r <= theta_j]

| symbol | here |
| --- | --- |
| a, r | ports `action` (one-hot) and `reward`, read at the end of the step |
| alpha | `learning_rate` times the modulation port `learning_rate`: one number, or one an arm |
| mean_j theta_j | port `value` |
| e_a = sqrt(mean_j (tau_j - sigmoid(w_j))^2) | port `epistemic`; its mean over arms: `mean_epistemic` |
| standard deviation of theta_j over j | port `aleatoric` |

All outputs are those at the start of the step. Quantiles start evenly between `low` and `high`, w normal with the s.d.
`estimator_deviation`, drawn for each trial by itself. No gradient passes through this mechanism.)";

/// Distribution of rewards as quantiles, learned within the trial, with an estimate of its own uncertainty.
template <class T>
class QuantileValues final : public Model<T> {
public:
    static auto declare() {
        using P = QuantileValuesParams;
        return Declaration<P>{"quantile_values", "1.0.0",
                              "Learns within the trial the distribution of rewards, and how sure it is"}
            .citation("J. Lee, L. Liebana, C. Clopath, W. Dabney (2024), Lifelong reinforcement learning via "
                      "neuromodulation, arXiv:2408.08446 (the program's later agent)")
            .manual(quantileValuesManual)
            .with(armsAndReward())
            .param("quantiles", &P::quantiles,
                   {.help = "Quantiles of each action", .min = 1, .max = 10000, .group = "values"})
            .param("low", &P::low, {.help = "First value of the lowest quantile", .group = "initial values"})
            .param("high", &P::high, {.help = "First value of the highest quantile", .group = "initial values"})
            .param("estimator_deviation", &P::estimatorDeviation,
                   {.help = "Standard deviation of the estimator's first logits", .min = 0, .group = "initial values"})
            .output("value", "arms", {.help = "Mean of the quantiles of each action"})
            .output("epistemic", "arms", {.help = "Error of the estimator of each action"})
            .output("mean_epistemic", 1, {.help = "Its mean over actions"})
            .output("aleatoric", "arms", {.help = "Standard deviation of the quantiles of each action"});
    }

    QuantileValues(const QuantileValuesParams& p, Builder& b)
        : p_(p), arms_(p.arms), quantiles_(p.quantiles), chosen_(p, b), value_(b.output("value")),
          epistemic_(b.output("epistemic")), meanEpistemic_(b.output("mean_epistemic")),
          aleatoric_(b.output("aleatoric")) {
        const StateOptions matrix{.columns = arms_, .inPlace = true};
        theta_ = b.state("quantile", quantiles_, matrix);
        w_ = b.state("estimator", quantiles_, matrix);
        first_ = b.state("first_moment", quantiles_, matrix);
        second_ = b.state("second_moment", quantiles_, matrix);
        updates_ = b.state("updates", arms_, {.inPlace = true});
        begun_ = b.state("begun", 1, {.inPlace = true});
    }

    void step(Step<T>& s) const override {
        drawFirst(s);
        const Value<T> theta = s.state(theta_), w = s.state(w_), mean = s.destination(value_),
                       epistemic = s.destination(epistemic_), overall = s.destination(meanEpistemic_),
                       aleatoric = s.destination(aleatoric_);
        const T share = T(1) / static_cast<T>(quantiles_);
        for (int c = 0; c < theta.cols; ++c) {
            T total = 0;
            for (int a = 0; a < arms_; ++a) {
                const T *quantile = of(theta, c, a), *logit = of(w, c, a);
                T sum = 0, squares = 0, errors = 0;
                for (int j = 0; j < quantiles_; ++j) sum += quantile[j];
                const T middle = sum * share;
                for (int j = 0; j < quantiles_; ++j) {
                    squares += (quantile[j] - middle) * (quantile[j] - middle);
                    const T error = level(j) - sigmoidOf(logit[j]);
                    errors += error * error;
                }
                mean.column(c)[a] = middle;
                aleatoric.column(c)[a] = std::sqrt(squares * share);
                total += epistemic.column(c)[a] = std::sqrt(errors * share);
            }
            overall.data[c] = total / static_cast<T>(arms_);
        }
        s.emit(value_, mean);
        s.emit(epistemic_, epistemic);
        s.emit(meanEpistemic_, overall);
        s.emit(aleatoric_, aleatoric);
    }

    void close(Step<T>& s) const override {
        const Value<T> theta = changeInPlace(s, theta_), w = changeInPlace(s, w_), first = changeInPlace(s, first_),
                       second = changeInPlace(s, second_), updates = changeInPlace(s, updates_);
        const T share = T(1) / static_cast<T>(quantiles_);
        for (int c = 0; c < theta.cols; ++c) {
            const auto [a, r, alpha] = chosen_.of(s, c);
            const T t = updates.column(c)[a] += T(1), correct1 = T(1) - std::pow(T(0.9), t),
                    correct2 = T(1) - std::pow(T(0.999), t);
            for (int j = 0; j < quantiles_; ++j) {
                T& quantile = of(theta, c, a)[j];
                quantile += alpha * (level(j) - (r < quantile ? T(1) : T(0)));
                T &logit = of(w, c, a)[j], &m = of(first, c, a)[j], &v = of(second, c, a)[j];
                const T y = r <= quantile ? T(1) : T(0), p = sigmoidOf(logit), tiny = T(1e-10);
                // of -(y ln(p + tiny) + (1 - y) ln(1 - p + tiny)) / n
                const T g = -(y / (p + tiny) - (T(1) - y) / (T(1) - p + tiny)) * p * (T(1) - p) * share;
                m = T(0.9) * m + T(0.1) * g;
                v = T(0.999) * v + T(0.001) * g * g;
                logit -= alpha * (m / correct1) / (std::sqrt(v / correct2) + T(1e-8));
            }
        }
    }

private:
    T* of(Value<T> matrix, int c, int a) const { return matrix.column(c) + a * quantiles_; }
    T level(int j) const { return (static_cast<T>(j) + T(0.5)) / static_cast<T>(quantiles_); }
    static T sigmoidOf(T x) { return T(1) / (T(1) + std::exp(-x)); }

    /// Sets the first estimates of trials that have just begun.
    void drawFirst(Step<T>& s) const {
        const Value<T> theta = s.state(theta_), w = s.state(w_), flag = s.state(begun_);
        for (int c = 0; c < s.columns(); ++c) {
            if (flag.data[c] != T(0)) continue;
            Stream random = s.random(c);
            for (int a = 0; a < arms_; ++a)
                for (int j = 0; j < quantiles_; ++j) {
                    const double place = quantiles_ > 1 ? static_cast<double>(j) / (quantiles_ - 1) : 0.5;
                    of(theta, c, a)[j] = static_cast<T>(p_.low + (p_.high - p_.low) * place);
                    of(w, c, a)[j] = static_cast<T>(p_.estimatorDeviation * random.normal());
                }
            flag.data[c] = T(1);
        }
    }

    QuantileValuesParams p_;
    int arms_, quantiles_;
    ChosenArm<T> chosen_;
    Output value_, epistemic_, meanEpistemic_, aleatoric_;
    State theta_, w_, first_, second_, updates_, begun_;
};

} // namespace raphe
