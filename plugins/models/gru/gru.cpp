// SPDX-License-Identifier: Apache-2.0
#include "gru.h"

RAPHE_PLUGIN(raphe::Gru)
