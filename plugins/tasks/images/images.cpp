// SPDX-License-Identifier: Apache-2.0
#include "images.h"

RAPHE_PLUGIN(raphe::Images)
