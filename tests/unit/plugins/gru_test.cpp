// SPDX-License-Identifier: Apache-2.0
#include "models/gru/gru.h"

#include "model_driver.h"

#include <numeric>

namespace raphe::test {
namespace {

using Driver = ModelDriver<Gru, double>;

Driver::Setup setup(int units, int inputs, ParamValues more = {}) {
    more["units"] = integer(units);
    return {more, {{"input", inputs}}};
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// The equations, one number after the other.
/// @param sent  if given, what the units send each other instead of their states: [step][trial][unit]
std::vector<double> reference(Driver& d, int units, int inputs, int trials, int steps,
                              const std::vector<double>* sent = nullptr) {
    const auto n = static_cast<std::size_t>(units), m = static_cast<std::size_t>(inputs);
    const auto &W = d.weight("input_weight"), &U = d.weight("recurrent_weight"), &b = d.weight("bias");
    std::vector<double> h = d.initial[0], result;
    for (std::size_t t = 0; t < static_cast<std::size_t>(steps); ++t) {
        const auto old = h;
        const auto from = [&](std::size_t step, std::size_t c, std::size_t j) {
            return sent && step > 0 ? (*sent)[((step - 1) * std::size_t(trials) + c) * n + j] : old[c * n + j];
        };
        for (std::size_t c = 0; c < static_cast<std::size_t>(trials); ++c)
            for (std::size_t i = 0; i < n; ++i) {
                double w[3] = {}, u[3] = {};
                for (std::size_t k = 0; k < 3; ++k) {
                    const auto row = k * n + i;
                    for (std::size_t j = 0; j < m; ++j)
                        w[k] += W[j * 3 * n + row] * d.input("input")[(t * std::size_t(trials) + c) * m + j];
                    for (std::size_t j = 0; j < n; ++j) u[k] += U[j * 3 * n + row] * from(t, c, j);
                    if (row < b.size()) w[k] += b[row];
                }
                const double zeta = sigmoid(w[0] + u[0]), r = sigmoid(w[1] + u[1]), g = std::tanh(w[2] + r * u[2]);
                h[c * n + i] = (1 - zeta) * g + zeta * old[c * n + i];
            }
        result.insert(result.end(), h.begin(), h.end());
    }
    return result;
}

TEST(Gru, FollowsItsEquations) {
    for (int units : {1, 2, 5, 8, 13, 50})
        for (bool bias : {false, true}) {
            Driver d(setup(units, 3, {{"candidate_bias", bias}}));
            d.sweep(false);
            const auto expected = reference(d, units, 3, 3, 5);
            for (std::size_t i = 0; i < expected.size(); ++i)
                ASSERT_NEAR(d.output("hidden")[i], expected[i], 1e-13) << units << " units, entry " << i;
        }
}

TEST(Gru, HasTheRightGradient) {
    for (int units : {1, 3, 11}) // less than a vector, and one with a rest
        for (bool bias : {false, true})
            for (bool known : {true, false}) {
                auto s = setup(units, 2, {{"candidate_bias", bias}});
                s.known = known;
                Driver d(s);
                d.expectGradients();
            }
}

TEST(Gru, GivesTheSameWhetherItsInputIsKnownInAdvanceOrNot) {
    auto known = setup(9, 4), unknown = known;
    unknown.known = false;
    Driver a(known), b(unknown);
    EXPECT_EQ(a.sweep(true), b.sweep(true));
    for (const auto& [x, y] : {std::pair{&a.gradients, &b.gradients}, {&a.inputGradients, &b.inputGradients}})
        for (std::size_t k = 0; k < x->size(); ++k)
            for (std::size_t i = 0; i < (*x)[k].size(); ++i) EXPECT_NEAR((*x)[k][i], (*y)[k][i], 1e-13);
}

TEST(Gru, GivesTheSameNumbersHoweverASpanIsCut) {
    auto whole = setup(21, 3), half = whole;
    whole.steps = 6;
    half.steps = 3;
    ModelDriver<Gru, float> all({whole.params, whole.wired, 3, 6}), part({half.params, half.wired, 3, 3});
    part.weights = all.weights;
    part.initial = all.initial;
    all.sweep(true);
    for (int cut : {0, 1}) {
        const auto size = part.input("input").size(), outputs = part.output("hidden").size();
        std::copy_n(all.input("input").begin() + static_cast<std::ptrdiff_t>(size) * cut, size,
                    part.input("input").begin());
        part.sweep(cut == 0);
        for (std::size_t i = 0; i < outputs; ++i)
            ASSERT_EQ(part.output("hidden")[i], all.output("hidden")[outputs * static_cast<std::size_t>(cut) + i]);
        std::copy_n(part.output("hidden").end() - 21 * 3, 21 * 3, part.initial[0].begin());
    }
}

TEST(Gru, ATrialDoesNotDependOnItsNeighbours) {
    ModelDriver<Gru, float> many({setup(50, 3).params, {{"input", 3}}, 13, 4}),
        one({setup(50, 3).params, {{"input", 3}}, 1, 4});
    one.weights = many.weights;
    many.sweep(false);
    for (std::size_t trial : {0, 7, 12}) {
        for (std::size_t t = 0; t < 4; ++t)
            for (std::size_t j = 0; j < 3; ++j)
                one.input("input")[t * 3 + j] = many.input("input")[(t * 13 + trial) * 3 + j];
        std::copy_n(many.initial[0].begin() + static_cast<std::ptrdiff_t>(trial * 50), 50, one.initial[0].begin());
        one.sweep(false);
        for (std::size_t t = 0; t < 4; ++t)
            for (std::size_t i = 0; i < 50; ++i)
                ASSERT_EQ(one.output("hidden")[t * 50 + i], many.output("hidden")[(t * 13 + trial) * 50 + i]);
    }
}

TEST(Gru, IsInFloatCloseToDouble) {
    for (int units : {3, 50}) {
        Driver exact(setup(units, 3));
        ModelDriver<Gru, float> rounded({setup(units, 3).params, {{"input", 3}}});
        EXPECT_NEAR(exact.sweep(true), rounded.sweep(true), 1e-3);
        for (std::size_t k = 0; k < exact.gradients.size(); ++k)
            for (std::size_t i = 0; i < exact.gradients[k].size(); ++i)
                ASSERT_NEAR(exact.gradients[k][i], rounded.gradients[k][i],
                            2e-4 * (1 + std::abs(exact.gradients[k][i])));
    }
}

TEST(Gru, TakesWhatUnitsSendEachOtherAsGivenWhereCreditIsLocal) {
    for (int units : {3, 11}) {
        auto s = setup(units, 2);
        s.credit = creditOf("local");
        Driver d(s);
        d.sweep(true);
        const auto sent = reference(d, units, 2, 3, 5);
        const auto& error = d.lossWeights[static_cast<std::size_t>(entryOf<Gru>().declaration.port("hidden"))];
        const auto loss = [&] {
            const auto h = reference(d, units, 2, 3, 5, &sent);
            return std::inner_product(h.begin(), h.end(), error.begin(), 0.0);
        };
        for (std::size_t k = 0; k < d.weights.size(); ++k)
            for (std::size_t i = 0; i < d.weights[k].size(); ++i) {
                const double old = d.weights[k][i];
                d.weights[k][i] = old + 1e-6;
                const double up = loss();
                d.weights[k][i] = old - 1e-6;
                const double down = loss();
                d.weights[k][i] = old;
                ASSERT_NEAR(d.gradients[k][i], (up - down) / 2e-6, 1e-7) << d.weightInfos()[k].name << " " << i;
            }
    }
}

TEST(Gru, WorksWithFrozenWeights) {
    Driver d(setup(4, 2)), trained(setup(4, 2));
    d.frozen = true;
    EXPECT_EQ(d.sweep(true), trained.sweep(true));
    for (const auto& gradient : d.gradients) EXPECT_EQ(gradient, std::vector<double>(gradient.size()));
    EXPECT_EQ(d.inputGradients, trained.inputGradients);
    EXPECT_EQ(d.initialGradients, trained.initialGradients);
}

TEST(Gru, AsksTheHeapForNothingOnceWarm) {
    Driver d(setup(6, 2));
    d.sweep(true);
    const auto memory = d.memory();
    d.sweep(true);
    EXPECT_EQ(d.memory(), memory);
}

TEST(Gru, ExpressesThePublishedInitialDistributions) {
    const auto infos = [](ParamValues params) {
        params["units"] = integer(50);
        return Driver({std::move(params), {{"input", 4}}}).weightInfos();
    };
    const auto published = infos({{"weight_init", std::string("truncated_normal")}, {"weight_deviation", 0.1}});
    for (std::size_t k : {0, 1}) {
        EXPECT_EQ(published[k].init.shape, Init::Shape::truncatedNormal);
        EXPECT_DOUBLE_EQ(published[k].init.b, 0.1);
    }
    EXPECT_EQ(published[2].init.shape, Init::Shape::constant);
    EXPECT_EQ(published[2].rows, 100);
    EXPECT_EQ(infos({{"candidate_bias", true}})[2].rows, 150);
    EXPECT_DOUBLE_EQ(infos({})[0].init.b, 0.5);
    EXPECT_DOUBLE_EQ(infos({{"weight_init", std::string("normal")}})[0].init.b, 1 / std::sqrt(50.0));
}

} // namespace
} // namespace raphe::test
