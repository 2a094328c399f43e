// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace raphe {

namespace detail {

/// Products in registers: blocks of rows (whole vectors) times a few columns. What does not fill a vector is done with
/// a narrower one. Every result is one sum in a fixed order, whichever block it falls into.
template <class T>
struct RegisterProduct {
    template <int L>
    using Vector = typename Eigen::internal::find_best_packet<T, L>::type;
    static constexpr int lanes = Eigen::internal::packet_traits<T>::size; ///< of the widest vector
    static constexpr int fewest = 16 / static_cast<int>(sizeof(T));       ///< of the narrowest
#if defined(__AVX512F__)
    static constexpr int vectors = 3, columns = 8; // 24 sums, 3 of A and 1 of X in 32 registers
#elif defined(__AVX__)
    static constexpr int vectors = 3, columns = 4; // 12, 3 and 1 in 16
#else
    static constexpr int vectors = 2, columns = 4;
#endif

    /// Lanes of the narrowest vector that holds `count` numbers.
    static int lanesFor(int count) {
        int width = lanes;
        while (width > fewest && count <= width / 2) width /= 2;
        return width;
    }

    /// Some vectors of rows, one after the other; of the last one perhaps not all lanes count.
    struct Block {
        int row, lanes, vectors;
        int height() const { return lanes * vectors; }
    };
    /// The blocks that cover `rows` rows, of almost equal size; a narrower one at the end if it holds the rest.
    template <class F>
    static void forBlocks(int rows, F f) {
        const int rest = rows % lanes, narrow = rest == 0 ? lanes : lanesFor(rest);
        const int whole = rows / lanes + (rest != 0 && narrow == lanes ? 1 : 0),
                  blocks = (whole + vectors - 1) / vectors;
        int row = 0;
        for (int i = 0; i < blocks; ++i) {
            const int count = whole / blocks + (i < whole % blocks ? 1 : 0);
            f(Block{row, lanes, count});
            row += count * lanes;
        }
        if (row < rows) f(Block{row, narrow, 1});
    }

    /// Calls f(std::integral_constant<int, lanes>, std::integral_constant<int, vectors>) as a block says.
    template <class F>
    static void withShape(const Block& block, F f) {
        withLanes<lanes>(block.lanes, [&](auto width) {
            if constexpr (width() == lanes) {
                if constexpr (vectors >= 3)
                    if (block.vectors == 3) return f(width, std::integral_constant<int, 3>{});
                if (block.vectors == 2) return f(width, std::integral_constant<int, 2>{});
            }
            f(width, std::integral_constant<int, 1>{});
        });
    }
    template <int L, class F>
    static void withLanes(int width, F f) {
        if constexpr (L > fewest)
            if (width < L) return withLanes<L / 2>(width, f);
        f(std::integral_constant<int, L>{});
    }

    /// Calls f(first, std::integral_constant<int, count>) for groups of almost equally many of n columns.
    template <class F>
    static void forGroups(int n, F f) {
        const int groups = (n + columns - 1) / columns;
        for (int i = 0, first = 0; i < groups; ++i) {
            const int count = n / groups + (i < n % groups ? 1 : 0);
            withCount(count, std::make_integer_sequence<int, columns>{}, [&](auto c) { f(first, c); });
            first += count;
        }
    }
    template <class F, int... I>
    static void withCount(int count, std::integer_sequence<int, I...>, F f) {
        (void)((count == I + 1 && (f(std::integral_constant<int, I + 1>{}), true)) || ...);
    }

    /// The right factor X(k, c), column-major or transposed.
    struct Upright {
        const T* data;
        std::ptrdiff_t step; ///< between columns
        T operator()(std::ptrdiff_t k, std::ptrdiff_t c) const { return data[k + c * step]; }
    };
    struct Transposed {
        const T* data;
        std::ptrdiff_t step; ///< between rows
        T operator()(std::ptrdiff_t k, std::ptrdiff_t c) const { return data[k * step + c]; }
    };

