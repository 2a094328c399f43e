// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

namespace raphe::test {

/// Lets rule ppo conduct the learning iterations of a reference file ("kind": "update") and compares what it computes
/// and leaves.
void checkNmnUpdate(const Json& file, const Registry& registry);

} // namespace raphe::test
