// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/tensor.h"

#include <array>
#include <vector>

namespace raphe {

/// The plane through a signal's mean in which it varies most.
struct PrincipalPlane {
    std::vector<double> mean;                ///< by unit
    std::array<std::vector<double>, 2> axes; ///< unit vectors; the largest entry of each is positive
    std::array<double, 2> share{};           ///< of the whole variance
};

/// Of all steps and trials together. @pre the signal is (steps, trials, units) with at least two units
PrincipalPlane principalPlane(const Tensor& signal);

/// A signal seen in a plane: by step and trial, as the signal itself.
struct Portrait {
    int steps = 0, trials = 0;
    std::vector<double> x, y;

    std::size_t at(int step, int trial) const { return static_cast<std::size_t>(step * trials + trial); }
};
Portrait portraitIn(const PrincipalPlane& plane, const Tensor& signal);

} // namespace raphe
