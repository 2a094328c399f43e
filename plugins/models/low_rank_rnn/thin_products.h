// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

namespace raphe::thin {

// Products with a matrix of a few columns (K), as they occur in low-rank networks. A general matrix product spends more
// on packing its operands than such a product takes. All matrices are column-major: A is (n, K), X is (n, columns) and
// H is (K, columns). K is a compile-time number where that is common, else 0 and given at run time.

/// Numbers that are worked on together.
template <class T>
using Lanes = Eigen::Array<T, 64 / static_cast<int>(sizeof(T)), 1>;
template <class T>
inline Eigen::Map<const Lanes<T>> lanes(const T* p) {
    return Eigen::Map<const Lanes<T>>(p);
}

/// The dot product of two columns; the order of its sums does not depend on where they lie in memory.
template <class T>
T dot(const T* __restrict a, const T* __restrict b, int n) {
    constexpr int width = Lanes<T>::RowsAtCompileTime;
    Lanes<T> sum = Lanes<T>::Zero();
    int i = 0;
    for (; i + width <= n; i += width) sum += lanes(a + i) * lanes(b + i);
    T rest = 0;
    for (; i < n; ++i) rest += a[i] * b[i];
    return sum.sum() + rest;
}

/// H = A^T X.
template <int K, class T>
void project(const T* __restrict A, const T* __restrict X, T* __restrict H, int n, int columns, int runtimeK) {
    const int k = K ? K : runtimeK;
    for (int c = 0; c < columns; ++c)
        for (int j = 0; j < k; ++j)
            H[c * k + j] = dot(A + static_cast<std::ptrdiff_t>(j) * n, X + static_cast<std::ptrdiff_t>(c) * n, n);
}

/// X += A H.
template <int K, class T>
void expand(const T* __restrict A, const T* __restrict H, T* __restrict X, int n, int columns, int runtimeK) {
    for (int c = 0; c < columns; ++c) {
        T* __restrict x = X + static_cast<std::ptrdiff_t>(c) * n;
        if constexpr (K != 0) {
            T h[K];
            for (int j = 0; j < K; ++j) h[j] = H[c * K + j];
            for (int i = 0; i < n; ++i) {
                T sum = x[i];
                for (int j = 0; j < K; ++j) sum += h[j] * A[static_cast<std::ptrdiff_t>(j) * n + i];
                x[i] = sum;
            }
        } else {
            for (int j = 0; j < runtimeK; ++j) {
                const T h = H[c * runtimeK + j];
                const T* __restrict a = A + static_cast<std::ptrdiff_t>(j) * n;
                for (int i = 0; i < n; ++i) x[i] += h * a[i];
            }
        }
    }
}

/// A += X H^T.
template <int K, class T>
void outer(const T* __restrict X, const T* __restrict H, T* __restrict A, int n, int columns, int runtimeK) {
    constexpr int width = Lanes<T>::RowsAtCompileTime;
    if constexpr (K != 0) {
        int i = 0;
        for (; i + width <= n; i += width) { // the sums of one strip of rows stay in registers
            Lanes<T> sum[K];
            for (int j = 0; j < K; ++j) sum[j] = lanes(A + static_cast<std::ptrdiff_t>(j) * n + i);
            for (int c = 0; c < columns; ++c) {
                const Lanes<T> x = lanes(X + static_cast<std::ptrdiff_t>(c) * n + i);
                for (int j = 0; j < K; ++j) sum[j] += x * H[c * K + j];
            }
            for (int j = 0; j < K; ++j) Eigen::Map<Lanes<T>>(A + static_cast<std::ptrdiff_t>(j) * n + i) = sum[j];
        }
        for (int j = 0; j < K; ++j)
            for (int r = i; r < n; ++r) {
                T sum = A[static_cast<std::ptrdiff_t>(j) * n + r];
                for (int c = 0; c < columns; ++c) sum += X[static_cast<std::ptrdiff_t>(c) * n + r] * H[c * K + j];
                A[static_cast<std::ptrdiff_t>(j) * n + r] = sum;
            }
    } else {
        for (int c = 0; c < columns; ++c)
            for (int j = 0; j < runtimeK; ++j) {
                const T h = H[c * runtimeK + j];
                const T* __restrict x = X + static_cast<std::ptrdiff_t>(c) * n;
                T* __restrict a = A + static_cast<std::ptrdiff_t>(j) * n;
                for (int i = 0; i < n; ++i) a[i] += h * x[i];
            }
    }
}

/// Calls f(std::integral_constant<int, K>) with K = k where products of that width are compiled, else with 0.
template <class F>
void withRank(int k, F f) {
    switch (k) {
    case 1:
        return f(std::integral_constant<int, 1>{});
    case 2:
        return f(std::integral_constant<int, 2>{});
    case 3:
        return f(std::integral_constant<int, 3>{});
    case 4:
        return f(std::integral_constant<int, 4>{});
    case 5:
        return f(std::integral_constant<int, 5>{});
    case 8:
        return f(std::integral_constant<int, 8>{});
    default:
        return f(std::integral_constant<int, 0>{});
    }
}

} // namespace raphe::thin
