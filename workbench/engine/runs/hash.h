// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct XXH3_state_s;

namespace raphe {

/// Feeds values to xxh3-128 so that no two different sequences of values look the same. All NaN are alike, and -0 is
/// like 0, because a database column keeps neither.
class Hash {
public:
    Hash();
    Hash& add(std::string_view text);
    Hash& add(std::int64_t value);
    Hash& add(double value);
    std::int64_t low() const; ///< half of the hash, as a checksum
    std::string text() const; ///< 32 hexadecimal digits

private:
    struct Free {
        void operator()(XXH3_state_s* state) const;
    };
    std::unique_ptr<XXH3_state_s, Free> state_;
};

} // namespace raphe
