// SPDX-License-Identifier: Apache-2.0
#include "cue_validity.h"

RAPHE_PLUGIN(raphe::CueValidity)
