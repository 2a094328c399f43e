// SPDX-License-Identifier: Apache-2.0
#include "plastic_rnn.h"

RAPHE_PLUGIN(raphe::PlasticRnn)
