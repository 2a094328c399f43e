// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/credit.h"

#include <string>

namespace raphe {

/// Settings of the gradient step. Rules that are trained by gradients derive their parameters from this struct.
struct OptimiserParams {
    std::string optimiser = "adam";
    double learningRate = 1e-3;
    double momentum = 0.0;
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double weightDecay = 0.0;
    double clipNorm = 0.0, clipValue = 0.0;
    int burnIn = 0, stateResetEvery = 0;
    std::string credit = "exact";
    double creditMu = 0.25;
    int creditSteps = 0;

    Credit creditPolicy() const { return creditOf(credit, creditMu, creditSteps); }
};

/// Declares the settings of OptimiserParams as hyper-parameters of a rule.
inline auto optimiserParams() {
    return [](auto& declaration) {
        using O = OptimiserParams;
        declaration
            .param("optimiser", &O::optimiser,
                   {.help = "Form of the weight change", .choices = {"sgd", "adam", "adamw"}, .group = "optimiser"})
            .param("learning_rate", &O::learningRate,
                   {.help = "Size of the weight change", .min = 0, .group = "optimiser"})
            .param("momentum", &O::momentum,
                   {.help = "Fraction of the previous change that sgd keeps", .min = 0, .max = 1, .group = "optimiser"})
            .param("beta1", &O::beta1,
                   {.help = "Decay of the mean of gradients (adam, adamw)",
                    .min = 0,
                    .max = 0.999999999,
                    .group = "optimiser"})
            .param("beta2", &O::beta2,
                   {.help = "Decay of the mean of squared gradients (adam, adamw)",
                    .min = 0,
                    .max = 0.999999999,
                    .group = "optimiser"})
            .param("epsilon", &O::epsilon,
                   {.help = "Added to the root of the mean square, outside the root", .min = 0, .group = "optimiser"})
            .param("weight_decay", &O::weightDecay,
                   {.help = "Pull of all weights towards zero: decoupled in adamw, added to the clipped gradient in "
                            "sgd and adam",
                    .min = 0,
                    .group = "optimiser"})
            .param("clip_norm", &O::clipNorm,
                   {.help = "Largest global norm of the gradient; 0: no limit", .min = 0, .group = "optimiser"})
            .param("clip_value", &O::clipValue,
                   {.help = "Largest magnitude of every entry of the gradient; 0: no limit",
                    .min = 0,
                    .group = "optimiser"})
            .param("burn_in", &O::burnIn,
                   {.unit = "iterations",
                    .help = "Iterations at the start that compute gradients but change nothing",
                    .min = 0,
                    .group = "optimiser"})
            .param("state_reset_every", &O::stateResetEvery,
                   {.unit = "iterations",
                    .help = "Period after which the optimiser forgets its averages; 0: never",
                    .min = 0,
                    .group = "optimiser"})
            .param("credit", &O::credit,
                   {.help = "How credit returns over what units send each other from step to step: exact "
                            "(backpropagation), local (not at all: three factors), mdgl (over one link), modprop "
                            "(through a filter that is the same at all times); with _type by the mean weights of "
                            "cell types",
                    .choices = creditNames(),
                    .group = "credit"})
            .param("credit_mu", &O::creditMu,
                   {.help = "Stands for the slope of every sender where credit crosses a link (modprop)",
                    .min = 0,
                    .group = "credit"})
            .param("credit_steps", &O::creditSteps,
                   {.unit = "steps",
                    .help = "Credit crosses links only in so many steps at the end of a trial; 0: in all",
                    .min = 0,
                    .group = "credit"});
    };
}

} // namespace raphe
