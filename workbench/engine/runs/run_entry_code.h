// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/runs/run_list.h"

#include <string>
#include <string_view>
#include <unordered_map>

namespace raphe {

/// An entry as bytes, for the index of runs; without its folder.
std::string encodedEntry(const RunEntry& entry);
/// Settings by their bytes: entries that have the same share them.
using SettingsPool = std::unordered_map<std::string, RunSettings>;
/// @throws Error if the bytes are none of an entry
RunEntry decodedEntry(std::string_view bytes, SettingsPool& pool);

} // namespace raphe
