// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/runs/run.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

namespace raphe {

enum class JobState { waiting, starting, running, paused, stopping, done, stopped, failed };
const char* nameOf(JobState state);

/// What a job has measured: each metric by iteration.
struct MetricHistory {
    std::vector<double> iterations;
    std::map<std::string, std::vector<double>> metrics; ///< as long as `iterations`; NaN where there was no value

    void append(std::int64_t iteration, const NamedNumbers& values);
};

/// What is known of a job at one moment.
struct JobStatus {
    JobState state = JobState::waiting;
    int iteration = 0, iterations = 0;
    double within = 0; ///< part of the iteration under way
    double rate = 0;   ///< iterations per second, of late
    std::string stage;
    std::string message; ///< why it failed, or the hash of what it led to

    bool active() const { return state >= JobState::starting && state <= JobState::stopping; }
    bool ended() const { return state >= JobState::done; }
    std::optional<double> remainingSeconds() const;
};

/// A run of a frozen copy of an experiment, on a thread of its own, through runExperiment(). Everything public is for
/// the GUI thread and never waits for the computing, except the destructor.
class RunJob final : private SessionObserver {
public:
    RunJob(Experiment experiment, const PluginHost& plugins, RunOptions options);
    /// Stops the run after a checkpoint, if it is under way.
    ~RunJob() override;

    const Experiment& experiment() const { return experiment_; }
    const std::filesystem::path& folder() const { return options_.folder; }
    int threads() const { return options_.session.threads; }
    /// @pre it has not been started
    void setThreads(int threads) { options_.session.threads = threads; }

    void start(bool pauseAfterOne = false);
    void pause();
    void resume();
    void step(); ///< one iteration, then pause
    void stop();

    JobStatus status() const;
    /// Moves what has been measured since the last call to the end of history(). @return whether there was any
    bool collect();
    const MetricHistory& history() const { return history_; }

    /// Calls `read` with the session, on the calling thread (not the GUI's), beside the training. @return false if
    /// there is no session at present
    bool withSession(const std::function<void(Session&)>& read);

private:
    void work();
    void onIteration(Session& session, const IterationReport& report) override;
    void onProgress(Session& session, double fraction) override;
    void onPaused(Session& session) override;
    void onResumed(Session& session) override;
    void setState(JobState state, const std::string& message = {});
    void control(const std::function<void(Session&)>& act);

    const Experiment experiment_;
    const PluginHost& plugins_;
    RunOptions options_;
    std::thread thread_;
    std::atomic<bool> pauseAfterOne_{false};

    mutable std::mutex mutex_; ///< of what follows
    JobStatus status_;
    std::vector<std::pair<std::int64_t, NamedNumbers>> fresh_;
    bool stopWanted_ = false;
    Session* session_ = nullptr;
    std::chrono::steady_clock::time_point measuredFrom_;
    int measuredIteration_ = -1;

    std::shared_mutex sessionLife_; ///< held shared by readers of the session, and alone by who ends it
    MetricHistory history_;
};

} // namespace raphe
