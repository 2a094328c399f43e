// SPDX-License-Identifier: Apache-2.0
#include "windy_target.h"

RAPHE_PLUGIN(raphe::WindyTarget)
