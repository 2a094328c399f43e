// SPDX-License-Identifier: Apache-2.0
// Interventions that exchange the states of trials between two steps. A model may have put off the change that closed
// the step before (decision 0004), so that its states are brought up to date first; the model then goes on as from
// given initial states.
#include "engine/sweep/sweep.h"

#include <algorithm>

namespace raphe {

template <class T>
bool Sweep<T>::exchangesAt(int step) const {
    return std::any_of(plan_.interventions.begin(), plan_.interventions.end(),
                       [&](const ResolvedIntervention& i) { return i.state >= 0 && i.from == step; });
}

/// The last step, up to this one, before which states are exchanged; 0: none.
template <class T>
int Sweep<T>::lastExchange(int step) const {
    int last = 0;
    for (const auto& i : plan_.interventions)
        if (i.state >= 0 && i.from <= step) last = std::max(last, i.from);
    return last;
}

/// Makes the changes that models have put off. @param step  the next one
template <class T>
void Sweep<T>::bringUpToDate(int step, const std::vector<Stage>& stages) {
    if (upToDate_ == step) return;
    span_.settle(stages);
    upToDate_ = step;
}

/// What interventions exchange before a step of a forward pass.
template <class T>
void Sweep<T>::exchangeStates(int step) {
    if (step == 0 || !exchangesAt(step)) return;
    if (upToDate_ != step) { // the intervention was not yet there when the step before ended
        bringUpToDate(step, actingStages_);
        span_.leave(actingStages_);
    }
    for (const auto& i : plan_.interventions)
        if (i.state >= 0 && i.from == step) carried_.exchange(i.node, i.state, false);
}

template bool Sweep<float>::exchangesAt(int) const;
template bool Sweep<double>::exchangesAt(int) const;
template int Sweep<float>::lastExchange(int) const;
template int Sweep<double>::lastExchange(int) const;
template void Sweep<float>::bringUpToDate(int, const std::vector<Stage>&);
template void Sweep<double>::bringUpToDate(int, const std::vector<Stage>&);
template void Sweep<float>::exchangeStates(int);
template void Sweep<double>::exchangeStates(int);

} // namespace raphe
