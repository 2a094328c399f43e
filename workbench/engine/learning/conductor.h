// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/learning_state.h"
#include "engine/learning/reduction.h"
#include "engine/learning/sweep_pool.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace raphe {

/// Lets a learning rule conduct iterations of a session: the engine's side of raphe::Iteration.
template <class T>
class Conductor : protected Iteration<T> {
public:
    Conductor(Setup<T>& setup, LearningState<T>& state, const Interrupt* interrupt);
    virtual ~Conductor() = default;

    /// One iteration, all or nothing: of the rule, or of plain acting where there is none.
    /// @param progress  is told how far it is, 0 to 1  @throws NumericError, Cancelled
    IterationReport run(const std::function<void(double)>& progress);
    void setInterventions(std::vector<Intervention> interventions);

    /// One gradient of signals that are given, instead of a batch of the task.
    IterationReport runOn(Sweep<T>& sweep, const TrialRange& range, const std::vector<const T*>* batch);

protected:
    using Work = typename Iteration<T>::Work;

    // What a rule may do.
    int index() const override { return state_.iteration(); }
    int trials() const override { return setup_.batch; }
    int steps() const override { return setup_.steps; }
    bool streams() const override { return setup_.streams; }
    void descend(const GradientRule<T>& rule) override;
    void perform() override;
    void collect(TrialStore store) override;
    int batches(TrialStore store) const override { return state_.store(store.index).size(); }
    Batch<T> batch(TrialStore store, int which) override;
    void refresh(Group group, TrialStore store) override;
    Summary infer(Group group, TrialStore store, std::span<const Stretch> stretches, const Work& work) override;
    Summary differentiate(Group group, TrialStore store, std::span<const Stretch> stretches, const Work& work) override;
    double update(Group group, const OptimiserParams& settings) override;
    void save(Copy copy) override;
    void restore(Copy copy) override;
    void blend(Copy copy, double rate) override;
    std::span<double> memory(Memory memory) override;
    Stream random(std::string_view purpose) const override;
    Summary evaluate(int trials, std::uint32_t stream) override;
    void metric(std::string_view name, double value) override;
    void progress(double fraction) override;

    /// One pass over stretches, forwards or also backwards.
    struct Pass {
        Group group;
        TrialStore store;
        std::span<const Stretch> stretches;
        const Work& work;
        const T* weights;
        bool differentiate = false;
        std::vector<std::vector<T>>* frozen = nullptr; ///< by chunk: numbers behind stopGradient()
        bool again = false;                            ///< read them instead of keeping them
        const T* burnInWeights = nullptr;              ///< for the burn-in; null: the same
    };
    Summary sweepStretches(const Pass& pass);
    /// Called with the gradient that differentiate() left. For the check of gradients.
    virtual void differentiated(const Pass&, const Summary&) {}

    Setup<T>& setup_;
    LearningState<T>& state_;
    AlignedArray<T> gradient_;

private:
    /// Stretches that one sweep takes as its columns.
    struct Piece {
        std::vector<Stretch> stretches;
        int steps; ///< of the sweep, burn-in included
    };

    std::vector<Piece> piecesOf(std::span<const Stretch> stretches) const;
    SweepPool<T>& replayPool(int group, int store, int burnIn, int steps, bool marked);
    std::vector<FlatRange> rangesOf(const TensorGroup& group) const;
    void commit(IterationReport& report, std::chrono::steady_clock::time_point begun);
    void makeResults(std::size_t count);
    void changeStored(int store, int which);
    const std::vector<const T*>* surveyBatch();
    const T* factors() const { return factors_.empty() ? nullptr : factors_.data(); }
    [[noreturn]] void explainNonFinite(double loss);
    [[noreturn]] void explainNonFinite(const Pass& pass, double loss);
    void explainStored(const Pass& pass);
    void explainWeights();
    void explainGradient();
    bool gradientIsFinite(const std::vector<ParameterInfo>& tensors) const;
    std::string advice() const;
    std::string nameOf(const NonFinite& place) const;

    const Interrupt* interrupt_;
    std::vector<Intervention> interventions_;
    SweepPlan<T> plan_;
    std::unique_ptr<SweepPool<T>> pool_;
    std::map<int, std::unique_ptr<SweepPool<T>>> collectPools_;
    std::map<std::tuple<int, int, int, int, bool>, std::unique_ptr<SweepPool<T>>> replayPools_;
    std::vector<ChunkResult<T>> results_;
    std::vector<T> factors_;                 ///< of the last gradient: means of the signals that scale changes
    std::vector<std::vector<T>> batchStore_; ///< by port of the rule: units x (steps * batch)
    std::vector<const T*> batchPointers_;
    IterationReport* report_ = nullptr;
    const OptimiserParams* lastStep_ = nullptr; ///< of a plain iteration, which is updated when it is committed
    NamedNumbers ownMetrics_;
    const std::function<void(double)>* progress_ = nullptr;
};

extern template class Conductor<float>;
extern template class Conductor<double>;

} // namespace raphe
