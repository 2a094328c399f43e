// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/stages.h"

namespace raphe {

/// The same stages with so many iterations in all, each in proportion and at least one; what a stage says in iterations
/// (schedules, how often a metric is looked at) goes with it.
/// @throws Error if there are more stages than iterations
std::vector<TrainingStage> inProportion(std::vector<TrainingStage> stages, int iterations);

} // namespace raphe
