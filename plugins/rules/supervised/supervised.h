// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <cmath>
#include <string>

namespace raphe {

struct SupervisedParams : OptimiserParams {
    std::string loss = "squared_error";
};

inline constexpr const char* supervisedManual =
    R"(Trains a prediction y towards a target y* by gradient descent on the masked mean of its errors.

    squared_error   loss = sum( m (y - y*)^2 ) / sum( m )               over trials, steps and units
    cross_entropy   loss = sum( m -y* . log softmax(y) ) / sum( m )     over trials and steps

| symbol | here |
| --- | --- |
| y, y* | ports `prediction`, `target` |
| m | port `mask`: one unit for each unit of the target, or one for all of them; 1 if nothing is wired |

`loss` says which. The metric `final_error` of squared_error is the mean squared error at the last step, without the mask. The sum of m runs
over all units, so a mask of one unit counts once for each unit of the target. With cross_entropy the target holds a probability
for each class, usually 1 for one of them, the mask has one unit, and the metric `accuracy` is the (masked) share of steps at which the largest
prediction is where the largest target is. A mask that is 1 at the last step only makes it the loss of a decision at the end.)";

/// loss = sum(mask (prediction - target)^2) / sum(mask), or the same of the cross-entropy of each step.
template <class T>
class Supervised final : public GradientRule<T> {
public:
    static auto declare() {
        return Declaration<SupervisedParams>{"supervised", "1.1.0",
                                             "Masked mean squared error or cross-entropy, reduced by gradient descent"}
            .citation(
                "Standard; the masked mean as in J. C. Costacurta, S. Bhandarkar, D. M. Zoltowski, S. W. Linderman "
                "(2024), Structured "
                "flexibility in recurrent neural networks via neuromodulation, NeurIPS, doi:10.1101/2024.07.26.605315")
            .manual(supervisedManual)
            .param("loss", &SupervisedParams::loss,
                   {.help = "What is reduced: squared_error, or the cross_entropy of a choice between classes",
                    .choices = {"squared_error", "cross_entropy"},
                    .group = "loss"})
            .with(optimiserParams())
            .input("prediction", "any", {.help = "What is trained"})
            .input("target", "any", {.help = "What it shall be; as many units as the prediction"})
            .input("mask", "any",
                   {.help = "Weight of each squared error; as many units as the target, or 1", .optional = true});
    }

    Supervised(const SupervisedParams& params, Builder& b)
        : params_(params), prediction_(b.input("prediction")), target_(b.input("target")), mask_(b.input("mask")),
          masked_(b.wired("mask")), classes_(params.loss == "cross_entropy") {
        const int units = b.size("prediction"), targets = b.size("target"), masks = b.size("mask");
        if (targets != units)
            throw Error("port \"target\"", "expected as many units as the prediction has (" + std::to_string(units) +
                                               "), got " + std::to_string(targets));
        if (classes_ && units < 2)
            throw Error("port \"prediction\"",
                        "cross_entropy chooses between classes, so it needs at least 2 units, got " +
                            std::to_string(units));
        if (classes_ && masked_ && masks != 1)
            throw Error("port \"mask\"",
                        "cross_entropy has one error a step, so expected 1 unit, got " + std::to_string(masks));
        if (masked_ && masks != 1 && masks != targets)
            throw Error("port \"mask\"", "expected 1 unit or as many as the target has (" + std::to_string(targets) +
                                             "), got " + std::to_string(masks));
    }

    const OptimiserParams& optimiser() const override { return params_; }

    void objective(Objective<T>& o) const override {
        if (classes_)
            crossEntropy(o);
        else
            squaredError(o);
    }

private:
    void squaredError(Objective<T>& o) const {
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

    void crossEntropy(Objective<T>& o) const {
        const Value<T> y = o.input(prediction_), target = o.input(target_),
                       mask = masked_ ? o.input(mask_) : Value<T>{}, p = o.scratch->make(y.rows, 1, false);
        double loss = 0, weight = 0, right = 0;
        for (int t = 0; t < o.steps; ++t)
            for (int b = 0; b < o.trials; ++b) {
                if (!o.counts(t, b)) continue;
                const int c = o.column(t, b);
                const T m = mask ? mask.column(c)[0] : T(1);
                if (m == T(0)) continue;
                const auto in = y.array().col(c), wanted = target.array().col(c);
                Eigen::Index chosen = 0, correct = 0;
                const T top = in.maxCoeff(&chosen), share = wanted.sum();
                wanted.maxCoeff(&correct);
                auto exponential = p.array().col(0);
                exponential = (in - top).exp();
                const T sum = exponential.sum(), normaliser = top + std::log(sum);
                loss += static_cast<double>(m * (share * normaliser - (wanted * in).sum()));
                weight += static_cast<double>(m);
                right += chosen == correct ? static_cast<double>(m) : 0;
                if (y.adjoint) y.gradientArray().col(c) += m * (share / sum * exponential - wanted);
                if (target.adjoint) target.gradientArray().col(c) += m * (normaliser - in);
            }
        o.addLoss(loss, weight);
        o.addMetric("accuracy", right, weight);
    }

    SupervisedParams params_;
    Input prediction_, target_, mask_;
    bool masked_, classes_;
};

} // namespace raphe
