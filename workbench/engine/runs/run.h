// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/session.h"
#include "engine/mechanisms/plugin_host.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace raphe {

struct RunOptions {
    std::filesystem::path folder;       ///< empty: runs/NAME-TIME below the working directory
    std::optional<int> iterations;      ///< in all; otherwise the experiment's
    std::optional<int> checkpointEvery; ///< iterations; otherwise once a second
    bool resume = false;                ///< go on with the run in `folder`
    std::filesystem::path copyOf;       ///< go on with this run, as another one in `folder`
    SessionOptions session;
    std::optional<double> availableDisk; ///< bytes; otherwise what the folder's disk has free
};

struct RunOutcome {
    std::filesystem::path folder;
    std::string hash; ///< of metrics and final tensors
    int iterations = 0;
    double seconds = 0;    ///< of training
    NamedNumbers metrics;  ///< means over the last 5 % of the iterations
    bool completed = true; ///< false: cancelled (after a checkpoint)
};

/// A folder for a run that does not exist yet: NAME-TIME below `parent`, with a number behind it where there is one
/// already. The name may be any text.
std::filesystem::path freshRunFolder(const std::string& name, const std::filesystem::path& parent = "runs");

/// Called when a run's session exists and before it trains. What it returns is kept until the training has ended, e.g.
/// who watches for Ctrl-C.
using RunStarted = std::function<std::shared_ptr<void>(Session&, const std::filesystem::path&)>;

/// Trains an experiment and keeps everything in a run folder: document, provenance, metrics, recorded signals,
/// checkpoints. A killed run resumes from its last checkpoint with the same bits.
/// @throws Error  bad input (nothing is written), NumericError after a checkpoint of the last good state
RunOutcome runExperiment(const Experiment& experiment, const PluginHost& plugins, const RunOptions& options,
                         SessionObserver* observer = nullptr, const RunStarted& started = {});

/// The experiment of a run folder. `plugins` must still provide its mechanisms.
Experiment experimentOfRun(const std::filesystem::path& folder, const Registry& registry);
/// A session with the weights of a run's last checkpoint.
/// @param checkpoint  or of the one whose last iteration this is
std::unique_ptr<Session> sessionOfRun(const std::filesystem::path& folder, const Registry& registry,
                                      const SessionOptions& options = {},
                                      std::optional<std::int64_t> checkpoint = std::nullopt);

} // namespace raphe
