// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/watching/trial_figure.h"

namespace raphe {

/// Trials of a single step have no course: each signal is shown over its units, as bars, or as a picture where there
/// are as many of them as a square has (the pixels of an image, the units of a grid).
/// @param perturbed  the same trials with interventions; none: null
FigureDescription stillFigure(const TrialRecording& intact, const TrialRecording* perturbed, const TrialLook& look);

} // namespace raphe
