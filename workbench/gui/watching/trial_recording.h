// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/learning/session.h"
#include "figure_description.h"

#include <string>
#include <vector>

namespace raphe {

/// Trials that were run for looking at, with everything that the outputs showed.
struct TrialRecording {
    int steps = 0, trials = 0;
    NamedNumbers metrics;
    std::vector<std::pair<std::string, Tensor>> signals; ///< by port: (steps, trials, units)
    std::vector<std::string> modulating;                 ///< ports whose wires set a parameter of somebody
    std::vector<std::string> changeable;                 ///< ports on which one may intervene, modulating ones first

    const Tensor* signal(const std::string& port) const;
    /// One number; @pre they exist
    static double value(const Tensor& signal, int step, int trial, int unit);
};

struct TrialRequest {
    int trials = 1;
    std::uint32_t stream = 0; ///< another number draws other trials
    std::vector<Intervention> interventions;
};

/// Runs trials beside a training, or on a session of one's own.
TrialRecording recordTrials(Session& session, const TrialRequest& request);

/// Those ports whose signals say most at first sight: what modulates, what the task says, single units.
std::vector<std::string> tellingPorts(const TrialRecording& recording, std::size_t limit = 4);

/// Signals of a trial over its steps, one panel each: few units as traces, many as a map of units by time.
FigureDescription trialFigure(const TrialRecording& recording, int trial, const std::vector<std::string>& ports);

} // namespace raphe
