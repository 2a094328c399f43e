// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/mechanism.h"

#include <algorithm>

namespace raphe {

/// The steps of one chunk as a learning rule sees them: whole trials, a window of streams, or stretches of stored
/// trials. Signals are units x (steps * stride) with column step * stride + trial; columns of trials >= trials() only
/// fill up the chunk and must be left out, and so must steps that do not count.
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
    bool continues = false;       ///< the trials go on after the last step (streams)
    std::vector<Value<T>> inputs; ///< by port; adjoints are zero and to be added to
    std::vector<Value<T>> batch; ///< by port: the whole batch, columns step * batchTrials + trial; only if needsBatch()
    std::vector<Value<T>> stored; ///< by port: what it showed when the trials were collected; only in replays
    std::vector<const T*> fields; ///< by field, at column(); only in replays
    const int* lengths = nullptr; ///< by trial: steps that count; null: all
    const End* ends = nullptr;    ///< at column(); null: no trial ends before the last step

    Value<T> input(Input port) const { return inputs[static_cast<std::size_t>(port.index)]; }
    Value<T> batchOf(Input port) const { return batch[static_cast<std::size_t>(port.index)]; }
    Value<T> storedInput(Input port) const { return stored[static_cast<std::size_t>(port.index)]; }
    T field(Field field, int column) const { return fields[static_cast<std::size_t>(field.index)][column]; }
    int column(int step, int trial) const { return step * stride + trial; }

    /// Whether a step counts. After a trial's end it does not, unless trials are streams, which begin anew.
    bool counts(int step, int trial) const { return !lengths || step < lengths[trial]; }
    /// How the trial ends with this step. The last step of the horizon is no end here.
    End end(int step, int trial) const { return ends ? ends[column(step, trial)] : End::none; }

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
    bool replay = false;              ///< engine's: stopGradient() reads
    std::size_t position = 0;
};

} // namespace raphe
