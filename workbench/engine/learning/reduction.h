// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/executor.h"
#include "engine/graph/parameters.h"
#include "engine/learning/session.h"
#include "engine/sweep/factor_sums.h"
#include "raphe/iteration.h"

#include <cmath>
#include <string>
#include <vector>

namespace raphe {

/// What the sweep of one chunk left.
template <class T>
struct ChunkResult {
    AlignedArray<T> gradient;
    double loss = 0, weight = 0;
    std::vector<typename Objective<T>::Metric> metrics;
    FactorSums factors;
    void take(const Objective<T>& objective) {
        loss = objective.loss;
        weight = objective.lossWeight;
        metrics.assign(objective.metrics.begin(), objective.metrics.end());
    }
};

/// Sums over chunks, in the order of chunks, whoever does it.
template <class T>
Summary summarise(const std::vector<ChunkResult<T>>& results, std::size_t count) {
    Summary summary;
    for (std::size_t c = 0; c < count; ++c) {
        summary.loss += results[c].loss;
        summary.weight += results[c].weight;
    }
    if (summary.weight != 0) summary.loss /= summary.weight; // where nothing counts there is nothing to learn
    for (std::size_t m = 0; count > 0 && m < results[0].metrics.size(); ++m) {
        double sum = 0, n = 0;
        for (std::size_t c = 0; c < count; ++c) {
            sum += results[c].metrics[m].sum;
            n += results[c].metrics[m].count;
        }
        summary.metrics.push_back({results[0].metrics[m].name, n != 0 ? sum / n : 0});
    }
    return summary;
}

/// Means over chunks of the signals that scale changes; empty if there are none.
template <class T>
std::vector<T> meanFactors(const std::vector<ChunkResult<T>>& results, std::size_t count, const Network<T>& network) {
    if (network.factorSignals().empty()) return {};
    FactorSums sums;
    sums.clear(network);
    for (std::size_t c = 0; c < count; ++c) sums.add(results[c].factors);
    return meanFactors(network, sums);
}

/// From the sum of the chunks' gradients to that of the mean loss.
template <class T>
T scaleOf(const Summary& summary) {
    return summary.weight != 0 ? static_cast<T>(1 / summary.weight) : T(0);
}

/// "loss" first, then the metrics of the rule.
inline NamedNumbers namedNumbers(const Summary& summary) {
    NamedNumbers result{{"loss", summary.loss}};
    for (const auto& metric : summary.metrics)
        if (std::string(metric.name) != "loss") result.emplace_back(metric.name, metric.mean);
    return result;
}

/// Numbers [first, first + size) of the flat arrays of weights and gradients.
struct FlatRange {
    std::size_t first, size;
};

/// `to` := scale * sum of the chunks' gradients, within the ranges.
template <class T>
void sumGradients(const std::vector<ChunkResult<T>>& results, std::size_t count, const std::vector<FlatRange>& ranges,
                  T scale, AlignedArray<T>& to, Executor& executor) {
    constexpr std::size_t block = 8192;
    for (const auto& range : ranges) {
        const auto sumBlock = [&](int b) {
            const std::size_t first = range.first + static_cast<std::size_t>(b) * block,
                              last = std::min(first + block, range.first + range.size);
            T* __restrict sum = to.data();
            std::copy(results[0].gradient.data() + first, results[0].gradient.data() + last, sum + first);
            for (std::size_t c = 1; c < count; ++c) {
                const T* __restrict from = results[c].gradient.data();
                for (std::size_t i = first; i < last; ++i) sum[i] += from[i];
            }
            for (std::size_t i = first; i < last; ++i) sum[i] *= scale;
        };
        const int blocks = static_cast<int>((range.size + block - 1) / block);
        if (range.size * count > 200'000)
            executor.run(blocks, sumBlock);
        else
            for (int b = 0; b < blocks; ++b) sumBlock(b);
    }
}

} // namespace raphe
