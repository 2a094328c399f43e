// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/principal_components.h"

#include <Eigen/Eigenvalues>

#include <algorithm>

namespace raphe {
namespace {

/// Units by samples.
Eigen::Map<const Eigen::MatrixXd> samplesOf(const Tensor& signal) {
    return {signal.values.data(), signal.shape[2], signal.shape[0] * signal.shape[1]};
}

} // namespace

PrincipalPlane principalPlane(const Tensor& signal) {
    const auto samples = samplesOf(signal);
    const Eigen::VectorXd mean = samples.rowwise().mean();
    const Eigen::MatrixXd centred = samples.colwise() - mean;
    // The smaller of the two matrices has the same eigenvalues.
    const bool byUnits = centred.rows() <= centred.cols();
    const Eigen::MatrixXd products =
        byUnits ? Eigen::MatrixXd(centred * centred.transpose()) : Eigen::MatrixXd(centred.transpose() * centred);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver{products};
    const double whole = products.trace();
    PrincipalPlane plane;
    plane.mean.assign(mean.data(), mean.data() + mean.size());
    for (int k = 0; k < 2; ++k) {
        Eigen::VectorXd axis = Eigen::VectorXd::Zero(centred.rows());
        const Eigen::Index at = products.rows() - 1 - k; // ascending
        const double value = at >= 0 ? std::max(0.0, solver.eigenvalues()[at]) : 0;
        if (value > 1e-12 * whole) {
            axis = byUnits ? Eigen::VectorXd(solver.eigenvectors().col(at))
                           : Eigen::VectorXd(centred * solver.eigenvectors().col(at));
            axis.normalize();
            Eigen::Index largest = 0;
            axis.cwiseAbs().maxCoeff(&largest);
            if (axis[largest] < 0) axis = -axis; // the sign is free, and should not change from one drawing to the next
        }
        plane.axes[static_cast<std::size_t>(k)].assign(axis.data(), axis.data() + axis.size());
        plane.share[static_cast<std::size_t>(k)] = whole > 0 ? value / whole : 0;
    }
    return plane;
}

Portrait portraitIn(const PrincipalPlane& plane, const Tensor& signal) {
    const auto samples = samplesOf(signal);
    const auto vectorOf = [](const std::vector<double>& values) {
        return Eigen::Map<const Eigen::VectorXd>{values.data(), static_cast<Eigen::Index>(values.size())};
    };
    Portrait portrait{static_cast<int>(signal.shape[0]), static_cast<int>(signal.shape[1]), {}, {}};
    for (const std::size_t k : {0, 1}) {
        const auto axis = vectorOf(plane.axes[k]);
        const Eigen::VectorXd seen = (samples.transpose() * axis).array() - vectorOf(plane.mean).dot(axis);
        (k == 0 ? portrait.x : portrait.y).assign(seen.data(), seen.data() + seen.size());
    }
    return portrait;
}

} // namespace raphe
