// SPDX-License-Identifier: Apache-2.0
#include "engine/base/process.h"

#include "raphe/error.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;

namespace raphe {

namespace {

struct Pipe {
    int ends[2] = {-1, -1};
    explicit Pipe(const std::string& program) {
        if (::pipe2(ends, O_CLOEXEC) != 0)
            throw Error(program, std::string("cannot be started: ") + std::strerror(errno));
    }
    ~Pipe() {
        close(0);
        close(1);
    }
    void close(int end) {
        if (ends[end] >= 0) ::close(ends[end]);
        ends[end] = -1;
    }
};

/// Takes what there is. @return false at the end
bool take(int descriptor, std::string& text) {
    char buffer[4096];
    const auto count = ::read(descriptor, buffer, sizeof buffer);
    if (count < 0) return errno == EINTR || errno == EAGAIN;
    text.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
}

} // namespace

ProcessResult runProcess(const std::vector<std::string>& words, const std::string& input) {
    Pipe in(words.at(0)), out(words[0]), err(words[0]);
    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, in.ends[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    pid_t process = -1;
    const int error = ::posix_spawnp(&process, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) throw Error(words[0], std::string("cannot be started: ") + std::strerror(error));
    in.close(0);
    out.close(1);
    err.close(1);
    ::fcntl(in.ends[1], F_SETFL, O_NONBLOCK);

    ProcessResult result;
    const auto oldHandler = std::signal(SIGPIPE, SIG_IGN);
    std::size_t sent = 0;
    if (input.empty()) in.close(1);
    while (out.ends[0] >= 0 || err.ends[0] >= 0) {
        std::array<pollfd, 3> ends{{{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}, {in.ends[1], POLLOUT, 0}}};
        if (::poll(ends.data(), ends.size(), -1) < 0 && errno != EINTR) break;
        if (ends[0].revents != 0 && !take(out.ends[0], result.output)) out.close(0);
        if (ends[1].revents != 0 && !take(err.ends[0], result.messages)) err.close(0);
        if (ends[2].revents == 0) continue;
        const auto count = ::write(in.ends[1], input.data() + sent, input.size() - sent);
        if (count > 0) sent += static_cast<std::size_t>(count);
        // Where it takes no more, it has ended; its message says why.
        if (sent == input.size() || (count < 0 && errno != EINTR && errno != EAGAIN)) in.close(1);
    }
    in.close(1);
    int status = 0;
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    std::signal(SIGPIPE, oldHandler);
    if (WIFEXITED(status)) result.exitCode = WEXITSTATUS(status);
    return result;
}

} // namespace raphe
