// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace raphe {

struct SwitchingBanditParams {
    int arms = 5, contexts = 16, contextLength = 500;
    double switchProbability = 0.4;
    std::string environment = "redrawn";
    double meanLow = -5, meanHigh = 5, deviationLow = 0.001, deviationHigh = 2;
    std::vector<double> probabilities = {0.6, 0.4};
};

inline constexpr const char* switchingBanditManual =
    R"(A bandit that lasts: what its arms pay changes between contexts of equal length, and nobody says when. Each step is one choice.

`environment` redrawn: at the start of a context (the first always, the others with probability `switch_probability`) all arms are
drawn anew, means uniform in `mean_low` ... `mean_high`, standard deviations uniform in `deviation_low` ... `deviation_high`; a
reward is normal. reversal: a reward is 1 or 0 with the arm's probability, from `probabilities`; at the start of every context
(with probability `switch_probability` from the second on) the probabilities move on by one arm; in the first context they have
moved once already.

    regret = max_a mu_a - mu_action

The rewards that an arm would have paid are the same for all agents.

| symbol | here |
| --- | --- |
| mu, sigma | ports `mean`, `deviation`: the truth, for oracles and probes |
| a true switch | port `switch`, 1 in the first step of a context whose arms have changed |
| reward, regret, correct | ports `reward`, `regret`, `correct` (1 where the best arm was chosen), at the end of the step |)";

struct SwitchingBanditTrial {
    std::vector<double> mean, deviation; ///< by context and arm
    std::vector<signed char> switched;   ///< by context
    template <class Archive>
    void fields(Archive& a) {
        a(mean, deviation, switched);
    }
};

/// A bandit whose arms change between contexts.
template <class T>
class SwitchingBandit final : public TaskOf<T, SwitchingBanditTrial> {
public:
    using Trial = SwitchingBanditTrial;

    static auto declare() {
        using P = SwitchingBanditParams;
        return Declaration<P>{"switching_bandit", "1.0.0", "Bandit whose arms change without notice"}
            .citation("J. Lee, L. Liebana, C. Clopath, W. Dabney (2024), Lifelong reinforcement learning via "
                      "neuromodulation, arXiv:2408.08446")
            .manual(switchingBanditManual)
            .param("arms", &P::arms, {.help = "Number of arms", .min = 1, .max = 10000, .group = "task"})
            .param("contexts", &P::contexts, {.help = "Number of contexts", .min = 1, .max = 100000, .group = "task"})
            .param("context_length", &P::contextLength,
                   {.unit = "steps", .help = "Choices in each context", .min = 1, .max = 1000000, .group = "task"})
            .param("switch_probability", &P::switchProbability,
                   {.help = "Probability that a context brings a change", .min = 0, .max = 1, .group = "task"})
            .param("environment", &P::environment,
                   {.help = "How arms change", .choices = {"redrawn", "reversal"}, .group = "task"})
            .param("mean_low", &P::meanLow, {.help = "Lowest mean (redrawn)", .group = "arms"})
            .param("mean_high", &P::meanHigh, {.help = "Highest mean (redrawn)", .group = "arms"})
            .param("deviation_low", &P::deviationLow,
                   {.help = "Smallest standard deviation (redrawn)", .min = 0, .group = "arms"})
            .param("deviation_high", &P::deviationHigh,
                   {.help = "Largest standard deviation (redrawn)", .min = 0, .group = "arms"})
            .param("probabilities", &P::probabilities,
                   {.help = "Probability of a reward of each arm (reversal)", .min = 0, .max = 1, .group = "arms"})
            .input("action", "arms", {.help = "Chosen arm, one-hot", .read = Read::end})
            .output("mean", "arms", {.help = "True mean of each arm; for oracles"})
            .output("deviation", "arms", {.help = "True standard deviation of each arm; for oracles"})
            .output("context", 1, {.help = "Number of the context, 0, 1, ...; for probes"})
            .output("switch", 1, {.help = "1 in the first step after a change of the arms; for probes"})
            .output("reward", 1, {.help = "What the arm paid", .read = Read::end})
            .output("regret", 1, {.help = "Mean of the best arm minus that of the chosen one", .read = Read::end})
            .output("correct", 1, {.help = "1 where the best arm was chosen", .read = Read::end})
            .event("switch", "switch")
            .check([](const P& p) {
                if (p.meanLow > p.meanHigh) return std::string("mean_low: lies above mean_high");
                if (p.deviationLow > p.deviationHigh) return std::string("deviation_low: lies above deviation_high");
                if (p.environment == "reversal" && p.probabilities.size() != static_cast<std::size_t>(p.arms))
                    return "probabilities: expected one for each arm (" + std::to_string(p.arms) + "), got " +
                           std::to_string(p.probabilities.size());
                if (static_cast<double>(p.contexts) * p.contextLength > 1e9)
                    return std::string("contexts: more than a billion steps; use fewer or shorter contexts");
                if (static_cast<double>(p.contexts) * p.arms > 1e8)
                    return std::string("contexts: more than 100 million arms in all; use fewer");
                return std::string();
            });
    }

