// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

namespace raphe {

struct BernoulliParams {
    int units = 1;
};

inline constexpr const char* bernoulliManual =
    R"(Decides yes or no at random, for each unit by itself, with probabilities given by logits.

    p = sigmoid(y),   action = 1 with probability p, otherwise 0

| symbol | here |
| --- | --- |
| y | port `logits` |
| p | port `probability` |
| action | port `action` |

Each unit's decision comes from the random stream of this node, trial and step. No gradient passes through the draw; it does
through `probability`.)";

/// action ~ Bernoulli(sigmoid(logits)), each unit for itself.
template <class T>
class Bernoulli final : public Model<T> {
public:
    static auto declare() {
        using P = BernoulliParams;
        return Declaration<P>{"bernoulli", "1.0.0", "Draws 0 or 1 for each unit with probability sigmoid(logits)"}
            .citation("Standard (Bernoulli policy)")
            .manual(bernoulliManual)
            .param("units", &P::units, {.help = "Number of decisions", .min = 1, .max = 1000000, .group = "layer"})
            .input("logits", "units", {.help = "Logarithm of the odds of 1"})
            .output("action", "units", {.help = "Drawn decisions, 0 or 1", .sampled = true})
            .output("probability", "units", {.help = "Probability of 1"});
    }

    Bernoulli(const BernoulliParams&, Builder& b)
        : logits_(b.input("logits")), action_(b.output("action")), probability_(b.output("probability")) {}

    void step(Step<T>& s) const override {
        const Value<T> p = s.emit(probability_, sigmoid(s.input(logits_)));
        if (s.given(action_)) return;
        const Value<T> action = s.tape().make(p.rows, p.cols, false);
        for (int c = 0; c < s.columns(); ++c) {
            Stream random = s.random(c);
            for (int i = 0; i < p.rows; ++i)
                action.column(c)[i] = random.uniform() < static_cast<double>(p.column(c)[i]) ? T(1) : T(0);
        }
        s.emit(action_, action);
    }

private:
    Input logits_;
    Output action_, probability_;
};

} // namespace raphe
