// SPDX-License-Identifier: Apache-2.0
#include "multitask.h"

RAPHE_PLUGIN(raphe::Multitask)
