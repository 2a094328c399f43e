// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/session.h"
#include "engine/runs/run_records.h"

#include <string>

namespace raphe {

/// A session between two iterations, as it is kept.
Checkpoint checkpointOf(const Session& session);
/// The other way round, interventions included. @param place  for messages
void restoreFrom(Session& session, Checkpoint checkpoint, const std::string& place);

} // namespace raphe
