// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace raphe {

enum class Precision { float32, float64 };

/// An array on its way between a session and a file, a script or a plot. Row-major (C order). `values` always holds
/// doubles; `precision` says what the numbers were computed in, and files store them in that type (exact either way).
struct Tensor {
    std::vector<std::int64_t> shape;
    std::vector<double> values;
    Precision precision = Precision::float64;

    std::int64_t size() const {
        std::int64_t product = 1;
        for (auto extent : shape) product *= extent;
        return product;
    }
    friend bool operator==(const Tensor&, const Tensor&) = default;
};

struct NamedTensor {
    std::string name; ///< e.g. "agent.recurrent_weight"
    Tensor tensor;
    friend bool operator==(const NamedTensor&, const NamedTensor&) = default;
};

} // namespace raphe
