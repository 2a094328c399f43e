// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace raphe {

/// A random order of 0 ... count - 1 in which every place can be asked for by itself: a Feistel network of eight rounds
/// on the next power of 4, applied again until the result lies in range. Nothing is stored, so that threads and resumed
/// trainings see the same order without sharing it.
class Order {
public:
    Order(std::uint64_t key, std::uint32_t count) : key_(key), count_(count) {
        while (bits_ < 16 && (std::uint64_t{1} << (2 * bits_)) < count) ++bits_;
    }

    /// @pre place < count
    std::uint32_t at(std::uint32_t place) const {
        do place = step(place);
        while (place >= count_);
        return place;
    }

private:
    std::uint32_t step(std::uint32_t x) const {
        const std::uint32_t mask = (std::uint32_t{1} << bits_) - 1;
        std::uint32_t left = x >> bits_, right = x & mask;
        for (std::uint32_t round = 0; round < 8; ++round) {
            std::uint64_t h = key_ ^ (std::uint64_t{round} << 32 | right);
            h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
            h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
            h ^= h >> 31;
            const std::uint32_t next = left ^ (static_cast<std::uint32_t>(h) & mask);
            left = right;
            right = next;
        }
        return left << bits_ | right;
    }

    std::uint64_t key_;
    std::uint32_t count_;
    int bits_ = 1; ///< of each half
};

} // namespace raphe
