// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/runs/run.h"

#include <cstdint>
#include <string>
#include <vector>

namespace raphe {

/// What came out when a run was computed again.
struct Reproduction {
    bool same = false;
    std::string expected, hash;  ///< run hashes; hash is empty where it was not computed to the end
    std::int64_t iteration = -1; ///< the first one that differs
    std::string metric;          ///< that differs there, with both values
    std::string signal;          ///< recorded signal that differs first in time, as node.port
    int step = -1, trial = -1, unit = -1;
    std::string values; ///< of that number: then and now
    std::string tensor; ///< first tensor that differs
    /// Iterations after which the stored weights, run again, give the signal or the tensor that differs: 0 for those of
    /// the beginning; -1 if recorded signals told it.
    std::int64_t tracedAfter = -1;
    bool traced = false;          ///< there were traces to compare
    bool signalsRecorded = false; ///< there were signals of this iteration to compare
    struct Change {
        std::string key, then, now;
    };
    std::vector<Change> environment; ///< what is not as it was: version, plugins, processor

    std::string sentence() const;

private:
    std::string weightsText() const, whereText() const;
};

/// The session of a run after so many iterations, all of them computed anew; a branch begins as its trunk does. With
/// fewer iterations if it was cancelled.
std::unique_ptr<Session> computeAgain(const std::filesystem::path& run, int iterations, const PluginHost& plugins,
                                      const SessionOptions& options, SessionObserver& observer,
                                      const RunStarted& started = {});

/// Computes a run again, iteration by iteration, up to the first difference to what it stored. Nothing is written.
/// @throws Error if the run's mechanisms are missing; Cancelled
Reproduction reproduce(const std::filesystem::path& run, const PluginHost& plugins, const SessionOptions& options,
                       SessionObserver* observer = nullptr, const RunStarted& started = {});

} // namespace raphe
