// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

namespace raphe {
class Registry;
}

namespace raphe::test {

/// Compares every way in which credit returns over recurrent links with a reference file ("modprop_gradients").
void checkModProp(const Json& file, const Registry& registry);

} // namespace raphe::test
