// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/graph/network.h"

#include <vector>

namespace raphe {

/// Sums of the signals that scale the changes of tensors (Network::factorSignals) over the steps of trials that count.
struct FactorSums {
    std::vector<double> sums;   ///< by factor
    std::vector<double> counts; ///< by signal; 0: its node took no part

    template <class T>
    void clear(const Network<T>& network) {
        sums.assign(network.factorCount(), 0);
        counts.assign(network.factorSignals().size(), 0);
    }
    void add(const FactorSums& other) {
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += other.sums[i];
        for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    }
};

/// Their means; 1 where nothing was counted.
template <class T>
std::vector<T> meanFactors(const Network<T>& network, const FactorSums& sums) {
    std::vector<T> means(network.factorCount(), T(1));
    for (std::size_t s = 0; s < network.factorSignals().size(); ++s) {
        const auto& signal = network.factorSignals()[s];
        if (sums.counts[s] == 0) continue;
        for (int i = 0; i < signal.size; ++i) {
            const auto at = static_cast<std::size_t>(signal.first + i);
            means[at] = static_cast<T>(sums.sums[at] / sums.counts[s]);
        }
    }
    return means;
}

} // namespace raphe
