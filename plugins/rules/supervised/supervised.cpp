// SPDX-License-Identifier: Apache-2.0
#include "supervised.h"

RAPHE_PLUGIN(raphe::Supervised)
