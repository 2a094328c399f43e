// SPDX-License-Identifier: Apache-2.0
#include "bandit_policy.h"

RAPHE_PLUGIN(raphe::BanditPolicy)
