// SPDX-License-Identifier: Apache-2.0
#include "element_finder.h"

RAPHE_PLUGIN(raphe::ElementFinder)
