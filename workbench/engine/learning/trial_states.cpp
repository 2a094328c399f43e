// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/trial_states.h"

#include "engine/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace raphe {

namespace {

template <class T>
const auto& infoOf(const Setup<T>& setup, int node, int state) {
    return setup.network.nodes()[at(node)].states[at(state)];
}

/// Calls visit(place in the tensor, place in the state) for each number of one trial: a matrix is row by row outside,
/// and kept column by column.
template <class Info, class F>
void eachNumber(const Info& info, F visit) {
    for (int c = 0; c < info.columns; ++c)
        for (int r = 0; r < info.rows; ++r) visit(at(r) * at(info.columns) + at(c), at(c) * at(info.rows) + at(r));
}

template <class Info>
std::size_t dense(const Info& info) {
    return at(info.rows) * at(info.columns);
}

} // namespace

template <class T>
std::vector<std::string> stateNames(const Setup<T>& setup) {
    std::vector<std::string> names;
    for (std::size_t n = 0; n < setup.graph.nodes().size(); ++n)
        for (const auto& info : setup.network.nodes()[n].states)
            names.push_back(setup.graph.nodes()[n].name + "." + info.name);
    return names;
}

template <class T>
std::pair<int, int> resolveState(const Setup<T>& setup, const std::string& name) {
    const auto address = parseAddress(name, "states");
    const int node = setup.graph.requireNode(address.node, "states");
    const auto& states = setup.network.nodes()[at(node)].states;
    std::vector<std::string> names;
    for (std::size_t k = 0; k < states.size(); ++k) {
        if (states[k].name == address.port) return {node, static_cast<int>(k)};
        names.push_back(states[k].name);
    }
    throw Error(name, "the node has no state of this name" + suggestion(address.port, names));
}

template <class T>
std::vector<std::pair<int, int>> matchingStates(const Setup<T>& setup, const std::vector<std::string>& patterns) {
    const auto names = stateNames(setup);
    std::vector<bool> wanted(names.size(), false);
    for (const auto& pattern : patterns) {
        bool any = false;
        for (std::size_t i = 0; i < names.size(); ++i)
            if (matches(pattern, names[i])) wanted[i] = any = true;
        if (any) continue;
        if (pattern.find('*') == std::string::npos) resolveState(setup, pattern); // says what is close
        throw Error("states", fmt::format("no state matches \"{}\"{}", pattern, suggestion(pattern, names)));
    }
    std::vector<std::pair<int, int>> result;
    for (std::size_t i = 0; i < names.size(); ++i)
        if (wanted[i]) result.push_back(resolveState(setup, names[i]));
    return result;
}

template <class T>
GivenState<T> readState(const Setup<T>& setup, const NamedTensor& item, int trials) {
    const auto [node, index] = resolveState(setup, item.name);
    const auto& info = infoOf(setup, node, index);
    const auto& values = item.tensor.values;
    const auto size = dense(info);
    if (values.size() != size * at(trials))
        throw Error(item.name, fmt::format("expected {} numbers ({} for each of {} trials), got {}", size * at(trials),
                                           size, trials, values.size()));
    if (!std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); }))
        throw Error(item.name, "holds a number that is not finite");
    GivenState<T> state{node, index, std::vector<T>(values.size())};
    for (std::size_t first = 0; first < values.size(); first += size)
        eachNumber(info, [&](std::size_t outside, std::size_t inside) {
            state.values[first + inside] = static_cast<T>(values[first + outside]);
        });
    return state;
}

template <class T>
NamedTensor stateTensor(const Setup<T>& setup, const GivenState<T>& state, int trials) {
    const auto& info = infoOf(setup, state.node, state.state);
    const auto size = dense(info);
    NamedTensor result{setup.graph.nodes()[at(state.node)].name + "." + info.name,
                       {{trials, info.rows}, std::vector<double>(size * at(trials)), setup.precision()}};
    if (info.columns > 1) result.tensor.shape.push_back(info.columns);
    for (std::size_t first = 0; first < result.tensor.values.size(); first += size)
        eachNumber(info, [&](std::size_t outside, std::size_t inside) {
            result.tensor.values[first + outside] = static_cast<double>(state.values[first + inside]);
        });
    return result;
}

template <class T>
std::vector<GivenState<T>> statesOfChunk(const Setup<T>& setup, const std::vector<GivenState<T>>& states,
                                         const TrialRange& range, int columns) {
    std::vector<GivenState<T>> result;
    for (const auto& state : states) {
        const auto size = dense(infoOf(setup, state.node, state.state));
        GivenState<T> part{state.node, state.state, {}};
        for (int b = 0; b < columns; ++b) {
            const auto trial = range.first + static_cast<std::size_t>(std::min(b, range.counted - 1));
            const auto from = state.values.begin() + static_cast<std::ptrdiff_t>(trial * size);
            part.values.insert(part.values.end(), from, from + static_cast<std::ptrdiff_t>(size));
        }
        result.push_back(std::move(part));
    }
    return result;
}

template <class T>
GivenState<T> roomForState(const Setup<T>& setup, std::pair<int, int> state, int trials) {
    return {state.first, state.second, std::vector<T>(dense(infoOf(setup, state.first, state.second)) * at(trials))};
}

template <class T>
void keepStateOfChunk(const GivenState<T>& chunk, const TrialRange& range, GivenState<T>& all) {
    const auto size = all.values.size() / at(range.batch);
    std::copy_n(chunk.values.begin(), size * at(range.counted),
                all.values.begin() + static_cast<std::ptrdiff_t>(size * range.first));
}

#define RAPHE_TRIAL_STATES(T)                                                                                          \
    template std::vector<std::string> stateNames(const Setup<T>&);                                                     \
    template std::pair<int, int> resolveState(const Setup<T>&, const std::string&);                                    \
    template std::vector<std::pair<int, int>> matchingStates(const Setup<T>&, const std::vector<std::string>&);        \
    template GivenState<T> readState(const Setup<T>&, const NamedTensor&, int);                                        \
    template NamedTensor stateTensor(const Setup<T>&, const GivenState<T>&, int);                                      \
    template std::vector<GivenState<T>> statesOfChunk(const Setup<T>&, const std::vector<GivenState<T>>&,              \
                                                      const TrialRange&, int);                                         \
    template GivenState<T> roomForState(const Setup<T>&, std::pair<int, int>, int);                                    \
    template void keepStateOfChunk(const GivenState<T>&, const TrialRange&, GivenState<T>&);
RAPHE_TRIAL_STATES(float)
RAPHE_TRIAL_STATES(double)
#undef RAPHE_TRIAL_STATES

} // namespace raphe
