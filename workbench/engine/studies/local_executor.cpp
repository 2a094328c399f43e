// SPDX-License-Identifier: Apache-2.0
#include "engine/studies/local_executor.h"

#include "engine/base/available.h"
#include "engine/learning/preflight.h"
#include "engine/mechanisms/plugin_host.h"
#include "engine/studies/study_results.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <deque>
#include <set>
#include <thread>

extern char** environ;

namespace raphe {

namespace {

using Clock = std::chrono::steady_clock;

/// A process that does one run, and the end of its standard output.
struct Worker {
    const StudyRun* run;
    pid_t process;
    int output;
    int threads;
    double bytes;
    std::string unread;
    Clock::time_point begun;
    std::int64_t first = -1, iteration = 0;
    std::string metrics;
};

Worker start(const StudyRun& run, const StudyFolder& folder, const std::filesystem::path& program, int threads,
             double bytes) {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0)
        throw Error("study", fmt::format("a pipe cannot be made: {}", std::strerror(errno)));
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, folder.log(run.id).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    // A group of its own: Ctrl-C on the terminal reaches workers through the executor only, once.
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    for (int signal : {SIGINT, SIGTERM, SIGPIPE}) sigaddset(&usual, signal);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const std::string path = program.string(), threadText = std::to_string(threads),
                      parent = std::to_string(::getpid());
    const std::string folderText = folder.path().string();
    std::vector<const char*> words{
        path.c_str(), "study",        "work", folderText.c_str(), run.id.c_str(), "--threads", threadText.c_str(),
        "--parent",   parent.c_str(), nullptr};
    pid_t process = -1;
    const int error =
        posix_spawn(&process, path.c_str(), &actions, &attributes, const_cast<char* const*>(words.data()), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    ::close(pipe[1]);
    if (error != 0) {
        ::close(pipe[0]);
        throw Error(path, fmt::format("cannot be started ({})", std::strerror(error)));
    }
    ::fcntl(pipe[0], F_SETFL, O_NONBLOCK);
    return {&run, process, pipe[0], threads, bytes, {}, Clock::now(), -1, 0, {}};
}

void takeLine(Worker& worker, const std::string& line) {
    const auto report = Json::parse(line, nullptr, false);
    if (!report.is_object() || !report.contains("iteration")) return;
    worker.iteration = report["iteration"].get<std::int64_t>() + 1;
    if (worker.first < 0) {
        worker.first = worker.iteration;
        worker.begun = Clock::now();
    }
    worker.metrics = report.value("text", std::string());
}

/// Takes what a worker has said. @return false at its end
bool listen(Worker& worker) {
    char buffer[4096];
    for (;;) {
        const auto count = ::read(worker.output, buffer, sizeof buffer);
        if (count < 0) return errno == EAGAIN || errno == EINTR;
        if (count == 0) return false;
        worker.unread.append(buffer, static_cast<std::size_t>(count));
        for (auto end = worker.unread.find('\n'); end != std::string::npos; end = worker.unread.find('\n')) {
            takeLine(worker, worker.unread.substr(0, end));
            worker.unread.erase(0, end + 1);
        }
    }
}

double rateOf(const Worker& worker) {
    const double seconds = std::chrono::duration<double>(Clock::now() - worker.begun).count();
    return worker.first >= 0 && seconds > 0 ? static_cast<double>(worker.iteration - worker.first) / seconds : 0;
}

/// Why a worker ended as it did, if that was no success and it has not said so itself.
std::string reasonOf(int status, const StudyFolder& folder, const std::string& id) {
    const auto tail = folder.logTail(id);
    const auto said = tail.empty() ? std::string() : "; it said last: " + tail;
    if (WIFSIGNALED(status)) {
        const int signal = WTERMSIG(status);
        return fmt::format("was ended by signal {} ({}){}{}", signal, strsignal(signal),
                           signal == SIGKILL ? ", as the system does where memory runs out" : "", said);
    }
    return fmt::format("ended with exit code {}{}", WEXITSTATUS(status), said);
}

class LocalExecutor {
public:
    LocalExecutor(const Study& study, const std::vector<StudyRun>& plan, const StudyFolder& folder,
                  const Registry& registry, const LocalOptions& options)
        : study_(study), folder_(folder), registry_(registry), options_(options),
          program_(options.program.empty() ? workerProgram() : options.program),
          cores_(options.cores > 0 ? options.cores
                                   : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))),
          workers_(options.workers > 0 ? options.workers : cores_) {
        std::set<std::string> seen;
        for (const auto& [run, status] : rowsOf(study, plan, folder)) {
            if (!seen.insert(run->id).second) continue;
            ++count_.total;
            if (status.state == StudyRunState::done)
                ++count_.done;
            else if (status.state == StudyRunState::failed && !options.retry)
                ++count_.failed;
            else
                waiting_.push_back(run);
        }
        folder.prepare(study);
    }
    ~LocalExecutor() {
        for (auto& worker : active_) { // only where something was thrown
            ::kill(worker.process, SIGINT);
            ::waitpid(worker.process, nullptr, 0);
            ::close(worker.output);
        }
    }

