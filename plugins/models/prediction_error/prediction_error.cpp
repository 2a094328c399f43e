// SPDX-License-Identifier: Apache-2.0
#include "prediction_error.h"

RAPHE_PLUGIN(raphe::PredictionError)
