// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "trial.h"

#include "raphe/random.h"

namespace raphe::multitask {

/// How long things take.
struct Clock {
    int stretched = 100; ///< samples of every trial of fourTasks
    double step = 20;    ///< of the others, ms
    int steps(double milliseconds) const { return static_cast<int>(milliseconds / step); }
};

/// The longest trial of a task, steps.
int longest(Family family, const Paradigm& paradigm, const Clock& clock);

/// Draws a trial of a task. @param shared  for timing and modality, which trials of a batch may share
Draw drawTrial(Family family, const Paradigm& paradigm, const Clock& clock, Stream& shared, Stream& own);

} // namespace raphe::multitask
