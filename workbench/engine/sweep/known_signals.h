// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/sweep/plan.h"

#include <vector>

namespace raphe {

/// Signals of a chunk for all steps that need not be computed again: what the task said, what was drawn, what was given
/// from outside. Units x (steps * trials), step-major; memory is made for those that are asked for.
template <class T>
class KnownSignals {
public:
    KnownSignals(const Graph& graph, int steps, int trials) : graph_(graph), steps_(steps), trials_(trials) {
        for (const auto& node : graph.nodes()) entries_.emplace_back(node.portSizes.size());
    }

    AlignedArray<T>& values(int node, int port) { return made(entry(node, port).values, node, port); }
    AlignedArray<T>& adjoint(int node, int port) { return made(entry(node, port).adjoint, node, port); }
    /// A view of some steps on a tape. @param differentiate  with the adjoint, if there is one
    Value<T> columns(Tape<T>& tape, int node, int port, int firstStep, int count, bool differentiate) {
        const int rows = graph_.nodes()[at(node)].portSizes[at(port)];
        const auto offset = at(rows) * at(firstStep) * at(trials_);
        const auto& adjoint = entry(node, port).adjoint;
        return {&tape, values(node, port).data() + offset,
                differentiate && adjoint.size() != 0 ? adjoint.data() + offset : nullptr, rows, count * trials_};
    }

private:
    struct Entry {
        AlignedArray<T> values, adjoint;
    };
    Entry& entry(int node, int port) { return entries_[at(node)][at(port)]; }
    AlignedArray<T>& made(AlignedArray<T>& store, int node, int port) {
        if (store.size() == 0)
            store = AlignedArray<T>(at(steps_) * at(trials_) * at(graph_.nodes()[at(node)].portSizes[at(port)]));
        return store;
    }

    const Graph& graph_;
    int steps_, trials_;
    std::vector<std::vector<Entry>> entries_;
};

} // namespace raphe
