// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/figure.h"

#include "engine/mechanisms/plugin_host.h"
#include "raphe/error.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

namespace raphe {

void drawFigure(const Json& description, const std::filesystem::path& picture, double width) {
    const auto extension = picture.extension().string();
    if (extension != ".svg" && extension != ".png" && extension != ".pdf")
        throw Error(picture.string(), "pictures are written as .svg, .png or .pdf");
    if (const auto folder = picture.parent_path(); !folder.empty()) {
        std::error_code problem;
        std::filesystem::create_directories(folder, problem);
        if (problem) throw Error(picture.string(), "its folder cannot be made: " + problem.message());
    }
    const auto program = programFolder() / "raphe-figure";
    if (!std::filesystem::exists(program))
        throw Error(program.string(),
                    "the program that draws figures is missing; build or install Raphe with Qt 6 (RAPHE_BUILD_GUI=ON)");

    int toChild[2], fromChild[2];
    if (pipe(toChild) != 0 || pipe(fromChild) != 0)
        throw Error("raphe-figure", std::string("cannot be started: ") + std::strerror(errno));
    const auto target = picture.string(), millimetres = std::to_string(width);
    const pid_t child = fork();
    if (child < 0) throw Error("raphe-figure", std::string("cannot be started: ") + std::strerror(errno));
    if (child == 0) {
        dup2(toChild[0], 0);
        dup2(fromChild[1], 1);
        dup2(fromChild[1], 2);
        for (int fd : {toChild[0], toChild[1], fromChild[0], fromChild[1]}) close(fd);
        const char* sized = width > 0 ? "--width" : nullptr;
        execl(program.c_str(), program.c_str(), "-", "-o", target.c_str(), sized, millimetres.c_str(),
              static_cast<char*>(nullptr));
        _exit(127);
    }
    close(toChild[0]);
    close(fromChild[1]);
    const auto oldHandler = std::signal(SIGPIPE, SIG_IGN);
    const auto text = description.dump();
    for (std::size_t sent = 0; sent < text.size();) {
        const auto n = write(toChild[1], text.data() + sent, text.size() - sent);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break; // it has ended; its message says why
        sent += static_cast<std::size_t>(n);
    }
    close(toChild[1]);
    std::string said;
    char buffer[4096];
    for (;;) {
        const auto n = read(fromChild[0], buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        said.append(buffer, static_cast<std::size_t>(n));
    }
    close(fromChild[0]);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    std::signal(SIGPIPE, oldHandler);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw Error(picture.string(), "could not be drawn: " +
                                          (said.empty() ? std::string("raphe-figure ended without a message") : said));
}

} // namespace raphe
