// SPDX-License-Identifier: Apache-2.0
#include "manifold_basis.h"

RAPHE_PLUGIN(raphe::ManifoldBasis)
