// SPDX-License-Identifier: Apache-2.0
#include "neuromodulator_bank.h"

RAPHE_PLUGIN(raphe::NeuromodulatorBank)
