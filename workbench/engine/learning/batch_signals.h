// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/reduction.h"
#include "engine/learning/setup.h"
#include "engine/learning/sweep_pool.h"

#include <vector>

namespace raphe {

/// By port of the rule: units x (steps * trials) of a whole batch.
template <class T>
using BatchSignals = std::vector<std::vector<T>>;

template <class T>
BatchSignals<T> makeBatchSignals(const Setup<T>& setup, int trials) {
    BatchSignals<T> signals;
    const auto& rule = setup.graph.nodes()[at(setup.graph.rule())];
    for (std::size_t p = 0; p < rule.portSizes.size(); ++p)
        signals.emplace_back(rule.wired[p] ? at(rule.portSizes[p]) * at(setup.steps) * at(trials) : 0);
    return signals;
}

template <class T>
void copyToBatch(const Setup<T>& setup, const Sweep<T>& sweep, const TrialRange& range, BatchSignals<T>& signals) {
    const auto& rule = setup.graph.nodes()[at(setup.graph.rule())];
    for (std::size_t p = 0; p < signals.size(); ++p) {
        const auto rows = at(rule.portSizes[p]);
        if (signals[p].empty()) continue;
        for (int t = 0; t < setup.steps; ++t)
            std::copy_n(sweep.ruleInput(p).data() + rows * at(t) * at(sweep.trials()), rows * at(range.counted),
                        signals[p].data() + rows * (at(t) * at(range.batch) + range.first));
    }
}

/// Runs trials of a stream of their own and scores them. @param act  runs a sweep forwards  @param watch  sees each
/// sweep after its pass; both on any thread
template <class T, class Act, class Watch>
Summary scoreTrials(const Setup<T>& setup, SweepPlan<T> plan, int trials, std::uint32_t stream, Executor& executor,
                    const std::vector<std::pair<int, int>>& captured, Act act, Watch watch) {
    plan.seed = addressOf("evaluation", setup.experiment.seed);
    plan.streams = false;
    const int chunks = setup.chunksOf(trials);
    const bool scored = setup.graph.rule() >= 0;
    const bool needsBatch = scored && plan.network->rule().needsBatch();
    SweepPool<T> pool(std::move(plan));
    BatchSignals<T> signals;
    std::vector<const T*> pointers;
    if (needsBatch) {
        signals = makeBatchSignals(setup, trials);
        executor.run(chunks, [&](int c) {
            pool.with([&](Sweep<T>& sweep) {
                const auto range = setup.rangeOf(stream, c, trials);
                act(sweep, range);
                copyToBatch(setup, sweep, range, signals);
            });
        });
        for (const auto& signal : signals) pointers.push_back(signal.data());
    }
    std::vector<ChunkResult<T>> results(at(chunks));
    executor.run(chunks, [&](int c) {
        pool.with([&](Sweep<T>& sweep) {
            const auto range = setup.rangeOf(stream, c, trials);
            sweep.capture(captured);
            act(sweep, range);
            if (scored) {
                sweep.score(range, pointers.empty() ? nullptr : &pointers, nullptr, false);
                results[at(c)].take(sweep.objective());
            }
            watch(sweep, range);
        });
    });
    return scored ? summarise(results, results.size()) : Summary{};
}

template <class T>
Summary scoreTrials(const Setup<T>& setup, SweepPlan<T> plan, const T* weights, int trials, std::uint32_t stream,
                    Executor& executor) {
    return scoreTrials(
        setup, std::move(plan), trials, stream, executor, {},
        [weights](Sweep<T>& sweep, const TrialRange& range) { sweep.act(range, weights); },
        [](Sweep<T>&, const TrialRange&) {});
}

} // namespace raphe
