// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "topology.h"

#include "raphe/plugin.h"

#include <algorithm>
#include <string>
#include <vector>

namespace raphe {

struct ManifoldBasisParams {
    std::string topology = "ellipse";
    int harmonics = 2, points = 8;
    std::vector<double> support;
    bool clip = false;

    Topology shape() const { return Topology(topology, topology == "fourier" ? harmonics : points); }
};

inline constexpr const char* manifoldBasisManual =
    R"(Turns a context s into the coordinates phi(s) of a point on a manifold. Wired to the port `point` of
`model.manifold_dense` it says which mixture of K sets of weights is in force, so that the context walks through a space of weights:

    M(s) = sum_k phi_k(s) P_k

| topology | numbers of s | K | phi(s) |
| --- | --- | --- | --- |
| point | 1 | 1 | 1: no conditioning |
| line | 1 | 2 | 1 - s, s |
| line_centered | 1 | 2 | 1, 2s - 1 |
| ellipse | 1 | 3 | 1, cos 2 pi s, sin 2 pi s |
| circle | 1 | 3 | an ellipse whose axes training keeps orthogonal and of one length |
| fourier | 1 | 2 H + 1 | 1, then cos 2 pi h s, sin 2 pi h s for h = 1 ... H = `harmonics` |
| torus_sum | 2 | 5 | 1, cos and sin of 2 pi s_1, cos and sin of 2 pi s_2 |
| torus_product | 2 | 9 | products of the coordinates of two ellipses, (first) x (second), index 3 i + j |
| polyline | 1 | n = `points` | hat functions at k / (n - 1) |
| periodic_bspline | 1 | n = `points` | cubic B-splines at k / n, wrapped |

Receivers are told Gamma = E[phi phi^T], the mean over contexts that are uniform on [0, 1] or, with `support`, on parts of it (pairs of
ends: [0, 0.75], or [0, 0.2, 0.5, 0.9]); its inverse turns a gradient into the direction of steepest descent on the manifold.

Closed topologies take s modulo 1. Lines go on beyond their ends, unless `clip` says that s is cut off at 0 and 1; then no gradient passes
beyond them. Gradients flow through phi into s. Interventions on the port `context` change the point, and nothing else: a context that is
wrong on purpose. A gain on the coordinates from 1 on (`phi`, component 1, scale) shrinks the manifold to its centre.

`features` is what a network without a manifold would be told: s itself, or cos and sin of each angle. Wired beside the input it makes the
baseline of concatenation.

**Differs from the paper.** Published are lines and ellipses; the other topologies and the retraction of the circle are not. The form of
the published torus is not known to us.)";

/// Coordinates phi(s) of a point on a manifold of weights (A. S. Benjamin et al. 2025).
template <class T>
class ManifoldBasis final : public Model<T> {
public:
    static auto declare() {
        using P = ManifoldBasisParams;
        const auto size = [](std::string text, auto of) {
            return Size<P>(std::move(text), [of](const P& p) { return of(p.shape()); });
        };
        const auto context = size("1, or 2 on a torus", [](const Topology& t) { return t.contextUnits(); });
        return Declaration<P>{"manifold_basis", "1.0.0", "Coordinates of a point on a manifold of weights"}
            .citation("A. S. Benjamin, K. Daruwalla, C. Pehle, A. Zekri, A. M. Zador (2025), Walking the Weight "
                      "Manifold: a Topological Approach to Conditioning Inspired by Neuromodulation, "
                      "arXiv:2505.22994")
            .manual(manifoldBasisManual)
            .param("topology", &P::topology,
                   {.help = "Shape of the manifold", .choices = Topology::names(), .group = "manifold"})
            .param("harmonics", &P::harmonics,
                   {.help = "Harmonics of fourier", .min = 1, .max = 1000, .group = "manifold"})
            .param("points", &P::points,
                   {.help = "Points of polyline and periodic_bspline", .min = 2, .max = 1000, .group = "manifold"})
            .param("support", &P::support,
                   {.help = "Contexts of the training, as pairs of ends; empty: 0 to 1", .group = "manifold"})
            .param("clip", &P::clip, {.help = "Whether lines end at 0 and 1", .group = "manifold"})
            .input("s", context, {.help = "Context"})
            .output("context", context, {.help = "The context as it is used; interventions act here"})
            .output("phi", size("K", [](const Topology& t) { return t.count(); }), {.help = "Coordinates"})
            .output("features",
                    size("context, or 2 for each angle",
                         [](const Topology& t) { return t.featureCount() > 0 ? t.featureCount() : noPort; }),
                    {.help = "The context as a network without a manifold is told it"})
            .check([](const P& p) {
                if (p.support.size() % 2 != 0)
                    return "support: expected pairs of ends, got " + std::to_string(p.support.size()) + " numbers";
                for (std::size_t i = 0; i + 1 < p.support.size(); i += 2)
                    if (!(p.support[i] < p.support[i + 1]) ||
                        !(std::abs(p.support[i]) + std::abs(p.support[i + 1]) < 1e3))
                        return std::string("support: expected pairs of ends, the smaller one first");
                if (!p.support.empty() && p.shape().contextUnits() > 1)
                    return "support: is for contexts of one number; leave it empty with " + p.topology;
                return std::string{};
            });
    }

