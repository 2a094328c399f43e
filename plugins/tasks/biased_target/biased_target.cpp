// SPDX-License-Identifier: Apache-2.0
#include "biased_target.h"

RAPHE_PLUGIN(raphe::BiasedTarget)
