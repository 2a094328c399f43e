// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/tensor.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What stands before the numbers of a .npy array: magic, version, and a Python dictionary of type, order and shape.
namespace raphe::npy {

inline constexpr std::string_view magic = "\x93NUMPY";

struct Type {
    std::string_view name; ///< as NumPy writes it, such as "<f4"
    std::size_t width;     ///< bytes
    Precision precision;   ///< of the tensor that it becomes
};

struct Header {
    const Type* type = nullptr;
    bool fortranOrder = false;
    std::vector<std::int64_t> shape;
};

/// All up to the first number, for '<f4' or '<f8' by the tensor's precision, in C order.
std::string headerOf(const Tensor& tensor);

/// Reads the dictionary of a header, and nothing else that Python could mean by it.
/// @throws Error at `place`
Header parseHeader(std::string_view text, const std::string& place, std::size_t maxExtents);

/// Text from a stranger's file for a message: short and printable.
std::string shown(std::string_view word);

} // namespace raphe::npy
