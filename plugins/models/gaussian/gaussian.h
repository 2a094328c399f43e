// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <cmath>

namespace raphe {

struct GaussianParams {
    int units = 1;
    double logVarianceOffset = 0;
    double logVarianceMin = -10, logVarianceMax = 4;
};

inline constexpr const char* gaussianManual =
    R"(Draws a continuous action whose components are independent and normal.

    w = min(w_max, max(w_min, v + v_0)),   action = mean + exp(w / 2) .* e,   e ~ N(0, 1)

| symbol | here |
| --- | --- |
| mean, v | ports `mean`, `log_variance`; v is the logarithm of the variance up to the offset |
| v_0 | `log_variance_offset` |
| w_min, w_max | `log_variance_min`, `log_variance_max` |
| w | port `total_log_variance`: what the action was drawn with |
| action | port `action`, not bounded |

The bounds are a guard: beyond them w passes no gradient. Each component's normal deviate comes from the random stream of this
node, trial and step. No gradient passes through the draw; it does through `total_log_variance`, and a learning rule takes the
probability of the action from `mean`, `total_log_variance` and `action`.)";

/// action ~ N(mean, exp(bounded log variance)), each component for itself.
template <class T>
class Gaussian final : public Model<T> {
public:
    static auto declare() {
        using P = GaussianParams;
        return Declaration<P>{"gaussian", "1.0.0", "Draws an action from a normal distribution"}
            .citation("Standard (Gaussian policy)")
            .manual(gaussianManual)
            .param("units", &P::units,
                   {.help = "Number of components of the action", .min = 1, .max = 1000000, .group = "layer"})
            .param("log_variance_offset", &P::logVarianceOffset,
                   {.help = "Added to the logarithm of the variance", .group = "layer"})
            .param("log_variance_min", &P::logVarianceMin,
                   {.help = "The logarithm of the variance is no smaller", .group = "bounds"})
            .param("log_variance_max", &P::logVarianceMax,
                   {.help = "The logarithm of the variance is no larger", .group = "bounds"})
            .input("mean", "units", {.help = "Mean of each component"})
            .input("log_variance", "units", {.help = "Logarithm of each variance, up to the offset"})
            .output("action", "units", {.help = "Drawn action", .sampled = true})
            .output("total_log_variance", "units", {.help = "Logarithm of each variance, with offset and bounds"})
            .check([](const P& p) {
                return p.logVarianceMin < p.logVarianceMax ? "" : "log_variance_min must be below log_variance_max";
            });
    }

    Gaussian(const GaussianParams& p, Builder& b)
        : offset_(static_cast<T>(p.logVarianceOffset)), min_(static_cast<T>(p.logVarianceMin)),
          max_(static_cast<T>(p.logVarianceMax)), mean_(b.input("mean")), logVariance_(b.input("log_variance")),
          action_(b.output("action")), total_(b.output("total_log_variance")) {}

    void step(Step<T>& s) const override {
        const Value<T> mean = s.input(mean_);
        const Value<T> w = s.emit(total_, bounded(s.input(logVariance_), s.destination(total_)));
        if (s.given(action_)) return;
        const Value<T> action = s.tape().make(mean.rows, mean.cols, false);
        for (int c = 0; c < s.columns(); ++c) {
            Stream random = s.random(c);
            for (int i = 0; i < mean.rows; ++i)
                action.column(c)[i] =
                    mean.column(c)[i] + std::exp(w.column(c)[i] / 2) * static_cast<T>(random.normal());
        }
        s.emit(action_, action);
    }

private:
    Value<T> bounded(Value<T> v, Value<T> w) const {
        w.array() = (v.array() + offset_).max(min_).min(max_);
        if (v.adjoint)
            v.tape->reverse([=, min = min_, max = max_] {
                v.gradientArray() += (w.array() > min && w.array() < max).template cast<T>() * w.gradientArray();
            });
        return w;
    }

    T offset_, min_, max_;
    Input mean_, logVariance_;
    Output action_, total_;
};

} // namespace raphe
