// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace raphe {

using Json = nlohmann::ordered_json;

/// Names of the members of an object, in their order.
std::vector<std::string> keysOf(const Json& object);

/// What a document may be at most. Checked while the text is read, before the values are stored.
struct JsonLimits {
    std::size_t bytes = std::size_t{64} << 20;
    std::size_t depth = 64;         ///< arrays and objects open at the same time
    std::size_t values = 5'000'000; ///< values of every kind, containers included
};

/// Parses strictly: no duplicate keys, comments, NaN, numbers out of range, bytes that are not UTF-8, or text after the
/// document. Members keep their order.
/// @param place  what the text came from, e.g. a file name; messages begin with place:line:column
/// @throws Error
Json parseJson(std::string_view text, const std::string& place, const JsonLimits& limits = {});

/// The same for a file.
Json readJson(const std::filesystem::path& path, const JsonLimits& limits = {});

} // namespace raphe
