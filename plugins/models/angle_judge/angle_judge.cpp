// SPDX-License-Identifier: Apache-2.0
#include "angle_judge.h"

RAPHE_PLUGIN(raphe::AngleJudge)
