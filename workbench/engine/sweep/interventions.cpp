// SPDX-License-Identifier: Apache-2.0
#include "engine/sweep/interventions.h"

#include <algorithm>

namespace raphe {

template <class T>
void Interventions<T>::change(const ResolvedIntervention& i, T& value, T& factor, Stream& random) {
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
    case Operation::noise:
        value += static_cast<T>(i.value * random.normal());
        break;
    }
}

template <class T>
typename Step<T>::Origin Interventions<T>::Columns::of(int column) const {
    const int trial = column % trials, step = firstStep + column / trials;
    if (origins) return {origins[trial].iteration, origins[trial].trial, origins[trial].step + step};
    return {iteration, firstTrial + static_cast<std::uint32_t>(trial), step};
}

template <class T>
void Interventions<T>::apply(Tape<T>& tape, int node, int port, Value<T> computed, Value<T> emitted,
                             const Columns& columns) const {
    Value<T> factor = tape.constant(computed.rows, computed.cols, T(1));
    std::copy_n(computed.data, computed.size(), emitted.data);
    for (const auto& i : plan_.interventions) {
        if (i.node != node || i.port != port) continue;
        for (int c = 0; c < computed.cols; ++c) {
            const auto origin = columns.of(c);
            if (origin.step < i.from || origin.step >= i.to) continue;
            Stream random(plan_.seed, i.entity, origin.iteration, origin.trial,
                          static_cast<std::uint32_t>(origin.step));
            for (int r = 0; r < computed.rows; ++r)
                if (i.actsOn(r)) change(i, emitted.column(c)[r], factor.column(c)[r], random);
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
    if (std::none_of(plan_.interventions.begin(), plan_.interventions.end(), acts)) return weight;
    Value<T> result = tape.make(weight.rows, weight.cols), factor = tape.constant(weight.rows, weight.cols, T(1));
    std::copy_n(weight.data, weight.size(), result.data);
    for (const auto& i : plan_.interventions) {
        if (!acts(i)) continue;
        Stream random(plan_.seed, i.entity, 0, 0, 0);
        for (int column = 0, e = 0; column < weight.cols; ++column)
            for (int row = 0; row < weight.rows; ++row, ++e)
                if (i.actsOn(row * weight.cols + column)) change(i, result.data[e], factor.data[e], random);
    }
    tape.reverse([=] {
        if (weight.adjoint) weight.gradientArray() += factor.array() * result.gradientArray();
    });
    return result;
}

template class Interventions<float>;
template class Interventions<double>;

} // namespace raphe
