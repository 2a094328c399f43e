// SPDX-License-Identifier: Apache-2.0
#include "engine/base/available.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

namespace raphe {

namespace {

namespace fs = std::filesystem;

constexpr double unlimited = std::numeric_limits<double>::infinity();

/// The number that a file holds; "max" and what is not a number are none.
std::optional<double> numberIn(const fs::path& file) {
    std::ifstream stream(file);
    double number = 0;
    if (stream >> number) return number;
    return std::nullopt;
}

/// The number behind a word, as in "MemAvailable: 16 kB".
std::optional<double> numberAfter(const fs::path& file, std::string_view word) {
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) {
        if (!line.starts_with(word)) continue;
        std::istringstream rest(line.substr(word.size()));
        double number = 0;
        if (rest >> number) return number;
    }
    return std::nullopt;
}

/// What a control group leaves. Files that it has read lie in its memory, but give way.
double leftBy(const fs::path& group, const char* limitFile, const char* usageFile, std::string_view cached) {
    const auto limit = numberIn(group / limitFile);
    if (!limit) return unlimited;
    const double used = numberIn(group / usageFile).value_or(0),
                 yielding = numberAfter(group / "memory.stat", cached).value_or(0);
    return std::max(0.0, *limit - std::max(0.0, used - yielding));
}

/// Whether a list such as "cpu,memory" holds the word.
bool lists(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        if (list.substr(0, comma) == word) return true;
        list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    }
    return false;
}

} // namespace

double availableMemory(const fs::path& root) {
    double available = unlimited;
    if (const auto kibibytes = numberAfter(root / "proc/meminfo", "MemAvailable:")) available = *kibibytes * 1024;
    std::ifstream groups(root / "proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        const auto first = line.find(':'), second = line.find(':', first == std::string::npos ? first : first + 1);
        if (second == std::string::npos) continue;
        const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
        const bool unified = controllers.empty();
        if (!unified && !lists(controllers, "memory")) continue;
        const auto mount = root / (unified ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
        // A limit of any group above counts too. Inside a container the path may be that of the machine outside; the
        // container's own group then is the mount itself, which ends the way up.
        for (auto path = fs::path(line.substr(second + 1)).relative_path();; path = path.parent_path()) {
            const auto group = path.empty() ? mount : mount / path;
            available = std::min(available, unified ? leftBy(group, "memory.max", "memory.current", "inactive_file ")
                                                    : leftBy(group, "memory.limit_in_bytes", "memory.usage_in_bytes",
                                                             "total_inactive_file "));
            if (path.empty()) break;
        }
    }
    return available;
}

double availableDisk(fs::path folder) {
    std::error_code error;
    folder = fs::absolute(folder, error);
    while (!error && !fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
    const auto space = fs::space(folder, error);
    return error || space.available == static_cast<std::uintmax_t>(-1) ? unlimited
                                                                       : static_cast<double>(space.available);
}

std::string bytesText(double bytes) {
    if (!std::isfinite(bytes)) return "any number of bytes";
    const char* unit = "KiB";
    double number = bytes / 1024;
    for (const char* larger : {"MiB", "GiB", "TiB", "PiB", "EiB"}) {
        if (number < 1000) break;
        number /= 1024;
        unit = larger;
    }
    return number < 1e6 ? fmt::format("{:.{}f} {}", number, number < 10 ? 1 : 0, unit)
                        : fmt::format("{:.1e} {}", number, unit);
}

} // namespace raphe
