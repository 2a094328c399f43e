// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/analysis/principal_components.h"
#include "engine/analysis/step_map.h"
#include "engine/base/executor.h"

#include <array>
#include <vector>

namespace raphe {

/// A plane in the space of states: origin + x axes[0] + y axes[1].
struct StatePlane {
    StepMap::Vector origin;
    std::array<StepMap::Vector, 2> axes; ///< unit vectors at right angles
};
/// The plane of two components (from 0). @throws Error  if the components are of another number of states, or the
/// states vary in fewer directions
StatePlane planeOf(const PrincipalComponents& components, int first = 0, int second = 1);
/// The plane of two states (from 0) through a point. x and y are the states themselves. @throws Error
StatePlane planeOf(const StepMap::Vector& through, int first, int second);

struct FlowGrid {
    double xLow = -1, xHigh = 1, yLow = -1, yHigh = 1;
    int columns = 20, rows = 20;
};

/// What a step does at the points of a grid. All lists row by row, from the lowest y.
struct FlowField {
    FlowGrid grid;
    std::vector<double> x, y;   ///< of the points
    std::vector<double> dx, dy; ///< how far a step goes, along the axes
    std::vector<double> speed;  ///< how far it goes in all directions: |F(x) - x|
};
/// @throws Error  if the axes are no unit vectors at right angles, or the grid has no area
FlowField flowField(const StepMap& map, const StatePlane& plane, const FlowGrid& grid, Executor& executor);

/// The field as one line with gaps (NaN in y), to be drawn: an arrow from each point. The longest is `length` cells
/// long, the others by the square root of their change along the plane.
struct FlowArrows {
    std::vector<double> x, y;
};
FlowArrows arrowsOf(const FlowField& field, double length = 0.9);

} // namespace raphe
