// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/progress.h"
#include "engine/studies/local_executor.h"

namespace raphe::cli {

/// "simple, agent.hidden = 50, seed 3"
std::string runName(const StudyRun& run);

/// What a study that runs says: on a terminal a line for each worker and one for all, drawn over the last ones; a line
/// for each run that has ended; objects for programs.
class StudyScreen {
public:
    explicit StudyScreen(OutputStyle output);
    void show(const StudyProgress& progress);
    void ended(const StudyRun& run, const StudyRunStatus& status);
    void erase();

private:
    void line(std::string text);
    OutputStyle output_;
    bool terminal_;
    TerminalSize size_;
    int lines_ = 0;
};

} // namespace raphe::cli
