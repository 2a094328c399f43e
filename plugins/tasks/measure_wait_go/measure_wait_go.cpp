// SPDX-License-Identifier: Apache-2.0
#include "measure_wait_go.h"

RAPHE_PLUGIN(raphe::MeasureWaitGo)
