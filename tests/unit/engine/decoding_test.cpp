// SPDX-License-Identifier: Apache-2.0
// Numbers in comments "NumPy" were computed with NumPy 2 in float64 from the closed form of the ridge.
#include "engine/analysis/decoding.h"

#include "raphe/error.h"
#include "raphe/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace raphe {
namespace {

using testing::HasSubstr;

/// 9 samples of 3 features, and a target.
Tensor features() {
    Tensor x{{9, 3}, {}};
    for (int i = 0; i < 9; ++i)
        for (int f = 0; f < 3; ++f) x.values.push_back(std::sin(2.1 * i + f * 1.7));
    return x;
}
Tensor target() {
    Tensor y{{9, 1}, {}};
    for (int i = 0; i < 9; ++i) y.values.push_back(std::cos(0.9 * i) + 0.5 * i);
    return y;
}
DecodingOptions options(FoldOrder order, int folds, double ridge = 0.1) {
    DecodingOptions result;
    result.order = order;
    result.folds = folds;
    result.ridge = ridge;
    return result;
}
std::string failure(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

TEST(Ridge, IsTheLineThroughPointsOnALine) {
    const Tensor x{{4, 1}, {0, 1, 2, 3}}, y{{4, 1}, {5, 3, 1, -1}};
    const auto line = fitRidge(x, y, 0);
    EXPECT_NEAR(line.weights.values[0], -2, 1e-14);
    EXPECT_NEAR(line.offset[0], 5, 1e-14);
    // The variance of x is 1.25: the slope shrinks by 1.25 / (1.25 + 1.25), about the middle (1.5, 2).
    const auto shrunk = fitRidge(x, y, 1.25);
    EXPECT_NEAR(shrunk.weights.values[0], -1, 1e-14);
    EXPECT_NEAR(shrunk.offset[0], 3.5, 1e-14);
    EXPECT_EQ(predicted(shrunk, Tensor{{2, 1}, {0, 1.5}}).values, (std::vector<double>{3.5, 2}));
}

TEST(Ridge, AgreesWithNumPy) {
    const auto plain = fitRidge(features(), target(), 0.1);
    const double weights[]{-0.07223987869899974, -0.32704592703747093, 0.15651601286010994};
    const auto standard = fitRidge(features(), target(), 0.1, true);
    const double standardised[]{-0.0740518472032743, -0.35603594027349905, 0.1659304096798663};
    for (std::size_t f = 0; f < 3; ++f) {
        EXPECT_NEAR(plain.weights.values[f], weights[f], 1e-13);
        EXPECT_NEAR(standard.weights.values[f], standardised[f], 1e-13);
    }
    EXPECT_NEAR(plain.offset[0], 2.180741889966008, 1e-13);
    EXPECT_NEAR(standard.offset[0], 2.180774333774452, 1e-13);
}

// w = X^T (X X^T / n + r)^-1 y / n = (X^T X / n + r)^-1 X^T y / n
TEST(Ridge, OfMoreFeaturesThanSamplesSolvesTheSameEquation) {
    Tensor x{{4, 6}, {}}, y{{4, 2}, {1, 0, -2, 1, 4, 3, 0, -1}};
    Stream random(3, 1, 0, 0, 0);
    for (int i = 0; i < 24; ++i) x.values.push_back(random.normal());
    const auto fit = fitRidge(x, y, 0.3);
    const auto read = predicted(fit, x);
    for (std::size_t f = 0; f < 6; ++f)
        for (std::size_t t = 0; t < 2; ++t) {
            double slope = 2 * 0.3 * fit.weights.values[f * 2 + t]; // of the loss, which must vanish
            for (std::size_t i = 0; i < 4; ++i)
                slope += 2 * (read.values[i * 2 + t] - y.values[i * 2 + t]) * x.values[i * 6 + f] / 4;
            EXPECT_NEAR(slope, 0, 1e-12);
        }
    EXPECT_THAT(failure([&] { fitRidge(x, y, 0); }), HasSubstr("give a ridge above 0"));
}

TEST(Ridge, GivesConstantFeaturesNoWeightWhenStandardised) {
    const auto fit = fitRidge(Tensor{{3, 2}, {1, 7, 2, 7, 3, 7}}, Tensor{{3, 1}, {2, 4, 6}}, 1e-9, true);
    EXPECT_NEAR(fit.weights.values[0], 2, 1e-6);
    EXPECT_EQ(fit.weights.values[1], 0);
}

TEST(Folds, AreBlocksOrEveryFewOrDrawn) {
    EXPECT_EQ(foldsOf(7, options(FoldOrder::blocks, 2)), (std::vector<int>{0, 0, 0, 0, 1, 1, 1}));
    EXPECT_EQ(foldsOf(7, options(FoldOrder::interleaved, 3)), (std::vector<int>{0, 1, 2, 0, 1, 2, 0}));
    const auto drawn = foldsOf(100, options(FoldOrder::shuffled, 5));
    EXPECT_EQ(drawn, foldsOf(100, options(FoldOrder::shuffled, 5)));
    for (int fold = 0; fold < 5; ++fold) EXPECT_EQ(std::count(drawn.begin(), drawn.end(), fold), 20);
    auto other = options(FoldOrder::shuffled, 5);
    other.seed = 2;
    EXPECT_NE(drawn, foldsOf(100, other));
}

TEST(Folds, KeepAGroupTogether) {
    auto grouped = options(FoldOrder::shuffled, 2);
    grouped.groups = {8, 8, 3, 3, 5, 5, 9, 9};
    const auto folds = foldsOf(8, grouped);
    for (std::size_t i = 0; i < 8; i += 2) EXPECT_EQ(folds[i], folds[i + 1]);
    EXPECT_EQ(std::count(folds.begin(), folds.end(), 0), 4);
    grouped.folds = 5;
    EXPECT_THAT(failure([&] { foldsOf(8, grouped); }),
                HasSubstr("expected 2 to 4 folds (as many as there are groups)"));
}

TEST(Decoding, AgreesWithNumPy) {
    const auto every = decodeNumbers(features(), target(), options(FoldOrder::interleaved, 3));
    EXPECT_NEAR(every.predicted.values[0], 2.401494967500691, 1e-12);
    EXPECT_NEAR(every.predicted.values[8], 1.9244253155583766, 1e-12);
    EXPECT_NEAR(every.score(), -0.08586563751236409, 1e-12);
    const auto blocks = decodeNumbers(features(), target(), options(FoldOrder::blocks, 3));
    EXPECT_NEAR(blocks.predicted.values[2], 3.3809811189951726, 1e-12);
    EXPECT_NEAR(blocks.explained[0], -1.1368601801358085, 1e-12);
    EXPECT_EQ(blocks.foldScores.size(), 3u);
}

TEST(Decoding, OfWhatIsThereIsPerfectAndOfNoiseIsNothing) {
    Stream random(5, 1, 0, 0, 0);
    Tensor x{{200, 4}, {}}, y{{200, 2}, {}};
    for (int i = 0; i < 200; ++i) {
        for (int f = 0; f < 4; ++f) x.values.push_back(random.normal());
        const double* row = &x.values[static_cast<std::size_t>(i) * 4];
        y.values.push_back(3 + 2 * row[0] - row[3]);
        y.values.push_back(random.normal());
    }
    const auto read = decodeNumbers(x, y, options(FoldOrder::shuffled, 5, 1e-9));
    EXPECT_NEAR(read.explained[0], 1, 1e-12);
    EXPECT_LT(read.explained[1], 0.05);
}

TEST(Decoding, OfClassesCountsWhatIsReadRightly) {
    // One feature that separates three classes cannot be read by regression on it; with its square it can.
    Tensor x{{30, 2}, {}};
    std::vector<int> labels;
    for (int i = 0; i < 30; ++i) {
        const double level = i % 3 - 1 + 0.01 * (i / 3);
        x.values.insert(x.values.end(), {level, level * level});
        labels.push_back(i % 3);
    }
    const auto read = decodeClasses(x, labels, options(FoldOrder::shuffled, 5, 1e-6));
    EXPECT_EQ(read.accuracy, 1);
    EXPECT_EQ(read.labels, labels);
    EXPECT_NEAR(read.chance, 1.0 / 3, 1e-15);
    EXPECT_EQ(read.predicted.shape, (std::vector<std::int64_t>{30, 3}));
}

TEST(Decoding, BySteps) {
    Tensor signal{{3, 9, 3}, {}};
    const auto x = features();
    for (int step = 0; step < 3; ++step)
        for (const double value : x.values)
            signal.values.push_back(value * (step + 1) + (step == 2 ? std::sin(value * 9) : 0));
    const auto wanted = options(FoldOrder::interleaved, 3);
    std::vector<Decoding> first;
    for (int threads : {1, 2, 3}) {
        const auto executor = makeThreadExecutor(threads);
        const auto steps = decodeNumbersBySteps(signal, target(), wanted, *executor);
        ASSERT_EQ(steps.size(), 3u);
        EXPECT_EQ(steps[0].predicted.values, decodeNumbers(x, target(), wanted).predicted.values);
        if (first.empty()) first = steps;
        for (std::size_t t = 0; t < 3; ++t) EXPECT_EQ(steps[t].predicted.values, first[t].predicted.values);
    }
}

TEST(Decoding, SaysWhatIsWrongAndWhatToDo) {
    auto x = features();
    EXPECT_THAT(failure([&] {
                    decodeNumbers(x, Tensor{{9, 1}, std::vector<double>(9, 2)}, {});
                }),
                HasSubstr("target 1 is the same in all samples"));
    EXPECT_THAT(failure([&] {
                    decodeNumbers(x, Tensor{{8, 1}, std::vector<double>(8, 2)}, {});
                }),
                HasSubstr("expected one for each of the 9 samples, got 8"));
    EXPECT_THAT(failure([&] { decodeClasses(x, std::vector<int>(9, 1), {}); }), HasSubstr("of one class"));
    EXPECT_THAT(failure([&] { decodeNumbers(x, target(), options(FoldOrder::blocks, 3, -1)); }),
                HasSubstr("decode.ridge: expected a number of at least 0, got -1"));
    x.values[4] = NAN;
    EXPECT_THAT(failure([&] { decodeNumbers(x, target(), {}); }),
                HasSubstr("decode.x: sample 2, column 2 is not a finite number"));
}

} // namespace
} // namespace raphe
