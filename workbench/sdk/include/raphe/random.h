// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Random123/philox.h>

#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

namespace raphe {

/// 64-bit FNV-1a hash of a name, finished with splitmix64: the address of an entity ("agent") or a purpose ("noise").
constexpr std::uint64_t addressOf(std::string_view name, std::uint64_t parent = 0) {
    std::uint64_t hash = 0xcbf29ce484222325ULL ^ parent;
    for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    hash += 0x9e3779b97f4a7c15ULL;
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ULL;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebULL;
    return hash ^ (hash >> 31);
}

/// A counter-based random stream (Philox 4x32-10; Salmon et al. 2011, doi:10.1145/2063384.2063405). The numbers are a
/// pure function of the address (seed, entity, purpose, iteration, trial, step) and of how many were drawn before from
/// this object; there is no shared generator, so no draw anywhere shifts another. The distributions are our own, since
/// those of the standard library differ between implementations.
class Stream {
public:
    /// The stream of address 0; a place for a stream that is assigned later.
    Stream() : Stream(0, 0, 0, 0, 0) {}
    Stream(std::uint64_t seed, std::uint64_t entity, std::uint32_t iteration, std::uint32_t trial, std::uint32_t step)
        : counter_{{0, step, trial, iteration}} {
        const std::uint64_t key = addressOf({}, seed * 0x9e3779b97f4a7c15ULL ^ entity);
        key_ = {{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)}};
    }

    /// 32 uniformly random bits.
    std::uint32_t bits() {
        if (left_ == 0) {
            block_ = philox_(counter_, key_);
            ++counter_[0];
            left_ = 4;
        }
        return block_[--left_];
    }

    /// Uniform in [0, 1), with 53 random bits.
    double uniform() {
        const std::uint64_t high = bits() >> 5, low = bits() >> 6;
        return static_cast<double>(high * 67108864ULL + low) * (1.0 / 9007199254740992.0);
    }
    /// Uniform in [low, high).
    double uniform(double low, double high) { return low + (high - low) * uniform(); }

    /// Uniform integer in {0, ..., count-1}, without bias. @pre count >= 1
    std::uint32_t integer(std::uint32_t count) {
        const std::uint32_t threshold = (0u - count) % count;
        for (;;) {
            const std::uint64_t product = std::uint64_t{bits()} * count;
            if (static_cast<std::uint32_t>(product) >= threshold) return static_cast<std::uint32_t>(product >> 32);
        }
    }

    /// Standard normal deviate (Box-Muller; both deviates are used).
    double normal() {
        if (hasSpare_) {
            hasSpare_ = false;
            return spare_;
        }
        const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
        const double angle = 6.283185307179586476925286766559 * uniform();
        spare_ = radius * std::sin(angle);
        hasSpare_ = true;
        return radius * std::cos(angle);
    }

    /// Many standard normal deviates at a third of the price, from 32 random bits each (Marsaglia's polar method). They
    /// are others than those of normal().
    template <class T>
    void normals(T* to, int count) {
        for (int i = 0; i < count; i += 2) {
            double u, v, square;
            do {
                u = (static_cast<double>(bits()) + 0.5) * (1.0 / 2147483648.0) - 1;
                v = (static_cast<double>(bits()) + 0.5) * (1.0 / 2147483648.0) - 1;
                square = u * u + v * v;
            } while (square >= 1);
            const double factor = std::sqrt(-2 * std::log(square) / square);
            to[i] = static_cast<T>(u * factor);
            if (i + 1 < count) to[i + 1] = static_cast<T>(v * factor);
        }
    }

    /// Fisher-Yates shuffle of the first `count` elements.
    template <class Iterator>
    void shuffle(Iterator first, std::uint32_t count) {
        for (std::uint32_t i = count; i > 1; --i) std::swap(first[i - 1], first[integer(i)]);
    }

    /// Index drawn from `count` probabilities (they need not sum exactly to 1) by inversion of the cumulative sum.
    template <class T>
    int categorical(const T* probability, int count) {
        const double u = uniform();
        double sum = 0;
        for (int i = 0; i + 1 < count; ++i) {
            sum += static_cast<double>(probability[i]);
            if (u < sum) return i;
        }
        return count - 1;
    }

private:
    r123::Philox4x32 philox_;
    r123::Philox4x32::ctr_type counter_, block_{};
    r123::Philox4x32::key_type key_{};
    int left_ = 0;
    bool hasSpare_ = false;
    double spare_ = 0;
};

} // namespace raphe
