// SPDX-License-Identifier: Apache-2.0
#include "three_factor_layer.h"

RAPHE_PLUGIN(raphe::ThreeFactorLayer)
