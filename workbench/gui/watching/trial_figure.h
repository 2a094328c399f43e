// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_description.h"
#include "gui/watching/portrait.h"
#include "gui/watching/trial_recording.h"

#include <string>
#include <vector>

namespace raphe {

/// How a signal is drawn; few units are traces and many a map unless one says otherwise.
enum class SignalLook { automatic, traces, map };

/// What is shown of a pair of trials with the same random draws.
enum class PairLook { both, bothAndDifference, difference };

struct ShownSignal {
    std::string port;
    SignalLook look = SignalLook::automatic;
};

struct TrialLook {
    int trial = 0;
    std::vector<ShownSignal> signals;
    PairLook pair = PairLook::bothAndDifference;
    std::size_t columns = 1;
};

/// Colours around zero where there are negative values or `signedColours`, otherwise from zero to `most`.
void colourRange(FigureHeatmap& map, double least, double most, bool signedColours);

/// One axis of time through all panels: the events of the task above, then the signals, those that modulate first.
/// Trials of a single step
/// are shown by stillFigure(). @param perturbed  the same trials with interventions; none: null
FigureDescription trialFigure(const TrialRecording& intact, const TrialRecording* perturbed, const TrialLook& look);

/// Trials in the plane of the first two principal components, the chosen one before the others.
/// @param flow  what the network does there; none: null
FigureDescription portraitFigure(const std::string& port, const PrincipalComponents& plane, const Portrait& intact,
                                 const Portrait* perturbed, int trial, const PortraitFlow* flow = nullptr);

} // namespace raphe
