// SPDX-License-Identifier: Apache-2.0
#include "models/rnn/rnn.h"

#include "model_driver.h"

namespace raphe::test {
namespace {

using Driver = ModelDriver<Rnn, double>;
using Ports = std::map<std::string, int>;

Driver::Setup setup(int units, Ports wired, ParamValues more = {}) {
    more["units"] = integer(units);
    more["tau"] = 3.0;
    return {more, std::move(wired)};
}

TEST(Rnn, HasTheRightGradient) {
    for (int units : {3, 11}) // below and above the size from which blocked products are used
        for (const Ports& wired : {Ports{{"input", 2}},
                                   {{"input", 2}, {"gain", units}},
                                   {{"input", 2}, {"feedback", 4}},
                                   {{"input", 2}, {"feedback", 4}, {"gain", units}}})
            for (const char* activation : {"tanh", "identity", "softplus"}) {
                Driver d(setup(units, wired,
                               {{"activation", std::string(activation)},
                                {"bias", units == 3},
                                {"recurrent_divisor", std::string(units == 3 ? "one" : "units")}}));
                d.expectGradients();
            }
}

TEST(Rnn, GivesTheSameWhetherItsInputIsKnownInAdvanceOrNot) {
    auto known = setup(4, {{"input", 2}, {"feedback", 3}}), unknown = known;
    unknown.known = false;
    Driver a(known), b(unknown);
    EXPECT_NEAR(a.sweep(true), b.sweep(true), 1e-12);
    for (std::size_t k = 0; k < a.gradients.size(); ++k)
        for (std::size_t i = 0; i < a.gradients[k].size(); ++i)
            EXPECT_NEAR(a.gradients[k][i], b.gradients[k][i], 1e-12);
}

TEST(Rnn, FollowsItsEquation) {
    auto s = setup(2, {{"input", 1}});
    s.trials = 1;
    s.steps = 4;
    Driver d(s);
    d.sweep(false);
    const auto &W = d.weight("recurrent_weight"), &B = d.weight("input_weight");
    double z[2] = {d.initial[0][0], d.initial[0][1]};
    for (std::size_t t = 0; t < 4; ++t) {
        const double f[2] = {std::tanh(z[0]), std::tanh(z[1])};
        for (std::size_t i = 0; i < 2; ++i) {
            z[i] = (1 - 1.0 / 3) * z[i] + (W[i] * f[0] + W[2 + i] * f[1] + B[i] * d.input("input")[t]) / 3;
            EXPECT_NEAR(d.output("hidden")[2 * t + i], z[i], 1e-13);
        }
    }
}

// e_ij(t) = (1-a) e_ij(t-1) + a f(z_j(t-1)), and the adjoint of z_i at each step alone: three factors.
TEST(Rnn, LearnsFromEligibilitiesWhereCreditIsLocal) {
    auto s = setup(3, {{"input", 2}});
    s.credit = creditOf("local");
    Driver d(s);
    d.sweep(true);
    constexpr double a = 1.0 / 3;
    const auto &z = d.output("hidden"),
               &error = d.lossWeights[static_cast<std::size_t>(entryOf<Rnn>().declaration.port("hidden"))];
    ASSERT_EQ(error.size(), z.size());
    std::vector<double> expected(9), initial(9);
    for (std::size_t trial = 0; trial < 3; ++trial)
        for (std::size_t i = 0; i < 3; ++i) {
            double kept = 1;
            std::vector<double> eligibility(3);
            for (std::size_t t = 0; t < 5; ++t) {
                kept *= 1 - a;
                const double zbar = error[(t * 3 + trial) * 3 + i];
                initial[trial * 3 + i] += kept * zbar;
                for (std::size_t j = 0; j < 3; ++j) {
                    const double before = t == 0 ? d.initial[0][trial * 3 + j] : z[((t - 1) * 3 + trial) * 3 + j];
                    eligibility[j] = (1 - a) * eligibility[j] + a * std::tanh(before);
                    expected[j * 3 + i] += zbar * eligibility[j];
                }
            }
        }
    std::size_t W = 0;
    while (d.weightInfos()[W].name != "recurrent_weight") ++W;
    for (std::size_t k = 0; k < 9; ++k) {
        EXPECT_NEAR(d.gradients[W][k], expected[k], 1e-13);
        EXPECT_NEAR(d.initialGradients[0][k], initial[k], 1e-13);
    }
}

TEST(Rnn, AsksTheHeapForNothingOnceWarm) {
    Driver d(setup(6, {{"input", 2}, {"gain", 6}}));
    d.sweep(true);
    const auto memory = d.memory();
    d.sweep(true);
    EXPECT_EQ(d.memory(), memory);
}

TEST(Rnn, RefusesATimeConstantBelowTheStep) { EXPECT_THROW(Driver({{{"tau", 0.5}}, {{"input", 2}}}), Error); }

} // namespace
} // namespace raphe::test
