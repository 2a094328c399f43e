// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/mechanism.h"

#include <algorithm>

namespace raphe {

/// How the adjoint of a recurrent link (a state that one step takes from the previous one) is formed: exactly, i.e.
/// backpropagation through time, or not at all, so that credit stays within the step.
enum class Credit { exact, local };

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
                   {.help = "Adjoint of recurrent links: exact (backpropagation through time) or local (none)",
                    .choices = {"exact", "local"},
                    .group = "optimiser"});
    };
}

/// The trials of one chunk, all steps, as a learning rule sees them. Signals are units x (steps * stride) with column
/// step * stride + trial; columns of trials >= trials() only fill up the chunk and must be left out.
template <class T>
class Objective {
public:
    struct Metric {
        const char* name;
        double sum, count;
    };

    int steps = 0;
    int trials = 0;               ///< trials of this chunk that count
    int stride = 0;               ///< columns per step
    int firstTrial = 0;           ///< number of this chunk's first trial in the batch
    int batchTrials = 0;          ///< trials of the whole batch
    std::vector<Value<T>> inputs; ///< by port; adjoints are zero and to be added to
    std::vector<Value<T>> batch; ///< by port: the whole batch, columns step * batchTrials + trial; only if needsBatch()

    Value<T> input(Input port) const { return inputs[static_cast<std::size_t>(port.index)]; }
    Value<T> batchOf(Input port) const { return batch[static_cast<std::size_t>(port.index)]; }
    int column(int step, int trial) const { return step * stride + trial; }

    /// Adds to the loss. The loss of an iteration is the sum of `sum` over all chunks divided by the sum of `weight`;
    /// adjoints are those of the undivided sum.
    void addLoss(double sum, double weight) {
        loss += sum;
        lossWeight += weight;
    }
    /// A metric of an iteration is the sum over all chunks divided by the count. @param name  a literal
    void addMetric(const char* name, double sum, double count) { metrics.push_back({name, sum, count}); }
    /// Marks numbers through which no gradient shall flow. While gradients are checked against differences, later
    /// evaluations see the numbers of the first.
    void stopGradient(T* numbers, std::size_t count) {
        if (!frozen) return;
        if (replay) {
            std::copy_n(frozen->data() + position, count, numbers);
            position += count;
        } else {
            frozen->insert(frozen->end(), numbers, numbers + count);
        }
    }

    double loss = 0, lossWeight = 0;
    std::vector<Metric> metrics;
    Tape<T>* scratch = nullptr;       ///< memory for the rule's own numbers
    std::vector<T>* frozen = nullptr; ///< engine's: store of stopGradient()
    bool replay = false;
    std::size_t position = 0;
};

/// A learning rule = objective, credit and optimiser.
template <class T>
class Rule : public Mechanism<T> {
public:
    static constexpr Kind kind = Kind::rule;

    virtual const OptimiserParams& optimiser() const = 0;
    Credit credit() const { return optimiser().credit == "local" ? Credit::local : Credit::exact; }
    /// Whether the objective of a chunk needs the signals of all trials of the batch.
    virtual bool needsBatch() const { return false; }
    /// Loss, metrics, and the adjoints of the signals at the rule's ports.
    virtual void objective(Objective<T>& o) const = 0;
};

} // namespace raphe