    /// Y = B + A X for the rows first ... last - 1 of a block and C columns.
    /// @param A  the block's first column; the next one is `stepA` numbers further
    /// @param X  depth x C
    /// @param B  its columns are `stepB` numbers apart (0: the same for all); may be Y
    template <int L, int V, int C, class Right>
    static void multiply(const T* A, std::ptrdiff_t stepA, int depth, Right X, const T* B, std::ptrdiff_t stepB, T* Y,
                         std::ptrdiff_t stepY, int first, int last) {
        using namespace Eigen::internal; // its multiply-add stays one whatever the compiler makes of the loops
        using V1 = Vector<L>;
        V1 sum[C][V];
        for (auto& column : sum)
            for (auto& s : column) s = pset1<V1>(T(0));
        for (int k = 0; k < depth; ++k) {
            V1 a[V];
            for (int v = 0; v < V; ++v) a[v] = ploadu<V1>(A + v * L);
            for (int c = 0; c < C; ++c) {
                const V1 x = pset1<V1>(X(k, c));
                for (int v = 0; v < V; ++v) sum[c][v] = pmadd(a[v], x, sum[c][v]);
            }
            A += stepA;
        }
        for (int c = 0; c < C; ++c, B += stepB, Y += stepY) {
            if (first == 0 && last == V * L) {
                for (int v = 0; v < V; ++v) pstoreu(Y + v * L, padd(ploadu<V1>(B + v * L), sum[c][v]));
            } else {
                T computed[V * L];
                for (int v = 0; v < V; ++v) pstoreu(computed + v * L, sum[c][v]);
                for (int i = first; i < last; ++i) Y[i] = B[i] + computed[i];
            }
        }
    }
};

} // namespace detail

/// A matrix W (rows x cols) laid out for products with few columns, as they occur at every step of a recurrent network.
/// A general product lays its operands out anew each time, which takes a good part of so small a product; here it is
/// done once for all steps. Blocks of some rows follow one another; within a block, column after column. Each result is
/// one sum in the order of W's columns, so it does not depend on how many columns are multiplied together.
template <class T>
class Packed {
    using Registers = detail::RegisterProduct<T>;
    using Block = typename Registers::Block;

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
    void multiply(const T* X, int n, T* Y) const { product(memory_, rows_, cols_, X, n, Y, rows_, Y); }
    /// Y += W^T X, with X (rows x n) and Y (cols x n) column-major.
    void multiplyTransposed(const T* X, int n, T* Y) const {
        product(memory_ + oneSize(rows_, cols_), cols_, rows_, X, n, Y, cols_, Y);
    }
    /// Y = W X + b, with b (rows x 1).
    void affine(const T* X, int n, const T* b, T* Y) const { product(memory_, rows_, cols_, X, n, b, 0, Y); }

private:
    static std::size_t oneSize(int rows, int cols) {
        constexpr int lanes = Registers::lanes;
        return static_cast<std::size_t>((rows + lanes - 1) / lanes * lanes) * static_cast<std::size_t>(cols);
    }

    template <class Entry>
    static void layOut(T* to, int rows, int cols, Entry entry) {
        Registers::forBlocks(rows, [&](const Block& block) {
            const int filled = std::min(block.height(), rows - block.row);
            for (int k = 0; k < cols; ++k, to += block.height()) {
                for (int i = 0; i < filled; ++i) to[i] = entry(block.row + i, k);
                std::fill(to + filled, to + block.height(), T(0));
            }
        });
    }

