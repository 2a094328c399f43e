// SPDX-License-Identifier: Apache-2.0
#include "models/bernoulli/bernoulli.h"

#include "model_driver.h"

namespace raphe::test {
namespace {

using Driver = ModelDriver<Bernoulli, double>;

TEST(Bernoulli, HasTheRightGradientOfItsProbabilities) {
    Driver d({{{"units", integer(3)}}, {{"logits", 3}}});
    d.expectGradients();
}

TEST(Bernoulli, DrawsOneAsOftenAsItsProbabilitySays) {
    const int trials = 2000, steps = 10, count = trials * steps;
    Driver d({{{"units", integer(3)}}, {{"logits", 3}}, trials, steps});
    const double p[] = {0.1, 0.5, 0.97};
    for (std::size_t i = 0; i < d.input("logits").size(); ++i)
        d.input("logits")[i] = std::log(p[i % 3] / (1 - p[i % 3]));
    d.sweep(false);
    double seen[3] = {}, together = 0;
    const auto& action = d.output("action");
    for (std::size_t c = 0; c < static_cast<std::size_t>(count); ++c) {
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_TRUE(action[3 * c + i] == 0 || action[3 * c + i] == 1);
            EXPECT_NEAR(d.output("probability")[3 * c + i], p[i], 1e-12);
            seen[i] += action[3 * c + i] / count;
        }
        together += action[3 * c] * action[3 * c + 1] / count;
    }
    for (int i = 0; i < 3; ++i) EXPECT_NEAR(seen[i], p[i], 5 * std::sqrt(p[i] * (1 - p[i]) / count));
    EXPECT_NEAR(together, 0.05, 5 * std::sqrt(0.05 * 0.95 / count)) << "the units are independent";
}

TEST(Bernoulli, IsCertainWhereTheLogitsAreExtreme) {
    Driver d({{{"units", integer(1)}}, {{"logits", 1}}, 2, 1});
    d.input("logits") = {800, -800};
    d.sweep(true);
    EXPECT_EQ(d.output("action"), (std::vector<double>{1, 0}));
    for (double g : d.inputGradients[0]) EXPECT_EQ(g, 0);
}

} // namespace
} // namespace raphe::test
