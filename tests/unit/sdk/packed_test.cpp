// SPDX-License-Identifier: Apache-2.0
#include "raphe/packed.h"
#include "raphe/random.h"
#include "raphe/tape.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace raphe {
namespace {

template <class T>
struct Example {
    int rows, cols, n;
    std::vector<T> W, X, Z; ///< Z as many rows as W
    Arena arena;
    Packed<T> packed;

    Example(int rows_, int cols_, int n_)
        : rows(rows_), cols(cols_), n(n_), W(count(rows, cols)), X(count(cols, n)), Z(count(rows, n)) {
        Stream random(3, 1, 0, 0, 0);
        for (auto* numbers : {&W, &X, &Z})
            for (auto& x : *numbers) x = static_cast<T>(random.normal());
        packed = Packed<T>(W.data(), rows, cols, arena.array<T>(Packed<T>::size(rows, cols)));
    }
    static std::size_t count(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }
    T w(int i, int k) const { return W[count(k, rows) + static_cast<std::size_t>(i)]; }
    std::vector<T> multiplied(int columns) const {
        std::vector<T> Y(count(rows, columns), T(0.5));
        packed.multiply(X.data(), columns, Y.data());
        return Y;
    }
};

template <class T>
class PackedTest : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PackedTest, Scalars);

TYPED_TEST(PackedTest, AddsTheProductAndTheTransposedProduct) {
    using T = TypeParam;
    const double tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
    for (int rows : {1, 7, 16, 31, 48, 57, 200})
        for (int cols : {1, 5, 48, 200})
            for (int n : {1, 2, 3, 8, 11, 16}) {
                const Example<T> e(rows, cols, n);
                const auto Y = e.multiplied(n);
                for (int c = 0; c < n; ++c)
                    for (int i = 0; i < rows; ++i) {
                        double sum = 0.5;
                        for (int k = 0; k < cols; ++k)
                            sum += double(e.w(i, k)) * double(e.X[e.count(c, cols) + std::size_t(k)]);
                        ASSERT_NEAR(Y[e.count(c, rows) + std::size_t(i)], sum, tolerance)
                            << rows << " " << cols << " " << n;
                    }
                std::vector<T> back(e.count(cols, n), T(0.25));
                e.packed.multiplyTransposed(e.Z.data(), n, back.data());
                for (int c = 0; c < n; ++c)
                    for (int k = 0; k < cols; ++k) {
                        double sum = 0.25;
                        for (int i = 0; i < rows; ++i)
                            sum += double(e.w(i, k)) * double(e.Z[e.count(c, rows) + std::size_t(i)]);
                        ASSERT_NEAR(back[e.count(c, cols) + std::size_t(k)], sum, tolerance);
                    }
            }
}

TYPED_TEST(PackedTest, AddsAColumnToTheProduct) {
    const Example<TypeParam> e(50, 3, 25);
    std::vector<TypeParam> b(50), plain(e.count(50, 25)), shifted(plain.size());
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<TypeParam>(i) / 8;
    e.packed.multiply(e.X.data(), 25, plain.data());
    e.packed.affine(e.X.data(), 25, b.data(), shifted.data());
    for (std::size_t i = 0; i < plain.size(); ++i) ASSERT_EQ(shifted[i], plain[i] + b[i % 50]);
}

TYPED_TEST(PackedTest, AColumnDoesNotDependOnItsNeighbours) {
    const Example<TypeParam> e(50, 33, 19);
    const auto together = e.multiplied(19);
    for (int n = 1; n < 19; ++n) {
        const auto fewer = e.multiplied(n);
        for (std::size_t i = 0; i < fewer.size(); ++i) ASSERT_EQ(fewer[i], together[i]) << n;
    }
}

TYPED_TEST(PackedTest, AddsOuterProductsOfBlocksOfRows) {
    using T = TypeParam;
    const double tolerance = sizeof(T) == 4 ? 2e-4 : 1e-12;
    for (int rows : {1, 2, 3, 4, 5, 7, 9, 15, 17, 31, 50, 150})
        for (int cols : {1, 3, 9, 50})
            for (int n : {0, 1, 5, 192, 400}) {
                const Matrix<T> A = Matrix<T>::Random(rows + 3, n), X = Matrix<T>::Random(cols + 1, n);
                Matrix<T> Y = Matrix<T>::Random(rows + 2, cols), expected = Y;
                expected.middleRows(1, rows) += A.middleRows(2, rows) * X.topRows(cols).transpose();
                addOuterProducts(A.middleRows(2, rows), X.topRows(cols), Y.middleRows(1, rows));
                ASSERT_LE((Y - expected).cwiseAbs().maxCoeff(), tolerance) << rows << " " << cols << " " << n;
                ASSERT_EQ(Y.row(0), expected.row(0));
                ASSERT_EQ(Y.row(rows + 1), expected.row(rows + 1));
            }
}

} // namespace
} // namespace raphe
