// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace raphe {

/// An array of bytes from an IDX file, last dimension fastest.
struct IdxArray {
    std::vector<std::size_t> shape;
    std::vector<std::uint8_t> values;
};

/// Reads an IDX file of unsigned bytes (two zeros, 8, the number of dimensions, their sizes as big-endian numbers of
/// four bytes, the values), as it is or compressed by gzip. Memory is taken only as far as the file has bytes.
/// @param limit  most values that are accepted
/// @throws Error with the file's name
IdxArray readIdx(const std::string& path, std::size_t limit);

} // namespace raphe
