// SPDX-License-Identifier: Apache-2.0
#include "receptors.h"

RAPHE_PLUGIN(raphe::Receptors)
