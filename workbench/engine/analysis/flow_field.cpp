// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/flow_field.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace raphe {
namespace {

constexpr double rightAngle = 1e-6;
constexpr int mostPoints = 1'000'000;
constexpr double headLength = 0.3, headWidth = 0.15; ///< of an arrow

StepMap::Vector vectorOf(const std::vector<double>& values) {
    return Eigen::Map<const StepMap::Vector>(values.data(), static_cast<Eigen::Index>(values.size()));
}

double along(double low, double high, int i, int count) {
    return count == 1 ? (low + high) / 2 : low + (high - low) * i / (count - 1);
}

} // namespace

StatePlane planeOf(const PrincipalComponents& components, int first, int second) {
    StatePlane plane{vectorOf(components.mean), {}};
    for (const auto& [index, axis] : {std::pair(first, 0), std::pair(second, 1)}) {
        if (index < 0 || static_cast<std::size_t>(index) >= components.axes.size())
            throw Error("plane", fmt::format("there are {} components; choose among these", components.axes.size()));
        plane.axes[static_cast<std::size_t>(axis)] = vectorOf(components.axes[static_cast<std::size_t>(index)]);
        if (components.variance[static_cast<std::size_t>(index)] <= 0)
            throw Error("plane",
                        fmt::format("the states do not vary along component {}; choose another one, or a plane "
                                    "of two states",
                                    index + 1));
    }
    return plane;
}

StatePlane planeOf(const StepMap::Vector& through, int first, int second) {
    if (first < 0 || second < 0 || first >= through.size() || second >= through.size() || first == second)
        throw Error("plane", fmt::format("expected two different states of {}", through.size()));
    StatePlane plane{through, {StepMap::Vector::Zero(through.size()), StepMap::Vector::Zero(through.size())}};
    plane.origin[first] = plane.origin[second] = 0;
    plane.axes[0][first] = plane.axes[1][second] = 1;
    return plane;
}

FlowField flowField(const StepMap& map, const StatePlane& plane, const FlowGrid& grid, Executor& executor) {
    const auto& [a, b] = plane.axes;
    for (const auto* vector : {&plane.origin, &a, &b})
        if (vector->size() != map.size() || !vector->allFinite())
            throw Error("plane", fmt::format("expected {} finite numbers for its origin and each axis, got {}",
                                             map.size(), vector->size()));
    if (std::abs(a.norm() - 1) > rightAngle || std::abs(b.norm() - 1) > rightAngle || std::abs(a.dot(b)) > rightAngle)
        throw Error("plane", "its axes must be unit vectors at right angles; take components of pca, or two states");
    const bool area = std::isfinite(grid.xLow) && std::isfinite(grid.xHigh) && std::isfinite(grid.yLow) &&
                      std::isfinite(grid.yHigh) && grid.xHigh > grid.xLow && grid.yHigh > grid.yLow;
    if (!area || grid.columns < 1 || grid.rows < 1 || std::int64_t{grid.columns} * grid.rows > mostPoints)
        throw Error(
            "grid",
            fmt::format("expected two ranges from a lower to a higher number, and 1 to {} points in all", mostPoints));
    FlowField field;
    field.grid = grid;
    const int count = grid.columns * grid.rows;
    for (int i = 0; i < count; ++i) {
        field.x.push_back(along(grid.xLow, grid.xHigh, i % grid.columns, grid.columns));
        field.y.push_back(along(grid.yLow, grid.yHigh, i / grid.columns, grid.rows));
    }
    for (auto* list : {&field.dx, &field.dy, &field.speed}) list->resize(static_cast<std::size_t>(count));
    executor.run((count + StepMap::block - 1) / StepMap::block, [&](int piece) {
        const int first = piece * StepMap::block, size = std::min(StepMap::block, count - first);
        StepMap::Matrix points(map.size(), size);
        for (int i = 0; i < size; ++i) {
            const auto at = static_cast<std::size_t>(first + i);
            points.col(i) = plane.origin + field.x[at] * a + field.y[at] * b;
        }
        const StepMap::Matrix change = map.after(points) - points;
        for (int i = 0; i < size; ++i) {
            const auto at = static_cast<std::size_t>(first + i);
            field.dx[at] = a.dot(change.col(i));
            field.dy[at] = b.dot(change.col(i));
            field.speed[at] = change.col(i).norm();
        }
    });
    return field;
}

FlowArrows arrowsOf(const FlowField& field, double length) {
    const auto& grid = field.grid;
    // In units of a cell, so that arrows keep their direction in the drawing and do not overlap.
    const double width = (grid.xHigh - grid.xLow) / std::max(1, grid.columns - 1);
    const double height = (grid.yHigh - grid.yLow) / std::max(1, grid.rows - 1);
    double longest = 0;
    const auto cells = [&](std::size_t i) { return std::hypot(field.dx[i] / width, field.dy[i] / height); };
    for (std::size_t i = 0; i < field.x.size(); ++i)
        if (std::isfinite(cells(i))) longest = std::max(longest, cells(i));
    FlowArrows arrows;
    const auto to = [&](double x, double y) {
        arrows.x.push_back(x);
        arrows.y.push_back(y);
    };
    for (std::size_t i = 0; i < field.x.size(); ++i) {
        const double size = cells(i);
        if (!(size > 0) || !std::isfinite(size)) continue;
        const double reach = length * std::sqrt(size / longest);
        const double u = field.dx[i] / width / size * reach, v = field.dy[i] / height / size * reach;
        const auto point = [&](double forward, double aside) {
            to(field.x[i] + width * (forward * u - aside * v), field.y[i] + height * (forward * v + aside * u));
        };
        point(0, 0);
        point(1, 0);
        point(1 - headLength, headWidth);
        point(1, 0);
        point(1 - headLength, -headWidth);
        to(field.x[i], std::numeric_limits<double>::quiet_NaN());
    }
    return arrows;
}

} // namespace raphe
