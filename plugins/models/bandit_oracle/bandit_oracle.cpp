// SPDX-License-Identifier: Apache-2.0
#include "bandit_oracle.h"

RAPHE_PLUGIN(raphe::BanditOracle)
