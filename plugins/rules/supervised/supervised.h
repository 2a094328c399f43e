// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <string>

namespace raphe {

struct SupervisedParams : OptimiserParams {};

inline constexpr const char* supervisedManual =
    R"(Trains a prediction y towards a target y* by gradient descent on the masked mean squared error.

    loss = sum( m (y - y*)^2 ) / sum( m )      over trials, steps and units

| symbol | here |
| --- | --- |
| y, y* | ports `prediction`, `target` |
| m | port `mask`: one unit for each unit of the target, or one for all of them; 1 if nothing is wired |

The metric `final_error` is the mean squared error at the last step, without the mask. The sum of m runs over all units, so a mask of one unit
counts once for each unit of the target.)";

/// loss = sum(mask (prediction - target)^2) / sum(mask).
template <class T>
class Supervised final : public GradientRule<T> {
public:
    static auto declare() {
        return Declaration<SupervisedParams>{"supervised", "1.0.0",
                                             "Masked mean squared error, reduced by gradient descent"}
            .citation(
                "Standard; the masked mean as in J. C. Costacurta, S. Bhandarkar, D. M. Zoltowski, S. W. Linderman "
                "(2024), Structured "
                "flexibility in recurrent neural networks via neuromodulation, NeurIPS, doi:10.1101/2024.07.26.605315")
            .manual(supervisedManual)
            .with(optimiserParams())
            .input("prediction", "any", {.help = "What is trained"})
            .input("target", "any", {.help = "What it shall be; as many units as the prediction"})
            .input("mask", "any",
                   {.help = "Weight of each squared error; as many units as the target, or 1", .optional = true});
    }

    Supervised(const SupervisedParams& params, Builder& b)
        : params_(params), prediction_(b.input("prediction")), target_(b.input("target")), mask_(b.input("mask")),
          masked_(b.wired("mask")) {
        const int units = b.size("prediction"), targets = b.size("target"), masks = b.size("mask");
        if (targets != units)
            throw Error("port \"target\"", "expected as many units as the prediction has (" + std::to_string(units) +
                                               "), got " + std::to_string(targets));
        if (masked_ && masks != 1 && masks != targets)
            throw Error("port \"mask\"", "expected 1 unit or as many as the target has (" + std::to_string(targets) +
                                             "), got " + std::to_string(masks));
    }

    const OptimiserParams& optimiser() const override { return params_; }

    void objective(Objective<T>& o) const override {
        const Value<T> y = o.input(prediction_), target = o.input(target_),
                       mask = masked_ ? o.input(mask_) : Value<T>{};
        double loss = 0, weight = 0, finalError = 0, ends = 0;
        for (int t = 0; t < o.steps; ++t)
            for (int b = 0; b < o.trials; ++b) {
                if (!o.counts(t, b)) continue;
                const int c = o.column(t, b);
                const bool last = o.end(t, b) != End::none || t + 1 == o.steps;
                for (int r = 0; r < y.rows; ++r) {
                    const T m = mask ? mask.column(c)[mask.rows == 1 ? 0 : r] : T(1);
                    const T error = y.column(c)[r] - target.column(c)[r];
                    loss += static_cast<double>(m * error * error);
                    weight += static_cast<double>(m);
                    if (y.adjoint) y.gradientColumn(c)[r] += T(2) * m * error;
                    if (target.adjoint) target.gradientColumn(c)[r] -= T(2) * m * error;
                    if (last) finalError += static_cast<double>(error * error);
                }
                ends += last ? 1 : 0;
            }
        o.addLoss(loss, weight);
        o.addMetric("final_error", finalError, ends * y.rows);
    }

private:
    SupervisedParams params_;
    Input prediction_, target_, mask_;
    bool masked_;
};

} // namespace raphe
