// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/tensor.h"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace raphe {

/// What to do with NaN and infinities.
enum class NonFinite { refuse, allow };

struct NpzLimits {
    std::uint64_t bytes = std::uint64_t{4} << 30; ///< of all tensors together, as doubles in memory
    std::uint64_t entries = 65'536;
    std::uint64_t extents = 32; ///< dimensions of a tensor
};

/// Writes a NumPy archive, atomically: one uncompressed entry NAME.npy a tensor, '<f4' or '<f8' by its precision, C
/// order. The same tensors give the same bytes.
/// @throws Error on a name that is empty, repeated or unsafe as a path, on NaN (unless allowed), and on a failing disk
void writeNpz(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
              NonFinite nonFinite = NonFinite::refuse);

/// Reads a NumPy archive: types '<f4', '<f8', '<i4', '<i8' and '|b1', C or Fortran order, stored or deflated. All sizes
/// are checked against the archive before anything is allocated. Tensors come in the order of the archive.
/// @throws Error
std::vector<NamedTensor> readNpz(const std::filesystem::path& path, const NpzLimits& limits = {});

} // namespace raphe
