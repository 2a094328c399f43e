// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/setup.h"

#include <vector>

namespace raphe {

/// Holds the gradient that a rule would follow with another credit against the exact one: same weights, same trials
/// (the batch of `iteration`), tensor by tensor. Entries that a tensor's constraint fixes are left out.
/// @throws Error if such credit cannot return over the network's links, or the rule makes several gradients
template <class T>
std::vector<CreditAlignment> alignCredit(const Experiment& experiment, const Network<T>& network,
                                         const AlignedArray<T>& weights, const std::vector<ParameterInfo>& tensors,
                                         const std::vector<Intervention>& interventions, const Credit& credit,
                                         int iteration, const Interrupt& interrupt);

} // namespace raphe
