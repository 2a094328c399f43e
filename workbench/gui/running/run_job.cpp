// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/running/run_job.h"

#include "gui/shell/priority.h"

#include <limits>

namespace raphe {

const char* nameOf(JobState state) {
    switch (state) {
    case JobState::waiting:
        return "waiting";
    case JobState::starting:
        return "starting";
    case JobState::running:
        return "running";
    case JobState::paused:
        return "paused";
    case JobState::stopping:
        return "stopping";
    case JobState::done:
        return "done";
    case JobState::stopped:
        return "stopped";
    case JobState::failed:
        return "failed";
    }
    return "";
}

void MetricHistory::append(std::int64_t iteration, const NamedNumbers& values) {
    constexpr double gap = std::numeric_limits<double>::quiet_NaN();
    iterations.push_back(static_cast<double>(iteration));
    for (const auto& [name, value] : values) {
        auto& column = metrics[name];
        column.resize(iterations.size() - 1, gap);
        column.push_back(value);
    }
    for (auto& [name, column] : metrics) column.resize(iterations.size(), gap);
}

std::optional<double> JobStatus::remainingSeconds() const {
    if (state != JobState::running || rate <= 0) return std::nullopt;
    return (iterations - iteration - within) / rate;
}

RunJob::RunJob(Experiment experiment, const PluginHost& plugins, RunOptions options)
    : experiment_(std::move(experiment)), plugins_(plugins), options_(std::move(options)) {
    status_.iterations = options_.iterations.value_or(experiment_.iterations);
}

RunJob::~RunJob() {
    stop();
    if (thread_.joinable()) thread_.join();
}

void RunJob::start(bool pauseAfterOne) {
    pauseAfterOne_ = pauseAfterOne;
    setState(JobState::starting);
    thread_ = std::thread([this] { work(); });
}

void RunJob::work() {
    stepBackBehindTheWindow();
    // While the session lives, this is what it is reached by.
    struct Life {
        explicit Life(RunJob& of) : job(of) {}
        RunJob& job;
        ~Life() {
            const std::unique_lock readers{job.sessionLife_};
            const std::lock_guard lock{job.mutex_};
            job.session_ = nullptr;
        }
    };
    const auto started = [this](Session& session, const std::filesystem::path&) -> std::shared_ptr<void> {
        const std::lock_guard lock{mutex_};
        session_ = &session;
        status_.iteration = session.iteration();
        status_.state = stopWanted_ ? JobState::stopping : JobState::running;
        if (stopWanted_) session.cancel();
        return std::make_shared<Life>(*this);
    };
    try {
        const auto outcome = runExperiment(experiment_, plugins_, options_, this, started);
        setState(outcome.completed ? JobState::done : JobState::stopped, "run hash " + outcome.hash);
    } catch (const std::exception& error) {
        std::error_code ignored; // a folder that was only reserved goes again; one with a run in it stays
        std::filesystem::remove(options_.folder, ignored);
        setState(JobState::failed, error.what());
    }
}

void RunJob::setState(JobState state, const std::string& message) {
    const std::lock_guard lock{mutex_};
    status_.state = state;
    status_.message = message;
}

void RunJob::control(const std::function<void(Session&)>& act) {
    const std::shared_lock alive{sessionLife_, std::try_to_lock};
    if (!alive) return; // it is just coming to its end
    Session* session = nullptr;
    {
        const std::lock_guard lock{mutex_};
        session = session_;
    }
    if (session) act(*session); // without the lock, which the session's threads take to report
}

void RunJob::pause() {
    control([](Session& session) { session.pause(); });
}
void RunJob::resume() {
    control([](Session& session) { session.resume(); });
}
void RunJob::step() {
    pauseAfterOne_ = true;
    resume();
}

void RunJob::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopWanted_ = true;
        if (status_.state == JobState::waiting) status_.state = JobState::stopped;
        if (session_) status_.state = JobState::stopping;
    }
    control([](Session& session) { session.cancel(); });
}

JobStatus RunJob::status() const {
    const std::lock_guard lock{mutex_};
    return status_;
}

bool RunJob::collect() {
    std::vector<std::pair<std::int64_t, NamedNumbers>> fresh;
    {
        const std::lock_guard lock{mutex_};
        fresh.swap(fresh_);
    }
    for (const auto& [iteration, values] : fresh) history_.append(iteration, values);
    return !fresh.empty();
}

bool RunJob::withSession(const std::function<void(Session&)>& read) {
    const std::shared_lock alive{sessionLife_};
    Session* session = nullptr;
    {
        const std::lock_guard lock{mutex_};
        session = session_;
    }
    if (session) read(*session);
    return session != nullptr;
}

void RunJob::onIteration(Session& session, const IterationReport& report) {
    const auto now = std::chrono::steady_clock::now();
    if (pauseAfterOne_.exchange(false)) session.pause();
    const std::lock_guard lock{mutex_};
    fresh_.emplace_back(report.iteration, report.metrics);
    status_.iteration = report.iteration + 1;
    status_.within = 0;
    status_.stage = report.stageName;
    if (measuredIteration_ < 0) {
        measuredFrom_ = now;
        measuredIteration_ = status_.iteration;
    } else if (const double seconds = std::chrono::duration<double>(now - measuredFrom_).count(); seconds > 0.5) {
        const double rate = (status_.iteration - measuredIteration_) / seconds;
        status_.rate = status_.rate > 0 ? 0.6 * status_.rate + 0.4 * rate : rate;
        measuredFrom_ = now;
        measuredIteration_ = status_.iteration;
    }
}

void RunJob::onProgress(Session&, double fraction) {
    const std::lock_guard lock{mutex_};
    status_.within = fraction;
}

void RunJob::onPaused(Session&) {
    const std::lock_guard lock{mutex_};
    if (status_.state == JobState::running) status_.state = JobState::paused;
    measuredIteration_ = -1;
}

void RunJob::onResumed(Session&) {
    const std::lock_guard lock{mutex_};
    if (status_.state == JobState::paused) status_.state = JobState::running;
}

} // namespace raphe
