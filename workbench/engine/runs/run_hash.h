// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/runs/hash.h"
#include "engine/runs/run_records.h"

#include <string>
#include <vector>

namespace raphe {

/// 32 hexadecimal digits by which two runs are compared: xxh3-128 of the number of iterations, then of iterations,
/// metric names and values (bit patterns; all NaN alike, -0 like 0), then of the names, shapes, precisions and values
/// of the tensors, in the order given. Seconds are left out.
std::string runHash(const std::vector<Metrics>& metrics, const std::vector<NamedTensor>& tensors);

/// The same of metrics that pass by one iteration at a time, so that nobody has to hold them all.
class RunHash {
public:
    /// @param iterations  how often add() will be called
    explicit RunHash(std::int64_t iterations);
    void add(const Metrics& metrics);
    /// @throws Error if there were more or fewer iterations than announced
    std::string finish(const std::vector<NamedTensor>& tensors);

private:
    Hash hash_;
    std::int64_t missing_;
};

} // namespace raphe
