// SPDX-License-Identifier: Apache-2.0
#include "switching_bandit.h"

RAPHE_PLUGIN(raphe::SwitchingBandit)
