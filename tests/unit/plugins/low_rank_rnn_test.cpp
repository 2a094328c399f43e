// SPDX-License-Identifier: Apache-2.0
#include "models/low_rank_rnn/low_rank_rnn.h"

#include "model_driver.h"

#include <rapidcheck.h>

namespace raphe::test {
namespace {

using Driver = ModelDriver<LowRankRnn, double>;
using Ports = std::map<std::string, int>;

Driver::Setup setup(int units, int rank, Ports wired, ParamValues more = {}) {
    more["units"] = integer(units);
    more["rank"] = integer(rank);
    more["tau"] = 3.0;
    return {more, std::move(wired)};
}

TEST(LowRankRnn, HasTheRightGradientForAllConventions) {
    for (const char* convention : {"none", "householder", "positive"})
        for (bool symmetric : {false, true})
            for (bool gain : {false, true}) {
                Ports wired{{"input", 2}};
                if (gain) wired["gain"] = 3;
                Driver d(setup(7, 3, wired, {{"orthogonalise", std::string(convention)}, {"symmetric", symmetric}}));
                d.expectGradients();
            }
}

TEST(LowRankRnn, HasTheRightGradientForAllActivationsAndKindsOfRank) {
    for (int rank : {1, 2, 4, 6, 8}) // 6 has no products of its own width
        for (const char* activation : {"tanh", "identity", "sigmoid"}) {
            Driver d(setup(19, rank, {{"input", 1}, {"gain", rank}},
                           {{"activation", std::string(activation)}, {"recurrent_divisor", std::string("units")}}));
            d.expectGradients();
        }
}

TEST(LowRankRnn, UnwiredGainIsOne) {
    Driver plain(setup(6, 2, {{"input", 2}})), gated(setup(6, 2, {{"input", 2}, {"gain", 2}}));
    gated.weights = plain.weights;
    gated.initial = plain.initial;
    gated.input("input") = plain.input("input");
    std::fill(gated.input("gain").begin(), gated.input("gain").end(), 1.0);
    plain.sweep(false);
    gated.sweep(false);
    EXPECT_EQ(plain.output("hidden"), gated.output("hidden"));
    EXPECT_EQ(plain.output("projection"), gated.output("projection"));
}

// The decoupled modes of the specification, section 2.8: w = Q^T x of the symmetric linear network obeys
// w(t) = (1 - (1 - s(t)) / tau) w(t-1) without input.
TEST(LowRankRnn, LinearSymmetricModesDecayAtTheRateOfTheirGain) {
    EXPECT_TRUE(rc::check("w(t) = (1 - (1 - s) a) w(t-1)", [] {
        const int units = *rc::gen::inRange(2, 20), rank = *rc::gen::inRange(1, std::min(units, 6) + 1);
        auto s = setup(units, rank, {{"input", 1}, {"gain", rank}},
                       {{"activation", std::string("identity")}, {"symmetric", true}});
        s.trials = 1;
        Driver d(s);
        std::fill(d.input("input").begin(), d.input("input").end(), 0.0);
        d.sweep(false);
        const auto &w = d.output("projection"), &gain = d.input("gain"); // projection t is w(t-1)
        for (std::size_t t = 0; t + 1 < 5; ++t)
            for (std::size_t k = 0; k < static_cast<std::size_t>(rank); ++k) {
                const auto K = static_cast<std::size_t>(rank);
                RC_ASSERT(std::abs(w[(t + 1) * K + k] - (1 - (1 - gain[t * K + k]) / 3) * w[t * K + k]) < 1e-12);
            }
    }));
}

TEST(LowRankRnn, GivesTheSameWhetherItsInputIsKnownInAdvanceOrNot) {
    auto known = setup(6, 2, {{"input", 2}, {"gain", 2}}), unknown = known;
    unknown.known = false;
    Driver a(known), b(unknown);
    EXPECT_NEAR(a.sweep(true), b.sweep(true), 1e-12);
    for (std::size_t k = 0; k < a.gradients.size(); ++k)
        for (std::size_t i = 0; i < a.gradients[k].size(); ++i)
            EXPECT_NEAR(a.gradients[k][i], b.gradients[k][i], 1e-12);
}

TEST(LowRankRnn, OnlyTheLeakCarriesCreditThroughTimeWhereCreditIsLocal) {
    auto s = setup(6, 2, {{"input", 2}, {"gain", 2}});
    s.credit = creditOf("local");
    Driver d(s);
    d.frozen = true;
    d.sweep(true);
    for (const auto& gradient : d.gradients) EXPECT_EQ(gradient, std::vector<double>(gradient.size()));
    const auto& error = d.lossWeights[static_cast<std::size_t>(entryOf<LowRankRnn>().declaration.port("hidden"))];
    for (std::size_t k = 0; k < 18; ++k) {
        double expected = 0;
        for (std::size_t t = 5; t-- > 0;) expected = (1 - 1.0 / 3) * (expected + error[t * 18 + k]);
        EXPECT_NEAR(d.initialGradients[0][k], expected, 1e-13);
    }
}

TEST(LowRankRnn, FloatAgreesWithDouble) {
    ParamValues params{{"units", integer(100)}};
    Driver exact({params, {{"input", 3}, {"gain", 3}}, 4, 20});
    ModelDriver<LowRankRnn, float> rough({params, {{"input", 3}, {"gain", 3}}, 4, 20});
    exact.sweep(true);
    rough.sweep(true);
    for (std::size_t k = 0; k < exact.gradients.size(); ++k) {
        double largest = 1, difference = 0;
        for (std::size_t i = 0; i < exact.gradients[k].size(); ++i) {
            largest = std::max(largest, std::abs(exact.gradients[k][i]));
            difference = std::max(difference, std::abs(exact.gradients[k][i] - double(rough.gradients[k][i])));
        }
        EXPECT_LT(difference / largest, 2e-4) << exact.weightInfos()[k].name;
    }
}

TEST(LowRankRnn, AsksTheHeapForNothingOnceWarm) {
    Driver d(setup(6, 2, {{"input", 2}, {"gain", 2}}));
    d.sweep(true);
    const auto memory = d.memory();
    d.sweep(true);
    EXPECT_EQ(d.memory(), memory);
}

} // namespace
} // namespace raphe::test
