// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/stage_plan.h"
#include "engine/learning/optimiser.h"
#include "engine/learning/stored_trials.h"

#include <mutex>
#include <optional>
#include <vector>

namespace raphe {

/// What iterations change, beside stored and continued trials.
template <class T>
struct Learned {
    struct Copied {
        AlignedArray<T> weights;
        std::optional<Optimiser<T>> optimiser;
    };

    AlignedArray<T> weights;
    Optimiser<T> optimiser;
    std::vector<std::vector<double>> memories; ///< by Memory of the rule
    std::vector<Copied> copies;                ///< by Copy of the rule

    Learned clone() const;
};

/// Everything that a training carries from one iteration to the next. An iteration is a transaction: readers from other
/// threads see what the last one committed.
template <class T>
class LearningState {
public:
    explicit LearningState(const Setup<T>& setup);

    /// For the thread that trains.
    Learned<T>& live() { return live_; }
    /// The same, to be changed: what was there at the start of the iteration is kept until commit or rollBack.
    Learned<T>& change();
    bool changing() const { return before_.has_value(); }
    /// Calls f with the committed state; no iteration commits meanwhile.
    template <class F>
    auto read(F f) const {
        const std::lock_guard lock(mutex_);
        return f(before_ ? *before_ : live_);
    }
    /// For a change that is an iteration's only one, and quick.
    std::mutex& mutex() const { return mutex_; }

    StoredTrials<T>& store(int index) { return stores_[at(index)]; }
    std::size_t storeCount() const { return stores_.size(); }
    /// Streams, by chunk: where the next iteration begins, and where the one after it will.
    ContinuedTrials<T>& continued(int chunk) { return continued_[at(chunk)]; }
    ContinuedTrials<T>& next(int chunk) { return next_[at(chunk)]; }
    void streamsAdvanced() { advanced_ = true; }

    /// Goes through stages from now on. @pre nothing has been trained
    void follow(StagePlan plan);
    /// Null without stages. For the thread that trains.
    const StageRunner* stages() const { return stages_ ? &*stages_ : nullptr; }
    /// Makes the check of the stages that is due: keeps the weights, or takes up those that were kept. The optimiser's
    /// averages stay as they are. @param metrics  of each of the evaluations that it needs
    StageRunner::Decision decide(const std::vector<NamedNumbers>& metrics);

    /// @param metrics  of the iteration. @throws Error if the stages look at others; then the iteration does not count
    /// @param update  a last change that readers must not see without the rest; may be empty, may add to the metrics
    void commit(double seconds, const NamedNumbers& metrics, const std::function<void()>& update);
    void rollBack();
    int iteration() const;
    double seconds() const;

    SessionSnapshot snapshot() const;
    void restore(const SessionSnapshot& snapshot);
    void resetOptimiser();

private:
    void saveContinued(std::vector<NamedTensor>& to) const;
    std::vector<ContinuedTrials<T>> loadContinued(const std::function<const Tensor*(const std::string&)>& find) const;

    const Setup<T>& setup_;
    mutable std::mutex mutex_;
    Learned<T> live_;
    std::optional<Learned<T>> before_;
    std::deque<StoredTrials<T>> stores_;
    std::vector<ContinuedTrials<T>> continued_, next_;
    std::optional<StageRunner> stages_;
    AlignedArray<T> best_; ///< weights of the stage's best check, while there is one
    bool advanced_ = false;
    int iteration_ = 0;
    double seconds_ = 0;
};

extern template class LearningState<float>;
extern template class LearningState<double>;

} // namespace raphe
