// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/setup.h"

#include <vector>

namespace raphe {

/// Gradients of the loss on the tape against central differences, on at most four trials of a batch.
///
/// A plain gradient rule: with exact credit, whatever the rule's is, and what the task said and what was drawn is held
/// fixed. Any other rule conducts one iteration, and the first two gradients of each of its groups are checked as they
/// come; its updates are made. The trainable tensors are displaced by about 0.001 first.
/// @param network  with the rule that is checked
/// @param weights  of the session  @pre T is double
GradientCheckReport checkGradients(const Experiment& experiment, const Network<double>& network,
                                   const AlignedArray<double>& weights, const std::vector<ParameterInfo>& tensors,
                                   const std::vector<Intervention>& interventions, int entriesPerTensor,
                                   const Interrupt& interrupt);

} // namespace raphe
