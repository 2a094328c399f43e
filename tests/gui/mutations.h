// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace raphe::test {

/// Bytes as a bad disk, a crash or a hand might leave them.
class Mutations {
public:
    explicit Mutations(std::uint32_t seed) : random_(seed) {}

    std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }

    std::string of(std::string bytes) {
        if (below(12) == 0) return std::string(below(64), '\0');
        if (below(12) == 0) return {};
        for (std::size_t count = 1 + below(4); count > 0; --count) {
            const auto at = below(bytes.size() + 1);
            switch (below(6)) {
            case 0:
                bytes.resize(at);
                break;
            case 1:
                bytes.insert(at, std::string(1 + below(9), static_cast<char>(below(256))));
                break;
            case 2:
                bytes.erase(at, 1 + below(40));
                break;
            case 3:
                bytes.insert(at, bytes.substr(below(bytes.size() + 1), below(200)));
                break;
            default:
                if (at < bytes.size()) bytes[at] = static_cast<char>(below(256));
            }
        }
        return bytes;
    }

private:
    std::mt19937 random_;
};

} // namespace raphe::test
