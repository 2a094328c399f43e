// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/principal_components.h"

#include "raphe/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace raphe {
namespace {

using testing::HasSubstr;

/// mean + a u + b v in three dimensions, u = (2, 1, 2) / 3 and v = (2, -2, -1) / 3 at right angles: rank 2.
Tensor rankTwo() {
    const double u[]{2.0 / 3, 1.0 / 3, 2.0 / 3}, v[]{2.0 / 3, -2.0 / 3, -1.0 / 3}, mean[]{1, -4, 2};
    const double a[]{-3, -1, 1, 3}, b[]{1, -1, -1, 1};
    Tensor signal{{2, 2, 3}, {}};
    for (int i = 0; i < 4; ++i)
        for (int k = 0; k < 3; ++k) signal.values.push_back(mean[k] + a[i] * u[k] + b[i] * v[k]);
    return signal;
}

TEST(PrincipalComponents, OfARankTwoSetAreItsDirections) {
    const auto signal = rankTwo();
    const auto found = principalComponents(signal);
    EXPECT_NEAR(found.variance[0], 20.0 / 3, 1e-13); // 9 + 1 + 1 + 9 over 4 - 1 samples
    EXPECT_NEAR(found.variance[1], 4.0 / 3, 1e-13);
    EXPECT_EQ(found.variance[2], 0);
    EXPECT_NEAR(found.whole, 8, 1e-13);
    EXPECT_NEAR(found.share[0], 5.0 / 6, 1e-14);
    const double axes[][3]{{2.0 / 3, 1.0 / 3, 2.0 / 3}, {2.0 / 3, -2.0 / 3, -1.0 / 3}, {0, 0, 0}};
    const double mean[]{1, -4, 2};
    for (std::size_t k = 0; k < 3; ++k) {
        EXPECT_NEAR(found.mean[k], mean[k], 1e-14);
        for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(found.axes[k][j], axes[k][j], 1e-14);
    }
    const auto scores = projected(found, signal);
    EXPECT_EQ(scores.shape, signal.shape);
    const double a[]{-3, -1, 1, 3}, b[]{1, -1, -1, 1};
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_NEAR(scores.values[i * 3], a[i], 1e-13);
        EXPECT_NEAR(scores.values[i * 3 + 1], b[i], 1e-13);
    }
    const auto back = lifted(found, scores);
    for (std::size_t i = 0; i < back.values.size(); ++i) EXPECT_NEAR(back.values[i], signal.values[i], 1e-13);
}

// NumPy: numpy.linalg.svd of the centred matrix, squared singular values over 6.
TEST(PrincipalComponents, AgreeWithNumPy) {
    Tensor signal{{7, 4}, {}};
    for (int i = 0; i < 7; ++i)
        for (int j = 0; j < 4; ++j)
            signal.values.push_back(std::sin(1.3 * i + 0.7 * j * j) + 0.3 * j * std::cos(0.4 * i));
    const auto found = principalComponents(signal);
    EXPECT_NEAR(found.variance[0], 1.9523573857623466, 1e-13);
    EXPECT_NEAR(found.variance[1], 0.55643054640950274, 1e-13);
    EXPECT_NEAR(found.variance[2], 0.19993622081747423, 1e-13);
    EXPECT_EQ(found.variance[3], 0);
    const double first[]{0.5213411847139675, 0.4360641007553228, -0.43941777567086865, 0.5873359239634114};
    const double third[]{0.03037318602104385, 0.8119945866302755, 0.06808324380247689, -0.5788842136104526};
    for (std::size_t j = 0; j < 4; ++j) {
        EXPECT_NEAR(found.axes[0][j], first[j], 1e-12);
        EXPECT_NEAR(found.axes[2][j], third[j], 1e-12);
    }
}

TEST(PrincipalComponents, MayHaveFewerSamplesThanUnitsAndNoVarianceAtAll) {
    Tensor few{{3, 1, 50}, std::vector<double>(150)};
    few.values[0] = 2;
    few.values[60] = 1;
    const auto found = principalComponents(few, 2);
    EXPECT_EQ(found.axes.size(), 2u);
    EXPECT_NEAR(found.share[0] + found.share[1], 1, 1e-12);
    const Tensor still{{4, 1, 3}, std::vector<double>(12, 0.5)};
    const auto none = principalComponents(still, 2);
    EXPECT_EQ(none.share[0], 0);
    EXPECT_EQ(none.axes[0], (std::vector<double>{0, 0, 0}));
    for (const double x : projected(none, still).values) EXPECT_EQ(x, 0);
}

TEST(PrincipalComponents, HaveTheSameSignWhateverTheSignOfTheData) {
    auto signal = rankTwo();
    const auto axes = principalComponents(signal).axes;
    for (double& value : signal.values) value = -value;
    const auto turned = principalComponents(signal).axes;
    for (std::size_t k = 0; k < 2; ++k)
        for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(turned[k][j], axes[k][j], 1e-13);
}

TEST(PrincipalComponents, SayWhatIsWrongAndWhatToDo) {
    auto signal = rankTwo();
    EXPECT_THAT([&] { principalComponents(signal, 4); },
                testing::ThrowsMessage<Error>(HasSubstr("at most as many components as there are units (3), got 4")));
    EXPECT_THAT(
        [&] {
            principalComponents(Tensor{{1, 3}, {1, 2, 3}});
        },
        testing::ThrowsMessage<Error>(HasSubstr("pca: expected at least two samples, got 1")));
    EXPECT_THAT(
        [&] {
            projected(principalComponents(signal), Tensor{{1, 2}, {1, 2}});
        },
        testing::ThrowsMessage<Error>(HasSubstr("components are of 3 units, but the signal has 2")));
    signal.values[7] = INFINITY;
    EXPECT_THAT([&] { principalComponents(signal); },
                testing::ThrowsMessage<Error>(HasSubstr("sample 3, unit 2 is not a finite number; leave out")));
}

} // namespace
} // namespace raphe
