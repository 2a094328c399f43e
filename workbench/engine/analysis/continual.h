// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/error.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace raphe::statistics {

/// What is said of K tasks that were learned one after the other.
struct ContinualMeasures {
    double accuracy;         ///< ACC: mean over tasks, after the last one
    double backwardTransfer; ///< BWT: change since a task had been learned, mean over all but the last
    double forwardTransfer;  ///< FWT: above chance just before a task is learned, mean over all but the first
    double learning;         ///< LA: just after a task has been learned, mean over tasks
    double forgetting;       ///< loss since the best time before the end, mean over all but the last
};

/// @param R       R[i][j]: accuracy on task j after task i has been learned; square, at least 2 x 2
/// @param chance  accuracy on each task without learning
inline ContinualMeasures continualMeasures(const std::vector<std::vector<double>>& R,
                                           const std::vector<double>& chance) {
    const auto K = R.size();
    if (K < 2) throw Error("continual", "expected accuracies of at least two tasks, got " + std::to_string(K));
    if (chance.size() != K)
        throw Error("continual", "expected one chance for each of the " + std::to_string(K) + " tasks, got " +
                                     std::to_string(chance.size()));
    for (const auto& row : R) {
        if (row.size() != K)
            throw Error("continual",
                        "expected " + std::to_string(K) + " numbers in every row, got " + std::to_string(row.size()));
        for (const double x : row)
            if (!std::isfinite(x)) throw Error("continual", "expected finite numbers");
    }
    ContinualMeasures m{};
    const auto n = static_cast<double>(K);
    for (std::size_t j = 0; j < K; ++j) {
        m.accuracy += R[K - 1][j] / n;
        m.learning += R[j][j] / n;
        if (j > 0) m.forwardTransfer += (R[j - 1][j] - chance[j]) / (n - 1);
        if (j + 1 == K) continue;
        double best = R[0][j];
        for (std::size_t i = 1; i + 1 < K; ++i) best = std::max(best, R[i][j]);
        m.backwardTransfer += (R[K - 1][j] - R[j][j]) / (n - 1);
        m.forgetting += (best - R[K - 1][j]) / (n - 1);
    }
    return m;
}

} // namespace raphe::statistics
