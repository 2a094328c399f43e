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

using Ports = std::map<std::string, int>;
const std::vector<Ports> modulations{{{"signal", 3}},
                                     {{"signal", 3}, {"slope", 2}},
                                     {{"signal", 3}, {"bias", 2}},
                                     {{"signal", 3}, {"slope", 2}, {"bias", 2}},
                                     {{"slope", 2}, {"bias", 2}},
                                     {}};

TEST(Dense, HasTheRightGradientWithASignal) {
    for (const char* activation : {"identity", "srelu", "sigmoid"})
        for (const char* placement : {"outside", "inside"})
            for (bool bias : {true, false})
                for (bool exposed : {true, false})
                    for (Ports wired : modulations) {
                        wired["input"] = 4;
                        Driver d({{{"units", integer(2)},
                                   {"activation", std::string(activation)},
                                   {"bias_placement", std::string(placement)},
                                   {"slope_offset", bias ? 1.0 : 0.0},
                                   {"expose_modulation", exposed},
                                   {"bias", bias}},
                                  wired});
                        d.expectGradients();
                    }
}

TEST(Dense, FollowsItsEquations) {
    for (const char* placement : {"outside", "inside"})
        for (Ports wired : modulations) {
            wired["input"] = 1;
            Driver d({{{"units", integer(2)},
                       {"activation", std::string("srelu")},
                       {"bias_placement", std::string(placement)},
                       {"slope_offset", 0.5},
                       {"expose_modulation", true}},
                      wired});
            d.sweep(false);
            const bool signal = wired.count("signal") > 0;
            for (std::size_t c = 0; c < 15; ++c)
                for (std::size_t i = 0; i < 2; ++i) {
                    double slope = signal ? 0.5 : 1, offset = 0;
                    for (std::size_t k = 0; signal && k < 3; ++k) {
                        slope += d.weight("slope_receptor")[2 * k + i] * d.input("signal")[3 * c + k];
                        offset += d.weight("bias_receptor")[2 * k + i] * d.input("signal")[3 * c + k];
                    }
                    if (wired.count("slope")) slope *= d.input("slope")[2 * c + i];
                    if (wired.count("bias")) offset += d.input("bias")[2 * c + i];
                    const double sum = d.weight("weight")[i] * d.input("input")[c], b = d.weight("bias")[i];
                    const double y =
                        placement == std::string("inside") ? slope * (sum + b) + offset : slope * sum + b + offset;
                    EXPECT_NEAR(d.output("output")[2 * c + i], std::min(1.0, std::max(-1.0, y)), 1e-13);
                    EXPECT_NEAR(d.output("total_slope")[2 * c + i], slope, 1e-13);
                    EXPECT_NEAR(d.output("total_offset")[2 * c + i], offset, 1e-13);
                }
        }
}

TEST(Dense, IsConstantUnderNoSignalInTheFormOfThePaper) {
    Driver d({{{"units", integer(2)}, {"slope_offset", 0.0}, {"bias_placement", std::string("inside")}},
              {{"input", 4}, {"signal", 3}}});
    std::fill(d.input("signal").begin(), d.input("signal").end(), 0.0);
    d.sweep(false);
    EXPECT_EQ(d.output("output"), std::vector<double>(d.output("output").size()));
}

TEST(Dense, IsAPlainLayerUnderNoSignalInTheFormOfTheProgram) {
    Driver plain({{{"units", integer(2)}}, {{"input", 4}}}),
        modulated({{{"units", integer(2)}}, {{"input", 4}, {"signal", 3}}});
    for (std::size_t k = 0; k < 2; ++k) modulated.weights[k] = plain.weights[k];
    modulated.input("input") = plain.input("input");
    std::fill(modulated.input("signal").begin(), modulated.input("signal").end(), 0.0);
    plain.sweep(false);
    modulated.sweep(false);
    EXPECT_EQ(modulated.output("output"), plain.output("output"));
}

TEST(Dense, WithASignalIsInFloatCloseToDouble) {
    const Driver::Setup setup{{{"units", integer(3)}, {"activation", std::string("srelu")}},
                              {{"input", 4}, {"signal", 5}}};
    Driver exact(setup);
    ModelDriver<Dense, float> rounded({setup.params, setup.wired});
    EXPECT_NEAR(exact.sweep(true), rounded.sweep(true), 1e-4);
    for (std::size_t k = 0; k < exact.gradients.size(); ++k)
        for (std::size_t i = 0; i < exact.gradients[k].size(); ++i)
            EXPECT_NEAR(exact.gradients[k][i], rounded.gradients[k][i], 2e-4 * (1 + std::abs(exact.gradients[k][i])));
}

TEST(Dense, WithASignalWorksWithFrozenWeights) {
    Driver d({{{"units", integer(2)}}, {{"input", 4}, {"signal", 3}}});
    d.frozen = true;
    d.sweep(true);
    for (const auto& gradient : d.gradients) EXPECT_EQ(gradient, std::vector<double>(gradient.size()));
    for (std::size_t port : {0, 3})
        EXPECT_NE(d.inputGradients[port], std::vector<double>(d.inputGradients[port].size()));
}

TEST(Dense, WithASignalAsksTheHeapForNothingOnceWarm) {
    Driver d({{{"units", integer(2)}, {"expose_modulation", true}}, {{"input", 4}, {"signal", 3}}});
    d.sweep(true);
    const auto memory = d.memory();
    d.sweep(true);
    EXPECT_EQ(d.memory(), memory);
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
    const auto modulated = Driver({{{"weight_init", std::string("truncated_normal")},
                                    {"weight_deviation", 0.1},
                                    {"bias_init", std::string("constant")},
                                    {"receptor_init", std::string("truncated_normal")},
                                    {"receptor_deviation", 0.2}},
                                   {{"input", 25}, {"signal", 4}}})
                               .weightInfos(); // the NMN
    EXPECT_EQ(modulated[0].init.shape, Init::Shape::truncatedNormal);
    EXPECT_DOUBLE_EQ(modulated[0].init.b, 0.1);
    EXPECT_EQ(modulated[1].init.shape, Init::Shape::constant);
    for (std::size_t k : {2, 3}) {
        EXPECT_EQ(modulated[k].init.shape, Init::Shape::truncatedNormal);
        EXPECT_DOUBLE_EQ(modulated[k].init.b, 0.2);
        EXPECT_EQ(modulated[k].cols, 4);
    }
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
