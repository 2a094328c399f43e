// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/sweep/known_signals.h"
#include "engine/sweep/trial_ends.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace raphe {

/// Trials of a chunk that go on in the next sweep: what they carry, and the task's own part in bytes.
template <class T>
struct ContinuedTrials {
    std::vector<T> carried; ///< as Carried::save(); empty: the trials have not begun
    std::vector<std::vector<std::byte>> trials;
    std::vector<std::int64_t> steps; ///< by trial: steps since it began
    bool begun() const { return !carried.empty(); }
};

/// Runs the task of a chunk: trials observe and, in a closed loop, answer actions; they end, and in streams begin anew.
template <class T>
class TaskLoop {
public:
    TaskLoop(const SweepPlan<T>& plan, KnownSignals<T>& known, TrialEnds& ends);

    void begin(const TrialRange& range);
    void begin(const TrialRange& range, const ContinuedTrials<T>& from);
    /// Lets the trials write one step. In an open loop this is all they do, and a trial may end with it.
    void observe(int step, bool closedLoop);
    /// Lets the trials answer one step. @param inputs  signals at the task's ports
    void act(int step, const std::vector<Value<T>>& inputs);
    /// What is seen after `step` by the trials for which `wanted` is set; others are not touched. Takes the place of
    /// step + 1.
    void observeAfter(int step, const std::vector<char>& wanted);
    /// Begins a stream's next trial at `step` in this column.
    void beginAgain(int step, int trial);
    /// @throws Error if this task's trials cannot be kept
    void leave(ContinuedTrials<T>& to, int steps) const;

private:
    TrialPlace placeOf(std::uint32_t trial) const {
        return {range_.iteration, trial, static_cast<std::uint32_t>(std::max(range_.batch, 1)), plan_.seed, entity_};
    }
    TaskStep<T> stepOf(int step, int trial, const std::vector<Value<T>>* inputs);
    void takeEnd(const TaskStep<T>& s, int step, int trial);

    const SweepPlan<T>& plan_;
    const Graph& graph_;
    const Task<T>* task_;
    KnownSignals<T>& known_;
    TrialEnds& ends_;
    TrialRange range_;
    std::uint64_t entity_ = 0;
    std::vector<std::unique_ptr<TrialState>> trials_;
    std::vector<std::int64_t> begun_; ///< by trial: step of the sweep at which it began, <= 0 if earlier
    std::vector<T*> pointers_;
};

extern template class TaskLoop<float>;
extern template class TaskLoop<double>;

} // namespace raphe
