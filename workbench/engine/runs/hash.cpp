// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/hash.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <bit>
#include <cmath>
#include <limits>
#include <new>

static_assert(std::endian::native == std::endian::little, "numbers are hashed as the machine holds them");

namespace raphe {

void Hash::Free::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

Hash::Hash() : state_(XXH3_createState()) {
    if (!state_) throw std::bad_alloc();
    XXH3_128bits_reset(state_.get());
}

Hash& Hash::add(std::string_view text) {
    add(static_cast<std::int64_t>(text.size()));
    XXH3_128bits_update(state_.get(), text.data(), text.size());
    return *this;
}

Hash& Hash::add(std::int64_t value) {
    XXH3_128bits_update(state_.get(), &value, sizeof(value));
    return *this;
}

Hash& Hash::add(double value) {
    if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
    if (value == 0) value = 0; // and not -0
    return add(std::bit_cast<std::int64_t>(value));
}

std::int64_t Hash::low() const { return static_cast<std::int64_t>(XXH3_128bits_digest(state_.get()).low64); }

std::string Hash::text() const {
    const auto digest = XXH3_128bits_digest(state_.get());
    return fmt::format("{:016x}{:016x}", digest.high64, digest.low64);
}

} // namespace raphe
