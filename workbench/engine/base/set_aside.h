// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace raphe {

/// Gives a file that cannot be used a name under which nobody looks for it: "name.corrupt-1", or the next number that
/// is free. @return the name  @throws Error if it cannot be renamed
std::filesystem::path setAside(const std::filesystem::path& path);

} // namespace raphe
