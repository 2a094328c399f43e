// SPDX-License-Identifier: Apache-2.0
#include "observe.h"

RAPHE_PLUGIN(raphe::Observe)
