// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_summary.h"

#include "engine/runs/run_hash.h"

#include <algorithm>

namespace raphe {

RunSummary summarise(const RunReader& run, const std::vector<NamedTensor>& weights) {
    const auto iterations = run.metricsCount();
    const auto averaged = std::max<std::int64_t>(1, iterations / 20);
    RunHash hash(iterations);
    std::int64_t passed = 0;
    RunSummary summary;
    run.forEachMetrics([&](const Metrics& row) {
        hash.add(row);
        if (passed++ < iterations - averaged) return;
        if (summary.metrics.empty())
            for (const auto& [name, value] : row.values) summary.metrics.emplace_back(name, 0.0);
        const auto count = std::min(summary.metrics.size(), row.values.size());
        for (std::size_t m = 0; m < count; ++m)
            summary.metrics[m].second += row.values[m].second / static_cast<double>(averaged);
    });
    summary.hash = hash.finish(weights);
    return summary;
}

} // namespace raphe
