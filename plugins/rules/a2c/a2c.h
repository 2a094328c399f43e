// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <cmath>
#include <string>

namespace raphe {

struct A2cParams : OptimiserParams {
    A2cParams() {
        learningRate = 1e-4;
        epsilon = 1e-6;
        clipNorm = 2.0;
    }
    double discount = 0.9;
    double valueWeight = 0.1;
    double concentrationWeight = 0.1;
    std::string valueBaseline = "episode";
};

inline constexpr const char* a2cManual =
    R"(Advantage actor-critic over whole episodes: gradients pass through all steps of an episode, so that it trains networks
which learn within an episode.

    R(t) = r(t) + discount R(t+1),   R(T) = 0,   p = softmax(y)
    loss = 1/(T B) sum over steps and trials of
           -log p(a) A + value_weight (R - v)^2 + concentration_weight sum_a p_a^2,   A = R - v without gradient

| paper | here |
| --- | --- |
| y, v | ports `logits`, `value` |
| a, r | ports `action` (one-hot), `reward` |
| gamma | `discount` |
| b_val, b_ent | `value_weight`, `concentration_weight` |
| gc | `clip_norm` |
| l2 | `weight_decay` |
| T, B | steps of an episode, trials of a batch |

The concentration term (used in place of an entropy bonus) is smallest where all actions are equally likely; its weight is positive.

`value_baseline` first_episode uses the value predicted for the first trial of the batch in all trials, as the authors'
program does by a slip of indexing; its value term then trains that one value on all trials' returns.

Metrics, means over trials: `reward` (sum of an episode); means over steps and trials: `policy_loss`, `value_loss` and
`concentration`, each before its weight.

Trials may end at different steps; what follows an end is worth nothing. Where trials are streams, the value of a window's last step
stands for what follows, and this step is not scored.

**Differs from the paper.** Follows the authors' program. No bootstrap at the end of an episode.)";

/// Advantage actor-critic over whole episodes, as in T. Miconi et al. (2019), Backpropamine, ICLR.
template <class T>
class A2c final : public GradientRule<T> {
public:
    static auto declare() {
        using P = A2cParams;
        return Declaration<P>{"a2c", "1.0.0", "Advantage actor-critic over whole episodes"}
            .citation("V. Mnih et al. (2016), Asynchronous methods for deep reinforcement learning, ICML, "
                      "arXiv:1602.01783; as used by T. Miconi, "
                      "A. Rawal, J. Clune, K. O. Stanley (2019), Backpropamine, ICLR, arXiv:2002.10585")
            .manual(a2cManual)
            .param("discount", &P::discount,
                   {.help = "Weight of a reward that comes one step later", .min = 0, .max = 1, .group = "objective"})
            .param("value_weight", &P::valueWeight,
                   {.help = "Weight of the squared error of the value", .min = 0, .group = "objective"})
            .param("concentration_weight", &P::concentrationWeight,
                   {.help = "Weight of the sum of squared action probabilities", .min = 0, .group = "objective"})
            .param("value_baseline", &P::valueBaseline,
                   {.help = "Whose value is subtracted from the return: the trial's own, or that of the first trial of "
                            "the batch",
                    .choices = {"episode", "first_episode"},
                    .group = "objective"})
            .with(optimiserParams())
            .input("logits", "any", {.help = "Unnormalised log probabilities of the actions"})
            .input("value", 1, {.help = "Predicted return"})
            .input("action", "any", {.help = "Action that was taken, one-hot; as many units as logits"})
            .input("reward", 1, {.help = "Reward of the action"});
    }

    A2c(const A2cParams& params, Builder& b)
        : p_(params), shared_(params.valueBaseline == "first_episode"), logits_(b.input("logits")),
          value_(b.input("value")), action_(b.input("action")), reward_(b.input("reward")) {
        if (b.size("action") != b.size("logits"))
            throw Error("port \"action\"", "expected as many units as logits has (" + std::to_string(b.size("logits")) +
                                               "), got " + std::to_string(b.size("action")));
    }

    const OptimiserParams& optimiser() const override { return p_; }
    bool needsBatch() const override { return shared_; }

