// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/index.h"
#include "engine/base/interrupt.h"
#include "engine/graph/network.h"

#include <limits>
#include <optional>
#include <vector>

namespace raphe {

/// An intervention with its names resolved.
struct ResolvedIntervention {
    int node = -1, port = -1;
    int parameter = -1; ///< index in Network::parameters(), or -1 if a port or a state is meant
    int state = -1;     ///< of the node, exchanged before step `from`; or -1
    int component = -1; ///< the first unit, or row-major entry of the tensor; -1: all
    int count = 1;      ///< of components
    Operation operation = Operation::clamp;
    double value = 0;
    std::uint64_t entity = 0; ///< address of the random numbers of noise
    int from = 0, to = std::numeric_limits<int>::max();

    bool actsOn(int index) const { return component < 0 || (index >= component && index - component < count); }
};

/// What decides how a chunk of trials is swept; the same for all chunks.
template <class T>
struct SweepPlan {
    const Network<T>* network = nullptr;
    int steps = 0;
    int trials =
        0; ///< columns of a step; a chunk at the end of a batch is filled up with further trials that do not count
    double dt = 1;
    std::uint64_t seed = 0;
    std::size_t memoryBytes = 0;
    std::vector<ResolvedIntervention> interventions;
    bool streams = false;                    ///< a trial that ends begins anew, and goes on in the next sweep
    int burnIn = 0;                          ///< of the steps: the first so many are swept without a gradient
    const std::vector<int>* ports = nullptr; ///< of the rule: a replay computes what these need; null: the task runs
    std::vector<int> marks;                  ///< steps before which what is carried is kept, in ascending order
    bool beyondHorizon = false;              ///< also after the horizon, where trials are no streams
    bool following = false;                  ///< keep what the rule's ports show after a trial's last step
    std::optional<Credit> credit = std::nullopt; ///< in place of the rule's
    const Interrupt* interrupt = nullptr;        ///< is polled at every step
};

/// Which trials a sweep is about.
struct TrialRange {
    std::uint32_t iteration = 0;
    std::uint32_t first = 0;
    int counted = 0; ///< trials that count, <= SweepPlan::trials
    int batch = 0;   ///< trials of the whole batch
};

/// Signals given from outside instead of being computed: (steps x trials) columns, step-major.
template <class T>
struct GivenSignal {
    int node, port;
    std::vector<T> values;
};

template <class T>
struct GivenState {
    int node, state;
    std::vector<T> values; ///< rows x columns of the state (dense) for each trial
};

/// The place where a number first was not finite: a signal, or a state where `port` is -1. The trial is that of the
/// batch, unless it was a replay's column.
struct NonFinite {
    int node = -1, port = -1, step = 0, trial = 0;
    int state = -1;
};

/// Outputs by node and port, e.g. those that are known before a sweep.
using PortMask = std::vector<std::vector<bool>>;

/// Outputs that a replay knows: what the task said, and what was drawn.
PortMask replayKnown(const Graph& graph);
/// Nodes whose outputs reach these ports of the rule directly and are not known.
std::vector<bool> sourcesOf(const Graph& graph, const std::vector<int>& rulePorts, const PortMask& known);

/// Steps that are recorded on the tape together.
struct Segment {
    int start = 0, count = 0;
};

/// Segments as long as the memory budget allows, but no shorter than sqrt(steps): then checkpoints and recorded steps
/// together take least. A parameter is constant within a segment, and a burn-in ends one.
template <class T>
std::vector<Segment> planSegments(const SweepPlan<T>& plan);
/// Steps of such a segment where nothing else ends one.
int segmentSteps(double bytesPerStep, int steps, double memoryBytes);

/// Bytes that one recorded step of a chunk takes, about.
template <class T>
double recordedBytes(const Network<T>& network, int trials);

} // namespace raphe
