// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/studies/study_plan.h"

#include <map>

namespace raphe {

class PluginHost;
class SessionObserver;
class Session;

enum class StudyRunState { missing, interrupted, running, trained, failed, done };
const char* nameOf(StudyRunState state);

/// What a study folder says of a run.
struct StudyRunStatus {
    StudyRunState state = StudyRunState::missing;
    std::int64_t iterations = 0;            ///< stored
    std::map<std::string, double> measures; ///< those that have been taken
    std::string hash;                       ///< of the run
    std::string problem;                    ///< why it failed
};

/// The folder of a study: runs, and what is known of each. Several processes may use it at once.
class StudyFolder {
public:
    explicit StudyFolder(std::filesystem::path path) : path_(std::move(path)) {}
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path run(const std::string& id) const { return path_ / "runs" / id; }
    std::filesystem::path log(const std::string& id) const { return run(id) / "log.txt"; }

    /// Writes down the study and what its workers need for these runs. @throws Error if it cannot be written
    void prepare(const Study& study, const std::vector<const StudyRun*>& runs) const;
    /// Never throws: what cannot be read is a problem of the run.
    StudyRunStatus status(const StudyRun& run, const std::vector<StudyMeasure>& measures) const;
    /// Whether a worker is at it, on this machine or on one that shares the folder's locks.
    bool claimed(const std::string& id) const;
    void setFailure(const std::string& id, const std::string& sentence) const;
    void forgetFailure(const std::string& id) const;
    /// The last lines of a worker's log.
    std::string logTail(const std::string& id, std::size_t lines = 3) const;
    /// Folders of runs that the plan does not have.
    std::vector<std::filesystem::path> strays(const std::vector<StudyRun>& plan) const;

private:
    std::filesystem::path path_;
};

/// How a worker ended; its exit code.
enum class WorkResult { done = 0, failed = 1, claimed = 75, interrupted = 130 };
struct WorkOptions {
    int threads = 1;
    SessionObserver* observer = nullptr;
    /// See runExperiment.
    std::function<std::shared_ptr<void>(Session&, const std::filesystem::path&)> started;
};
/// What a worker does: claims the run, trains it or goes on, takes the measures. A failure is written down in the
/// folder and thrown.
WorkResult workOn(const StudyFolder& folder, const std::string& id, const PluginHost& plugins,
                  const WorkOptions& options);

} // namespace raphe
