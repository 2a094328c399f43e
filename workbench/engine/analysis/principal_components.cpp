// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/principal_components.h"

#include "raphe/error.h"

#include <Eigen/Eigenvalues>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr const char* place = "pca";
constexpr int largestProblem = 4096;   ///< units or samples, whichever are fewer
constexpr double negligible = 1e-12;   ///< share of the variance that is rounding
constexpr double asLargeAs = 1 - 1e-9; ///< entries that differ by rounding only are as large as one another

Eigen::Index unitsOf(const Tensor& signal) {
    if (signal.shape.empty() || signal.size() < 1 || signal.values.size() != static_cast<std::size_t>(signal.size()))
        throw Error(place, "expected a tensor (samples, units) or (steps, trials, units) that is not empty");
    return signal.shape.back();
}

/// Units by samples. A copy, for sums over a map would depend on where it lies.
Eigen::MatrixXd columnsOf(const Tensor& signal) {
    const auto units = unitsOf(signal);
    return Eigen::Map<const Eigen::MatrixXd>{signal.values.data(), units, signal.size() / units};
}
Eigen::VectorXd vectorOf(const std::vector<double>& values) {
    return Eigen::Map<const Eigen::VectorXd>{values.data(), static_cast<Eigen::Index>(values.size())};
}
std::vector<double> listOf(const Eigen::VectorXd& vector) { return {vector.data(), vector.data() + vector.size()}; }

Tensor shapedLike(const Tensor& signal, const Eigen::MatrixXd& columns) {
    Tensor result{signal.shape, {columns.data(), columns.data() + columns.size()}};
    result.shape.back() = columns.rows();
    return result;
}

Eigen::MatrixXd axesOf(const PrincipalComponents& components, std::size_t count) {
    Eigen::MatrixXd axes(static_cast<Eigen::Index>(components.mean.size()), static_cast<Eigen::Index>(count));
    for (std::size_t k = 0; k < count; ++k) axes.col(static_cast<Eigen::Index>(k)) = vectorOf(components.axes[k]);
    return axes;
}

/// Turns the axis so that the first of its largest entries is positive.
void fixSign(Eigen::VectorXd& axis) {
    const double largest = axis.cwiseAbs().maxCoeff();
    for (const double entry : axis)
        if (std::abs(entry) >= asLargeAs * largest) {
            if (entry < 0) axis = -axis;
            return;
        }
}

} // namespace

PrincipalComponents principalComponents(const Tensor& signal, int count) {
    const auto units = unitsOf(signal);
    const auto samples = signal.size() / units;
    if (samples < 2) throw Error(place, fmt::format("expected at least two samples, got {}", samples));
    if (count < 0 || count > units)
        throw Error(place,
                    fmt::format("expected at most as many components as there are units ({}), got {}", units, count));
    if (std::min<std::int64_t>(units, samples) > largestProblem)
        throw Error(place, fmt::format("{} samples of {} units are too many; leave out units, or all but {} samples",
                                       samples, units, largestProblem));
    for (std::size_t i = 0; i < signal.values.size(); ++i)
        if (!std::isfinite(signal.values[i]))
            throw Error(place,
                        fmt::format("sample {}, unit {} is not a finite number; leave out what follows the end "
                                    "of a trial, or the diverged trials",
                                    i / static_cast<std::size_t>(units) + 1, i % static_cast<std::size_t>(units) + 1));

    Eigen::MatrixXd centred = columnsOf(signal);
    const Eigen::VectorXd mean = centred.rowwise().mean();
    centred.colwise() -= mean;
    // The smaller of the two matrices has the same eigenvalues.
    const bool byUnits = centred.rows() <= centred.cols();
    const Eigen::MatrixXd products =
        byUnits ? Eigen::MatrixXd(centred * centred.transpose()) : Eigen::MatrixXd(centred.transpose() * centred);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver{products};
    const double whole = products.trace(), divisor = static_cast<double>(samples - 1);

    PrincipalComponents result;
    result.mean = listOf(mean);
    result.whole = whole / divisor;
    for (int k = 0; k < (count > 0 ? count : static_cast<int>(units)); ++k) {
        const Eigen::Index at = products.rows() - 1 - k; // ascending
        const double value = at >= 0 ? std::max(0.0, solver.eigenvalues()[at]) : 0;
        Eigen::VectorXd axis = Eigen::VectorXd::Zero(units);
        const bool varies = value > negligible * whole;
        if (varies) {
            axis = byUnits ? Eigen::VectorXd(solver.eigenvectors().col(at))
                           : Eigen::VectorXd(centred * solver.eigenvectors().col(at));
            axis.normalize();
            fixSign(axis);
        }
        result.axes.push_back(listOf(axis));
        result.variance.push_back(varies ? value / divisor : 0);
        result.share.push_back(varies ? value / whole : 0);
    }
    return result;
}

Tensor projected(const PrincipalComponents& components, const Tensor& signal) {
    const auto units = unitsOf(signal);
    if (units != static_cast<std::int64_t>(components.mean.size()))
        throw Error("project", fmt::format("the components are of {} units, but the signal has {}",
                                           components.mean.size(), units));
    const auto axes = axesOf(components, components.axes.size());
    Eigen::MatrixXd centred = columnsOf(signal);
    centred.colwise() -= vectorOf(components.mean);
    return shapedLike(signal, axes.transpose() * centred);
}

Tensor lifted(const PrincipalComponents& components, const Tensor& scores) {
    const auto count = static_cast<std::size_t>(unitsOf(scores));
    if (count > components.axes.size())
        throw Error("lift", fmt::format("there are {} components, but the points have {} coordinates",
                                        components.axes.size(), count));
    Eigen::MatrixXd states = axesOf(components, count) * columnsOf(scores);
    states.colwise() += vectorOf(components.mean);
    return shapedLike(scores, states);
}

} // namespace raphe
