// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/credit.h"

#include <memory>
#include <vector>

namespace raphe {

/// What a model's weights learn as its activity goes along, without going back in time: traces of what was sent, and at
/// each step what the credit of that step makes of them. Where a credit has such a form, both give the same gradient.
template <class T>
class OnlineCredit {
public:
    /// One step of all trials; matrices are column-major, a column is a trial.
    struct Step {
        const T* before; ///< state before the step
        const T* input;  ///< at the model's port `input`
        const T* direct; ///< adjoint of the state after the step, as far as it came from outside of the model
    };
    virtual ~OnlineCredit() = default;
    /// @param gradients  by weight of the model, in the order of its constructor; added to; null where none is wanted
    virtual void step(const Step& step, const std::vector<T*>& gradients) = 0;
};

/// What a model needs to hand out an online form.
template <class T>
struct OnlineRequest {
    Credit credit;
    int taps = -1; ///< of modprop's filter: how many steps credit goes back at most; -1: as far as there are steps
    int trials = 1;
    std::vector<const T*> weights; ///< in the order of the constructor; must outlive what is handed out
};

} // namespace raphe
