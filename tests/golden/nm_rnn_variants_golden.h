// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

namespace raphe {
class Registry;
}

namespace raphe::test {

/// Compares a network that stands beside the NM-RNN with a reference file: the LSTM, the synapse-gated network, the
/// network of several regions. @return false if the file's model is none of them
bool checkNmRnnVariant(const Json& file, const Registry& registry);

} // namespace raphe::test
