// SPDX-License-Identifier: Apache-2.0
#include "set_shift.h"

RAPHE_PLUGIN(raphe::SetShift)
