// SPDX-License-Identifier: Apache-2.0
#include "diffusing_modulator.h"

RAPHE_PLUGIN(raphe::DiffusingModulator)
