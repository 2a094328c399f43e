// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <thread>
#include <vector>

namespace raphe::test {

struct ProgramResult {
    int exitCode = -1; ///< -1: ended by a signal
    std::string out, err;
};

/// A program running beside the test.
class Program {
public:
    explicit Program(std::vector<std::string> words) {
        if (pipe(out_) != 0 || pipe(err_) != 0) return;
        pid_ = fork();
        if (pid_ == 0) {
            const int nothing = open("/dev/null", O_RDONLY);
            dup2(nothing, 0);
            dup2(out_[1], 1);
            dup2(err_[1], 2);
            for (int fd : {out_[0], out_[1], err_[0], err_[1]}) close(fd);
            std::vector<char*> arguments;
            for (auto& word : words) arguments.push_back(word.data());
            arguments.push_back(nullptr);
            execv(arguments[0], arguments.data());
            _exit(127);
        }
        close(out_[1]);
        close(err_[1]);
    }
    void signal(int number) const { kill(pid_, number); }

    ProgramResult finish() {
        ProgramResult result;
        std::thread reader([&] { result.err = readAll(err_[0]); });
        result.out = readAll(out_[0]);
        reader.join();
        int status = 0;
        while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        if (WIFEXITED(status)) result.exitCode = WEXITSTATUS(status);
        return result;
    }

private:
    static std::string readAll(int fd) {
        std::string text;
        char buffer[8192];
        for (;;) {
            const auto n = read(fd, buffer, sizeof buffer);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) break;
            text.append(buffer, static_cast<std::size_t>(n));
        }
        close(fd);
        return text;
    }
    int out_[2] = {-1, -1}, err_[2] = {-1, -1};
    pid_t pid_ = -1;
};

inline ProgramResult runProgram(std::vector<std::string> words) { return Program(std::move(words)).finish(); }

} // namespace raphe::test
