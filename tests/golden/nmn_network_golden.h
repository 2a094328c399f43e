// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

namespace raphe {
class Registry;
}

namespace raphe::test {

/// Compares the networks of the NMN and its recurrent baseline with a reference file ("kind": "network").
void checkNmnNetwork(const Json& file, const Registry& registry);

} // namespace raphe::test
