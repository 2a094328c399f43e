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

/// Of the folder of a run while it is being removed.
constexpr const char* removedPrefix = ".removed-";

/// What the files of a run say, whatever is asked of it.
struct StudyRunRecord {
    StudyRunState state = StudyRunState::missing; ///< trained where the training is done
    std::int64_t iterations = 0;
    std::string hash, problem;
    struct Measure {
        std::string name;
        std::int64_t definition; ///< a hash of what was written when it was taken
        double value;
    };
    std::vector<Measure> measures;
};
/// Done where all these measures have been taken as they are defined now.
StudyRunStatus statusOf(const StudyRunRecord& record, const std::vector<StudyMeasure>& measures);

/// The folder of a study: runs, and what is known of each. Several processes may use it at once.
class StudyFolder {
public:
    explicit StudyFolder(std::filesystem::path path) : path_(std::move(path)) {}
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path run(const std::string& id) const { return path_ / "runs" / id; }
    std::filesystem::path log(const std::string& id) const { return run(id) / "log.txt"; }

    /// Writes down the study. @throws Error if it cannot be written
    void prepare(const Study& study) const;
    /// Writes down what a worker needs for a run.
    void prepare(const Study& study, const StudyRun& run) const;
    /// Never throws: what cannot be read is a problem of the run.
    StudyRunRecord record(const std::string& id) const;
    StudyRunStatus status(const StudyRun& run, const std::vector<StudyMeasure>& measures) const {
        return statusOf(record(run.id), measures);
    }
    /// Writes down what was measured, beside what is there. @param values  by name
    void setMeasures(const std::string& id, const std::vector<StudyMeasure>& measures,
                     const std::map<std::string, double>& values) const;
    /// Whether a worker is at it, on this machine or on one that shares the folder's locks.
    bool claimed(const std::string& id) const;
    void setFailure(const std::string& id, const std::string& sentence) const;
    void forgetFailure(const std::string& id) const;
    /// The last lines of a worker's log.
    std::string logTail(const std::string& id, std::size_t lines = 3) const;
    /// IDs of runs that the plan does not have, and what is left of removed ones.
    std::vector<std::string> strays(const std::vector<StudyRun>& plan) const;

private:
    std::filesystem::path path_;
};

/// One folder holds one study: in another one's folder, the runs of the first would be taken for leftovers.
/// @throws Error if the folder holds a study of another name
void requireFolderOf(const Study& study, const StudyFolder& folder);

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
