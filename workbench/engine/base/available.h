// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace raphe {

/// Bytes that this process can still take without anybody being killed for it: what the machine has free, and what its
/// control groups (versions 1 and 2) leave; infinite where nobody says. @param root  of the file system, for tests
double availableMemory(const std::filesystem::path& root = "/");

/// Free bytes on the disk of a folder that need not exist yet; infinite where nobody says.
double availableDisk(std::filesystem::path folder);

/// "512 KiB", "7.5 MiB", "23.8 GiB".
std::string bytesText(double bytes);

} // namespace raphe
