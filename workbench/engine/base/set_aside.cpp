// SPDX-License-Identifier: Apache-2.0
#include "engine/base/set_aside.h"

#include "raphe/error.h"

#include <string>

namespace raphe {

std::filesystem::path setAside(const std::filesystem::path& path) {
    for (int number = 1;; ++number) {
        auto aside = path;
        aside += ".corrupt-" + std::to_string(number);
        std::error_code error;
        if (std::filesystem::exists(std::filesystem::symlink_status(aside, error))) continue;
        std::filesystem::rename(path, aside, error);
        if (error)
            throw Error(path.string(), "cannot be renamed to " + aside.filename().string() + ": " + error.message());
        return aside;
    }
}

} // namespace raphe
