// SPDX-License-Identifier: Apache-2.0
#include "region.h"

RAPHE_PLUGIN(raphe::Region)
