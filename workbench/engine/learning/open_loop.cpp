// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/open_loop.h"

#include "engine/learning/trial_states.h"

#include <fmt/format.h>

#include <cmath>

namespace raphe {

template <class T>
ForwardResult OpenLoop<T>::forward(const ForwardRequest& request, const T* weights) const {
    Given<T> given = read(request.inputs, request.initialStates);
    const auto swept = sweep(given, false);
    std::vector<std::pair<int, int>> ports;
    for (const auto& text : request.record) ports.push_back(setup_.resolvePort(text, "record"));
    swept->capture(ports);
    const TrialRange range{0, 0, given.trials, given.trials};
    swept->actAndSettle(range, weights);
    ForwardResult result;
    for (std::size_t i = 0; i < ports.size(); ++i)
        result.signals.push_back(
            {request.record[i], signalTensor(swept->captured(i), given, units(ports[i].first, ports[i].second))});
    for (std::size_t n = 0; n < setup_.network.nodes().size(); ++n)
        for (std::size_t k = 0; k < setup_.network.nodes()[n].states.size(); ++k)
            result.finalStates.push_back(
                stateTensor(setup_, swept->finalState(static_cast<int>(n), static_cast<int>(k)), given.trials));
    return result;
}

template <class T>
GradientResult OpenLoop<T>::gradient(const GradientRequest& request, const T* weights) const {
    Given<T> given = read(request.forward.inputs, request.forward.initialStates);
    std::vector<std::pair<int, int>> givenPorts;
    for (const auto& signal : given.signals) givenPorts.emplace_back(signal.node, signal.port);
    typename Sweep<T>::Terminal terminal;
    for (const auto& weight : request.outputWeights) {
        const auto [node, port] = setup_.resolvePort(weight.name, "weights");
        terminal.outputs.push_back({node, port, signalValues(weight, given.steps, given.trials, units(node, port))});
    }
    for (const auto& weight : request.stateWeights) terminal.states.push_back(readState(setup_, weight, given.trials));
    const auto swept = sweep(given, false);
    AlignedArray<T> gradient(setup_.network.size());
    const TrialRange range{0, 0, given.trials, given.trials};
    const auto gradients = swept->differentiate(range, weights, gradient.data(), terminal, givenPorts);
    GradientResult result;
    for (const auto& info : setup_.tensors)
        result.parameters.push_back({info.name, setup_.toTensor(gradient.data(), info)});
    for (const auto& g : gradients.given)
        result.inputs.push_back(
            {setup_.portName(g.node, g.port), signalTensor(g.values, given, units(g.node, g.port))});
    for (const auto& g : gradients.initial) result.initialStates.push_back(stateTensor(setup_, g, given.trials));
    return result;
}

template <class T>
std::unique_ptr<Sweep<T>> OpenLoop<T>::ruleSweep(const std::vector<NamedTensor>& inputs, TrialRange& range) const {
    auto given = read(inputs, {});
    range.first = 0;
    range.counted = range.batch = given.trials;
    return sweep(given, true);
}

template <class T>
Given<T> OpenLoop<T>::read(const std::vector<NamedTensor>& inputs,
                           const std::vector<NamedTensor>& initialStates) const {
    if (inputs.empty())
        throw Error("inputs", "no signal is given; name at least one output port, e.g. task.observation");
    Given<T> given;
    for (const auto& item : inputs) {
        const auto [node, port] = setup_.resolvePort(item.name, "inputs");
        if (given.signals.empty()) {
            if (item.tensor.shape.size() != 3 || item.tensor.shape[0] < 1 || item.tensor.shape[1] < 1 ||
                item.tensor.shape[0] > 10'000'000 || item.tensor.shape[1] > 1'000'000)
                throw Error(item.name, fmt::format("expected shape (steps, trials, units), got ({})",
                                                   fmt::join(item.tensor.shape, ", ")));
            given.steps = static_cast<int>(item.tensor.shape[0]);
            given.trials = static_cast<int>(item.tensor.shape[1]);
        }
        given.signals.push_back({node, port, signalValues(item, given.steps, given.trials, units(node, port))});
    }
    for (const auto& item : initialStates) given.states.push_back(readState(setup_, item, given.trials));
    return given;
}

template <class T>
std::unique_ptr<Sweep<T>> OpenLoop<T>::sweep(Given<T>& given, bool ruleOnly) const {
    // A signal of the task that is neither given nor computed would silently be zero.
    for (const auto& wire : setup_.graph.wires()) {
        if (wire.fromNode != setup_.graph.task()) continue;
        if (wire.toNode == setup_.graph.rule() && !ruleOnly) continue;
        bool found = false;
        for (const auto& signal : given.signals)
            found = found || (signal.node == wire.fromNode && signal.port == wire.fromPort);
        bool replaced = false; // nobody asks the receiver if all its signals are given
        for (const auto& signal : given.signals) replaced = replaced || signal.node == wire.toNode;
        if (!found && !replaced)
            throw Error("inputs", "the task is not run here, so " + setup_.portName(wire.fromNode, wire.fromPort) +
                                      " must be given as well");
    }
    auto plan = setup_.plan(given.steps, given.trials, interventions_, nullptr);
    plan.network = &network_;
    plan.streams = false;
    auto result = std::make_unique<Sweep<T>>(std::move(plan));
    result->give(given.signals, given.states, ruleOnly);
    return result;
}

/// (steps, trials, units) row-major is units x (steps * trials) column-major: the same order of numbers.
template <class T>
std::vector<T> OpenLoop<T>::signalValues(const NamedTensor& item, int steps, int trials, int units) const {
    const auto& shape = item.tensor.shape;
    if (shape.size() != 3 || shape[0] != steps || shape[1] != trials || shape[2] != units ||
        item.tensor.values.size() != at(steps) * at(trials) * at(units))
        throw Error(item.name, fmt::format("expected shape (steps, trials, units) = ({}, {}, {}), got ({})", steps,
                                           trials, units, fmt::join(shape, ", ")));
    for (double x : item.tensor.values)
        if (!std::isfinite(x)) throw Error(item.name, "holds a number that is not finite");
    return std::vector<T>(item.tensor.values.begin(), item.tensor.values.end());
}

template <class T>
Tensor OpenLoop<T>::signalTensor(const std::vector<T>& values, const Given<T>& given, int units) const {
    return {{given.steps, given.trials, units}, std::vector<double>(values.begin(), values.end()), setup_.precision()};
}

template class OpenLoop<float>;
template class OpenLoop<double>;

} // namespace raphe
