// SPDX-License-Identifier: Apache-2.0
#include "rnn.h"

RAPHE_PLUGIN(raphe::Rnn)
