// SPDX-License-Identifier: Apache-2.0
#include "two_targets.h"

RAPHE_PLUGIN(raphe::TwoTargets)
