// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

namespace raphe {

struct ObserveParams {};

inline constexpr const char* observeManual =
    R"(Trains nothing: runs a batch of trials in each iteration and reports what came of them. For experiments in which learning
happens inside the trials, each of which is a learner of its own.

| metric | mean over steps and trials of |
| --- | --- |
| loss | minus the reward |
| reward | port `reward` |
| correct | port `correct`, if wired |
| regret | port `regret`, if wired |)";

/// Runs trials and averages what they brought.
template <class T>
class Observe final : public Rule<T> {
public:
    static auto declare() {
        using P = ObserveParams;
        return Declaration<P>{"observe", "1.0.0", "Trains nothing: reports what learners inside trials achieve"}
            .citation("None")
            .manual(observeManual)
            .input("reward", 1, {.help = "Reward of each step"})
            .input("correct", 1, {.help = "1 where an action was right", .optional = true})
            .input("regret", 1, {.help = "What the best action would have brought beyond it", .optional = true});
    }

    Observe(const ObserveParams&, Builder& b)
        : reward_(b.input("reward")), correct_(b.input("correct")), regret_(b.input("regret")),
          hasCorrect_(b.wired("correct")), hasRegret_(b.wired("regret")) {}

    void iterate(Iteration<T>& iteration) const override { iteration.perform(); }

    void score(Objective<T>& o) const override {
        double rewards = 0, corrects = 0, regrets = 0, count = 0;
        for (int t = 0; t < o.steps; ++t)
            for (int b = 0; b < o.trials; ++b) {
                if (!o.counts(t, b)) continue;
                const int c = o.column(t, b);
                rewards += static_cast<double>(o.input(reward_).data[c]);
                if (hasCorrect_) corrects += static_cast<double>(o.input(correct_).data[c]);
                if (hasRegret_) regrets += static_cast<double>(o.input(regret_).data[c]);
                ++count;
            }
        o.addLoss(-rewards, count);
        o.addMetric("reward", rewards, count);
        if (hasCorrect_) o.addMetric("correct", corrects, count);
        if (hasRegret_) o.addMetric("regret", regrets, count);
    }

private:
    Input reward_, correct_, regret_;
    bool hasCorrect_, hasRegret_;
};

} // namespace raphe
