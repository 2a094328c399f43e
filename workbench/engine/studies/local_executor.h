// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/studies/study_folder.h"

#include <chrono>
#include <functional>

namespace raphe {

/// A worker at work.
struct ActiveRun {
    const StudyRun* run;
    int threads = 1;
    std::int64_t iteration = 0; ///< done
    std::string metrics;        ///< "reward 8.3", of the last iteration that it reported
    double rate = 0;            ///< iterations a second
};

struct StudyProgress {
    std::size_t total = 0, done = 0, failed = 0, elsewhere = 0, waiting = 0; ///< runs
    std::vector<ActiveRun> active;
    double remaining = -1; ///< seconds, estimated from the iterations that are left; below 0: not known yet
};

/// The program that has `study work`: raphe, beside the running one.
std::filesystem::path workerProgram();

struct LocalOptions {
    std::filesystem::path program;                      ///< empty: workerProgram()
    int workers = 0;                                    ///< at once; 0: one a core
    int cores = 0;                                      ///< that all workers share; 0: those of the machine
    bool retry = false;                                 ///< runs that failed before, too
    std::function<bool()> stop;                         ///< asked often; then all workers end after a checkpoint
    std::function<void(const StudyProgress&)> progress; ///< several times a second
    std::function<void(const StudyRun&, const StudyRunStatus&)> ended; ///< a run
};

/// Does the runs of a study that are missing, in processes of this machine, and returns what became of all runs. A run
/// that fails or crashes is written down, and the others go on. @throws Error if nothing can be started
StudyProgress runLocally(const Study& study, const std::vector<StudyRun>& plan, const StudyFolder& folder,
                         const Registry& registry, const LocalOptions& options);

} // namespace raphe
