// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

namespace raphe::test {

/// Bases, gradients, updates, invariance, retraction and rotation of raphe-golden/adaptive/weight_manifold/1.
void checkWeightManifold(const Json& file, const Registry& registry);
/// Concentrations, gradients, updates and measures of raphe-golden/adaptive/diffusion_cl/1.
void checkDiffusion(const Json& file, const Registry& registry);
/// Counts, labels and pixels of MNIST. @return false if the data are not at hand
bool checkMnist(const Json& file);

} // namespace raphe::test
