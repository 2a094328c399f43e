// SPDX-License-Identifier: Apache-2.0
#include "cue_reward.h"

RAPHE_PLUGIN(raphe::CueReward)