    /// Y = B + A X; the columns of B are `stepB` numbers apart.
    static void product(const T* A, int rows, int cols, const T* X, int n, const T* B, int stepB, T* Y) {
        Registers::forBlocks(rows, [&](const Block& block) {
            const int filled = std::min(block.height(), rows - block.row);
            Registers::withShape(block, [&](auto lanes, auto vectors) {
                Registers::forGroups(n, [&](std::ptrdiff_t column, auto count) {
                    Registers::template multiply<lanes(), vectors(), count()>(
                        A, block.height(), cols, typename Registers::Upright{X + column * cols, cols},
                        B + block.row + column * stepB, stepB, Y + block.row + column * rows, rows, 0, filled);
                });
            });
            A += static_cast<std::ptrdiff_t>(block.height()) * cols;
        });
    }

    int rows_ = 0, cols_ = 0;
    T* memory_ = nullptr;
};

namespace detail {
/// Y += A X^T with A (rows x n), X (cols x n) and Y (rows x cols); a step is the distance between columns.
template <class T>
void addOuterProducts(int rows, int cols, int n, const T* A, std::ptrdiff_t stepA, const T* X, std::ptrdiff_t stepX,
                      T* Y, std::ptrdiff_t stepY) {
    using Registers = RegisterProduct<T>;
    const auto add = [&](int row, int skipped, auto lanes, auto vectors) {
        Registers::forGroups(cols, [&](std::ptrdiff_t column, auto count) {
            T* y = Y + column * stepY + row;
            Registers::template multiply<lanes(), vectors(), count()>(A + row, stepA, n,
                                                                      typename Registers::Transposed{X + column, stepX},
                                                                      y, stepY, y, stepY, skipped, lanes() * vectors());
        });
    };
    int done = 0;
    Registers::forBlocks(rows / Registers::lanes * Registers::lanes, [&](const auto& block) {
        Registers::withShape(block, [&](auto lanes, auto vectors) { add(block.row, 0, lanes, vectors); });
        done = block.row + block.height();
    });
    while (done < rows) { // must not reach beyond the column: moved up, without the rows that are done
        int width = Registers::lanesFor(rows - done);
        while (width > rows) width /= 2;
        const int row = std::min(done, rows - width);
        Registers::template withLanes<Registers::lanes>(
            width, [&](auto lanes) { add(row, done - row, lanes, std::integral_constant<int, 1>{}); });
        done = row + width;
    }
}
} // namespace detail

/// Y += A X^T for many columns, as in the gradient of a weight over all steps of a span. A, X and Y are column-major:
/// Eigen's matrices, maps or blocks of rows. Unlike a general product it lays nothing out anew, which suits matrices of
/// a few dozen to a few hundred rows.
template <class MatrixA, class MatrixX, class MatrixY>
void addOuterProducts(const MatrixA& A, const MatrixX& X, MatrixY&& Y) {
    using T = typename MatrixA::Scalar;
    constexpr int fewest = detail::RegisterProduct<T>::fewest, width = 32;
    constexpr int depth = 192; // columns at once: few enough to stay in the second-level cache
    const int rows = static_cast<int>(A.rows()), cols = static_cast<int>(X.rows()), n = static_cast<int>(A.cols());
    if (rows < fewest && cols < fewest) {
        Y.noalias() += A.lazyProduct(X.transpose());
        return;
    }
    const auto stepA = A.outerStride(), stepX = X.outerStride();
    for (int k = 0; k < n; k += depth) {
        const int count = std::min(depth, n - k);
        const T *a = A.data() + k * stepA, *x = X.data() + k * stepX;
        if (rows >= fewest) {
            detail::addOuterProducts<T>(rows, cols, count, a, stepA, x, stepX, Y.data(), Y.outerStride());
            continue;
        }
        for (int first = 0, part = 0; first < cols; first += part) { // too few rows for a vector: Y^T has more
            part = std::min(width, cols - first);
            if (const int rest = cols - first - part; rest > 0 && rest < fewest) part -= fewest;
            T block[width * fewest] = {};
            detail::addOuterProducts<T>(part, rows, count, x + first, stepX, a, stepA, block, width);
            for (int c = 0; c < part; ++c)
                for (int r = 0; r < rows; ++r) Y(r, first + c) += block[r * width + c];
        }
    }
}

} // namespace raphe
