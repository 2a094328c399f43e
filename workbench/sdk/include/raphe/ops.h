// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/packed.h"
#include "raphe/tape.h"

#include <algorithm>
#include <cmath>
#include <string>

/// Differentiable operations on the columns of Values. Forward value and adjoint of each stand together.
namespace raphe {

/// srelu is the identity, cut off at -1 and 1.
enum class Activation { identity, tanh, sigmoid, relu, softplus, srelu };

inline Activation activationOf(const std::string& name) {
    if (name == "tanh") return Activation::tanh;
    if (name == "sigmoid") return Activation::sigmoid;
    if (name == "relu") return Activation::relu;
    if (name == "softplus") return Activation::softplus;
    if (name == "srelu") return Activation::srelu;
    return Activation::identity;
}
inline std::vector<std::string> activationNames() {
    return {"identity", "tanh", "sigmoid", "relu", "softplus", "srelu"};
}

/// y = f(x), elementwise; sigmoid and softplus are stable for any finite x.
template <class T, class X, class Y>
void applyActivation(Activation f, const X& x, Y&& y) {
    switch (f) {
    case Activation::identity:
        y = x;
        break;
    case Activation::tanh:
        y = x.tanh();
        break;
    case Activation::sigmoid:
        y = T(0.5) + T(0.5) * (T(0.5) * x).tanh();
        break;
    case Activation::relu:
        y = x.max(T(0));
        break;
    case Activation::softplus:
        y = x.max(T(0)) + (-x.abs()).exp().log1p();
        break;
    case Activation::srelu:
        y = x.max(T(-1)).min(T(1));
        break;
    }
}
namespace detail {
/// g = 0 wherever keep(y) is false; a loop without branches, for contiguous arrays of one shape.
template <class Y, class G, class Keep>
void keepWhere(const Y& y, G&& g, Keep keep) {
    const auto* from = y.data();
    auto* to = g.data();
    for (Eigen::Index i = 0; i < g.size(); ++i) to[i] = keep(from[i]) ? to[i] : 0;
}
} // namespace detail

/// g *= f'(x), written in terms of y = f(x); both contiguous.
template <class T, class Y, class G>
void scaleByDerivative(Activation f, const Y& y, G&& g) {
    switch (f) {
    case Activation::identity:
        break;
    case Activation::tanh:
        g *= T(1) - y * y;
        break;
    case Activation::sigmoid:
        g *= y * (T(1) - y);
        break;
    case Activation::relu:
        detail::keepWhere(y, g, [](T a) { return a > T(0); });
        break;
    case Activation::softplus:
        g *= T(1) - (-y).exp();
        break;
    case Activation::srelu:
        detail::keepWhere(y, g, [](T a) { return std::abs(a) < T(1); });
        break;
    }
}

/// to = from (same shape).
template <class T>
void copyInto(Value<T> to, Value<T> from) {
    RAPHE_ASSERT(to.rows == from.rows && to.cols == from.cols);
    std::copy_n(from.data, from.size(), to.data);
    if (to.adjoint && from.adjoint) to.tape->reverse([=] { from.gradientArray() += to.gradientArray(); });
}

namespace detail {
/// y = W x + b
template <class T>
void affineForward(Value<T> W, Packed<T> P, Value<T> x, Value<T> b, Value<T> y) {
    RAPHE_ASSERT(W.cols == x.rows);
    if (P) {
        P.affine(x.data, x.cols, (b ? b : x.tape->constant(W.rows, 1, T(0))).data, y.data);
        return;
    }
    y.value().noalias() = W.value() * x.value();
    if (b) y.value().colwise() += b.value().col(0);
}
/// Adjoints of W, x and b from that of y = W x + b.
template <class T>
void affineBackward(Value<T> W, Packed<T> P, Value<T> x, Value<T> b, Value<T> y) {
    if (b && b.adjoint) b.gradient().col(0) += y.gradient().rowwise().sum();
    if (P) {
        if (W.adjoint) raphe::addOuterProducts(y.gradient(), x.value(), W.gradient());
        if (x.adjoint) P.multiplyTransposed(y.adjoint, y.cols, x.adjoint);
        return;
    }
    if (W.adjoint) W.gradient().noalias() += y.gradient() * x.value().transpose();
    if (x.adjoint) x.gradient().noalias() += W.value().transpose() * y.gradient();
}
} // namespace detail

/// y = W x + b with W (rows, units), x (units, columns), b (rows, 1) or empty. @param P  W laid out, or empty
template <class T>
Value<T> affine(Value<T> W, Value<T> x, Value<T> b = {}, Packed<T> P = {}) {
    Value<T> y = x.tape->make(W.rows, x.cols);
    detail::affineForward(W, P, x, b, y);
    x.tape->reverse([=] { detail::affineBackward(W, P, x, b, y); });
    return y;
}

/// y = f(x), elementwise.
template <class T>
Value<T> activate(Activation f, Value<T> x) {
    if (f == Activation::identity) return x;
    Value<T> y = x.tape->make(x.rows, x.cols, x.adjoint != nullptr);
    applyActivation<T>(f, x.array(), y.array());
    if (x.adjoint)
        x.tape->reverse([=] {
            auto g = y.gradientArray();
            scaleByDerivative<T>(f, y.array(), g);
            x.gradientArray() += g;
        });
    return y;
}
template <class T>
Value<T> tanh(Value<T> x) {
    return activate(Activation::tanh, x);
}
template <class T>
Value<T> sigmoid(Value<T> x) {
    return activate(Activation::sigmoid, x);
}

/// y = f(W x + b) in one operation, into memory that is there already. @param P  W laid out, or empty
template <class T>
Value<T> affineActivation(Activation f, Value<T> W, Value<T> x, Value<T> b, Value<T> y, Packed<T> P = {}) {
    detail::affineForward(W, P, x, b, y);
    if (f != Activation::identity) applyActivation<T>(f, y.array(), y.array());
    x.tape->reverse([=] {
        auto g = y.gradientArray();
        scaleByDerivative<T>(f, y.array(), g); // the adjoint of y becomes that of the pre-activation
        detail::affineBackward(W, P, x, b, y);
    });
    return y;
}

namespace detail {
/// Adds `g` (of the shape of the result) to the adjoint of an operand that may have been broadcast.
template <class T, class G>
void addReduced(Value<T> x, const G& g) {
    if (!x.adjoint) return;
    if (x.rows == g.rows() && x.cols == g.cols())
        x.gradientArray() += g;
    else if (x.rows == 1 && x.cols == 1)
        x.adjoint[0] += g.sum();
    else if (x.rows == 1)
        x.gradientArray().row(0) += g.colwise().sum();
    else
        x.gradientArray().col(0) += g.rowwise().sum();
}
template <class T>
auto broadcast(Value<T> x, int rows, int cols) {
    return x.array().replicate(x.rows == rows ? 1 : rows, x.cols == cols ? 1 : cols);
}
} // namespace detail

/// a + b, elementwise; an operand with one row or one column is repeated.
template <class T>
Value<T> operator+(Value<T> a, Value<T> b) {
    Value<T> y = a.tape->make(std::max(a.rows, b.rows), std::max(a.cols, b.cols));
    y.array() = detail::broadcast(a, y.rows, y.cols) + detail::broadcast(b, y.rows, y.cols);
    a.tape->reverse([=] {
        detail::addReduced(a, y.gradientArray());
        detail::addReduced(b, y.gradientArray());
    });
    return y;
}
/// a - b, elementwise; an operand with one row or one column is repeated.
template <class T>
Value<T> operator-(Value<T> a, Value<T> b) {
    Value<T> y = a.tape->make(std::max(a.rows, b.rows), std::max(a.cols, b.cols));
    y.array() = detail::broadcast(a, y.rows, y.cols) - detail::broadcast(b, y.rows, y.cols);
    a.tape->reverse([=] {
        detail::addReduced(a, y.gradientArray());
        detail::addReduced(b, -y.gradientArray());
    });
    return y;
}
/// a .* b, elementwise; an operand with one row or one column is repeated.
template <class T>
Value<T> operator*(Value<T> a, Value<T> b) {
    Value<T> y = a.tape->make(std::max(a.rows, b.rows), std::max(a.cols, b.cols));
    y.array() = detail::broadcast(a, y.rows, y.cols) * detail::broadcast(b, y.rows, y.cols);
    a.tape->reverse([=] {
        detail::addReduced(a, y.gradientArray() * detail::broadcast(b, y.rows, y.cols));
        detail::addReduced(b, y.gradientArray() * detail::broadcast(a, y.rows, y.cols));
    });
    return y;
}
/// factor * x.
template <class T>
Value<T> operator*(double factor, Value<T> x) {
    Value<T> y = x.tape->make(x.rows, x.cols, x.adjoint != nullptr);
    y.array() = T(factor) * x.array();
    if (x.adjoint) x.tape->reverse([=] { x.gradientArray() += T(factor) * y.gradientArray(); });
    return y;
}
/// x + constant.
template <class T>
Value<T> operator+(Value<T> x, double constant) {
    Value<T> y = x.tape->make(x.rows, x.cols, x.adjoint != nullptr);
    y.array() = x.array() + T(constant);
    if (x.adjoint) x.tape->reverse([=] { x.gradientArray() += y.gradientArray(); });
    return y;
}

/// Rows of a above those of b.
template <class T>
Value<T> stackRows(Value<T> a, Value<T> b) {
    Value<T> y = a.tape->make(a.rows + b.rows, a.cols, a.adjoint || b.adjoint);
    y.value().topRows(a.rows) = a.value();
    y.value().bottomRows(b.rows) = b.value();
    if (y.adjoint)
        a.tape->reverse([=] {
            if (a.adjoint) a.gradient() += y.gradient().topRows(a.rows);
            if (b.adjoint) b.gradient() += y.gradient().bottomRows(b.rows);
        });
    return y;
}
/// Columns of a, then those of b.
template <class T>
Value<T> joinColumns(Value<T> a, Value<T> b) {
    Value<T> y = a.tape->make(a.rows, a.cols + b.cols, a.adjoint || b.adjoint);
    std::copy_n(a.data, a.size(), y.data);
    std::copy_n(b.data, b.size(), y.data + a.size());
    if (y.adjoint)
        a.tape->reverse([=] {
            if (a.adjoint) a.gradient() += y.gradient().leftCols(a.cols);
            if (b.adjoint) b.gradient() += y.gradient().rightCols(b.cols);
        });
    return y;
}

/// Column-wise softmax.
template <class T>
Value<T> softmax(Value<T> x) {
    Value<T> p = x.tape->make(x.rows, x.cols, x.adjoint != nullptr);
    for (int c = 0; c < x.cols; ++c) {
        auto in = x.array().col(c);
        auto out = p.array().col(c);
        out = (in - in.maxCoeff()).exp();
        out /= out.sum();
    }
    if (x.adjoint)
        x.tape->reverse([=] {
            for (int c = 0; c < x.cols; ++c) {
                auto pc = p.array().col(c);
                auto gc = p.gradientArray().col(c);
                x.gradientArray().col(c) += pc * (gc - (pc * gc).sum());
            }
        });
    return p;
}

/// Sum over columns of -log softmax(x)[target], target given as one class index a column. Returns a 1 x 1 Value.
template <class T>
Value<T> softmaxCrossEntropy(Value<T> x, const int* target) {
    Value<T> loss = x.tape->make(1, 1, x.adjoint != nullptr);
    Value<T> p = softmax(x.constant());
    int* classes = x.tape->arena().template array<int>(static_cast<std::size_t>(x.cols));
    std::copy_n(target, x.cols, classes);
    loss.data[0] = T(0);
    for (int c = 0; c < x.cols; ++c) {
        const auto in = x.array().col(c);
        const T top = in.maxCoeff();
        loss.data[0] += top + std::log((in - top).exp().sum()) - in(classes[c]);
    }
    if (x.adjoint)
        x.tape->reverse([=] {
            for (int c = 0; c < x.cols; ++c) {
                x.gradientArray().col(c) += loss.adjoint[0] * p.array().col(c);
                x.gradientColumn(c)[classes[c]] -= loss.adjoint[0];
            }
        });
    return loss;
}

/// How the columns of a matrix are made orthonormal: not at all, by Householder reflections (LAPACK's signs), or with a
/// positive diagonal of the triangular factor (smooth in the matrix).
enum class Orthonormal { none, householder, positive };

/// The orthonormal factor Q of the thin factorisation L = Q U (U upper triangular). A pivot of U smaller than 1e-8 is
/// replaced by 1e-8 in the adjoint, which would otherwise divide by it.
template <class T>
Value<T> orthonormalise(Orthonormal convention, Value<T> L) {
    if (convention == Orthonormal::none) return L;
    const int n = L.rows, k = L.cols;
    Tape<T>& tape = *L.tape;
    Value<T> Q = tape.make(n, k), A = tape.make(n, k, false), U = tape.constant(k, k, T(0));
    T* scale = tape.arena().template array<T>(static_cast<std::size_t>(k));
    std::copy_n(L.data, L.size(), A.data);
    auto a = A.value();
    for (int j = 0; j < k; ++j) { // reflector j: v = a(j:, j) with v(j) changed, H = 1 - scale v v^T
        auto v = a.col(j).tail(n - j);
        const T norm = v.norm(), pivot = v(0) > T(0) ? -norm : norm;
        v(0) -= pivot;
        const T square = v.squaredNorm();
        scale[j] = square > T(0) ? T(2) / square : T(0);
        for (int c = j + 1; c < k; ++c) a.col(c).tail(n - j) -= (scale[j] * v.dot(a.col(c).tail(n - j))) * v;
        U.value()(j, j) = pivot;
        for (int c = j + 1; c < k; ++c) U.value()(j, c) = a(j, c);
    }
    auto q = Q.value();
    q.setIdentity();
    for (int j = k - 1; j >= 0; --j) {
        const auto v = a.col(j).tail(n - j);
        for (int c = 0; c < k; ++c) q.col(c).tail(n - j) -= (scale[j] * v.dot(q.col(c).tail(n - j))) * v;
    }
    if (convention == Orthonormal::positive)
        for (int j = 0; j < k; ++j)
            if (U.value()(j, j) < T(0)) {
                q.col(j) *= T(-1);
                U.value().row(j) *= T(-1);
            }
    if (L.adjoint) {
        Value<T> work = tape.make(n, k, false), P = tape.make(k, k, false);
        tape.reverse([=] { // dL = (dQ + Q S) U^-T with S = tril(P) + strict_tril(P)^T, P = -dQ^T Q
            auto p = P.value();
            p.noalias() = Q.gradient().transpose() * Q.value(); // the sign apart: a negated product takes memory
            p = -p;
            for (int c = 0; c < k; ++c)
                for (int r = 0; r < c; ++r) p(r, c) = p(c, r);
            auto w = work.value();
            w = Q.gradient();
            w.noalias() += Q.value() * p;
            for (int j = k - 1; j >= 0; --j) { // solve X U^T = w from the last column to the first
                T diagonal = U.value()(j, j);
                if (std::abs(diagonal) < T(1e-8)) diagonal = diagonal < T(0) ? T(-1e-8) : T(1e-8);
                for (int c = j + 1; c < k; ++c) w.col(j) -= U.value()(j, c) * w.col(c);
                w.col(j) /= diagonal;
            }
            L.gradient() += w;
        });
    }
    return Q;
}

} // namespace raphe
