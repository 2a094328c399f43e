// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <vector>

namespace raphe {

/// A family of points phi(s) in K coordinates over a context s of one or two numbers, nominally in [0, 1].
class Topology {
public:
    enum class Kind { point, line, lineCentered, fourier, torusSum, torusProduct, polyline, spline };

    /// @param size  harmonics of fourier, points of polyline and periodic_bspline; otherwise not used
    explicit Topology(const std::string& name, int size = 1) {
        size_ = name == "fourier" || name == "polyline" || name == "periodic_bspline" ? size : 1;
        kind_ = name == "line"               ? Kind::line
                : name == "line_centered"    ? Kind::lineCentered
                : name == "ellipse"          ? Kind::fourier
                : name == "circle"           ? Kind::fourier
                : name == "fourier"          ? Kind::fourier
                : name == "torus_sum"        ? Kind::torusSum
                : name == "torus_product"    ? Kind::torusProduct
                : name == "polyline"         ? Kind::polyline
                : name == "periodic_bspline" ? Kind::spline
                                             : Kind::point;
    }
    static std::vector<std::string> names() {
        return {"point",   "line",      "line_centered", "ellipse",  "circle",
                "fourier", "torus_sum", "torus_product", "polyline", "periodic_bspline"};
    }

    int contextUnits() const { return kind_ == Kind::torusSum || kind_ == Kind::torusProduct ? 2 : 1; }
    /// Whether contexts that differ by whole numbers are the same.
    bool closed() const {
        return kind_ == Kind::fourier || kind_ == Kind::torusSum || kind_ == Kind::torusProduct ||
               kind_ == Kind::spline;
    }
    /// Whether the coordinates sum to 1 everywhere.
    bool sumsToOne() const {
        return kind_ == Kind::point || kind_ == Kind::line || kind_ == Kind::polyline || kind_ == Kind::spline;
    }
    /// K.
    int count() const {
        switch (kind_) {
        case Kind::line:
        case Kind::lineCentered:
            return 2;
        case Kind::fourier:
            return 2 * size_ + 1;
        case Kind::torusSum:
            return 5;
        case Kind::torusProduct:
            return 9;
        case Kind::polyline:
        case Kind::spline:
            return size_;
        case Kind::point:
            break;
        }
        return 1;
    }
    /// Numbers by which a network that is given the context as an input would be told it: the context, or the cosine
    /// and the sine of each angle.
    int featureCount() const { return kind_ == Kind::point ? 0 : closed() ? 2 * contextUnits() : contextUnits(); }

    /// @param phi  K numbers  @param slope  d phi(k) / d s(j) at k + K j; may be null
    void evaluate(const double* s, double* phi, double* slope) const {
        const auto rate = [&](int k, int j) -> double& { return slope[k + count() * j]; };
        if (slope)
            for (int i = 0; i < count() * contextUnits(); ++i) slope[i] = 0;
        switch (kind_) {
        case Kind::point:
            phi[0] = 1;
            return;
        case Kind::line:
            phi[0] = 1 - s[0];
            phi[1] = s[0];
            if (slope) rate(0, 0) = -1, rate(1, 0) = 1;
            return;
        case Kind::lineCentered:
            phi[0] = 1;
            phi[1] = 2 * s[0] - 1;
            if (slope) rate(1, 0) = 2;
            return;
        case Kind::fourier:
            phi[0] = 1;
            for (int h = 1; h <= size_; ++h) circle(h, s[0], phi + 2 * h - 1, slope ? slope + 2 * h - 1 : nullptr);
            return;
        case Kind::torusSum:
            phi[0] = 1;
            for (int j = 0; j < 2; ++j)
                circle(1, s[j], phi + 1 + 2 * j, slope ? slope + 1 + 2 * j + count() * j : nullptr);
            return;
        case Kind::torusProduct: {
            double a[3] = {1, 0, 0}, b[3] = {1, 0, 0}, da[3] = {0, 0, 0}, db[3] = {0, 0, 0};
            circle(1, s[0], a + 1, da + 1);
            circle(1, s[1], b + 1, db + 1);
            for (int i = 0; i < 3; ++i)
                for (int j = 0; j < 3; ++j) {
                    phi[3 * i + j] = a[i] * b[j];
                    if (slope) rate(3 * i + j, 0) = da[i] * b[j], rate(3 * i + j, 1) = a[i] * db[j];
                }
            return;
        }
        case Kind::polyline: { // beyond the ends the outer pieces go on
            const int pieces = size_ - 1;
            const double place = s[0] * pieces;
            const int i = static_cast<int>(std::fmin(std::fmax(std::floor(place), 0.0), pieces - 1.0));
            for (int k = 0; k < size_; ++k) phi[k] = 0;
            phi[i] = 1 - (place - i);
            phi[i + 1] = place - i;
            if (slope) rate(i, 0) = -pieces, rate(i + 1, 0) = pieces;
            return;
        }
        case Kind::spline: {
            const double place = (s[0] - std::floor(s[0])) * size_;
            for (int k = 0; k < size_; ++k) {
                phi[k] = 0;
                for (double t = place - k - 3.0 * size_; t < 2; t += size_) {
                    phi[k] += cubic(t);
                    if (slope) rate(k, 0) += size_ * cubicSlope(t);
                }
            }
            return;
        }
        }
    }

