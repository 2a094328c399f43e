// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/watching/portrait.h"
#include "gui/watching/trial_recording.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace raphe {

/// Where trials come from: calls `read` with a session, on a thread that is not the GUI's. @throws Error
using SessionSource = std::function<void(const std::function<void(Session&)>& read)>;

/// The same trials twice: as the network is, and with interventions.
struct TrialPair {
    int iteration = 0; ///< of the weights
    TrialRecording intact;
    std::optional<TrialRecording> perturbed; ///< nothing: no intervention was switched on
};

/// A state of one trial over its steps, such as the Hebbian trace.
struct StateTrace {
    std::string name;
    int everySteps = 1; ///< frames are steps 0, everySteps, ..., as they are after the step
    int rows = 0, columns = 0;
    float reach = 0;                        ///< the largest absolute value of all frames
    std::vector<std::vector<float>> frames; ///< row after row
};

/// A session of its own with the weights that another one had at a moment. So intact and perturbed trials have the same
/// weights while a training goes on, and nothing that is done here reaches the training. Any thread; one call waits for
/// the other.
class TrialBench {
public:
    TrialBench(SessionSource source, const Registry& registry) : source_(std::move(source)), registry_(registry) {}

    /// @param fresh  takes the present weights of the source; otherwise those of the last time are kept
    TrialPair run(const TrialRequest& request, bool fresh);
    /// Names of the states that stateTrace() reads, those that are matrices first.
    std::vector<std::string> states();
    /// Under the interventions of the request. What would take more than 64 MB leaves out steps.
    StateTrace stateTrace(const std::string& name, const TrialRequest& request, int trial);
    /// Under the weights of the last run. @param trials  of that run, with the components of the port
    PortraitFlow flow(const TrialRecording& trials, const PrincipalComponents& components,
                      const PortraitFlowRequest& request);
    /// Weights as they are in the source. Beside a training: after its last iteration.
    std::vector<NamedTensor> weights();

private:
    Session& session(bool fresh);

    std::mutex mutex_;
    SessionSource source_;
    const Registry& registry_;
    std::unique_ptr<Session> session_;
    std::optional<std::pair<TrialRequest, TrialRecording>> intact_; ///< under these weights
};

} // namespace raphe
