// SPDX-License-Identifier: Apache-2.0
#include "grid_maze.h"

RAPHE_PLUGIN(raphe::GridMaze)
