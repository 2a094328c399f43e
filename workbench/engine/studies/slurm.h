// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/studies/study_folder.h"

#include <map>

namespace raphe {

/// What the cluster is asked for. A file such as {"partition": "main", "time": "4:00:00", "memory": "4G", "cpus": 4}.
struct SlurmSettings {
    std::string partition, time, memory, account;
    int cpus = 1;                     ///< of a run
    int atOnce = 0;                   ///< runs at once; 0: as many as the cluster likes
    int warning = 60;                 ///< seconds before its end at which a job is told to write a checkpoint
    std::vector<std::string> modules; ///< loaded before the run
    std::vector<std::string> options; ///< further options of sbatch
};
/// @throws Error with every problem
SlurmSettings slurmSettings(const std::filesystem::path& file);

struct Submission {
    std::string job;                              ///< of Slurm; empty: there was nothing to submit
    std::size_t runs = 0;                         ///< in it
    std::size_t queued = 0, done = 0, failed = 0; ///< left out: in the queue already, done, failed before
};
/// Submits the runs that are missing as a job array. A job that is told to end writes a checkpoint and is queued again;
/// so is one whose node is lost. @param retry  runs that failed before, too @throws Error with what Slurm says
Submission submit(const Study& study, const std::vector<StudyRun>& plan, const StudyFolder& folder,
                  const SlurmSettings& settings, bool retry, const std::filesystem::path& program = {});

/// What the queue says of the runs of a folder, by ID: "PENDING", "RUNNING", ... Those that it does not know are not
/// there.
/// @throws Error if the queue cannot be asked
std::map<std::string, std::string> queueOf(const StudyFolder& folder);

/// Takes all jobs of a folder from the queue; running ones write a checkpoint. @return how many jobs
std::size_t cancelJobs(const StudyFolder& folder);

} // namespace raphe
