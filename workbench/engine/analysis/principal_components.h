// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/tensor.h"

#include <vector>

namespace raphe {

/// The directions in which a signal varies most, about its mean.
struct PrincipalComponents {
    std::vector<double> mean; ///< by unit
    /// By component, the most varying first: unit vectors that are orthogonal to one another. The largest entry of each
    /// is positive (the first of them, if several are as large). Zeros where the signal varies in no further direction.
    std::vector<std::vector<double>> axes;
    std::vector<double> variance; ///< along each axis, divided by samples - 1, in the signal's unit squared
    std::vector<double> share;    ///< of the whole variance; 0 if there is none
    double whole = 0;             ///< variance of all units together
};

/// Of all samples together. The last axis of the tensor are units, all others (steps, trials) are samples.
/// @param count  of components; 0: as many as there are units
/// @throws Error  unless there are two samples, all numbers are finite, and `count` is at most the number of units
PrincipalComponents principalComponents(const Tensor& signal, int count = 0);

/// A signal seen along the axes: the same shape, with a component in place of each unit.
/// @throws Error  if the signal has another number of units
Tensor projected(const PrincipalComponents& components, const Tensor& signal);
/// Points of the space of components, (..., components) with at most as many as there are, as states of all units.
Tensor lifted(const PrincipalComponents& components, const Tensor& scores);

} // namespace raphe
