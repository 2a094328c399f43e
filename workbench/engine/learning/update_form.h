// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/graph/parameters.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace raphe {

/// Turns the gradient of a tensor into the one along which it is changed (UpdateForm::matrix).
template <class T>
void precondition(const ParameterInfo& info, T* gradient, std::vector<T>& scratch) {
    const auto& form = *info.form;
    const int blocks = form.blocks, rows = info.rows / blocks;
    scratch.resize(static_cast<std::size_t>(info.rows));
    for (int c = 0; c < info.cols; ++c, gradient += info.rows) {
        std::copy_n(gradient, info.rows, scratch.data());
        for (int k = 0; k < blocks; ++k) {
            T* __restrict to = gradient + static_cast<std::ptrdiff_t>(k) * rows;
            std::fill_n(to, rows, T(0));
            for (int l = 0; l < blocks; ++l) {
                const T weight = static_cast<T>(form.matrix[static_cast<std::size_t>(k * blocks + l)]);
                if (weight == T(0)) continue;
                const T* __restrict from = scratch.data() + static_cast<std::ptrdiff_t>(l) * rows;
                for (int r = 0; r < rows; ++r) to[r] += weight * from[r];
            }
        }
    }
}

/// The factor of each entry's change. @param means  of the factor signals; null: 1
/// @return false if all are 1; then `factors` is left alone
template <class T>
bool entryFactors(const ParameterInfo& info, const T* means, std::vector<T>& factors) {
    const T rate = static_cast<T>(info.form->rate);
    const T* rows = means && info.rowFactors >= 0 ? means + info.rowFactors : nullptr;
    const T* columns = means && info.columnFactors >= 0 ? means + info.columnFactors : nullptr;
    if (!rows && !columns && rate == T(1)) return false;
    factors.resize(info.size());
    T* to = factors.data();
    for (int c = 0; c < info.cols; ++c)
        for (int r = 0; r < info.rows; ++r) *to++ = rate * (rows ? rows[r] : T(1)) * (columns ? columns[c] : T(1));
    return true;
}

/// Makes the axes of each circle (ParameterInfo::circle) orthogonal and of one length: A = [P2 P3] = U S V^T, over all
/// its tensors, becomes (S1 + S2) / 2 U V^T. Axes that span no plane are left as they are.
template <class T>
void keepCircles(const std::vector<ParameterInfo>& tensors, T* weights) {
    int count = 0;
    for (const auto& t : tensors) count = std::max(count, t.circle + 1);
    for (int circle = 0; circle < count; ++circle) {
        const auto forAxes = [&](auto use) {
            for (const auto& t : tensors) {
                if (t.circle != circle || !t.trainable) continue;
                const int rows = t.rows / t.form->blocks;
                for (int c = 0; c < t.cols; ++c) {
                    T* column = weights + t.offset + static_cast<std::size_t>(c) * static_cast<std::size_t>(t.rows);
                    for (int r = 0; r < rows; ++r) use(column[rows + r], column[2 * rows + r]);
                }
            }
        };
        double a = 0, b = 0, d = 0; // A^T A = [a b; b d] = V S^2 V^T
        forAxes([&](T p, T q) {
            a += double(p) * double(p);
            b += double(p) * double(q);
            d += double(q) * double(q);
        });
        const double root = std::sqrt(std::max(a * d - b * b, 0.0)); // S1 S2
        const double sum = std::sqrt(a + d + 2 * root);              // S1 + S2
        if (!(root > 1e-12 * (a + d))) continue;
        // S = (A^T A + S1 S2 I) / (S1 + S2) is the positive root of A^T A, and U V^T = A S^-1.
        const double p = (a + root) / sum, q = b / sum, s = (d + root) / sum, scale = sum / 2 / (p * s - q * q);
        forAxes([&](T& x, T& y) {
            const double first = double(x), second = double(y);
            x = static_cast<T>(scale * (first * s - second * q));
            y = static_cast<T>(scale * (second * p - first * q));
        });
    }
}

} // namespace raphe
