// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_hash.h"

#include "raphe/error.h"

namespace raphe {

RunHash::RunHash(std::int64_t iterations) : missing_(iterations) { hash_.add(iterations); }

void RunHash::add(const Metrics& metrics) {
    --missing_;
    hash_.add(metrics.iteration).add(static_cast<std::int64_t>(metrics.values.size()));
    for (const auto& [name, value] : metrics.values) hash_.add(std::string_view(name)).add(value);
}

std::string RunHash::finish(const std::vector<NamedTensor>& tensors) {
    if (missing_ != 0)
        throw Error("run hash", "the run was written while its metrics were read; read it again when it has ended");
    hash_.add(static_cast<std::int64_t>(tensors.size()));
    for (const auto& [name, tensor] : tensors) {
        hash_.add(std::string_view(name)).add(std::int64_t{tensor.precision == Precision::float32 ? 32 : 64});
        hash_.add(static_cast<std::int64_t>(tensor.shape.size()));
        for (const auto extent : tensor.shape) hash_.add(extent);
        hash_.add(std::string_view(reinterpret_cast<const char*>(tensor.values.data()),
                                   tensor.values.size() * sizeof(double)));
    }
    return hash_.text();
}

std::string runHash(const std::vector<Metrics>& metrics, const std::vector<NamedTensor>& tensors) {
    RunHash hash(static_cast<std::int64_t>(metrics.size()));
    for (const auto& row : metrics) hash.add(row);
    return hash.finish(tensors);
}

} // namespace raphe
