// SPDX-License-Identifier: Apache-2.0
#include "models/categorical/categorical.h"
#include "models/dense/dense.h"

#include "model_driver.h"

namespace raphe::test {
namespace {

using Driver = ModelDriver<Dense, double>;

TEST(Dense, HasTheRightGradientWithAndWithoutModulation) {
    for (const char* activation : {"identity", "tanh", "sigmoid", "softplus"})
        for (bool bias : {true, false})
            for (std::map<std::string, int> modulation :
                 {std::map<std::string, int>{}, {{"slope", 2}}, {{"bias", 2}}, {{"slope", 2}, {"bias", 2}}}) {
                modulation["input"] = 4;
                Driver d(
                    {{{"units", integer(2)}, {"activation", std::string(activation)}, {"bias", bias}}, modulation});
                d.expectGradients();
            }
}

TEST(Dense, NeutralModulationChangesNothing) {
    Driver plain({{{"units", integer(2)}, {"activation", std::string("tanh")}}, {{"input", 4}}});
    Driver modulated(
        {{{"units", integer(2)}, {"activation", std::string("tanh")}}, {{"input", 4}, {"slope", 2}, {"bias", 2}}});
    modulated.weights = plain.weights;
    modulated.input("input") = plain.input("input");
    std::fill(modulated.input("slope").begin(), modulated.input("slope").end(), 1.0);
    std::fill(modulated.input("bias").begin(), modulated.input("bias").end(), 0.0);
    plain.sweep(false);
    modulated.sweep(false);
    for (std::size_t i = 0; i < plain.output("output").size(); ++i)
        EXPECT_NEAR(plain.output("output")[i], modulated.output("output")[i], 1e-14);
}

TEST(Dense, ExpressesThePublishedInitialDistributions) {
    const auto infos = [](ParamValues params) { return Driver({std::move(params), {{"input", 25}}}).weightInfos(); };
    const auto usual = infos({}); // linear layers of Backpropamine
    EXPECT_EQ(usual[0].init.shape, Init::Shape::uniform);
    EXPECT_DOUBLE_EQ(usual[0].init.b, 0.2);
    EXPECT_DOUBLE_EQ(usual[1].init.b, 0.2);
    const auto readout = infos({{"weight_init", std::string("normal")}}); // C and d of the NM-RNN
    EXPECT_EQ(readout[0].init.shape, Init::Shape::normal);
    EXPECT_DOUBLE_EQ(readout[0].init.b, 0.2);
    EXPECT_DOUBLE_EQ(readout[1].init.b, 0.2);
    const auto gate =
        infos({{"weight_init", std::string("normal")}, {"weight_deviation", 0.1}, {"bias_deviation", 0.3}});
    EXPECT_DOUBLE_EQ(gate[0].init.b, 0.1);
    EXPECT_DOUBLE_EQ(gate[1].init.b, 0.3);
    const auto constant = infos({{"weight_init", std::string("normal")},
                                 {"bias_init", std::string("constant")},
                                 {"bias_mean", -1.2}}); // d_init
    EXPECT_EQ(constant[1].init.shape, Init::Shape::constant);
    EXPECT_DOUBLE_EQ(constant[1].init.a, -1.2);
}

TEST(Dense, WorksWithFrozenWeights) {
    Driver d({{{"units", integer(2)}}, {{"input", 4}}});
    d.frozen = true;
    d.sweep(true);
    EXPECT_EQ(d.gradients[0], std::vector<double>(8));
    EXPECT_NE(d.inputGradients[0], std::vector<double>(d.inputGradients[0].size()));
}

TEST(Categorical, HasTheRightGradientOfItsProbabilities) {
    for (const std::map<std::string, int>& wired :
         {std::map<std::string, int>{{"logits", 3}}, {{"logits", 3}, {"temperature", 1}}}) {
        ModelDriver<Categorical, double> d({{{"choices", integer(3)}}, wired});
        d.expectGradients();
    }
}

TEST(Categorical, DrawsEachActionAsOftenAsItsProbabilitySays) {
    ModelDriver<Categorical, double> d({{{"choices", integer(3)}}, {{"logits", 3}}, 2000, 10});
    auto& logits = d.input("logits");
    const double p[] = {0.1, 0.3, 0.6};
    for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = std::log(p[i % 3]) + 7;
    d.sweep(false);
    double seen[3] = {};
    const auto& action = d.output("action");
    for (std::size_t c = 0; c < action.size() / 3; ++c) {
        EXPECT_EQ(action[3 * c] + action[3 * c + 1] + action[3 * c + 2], 1);
        for (std::size_t i = 0; i < 3; ++i) seen[i] += action[3 * c + i];
    }
    for (int i = 0; i < 3; ++i) // 5 standard errors
        EXPECT_NEAR(seen[i] / 20000, p[i], 5 * std::sqrt(p[i] * (1 - p[i]) / 20000));
}

} // namespace
} // namespace raphe::test
