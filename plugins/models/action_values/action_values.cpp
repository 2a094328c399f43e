// SPDX-License-Identifier: Apache-2.0
#include "action_values.h"

RAPHE_PLUGIN(raphe::ActionValues)