    SwitchingBandit(const SwitchingBanditParams& p, Builder& b)
        : p_(p), reversal_(p.environment == "reversal"), action_(b.input("action")), mean_(b.output("mean")),
          deviation_(b.output("deviation")), context_(b.output("context")), switch_(b.output("switch")),
          reward_(b.output("reward")), regret_(b.output("regret")), correct_(b.output("correct")) {}

    int steps() const override { return p_.contexts * p_.contextLength; }

    void begin(Trial& trial, std::uint32_t, Stream& random) const override {
        const auto arms = static_cast<std::size_t>(p_.arms), contexts = static_cast<std::size_t>(p_.contexts);
        trial.mean.resize(arms * contexts);
        trial.deviation.resize(arms * contexts);
        trial.switched.assign(contexts, 0);
        std::size_t moved = 1;
        for (std::size_t n = 0; n < contexts; ++n) {
            double *mean = trial.mean.data() + n * arms, *deviation = trial.deviation.data() + n * arms;
            const bool changes = n == 0 || random.uniform() < p_.switchProbability;
            trial.switched[n] = n > 0 && changes ? 1 : 0;
            if (reversal_) {
                moved += n > 0 && changes ? 1 : 0;
                for (std::size_t a = 0; a < arms; ++a) {
                    mean[a] = p_.probabilities[(a + moved) % arms];
                    deviation[a] = std::sqrt(mean[a] * (1 - mean[a]));
                }
                continue;
            }
            for (std::size_t a = 0; a < arms; ++a) {
                mean[a] = changes ? random.uniform(p_.meanLow, p_.meanHigh) : mean[a - arms];
                deviation[a] = changes ? random.uniform(p_.deviationLow, p_.deviationHigh) : deviation[a - arms];
            }
        }
    }

    void observe(Trial& trial, TaskStep<T>& s) const override {
        const auto [mean, deviation, context] = here(trial, s.step());
        for (int a = 0; a < p_.arms; ++a) {
            s.output(mean_)[a] = static_cast<T>(mean[a]);
            s.output(deviation_)[a] = static_cast<T>(deviation[a]);
        }
        *s.output(context_) = static_cast<T>(context);
        if (s.step() % p_.contextLength == 0) *s.output(switch_) = static_cast<T>(trial.switched[context]);
    }

    void act(Trial& trial, TaskStep<T>& s) const override {
        const auto [mean, deviation, context] = here(trial, s.step());
        const T* action = s.input(action_);
        const auto arm = std::max_element(action, action + p_.arms) - action;
        const double best = *std::max_element(mean, mean + p_.arms);
        *s.output(reward_) = static_cast<T>(pays(mean[arm], deviation[arm], static_cast<int>(arm), s.random()));
        *s.output(regret_) = static_cast<T>(best - mean[arm]);
        *s.output(correct_) = mean[arm] == best ? T(1) : T(0);
    }

private:
    struct Here {
        const double *mean, *deviation;
        std::size_t context;
    };
    Here here(const Trial& trial, int step) const {
        const auto context = static_cast<std::size_t>(std::min(step / p_.contextLength, p_.contexts - 1));
        const auto first = context * static_cast<std::size_t>(p_.arms);
        return {trial.mean.data() + first, trial.deviation.data() + first, context};
    }

    /// The reward of an arm in this step, whether or not others are drawn.
    double pays(double mean, double deviation, int arm, Stream random) const {
        if (reversal_) {
            for (int a = 0; a < arm; ++a) random.uniform();
            return random.uniform() < mean ? 1 : 0;
        }
        for (int a = 0; a + 1 < arm; a += 2) { // a pair of normal numbers is made of two uniform ones
            random.uniform();
            random.uniform();
        }
        if (arm % 2 == 1) random.normal();
        return mean + deviation * random.normal();
    }

    SwitchingBanditParams p_;
    bool reversal_;
    Input action_;
    Output mean_, deviation_, context_, switch_, reward_, regret_, correct_;
};

} // namespace raphe
