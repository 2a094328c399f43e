// SPDX-License-Identifier: Apache-2.0
#include "engine/sweep/interventions.h"

#include <algorithm>

namespace raphe {

template <class T>
void Interventions<T>::change(const ResolvedIntervention& i, T& value, T& factor) {
    switch (i.operation) {
    case Operation::clamp:
        value = static_cast<T>(i.value);
        factor = T(0);
        break;
    case Operation::lesion:
        value = T(0);
        factor = T(0);
        break;
    case Operation::scale:
        value *= static_cast<T>(i.value);
        factor *= static_cast<T>(i.value);
        break;
    case Operation::perturb:
        value += static_cast<T>(i.value);
        break;
    }
}

template <class T>
void Interventions<T>::apply(Tape<T>& tape, int node, int port, Value<T> computed, Value<T> emitted, int firstStep,
                             int trials, const typename Step<T>::Origin* origins) const {
    Value<T> factor = tape.constant(computed.rows, computed.cols, T(1));
    std::copy_n(computed.data, computed.size(), emitted.data);
    for (const auto& i : list_) {
        if (i.node != node || i.port != port) continue;
        for (int c = 0; c < computed.cols; ++c) {
            const int step = firstStep + c / trials + (origins ? origins[c % trials].step : 0);
            if (step < i.from || step >= i.to) continue;
            for (int r = 0; r < computed.rows; ++r)
                if (i.component < 0 || i.component == r) change(i, emitted.column(c)[r], factor.column(c)[r]);
        }
    }
    tape.reverse([=] {
        if (computed.adjoint && emitted.adjoint) computed.gradientArray() += factor.array() * emitted.gradientArray();
    });
}

template <class T>
Value<T> Interventions<T>::weight(Tape<T>& tape, int parameter, Value<T> weight, int step) const {
    const auto acts = [&](const ResolvedIntervention& i) {
        return i.parameter == parameter && i.from <= step && step < i.to;
    };
    if (std::none_of(list_.begin(), list_.end(), acts)) return weight;
    Value<T> result = tape.make(weight.rows, weight.cols), factor = tape.constant(weight.rows, weight.cols, T(1));
    std::copy_n(weight.data, weight.size(), result.data);
    for (const auto& i : list_) {
        if (!acts(i)) continue;
        for (std::size_t e = 0; e < weight.size(); ++e)
            if (i.component < 0 || at(i.component) == e) change(i, result.data[e], factor.data[e]);
    }
    tape.reverse([=] {
        if (weight.adjoint) weight.gradientArray() += factor.array() * result.gradientArray();
    });
    return result;
}

template class Interventions<float>;
template class Interventions<double>;

} // namespace raphe
