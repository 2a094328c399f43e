// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

namespace raphe {

struct CategoricalParams {
    int choices = 2;
};

inline constexpr const char* categoricalManual =
    R"(Chooses one of several actions at random, with probabilities given by logits.

    p = softmax(y / temperature),   action ~ p

| symbol | here |
| --- | --- |
| y | port `logits` |
| p | port `probability` |
| action | port `action`, one-hot |
| temperature | modulation port `temperature` (1 if nothing is wired); above 1 explores more |

The action is drawn by inversion of the cumulative sum from the random stream of this node, trial and step. No gradient
passes through the draw; it does through `probability`.)";

/// action ~ softmax(logits / temperature), one-hot.
template <class T>
class Categorical final : public Model<T> {
public:
    static auto declare() {
        using P = CategoricalParams;
        return Declaration<P>{"categorical", "1.0.0", "Draws an action with probabilities softmax(logits)"}
            .citation("Standard (softmax policy)")
            .manual(categoricalManual)
            .param("choices", &P::choices, {.help = "Number of actions", .min = 1, .max = 1000000, .group = "layer"})
            .input("logits", "choices", {.help = "Unnormalised log probabilities"})
            .modulation("temperature", 1,
                        {.help = "Divides the logits; must be positive", .optional = true, .neutral = 1})
            .output("action", "choices", {.help = "Drawn action, one-hot", .sampled = true})
            .output("probability", "choices", {.help = "Probability of each action"});
    }

    Categorical(const CategoricalParams& p, Builder& b)
        : choices_(p.choices), logits_(b.input("logits")), temperature_(b.input("temperature")),
          action_(b.output("action")), probability_(b.output("probability")) {}

    void step(Step<T>& s) const override {
        Value<T> y = s.input(logits_);
        if (s.wired(temperature_)) y = divide(y, s.input(temperature_));
        const Value<T> p = s.emit(probability_, softmax(y));
        if (s.given(action_)) return;
        const Value<T> action = s.tape().constant(choices_, s.columns(), T(0));
        for (int c = 0; c < s.columns(); ++c) {
            Stream random = s.random(c);
            action.column(c)[random.categorical(p.column(c), choices_)] = T(1);
        }
        s.emit(action_, action);
    }

private:
    /// y_c / k_c for each column c.
    static Value<T> divide(Value<T> y, Value<T> k) {
        const Value<T> z = y.tape->make(y.rows, y.cols);
        z.array() = y.array().rowwise() / k.array().row(0);
        y.tape->reverse([=] {
            for (int c = 0; c < y.cols; ++c) {
                T sum = 0;
                for (int r = 0; r < y.rows; ++r) {
                    const T g = z.gradientColumn(c)[r] / k.data[c];
                    if (y.adjoint) y.gradientColumn(c)[r] += g;
                    sum += g * z.column(c)[r];
                }
                if (k.adjoint) k.adjoint[c] -= sum;
            }
        });
        return z;
    }

    int choices_;
    Input logits_, temperature_;
    Output action_, probability_;
};

} // namespace raphe
