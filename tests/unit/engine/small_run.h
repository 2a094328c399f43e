// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/runs/run_store.h"

#include <filesystem>
#include <string>

namespace raphe::test {

struct SmallRun {
    std::string experiment = "cue", hidden = "8", seed = "3", exit = "done", start = "2026-11-20T09:30:00Z";
    double reward = 10;
    int iterations = 40;
};

/// A run as the engine writes them, with a reward that is 0 but for the last 5 %.
inline void writeRun(const std::filesystem::path& folder, const SmallRun& run = {}) {
    auto store = RunStore::create(folder, R"({"raphe": 1, "name": ")" + run.experiment +
                                              R"(", "trials": 4, "iterations": )" + std::to_string(run.iterations) +
                                              R"(, "nodes": {"agent": {"mechanism": "model.plastic_rnn", "params": )" +
                                              R"({"hidden": )" + run.hidden + R"(, "rule": "simple"}}}})");
    store.setProvenance("seed", run.seed);
    store.setProvenance("start", run.start);
    if (!run.exit.empty()) store.setProvenance("exit", run.exit);
    for (int i = 0; i < run.iterations; ++i)
        store.appendMetrics(
            {i, 0.5 * (i + 1), {{"reward", i < run.iterations - run.iterations / 20 ? 0 : run.reward}, {"loss", 1}}});
    store.commitCheckpoint({run.iterations - 1, {}, "{}"});
}

} // namespace raphe::test
