// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/objective.h"
#include "raphe/optimiser.h"

#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace raphe {

template <class T>
class GradientRule;

/// Collected trials as a rule sees them on its own thread: signals are units x (steps * trials), with column
/// step * trials + trial.
template <class T>
struct Batch {
    int steps = 0; ///< of an older batch: those that can still be replayed
    int trials = 0;
    std::vector<Value<T>> signals;   ///< by port of the rule, as they were while acting
    std::vector<T*> fields;          ///< by field, at column(); for the rule to fill
    const int* lengths = nullptr;    ///< by trial: steps up to its end
    const End* ends = nullptr;       ///< at column()
    const int* followers = nullptr;  ///< at column(): which column of `following` comes after it, or -1
    std::vector<Value<T>> following; ///< by port: what was seen after a trial's last step

    int column(int step, int trial) const { return step * trials + trial; }
    bool counts(int step, int trial) const { return step < lengths[trial]; }
    End end(int step, int trial) const { return ends[column(step, trial)]; }
    Value<T> signal(Input port) const { return signals[static_cast<std::size_t>(port.index)]; }
    T* field(Field field) const { return fields[static_cast<std::size_t>(field.index)]; }
    /// What a port showed after this step although the trial did not go on there; null if nothing was asked or seen.
    const T* after(Input port, int step, int trial) const {
        const int which = followers ? followers[column(step, trial)] : -1;
        return which < 0 ? nullptr : following[static_cast<std::size_t>(port.index)].column(which);
    }
};

/// Steps `first` ... first + count - 1 of a stored trial: the unit of replays and of minibatches. It starts from the
/// states that were kept `burnIn` steps earlier; those steps are swept, but do not count and carry no gradient.
struct Stretch {
    int batch = 0; ///< 0: the oldest that is kept
    int trial = 0;
    int first = 0, count = 0;
    int burnIn = 0;
    bool fresh = false; ///< starts as a trial starts, whatever was kept
};

/// What a pass over chunks adds up to.
struct Summary {
    struct Metric {
        const char* name;
        double mean;
    };
    double loss = 0;   ///< mean
    double weight = 0; ///< what the mean was divided by
    std::vector<Metric> metrics;

    double metric(std::string_view name) const {
        for (const auto& item : metrics)
            if (item.name == name) return item.mean;
        return 0;
    }
};

/// The instruments with which a rule conducts one iteration. What they do in parallel they do in chunks, and reduce in
/// the order of chunks, so that results do not depend on threads. An iteration is a transaction: until iterate()
/// returns, everybody else sees the weights, averages and memories from before, and an exception brings them back.
template <class T>
class Iteration {
public:
    using Work = std::function<void(Objective<T>&)>;

    virtual int index() const = 0;  ///< of this iteration, from 0
    virtual int trials() const = 0; ///< of a batch
    virtual int steps() const = 0;  ///< of a trial, at most; of a window, where trials are streams
    virtual bool streams() const = 0;

    /// The plain iteration: a fresh batch, one gradient of the rule's objective, one update. Fused: each chunk acts,
    /// scores and goes backwards while its numbers are in the cache.
    virtual void descend(const GradientRule<T>& rule) = 0;

    /// Acts on a fresh batch and scores it (see Rule::score); trains nothing. For learning that happens inside trials.
    virtual void perform() = 0;
    /// Acts, and keeps the batch in the store as its newest.
    virtual void collect(TrialStore store) = 0;
    /// Batches that the store holds.
    virtual int batches(TrialStore store) const = 0;
    virtual Batch<T> batch(TrialStore store, int which) = 0;
    Batch<T> newest(TrialStore store) { return batch(store, batches(store) - 1); }
    /// Brings the kept states of what is upstream of the group to those under the present weights.
    virtual void refresh(Group group, TrialStore store) = 0;
    /// Sweeps stretches forwards under the present weights and calls `work` for each chunk, on any thread.
    virtual Summary infer(Group group, TrialStore store, std::span<const Stretch> stretches, const Work& work) = 0;
    /// The same, and backwards from the adjoints that `work` adds: leaves the gradient of the mean loss for update().
    virtual Summary differentiate(Group group, TrialStore store, std::span<const Stretch> stretches,
                                  const Work& work) = 0;
    /// Changes the tensors of the group along its last gradient. @return the gradient's norm before clipping
    virtual double update(Group group, const OptimiserParams& settings) = 0;
    /// The group's weights and what its optimiser remembers: kept, taken up again, mixed in (copy += rate (present -
    /// copy)).
    virtual void save(Copy copy) = 0;
    virtual void restore(Copy copy) = 0;
    virtual void blend(Copy copy, double rate) = 0;

    virtual std::span<double> memory(Memory memory) = 0;
    double& number(Memory handle) { return memory(handle)[0]; }
    /// Random numbers of this iteration for one purpose.
    virtual Stream random(std::string_view purpose) const = 0;
    /// Scores (see Rule::score) as many trials of a stream of their own, without training on them.
    virtual Summary evaluate(int trials, std::uint32_t stream) = 0;
    /// @param name  unique in an iteration; "loss" is shown first
    virtual void metric(std::string_view name, double value) = 0;
    /// Says how far the iteration is, for those who watch. @param fraction  0 to 1
    virtual void progress(double fraction) = 0;

protected:
    ~Iteration() = default;
};

} // namespace raphe
