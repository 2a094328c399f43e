// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace raphe {

struct ProcessResult {
    int exitCode = -1;            ///< -1: ended by a signal
    std::string output, messages; ///< standard output and standard error
};

/// Runs a program to its end. @param words  its path, or its name (then looked for in PATH), and its arguments
/// @param input  for its standard input @throws Error if it cannot be started
ProcessResult runProcess(const std::vector<std::string>& words, const std::string& input = {});

} // namespace raphe
