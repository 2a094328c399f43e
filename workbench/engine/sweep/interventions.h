// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/sweep/plan.h"

namespace raphe {

/// Applies the interventions of a plan to signals and weights, on the tape. An intervention belongs to a step of the
/// trial, so that a replayed column sees what it saw when it was lived.
template <class T>
class Interventions {
public:
    explicit Interventions(const std::vector<ResolvedIntervention>& list) : list_(list) {}

    /// @param firstStep  step of the sweep to which the first columns belong  @param origins  by trial, or null
    void apply(Tape<T>& tape, int node, int port, Value<T> computed, Value<T> emitted, int firstStep, int trials,
               const typename Step<T>::Origin* origins) const;
    /// @return the weight as it is at this step: itself, or a changed copy
    Value<T> weight(Tape<T>& tape, int parameter, Value<T> weight, int step) const;

private:
    static void change(const ResolvedIntervention& i, T& value, T& factor);

    const std::vector<ResolvedIntervention>& list_;
};

extern template class Interventions<float>;
extern template class Interventions<double>;

} // namespace raphe
