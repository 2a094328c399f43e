// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/packed.h"

#include <Eigen/Core>

#include <type_traits>

/// Elementwise work on the units of a layer in vectors of some lanes, for cells with gates.
namespace raphe::lanewise {

template <class T, int L>
using Lanes = Eigen::Array<T, L, 1>;

template <int L, class T>
Lanes<T, L> load(const T* from) {
    return Eigen::Map<const Lanes<T, L>>(from);
}
template <class T, int L>
void store(const Lanes<T, L>& x, T* to) {
    Eigen::Map<Lanes<T, L>>{to} = x;
}
/// Of lanes, or of an expression in them.
template <class X>
typename X::PlainObject sigmoid(const X& x) {
    using T = typename X::Scalar;
    return T(0.5) + T(0.5) * (T(0.5) * x).tanh();
}

/// Works on the units of each column in vectors of L: calls keep(compute(L, column, unit), column, unit). A last one
/// that would go beyond the column is moved up (and narrower, if that is enough). It is computed before the others have
/// changed anything, and kept after them.
template <class T, class Compute, class Keep>
void forUnits(int units, int columns, Compute compute, Keep keep) {
    using Registers = detail::RegisterProduct<T>;
    const auto sweep = [&](auto wide, auto narrow) {
        const int last = units - narrow(), whole = (units - 1) / wide() * wide();
        for (int c = 0; c < columns; ++c) {
            const auto rest = compute(narrow, c, last);
            for (int i = 0; i < whole; i += wide()) keep(compute(wide, c, i), c, i);
            keep(rest, c, last);
        }
    };
    constexpr std::integral_constant<int, 1> one;
    if (units < Registers::fewest) return sweep(one, one);
    int width = Registers::lanes;
    while (width > units) width /= 2;
    Registers::template withLanes<Registers::lanes>(width, [&](auto wide) {
        Registers::template withLanes<wide()>(Registers::lanesFor((units - 1) % wide() + 1),
                                              [&](auto narrow) { sweep(wide, narrow); });
    });
}

} // namespace raphe::lanewise