    StudyProgress run() {
        bool stopping = false;
        tell(true);
        while (!active_.empty() || (!waiting_.empty() && !stopping)) {
            if (!stopping) launch();
            wait();
            if (!stopping && options_.stop && options_.stop()) {
                stopping = true;
                for (const auto& worker : active_) ::kill(worker.process, SIGINT);
            }
            tell(false);
        }
        count_.waiting = waiting_.size();
        tell(true);
        return count_;
    }

private:
    void launch() {
        int free = cores_;
        double used = 0;
        for (const auto& worker : active_) {
            free -= worker.threads;
            used += worker.bytes;
        }
        while (!waiting_.empty() && free > 0 && static_cast<int>(active_.size()) < workers_) {
            const auto& run = *waiting_.front();
            // Threads of one run share less well than runs do: a run gets several only where there are fewer runs than
            // cores.
            const int sharing =
                std::min<int>(static_cast<int>(waiting_.size()), workers_ - static_cast<int>(active_.size()));
            const int threads =
                std::min(free, study_.threads > 0 ? study_.threads : std::max(1, free / std::max(1, sharing)));
            const double bytes = bytesOf(run, threads);
            if (!active_.empty() && used + bytes > memory_) return;
            waiting_.pop_front();
            folder_.prepare(study_, run);
            folder_.forgetFailure(run.id);
            active_.push_back(start(run, folder_, program_, threads, bytes));
            free -= threads;
            used += bytes;
        }
    }
    double bytesOf(const StudyRun& run, int threads) const {
        Problems problems;
        SessionOptions session;
        session.threads = threads;
        session.checkpoints = true;
        const auto found = preflight(*run.setting, registry_, session, problems);
        return found ? found->estimate.total() : 0; // what is wrong with it, the worker will say
    }

    void wait() {
        std::vector<pollfd> ends;
        for (const auto& worker : active_) ends.push_back({worker.output, POLLIN, 0});
        ::poll(ends.data(), ends.size(), 100);
        for (std::size_t i = 0; i < active_.size();)
            if (listen(active_[i]))
                ++i;
            else
                finish(i);
    }
    void finish(std::size_t index) {
        const auto worker = std::move(active_[index]);
        active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(index));
        ::close(worker.output);
        int status = 0;
        while (::waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {
        }
        const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        if (code == static_cast<int>(WorkResult::claimed)) {
            ++count_.elsewhere;
            return;
        }
        if (code == static_cast<int>(WorkResult::interrupted)) {
            ++interrupted_;
            return;
        }
        auto found = folder_.status(*worker.run, study_.measures);
        if (code != 0 && found.state != StudyRunState::failed) {
            folder_.setFailure(worker.run->id, reasonOf(status, folder_, worker.run->id));
            found = folder_.status(*worker.run, study_.measures);
        }
        ++(code == 0 ? count_.done : count_.failed);
        if (code == 0) {
            iterationsDone_ += worker.run->setting->iterations;
        }
        if (options_.ended) options_.ended(*worker.run, found);
    }

    void tell(bool always) {
        const auto now = Clock::now();
        if (!options_.progress || (!always && now - told_ < std::chrono::milliseconds(200))) return;
        told_ = now;
        count_.waiting = waiting_.size() + interrupted_;
        count_.active.clear();
        double rate = 0, left = 0;
        for (const auto* run : waiting_) left += run->setting->iterations;
        for (const auto& worker : active_) {
            count_.active.push_back({worker.run, worker.threads, worker.iteration, worker.metrics, rateOf(worker)});
            left += static_cast<double>(worker.run->setting->iterations - worker.iteration);
            rate += rateOf(worker);
        }
        count_.remaining = rate > 0 ? left / rate : -1;
        options_.progress(count_);
    }

    const Study& study_;
    const StudyFolder& folder_;
    const Registry& registry_;
    const LocalOptions& options_;
    std::filesystem::path program_;
    int cores_, workers_;
    double memory_ = availableMemory();
    std::deque<const StudyRun*> waiting_;
    std::vector<Worker> active_;
    std::size_t interrupted_ = 0;
    double iterationsDone_ = 0;
    StudyProgress count_;
    Clock::time_point told_{};
};

} // namespace

std::filesystem::path workerProgram() { return programFolder() / "raphe"; }

StudyProgress runLocally(const Study& study, const std::vector<StudyRun>& plan, const StudyFolder& folder,
                         const Registry& registry, const LocalOptions& options) {
    return LocalExecutor(study, plan, folder, registry, options).run();
}

} // namespace raphe
