// SPDX-License-Identifier: Apache-2.0
#include "quantile_values.h"

RAPHE_PLUGIN(raphe::QuantileValues)
