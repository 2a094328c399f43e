// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/model.h"

#include <algorithm>

namespace raphe {

/// An in-place state as it will be after the step, for a model that changes few of its entries and through which no
/// gradient passes. What is recorded keeps its past.
template <class T>
Value<T> changeInPlace(Step<T>& s, State state) {
    const Value<T> before = s.state(state), after = s.advance(state);
    if (after.data != before.data) std::copy_n(before.data, before.size(), after.data);
    s.next(state, after);
    return after;
}

} // namespace raphe
