// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/analysis/flow_field.h"
#include "engine/analysis/principal_components.h"
#include "engine/learning/session.h"
#include "gui/watching/trial_recording.h"

#include <string>
#include <vector>

namespace raphe {

/// A signal seen in a plane: by step and trial, as the signal itself.
struct Portrait {
    int steps = 0, trials = 0;
    std::vector<double> x, y;

    std::size_t at(int step, int trial) const { return static_cast<std::size_t>(step * trials + trial); }
};
/// @param components  two of them  @pre the signal is (steps, trials, units)
Portrait portraitIn(const PrincipalComponents& components, const Tensor& signal);

/// A state that does not move, in the plane of a portrait.
struct PortraitPoint {
    double x = 0, y = 0;
    std::string stability; ///< as in LocalDynamics
};

/// What the network does in the plane of a portrait while all that reaches the node stays as it is at a moment.
struct PortraitFlow {
    std::string port;
    int step = 0, trial = 0;
    FlowArrows arrows;
    std::vector<PortraitPoint> points; ///< fixed points near what is shown
    int elsewhere = 0;                 ///< fixed points that lie outside of it
};
struct PortraitFlowRequest {
    std::string port; ///< that shows a state
    int step = 0, trial = 0;
};
/// @throws Error  if the port shows no state, or its next values do not follow from it and what was recorded
PortraitFlow portraitFlow(Session& session, const Registry& registry, const TrialRecording& recording,
                          const PrincipalComponents& components, const PortraitFlowRequest& request);

} // namespace raphe
