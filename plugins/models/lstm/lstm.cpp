// SPDX-License-Identifier: Apache-2.0
#include "lstm.h"

RAPHE_PLUGIN(raphe::Lstm)
