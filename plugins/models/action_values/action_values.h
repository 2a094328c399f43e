// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../chosen_arm.h"
#include "../in_place.h"

#include "raphe/plugin.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace raphe {

struct ActionValuesParams : ArmParams {
    int members = 1;
    std::string moment = "raw";
    double maskProbability = 1;
    bool randomRates = false;
    double reliabilityRate = 0.1, unexpectedRate = 0.1, unexpectedScale = 0.1;
    double valueMean = 0, valueDeviation = 0.01, momentDeviation = 0.1, reliabilityStart = 1, unexpectedStart = 10;
};

inline constexpr const char* actionValuesManual =
    R"(Learns within the trial what each action is worth, with one estimate or with an ensemble of them that also tells how
uncertain it is. At the end of a step with reward r for action a, for each member i that takes part (M_i = 1):

    d_i = r - q_ai
    q_ai <- q_ai + rate_i d_i,   rate_i = alpha, or min(alpha F_i, 1) if `member_rate` is wired
    v_ai <- v_ai + 2 alpha (r^2 - v_ai), or with d_i^2 instead of r^2 (`moment` direct)

and for all of them together, with the values before this change:

    V_a <- V_a + `reliability_rate` ((r - Q_a)^2 - V_a)
    D <- D + `unexpected_rate` (mean_i d_i^2 - D)

| symbol | here |
| --- | --- |
| a, r | ports `action` (one-hot) and `reward`, read at the end of the step |
| M, F | ports `mask` and `member_rate`, one unit a member. If nothing is wired, M is 1 with `mask_probability`, and F is 1, or with `random_rates` evenly spaced from 0 to 2 in an order that is drawn for each step |
| alpha | `learning_rate` times the modulation port `learning_rate`: one number, or one an arm, of which that of a counts |
| Q_a = mean_i q_ai | port `value` |
| E_a = variance of q_ai over members | port `epistemic`; its mean over arms: `mean_epistemic` |
| V_a | port `reliability`: reliability index, aleatoric |
| `unexpected_scale` sqrt(D) | port `unexpected`: unexpected uncertainty |
| sqrt(mean_ai v_ai) | port `expected`: expected uncertainty |

All outputs are those at the start of the step. Start: q normal with mean `value_mean` and s.d. `value_deviation`, v = |normal| with
s.d. `moment_deviation`, V = `reliability_start`, D = `unexpected_start` u^2 with u uniform, drawn for each trial by itself.

One member is plain Q learning. No gradient passes through this mechanism.)";

