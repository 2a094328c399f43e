// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/sweep/plan.h"

namespace raphe {

/// Applies the interventions of a plan to signals and weights, on the tape. An intervention belongs to a step of the
/// trial, and its noise to iteration, trial and step, so that a replayed column sees what it saw when it was lived.
/// Noise on a tensor is one displacement that stays the same.
template <class T>
class Interventions {
public:
    explicit Interventions(const SweepPlan<T>& plan) : plan_(plan) {}

    /// Where the columns of a signal come from.
    struct Columns {
        int firstStep = 0; ///< step of the sweep to which the first columns belong
        int trials = 1;
        std::uint32_t iteration = 0, firstTrial = 0;
        const typename Step<T>::Origin* origins = nullptr; ///< by trial of the chunk, in replays; otherwise null

        typename Step<T>::Origin of(int column) const;
    };
    void apply(Tape<T>& tape, int node, int port, Value<T> computed, Value<T> emitted, const Columns& columns) const;
    /// @return the weight as it is at this step: itself, or a changed copy
    Value<T> weight(Tape<T>& tape, int parameter, Value<T> weight, int step) const;

private:
    /// @param random  of the column or the tensor
    static void change(const ResolvedIntervention& i, T& value, T& factor, Stream& random);

    const SweepPlan<T>& plan_;
};

extern template class Interventions<float>;
extern template class Interventions<double>;

} // namespace raphe
