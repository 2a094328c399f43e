// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/fixed_points.h"

#include "raphe/random.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace raphe {
namespace {

using Point = StepMap::Vector;
using Points = StepMap::Matrix;

constexpr int polishing = 5;  ///< further steps from a fixed point, as long as each halves its speed
constexpr double flat = 1e-9; ///< cosine between the change and all that a move could do about it: a minimum
constexpr double leastDamping = 1e-15, mostDamping = 1e8; ///< relative to the mean square of the derivative

struct Search {
    Point state;
    double speed = std::numeric_limits<double>::infinity();
    bool minimum = false; ///< no move makes it slower
};

/// Follows min |F(x) - x|^2 downhill.
Search descend(const StepMap& map, Point x, const FixedPointSearch& search) {
    Point change = map.change(x);
    Search result{x, change.norm()};
    if (!std::isfinite(result.speed)) return result;
    double damping = 1e-3;
    int left = polishing;
    for (int i = 0; i < search.iterations; ++i) {
        const bool fixed = result.speed <= search.tolerance;
        if (result.speed == 0 || (fixed && left-- == 0)) break;
        Points A = map.jacobian(result.state);
        A.diagonal().array() -= 1;
        if (!A.allFinite()) break;
        const Points squared = A.transpose() * A;
        const Point slope = A.transpose() * change;
        const double scale = squared.trace() / static_cast<double>(x.size());
        if (slope.norm() <= flat * A.norm() * result.speed) {
            result.minimum = true;
            break;
        }
        const double before = result.speed;
        bool moved = false;
        while (!moved && damping <= mostDamping) {
            Points damped = squared;
            damped.diagonal().array() += damping * scale;
            const Point there = result.state - damped.llt().solve(slope);
            const Point next = there.allFinite() ? map.change(there) : there;
            if (there.allFinite() && next.allFinite() && next.norm() < result.speed) {
                moved = true;
                result.state = there;
                change = next;
                result.speed = next.norm();
                damping = std::max(leastDamping, damping / 10);
            } else {
                damping *= 10;
            }
        }
        if (!moved) {
            result.minimum = true; // downhill is less than rounding
            break;
        }
        if (fixed && result.speed > before / 2) break;
    }
    result.minimum = result.minimum || result.speed <= search.tolerance;
    return result;
}

bool same(const Point& a, const Point& b, double separation) {
    return (a - b).norm() <= separation * (1 + std::min(a.norm(), b.norm()));
}

double nearest(const Points& points, const Point& to) { return (points.colwise() - to).colwise().norm().minCoeff(); }

} // namespace

LocalDynamics localDynamics(const StepMap& map, const Point& at, double margin) {
    LocalDynamics result;
    result.jacobian = map.jacobian(at);
    const Points differences = map.jacobianByDifferences(at);
    const double largest = result.jacobian.cwiseAbs().maxCoeff();
    result.disagreement = (result.jacobian - differences).cwiseAbs().maxCoeff() / (largest > 0 ? largest : 1);
    if (!result.jacobian.allFinite())
        throw Error("jacobian", "the derivative of the step is not finite at this state; choose another one");
    const Eigen::EigenSolver<Points> solver(result.jacobian, false);
    for (const auto& value : solver.eigenvalues()) result.eigenvalues.push_back(value);
    std::stable_sort(result.eigenvalues.begin(), result.eigenvalues.end(), [](const auto& a, const auto& b) {
        // The two of a pair have the same size but for rounding.
        const double difference = std::abs(a) - std::abs(b);
        if (std::abs(difference) > 1e-12 * std::abs(a)) return difference > 0;
        return a.real() != b.real() ? a.real() > b.real() : a.imag() > b.imag();
    });
    for (const auto& value : result.eigenvalues) result.unstable += std::abs(value) > 1 + margin;
    const auto& first = result.eigenvalues.front();
    if (result.unstable == map.size())
        result.stability = "unstable";
    else if (result.unstable > 0)
        result.stability = "saddle";
    else
        result.stability = std::abs(first) >= 1 - margin ? "marginal" : "stable";
    result.oscillates = first.imag() != 0;
    return result;
}

