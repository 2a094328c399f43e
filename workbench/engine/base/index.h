// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace raphe {

/// An index that is known not to be negative, for containers.
constexpr std::size_t at(int i) { return static_cast<std::size_t>(i); }

} // namespace raphe
