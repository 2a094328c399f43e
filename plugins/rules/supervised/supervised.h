// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <cmath>
#include <string>

namespace raphe {

struct SupervisedParams : OptimiserParams {
    std::string loss = "squared";
};

inline constexpr const char* supervisedManual =
    R"(Trains a prediction y towards a target y* by gradient descent on the masked error.

    squared          loss = sum( m (y - y*)^2 ) / sum( m )              over trials, steps and units
    half_squared     loss = mean over trials and steps of 1/2 sum( m (y - y*)^2 ) over units
    cross_entropy    loss = sum( m H ) / sum( m ) over trials and steps,   H = -sum( y* log softmax(y) ) over units

| symbol | here |
| --- | --- |
| y, y* | ports `prediction`, `target`; in cross_entropy logits and probabilities (one-hot for a class) |
| m | port `mask`: one unit for each unit of the target, or one for all of them (in cross_entropy always one); 1 if nothing is wired |
| | port `classes`, of cross_entropy: units of y that are not 0 here compete in the softmax, the others are left out |

The metric `accuracy` of cross_entropy is the fraction of trials and steps, weighted with m, in which the largest y is where y* is largest.
The metric `final_error` is the mean squared error at the last step, without the mask; `correct` is the mean of what the port `correct` shows at the
last step, if something is wired to it: the judgement of `model.angle_judge`, for instance. The sum of m runs over all units, so a mask of one unit
counts once for each unit of the target.)";

/// loss = sum(mask (prediction - target)^2) / sum(mask).
template <class T>
class Supervised final : public GradientRule<T> {
public:
    static auto declare() {
        return Declaration<SupervisedParams>{"supervised", "1.1.0",
                                             "Masked squared error or cross-entropy, reduced by gradient descent"}
            .citation(
                "Standard; the masked mean as in J. C. Costacurta, S. Bhandarkar, D. M. Zoltowski, S. W. Linderman "
                "(2024), Structured "
                "flexibility in recurrent neural networks via neuromodulation, NeurIPS, doi:10.1101/2024.07.26.605315")
            .manual(supervisedManual)
            .param("loss", &SupervisedParams::loss,
                   {.help = "Error between prediction and target",
                    .choices = {"squared", "half_squared", "cross_entropy"},
                    .group = "objective"})
            .with(optimiserParams())
            .input("prediction", "any", {.help = "What is trained"})
            .input("target", "any", {.help = "What it shall be; as many units as the prediction"})
            .input("mask", "any",
                   {.help = "Weight of each squared error; as many units as the target, or 1", .optional = true})
            .input("classes", "any",
                   {.help = "Which units of the prediction compete (not 0), in cross_entropy; as many as the target",
                    .optional = true,
                    .neutral = 1})
            .input("correct", 1,
                   {.help = "Whether the trial is right; what it shows at the last step becomes a metric",
                    .optional = true});
    }

    Supervised(const SupervisedParams& params, Builder& b)
        : params_(params), prediction_(b.input("prediction")), target_(b.input("target")), mask_(b.input("mask")),
          classes_(b.input("classes")), correct_(b.input("correct")), masked_(b.wired("mask")),
          restricted_(b.wired("classes")), judged_(b.wired("correct")), entropy_(params.loss == "cross_entropy"),
          half_(params.loss == "half_squared") {
        const int units = b.size("prediction"), targets = b.size("target"), masks = b.size("mask");
        if (targets != units)
            throw Error("port \"target\"", "expected as many units as the prediction has (" + std::to_string(units) +
                                               "), got " + std::to_string(targets));
        if (entropy_ && masked_ && masks != 1)
            throw Error("port \"mask\"", "expected 1 unit in cross_entropy, got " + std::to_string(masks));
        if (restricted_ && (!entropy_ || b.size("classes") != units))
            throw Error("port \"classes\"",
                        entropy_ ? "expected as many units as the prediction has (" + std::to_string(units) +
                                       "), got " + std::to_string(b.size("classes"))
                                 : std::string("is for cross_entropy alone; leave it unwired, or change loss"));
        if (masked_ && masks != 1 && masks != targets)
            throw Error("port \"mask\"", "expected 1 unit or as many as the target has (" + std::to_string(targets) +
                                             "), got " + std::to_string(masks));
    }

