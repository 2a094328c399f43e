// SPDX-License-Identifier: Apache-2.0
#include "manifold_dense.h"

RAPHE_PLUGIN(raphe::ManifoldDense)
