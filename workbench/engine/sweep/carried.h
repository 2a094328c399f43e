// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/sweep/plan.h"

#include <vector>

namespace raphe {

/// What the trials of a chunk carry from one step to the next: the states of all nodes and what delayed wires hold,
/// each with its adjoint.
template <class T>
class Carried {
public:
    Carried(const Network<T>& network, int trials);
    Carried(const Carried&) = delete;
    Carried& operator=(const Carried&) = delete;

    AlignedArray<T>& state(int node, int k) { return states_[at(node)][at(k)]; }
    AlignedArray<T>& stateAdjoint(int node, int k) { return stateAdjoints_[at(node)][at(k)]; }
    /// Of a wire; empty unless it is delayed.
    AlignedArray<T>& delay(int wire) { return delays_[at(wire)]; }
    AlignedArray<T>& delayAdjoint(int wire) { return delayAdjoints_[at(wire)]; }

    /// The state that a delayed wire shows before the first step, or -1.
    int shownState(int wire) const;
    /// The number that a delayed wire delivers before the first step, whatever states are given.
    T initialDelay(int wire) const;

    /// Brings all trials to their start.
    void start();
    /// Brings one trial to its start.
    void start(int trial);
    /// Replaces a state's start; wires that show it follow.
    void set(const GivenState<T>& given);
    GivenState<T> get(int node, int k, const T* from) const;
    GivenState<T> get(int node, int k) const { return get(node, k, states_[at(node)][at(k)].data()); }

    /// Numbers of the chunk, and of one of its trials.
    std::size_t size() const { return size_; }
    std::size_t trialSize() const { return trials_ == 0 ? 0 : size_ / at(trials_); }
    void save(T* to) const;
    void load(const T* from);
    void saveTrial(int trial, T* to) const;
    void loadTrial(int trial, const T* from);
    /// Copies of one saved trial to another only what stems from these nodes.
    void copyTrial(const T* from, T* to, const std::vector<bool>& nodes) const;

    /// Trials 2k and 2k + 1 exchange a state, and with it what delayed wires show of it; a last one without partner
    /// keeps its own. @param adjoints  exchanges the adjoints instead
    void exchange(int node, int k, bool adjoints);

    /// Whether all states are numbers.
    bool finite() const;

    void clearAdjoints();
    void clearAdjoints(int trial);

private:
    struct Piece {
        int node;
        AlignedArray<T>*values, *adjoints;
        std::size_t trialSize;
    };

    const Network<T>& network_;
    int trials_;
    std::vector<std::vector<AlignedArray<T>>> states_, stateAdjoints_;
    std::vector<AlignedArray<T>> delays_, delayAdjoints_;
    std::vector<Piece> pieces_;
    std::size_t size_ = 0;
};

extern template class Carried<float>;
extern template class Carried<double>;

} // namespace raphe
