// SPDX-License-Identifier: Apache-2.0
#include "raphe/random.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace raphe {
namespace {

// The vectors of Random123's own file kat_vectors for philox4x32 with 10 rounds.
TEST(Philox, GivesTheKnownAnswers) {
    using P = r123::Philox4x32;
    const auto answer = [](P::ctr_type counter, P::key_type key) { return P{}(counter, key); };
    EXPECT_EQ(answer({{0, 0, 0, 0}}, {{0, 0}}), (P::ctr_type{{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}));
    EXPECT_EQ(answer({{~0u, ~0u, ~0u, ~0u}}, {{~0u, ~0u}}),
              (P::ctr_type{{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}));
    EXPECT_EQ(answer({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, {{0xa4093822, 0x299f31d0}}),
              (P::ctr_type{{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}));
}

TEST(Stream, IsAFunctionOfItsAddressAlone) {
    Stream first(1, 2, 3, 4, 5), other(1, 2, 3, 4, 6), second(1, 2, 3, 4, 5);
    for (int i = 0; i < 100; ++i) {
        const auto expected = first.bits();
        for (int k = 0; k < i % 5; ++k) other.bits(); // draws elsewhere shift nothing here
        EXPECT_EQ(second.bits(), expected);
    }
}

TEST(Stream, DiffersInEveryPartOfTheAddress) {
    const auto start = [](Stream s) { return std::array{s.bits(), s.bits(), s.bits(), s.bits()}; };
    std::vector<std::array<std::uint32_t, 4>> starts{start({1, 2, 3, 4, 5}), start({2, 2, 3, 4, 5}),
                                                     start({1, 3, 3, 4, 5}), start({1, 2, 4, 4, 5}),
                                                     start({1, 2, 3, 5, 5}), start({1, 2, 3, 4, 6})};
    std::sort(starts.begin(), starts.end());
    EXPECT_EQ(std::adjacent_find(starts.begin(), starts.end()), starts.end());
}

TEST(Stream, NeighbouringTrialsAreUncorrelated) {
    constexpr int count = 40000;
    double sum = 0;
    for (std::uint32_t trial = 0; trial < count; ++trial)
        sum += (Stream(7, 1, 0, trial, 0).uniform() - 0.5) * (Stream(7, 1, 0, trial + 1, 0).uniform() - 0.5);
    EXPECT_NEAR(sum / count * 12, 0, 5 / std::sqrt(double(count))); // 5 standard errors
}

// Tolerances below: 5 standard errors of the estimate for this number of draws.
TEST(StreamUniform, HasTheMomentsOfTheUnitInterval) {
    Stream s(1, 1, 0, 0, 0);
    constexpr int count = 200000;
    double sum = 0, squares = 0;
    for (int i = 0; i < count; ++i) {
        const double u = s.uniform();
        ASSERT_GE(u, 0.0);
        ASSERT_LT(u, 1.0);
        sum += u;
        squares += u * u;
    }
    EXPECT_NEAR(sum / count, 0.5, 5 * std::sqrt(1.0 / 12 / count));
    EXPECT_NEAR(squares / count, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / count));
}

TEST(StreamNormal, HasTheMomentsOfTheNormalDistribution) {
    Stream s(1, 2, 0, 0, 0);
    constexpr int count = 200000;
    std::array<double, 5> moment{};
    for (int i = 0; i < count; ++i) {
        const double x = s.normal();
        for (std::size_t k = 1; k < 5; ++k) moment[k] += std::pow(x, static_cast<double>(k)) / count;
    }
    EXPECT_NEAR(moment[1], 0, 5 * std::sqrt(1.0 / count));
    EXPECT_NEAR(moment[2], 1, 5 * std::sqrt(2.0 / count));
    EXPECT_NEAR(moment[3], 0, 5 * std::sqrt(15.0 / count));
    EXPECT_NEAR(moment[4], 3, 5 * std::sqrt(96.0 / count));
}

TEST(StreamInteger, IsUnbiased) {
    Stream s(1, 3, 0, 0, 0);
    constexpr std::uint32_t sides = 7;
    constexpr int count = 140000;
    std::array<int, sides> seen{};
    for (int i = 0; i < count; ++i) ++seen[s.integer(sides)];
    double chiSquare = 0;
    for (int n : seen) chiSquare += (n - count / 7.0) * (n - count / 7.0) / (count / 7.0);
    EXPECT_LT(chiSquare, 27.9); // p = 1e-4 with 6 degrees of freedom
}

// Taking the remainder of 32 bits would make the lower third twice as likely here.
TEST(StreamInteger, IsUnbiasedForRangesNearTwoToThe32) {
    Stream s(1, 4, 0, 0, 0);
    constexpr std::uint32_t range = 3u << 30;
    constexpr int count = 30000;
    int low = 0;
    for (int i = 0; i < count; ++i) low += s.integer(range) < (1u << 30);
    EXPECT_NEAR(low / double(count), 1.0 / 3, 5 * std::sqrt(2.0 / 9 / count));
}

TEST(StreamInteger, StaysBelowItsBound) {
    EXPECT_TRUE(rc::check("integer(n) < n", [](std::uint64_t seed) {
        const auto count = *rc::gen::inRange<std::uint32_t>(1, 1000000);
        Stream s(seed, 0, 0, 0, 0);
        for (int i = 0; i < 20; ++i) RC_ASSERT(s.integer(count) < count);
    }));
}

TEST(StreamShuffle, PermutesAndReachesAllOrdersEqually) {
    std::array<int, 6> seen{};
    constexpr int count = 60000;
    Stream s(1, 5, 0, 0, 0);
    for (int i = 0; i < count; ++i) {
        std::array<int, 3> a{0, 1, 2};
        s.shuffle(a.begin(), 3);
        ASSERT_EQ(std::accumulate(a.begin(), a.end(), 0), 3);
        ++seen[static_cast<std::size_t>(a[0] * 2 + (a[1] > a[2]))];
    }
    double chiSquare = 0;
    for (int n : seen) chiSquare += (n - count / 6.0) * (n - count / 6.0) / (count / 6.0);
    EXPECT_LT(chiSquare, 25.7); // p = 1e-4 with 5 degrees of freedom
}

TEST(StreamCategorical, FollowsItsProbabilities) {
    const std::array<float, 3> p{0.2f, 0.0f, 0.8f};
    std::array<int, 3> seen{};
    constexpr int count = 50000;
    Stream s(1, 6, 0, 0, 0);
    for (int i = 0; i < count; ++i) ++seen[static_cast<std::size_t>(s.categorical(p.data(), 3))];
    EXPECT_EQ(seen[1], 0);
    EXPECT_NEAR(seen[0] / double(count), 0.2, 5 * std::sqrt(0.16 / count));
}

TEST(AddressOf, DependsOnNameAndParent) {
    EXPECT_NE(addressOf("agent"), addressOf("agenu"));
    EXPECT_NE(addressOf("noise", addressOf("agent")), addressOf("noise"));
    EXPECT_EQ(addressOf("agent"), addressOf("agent"));
}

TEST(Stream, ManyNormalDeviatesAreNormal) {
    std::vector<double> x(200001);
    Stream(5, addressOf("many"), 0, 0, 0).normals(x.data(), static_cast<int>(x.size()));
    double mean = 0, square = 0, fourth = 0, neighbours = 0;
    int beyond = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        mean += x[i];
        square += x[i] * x[i];
        fourth += x[i] * x[i] * x[i] * x[i];
        if (i > 0) neighbours += x[i] * x[i - 1];
        if (std::abs(x[i]) > 2.5758293) ++beyond;
    }
    const auto n = static_cast<double>(x.size());
    EXPECT_NEAR(mean / n, 0, 0.01);
    EXPECT_NEAR(square / n, 1, 0.015);
    EXPECT_NEAR(fourth / n, 3, 0.12);
    EXPECT_NEAR(neighbours / n, 0, 0.01);
    EXPECT_NEAR(beyond / n, 0.01, 0.001);
    std::vector<float> again(7);
    Stream(5, addressOf("many"), 0, 0, 0).normals(again.data(), 7); // an odd number, in the other precision
    for (std::size_t i = 0; i < 6; ++i) EXPECT_FLOAT_EQ(again[i], static_cast<float>(x[i]));
}

} // namespace
} // namespace raphe
