// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

namespace raphe {

/// Standard deviation of initial weights: the given one, where 0 stands for 1/sqrt(count).
inline double initialDeviation(double given, int count) {
    return given > 0 ? given : 1 / std::sqrt(static_cast<double>(count));
}

} // namespace raphe