/// Values of actions and their uncertainty, learned within the trial by one estimate or an ensemble.
template <class T>
class ActionValues final : public Model<T> {
public:
    static auto declare() {
        using P = ActionValuesParams;
        return Declaration<P>{"action_values", "1.0.0",
                              "Learns within the trial what actions are worth, and how sure it is"}
            .citation("J. Lee, L. Liebana, C. Clopath, W. Dabney (2024), Lifelong reinforcement learning via "
                      "neuromodulation, arXiv:2408.08446; reliability index: N. M. White (1988)")
            .manual(actionValuesManual)
            .with(armsAndReward())
            .param("members", &P::members,
                   {.help = "Estimates of each value (ensemble)", .min = 1, .max = 10000, .group = "values"})
            .param("moment", &P::moment,
                   {.help = "What the expected uncertainty averages: squares of rewards (raw) or of errors (direct)",
                    .choices = {"raw", "direct"},
                    .group = "uncertainty"})
            .param("mask_probability", &P::maskProbability,
                   {.help = "Probability that a member learns from a step", .min = 0, .max = 1, .group = "values"})
            .param("random_rates", &P::randomRates,
                   {.help = "Whether members learn at rates that are dealt anew in each step", .group = "values"})
            .param("reliability_rate", &P::reliabilityRate,
                   {.unit = "per step",
                    .help = "Rate of the reliability index",
                    .min = 0,
                    .max = 1,
                    .group = "uncertainty"})
            .param("unexpected_rate", &P::unexpectedRate,
                   {.unit = "per step",
                    .help = "Rate of the mean squared error",
                    .min = 0,
                    .max = 1,
                    .group = "uncertainty"})
            .param("unexpected_scale", &P::unexpectedScale,
                   {.help = "Factor of its root: the unexpected uncertainty", .min = 0, .group = "uncertainty"})
            .param("value_mean", &P::valueMean, {.help = "Mean of the first values", .group = "initial values"})
            .param("value_deviation", &P::valueDeviation,
                   {.help = "Standard deviation of the first values", .min = 0, .group = "initial values"})
            .param("moment_deviation", &P::momentDeviation,
                   {.help = "Standard deviation of what the first second moments are the magnitude of",
                    .min = 0,
                    .group = "initial values"})
            .param("reliability_start", &P::reliabilityStart,
                   {.help = "First reliability index", .min = 0, .group = "initial values"})
            .param(
                "unexpected_start", &P::unexpectedStart,
                {.help = "Largest first mean squared error: it is this times u^2", .min = 0, .group = "initial values"})
            .input("mask", "members",
                   {.help = "1 for members that learn from this step", .read = Read::end, .optional = true})
            .input("member_rate", "members",
                   {.help = "Factor of each member's learning rate", .read = Read::end, .optional = true})
            .output("value", "arms", {.help = "Mean estimate of each action"})
            .output("epistemic", "arms", {.help = "Variance of the estimates of each action"})
            .output("mean_epistemic", 1, {.help = "Its mean over actions"})
            .output("reliability", "arms", {.help = "Running mean of squared errors of each action"})
            .output("unexpected", 1, {.help = "Unexpected uncertainty"})
            .output("expected", 1, {.help = "Expected uncertainty"});
    }

    ActionValues(const ActionValuesParams& p, Builder& b)
        : p_(p), arms_(p.arms), members_(p.members), direct_(p.moment == "direct"), chosen_(p, b),
          mask_(b.input("mask")), memberRate_(b.input("member_rate")), value_(b.output("value")),
          epistemic_(b.output("epistemic")), meanEpistemic_(b.output("mean_epistemic")),
          reliability_(b.output("reliability")), unexpected_(b.output("unexpected")), expected_(b.output("expected")) {
        const StateOptions matrix{.columns = arms_, .inPlace = true};
        q_ = b.state("value", members_, matrix);
        v_ = b.state("second_moment", members_, matrix);
        V_ = b.state("reliability", arms_, {.initial = p.reliabilityStart, .inPlace = true});
        D_ = b.state("squared_error", 1, {.inPlace = true});
        begun_ = b.state("begun", 1, {.inPlace = true});
    }

    void step(Step<T>& s) const override {
        drawFirst(s);
        const Value<T> q = s.state(q_), v = s.state(v_), mean = s.destination(value_),
                       variance = s.destination(epistemic_), overall = s.destination(meanEpistemic_),
                       unexpected = s.destination(unexpected_), expected = s.destination(expected_);
        const T share = T(1) / static_cast<T>(members_);
        for (int c = 0; c < q.cols; ++c) {
            T variances = 0, moments = 0;
            for (int a = 0; a < arms_; ++a) {
                const T *estimates = of(q, c, a), *second = of(v, c, a);
                T sum = 0, squares = 0;
                for (int i = 0; i < members_; ++i) sum += estimates[i];
                const T middle = sum * share;
                for (int i = 0; i < members_; ++i) {
                    squares += (estimates[i] - middle) * (estimates[i] - middle);
                    moments += second[i];
                }
                mean.column(c)[a] = middle;
                variance.column(c)[a] = squares * share;
                variances += squares * share;
            }
            overall.data[c] = variances / static_cast<T>(arms_);
            unexpected.data[c] = static_cast<T>(p_.unexpectedScale) * std::sqrt(s.state(D_).data[c]);
            expected.data[c] = std::sqrt(std::max(moments * share / static_cast<T>(arms_), T(0)));
        }
        s.emit(value_, mean);
        s.emit(epistemic_, variance);
        s.emit(meanEpistemic_, overall);
        s.emit(reliability_, s.state(V_).constant());
        s.emit(unexpected_, unexpected);
        s.emit(expected_, expected);
    }

