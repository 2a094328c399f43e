// SPDX-License-Identifier: Apache-2.0
#include "raphe/plugin.h"

#include <gtest/gtest.h>

namespace raphe {
namespace {

struct ToyParams {
    int units = 3;
    double tau = 2.5;
    bool bias = true;
    std::string shape = "round";
    std::vector<double> steps{1, 2};
};

Declaration<ToyParams> toy() {
    using P = ToyParams;
    return Declaration<P>{"toy", "1.0.0", "A toy"}
        .param("units", &P::units, {.help = "Units", .min = 1})
        .param("tau", &P::tau, {.unit = "ms", .help = "Time constant"})
        .param("bias", &P::bias, {.help = "Bias"})
        .param("shape", &P::shape, {.help = "Shape", .choices = {"round", "square"}})
        .param("steps", &P::steps, {.help = "Steps"})
        .input("input", "any", {.help = "Input"})
        .modulation("gain", 1, {.help = "Gain", .optional = true, .neutral = 1})
        .output("output", Size<P>("2 * units", [](const P& p) { return 2 * p.units; }), {.help = "Output"})
        .output("hidden", "units", {.help = "Hidden"})
        .tensor("weight", "units", "inputs", "Weight")
        .event("onset", "output", "units", 1)
        .event("all", "hidden")
        .check([](const P& p) { return p.tau > p.units ? std::string("tau: too long") : std::string{}; });
}

TEST(Declaration, UnitsOfAnEventFollowTheParameters) {
    const auto data = toy().data(Kind::task);
    auto values = data.defaults();
    values["units"] = std::int64_t{7};
    ASSERT_EQ(data.events.size(), 2u);
    EXPECT_EQ(data.events[0].name, "onset");
    EXPECT_EQ(data.events[0].first(values), 7);
    EXPECT_EQ(data.events[0].count(values), 1);
    EXPECT_EQ(data.events[1].first(values), 0);
    EXPECT_EQ(data.events[1].count(values), openSize);
}

TEST(Declaration, TakesItsDefaultsFromTheStruct) {
    const auto data = toy().data(Kind::model);
    EXPECT_EQ(data.key(), "model.toy");
    EXPECT_EQ(std::get<std::int64_t>(data.param("units")->initial), 3);
    EXPECT_EQ(std::get<double>(data.param("tau")->initial), 2.5);
    EXPECT_EQ(data.param("tau")->unit, "ms");
    EXPECT_EQ(std::get<std::vector<double>>(data.param("steps")->initial), (std::vector<double>{1, 2}));
    EXPECT_EQ(data.param("nothing"), nullptr);
}

TEST(Declaration, FillsTheStructFromValues) {
    const auto declaration = toy();
    auto values = declaration.data(Kind::model).defaults();
    values["units"] = std::int64_t{7};
    values["bias"] = false;
    values["shape"] = std::string("square");
    const auto params = declaration.fill(values);
    EXPECT_EQ(params.units, 7);
    EXPECT_FALSE(params.bias);
    EXPECT_EQ(params.shape, "square");
    EXPECT_EQ(params.tau, 2.5);
}

TEST(Declaration, DerivesPortSizesFromParameters) {
    const auto data = toy().data(Kind::model);
    auto values = data.defaults();
    values["units"] = std::int64_t{5};
    const auto size = [&](const char* port) {
        return data.ports[static_cast<std::size_t>(data.port(port))].size(values);
    };
    EXPECT_EQ(size("input"), openSize);
    EXPECT_EQ(size("gain"), 1);
    EXPECT_EQ(size("output"), 10);
    EXPECT_EQ(size("hidden"), 5);
    EXPECT_EQ(data.port("nothing"), -1);
}

TEST(Declaration, ChecksConditionsBetweenParameters) {
    const auto data = toy().data(Kind::model);
    auto values = data.defaults();
    EXPECT_EQ(data.check(values), "");
    values["tau"] = 4.0;
    EXPECT_EQ(data.check(values), "tau: too long");
}

TEST(Builder, KnowsPortsAndCollectsTensors) {
    const auto data = toy().data(Kind::model);
    Builder b(data, {4, 0, 6, 3}, {true, false, false, false}, 0.5);
    EXPECT_EQ(b.size("input"), 4);
    EXPECT_FALSE(b.wired("gain"));
    EXPECT_EQ(b.dt(), 0.5);
    const auto hidden = b.state("hidden", 3, {.initial = 0.1});
    b.output("hidden", hidden);
    b.weight("weight", 3, 4, Init::fanIn(4));
    EXPECT_EQ(b.states()[0].stride, 3);
    EXPECT_EQ(b.weights()[0].init.b, 0.5);
    EXPECT_EQ(b.shownStates()[0], std::make_pair(3, 0));
    EXPECT_THROW(b.input("nothing"), Error);
}

TEST(OptimiserParams, AreDeclaredWithTheirUnits) {
    struct P : OptimiserParams {};
    const auto data = Declaration<P>{"rule", "1.0.0", "A rule"}.with(optimiserParams()).data(Kind::rule);
    EXPECT_EQ(std::get<double>(data.param("learning_rate")->initial), 1e-3);
    EXPECT_EQ(data.param("burn_in")->unit, "iterations");
}

} // namespace
} // namespace raphe
