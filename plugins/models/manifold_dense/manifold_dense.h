// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <Eigen/LU>

#include <algorithm>
#include <string>
#include <vector>

namespace raphe {

struct ManifoldDenseParams {
    int units = 1;
    std::string activation = "identity";
    bool bias = true;
    std::string modulated = "all";
    std::string start = "auto";
    double radius = 0;
    std::string gradient = "auto";
    double ridge = 0;
    std::vector<double> pointRates;
};

inline constexpr const char* manifoldDenseManual =
    R"(A layer of units whose weights are a point on a manifold: a mixture of K sets of weights, mixed anew for every column.

    z = sum_k phi_k (W_k x + b_k),   y = f(z)

| symbol | here |
| --- | --- |
| x, y | ports `input`, `output` |
| phi | modulation port `point`: K coordinates, from `model.manifold_basis` or from any other signal |
| W_k, b_k | blocks of rows of the tensors `weight` and `bias`: row k U + j belongs to unit j of U and to the point k (from 0) |
| f | `activation` |

With `modulated` bias there is one W for all points, so that only the bias walks (a network that is told the context by concatenation is
one whose first layer is of this kind). All K products are one.

**The gradient of a point** (`gradient`). natural: the gradient of the blocks is multiplied by Gamma^-1 along k, before momentum, where
Gamma = E[phi phi^T] is what the source of `point` says of its coordinates; this is steepest descent on the manifold and does not
depend on how it is parametrised. plain: each block follows its own gradient. auto: natural where the source says Gamma, otherwise plain.
`ridge` times the mean of Gamma's diagonal is added to it before it is inverted, for supports so short that Gamma is hardly invertible.
`point_rates` multiplies the gradient of each point (0: it stays; weight decay apart), to train the centre or the axes alone.

**Initial values.** The first block of W and b is uniform in +-1/sqrt(inputs). `start` first: the other blocks are zero, a manifold that is one
point. equal: they are copies of it. independent: each is drawn. auto: equal where the coordinates sum to 1, first where the source says that they
do not, independent where it says nothing. `radius` r adds r times a draw to the other blocks of W.

With the topology circle the blocks 1 and 2 of all layers that share it are made orthogonal and of one length after every update:
[P_1 P_2] = U S V^T becomes (S_1 + S_2) / 2 U V^T. This retraction is not published.)";

/// y = f(sum_k phi_k (W_k x + b_k)) with coordinates phi from a modulation port.
template <class T>
class ManifoldDense final : public Model<T> {
public:
    static auto declare() {
        using P = ManifoldDenseParams;
        return Declaration<P>{"manifold_dense", "1.0.0", "Layer of units whose weights are a point on a manifold"}
            .citation("A. S. Benjamin, K. Daruwalla, C. Pehle, A. Zekri, A. M. Zador (2025), Walking the Weight "
                      "Manifold: a Topological Approach to Conditioning Inspired by Neuromodulation, "
                      "arXiv:2505.22994")
            .manual(manifoldDenseManual)
            .param("units", &P::units, {.help = "Number of units", .min = 1, .max = 1000000, .group = "layer"})
            .param("activation", &P::activation,
                   {.help = "Function of the weighted sum", .choices = activationNames(), .group = "layer"})
            .param("bias", &P::bias, {.help = "Whether the units have a trainable bias", .group = "layer"})
            .param("modulated", &P::modulated,
                   {.help = "What the point decides", .choices = {"all", "bias"}, .group = "manifold"})
            .param("gradient", &P::gradient,
                   {.help = "Direction of the change: with the inverse of Gamma (natural) or without (plain)",
                    .choices = {"auto", "natural", "plain"},
                    .group = "manifold"})
            .param("ridge", &P::ridge,
                   {.help = "Added to Gamma's diagonal before it is inverted, as a fraction of its mean",
                    .min = 0,
                    .group = "manifold"})
            .param("point_rates", &P::pointRates,
                   {.help = "Factor of each point's gradient; empty: 1", .min = 0, .group = "manifold"})
            .param("start", &P::start,
                   {.help = "Initial points: all at the first, equal, or independent",
                    .choices = {"auto", "first", "equal", "independent"},
                    .group = "initial values"})
            .param("radius", &P::radius,
                   {.help = "Size of a draw that is added to the other points' weights", .group = "initial values"})
            .input("input", "any", {.help = "Input"})
            .modulation("point", "any", {.help = "Coordinates of the point on the manifold"})
            .output("output", "units", {.help = "Activity"})
            .tensor("weight", "points * units, or units with modulated = bias", "inputs",
                    "Weights of each point, one below the other; row: receiving unit")
            .tensor("bias", "points * units", "1", "Bias of each point; absent with bias = false")
            .check([](const P& p) {
                return p.modulated == "bias" && !p.bias
                           ? std::string("modulated: without a bias there is nothing left that the point could decide")
                           : std::string{};
            });
    }

    ManifoldDense(const ManifoldDenseParams& p, Builder& b)
        : activation_(activationOf(p.activation)), units_(p.units), points_(b.size("point")), hasBias_(p.bias),
          whole_(p.modulated == "all"), input_(b.input("input")), point_(b.input("point")),
          output_(b.output("output")) {
        const auto* known = b.coordinates("point");
        if (!known && p.gradient == "natural")
            throw Error("params.gradient", "natural needs a source of the port \"point\" that says the mean product of "
                                           "its coordinates, such as model.manifold_basis; choose auto or plain");
        const int inputs = b.size("input");
        const bool independent = p.start == "independent" || (p.start == "auto" && !known),
                   copies = p.start == "equal" || (p.start == "auto" && known && known->sumToOne);
        const Init init = Init::fanIn(inputs);
        const int rows = points_ * units_;
        weight_ = b.weight("weight", whole_ ? rows : units_, inputs,
                           !whole_ || independent ? init : init.blocks(units_, copies, p.radius));
        if (whole_) shape(b, weight_, p, known);
        if (!hasBias_) return;
        bias_ = b.weight("bias", rows, 1, independent ? init : init.blocks(units_, copies, 0));
        shape(b, bias_, p, known);
    }

