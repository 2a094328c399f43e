// SPDX-License-Identifier: Apache-2.0
// A sweep in open loop: signals and initial states are given, gradients of both are returned.
#include "engine/sweep/sweep.h"

#include <algorithm>

namespace raphe {

template <class T>
void Sweep<T>::give(std::vector<GivenSignal<T>> signals, std::vector<GivenState<T>> initialStates, bool wantRuleOnly) {
    givenStates_ = std::move(initialStates);
    given_ = true;
    auto known = taskKnown_;
    for (auto& signal : signals) {
        auto& store = known_.values(signal.node, signal.port);
        std::copy(signal.values.begin(), signal.values.end(), store.data());
        known[at(signal.node)][at(signal.port)] = true;
    }
    std::vector<bool> wanted(graph_.nodes().size(), !wantRuleOnly);
    if (graph_.rule() >= 0) wanted[at(graph_.rule())] = true;
    replayKnown_ = known;
    actingStages_ = graph_.stages(known, wanted);
    learningStages_ = actingStages_;
}

template <class T>
typename Sweep<T>::Gradients Sweep<T>::differentiate(const TrialRange& range, const T* weights, T* gradient,
                                                     const Terminal& terminal,
                                                     const std::vector<std::pair<int, int>>& givenPorts) {
    start(range, weights, gradient);
    terminal_ = &terminal;
    Gradients result;
    for (auto [node, port] : givenPorts) known_.adjoint(node, port).clear();
    wantKnownAdjoints_ = !givenPorts.empty();
    settle_ = true;
    forward(segments_.size() == 1);
    backward(segments_.size() == 1);
    settle_ = false;
    wantKnownAdjoints_ = false;
    terminal_ = nullptr;
    for (auto [node, port] : givenPorts) {
        const auto& store = known_.adjoint(node, port);
        result.given.push_back({node, port, std::vector<T>(store.data(), store.data() + store.size())});
    }
    for (std::size_t w = 0; w < graph_.wires().size(); ++w)
        if (const int wire = static_cast<int>(w), shown = carried_.shownState(wire); shown >= 0) {
            const auto& from = carried_.delayAdjoint(wire);
            T* to = carried_.stateAdjoint(graph_.wires()[w].fromNode, shown).data();
            for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
        }
    for (std::size_t n = 0; n < network_.nodes().size(); ++n)
        for (std::size_t k = 0; k < network_.nodes()[n].states.size(); ++k) {
            const int node = static_cast<int>(n), state = static_cast<int>(k);
            result.initial.push_back(carried_.get(node, state, carried_.stateAdjoint(node, state).data()));
        }
    return result;
}

template <class T>
std::vector<GivenSignal<T>> Sweep<T>::knownSignals() {
    std::vector<GivenSignal<T>> result;
    for (std::size_t n = 0; n < graph_.nodes().size(); ++n)
        for (std::size_t p = 0; p < replayKnown_[n].size(); ++p) {
            const auto& info = graph_.nodes()[n].declaration().ports[p];
            const bool drawn = loop() && info.sampled;
            if (info.kind != PortKind::output || graph_.nodes()[n].portSizes[p] <= 0 || !(taskKnown_[n][p] || drawn))
                continue;
            const int node = static_cast<int>(n), port = static_cast<int>(p);
            const T* from = known_.values(node, port).data();
            result.push_back({node, port, std::vector<T>(from, from + columns() * at(graph_.nodes()[n].portSizes[p]))});
        }
    return result;
}

template <class T>
std::vector<bool> Sweep<T>::members() const {
    std::vector<bool> result(graph_.nodes().size());
    for (const auto& stage : actingStages_)
        for (int n : stage.nodes) result[at(n)] = true;
    return result;
}

template void Sweep<float>::give(std::vector<GivenSignal<float>>, std::vector<GivenState<float>>, bool);
template typename Sweep<float>::Gradients Sweep<float>::differentiate(const TrialRange&, const float*, float*,
                                                                      const Terminal&,
                                                                      const std::vector<std::pair<int, int>>&);
template std::vector<GivenSignal<float>> Sweep<float>::knownSignals();
template std::vector<bool> Sweep<float>::members() const;
template void Sweep<double>::give(std::vector<GivenSignal<double>>, std::vector<GivenState<double>>, bool);
template typename Sweep<double>::Gradients Sweep<double>::differentiate(const TrialRange&, const double*, double*,
                                                                        const Terminal&,
                                                                        const std::vector<std::pair<int, int>>&);
template std::vector<GivenSignal<double>> Sweep<double>::knownSignals();
template std::vector<bool> Sweep<double>::members() const;

} // namespace raphe
