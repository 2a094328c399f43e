// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/mechanisms/registry.h"

#include <string>
#include <vector>

namespace raphe {

struct ConformanceReport {
    int checks = 0;
    std::vector<std::string> failures; ///< one sentence each, with the mechanism's key in front
};

/// What must hold of every mechanism: defaults within range and complete; keys unique; help and units present; sizes
/// positive; tensors that are built are declared; and, run with default parameters on random signals: the same start
/// gives the same bits, outputs are finite, float agrees with double, gradients agree with differences (models).
ConformanceReport checkMechanism(const MechanismEntry& entry);

} // namespace raphe
