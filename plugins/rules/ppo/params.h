// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace raphe {

struct PpoParams {
    std::string head = "gaussian";
    std::string surrogate = "clip";
    double clip = 0.2;
    double klTarget = 0.003, klWeight = 1.0, hingeWeight = 50.0;
    bool klController = true;
    double entropyCoefficient = 0.0;
    double varianceEpsilon = 1e-6;

    double discount = 0.998, lambda = 0.98, rewardScale = 1.0;
    std::string normalise = "batch";
    double advantageEpsilon = 1e-6;
    std::string timeLimit = "terminal";

    std::string valueTarget = "monte_carlo";
    double valueClip = 0.0, valueCoefficient = 1.0;
    int valueReplay = 1;
    std::string optimisation = "separate";

    int trainSteps = 0;
    int segment = 200;
    std::string segmentState = "stored";
    int burnIn = 0;
    int policyMinibatch = 0, valueMinibatch = 25;
    int policyEpochs = 10, valueEpochs = 10;

    std::string optimiser = "adam";
    double policyLearningRate = 3e-4, valueLearningRate = 1e-3;
    double momentum = 0.0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double weightDecay = 0.0, clipNorm = 0.0;
};

/// Declares PpoParams as the hyper-parameters of a rule.
inline auto ppoParams() {
    return [](auto& declaration) {
        using P = PpoParams;
        declaration
            .param("head", &P::head,
                   {.help =
                        "Distribution of the actions: gaussian (ports mean, log_variance), categorical or bernoulli "
                        "(port logits)",
                    .choices = {"gaussian", "categorical", "bernoulli"},
                    .group = "policy"})
            .param("surrogate", &P::surrogate,
                   {.help = "Form of the policy's loss: clipped ratio, or a penalty on the divergence",
                    .choices = {"clip", "kl_penalty"},
                    .group = "policy"})
            .param("clip", &P::clip,
                   {.help = "Change of the ratio beyond which it is clipped", .min = 0, .group = "policy"})
            .param(
                "kl_target", &P::klTarget,
                {.unit = "nats", .help = "Divergence that an iteration is meant to have", .min = 0, .group = "policy"})
            .param("kl_weight", &P::klWeight,
                   {.help = "Weight of the divergence at the start (kl_penalty)", .min = 0, .group = "policy"})
            .param("hinge_weight", &P::hingeWeight,
                   {.help = "Weight of the squared divergence beyond twice the target (kl_penalty)",
                    .min = 0,
                    .group = "policy"})
            .param("kl_controller", &P::klController,
                   {.help = "Adapt the weight of the divergence, and take back updates that went too far (kl_penalty)",
                    .group = "policy"})
            .param("entropy_coefficient", &P::entropyCoefficient,
                   {.help = "Weight of the entropy, which is maximised", .min = 0, .group = "policy"})
            .param("variance_epsilon", &P::varianceEpsilon,
                   {.help = "Added to the variance in the quadratic terms (gaussian)", .min = 0, .group = "policy"})
            .param("discount", &P::discount,
                   {.help = "Weight of a reward that comes one step later", .min = 0, .max = 1, .group = "returns"})
            .param(
                "lambda", &P::lambda,
                {.help = "0: advantage over one step; 1: return minus value", .min = 0, .max = 1, .group = "returns"})
            .param("reward_scale", &P::rewardScale, {.help = "Multiplies every reward", .group = "returns"})
            .param("normalise", &P::normalise,
                   {.help = "Advantages over a batch get mean 0 and deviation 1, or stay as they are",
                    .choices = {"batch", "none"},
                    .group = "returns"})
            .param("advantage_epsilon", &P::advantageEpsilon,
                   {.help = "Added to the deviation of the advantages", .min = 1e-12, .group = "returns"})
            .param("time_limit", &P::timeLimit,
                   {.help = "The end of the horizon: terminal (nothing follows), or bootstrap (the value of what would "
                            "follow)",
                    .choices = {"terminal", "bootstrap"},
                    .group = "returns"})
            .param(
                "value_target", &P::valueTarget,
                {.help = "What the value shall predict", .choices = {"monte_carlo", "lambda_return"}, .group = "value"})
            .param("value_clip", &P::valueClip,
                   {.help = "Change of the value beyond which it is clipped; 0: no limit", .min = 0, .group = "value"})
            .param("value_coefficient", &P::valueCoefficient,
                   {.help = "Weight of the value's loss (optimisation joint)", .min = 0, .group = "value"})
            .param("value_replay", &P::valueReplay,
                   {.unit = "iterations",
                    .help = "How many of the last batches the value is trained on (optimisation separate)",
                    .min = 1,
                    .max = 1000,
                    .group = "value"})
            .param(
                "optimisation", &P::optimisation,
                {.help = "Policy and value are trained one after the other, each with its own optimiser, or together",
                 .choices = {"separate", "joint"},
                 .group = "updates"})
            .param("train_steps", &P::trainSteps,
                   {.unit = "steps",
                    .help = "Only the first steps of a trial are trained on; 0: all",
                    .min = 0,
                    .group = "updates"})
            .param("segment", &P::segment,
                   {.unit = "steps",
                    .help =
                        "Length of the parts into which trials are cut, each a unit of backpropagation through time "
                        "and of minibatches",
                    .min = 1,
                    .group = "updates"})
            .param("segment_state", &P::segmentState,
                   {.help = "Where a segment starts: states as they were when it was lived, the same `burn_in` steps "
                            "earlier, states at the start of a trial, or computed anew for every epoch",
                    .choices = {"stored", "burn_in", "zero", "recompute"},
                    .group = "updates"})
            .param("burn_in", &P::burnIn,
                   {.unit = "steps",
                    .help = "Steps before a segment that are run without gradient (segment_state burn_in)",
                    .min = 0,
                    .group = "updates"})
            .param("policy_minibatch", &P::policyMinibatch,
                   {.unit = "segments",
                    .help = "Segments of one update of the policy; 0: all",
                    .min = 0,
                    .group = "updates"})
            .param("value_minibatch", &P::valueMinibatch,
                   {.unit = "segments",
                    .help = "Segments of one update of the value; 0: all",
                    .min = 0,
                    .group = "updates"})
            .param("policy_epochs", &P::policyEpochs,
                   {.help = "Times that the policy is trained on all segments", .min = 1, .group = "updates"})
            .param("value_epochs", &P::valueEpochs,
                   {.help = "Times that the value is trained on all segments (optimisation separate)",
                    .min = 1,
                    .group = "updates"})
            .param("optimiser", &P::optimiser,
                   {.help = "Form of the weight change", .choices = {"sgd", "adam", "adamw"}, .group = "optimiser"})
            .param("policy_learning_rate", &P::policyLearningRate,
                   {.help = "Size of the policy's weight change (of all, where optimisation is joint)",
                    .min = 0,
                    .group = "optimiser"})
            .param("value_learning_rate", &P::valueLearningRate,
                   {.help = "Size of the value's weight change", .min = 0, .group = "optimiser"})
            .param("momentum", &P::momentum,
                   {.help = "Fraction of the previous change that sgd keeps", .min = 0, .max = 1, .group = "optimiser"})
            .param("beta1", &P::beta1,
                   {.help = "Decay of the mean of gradients", .min = 0, .max = 0.999999999, .group = "optimiser"})
            .param(
                "beta2", &P::beta2,
                {.help = "Decay of the mean of squared gradients", .min = 0, .max = 0.999999999, .group = "optimiser"})
            .param("epsilon", &P::epsilon,
                   {.help = "Added to the root of the mean square", .min = 0, .group = "optimiser"})
            .param("weight_decay", &P::weightDecay,
                   {.help = "Pull of all weights towards zero", .min = 0, .group = "optimiser"})
            .param("clip_norm", &P::clipNorm,
                   {.help = "Largest norm of a gradient; 0: no limit", .min = 0, .group = "optimiser"});
    };
}

} // namespace raphe
