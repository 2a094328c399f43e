// SPDX-License-Identifier: Apache-2.0
#include "a2c.h"

RAPHE_PLUGIN(raphe::A2c)
