// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"
#include "raphe/tape.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <new>

/// What this machine can do at most, on one core: the ceilings that kernels are held against.
namespace raphe::ceilings {

/// Numbers aligned to 64 bytes, small and different from each other.
class Numbers {
public:
    explicit Numbers(std::size_t count)
        : data_(static_cast<float*>(::operator new (count * sizeof(float), std::align_val_t{64}))), size_(count) {
        for (std::size_t i = 0; i < count; ++i) data_[i] = 1e-3f * static_cast<float>(i % 97) - 0.05f;
    }
    ~Numbers() { ::operator delete (data_, std::align_val_t{64}); }
    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;
    float* data() const { return data_; }
    std::size_t size() const { return size_; }
    double bytes() const { return double(size_) * sizeof(float); }

private:
    float* data_;
    std::size_t size_;
};

using Packet = Eigen::internal::packet_traits<float>::type;
constexpr std::size_t width = Eigen::internal::packet_traits<float>::size;

/// Sum of all numbers. Reads each once.
inline float read(const Numbers& x) {
    using namespace Eigen::internal;
    Packet sum[8];
    for (auto& s : sum) s = pset1<Packet>(0.0f);
    const float* from = x.data();
    const std::size_t last = x.size() / (8 * width) * (8 * width);
    for (std::size_t i = 0; i < last; i += 8 * width)
        for (std::size_t k = 0; k < 8; ++k) sum[k] = padd(sum[k], pload<Packet>(from + i + k * width));
    for (std::size_t k = 1; k < 8; ++k) sum[0] = padd(sum[0], sum[k]);
    return predux(sum[0]);
}

/// a = b + s c. Reads two numbers and writes one for each entry.
inline void triad(const Numbers& a, const Numbers& b, const Numbers& c) {
    using namespace Eigen::internal;
    const Packet s = pset1<Packet>(0.5f);
    float* to = a.data();
    const float *from = b.data(), *scaled = c.data();
    const std::size_t last = a.size() / (4 * width) * (4 * width);
    for (std::size_t i = 0; i < last; i += 4 * width)
        for (std::size_t k = i; k < i + 4 * width; k += width)
            pstore(to + k, pmadd(s, pload<Packet>(scaled + k), pload<Packet>(from + k)));
}

/// a = s a + b: reads two numbers and writes one in place, like the sweep over a trace.
inline void update(const Numbers& a, const Numbers& b) {
    using namespace Eigen::internal;
    const Packet s = pset1<Packet>(0.5f);
    float* to = a.data();
    const float* from = b.data();
    const std::size_t last = a.size() / (4 * width) * (4 * width);
    for (std::size_t i = 0; i < last; i += 4 * width)
        for (std::size_t k = i; k < i + 4 * width; k += width)
            pstore(to + k, pmadd(s, pload<Packet>(to + k), pload<Packet>(from + k)));
}

/// Multiply-adds that need no memory at all. @return operations done
inline double multiplyAdds(float* result) {
    using namespace Eigen::internal;
    constexpr int chains = 10, rounds = 4096;
    Packet x[chains];
    for (int k = 0; k < chains; ++k) x[k] = pset1<Packet>(1e-3f * static_cast<float>(k));
    const Packet a = pset1<Packet>(result[0]), b = pset1<Packet>(1e-4f);
    for (int i = 0; i < rounds; ++i)
        for (auto& chain : x) chain = pmadd(chain, a, b);
    for (int k = 1; k < chains; ++k) x[0] = padd(x[0], x[k]);
    result[1] = predux(x[0]);
    return 2.0 * chains * rounds * double(width);
}

/// Fastest of many calls, in seconds; each measurement repeats f for about `least` seconds.
template <class F>
double seconds(F f, double least = 0.02, int measurements = 7) {
    using clock = std::chrono::steady_clock;
    const auto timed = [&](long calls) {
        const auto begun = clock::now();
        for (long i = 0; i < calls; ++i) f();
        return std::chrono::duration<double>(clock::now() - begun).count();
    };
    f();
    long calls = 1;
    for (double once = timed(1); once < least && calls < (1L << 40); once = timed(calls)) calls *= 2;
    double best = timed(calls);
    for (int i = 1; i < measurements; ++i) best = std::min(best, timed(calls));
    return best / double(calls);
}

/// Numbers for reports: what one core reaches.
struct Ceilings {
    double multiplyAdd = 0; ///< FLOP/s without memory
    double gemm = 0;        ///< FLOP/s of Eigen's product of 512 x 512 matrices
    double update2 = 0;     ///< bytes/s of update() over 640 KB, which fit the L2 cache
    double update3 = 0;     ///< bytes/s of update() over 6 MB, which fit the L3 cache
};

inline Ceilings measure() {
    detail::pinBlockSizes();
    Ceilings c;
    float state[2] = {0.999f, 0};
    double operations = 0;
    const double fma = seconds([&] {
        operations = multiplyAdds(state);
        asm volatile("" : : "r"(state) : "memory");
    });
    c.multiplyAdd = operations / fma;
    const int n = 512;
    Matrix<float> A = Matrix<float>::Random(n, n), B = Matrix<float>::Random(n, n), C(n, n);
    const double product = seconds([&] {
        C.noalias() = A * B;
        asm volatile("" : : "r"(C.data()) : "memory");
    });
    c.gemm = 2.0 * n * n * n / product;
    const auto updates = [](std::size_t bytes) {
        const Numbers a(bytes / 8), b(bytes / 8);
        const double time = seconds([&] {
            update(a, b);
            asm volatile("" : : "r"(a.data()) : "memory");
        });
        return 3 * a.bytes() / time;
    };
    c.update2 = updates(640 * 1024);
    c.update3 = updates(6 * 1024 * 1024);
    return c;
}

} // namespace raphe::ceilings
