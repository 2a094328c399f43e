// SPDX-License-Identifier: Apache-2.0
#include "categorical.h"

RAPHE_PLUGIN(raphe::Categorical)
