// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/learning/session.h"
#include "engine/runs/run_reader.h"

#include <map>
#include <string>
#include <vector>

namespace raphe {

/// An event that the declaration of a node names, and the signal that shows it.
struct TrialEvent {
    std::string name;
    std::string signal;               ///< an output port; of an input's event, the one that is wired to it
    std::size_t first = 0, count = 0; ///< its units
};

/// Where an intervention may act: an output port of a model, or a tensor.
struct TrialTarget {
    std::string name;
    std::size_t rows = 1, columns = 1; ///< units of a port are rows
    bool tensor = false;
};

/// Trials as one looks at them: what the outputs showed, step by step.
struct TrialRecording {
    int steps = 0, trials = 0;                           ///< steps that are there
    int everySteps = 1;                                  ///< of the trial's: a stored recording may have left out some
    NamedNumbers metrics;                                ///< none of a stored recording
    std::vector<std::pair<std::string, Tensor>> signals; ///< by port: (steps, trials, units)
    std::vector<std::string> modulating;                 ///< ports whose wires set a parameter of somebody
    std::vector<TrialTarget> targets;                    ///< ports first, and of these the modulating ones first
    std::vector<TrialEvent> events;

    const Tensor* signal(const std::string& port) const;
    /// One number; @pre they exist
    static double value(const Tensor& signal, int step, int trial, int unit);
    /// The largest absolute value of a signal in a trial.
    static double largest(const Tensor& signal, int trial);
};

struct TrialRequest {
    int trials = 1;
    std::uint32_t stream = 0; ///< another number draws other trials
    std::vector<Intervention> interventions;
};

/// Runs trials beside a training, or on a session of one's own.
TrialRecording recordTrials(Session& session, const TrialRequest& request);

/// What a run has stored of an iteration. @throws Error if it is nothing
TrialRecording storedTrials(const RunReader& run, const Experiment& experiment, const Registry& registry,
                            std::int64_t iteration);

/// Those ports whose signals say most at first sight: what modulates, what the task says, single units.
std::vector<std::string> tellingPorts(const TrialRecording& recording, std::size_t limit = 4);

/// A period in which an event happens in the same way.
struct TrialSpan {
    int from = 0, to = 0; ///< steps from <= t < to
    std::string label;    ///< which of its kind: "2" of one-hot units, "B" of other patterns, "−1" of a value
};
/// When an event happens in a trial. Where units differ from step to step, a new period begins.
std::vector<TrialSpan> spansOf(const TrialRecording& recording, const TrialEvent& event, int trial);

} // namespace raphe
