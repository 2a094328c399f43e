// SPDX-License-Identifier: Apache-2.0
#include "bernoulli.h"

RAPHE_PLUGIN(raphe::Bernoulli)
