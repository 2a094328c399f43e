// SPDX-License-Identifier: Apache-2.0
// Small mechanisms of which variants of the NM-RNN are wired: regions, receptors, the synapse-gated network.
#include "models/receptors/receptors.h"
#include "models/region/region.h"
#include "models/rnn/rnn.h"
#include "models/synapse_gated_rnn/synapse_gated_rnn.h"

#include "model_driver.h"

namespace raphe::test {
namespace {

using Ports = std::map<std::string, int>;

// -- regions ----------------------------------------------------------------------------------------------------------

using RegionDriver = ModelDriver<Region, double>;

TEST(Region, FollowsItsEquation) {
    RegionDriver d({{{"units", integer(2)}, {"tau", 4.0}, {"recurrent_divisor", std::string("units")}},
                    {{"input", 1}, {"current", 2}, {"gain", 2}},
                    1,
                    4});
    d.sweep(false);
    const auto &W = d.weight("recurrent_weight"), &B = d.weight("input_weight"), &gain = d.input("gain"),
               &current = d.input("current");
    double x[2] = {d.initial[0][0], d.initial[0][1]};
    for (std::size_t t = 0; t < 4; ++t) {
        const double f[2] = {std::tanh(x[0]), std::tanh(x[1])};
        for (std::size_t i = 0; i < 2; ++i) {
            const double sent = (W[i] * f[0] + W[2 + i] * f[1]) / 2 + current[2 * t + i];
            x[i] += (gain[2 * t + i] * sent + B[i] * d.input("input")[t] - x[i]) / 4;
            EXPECT_NEAR(d.output("hidden")[2 * t + i], x[i], 1e-14);
        }
    }
}

// What units send each other and what other regions send them is one thing to a unit.
TEST(Region, IsTheRnnWithOneGainForAllThatCellsSend) {
    const ParamValues params{{"units", integer(5)}, {"tau", 3.0}};
    RegionDriver region({params, {{"input", 2}, {"gain", 5}}});
    ModelDriver<Rnn, double> rnn({params, {{"input", 2}, {"gain", 5}}});
    for (const char* name : {"recurrent_weight", "input_weight"}) region.weight(name) = rnn.weight(name);
    region.initial = rnn.initial;
    for (const char* port : {"input", "gain"}) region.input(port) = rnn.input(port);
    region.sweep(false);
    rnn.sweep(false);
    for (std::size_t i = 0; i < rnn.output("hidden").size(); ++i)
        EXPECT_NEAR(region.output("hidden")[i], rnn.output("hidden")[i], 1e-14);
}

TEST(Region, HasTheRightGradientWhateverDrivesIt) {
    for (const Ports& wired : {Ports{{"input", 2}},
                               {{"current", 3}},
                               {{"input", 2}, {"current", 3}},
                               {{"current", 3}, {"gain", 3}},
                               {{"input", 2}, {"current", 3}, {"gain", 3}}})
        for (bool recurrent : {false, true})
            for (bool known : {true, false})
                RegionDriver({{{"units", integer(3)}, {"tau", 4.0}, {"recurrent", recurrent}}, wired, 3, 5, known})
                    .expectGradients();
}

TEST(Region, NeedsSomethingThatDrivesIt) {
    try {
        RegionDriver d({{{"units", integer(3)}}, {{"gain", 3}}});
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "port \"current\": nothing drives the region; wire something to it or to \"input\"");
    }
}

// -- receptors --------------------------------------------------------------------------------------------------------

ModelDriver<Receptors, double>::Setup receptors(const char* form) {
    return {{{"types", std::vector<double>{2, 1}},
             {"effects", std::vector<double>{1.5, -0.5}},
             {"form", std::string(form)}},
            {{"level", 1}}};
}

TEST(Receptors, GiveCellsOfEachTypeTheirGain) {
    for (const char* form : {"exponential", "linear"}) {
        ModelDriver<Receptors, double> d(receptors(form));
        d.sweep(false);
        ASSERT_EQ(d.output("gain").size(), 3u * 15);
        for (std::size_t c = 0; c < 15; ++c)
            for (std::size_t i = 0; i < 3; ++i) {
                const double x = (i < 2 ? 1.5 : -0.5) * d.input("level")[c];
                EXPECT_NEAR(d.output("gain")[c * 3 + i], *form == 'e' ? std::exp(x) : 1 + x, 1e-14);
            }
        d.expectGradients();
    }
}

TEST(Receptors, RefuseWhatDoesNotFitTogether) {
    const auto problem = [](std::vector<double> types, std::vector<double> effects) {
        ReceptorsParams p;
        p.types = std::move(types);
        p.effects = std::move(effects);
        return p.check();
    };
    EXPECT_EQ(problem({10, 10}, {1, -1}), "");
    EXPECT_NE(problem({10, 10}, {1}).find("effects: expected one for each of the 2 types, got 1"), std::string::npos);
    EXPECT_NE(problem({1.5}, {1}).find("whole numbers"), std::string::npos);
    EXPECT_NE(problem({}, {}).find("at least one"), std::string::npos);
}

// -- synapses with gates ----------------------------------------------------------------------------------------------

ModelDriver<SynapseGatedRnn, double>::Setup gated(int units, int rank, const char* activation, bool known = true) {
    return {{{"units", integer(units)}, {"rank", integer(rank)}, {"tau", 3.0}, {"activation", std::string(activation)}},
            {{"input", 2}, {"signal", rank}},
            3,
            5,
            known};
}

TEST(SynapseGatedRnn, FollowsItsEquation) {
    for (int units : {1, 5, 8, 19}) {
        ModelDriver<SynapseGatedRnn, double> d(gated(units, 2, "tanh"));
        d.sweep(false);
        const auto n = static_cast<std::size_t>(units);
        const auto &W = d.weight("recurrent_weight"), &B = d.weight("input_weight"), &U = d.weight("gate_left"),
                   &V = d.weight("gate_right"), &s = d.input("signal"), &u = d.input("input");
        for (std::size_t c = 0; c < 3; ++c) {
            std::vector<double> x(d.initial[0].begin() + static_cast<std::ptrdiff_t>(c * n),
                                  d.initial[0].begin() + static_cast<std::ptrdiff_t>((c + 1) * n));
            for (std::size_t t = 0; t < 5; ++t) {
                const auto column = t * 3 + c;
                const auto old = x;
                for (std::size_t i = 0; i < n; ++i) {
                    double drive = B[i] * u[column * 2] + B[n + i] * u[column * 2 + 1];
                    for (std::size_t j = 0; j < n; ++j) {
                        double sum = 0;
                        for (std::size_t k = 0; k < 2; ++k) sum += U[k * n + i] * s[column * 2 + k] * V[k * n + j];
                        drive += W[j * n + i] / (1 + std::exp(-sum)) * std::tanh(old[j]);
                    }
                    x[i] = 2.0 / 3 * old[i] + drive / 3;
                    ASSERT_NEAR(d.output("hidden")[column * n + i], x[i], 1e-13) << units << " units";
                }
            }
        }
    }
}

TEST(SynapseGatedRnn, HasTheRightGradient) {
    for (int units : {1, 3, 11})
        for (int rank : {1, 3})
            for (const char* activation : {"tanh", "identity"})
                for (bool known : {true, false})
                    ModelDriver<SynapseGatedRnn, double>(gated(units, rank, activation, known)).expectGradients();
}

TEST(SynapseGatedRnn, TakesWhatUnitsSendEachOtherAsGivenWhereCreditIsLocal) {
    auto s = gated(3, 2, "identity");
    s.credit = creditOf("local");
    ModelDriver<SynapseGatedRnn, double> d(s);
    d.sweep(true);
    const auto& error = d.lossWeights[static_cast<std::size_t>(entryOf<SynapseGatedRnn>().declaration.port("hidden"))];
    for (std::size_t trial = 0; trial < 3; ++trial) // back through the leak alone
        for (std::size_t i = 0; i < 3; ++i) {
            double kept = 1, expected = 0;
            for (std::size_t t = 0; t < 5; ++t) {
                kept *= 2.0 / 3;
                expected += kept * error[(t * 3 + trial) * 3 + i];
            }
            EXPECT_NEAR(d.initialGradients[0][trial * 3 + i], expected, 1e-13);
        }
}

TEST(SynapseGatedRnn, IsInFloatCloseToDouble) {
    for (int units : {3, 50}) {
        auto s = gated(units, 3, "tanh");
        ModelDriver<SynapseGatedRnn, double> exact(s);
        ModelDriver<SynapseGatedRnn, float> rounded({s.params, s.wired});
        EXPECT_NEAR(exact.sweep(true), rounded.sweep(true), 1e-3 * units);
        for (std::size_t k = 0; k < exact.gradients.size(); ++k)
            for (std::size_t i = 0; i < exact.gradients[k].size(); ++i)
                ASSERT_NEAR(exact.gradients[k][i], rounded.gradients[k][i],
                            1e-3 * (1 + std::abs(exact.gradients[k][i])));
    }
}

TEST(SynapseGatedRnn, AsksTheHeapForNothingOnceWarm) {
    ModelDriver<SynapseGatedRnn, double> d(gated(6, 2, "tanh"));
    d.sweep(true);
    const auto memory = d.memory();
    d.sweep(true);
    EXPECT_EQ(d.memory(), memory);
}

} // namespace
} // namespace raphe::test
