// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/tensor.h"
#include "engine/document/experiment.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace raphe::test {

/// {"shape": [...], "data": [...]}, or a plain number.
inline Tensor readTensor(const Json& json) {
    if (json.is_number()) return {{1}, {json.get<double>()}, Precision::float64};
    if (json.is_array())
        return {{static_cast<std::int64_t>(json.size())}, json.get<std::vector<double>>(), Precision::float64};
    return {json.at("shape").get<std::vector<std::int64_t>>(), json.at("data").get<std::vector<double>>(),
            Precision::float64};
}

inline Tensor reshaped(Tensor tensor, std::vector<std::int64_t> shape) {
    tensor.shape = std::move(shape);
    return tensor;
}

/// (batch, steps, units) to (steps, batch, units).
inline Tensor stepsFirst(const Tensor& t) {
    const auto batch = t.shape[0], steps = t.shape[1], units = t.shape[2];
    Tensor result{{steps, batch, units}, std::vector<double>(t.values.size()), t.precision};
    for (std::int64_t b = 0; b < batch; ++b)
        for (std::int64_t s = 0; s < steps; ++s)
            for (std::int64_t u = 0; u < units; ++u)
                result.values[static_cast<std::size_t>((s * batch + b) * units + u)] =
                    t.values[static_cast<std::size_t>((b * steps + s) * units + u)];
    return result;
}

/// max |a - b| / max(1, max |b|), as the specifications define agreement; infinite if the sizes differ or a is not
/// finite.
inline double relativeError(const std::vector<double>& a, const std::vector<double>& b) {
    if (a.size() != b.size()) return INFINITY;
    double difference = 0, scale = 1;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!std::isfinite(a[i])) return INFINITY;
        difference = std::max(difference, std::abs(a[i] - b[i]));
        scale = std::max(scale, std::abs(b[i]));
    }
    return difference / scale;
}

} // namespace raphe::test
