// SPDX-License-Identifier: Apache-2.0
#include "pattern_completion.h"

RAPHE_PLUGIN(raphe::PatternCompletion)
