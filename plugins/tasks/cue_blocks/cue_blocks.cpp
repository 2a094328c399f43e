// SPDX-License-Identifier: Apache-2.0
#include "cue_blocks.h"

RAPHE_PLUGIN(raphe::CueBlocks)
