// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "task_driver.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace raphe::test {

/// Mean and standard error of some numbers.
struct Estimate {
    double mean = 0, error = 0;
    explicit Estimate(const std::vector<double>& values) {
        const auto count = static_cast<double>(values.size());
        double square = 0;
        for (double x : values) mean += x / count;
        for (double x : values) square += (x - mean) * (x - mean) / (count - 1);
        error = std::sqrt(square / count);
    }
};

/// Sum of 0.998^t r_t of each episode. @param policy  takes the driver, returns the action of its present step
template <template <class> class C, class Policy>
std::vector<double> discountedReturns(TaskDriver<C>& d, int episodes, Policy&& policy) {
    std::vector<double> returns;
    for (int episode = 0; episode < episodes; ++episode) {
        d.begin(static_cast<std::uint32_t>(episode));
        double sum = 0, weight = 1;
        for (int t = 0; t < d.task().steps(); ++t, weight *= 0.998) {
            d.observe();
            d.port("action") = {policy(d)};
            d.act();
            sum += weight * d.port("reward")[0];
        }
        returns.push_back(sum);
    }
    return returns;
}

/// Compares with a value of the specification, which is itself a mean over some 350 episodes.
inline void expectPublishedReturn(const std::vector<double>& returns, double published) {
    const Estimate ours(returns);
    const double ratio = static_cast<double>(returns.size()) / 350;
    EXPECT_NEAR(ours.mean, published, 3 * ours.error * std::sqrt(1 + ratio));
}

/// Whether values lie in [low, high) and fill ten equal parts of it equally, to 5 standard errors.
inline void expectUniform(const std::vector<double>& values, double low, double high) {
    std::vector<int> counts(10);
    for (double x : values) {
        ASSERT_GE(x, low);
        ASSERT_LT(x, high);
        ++counts[static_cast<std::size_t>(10 * (x - low) / (high - low))];
    }
    const auto expected = static_cast<double>(values.size()) / 10;
    for (int count : counts) EXPECT_NEAR(count, expected, 5 * std::sqrt(0.9 * expected));
}

/// All that a trial shows in a number of steps, with actions that depend on the step only.
template <template <class> class C>
std::vector<double> played(TaskDriver<C>& d, int first, int steps) {
    std::vector<double> shown;
    for (int t = first; t < first + steps; ++t) {
        d.observe();
        d.port("action") = {1.3 * std::sin(t)};
        d.act();
        for (const auto& port : entryOf<C>().declaration.ports)
            for (double x : d.port(port.name.c_str())) shown.push_back(x);
    }
    return shown;
}

/// The same stream gives the same trial, another one another trial.
template <template <class> class C>
void expectTrialIsAFunctionOfItsStream() {
    TaskDriver<C> d, other;
    const auto trial = [](TaskDriver<C>& driver, std::uint32_t number, std::uint64_t seed) {
        driver.begin(number, seed);
        return played(driver, 0, 200);
    };
    const auto first = trial(d, 4, 7);
    EXPECT_NE(trial(d, 5, 7), first);
    EXPECT_NE(trial(d, 4, 8), first);
    EXPECT_EQ(trial(d, 4, 7), first);
    EXPECT_EQ(trial(other, 4, 7), first);
}

/// Steps go on to the end of the horizon, and what follows it can be shown.
template <template <class> class C>
void expectShowsWhatFollowsTheLastStep() {
    TaskDriver<C> d({{"steps", std::int64_t{7}}}), longer({{"steps", std::int64_t{8}}});
    EXPECT_EQ(d.task().steps(), 7);
    for (auto* driver : {&d, &longer}) {
        driver->begin(2);
        played(*driver, 0, 7);
        driver->observe();
    }
    for (const auto* port : {"observation", "history"}) EXPECT_EQ(d.port(port), longer.port(port));
}

/// The sentence of the declaration about changed parameters; empty if they are fine.
template <template <class> class C>
std::string complaint(const ParamValues& changed) {
    const auto declaration = entryOf<C>().declaration;
    auto values = declaration.defaults();
    for (const auto& [key, value] : changed) values.at(key) = value;
    return declaration.check(values);
}

template <template <class> class C>
void expectChecksSwitchSteps() {
    const auto sentence = [](std::vector<double> steps) { return complaint<C>({{"switch_steps", std::move(steps)}}); };
    const int steps = TaskDriver<C>().task().steps();
    EXPECT_EQ(sentence({}), "");
    EXPECT_EQ(sentence({1, double(steps - 1)}), "");
    EXPECT_NE(sentence({2.5}).find("whole"), std::string::npos);
    EXPECT_NE(sentence({double(steps)}).find("before the end"), std::string::npos);
}

} // namespace raphe::test