    /// The features of featureCount(), and d feature(i) / d s(i's angle).
    void features(const double* s, double* f, double* slope) const {
        if (kind_ == Kind::point) return;
        for (int j = 0; j < contextUnits(); ++j)
            if (closed()) {
                circle(1, s[j], f + 2 * j, slope ? slope + 2 * j : nullptr);
            } else {
                f[j] = s[j];
                if (slope) slope[j] = 1;
            }
    }

    /// E[phi phi^T] for contexts that are uniform on intervals (pairs of ends; empty: on [0, 1], and on its square).
    /// Gauss-Legendre in cells between knots: exact for the pieces of polynomials, and to rounding for the rest.
    std::vector<double> moment(const std::vector<double>& support) const {
        const int K = count();
        std::vector<double> result(static_cast<std::size_t>(K * K)), phi(static_cast<std::size_t>(K));
        const auto nodes = quadrature(support);
        const auto add = [&](const double* s, double weight) {
            evaluate(s, phi.data(), nullptr);
            for (int k = 0; k < K; ++k)
                for (int l = 0; l < K; ++l)
                    result[static_cast<std::size_t>(k * K + l)] +=
                        weight * phi[static_cast<std::size_t>(k)] * phi[static_cast<std::size_t>(l)];
        };
        for (const auto& a : nodes)
            if (contextUnits() == 1)
                add(&a.place, a.weight);
            else
                for (const auto& b : nodes) {
                    const double s[2] = {a.place, b.place};
                    add(s, a.weight * b.weight);
                }
        for (auto& x : result)
            if (std::abs(x) < 1e-14) x = 0;
        return result;
    }

private:
    struct Node {
        double place, weight;
    };
    static constexpr double turn = 6.283185307179586476925286766559;

    static void circle(int harmonic, double s, double* f, double* slope) {
        const double angle = turn * harmonic * (s - std::floor(s));
        f[0] = std::cos(angle);
        f[1] = std::sin(angle);
        if (slope) slope[0] = -turn * harmonic * f[1], slope[1] = turn * harmonic * f[0];
    }
    static double cubic(double t) {
        t = std::abs(t);
        return t < 1 ? 2.0 / 3 - t * t + t * t * t / 2 : t < 2 ? (2 - t) * (2 - t) * (2 - t) / 6 : 0;
    }
    static double cubicSlope(double t) {
        const double a = std::abs(t), sign = t < 0 ? -1 : 1;
        return a < 1 ? -2 * t + 1.5 * a * t : a < 2 ? -sign * (2 - a) * (2 - a) / 2 : 0;
    }

    std::vector<Node> quadrature(const std::vector<double>& support) const {
        // Abscissae and weights of 8 points on [-1, 1].
        static constexpr double x[] = {0.18343464249564980494, 0.52553240991632898582, 0.79666647741362673959,
                                       0.96028985649753623168};
        static constexpr double w[] = {0.36268378337836198297, 0.31370664587788728734, 0.22238103445337447054,
                                       0.10122853629037625915};
        const int cells = kind_ == Kind::polyline ? size_ - 1
                          : kind_ == Kind::spline ? size_
                          : closed()              ? 8 * size_
                                                  : 1;
        std::vector<double> ends = support.empty() ? std::vector<double>{0, 1} : support;
        double length = 0;
        for (std::size_t i = 0; i + 1 < ends.size(); i += 2) length += ends[i + 1] - ends[i];
        std::vector<Node> nodes;
        for (std::size_t i = 0; i + 1 < ends.size(); i += 2)
            for (double left = ends[i]; left < ends[i + 1];) {
                const double knot = (std::floor(left * cells + 1e-9) + 1) / cells, right = std::fmin(knot, ends[i + 1]);
                const double half = (right - left) / 2, middle = (left + right) / 2;
                for (int k = 0; k < 4; ++k)
                    for (double side : {-1.0, 1.0})
                        nodes.push_back({middle + side * half * x[k], half * w[k] / length});
                left = right;
            }
        return nodes;
    }

    Kind kind_;
    int size_;
};

} // namespace raphe
