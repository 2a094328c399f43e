// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/analysis/step_map.h"
#include "engine/base/executor.h"
#include "engine/base/tensor.h"

#include <complex>
#include <cstdint>
#include <string>
#include <vector>

namespace raphe {

/// What a step does near a state.
struct LocalDynamics {
    StepMap::Matrix jacobian;                      ///< of the engine's own derivative, row: next state, column: state
    double disagreement = 0;                       ///< with central differences: largest |a - b| over largest |a|
    std::vector<std::complex<double>> eigenvalues; ///< the largest in size first, of a pair the one above the axis
    int unstable = 0;                              ///< how many lie outside of the unit circle
    std::string
        stability; ///< stable, saddle, unstable (in all directions), or marginal: the largest lies on the circle
    bool oscillates = false; ///< the largest eigenvalue is one of a complex pair
};
/// @param margin  an eigenvalue lies on the unit circle if its size differs from 1 by at most this
LocalDynamics localDynamics(const StepMap& map, const StepMap::Vector& at, double margin = 1e-6);

/// How fixed points are searched: the squared speed |F(x) - x|^2 is minimised from each starting state (Levenberg and
/// Marquardt), after Sussillo and Barak (2013), Neural Computation 25, 626.
struct FixedPointSearch {
    double tolerance = 1e-9;  ///< a state with at most this speed is a fixed point; speed: |F(x) - x|
    double slow = 0;          ///< a minimum of the speed that is no fixed point is kept if its speed is at most this
    double separation = 1e-4; ///< states nearer than this times (1 + |x|) are one and the same
    double margin = 1e-6;     ///< see localDynamics()
    int iterations = 500;     ///< of a search, at most
};

struct FixedPoint {
    StepMap::Vector state;
    double speed = 0;
    bool fixed = true;   ///< false: a slow point
    int starts = 0;      ///< searches that ended here
    int firstStart = 0;  ///< the first of these
    double distance = 0; ///< to the nearest of all starting states
    LocalDynamics dynamics;
};

struct FixedPoints {
    std::vector<FixedPoint> points; ///< fixed points first, each in the order of their first starts
    int starts = 0;
    int ended = 0;  ///< searches that ended in a minimum above what is kept
    int failed = 0; ///< searches that needed more iterations, or left the finite numbers
};

/// @param starts   one column for each; searches are independent of one another
/// @throws Error   if there is no start, or one is not finite; what StepMap throws
FixedPoints findFixedPoints(const StepMap& map, const StepMap::Matrix& starts, const FixedPointSearch& search,
                            Executor& executor);

/// Starting states from visited ones: `count` of them, each at most once as long as there are enough, in a drawn order,
/// with normal noise of `noise` times the standard deviation of each number.
/// @param visited  (..., states)  @param count  0: all of them, in their order
StepMap::Matrix startingStates(const Tensor& visited, int count, double noise, std::uint64_t seed);

} // namespace raphe
