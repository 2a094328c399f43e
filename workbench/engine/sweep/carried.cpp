// SPDX-License-Identifier: Apache-2.0
#include "engine/sweep/carried.h"

#include <algorithm>
#include <cmath>

namespace raphe {

template <class T>
Carried<T>::Carried(const Network<T>& network, int trials) : network_(network), trials_(trials) {
    const auto& nodes = network.nodes();
    const auto& wires = network.graph().wires();
    states_.resize(nodes.size());
    stateAdjoints_.resize(nodes.size());
    for (std::size_t n = 0; n < nodes.size(); ++n)
        for (const auto& state : nodes[n].states) {
            states_[n].emplace_back(state.size() * at(trials));
            stateAdjoints_[n].emplace_back(state.size() * at(trials));
        }
    for (const auto& wire : wires) {
        const auto size = wire.delayed ? at(wire.size) * at(trials) : 0;
        delays_.emplace_back(size);
        delayAdjoints_.emplace_back(size);
    }
    for (std::size_t n = 0; n < nodes.size(); ++n)
        for (std::size_t k = 0; k < nodes[n].states.size(); ++k)
            pieces_.push_back({static_cast<int>(n), &states_[n][k], &stateAdjoints_[n][k], nodes[n].states[k].size()});
    for (std::size_t w = 0; w < wires.size(); ++w)
        if (wires[w].delayed)
            pieces_.push_back({wires[w].fromNode, &delays_[w], &delayAdjoints_[w], at(wires[w].size)});
    for (const auto& piece : pieces_) size_ += piece.values->size();
}

template <class T>
int Carried<T>::shownState(int wire) const {
    const auto& w = network_.graph().wires()[at(wire)];
    return w.delayed ? network_.nodes()[at(w.fromNode)].shownState[at(w.fromPort)] : -1;
}

template <class T>
T Carried<T>::initialDelay(int wire) const {
    const auto& w = network_.graph().wires()[at(wire)];
    const int shown = shownState(wire);
    const double value = shown >= 0 ? network_.nodes()[at(w.fromNode)].states[at(shown)].initial
                                    : network_.graph().nodes()[at(w.toNode)].declaration().ports[at(w.toPort)].neutral;
    return static_cast<T>(value);
}

template <class T>
void Carried<T>::start() {
    for (std::size_t n = 0; n < states_.size(); ++n)
        for (std::size_t k = 0; k < states_[n].size(); ++k)
            std::fill_n(states_[n][k].data(), states_[n][k].size(),
                        static_cast<T>(network_.nodes()[n].states[k].initial));
    for (std::size_t w = 0; w < delays_.size(); ++w)
        std::fill_n(delays_[w].data(), delays_[w].size(), initialDelay(static_cast<int>(w)));
}

template <class T>
void Carried<T>::start(int trial) {
    for (std::size_t n = 0; n < states_.size(); ++n)
        for (std::size_t k = 0; k < states_[n].size(); ++k) {
            const auto& info = network_.nodes()[n].states[k];
            std::fill_n(states_[n][k].data() + info.size() * at(trial), info.size(), static_cast<T>(info.initial));
        }
    for (std::size_t w = 0; w < delays_.size(); ++w) {
        const auto rows = delays_[w].size() / at(trials_);
        std::fill_n(delays_[w].data() + rows * at(trial), rows, initialDelay(static_cast<int>(w)));
    }
}

template <class T>
bool Carried<T>::finite() const {
    for (const auto& node : states_)
        for (const auto& state : node) {
            double sum = 0;
            for (std::size_t i = 0; i < state.size(); ++i) sum += std::abs(static_cast<double>(state[i]));
            if (!std::isfinite(sum)) return false;
        }
    return true;
}

template <class T>
void Carried<T>::set(const GivenState<T>& given) {
    const auto& info = network_.nodes()[at(given.node)].states[at(given.state)];
    T* to = state(given.node, given.state).data();
    const auto dense = at(info.rows) * at(info.columns);
    for (int b = 0; b < trials_; ++b)
        for (int c = 0; c < info.columns; ++c)
            std::copy_n(given.values.data() + at(b) * dense + at(c) * at(info.rows), info.rows,
                        to + at(b) * info.size() + at(c) * at(info.stride));
    const auto& wires = network_.graph().wires();
    for (std::size_t w = 0; w < wires.size(); ++w)
        if (wires[w].fromNode == given.node && shownState(static_cast<int>(w)) == given.state)
            std::copy_n(to, delays_[w].size(), delays_[w].data());
}

template <class T>
GivenState<T> Carried<T>::get(int node, int k, const T* from) const {
    const auto& info = network_.nodes()[at(node)].states[at(k)];
    GivenState<T> result{node, k, {}};
    for (int b = 0; b < trials_; ++b)
        for (int c = 0; c < info.columns; ++c) {
            const T* column = from + at(b) * info.size() + at(c) * at(info.stride);
            result.values.insert(result.values.end(), column, column + info.rows);
        }
    return result;
}

template <class T>
void Carried<T>::exchange(int node, int k, bool adjoints) {
    const auto swapPairs = [&](AlignedArray<T>& values) {
        const auto size = values.size() / at(trials_);
        for (int b = 0; b + 1 < trials_; b += 2)
            std::swap_ranges(values.data() + at(b) * size, values.data() + at(b + 1) * size,
                             values.data() + at(b + 1) * size);
    };
    swapPairs(adjoints ? stateAdjoint(node, k) : state(node, k));
    const auto& wires = network_.graph().wires();
    for (std::size_t w = 0; w < wires.size(); ++w)
        if (const int wire = static_cast<int>(w); wires[w].fromNode == node && shownState(wire) == k)
            swapPairs(adjoints ? delayAdjoint(wire) : delay(wire));
}

template <class T>
void Carried<T>::save(T* to) const {
    for (const auto& piece : pieces_) to = std::copy_n(piece.values->data(), piece.values->size(), to);
}
template <class T>
void Carried<T>::load(const T* from) {
    for (const auto& piece : pieces_) {
        std::copy_n(from, piece.values->size(), piece.values->data());
        from += piece.values->size();
    }
}
template <class T>
void Carried<T>::saveTrial(int trial, T* to) const {
    for (const auto& piece : pieces_)
        to = std::copy_n(piece.values->data() + piece.trialSize * at(trial), piece.trialSize, to);
}
template <class T>
void Carried<T>::copyTrial(const T* from, T* to, const std::vector<bool>& nodes) const {
    for (const auto& piece : pieces_) {
        if (nodes[at(piece.node)]) std::copy_n(from, piece.trialSize, to);
        from += piece.trialSize;
        to += piece.trialSize;
    }
}
template <class T>
void Carried<T>::loadTrial(int trial, const T* from) {
    for (const auto& piece : pieces_) {
        std::copy_n(from, piece.trialSize, piece.values->data() + piece.trialSize * at(trial));
        from += piece.trialSize;
    }
}

template <class T>
void Carried<T>::clearAdjoints() {
    for (const auto& piece : pieces_) piece.adjoints->clear();
}
template <class T>
void Carried<T>::clearAdjoints(int trial) {
    for (const auto& piece : pieces_)
        std::fill_n(piece.adjoints->data() + piece.trialSize * at(trial), piece.trialSize, T(0));
}

template class Carried<float>;
template class Carried<double>;

} // namespace raphe
