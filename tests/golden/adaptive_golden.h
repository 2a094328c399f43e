// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

namespace raphe {
class Registry;
}

namespace raphe::test {

// The experiments that come with Raphe, with what the reference files list (stimuli, rewards, choices, masks) given
// from outside, so that no random generator is involved.
void checkGoNoGo(const Json& file, const Registry& registry);
void checkBandit(const Json& file, const Registry& registry);
void checkNeuromodulatorBank(const Json& file, const Registry& registry);

} // namespace raphe::test
