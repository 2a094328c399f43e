// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/progress.h"
#include "engine/mechanisms/plugin_host.h"

#include <string>
#include <vector>

/// `raphe study ...`. Exit codes as those of the other commands; `table` and `report` give 1 where a bar is not met.
namespace raphe::cli {

struct StudyArguments {
    std::string study; ///< a document, the name of one, or a study folder
    std::string out;   ///< folder; empty: studies/NAME
    int workers = 0, threads = 0, parent = 0;
    bool retry = false;
    bool yes = false, dryRun = false;     ///< clean: without asking; without removing
    int seeds = 0, iterations = 0;        ///< instead of the document's; 0: the document's
    std::vector<std::string> assignments; ///< settings of all variants
    std::string id, file, npz, slurm;
    OutputStyle output;
};

int studyList();
int studyCheck(const PluginHost& plugins, const StudyArguments& arguments);
int studyRun(const PluginHost& plugins, const StudyArguments& arguments);
int studyStatus(const PluginHost& plugins, const StudyArguments& arguments);
int studyTable(const PluginHost& plugins, const StudyArguments& arguments);
int studyPlot(const PluginHost& plugins, const StudyArguments& arguments);
int studyReport(const PluginHost& plugins, const StudyArguments& arguments);
int studySubmit(const PluginHost& plugins, const StudyArguments& arguments);
int studyCancel(const PluginHost& plugins, const StudyArguments& arguments);
int studyClean(const PluginHost& plugins, const StudyArguments& arguments);
int studyWork(const PluginHost& plugins, const StudyArguments& arguments);

} // namespace raphe::cli
