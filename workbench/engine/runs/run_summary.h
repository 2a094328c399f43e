// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/runs/run_reader.h"

#include <string>
#include <utility>
#include <vector>

namespace raphe {

/// What a run says of itself at its end.
struct RunSummary {
    std::string hash;                                    ///< see RunHash
    std::vector<std::pair<std::string, double>> metrics; ///< means over the last 5 % of the iterations, at least one
};

/// Reads the stored metrics once, one iteration at a time, however long the run was.
/// @pre what belongs to the run is committed
RunSummary summarise(const RunReader& run, const std::vector<NamedTensor>& weights);

} // namespace raphe