    void objective(Objective<T>& o) const override {
        const Value<T> reward = o.input(reward_), value = o.input(value_);
        const int steps = o.steps, trials = o.trials;
        if (o.continues && shared_)
            throw Error("value_baseline",
                        "first_episode compares whole trials, but these are streams; use \"episode\"");
        if (o.continues && steps < 2)
            throw Error("steps",
                        "the last step of a window is not scored here, so that a window needs at least 2 steps");
        const auto count = static_cast<std::size_t>(steps) * static_cast<std::size_t>(trials);
        // Advantage of step t and trial b stands at t * trials + b.
        T* advantage = o.scratch->arena().template array<T>(count);
        std::fill_n(advantage, count, T(0));
        const T* following = o.continues ? valuesThatFollow(o) : nullptr;
        double totalReward = 0, valueLoss = 0, weight = 0;
        for (int b = 0; b < trials; ++b) {
            T future = 0;
            for (int t = steps - 1; t >= 0; --t) {
                if (!o.counts(t, b)) {
                    requireEqualLengths();
                    continue;
                }
                if (follows(o, t, b)) {
                    future = following[b];
                    continue;
                }
                if (o.end(t, b) != End::none) future = 0;
                weight += 1;
                const T now = reward.data[o.column(t, b)];
                totalReward += static_cast<double>(now);
                future = now + static_cast<T>(p_.discount) * future;
                const T baseline = shared_ ? o.batchOf(value_).data[t * o.batchTrials] : value.data[o.column(t, b)];
                const T error = future - baseline;
                advantage[t * trials + b] = error;
                valueLoss += static_cast<double>(error * error);
                if (!shared_ && value.adjoint)
                    value.adjoint[o.column(t, b)] -= static_cast<T>(2 * p_.valueWeight) * error;
            }
        }
        if (shared_ && o.firstTrial == 0 && value.adjoint) trainFirstValue(o);
        o.stopGradient(advantage, count);

        double policyLoss = 0, concentration = 0;
        for (int t = 0; t < steps; ++t)
            for (int b = 0; b < trials; ++b)
                if (o.counts(t, b) && !follows(o, t, b))
                    addPolicyTerm(o, o.column(t, b), advantage[t * trials + b], policyLoss, concentration);

        o.addLoss(policyLoss + p_.valueWeight * valueLoss + p_.concentrationWeight * concentration, weight);
        o.addMetric("reward", totalReward, trials);
        o.addMetric("policy_loss", policyLoss, weight);
        o.addMetric("value_loss", valueLoss, weight);
        o.addMetric("concentration", concentration, weight);
    }

private:
    /// The last step of a window whose trial goes on: its value stands for what follows, so it is not scored itself.
    static bool follows(const Objective<T>& o, int step, int trial) {
        return o.continues && step + 1 == o.steps && o.end(step, trial) == End::none;
    }
    const T* valuesThatFollow(Objective<T>& o) const {
        T* values = o.scratch->arena().template array<T>(static_cast<std::size_t>(o.trials));
        for (int b = 0; b < o.trials; ++b) values[b] = o.input(value_).data[o.column(o.steps - 1, b)];
        o.stopGradient(values, static_cast<std::size_t>(o.trials));
        return values;
    }
    void requireEqualLengths() const {
        if (shared_)
            throw Error("value_baseline",
                        "first_episode compares trials step by step, but here a trial ended earlier than others; use "
                        "\"episode\"");
    }
    /// The value term of first_episode: the value of the batch's first trial is held against the returns of all trials.
    /// Only the chunk that owns this trial has its adjoint.
    void trainFirstValue(Objective<T>& o) const {
        const Value<T> reward = o.batchOf(reward_), value = o.input(value_);
        for (int b = 0; b < o.batchTrials; ++b) {
            T future = 0;
            for (int t = o.steps - 1; t >= 0; --t) {
                future = reward.data[t * o.batchTrials + b] + static_cast<T>(p_.discount) * future;
                value.adjoint[o.column(t, 0)] -=
                    static_cast<T>(2 * p_.valueWeight) * (future - value.data[o.column(t, 0)]);
            }
        }
    }

    /// -log p(a) A + concentration_weight sum p^2 of one column, and its gradient
    /// A (p - onehot(a)) + 2 concentration_weight p .* (p - sum p^2).
    void addPolicyTerm(Objective<T>& o, int column, T advantage, double& policyLoss, double& concentration) const {
        const Value<T> logits = o.input(logits_);
        const T *y = logits.column(column), *action = o.input(action_).column(column);
        const int count = logits.rows;
        T top = y[0];
        for (int i = 1; i < count; ++i) top = std::max(top, y[i]);
        T sum = 0, squares = 0, taken = 0;
        for (int i = 0; i < count; ++i) {
            const T e = std::exp(y[i] - top);
            sum += e;
            squares += e * e;
            taken += action[i] * (y[i] - top);
        }
        squares /= sum * sum;
        policyLoss -= static_cast<double>((taken - std::log(sum)) * advantage);
        concentration += static_cast<double>(squares);
        if (!logits.adjoint) return;
        for (int i = 0; i < count; ++i) {
            const T p = std::exp(y[i] - top) / sum;
            logits.gradientColumn(column)[i] +=
                advantage * (p - action[i]) + static_cast<T>(2 * p_.concentrationWeight) * p * (p - squares);
        }
    }

    A2cParams p_;
    bool shared_;
    Input logits_, value_, action_, reward_;
};

} // namespace raphe
