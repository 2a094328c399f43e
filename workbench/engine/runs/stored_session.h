// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/session.h"
#include "engine/runs/run_records.h"
#include "engine/runs/step_trace.h"

#include <optional>
#include <string>

namespace raphe {

/// A session between two iterations, as it is kept.
/// @param trace  of its weights, to be kept with it
Checkpoint checkpointOf(const Session& session, const std::optional<StepTrace>& trace = std::nullopt);
std::optional<StepTrace> traceOf(const Checkpoint& checkpoint);
/// The other way round, interventions included. @param place  for messages
void restoreFrom(Session& session, Checkpoint checkpoint, const std::string& place);

} // namespace raphe
