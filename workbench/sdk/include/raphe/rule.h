// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/credit.h"
#include "raphe/iteration.h"

namespace raphe {

/// A learning rule: conducts the iterations of a training.
template <class T>
class Rule : public Mechanism<T> {
public:
    static constexpr Kind kind = Kind::rule;

    /// One iteration. Rules are immutable: what they remember is Memory, stored trials and copies.
    virtual void iterate(Iteration<T>& iteration) const = 0;
    /// Loss and metrics of trials that were run without training on them: for evaluations.
    virtual void score(Objective<T>& o) const = 0;
    /// Whether score() needs the signals of all trials of the batch.
    virtual bool needsBatch() const { return false; }
    virtual Credit credit() const { return {}; }
};

/// The plain learning rule = objective, credit and optimiser: every iteration is one gradient of a fresh batch.
template <class T>
class GradientRule : public Rule<T> {
public:
    virtual const OptimiserParams& optimiser() const = 0;
    /// Loss, metrics, and the adjoints of the signals at the rule's ports.
    virtual void objective(Objective<T>& o) const = 0;

    void iterate(Iteration<T>& iteration) const final { iteration.descend(*this); }
    void score(Objective<T>& o) const final { objective(o); }
    Credit credit() const final { return optimiser().creditPolicy(); }
};

} // namespace raphe
