// SPDX-License-Identifier: Apache-2.0
#include "synapse_gated_rnn.h"

RAPHE_PLUGIN(raphe::SynapseGatedRnn)