    void close(Step<T>& s) const override {
        const Value<T> q = changeInPlace(s, q_), v = changeInPlace(s, v_), V = changeInPlace(s, V_),
                       D = changeInPlace(s, D_);
        const Value<T> mask = s.wired(mask_) ? s.input(mask_) : Value<T>{},
                       factor = s.wired(memberRate_) ? s.input(memberRate_) : Value<T>{};
        const T share = T(1) / static_cast<T>(members_);
        const Value<T> masks = s.tape().constant(members_, 1, T(1)), rates = s.tape().constant(members_, 1, T(1));
        for (int c = 0; c < q.cols; ++c) {
            const auto [a, r, alpha] = chosen_.of(s, c);
            T *estimates = of(q, c, a), *second = of(v, c, a);
            deal(s, c, masks, rates);
            T sum = 0, squares = 0;
            for (int i = 0; i < members_; ++i) {
                const T takesPart = mask ? mask.column(c)[i] : masks.data[i], error = r - estimates[i];
                sum += estimates[i];
                squares += error * error;
                const T step = factor           ? std::min(alpha * factor.column(c)[i], T(1))
                               : p_.randomRates ? std::min(alpha * rates.data[i], T(1))
                                                : alpha;
                estimates[i] += step * takesPart * error;
                second[i] += T(2) * alpha * takesPart * ((direct_ ? error * error : r * r) - second[i]);
            }
            const T error = r - sum * share;
            T& reliability = V.column(c)[a];
            reliability += static_cast<T>(p_.reliabilityRate) * (error * error - reliability);
            D.data[c] += static_cast<T>(p_.unexpectedRate) * (squares * share - D.data[c]);
        }
    }

private:
    T* of(Value<T> matrix, int c, int a) const { return matrix.column(c) + a * members_; }

    /// Who learns from this step, and how fast, where nothing is wired.
    void deal(Step<T>& s, int c, Value<T> masks, Value<T> rates) const {
        if (p_.maskProbability < 1 && !s.wired(mask_)) {
            Stream random = s.random(c, "mask");
            const auto bound = static_cast<std::uint32_t>(p_.maskProbability * 4294967296.0);
            for (int i = 0; i < members_; ++i) masks.data[i] = random.bits() < bound ? T(1) : T(0);
        }
        if (p_.randomRates && !s.wired(memberRate_)) {
            Stream random = s.random(c, "member_rate");
            for (int i = 0; i < members_; ++i)
                rates.data[i] = members_ > 1 ? T(2) * static_cast<T>(i) / static_cast<T>(members_ - 1) : T(1);
            random.shuffle(rates.data, static_cast<std::uint32_t>(members_));
        }
    }

    /// Draws the first estimates of trials that have just begun.
    void drawFirst(Step<T>& s) const {
        const T* begun = s.state(begun_).data;
        if (std::find(begun, begun + s.columns(), T(0)) == begun + s.columns()) return;
        // What is drawn in the first step belongs to the state before it.
        const Value<T> q = s.state(q_), v = s.state(v_), D = s.state(D_), flag = s.state(begun_);
        for (int c = 0; c < s.columns(); ++c) {
            if (flag.data[c] != T(0)) continue;
            Stream random = s.random(c);
            for (int k = 0; k < q.rows; ++k)
                q.column(c)[k] = static_cast<T>(p_.valueMean + p_.valueDeviation * random.normal());
            for (int k = 0; k < v.rows; ++k)
                v.column(c)[k] = static_cast<T>(std::abs(p_.momentDeviation * random.normal()));
            const double u = random.uniform();
            D.data[c] = static_cast<T>(p_.unexpectedStart * u * u);
            flag.data[c] = T(1);
        }
    }

    ActionValuesParams p_;
    int arms_, members_;
    bool direct_;
    ChosenArm<T> chosen_;
    Input mask_, memberRate_;
    Output value_, epistemic_, meanEpistemic_, reliability_, unexpected_, expected_;
    State q_, v_, V_, D_, begun_;
};

} // namespace raphe
