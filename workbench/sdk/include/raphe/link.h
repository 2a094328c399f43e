// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/credit.h"
#include "raphe/mechanism.h"
#include "raphe/ops.h"
#include "raphe/packed.h"

#include <numeric>
#include <vector>

namespace raphe {

/// A matrix of cells by cells that holds one number for each pair of types (receiver's, sender's): the mean of the
/// weights of that block. A product with it costs a few sums instead of cells times cells.
template <class T>
class TypeMeans {
public:
    /// Numbers that the means take.
    static std::size_t size(const std::vector<int>& sizes) { return sizes.size() * sizes.size(); }

    TypeMeans() = default;
    /// @param W  cells x cells, column-major; row: receiver  @param sizes  cells of each type, in their order
    /// @param self  whether cells reach themselves  @param memory  size() numbers
    TypeMeans(const T* W, const std::vector<int>& sizes, bool self, T* memory)
        : sizes_(sizes.data()), types_(static_cast<int>(sizes.size())), means_(memory), self_(self) {
        const int cells = std::accumulate(sizes.begin(), sizes.end(), 0);
        for (int b = 0, sender = 0; b < types_; sender += sizes_[b++])
            for (int a = 0, receiver = 0; a < types_; receiver += sizes_[a++]) {
                double sum = 0;
                for (int q = sender; q < sender + sizes_[b]; ++q)
                    for (int p = receiver; p < receiver + sizes_[a]; ++p)
                        sum += static_cast<double>(W[static_cast<std::ptrdiff_t>(q) * cells + p]);
                means_[a + b * types_] = static_cast<T>(sum / (double(sizes_[a]) * sizes_[b]));
            }
    }
    explicit operator bool() const { return means_ != nullptr; }
    T mean(int receiver, int sender) const { return means_[receiver + sender * types_]; }

    /// Y += F^T X, cells x n each, column-major.
    void multiplyTransposed(const T* X, int n, T* Y) const {
        for (int c = 0; c < n; ++c) {
            for (int a = 0, receiver = 0; a < types_; receiver += sizes_[a++]) {
                T sum = 0;
                for (int p = receiver; p < receiver + sizes_[a]; ++p) sum += X[p];
                for (int b = 0, sender = 0; b < types_; sender += sizes_[b++]) {
                    const T sent = mean(a, b) * sum;
                    for (int q = sender; q < sender + sizes_[b]; ++q) Y[q] += sent;
                }
                if (self_) continue;
                for (int p = receiver; p < receiver + sizes_[a]; ++p) Y[p] -= mean(a, a) * X[p];
            }
            const int cells = std::accumulate(sizes_, sizes_ + types_, 0);
            X += cells;
            Y += cells;
        }
    }

private:
    const int* sizes_ = nullptr;
    int types_ = 0;
    T* means_ = nullptr;
    bool self_ = false;
};

/// How the rule's credit returns over a link in one step (see Credit). A model's reverse step uses it in place of the
/// adjoint of what its units sent:
///
///     if (!link) ...                              // nothing returns, or nobody wants it
///     d = link.direct ? link.direct : all of it   // the credit that returns: of the new state
///     link.multiply(W, d, columns, back)          // back += W^T d, or what stands for it
///     link.differentiate(f, y, back)              // back *= f'(x), or what stands for it
///     link.state.gradientArray() += back
template <class T>
struct LinkCredit {
    Value<T> state;  ///< before the step, as its units send it to each other; no adjoint: no credit returns
    Value<T> direct; ///< adjoint of the new state as far as it came from outside of the node at this step, there when
                     ///< the model's reverse steps run, and theirs to change; empty: all credit returns
    TypeMeans<T> means; ///< stand for the weights; empty: they do it themselves
    bool replacesSlope = false;
    T slope = 0; ///< stands for the derivative, if it replaces it

    explicit operator bool() const { return state.adjoint != nullptr; }

    /// back += W^T d
    void multiply(const Packed<T>& W, const T* d, int columns, T* back) const {
        if (means)
            means.multiplyTransposed(d, columns, back);
        else
            W.multiplyTransposed(d, columns, back);
    }
    /// back *= f'(x), written in terms of y = f(x); both contiguous.
    template <class Y, class G>
    void differentiate(Activation f, const Y& y, G&& back) const {
        if (replacesSlope)
            back *= slope;
        else
            scaleByDerivative<T>(f, y, back);
    }
};

} // namespace raphe
