// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <algorithm>
#include <string>

namespace raphe {

/// What mechanisms that learn from the rewards of a bandit's arms have in common: the arm that was chosen, what it
/// paid, and how much of that is learned.
struct ArmParams {
    int arms = 2;
    double learningRate = 1;
};

/// Declares the hyper-parameters of ArmParams and the ports of ChosenArm.
inline auto armsAndReward() {
    return [](auto& declaration) {
        using P = ArmParams;
        declaration.param("arms", &P::arms, {.help = "Number of actions", .min = 1, .max = 100000, .group = "values"})
            .param("learning_rate", &P::learningRate,
                   {.help = "Factor of the modulation port learning_rate", .min = 0, .group = "values"})
            .input("action", "arms", {.help = "Chosen action, one-hot", .read = Read::end})
            .input("reward", 1, {.help = "What it brought", .read = Read::end})
            .modulation("learning_rate", "any",
                        {.help = "Factor of the learning rate: one number, or one an arm",
                         .read = Read::end,
                         .optional = true,
                         .neutral = 1});
    };
}

/// Reads the ports of armsAndReward() at the end of a step.
template <class T>
class ChosenArm {
public:
    struct Outcome {
        int arm;
        T reward, rate; ///< the learning rate of this arm
    };

    /// @throws Error if the learning rate is neither one number nor one an arm
    ChosenArm(const ArmParams& p, const Builder& b)
        : arms_(p.arms), learningRate_(static_cast<T>(p.learningRate)), action_(b.input("action")),
          reward_(b.input("reward")), rate_(b.input("learning_rate")) {
        const int rates = b.size("learning_rate");
        if (b.wired("learning_rate") && rates != 1 && rates != arms_)
            throw Error("port \"learning_rate\"",
                        "expected 1 unit or one an arm (" + std::to_string(arms_) + "), got " + std::to_string(rates));
    }

    Outcome of(Step<T>& s, int trial) const {
        const T* chosen = s.input(action_).column(trial);
        Outcome outcome{static_cast<int>(std::max_element(chosen, chosen + arms_) - chosen),
                        s.input(reward_).data[trial], learningRate_};
        if (!s.wired(rate_)) return outcome;
        const Value<T> rate = s.input(rate_);
        outcome.rate *= rate.column(trial)[rate.rows == 1 ? 0 : outcome.arm];
        return outcome;
    }

private:
    int arms_;
    T learningRate_;
    Input action_, reward_, rate_;
};

} // namespace raphe
