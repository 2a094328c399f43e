// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

namespace raphe {
class Registry;
}

namespace raphe::test {

/// Trials of task.multitask (family four_tasks) from explicit angles and durations.
void checkMultitaskGenerator(const Json& file);
/// The published set of test trials, rebuilt from its timing.
void checkMultitaskTestTrials(const Json& file);
/// Trials of the families yang and driscoll from explicit parameters.
void checkYangDriscoll(const Json& file);
/// Trials of task.element_finder from explicit sequences.
void checkElementFinder(const Json& file);
/// Both criteria of model.angle_judge, over whole trials.
void checkPercentCorrect(const Json& file, const Registry& registry);

} // namespace raphe::test
