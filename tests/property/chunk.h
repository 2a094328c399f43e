// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/sweep/sweep.h"
#include "support.h"

namespace raphe::test {

/// What the engine gives a sweep, for the first chunk of a batch.
template <class T>
struct Chunk {
    explicit Chunk(const Experiment& e)
        : experiment(e), graph(experiment, registry()), network(graph, experiment.dt), weights(network.size()),
          gradient(network.size()) {
        detail::pinBlockSizes();
        network.initialise(weights, experiment.seed);
        const int trials = experiment.trials > 0 ? experiment.trials : network.task().trialSet();
        plan.network = &network;
        plan.steps = network.task().steps();
        plan.trials = std::min(experiment.chunk > 0 ? experiment.chunk : trials, trials);
        plan.dt = experiment.dt;
        plan.seed = experiment.seed;
        plan.memoryBytes = static_cast<std::size_t>(experiment.memoryMiB * 1048576);
        range = {0, 0, plan.trials, trials};
    }
    Experiment experiment;
    Graph graph;
    Network<T> network;
    AlignedArray<T> weights, gradient;
    SweepPlan<T> plan;
    TrialRange range;
};

} // namespace raphe::test
