// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/json_reader.h"
#include "engine/learning/session.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace raphe {

/// What one trial under the weights of a moment looks like, as fingerprints of 32 bits: every tensor, and every output
/// port at every step. A run keeps one of its beginning and one with each checkpoint, so that whoever computes it again
/// finds the step and the signal that differ without the signals themselves having been recorded.
struct StepTrace {
    static constexpr int mostSteps = 1000; ///< later steps of a longer trial are left out

    std::vector<std::string> tensors; ///< "node.tensor"
    std::vector<std::uint32_t> tensorPrints;
    std::vector<std::string> ports; ///< "node.port"; who is computed from others comes after them
    int steps = 0;
    std::vector<std::uint32_t> prints; ///< of the ports, one step after the other

    /// Whether a run keeps the fingerprints of its tensors after so many iterations: after 1, 2, 4, 8 ...
    static bool keepsTensorsAfter(int iterations) { return iterations > 0 && (iterations & (iterations - 1)) == 0; }
};

/// Kinds of events in a run's store: the trace of its beginning, and fingerprints of the tensors alone.
constexpr const char *traceEvent = "trace", *tensorsEvent = "tensors";

/// Runs one trial beside the training. Nothing where there are no trials to run, or where their numbers are not finite.
std::optional<StepTrace> traceSteps(Session& session);

/// Fingerprints of the session's tensors, in the order of its weights.
Json tensorPrintsJson(const Session& session);
Json toJson(const StepTrace& trace);
/// @return nothing if the text is not a trace
std::optional<StepTrace> stepTraceFromJson(const Json& json);

struct TraceDifference {
    std::string tensor; ///< the first that differs; empty: none, or the traces have different ones
    std::string signal; ///< that differs at the earliest step; empty: none, or the tensors differ already
    int step = -1;
};
/// Nothing if both are the same.
std::optional<TraceDifference> compareTraces(const StepTrace& then, const StepTrace& now);

} // namespace raphe
