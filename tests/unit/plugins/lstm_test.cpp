// SPDX-License-Identifier: Apache-2.0
#include "models/lstm/lstm.h"

#include "model_driver.h"

#include <numeric>

namespace raphe::test {
namespace {

using Driver = ModelDriver<Lstm, double>;

Driver::Setup setup(int units, int inputs, ParamValues more = {}) {
    more["units"] = integer(units);
    return {more, {{"input", inputs}}};
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Trace {
    std::vector<double> hidden, cell; ///< [step][trial][unit]
};

/// The equations, one number after the other.
/// @param sent  if given, what the units send each other instead of their states: [step][trial][unit]
Trace reference(Driver& d, int units, int inputs, int trials, int steps, const std::vector<double>* sent = nullptr) {
    const auto n = static_cast<std::size_t>(units), m = static_cast<std::size_t>(inputs),
               columns = static_cast<std::size_t>(trials);
    const auto &W = d.weight("input_weight"), &U = d.weight("recurrent_weight"), &b = d.weight("bias");
    std::vector<double> h = d.initial[0], cell = d.initial[1];
    Trace result;
    for (std::size_t t = 0; t < static_cast<std::size_t>(steps); ++t) {
        const auto old = h;
        for (std::size_t c = 0; c < columns; ++c)
            for (std::size_t k = 0; k < n; ++k) {
                double sum[4];
                for (std::size_t gate = 0; gate < 4; ++gate) {
                    const auto row = gate * n + k;
                    sum[gate] = b[row];
                    for (std::size_t j = 0; j < m; ++j)
                        sum[gate] += W[j * 4 * n + row] * d.input("input")[(t * columns + c) * m + j];
                    for (std::size_t j = 0; j < n; ++j)
                        sum[gate] += U[j * 4 * n + row] *
                                     (sent && t > 0 ? (*sent)[((t - 1) * columns + c) * n + j] : old[c * n + j]);
                }
                double& content = cell[c * n + k];
                content = sigmoid(sum[1]) * content + sigmoid(sum[0]) * std::tanh(sum[2]);
                h[c * n + k] = sigmoid(sum[3]) * std::tanh(content);
            }
        result.hidden.insert(result.hidden.end(), h.begin(), h.end());
        result.cell.insert(result.cell.end(), cell.begin(), cell.end());
    }
    return result;
}

TEST(Lstm, FollowsItsEquations) {
    for (int units : {1, 2, 5, 8, 13, 15, 50}) {
        Driver d(setup(units, 3));
        d.sweep(false);
        const auto expected = reference(d, units, 3, 3, 5);
        for (std::size_t i = 0; i < expected.hidden.size(); ++i) {
            ASSERT_NEAR(d.output("hidden")[i], expected.hidden[i], 1e-13) << units << " units, entry " << i;
            ASSERT_NEAR(d.output("cell")[i], expected.cell[i], 1e-13) << units << " units, entry " << i;
        }
    }
}

TEST(Lstm, HasTheRightGradient) {
    for (int units : {1, 3, 11}) // less than a vector, and one with a rest
        for (bool known : {true, false}) {
            auto s = setup(units, 2);
            s.known = known;
            Driver d(s);
            d.expectGradients();
        }
}

TEST(Lstm, GivesTheSameWhetherItsInputIsKnownInAdvanceOrNot) {
    auto known = setup(9, 4), unknown = known;
    unknown.known = false;
    Driver a(known), b(unknown);
    EXPECT_EQ(a.sweep(true), b.sweep(true));
    for (const auto& [x, y] : {std::pair{&a.gradients, &b.gradients}, {&a.inputGradients, &b.inputGradients}})
        for (std::size_t k = 0; k < x->size(); ++k)
            for (std::size_t i = 0; i < (*x)[k].size(); ++i) EXPECT_NEAR((*x)[k][i], (*y)[k][i], 1e-13);
}

TEST(Lstm, GivesTheSameNumbersHoweverASpanIsCut) {
    auto whole = setup(21, 3), half = whole;
    whole.steps = 6;
    half.steps = 3;
    ModelDriver<Lstm, float> all({whole.params, whole.wired, 3, 6}), part({half.params, half.wired, 3, 3});
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
        std::copy_n(part.output("cell").end() - 21 * 3, 21 * 3, part.initial[1].begin());
    }
}

TEST(Lstm, ATrialDoesNotDependOnItsNeighbours) {
    ModelDriver<Lstm, float> many({setup(50, 3).params, {{"input", 3}}, 13, 4}),
        one({setup(50, 3).params, {{"input", 3}}, 1, 4});
    one.weights = many.weights;
    many.sweep(false);
    for (std::size_t trial : {0, 7, 12}) {
        for (std::size_t t = 0; t < 4; ++t)
            for (std::size_t j = 0; j < 3; ++j)
                one.input("input")[t * 3 + j] = many.input("input")[(t * 13 + trial) * 3 + j];
        for (std::size_t k : {0, 1})
            std::copy_n(many.initial[k].begin() + static_cast<std::ptrdiff_t>(trial * 50), 50, one.initial[k].begin());
        one.sweep(false);
        for (std::size_t t = 0; t < 4; ++t)
            for (std::size_t i = 0; i < 50; ++i)
                ASSERT_EQ(one.output("hidden")[t * 50 + i], many.output("hidden")[(t * 13 + trial) * 50 + i]);
    }
}

TEST(Lstm, IsInFloatCloseToDouble) {
    for (int units : {3, 50}) {
        Driver exact(setup(units, 3));
        ModelDriver<Lstm, float> rounded({setup(units, 3).params, {{"input", 3}}});
        EXPECT_NEAR(exact.sweep(true), rounded.sweep(true), 1e-3);
        for (std::size_t k = 0; k < exact.gradients.size(); ++k)
            for (std::size_t i = 0; i < exact.gradients[k].size(); ++i)
                ASSERT_NEAR(exact.gradients[k][i], rounded.gradients[k][i],
                            2e-4 * (1 + std::abs(exact.gradients[k][i])));
    }
}

TEST(Lstm, TakesWhatUnitsSendEachOtherAsGivenWhereCreditIsLocal) {
    for (int units : {3, 11}) {
        auto s = setup(units, 2);
        s.credit = creditOf("local");
        Driver d(s);
        d.sweep(true);
        const auto sent = reference(d, units, 2, 3, 5).hidden;
        const auto error = [&](const char* port) {
            return d.lossWeights[static_cast<std::size_t>(entryOf<Lstm>().declaration.port(port))];
        };
        const auto hiddenError = error("hidden"), cellError = error("cell");
        const auto loss = [&] {
            const auto trace = reference(d, units, 2, 3, 5, &sent);
            return std::inner_product(trace.hidden.begin(), trace.hidden.end(), hiddenError.begin(), 0.0) +
                   std::inner_product(trace.cell.begin(), trace.cell.end(), cellError.begin(), 0.0);
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

TEST(Lstm, WorksWithFrozenWeights) {
    Driver d(setup(4, 2)), trained(setup(4, 2));
    d.frozen = true;
    EXPECT_EQ(d.sweep(true), trained.sweep(true));
    for (const auto& gradient : d.gradients) EXPECT_EQ(gradient, std::vector<double>(gradient.size()));
    EXPECT_EQ(d.inputGradients, trained.inputGradients);
    EXPECT_EQ(d.initialGradients, trained.initialGradients);
}

TEST(Lstm, AsksTheHeapForNothingOnceWarm) {
    Driver d(setup(6, 2));
    d.sweep(true);
    const auto memory = d.memory();
    d.sweep(true);
    EXPECT_EQ(d.memory(), memory);
}

TEST(Lstm, ExpressesThePublishedInitialDistributions) {
    const auto infos = [](ParamValues params) {
        params["units"] = integer(16);
        return Driver({std::move(params), {{"input", 4}}}).weightInfos();
    };
    const auto published = infos({});
    EXPECT_EQ(published[0].init.shape, Init::Shape::normal);
    EXPECT_DOUBLE_EQ(published[0].init.b, 0.5);
    EXPECT_DOUBLE_EQ(published[1].init.b, 0.25);
    EXPECT_EQ(infos({{"weight_init", std::string("uniform")}, {"recurrent_deviation", 0.1}})[1].init.b, 0.1);
    const auto bias = [&](double offset) {
        Matrix<double> drawn = Matrix<double>::Zero(64, 1);
        Stream random(1, 0, 0, 0, 0);
        infos({{"forget_offset", offset}})[2].init.draw(drawn, random);
        return drawn;
    };
    const Matrix<double> without = bias(0), with = bias(2), difference = with - without;
    for (int r = 0; r < 64; ++r) EXPECT_DOUBLE_EQ(difference(r), r / 16 == 1 ? 2 : 0);
    EXPECT_NEAR(without.norm() / 8, 0.25, 0.08);
}

} // namespace
} // namespace raphe::test
