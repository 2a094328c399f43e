// SPDX-License-Identifier: Apache-2.0
#include "engine/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace raphe {

namespace {
std::size_t editDistance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row.back();
}
} // namespace

std::string closest(std::string_view word, const std::vector<std::string>& candidates) {
    std::string best;
    std::size_t bestDistance = std::max<std::size_t>(2, word.size() / 3) + 1;
    if (word.size() > 200) return best;
    for (const auto& candidate : candidates) {
        const auto distance = editDistance(word, candidate);
        if (distance < bestDistance) {
            bestDistance = distance;
            best = candidate;
        }
    }
    return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& names) {
    if (names.empty()) return {};
    auto candidates = names;
    for (auto& name : candidates) // a user's own names may hold anything, but a sentence is one line
        for (char& c : name)
            if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    if (auto near = closest(word, candidates); !near.empty()) return "; did you mean \"" + near + "\"?";
    constexpr std::size_t shown = 8;
    if (candidates.size() <= shown) return "; known: " + joined(candidates);
    return "; known: " + joined({candidates.begin(), candidates.begin() + shown}) +
           fmt::format(" and {} more", candidates.size() - shown);
}

std::string suggested(std::string_view sentence) {
    constexpr std::string_view words = "; did you mean \"";
    const auto start = sentence.find(words);
    if (start == std::string_view::npos) return {};
    const auto rest = sentence.substr(start + words.size());
    const auto end = rest.find("\"?");
    return end == std::string_view::npos ? std::string() : std::string(rest.substr(0, end));
}

bool matches(std::string_view pattern, std::string_view name) {
    std::size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.size() && pattern[p] == name[n]) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

std::string joined(const std::vector<std::string>& words) {
    std::string result;
    for (const auto& word : words) result += (result.empty() ? "" : ", ") + word;
    return result;
}

} // namespace raphe
