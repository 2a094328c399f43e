// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace raphe {

/// A matrix W (rows x cols) laid out for products with few columns, as they occur at every step of a recurrent network.
/// A general product lays its operands out anew each time, which takes a good part of so small a product; here it is
/// done once for all steps. Panels of some rows follow one another; within a panel, column after column. Each result is
/// one sum in the order of W's columns, so it does not depend on how many columns are multiplied together.
template <class T>
class Packed {
public:
    /// Numbers that the layout of W and that of its transpose take.
    static std::size_t size(int rows, int cols) { return oneSize(rows, cols) + oneSize(cols, rows); }

    Packed() = default;
    /// Lays out W (column-major). @param memory  size() numbers, aligned to 64 bytes
    Packed(const T* W, int rows, int cols, T* memory) : rows_(rows), cols_(cols), memory_(memory) {
        layOut(memory, rows, cols, [=](int i, int k) { return W[i + static_cast<std::ptrdiff_t>(k) * rows]; });
        layOut(memory + oneSize(rows, cols), cols, rows,
               [=](int i, int k) { return W[k + static_cast<std::ptrdiff_t>(i) * rows]; });
    }
    explicit operator bool() const { return memory_ != nullptr; }

    /// Y += W X, with X (cols x n) and Y (rows x n) column-major.
    void multiply(const T* X, int n, T* Y) const { product(memory_, rows_, cols_, X, n, Y); }
    /// Y += W^T X, with X (rows x n) and Y (cols x n) column-major.
    void multiplyTransposed(const T* X, int n, T* Y) const {
        product(memory_ + oneSize(rows_, cols_), cols_, rows_, X, n, Y);
    }

private:
#if defined(__AVX512F__)
    static constexpr int bytes = 64, vectors = 3, columns = 8; // 24 sums, 3 of W and 1 of X in 32 registers
#elif defined(__AVX__)
    static constexpr int bytes = 32, vectors = 3, columns = 4; // 12, 3 and 1 in 16
#else
    static constexpr int bytes = 16, vectors = 2, columns = 4;
#endif
    typedef T Vector __attribute__((vector_size(bytes)));
    static constexpr int lanes = bytes / static_cast<int>(sizeof(T));

    /// Vectors of the panel that starts at a row.
    static int vectorsAt(int row, int rows) { return std::min(vectors, (rows - row + lanes - 1) / lanes); }
    static std::size_t oneSize(int rows, int cols) {
        return static_cast<std::size_t>((rows + lanes - 1) / lanes * lanes) * static_cast<std::size_t>(cols);
    }

    template <class Entry>
    static void layOut(T* to, int rows, int cols, Entry entry) {
        for (int row = 0; row < rows; row += vectors * lanes) {
            const int height = vectorsAt(row, rows) * lanes, filled = std::min(height, rows - row);
            for (int k = 0; k < cols; ++k, to += height) {
                for (int i = 0; i < filled; ++i) to[i] = entry(row + i, k);
                std::fill(to + filled, to + height, T(0));
            }
        }
    }

    static void product(const T* A, int rows, int cols, const T* X, int n, T* Y) {
        for (int row = 0; row < rows; row += vectors * lanes) {
            const int count = vectorsAt(row, rows), filled = std::min(count * lanes, rows - row);
            if (count == 1) panel<1>(A, cols, X, n, Y + row, rows, filled);
            if (count == 2) panel<2>(A, cols, X, n, Y + row, rows, filled);
            if (count == 3) panel<3>(A, cols, X, n, Y + row, rows, filled);
            A += static_cast<std::ptrdiff_t>(count * lanes) * cols;
        }
    }

    template <int V>
    static void panel(const T* A, int cols, const T* X, int n, T* Y, int stride, int filled) {
        int c = 0;
        const auto x = [&] { return X + static_cast<std::ptrdiff_t>(c) * cols; };
        const auto y = [&] { return Y + static_cast<std::ptrdiff_t>(c) * stride; };
        for (; c + columns <= n; c += columns) tile<V, columns>(A, cols, x(), y(), stride, filled);
        for (; c + 2 <= n; c += 2) tile<V, 2>(A, cols, x(), y(), stride, filled);
        if (c < n) tile<V, 1>(A, cols, x(), y(), stride, filled);
    }

    /// One panel times C columns, in registers.
    template <int V, int C>
    static void tile(const T* A, int cols, const T* X, T* Y, int stride, int filled) {
        Vector sum[C][V] = {};
        for (int k = 0; k < cols; ++k) {
            Vector a[V];
            for (int v = 0; v < V; ++v) std::memcpy(&a[v], A + v * lanes, bytes);
            for (int c = 0; c < C; ++c) {
                const Vector x = X[k + static_cast<std::ptrdiff_t>(c) * cols] - Vector{};
                for (int v = 0; v < V; ++v) sum[c][v] += a[v] * x;
            }
            A += V * lanes;
        }
        for (int c = 0; c < C; ++c) {
            T* y = Y + static_cast<std::ptrdiff_t>(c) * stride;
            T computed[V * lanes];
            std::memcpy(computed, sum[c], sizeof computed);
            for (int i = 0; i < filled; ++i) y[i] += computed[i];
        }
    }

    int rows_ = 0, cols_ = 0;
    T* memory_ = nullptr;
};

} // namespace raphe
