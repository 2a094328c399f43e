// SPDX-License-Identifier: Apache-2.0
#include "pattern_generation.h"

RAPHE_PLUGIN(raphe::PatternGeneration)
