// SPDX-License-Identifier: Apache-2.0
#include "low_rank_rnn.h"

RAPHE_PLUGIN(raphe::LowRankRnn)