FixedPoints findFixedPoints(const StepMap& map, const Points& starts, const FixedPointSearch& search,
                            Executor& executor) {
    if (starts.cols() == 0) throw Error("starts", "there is no state to start from; give at least one");
    if (starts.rows() != map.size())
        throw Error("starts",
                    fmt::format("expected {} numbers for each starting state, got {}", map.size(), starts.rows()));
    if (!starts.allFinite()) throw Error("starts", "a starting state holds a number that is not finite; leave it out");
    std::vector<Search> ends(static_cast<std::size_t>(starts.cols()));
    executor.run(static_cast<int>(starts.cols()),
                 [&](int i) { ends[static_cast<std::size_t>(i)] = descend(map, starts.col(i), search); });

    FixedPoints result;
    result.starts = static_cast<int>(starts.cols());
    for (std::size_t i = 0; i < ends.size(); ++i) {
        const auto& end = ends[i];
        const bool fixed = end.speed <= search.tolerance;
        if (!end.minimum) {
            ++result.failed;
            continue;
        }
        if (!fixed && !(end.speed <= search.slow)) {
            ++result.ended;
            continue;
        }
        const auto known = std::find_if(result.points.begin(), result.points.end(), [&](const FixedPoint& point) {
            return point.fixed == fixed && same(point.state, end.state, search.separation);
        });
        if (known == result.points.end()) {
            FixedPoint point;
            point.state = end.state;
            point.speed = end.speed;
            point.fixed = fixed;
            point.starts = 1;
            point.firstStart = static_cast<int>(i);
            result.points.push_back(std::move(point));
            continue;
        }
        ++known->starts;
        if (end.speed < known->speed) {
            known->state = end.state;
            known->speed = end.speed;
        }
    }
    std::stable_partition(result.points.begin(), result.points.end(), [](const auto& point) { return point.fixed; });
    executor.run(static_cast<int>(result.points.size()), [&](int i) {
        auto& point = result.points[static_cast<std::size_t>(i)];
        point.distance = nearest(starts, point.state);
        point.dynamics = localDynamics(map, point.state, search.margin);
    });
    return result;
}

Points startingStates(const Tensor& visited, int count, double noise, std::uint64_t seed) {
    if (visited.shape.empty() || visited.size() < 1)
        throw Error("starts", "expected a tensor (starting states, numbers) that is not empty");
    const auto size = visited.shape.back();
    const auto there = visited.size() / size;
    const Points states = Eigen::Map<const Points>(visited.values.data(), size, there);
    if (count <= 0 && noise == 0) return states;
    const auto wanted = static_cast<Eigen::Index>(count > 0 ? count : there);
    const Point mean = states.rowwise().mean();
    const Point deviation =
        ((states.colwise() - mean).rowwise().squaredNorm() / static_cast<double>(there)).cwiseSqrt();
    std::vector<Eigen::Index> order;
    Stream random(seed, addressOf("analysis.starts"), 0, 0, 0);
    Points result(size, wanted);
    for (Eigen::Index i = 0; i < wanted; ++i) {
        Eigen::Index which = i;
        if (count > 0) {
            if (order.empty()) {
                order.resize(static_cast<std::size_t>(there));
                std::iota(order.begin(), order.end(), Eigen::Index{0});
            }
            // Drawn from those that are left.
            const auto at = random.integer(static_cast<std::uint32_t>(order.size()));
            which = order[at];
            order[at] = order.back();
            order.pop_back();
        }
        result.col(i) = states.col(which);
        if (noise != 0)
            for (Eigen::Index k = 0; k < size; ++k) result(k, i) += noise * deviation[k] * random.normal();
    }
    return result;
}

} // namespace raphe
