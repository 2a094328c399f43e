// SPDX-License-Identifier: Apache-2.0
#include "gaussian.h"

RAPHE_PLUGIN(raphe::Gaussian)