    void step(Step<T>& s) const override {
        const Value<T> W = s.weight(weight_), x = s.input(input_), phi = s.input(point_),
                       b = hasBias_ ? s.weight(bias_) : Value<T>{};
        Value<T> Y = s.tape().make(W.rows, x.cols, false), y = s.destination(output_);
        Y.value().noalias() = W.value() * x.value();
        mix(Y, phi, b, y);
        if (activation_ != Activation::identity) applyActivation<T>(activation_, y.array(), y.array());
        s.tape().reverse([=, this] {
            auto g = y.gradientArray();
            scaleByDerivative<T>(activation_, y.array(), g); // the adjoint of y becomes that of z
            unmix(Y, phi, b, y);                             // and Y that of itself
            if (W.adjoint) addProducts(Y, x, W);
            if (x.adjoint) x.gradient().noalias() += W.value().transpose() * Y.value();
        });
        s.emit(output_, y);
    }

private:
    /// How the tensor's gradient becomes its change.
    void shape(Builder& b, Weight weight, const ManifoldDenseParams& p, const Coordinates* known) const {
        if (!p.pointRates.empty() && static_cast<int>(p.pointRates.size()) != points_)
            throw Error("params.point_rates", "expected one number for each of the " + std::to_string(points_) +
                                                  " points, got " + std::to_string(p.pointRates.size()));
        const bool natural = p.gradient != "plain" && known;
        auto& form = b.form(weight);
        form.blocks = points_;
        if (known && known->circle) b.keepCircle(weight, "point");
        if (!natural && p.pointRates.empty()) return;
        using Square = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        Square matrix = Square::Identity(points_, points_);
        if (natural) {
            Square gamma = Eigen::Map<const Square>(known->moment.data(), points_, points_);
            gamma.diagonal().array() += p.ridge * gamma.trace() / points_;
            const Eigen::FullPivLU<Square> decomposed(gamma);
            if (!decomposed.isInvertible())
                throw Error("params.ridge", "Gamma of the contexts that are trained cannot be inverted; use another "
                                            "support or topology, or a ridge of about 1e-6");
            matrix = decomposed.inverse();
        }
        for (int k = 0; k < static_cast<int>(p.pointRates.size()); ++k)
            matrix.row(k) *= p.pointRates[static_cast<std::size_t>(k)];
        form.matrix.assign(matrix.data(), matrix.data() + matrix.size());
    }

    /// z = sum_k phi_k (Y_k + b_k), column by column.
    void mix(Value<T> Y, Value<T> phi, Value<T> b, Value<T> z) const {
        const int U = units_;
        for (int c = 0; c < z.cols; ++c) {
            const T* from = Y.column(c);
            T* __restrict to = z.column(c);
            if (whole_)
                std::fill_n(to, U, T(0));
            else
                std::copy_n(from, U, to);
            for (int k = 0; k < points_; ++k) {
                const T weight = phi.column(c)[k];
                const T* __restrict own = from + static_cast<std::ptrdiff_t>(k) * U;
                if (whole_)
                    for (int r = 0; r < U; ++r) to[r] += weight * own[r];
                if (!b) continue;
                const T* __restrict bias = b.data + static_cast<std::ptrdiff_t>(k) * U;
                for (int r = 0; r < U; ++r) to[r] += weight * bias[r];
            }
        }
    }

    /// Adds to the adjoints of phi and b; puts that of Y, phi_k times that of z, in its place.
    void unmix(Value<T> Y, Value<T> phi, Value<T> b, Value<T> z) const {
        const int U = units_;
        for (int c = 0; c < z.cols; ++c) {
            T* from = Y.column(c);
            const T* __restrict delta = z.gradientColumn(c);
            for (int k = 0; k < points_; ++k) {
                T* __restrict own = from + static_cast<std::ptrdiff_t>(k) * U;
                const T weight = phi.column(c)[k];
                if (phi.adjoint) {
                    T sum = 0;
                    if (whole_)
                        for (int r = 0; r < U; ++r) sum += delta[r] * own[r];
                    if (b)
                        for (int r = 0; r < U; ++r) sum += delta[r] * b.data[static_cast<std::ptrdiff_t>(k) * U + r];
                    phi.gradientColumn(c)[k] += sum;
                }
                if (b && b.adjoint) {
                    T* __restrict to = b.adjoint + static_cast<std::ptrdiff_t>(k) * U;
                    for (int r = 0; r < U; ++r) to[r] += weight * delta[r];
                }
                if (whole_)
                    for (int r = 0; r < U; ++r) own[r] = weight * delta[r];
            }
            if (!whole_) std::copy_n(delta, U, from);
        }
    }

    static void addProducts(Value<T> D, Value<T> x, Value<T> W) {
        W.gradient().noalias() += D.value() * x.value().transpose();
    }

    Activation activation_;
    int units_, points_;
    bool hasBias_, whole_;
    Input input_, point_;
    Output output_;
    Weight weight_, bias_;
};

} // namespace raphe
