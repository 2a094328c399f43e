// SPDX-License-Identifier: Apache-2.0
#include "engine/sweep/task_loop.h"

#include <algorithm>

namespace raphe {

template <class T>
TaskLoop<T>::TaskLoop(const SweepPlan<T>& plan, KnownSignals<T>& known, TrialEnds& ends)
    : plan_(plan), graph_(plan.network->graph()), task_(&plan.network->task()), known_(known), ends_(ends),
      entity_(plan.network->nodes()[at(graph_.task())].entity), begun_(at(plan.trials)) {
    for (int b = 0; b < plan_.trials; ++b) trials_.push_back(task_->makeTrial());
    pointers_.resize(graph_.nodes()[at(graph_.task())].portSizes.size());
}

template <class T>
void TaskLoop<T>::begin(const TrialRange& range) {
    range_ = range;
    for (int b = 0; b < plan_.trials; ++b) {
        const auto trial = range.first + static_cast<std::uint32_t>(b);
        Stream stream(plan_.seed, entity_, range.iteration, trial, 0);
        task_->begin(*trials_[at(b)], placeOf(trial), stream);
        begun_[at(b)] = 0;
    }
}

template <class T>
void TaskLoop<T>::begin(const TrialRange& range, const ContinuedTrials<T>& from) {
    if (!from.begun()) {
        begin(range);
        return;
    }
    range_ = range;
    for (int b = 0; b < plan_.trials; ++b) {
        if (!task_->load(*trials_[at(b)], from.trials[at(b)]))
            throw Error("checkpoint", "does not hold the trials of this task");
        begun_[at(b)] = -from.steps[at(b)];
    }
}

template <class T>
TaskStep<T> TaskLoop<T>::stepOf(int step, int trial, const std::vector<Value<T>>* inputs) {
    const int task = graph_.task();
    const auto& item = graph_.nodes()[at(task)];
    for (std::size_t p = 0; p < item.portSizes.size(); ++p) {
        pointers_[p] = nullptr;
        if (item.portSizes[p] == noPort) continue;
        if (item.declaration().ports[p].kind == PortKind::output)
            pointers_[p] = known_.values(task, static_cast<int>(p)).data() +
                           at(item.portSizes[p]) * (at(step) * at(plan_.trials) + at(trial));
        else if (inputs && item.wired[p])
            pointers_[p] = (*inputs)[p].column(trial);
    }
    // begin() has the address of step 0, so that those of the steps start at 1.
    return {static_cast<int>(step - begun_[at(trial)]), pointers_.data(),
            Stream(plan_.seed, entity_, range_.iteration, range_.first + static_cast<std::uint32_t>(trial),
                   static_cast<std::uint32_t>(step) + 1)};
}

template <class T>
void TaskLoop<T>::observe(int step, bool closedLoop) {
    const auto& item = graph_.nodes()[at(graph_.task())];
    for (std::size_t p = 0; p < item.portSizes.size(); ++p)
        if (item.portSizes[p] != noPort && item.declaration().ports[p].kind == PortKind::output) {
            const auto count = at(item.portSizes[p]) * at(plan_.trials);
            std::fill_n(known_.values(graph_.task(), static_cast<int>(p)).data() + count * at(step), count, T(0));
        }
    for (int b = 0; b < plan_.trials; ++b) {
        if (step >= ends_.lengths[at(b)]) continue;
        auto s = stepOf(step, b, nullptr);
        task_->observe(*trials_[at(b)], s);
        if (!closedLoop) takeEnd(s, step, b);
    }
}

template <class T>
void TaskLoop<T>::act(int step, const std::vector<Value<T>>& inputs) {
    for (int b = 0; b < plan_.trials; ++b) {
        if (step >= ends_.lengths[at(b)]) continue;
        auto s = stepOf(step, b, &inputs);
        task_->act(*trials_[at(b)], s);
        takeEnd(s, step, b);
    }
}

template <class T>
void TaskLoop<T>::takeEnd(const TaskStep<T>& s, int step, int trial) {
    End end = s.end();
    // In a stream the horizon ends a trial like any other step; elsewhere the sweep ends there.
    if (end == End::none && plan_.streams && task_->steps() > 0 && s.step() + 1 >= task_->steps())
        end = task_->observesEnd() ? End::truncated : End::terminated;
    if (end == End::none) return;
    ends_.end(step, trial) = end;
    if (plan_.streams)
        ends_.begin(step + 1, trial);
    else
        ends_.lengths[at(trial)] = step + 1;
    // In a closed loop what follows a truncated trial may still be asked for; until then it is not begun anew.
    const bool asked = plan_.following && graph_.closedLoop() && end == End::truncated;
    if (plan_.streams && !asked) beginAgain(step + 1, trial);
}

/// A trial that begins within a stream has an address of its own, beside those of the first trials.
template <class T>
void TaskLoop<T>::beginAgain(int step, int trial) {
    begun_[at(trial)] = step;
    const auto number = range_.first + static_cast<std::uint32_t>(trial);
    Stream stream(plan_.seed, addressOf("again", entity_), range_.iteration, number, static_cast<std::uint32_t>(step));
    task_->begin(*trials_[at(trial)], placeOf(number), stream);
}

template <class T>
void TaskLoop<T>::observeAfter(int step, const std::vector<char>& wanted) {
    for (int b = 0; b < plan_.trials; ++b) {
        if (!wanted[at(b)]) continue;
        auto s = stepOf(step + 1, b, nullptr);
        task_->observe(*trials_[at(b)], s);
    }
}

template <class T>
void TaskLoop<T>::leave(ContinuedTrials<T>& to, int steps) const {
    to.trials.resize(trials_.size());
    to.steps.resize(trials_.size());
    for (std::size_t b = 0; b < trials_.size(); ++b) {
        to.trials[b].clear();
        if (!task_->save(*trials_[b], to.trials[b]))
            throw Error("nodes." + graph_.nodes()[at(graph_.task())].name,
                        "this task cannot keep its trials, so they cannot be streams");
        to.steps[b] = steps - begun_[b];
    }
}

template class TaskLoop<float>;
template class TaskLoop<double>;

} // namespace raphe