    ManifoldBasis(const ManifoldBasisParams& p, Builder& b)
        : shape_(p.shape()), clip_(p.clip && !shape_.closed()), context_(b.input("s")), used_(b.output("context")),
          phi_(b.output("phi")), features_(b.output("features")) {
        b.describe(phi_, {shape_.moment(p.support), shape_.sumsToOne(), p.topology == "circle"});
    }

    void step(Step<T>& s) const override {
        const Value<T> context = s.emit(used_, clip_ ? clipped(s.input(context_)) : s.input(context_));
        const int c = shape_.contextUnits(), K = shape_.count(), F = shape_.featureCount();
        s.emit(phi_, image(context, s.destination(phi_), K,
                           [this](const double* x, double* y, double* slope) { shape_.evaluate(x, y, slope); }));
        if (F == 0) return;
        s.emit(features_,
               image(context, s.destination(features_), F, [this, c, F](const double* x, double* y, double* d) {
                   double own[4];
                   shape_.features(x, y, d ? own : nullptr);
                   if (!d) return;
                   std::fill_n(d, F * c, 0.0);
                   for (int i = 0; i < F; ++i) d[i + F * (i * c / F)] = own[i];
               }));
    }

private:
    static constexpr int most = 2001;

    static Value<T> clipped(Value<T> x) {
        Value<T> y = x.tape->make(x.rows, x.cols, x.adjoint != nullptr);
        y.array() = x.array().max(T(0)).min(T(1));
        if (x.adjoint)
            x.tape->reverse([=] {
                for (std::size_t i = 0; i < x.size(); ++i)
                    if (x.data[i] >= T(0) && x.data[i] <= T(1)) x.adjoint[i] += y.adjoint[i];
            });
        return y;
    }

    /// y = f(x), column by column, with f(x, y, slope) as Topology::evaluate.
    template <class F>
    static Value<T> image(Value<T> x, Value<T> y, int rows, F f) {
        T* slopes = x.adjoint && x.tape->recording()
                        ? x.tape->arena().template array<T>(static_cast<std::size_t>(rows * x.rows * x.cols))
                        : nullptr;
        double in[2], out[most], slope[2 * most];
        for (int c = 0; c < x.cols; ++c) {
            for (int j = 0; j < x.rows; ++j) in[j] = static_cast<double>(x.column(c)[j]);
            f(in, out, slopes ? slope : nullptr);
            for (int k = 0; k < rows; ++k) y.column(c)[k] = static_cast<T>(out[k]);
            if (slopes)
                for (int i = 0; i < rows * x.rows; ++i) slopes[c * rows * x.rows + i] = static_cast<T>(slope[i]);
        }
        if (slopes)
            x.tape->reverse([=] {
                for (int c = 0; c < x.cols; ++c)
                    for (int j = 0; j < x.rows; ++j)
                        for (int k = 0; k < rows; ++k)
                            x.gradientColumn(c)[j] += slopes[(c * x.rows + j) * rows + k] * y.gradientColumn(c)[k];
            });
        return y;
    }

    Topology shape_;
    bool clip_;
    Input context_;
    Output used_, phi_, features_;
};

} // namespace raphe
