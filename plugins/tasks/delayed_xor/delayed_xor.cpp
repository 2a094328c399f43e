// SPDX-License-Identifier: Apache-2.0
#include "delayed_xor.h"

RAPHE_PLUGIN(raphe::DelayedXor)
