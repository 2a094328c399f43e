// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/tensor.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace raphe {

/// What one iteration of training measured. Iterations increase; the first may be 0 or 1.
struct Metrics {
    std::int64_t iteration = 0;
    double seconds = 0; ///< of training so far; not part of the run hash
    std::vector<std::pair<std::string, double>> values;
    friend bool operator==(const Metrics&, const Metrics&) = default;
};

/// A metric over a run.
struct MetricCurve {
    std::vector<double> iterations; ///< done by then
    std::vector<double> values;
};

/// Everything needed to go on.
struct Checkpoint {
    std::int64_t iteration = 0; ///< the last one that it includes
    std::vector<NamedTensor> tensors;
    std::string stateJson; ///< whatever is not a tensor: optimiser steps, positions of streams
    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

struct Event {
    std::int64_t iteration = 0;
    double time = 0; ///< wall clock, seconds since 1970 (UTC)
    std::string kind, json;
};

struct Signal {
    std::string port;
    std::int64_t iteration = 0;
    Tensor tensor;
};

/// How much of a port was recorded.
struct SignalSummary {
    std::string port;
    std::int64_t count = 0, firstIteration = 0, lastIteration = 0;
};

} // namespace raphe
