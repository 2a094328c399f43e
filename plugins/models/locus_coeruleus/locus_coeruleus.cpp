// SPDX-License-Identifier: Apache-2.0
#include "locus_coeruleus.h"

RAPHE_PLUGIN(raphe::LocusCoeruleus)
