// SPDX-License-Identifier: Apache-2.0
#include "tasks/pattern_completion/pattern_completion.h"

#include "episodes.h"

#include <rapidcheck.h>

#include <set>

namespace raphe::test {
namespace {

using Driver = TaskDriver<PatternCompletion>;
using Bits = std::vector<double>;

std::vector<std::map<std::string, Bits>> shown(Driver& d, std::uint32_t episode, std::uint64_t seed = 1) {
    std::vector<std::map<std::string, Bits>> steps;
    d.begin(episode, seed);
    for (int t = 0; t < d.task().steps(); ++t) {
        d.observe();
        auto& step = steps.emplace_back();
        for (const char* port : {"pattern", "target", "mask", "cue"}) step[port] = d.port(port);
        d.act();
    }
    return steps;
}

TEST(PatternCompletion, HasThePublishedCourse) {
    Driver d({{"bits", std::int64_t{100}}});
    const Bits nothing(100);
    std::set<std::vector<Bits>> orders;
    for (std::uint32_t episode = 0; episode < 20; ++episode) {
        const auto steps = shown(d, episode);
        ASSERT_EQ(steps.size(), 106u);
        std::vector<Bits> order;
        for (std::size_t t = 0; t < 100; ++t) {
            const Bits& x = steps[t].at("pattern");
            if (t % 10 >= 6)
                EXPECT_EQ(x, nothing) << t;
            else if (t % 10 == 0)
                order.push_back(x);
            else
                EXPECT_EQ(x, order.back()) << t;
        }
        for (const auto& pattern : order)
            for (double bit : pattern) EXPECT_EQ(std::abs(bit), 1);
        const std::set<Bits> first(order.begin(), order.begin() + 5), second(order.begin() + 5, order.end());
        EXPECT_EQ(first.size(), 5u);
        EXPECT_EQ(first, second);
        std::vector<Bits> places;
        for (std::size_t i = 5; i < 10; ++i)
            places.push_back({double(std::find(order.begin(), order.begin() + 5, order[i]) - order.begin())});
        orders.insert(places);
        const Bits target = steps[0].at("target"), cue = steps[105].at("pattern");
        EXPECT_EQ(first.count(target), 1u);
        for (std::size_t t = 0; t < 106; ++t) {
            EXPECT_EQ(steps[t].at("target"), target);
            EXPECT_EQ(steps[t].at("cue"), cue);
            EXPECT_EQ(steps[t].at("mask")[0], t == 105 ? 1 : 0);
            if (t >= 100) EXPECT_EQ(steps[t].at("pattern"), cue);
        }
        for (std::size_t i = 0; i < 100; ++i) EXPECT_TRUE(cue[i] == 0 || cue[i] == target[i]);
    }
    EXPECT_GT(orders.size(), 10u); // a fresh order each time
}

TEST(PatternCompletion, DrawsBitsAndCuesAsSpecified) {
    Driver d;
    double bits = 0, zeroed = 0, asked = 0;
    constexpr int episodes = 40;
    for (std::uint32_t episode = 0; episode < episodes; ++episode) {
        d.begin(episode);
        d.observe();
        const Bits first = d.port("pattern"), target = d.port("target"), cue = d.port("cue");
        ASSERT_EQ(first.size(), 1000u);
        for (std::size_t i = 0; i < 1000; ++i) {
            bits += first[i];
            zeroed += cue[i] == 0;
        }
        asked += first == target;
    }
    const double count = 1000.0 * episodes;
    EXPECT_NEAR(bits / count, 0, 5 / std::sqrt(count));
    EXPECT_NEAR(zeroed / count, 0.5, 5 * 0.5 / std::sqrt(count));
    EXPECT_NEAR(asked / episodes, 0.2, 5 * 0.4 / std::sqrt(episodes));
}

// Section 3.4 of the specification: a network without memory stays at 25 % error, 50 % on zeroed bits.
TEST(PatternCompletion, LeavesAQuarterOfTheBitsToGuess) {
    Driver d({{"bits", std::int64_t{500}}});
    std::vector<double> wrong;
    Stream random(4, 1, 0, 0, 0);
    for (std::uint32_t episode = 0; episode < 200; ++episode) {
        d.begin(episode);
        d.observe();
        double errors = 0;
        for (std::size_t i = 0; i < 500; ++i) {
            const double answer = d.port("cue")[i] != 0 ? d.port("cue")[i] : random.integer(2) ? 1 : -1;
            errors += answer != d.port("target")[i];
        }
        wrong.push_back(errors / 500);
    }
    const Estimate ours(wrong);
    EXPECT_NEAR(ours.mean, 0.25, 5 * ours.error);
}

TEST(PatternCompletion, FollowsItsParameters) {
    EXPECT_TRUE(rc::check("every pattern is shown as often and as long as asked for", [] {
        const int bits = *rc::gen::inRange(12, 40), patterns = *rc::gen::inRange(1, 6), times = *rc::gen::inRange(1, 4),
                  on = *rc::gen::inRange(1, 5), off = *rc::gen::inRange(0, 4);
        Driver d({{"bits", std::int64_t{bits}},
                  {"patterns", std::int64_t{patterns}},
                  {"presentations", std::int64_t{times}},
                  {"shown_steps", std::int64_t{on}},
                  {"blank_steps", std::int64_t{off}},
                  {"zeroed", 1.0}});
        RC_ASSERT(d.task().steps() == patterns * times * (on + off) + on);
        std::map<Bits, int> counts;
        const auto seed = *rc::gen::arbitrary<std::uint64_t>();
        for (const auto& step : shown(d, 0, seed)) ++counts[step.at("pattern")];
        const Bits nothing(static_cast<std::size_t>(bits));
        RC_ASSERT(counts[nothing] == patterns * times * off + on);
        counts.erase(nothing);
        RC_ASSERT(static_cast<int>(counts.size()) <= patterns); // two patterns may be the same
        int sum = 0;
        for (const auto& [pattern, count] : counts) {
            RC_ASSERT(count % (times * on) == 0);
            sum += count;
        }
        RC_ASSERT(sum == patterns * times * on);
    }));
}

} // namespace
} // namespace raphe::test
