// SPDX-License-Identifier: Apache-2.0
#include "models/gaussian/gaussian.h"

#include "model_driver.h"

namespace raphe::test {
namespace {

using Driver = ModelDriver<Gaussian, double>;

Driver::Setup setup(int units, int trials, int steps, ParamValues more = {}) {
    more["units"] = integer(units);
    return {more, {{"mean", units}, {"log_variance", units}}, trials, steps};
}

TEST(Gaussian, HasTheRightGradientOfItsLogVariance) {
    Driver d(setup(3, 4, 5, {{"log_variance_offset", -1.0}, {"log_variance_min", -2.0}, {"log_variance_max", 0.0}}));
    d.expectGradients();
}

TEST(Gaussian, BoundsTheLogVarianceAndPassesNoGradientBeyond) {
    Driver d(setup(1, 4, 1, {{"log_variance_offset", -1.0}}));
    d.input("log_variance") = {-20, -8.5, 4.5, 20};
    d.sweep(true);
    EXPECT_EQ(d.output("total_log_variance"), (std::vector<double>{-10, -9.5, 3.5, 4}));
    const auto& gradient = d.inputGradients[1];
    EXPECT_EQ(gradient[0], 0);
    EXPECT_NE(gradient[1], 0);
    EXPECT_NE(gradient[2], 0);
    EXPECT_EQ(gradient[3], 0);
}

TEST(Gaussian, DrawsActionsWithTheGivenMeanAndVariance) {
    const int trials = 2000, steps = 10, count = trials * steps;
    Driver d(setup(2, trials, steps, {{"log_variance_offset", -1.0}}));
    const double mean[] = {0.7, -3}, variance[] = {0.25, 4};
    for (std::size_t i = 0; i < d.input("mean").size(); ++i) {
        d.input("mean")[i] = mean[i % 2];
        d.input("log_variance")[i] = std::log(variance[i % 2]) + 1;
    }
    d.sweep(false);
    double first[2] = {}, second[2] = {}, product = 0;
    const auto& action = d.output("action");
    for (std::size_t c = 0; c < static_cast<std::size_t>(count); ++c) {
        double e[2];
        for (std::size_t i = 0; i < 2; ++i) {
            e[i] = (action[2 * c + i] - mean[i]) / std::sqrt(variance[i]);
            first[i] += e[i] / count;
            second[i] += e[i] * e[i] / count;
        }
        product += e[0] * e[1] / count;
    }
    for (int i = 0; i < 2; ++i) { // 5 standard errors
        EXPECT_NEAR(first[i], 0, 5 / std::sqrt(count));
        EXPECT_NEAR(second[i], 1, 5 * std::sqrt(2.0 / count));
    }
    EXPECT_NEAR(product, 0, 5 / std::sqrt(count)) << "the components are independent";
}

TEST(Gaussian, DrawsTheSameHoweverASpanIsCut) {
    Driver all(setup(2, 3, 4)), again(setup(2, 3, 4)), first(setup(2, 3, 1));
    all.sweep(false);
    again.sweep(false);
    EXPECT_EQ(all.output("action"), again.output("action"));
    for (const char* port : {"mean", "log_variance"})
        std::copy_n(all.input(port).begin(), 6, first.input(port).begin());
    first.sweep(false);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(first.output("action")[i], all.output("action")[i]);
}

TEST(Gaussian, IsInFloatCloseToDouble) {
    Driver exact(setup(2, 3, 4));
    ModelDriver<Gaussian, float> rounded({{{"units", integer(2)}}, {{"mean", 2}, {"log_variance", 2}}, 3, 4});
    exact.sweep(false);
    rounded.sweep(false);
    for (std::size_t i = 0; i < exact.output("action").size(); ++i)
        EXPECT_NEAR(exact.output("action")[i], rounded.output("action")[i], 1e-5);
}

TEST(Gaussian, RefusesBoundsInTheWrongOrder) {
    const auto declaration = entryOf<Gaussian>().declaration;
    auto values = declaration.defaults();
    EXPECT_EQ(declaration.check(values), "");
    values["log_variance_min"] = 5.0;
    EXPECT_NE(declaration.check(values), "");
}

} // namespace
} // namespace raphe::test
