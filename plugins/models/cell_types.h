// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

namespace raphe {

/// Types of the cells that send over a weight matrix (its columns), and Dale's law.
struct CellTypeParams {
    std::vector<double> types, signs;
    double shrinkage = 0;

    std::vector<int> sizes() const { return {types.begin(), types.end()}; }
    Constraint constraint(bool hollow) const {
        Constraint result{{}, hollow, shrinkage};
        for (std::size_t k = 0; k < signs.size(); ++k)
            result.signs.insert(result.signs.end(), static_cast<std::size_t>(types[k]), static_cast<int>(signs[k]));
        return result;
    }
    /// @param cells  that the types must add up to, openSize if that is not known yet
    /// @return what is wrong, or an empty text
    std::string check(int cells) const {
        for (double size : types)
            if (size != std::floor(size)) return "types: expected whole numbers of cells, got " + std::to_string(size);
        const auto sum = static_cast<long>(std::accumulate(types.begin(), types.end(), 0.0));
        if (!types.empty() && cells != openSize && sum != cells)
            return "types: expected numbers of cells that add up to " + std::to_string(cells) + ", got " +
                   std::to_string(sum);
        if (!signs.empty() && signs.size() != types.size())
            return "signs: expected one for each of the " + std::to_string(types.size()) + " types, got " +
                   std::to_string(signs.size());
        for (double sign : signs)
            if (sign != 1 && sign != -1) return "signs: expected 1 or -1, got " + std::to_string(sign);
        if (shrinkage > 0 && signs.empty())
            return "shrinkage needs signs; say which types are excitatory, e.g. [-1, 1]";
        return {};
    }
};

/// Declares the hyper-parameters of CellTypeParams.
inline auto cellTypeParams(const char* senders) {
    return [senders](auto& declaration) {
        using P = CellTypeParams;
        declaration
            .param("types", &P::types,
                   {.help = std::string("Numbers of cells of each type among ") + senders +
                            ", in their order; empty: no types",
                    .min = 1,
                    .max = 1000000,
                    .group = "cell types"})
            .param("signs", &P::signs,
                   {.help = "Sign of what each type sends, 1 or -1 (Dale's law), which training keeps; empty: free",
                    .min = -1,
                    .max = 1,
                    .group = "cell types"})
            .param("shrinkage", &P::shrinkage,
                   {.help = "Every update takes the learning rate times this from the magnitude of signed weights",
                    .min = 0,
                    .group = "cell types"});
    };
}

/// Fills a matrix with weights of signed senders whose excitation and inhibition cancel, as a program of Y. H. Liu et
/// al. (2022) draws them: magnitudes of normal numbers; those of inhibitory senders scaled until both kinds have the
/// same sum; for each receiver, the smaller side raised by the same amount for each of its synapses until its inputs
/// cancel; all divided by the spectral radius.
/// @param signs  of each sender  @param rows  receivers of the result; others than senders are drawn among the senders'
inline void drawBalanced(Matrix<double>& W, const std::vector<int>& signs, bool hollow, Stream& random) {
    const auto n = static_cast<Eigen::Index>(signs.size());
    Matrix<double> all(n, n);
    for (Eigen::Index p = 0; p < n; ++p)
        for (Eigen::Index q = 0; q < n; ++q) all(p, q) = std::abs(random.normal());
    Eigen::Array<bool, Eigen::Dynamic, 1> excites(n);
    for (Eigen::Index q = 0; q < n; ++q) excites(q) = signs[static_cast<std::size_t>(q)] > 0;
    const auto excitatory = excites.count(), inhibitory = n - excitatory;
    if (excitatory > 0 && inhibitory > 0) {
        const auto sums = [&](Eigen::Index row, bool which) {
            double sum = 0;
            for (Eigen::Index q = 0; q < n; ++q) sum += excites(q) == which ? all(row, q) : 0;
            return sum;
        };
        double excitation = 0, inhibition = 0;
        for (Eigen::Index p = 0; p < n; ++p) {
            excitation += sums(p, true);
            inhibition += sums(p, false);
        }
        for (Eigen::Index q = 0; q < n; ++q)
            if (!excites(q)) all.col(q) *= excitation / inhibition;
        for (Eigen::Index p = 0; p < n; ++p) {
            const double surplus = sums(p, true) - sums(p, false);
            const bool raised = surplus < 0;
            const double each = std::abs(surplus) / static_cast<double>(raised ? excitatory : inhibitory);
            for (Eigen::Index q = 0; q < n; ++q)
                if (excites(q) == raised) all(p, q) += each;
        }
    }
    for (Eigen::Index q = 0; q < n; ++q) all.col(q) *= signs[static_cast<std::size_t>(q)];
    const double radius = Eigen::EigenSolver<Matrix<double>>(all, false).eigenvalues().cwiseAbs().maxCoeff();
    if (radius > 0) all /= radius;
    if (W.rows() == n)
        W = all;
    else
        for (Eigen::Index r = 0; r < W.rows(); ++r) W.row(r) = all.row(random.integer(static_cast<std::uint32_t>(n)));
    if (hollow) W.diagonal().setZero();
}

inline Init balancedWeights(const Constraint& constraint) {
    return Init::whole([constraint](Matrix<double>& W, Stream& random) {
        drawBalanced(W, constraint.signs, constraint.hollow, random);
    });
}
/// Numbers of the given distribution, made to obey the constraint.
inline Init signedWeights(const Init& init, const Constraint& constraint) {
    if (!constraint) return init;
    return Init::whole([init, constraint](Matrix<double>& W, Stream& random) {
        for (Eigen::Index r = 0; r < W.rows(); ++r)
            for (Eigen::Index c = 0; c < W.cols(); ++c) W(r, c) = init.number(random);
        for (std::size_t c = 0; c < constraint.signs.size(); ++c) {
            auto column = W.col(static_cast<Eigen::Index>(c));
            column = constraint.signs[c] * column.cwiseAbs();
        }
        if (constraint.hollow) W.diagonal().setZero();
    });
}

} // namespace raphe
