// SPDX-License-Identifier: Apache-2.0
#include "dense.h"

RAPHE_PLUGIN(raphe::Dense)
