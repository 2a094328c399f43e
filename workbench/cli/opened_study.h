// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/study_commands.h"
#include "engine/studies/study_folder.h"

namespace raphe::cli {

/// A study with its runs and its folder.
struct Opened {
    Study study;
    std::vector<StudyRun> plan;
    StudyFolder folder;
};

/// The study that the arguments name. @throws Error if there is none, or with what is wrong with it
Opened opened(const PluginHost& plugins, const StudyArguments& arguments, PlanChecks checks = PlanChecks::every);

} // namespace raphe::cli