    const OptimiserParams& optimiser() const override { return params_; }

    void objective(Objective<T>& o) const override {
        if (judged_) takeJudgement(o);
        if (entropy_) return crossEntropy(o);
        const Value<T> y = o.input(prediction_), target = o.input(target_),
                       mask = masked_ ? o.input(mask_) : Value<T>{};
        const T slope = half_ ? T(1) : T(2);
        double loss = 0, weight = 0, finalError = 0, ends = 0, columns = 0;
        for (int t = 0; t < o.steps; ++t)
            for (int b = 0; b < o.trials; ++b) {
                if (!o.counts(t, b)) continue;
                const int c = o.column(t, b);
                columns += 1;
                const bool last = o.end(t, b) != End::none || t + 1 == o.steps;
                for (int r = 0; r < y.rows; ++r) {
                    const T m = mask ? mask.column(c)[mask.rows == 1 ? 0 : r] : T(1);
                    const T error = y.column(c)[r] - target.column(c)[r];
                    loss += static_cast<double>(m * error * error);
                    weight += static_cast<double>(m);
                    if (y.adjoint) y.gradientColumn(c)[r] += slope * m * error;
                    if (target.adjoint) target.gradientColumn(c)[r] -= slope * m * error;
                    if (last) finalError += static_cast<double>(error * error);
                }
                ends += last ? 1 : 0;
            }
        if (half_)
            o.addLoss(loss / 2, columns);
        else
            o.addLoss(loss, weight);
        o.addMetric("final_error", finalError, ends * y.rows);
    }

private:
    void takeJudgement(Objective<T>& o) const {
        const Value<T> correct = o.input(correct_);
        double sum = 0, ends = 0;
        for (int t = 0; t < o.steps; ++t)
            for (int b = 0; b < o.trials; ++b)
                if (o.counts(t, b) && (t + 1 == o.steps || o.end(t, b) != End::none)) {
                    sum += static_cast<double>(correct.column(o.column(t, b))[0]);
                    ends += 1;
                }
        o.addMetric("correct", sum, ends);
    }
    void crossEntropy(Objective<T>& o) const {
        const Value<T> y = o.input(prediction_), target = o.input(target_),
                       mask = masked_ ? o.input(mask_) : Value<T>{},
                       classes = restricted_ ? o.input(classes_) : Value<T>{};
        double loss = 0, weight = 0, right = 0;
        for (int t = 0; t < o.steps; ++t)
            for (int b = 0; b < o.trials; ++b) {
                if (!o.counts(t, b)) continue;
                const int c = o.column(t, b);
                const T* in = y.column(c);
                const T* wanted = target.column(c);
                const T m = mask ? mask.column(c)[0] : T(1);
                const auto competes = [&](int r) { return !classes || classes.column(c)[r] != T(0); };
                int largest = -1, aim = 0;
                T mass = 0, sum = 0, product = 0;
                for (int r = 0; r < y.rows; ++r) {
                    if (wanted[r] > wanted[aim]) aim = r;
                    if (competes(r) && (largest < 0 || !(in[r] <= in[largest]))) largest = r;
                }
                if (largest < 0) continue; // nothing competes
                for (int r = 0; r < y.rows; ++r) {
                    if (!competes(r)) continue;
                    sum += std::exp(in[r] - in[largest]);
                    mass += wanted[r];
                    product += wanted[r] * (in[r] - in[largest]);
                }
                const T logSum = std::log(sum);
                loss += static_cast<double>(m * (mass * logSum - product));
                weight += static_cast<double>(m);
                if (largest == aim) right += static_cast<double>(m);
                for (int r = 0; r < y.rows; ++r) {
                    if (!competes(r)) continue;
                    const T p = std::exp(in[r] - in[largest] - logSum);
                    if (y.adjoint) y.gradientColumn(c)[r] += m * (mass * p - wanted[r]);
                    if (target.adjoint) target.gradientColumn(c)[r] += m * (logSum - (in[r] - in[largest]));
                }
            }
        o.addLoss(loss, weight);
        o.addMetric("accuracy", right, weight);
    }

    SupervisedParams params_;
    Input prediction_, target_, mask_, classes_, correct_;
    bool masked_, restricted_, judged_, entropy_, half_;
};

} // namespace raphe
