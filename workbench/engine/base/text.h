// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace raphe {

/// The candidate closest to `word` (edit distance, at most a third of its length), or an empty text.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);

/// `; did you mean "closest"?`, or `; known: a, b, c` when nothing is close.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);
/// What suggestion() proposed in a sentence; empty if it did not.
std::string suggested(std::string_view sentence);

/// Whether `name` matches a pattern in which `*` stands for any run of characters.
bool matches(std::string_view pattern, std::string_view name);

/// "a, b, c"
std::string joined(const std::vector<std::string>& words);

} // namespace raphe
