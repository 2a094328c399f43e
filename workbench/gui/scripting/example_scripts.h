// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace raphe {

/// A protocol that comes with Raphe.
struct ExampleScript {
    std::filesystem::path file;
    std::string folder, name; ///< "nmn", "freeze_switch"
    std::string summary;      ///< its first sentence
};
std::vector<ExampleScript> exampleScripts();
/// Whether a file is one of them; they stay as they are.
bool isExampleScript(const std::filesystem::path& file);

} // namespace raphe
