// SPDX-License-Identifier: Apache-2.0
#include "ppo.h"

RAPHE_PLUGIN(raphe::Ppo)
