// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/setup.h"
#include "engine/sweep/sweep.h"

#include <memory>
#include <vector>

namespace raphe {

/// Signals and states from outside, with names resolved.
template <class T>
struct Given {
    std::vector<GivenSignal<T>> signals;
    std::vector<GivenState<T>> states;
    int steps = 0, trials = 0;
};

/// Computes on signals that are given from outside; the task is not run.
template <class T>
class OpenLoop {
public:
    /// @param network  the setup's, or a copy; must outlive the sweeps
    OpenLoop(const Setup<T>& setup, const Network<T>& network, std::vector<Intervention> interventions)
        : setup_(setup), network_(network), interventions_(std::move(interventions)) {}

    ForwardResult forward(const ForwardRequest& request, const T* weights) const;
    GradientResult gradient(const GradientRequest& request, const T* weights) const;
    /// A sweep over given signals, as far as the rule needs it.
    std::unique_ptr<Sweep<T>> ruleSweep(const std::vector<NamedTensor>& inputs, TrialRange& range) const;

private:
    Given<T> read(const std::vector<NamedTensor>& inputs, const std::vector<NamedTensor>& initialStates) const;
    std::unique_ptr<Sweep<T>> sweep(Given<T>& given, bool ruleOnly) const;
    std::vector<T> signalValues(const NamedTensor& item, int steps, int trials, int units) const;
    Tensor signalTensor(const std::vector<T>& values, const Given<T>& given, int units) const;
    int units(int node, int port) const { return setup_.graph.nodes()[at(node)].portSizes[at(port)]; }

    const Setup<T>& setup_;
    const Network<T>& network_;
    std::vector<Intervention> interventions_;
};

extern template class OpenLoop<float>;
extern template class OpenLoop<double>;

} // namespace raphe
