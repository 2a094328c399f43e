// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/progress.h"
#include "engine/mechanisms/plugin_host.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// What the program's subcommands do; each returns an exit code: 0 done, 1 failed while running, 2 bad input (as an
/// exception raphe::Error), 130 interrupted after a checkpoint.
namespace raphe::cli {

struct CheckArguments {
    std::string experiment;
    std::vector<std::string> assignments;
    int threads = 0;
    bool json = false;
};

struct RunArguments {
    std::string experiment;
    std::vector<std::string> assignments;
    std::optional<std::int64_t> seed;
    std::optional<int> iterations, checkpointEvery;
    int threads = 0;
    std::string precision, out, copyOf, executor = "tbb";
    std::uint64_t scheduleSeed = 0;
    bool resume = false, recordAll = false;
    std::vector<std::string> record, interventions;
    OutputStyle output;
};

struct EvaluateArguments {
    std::string run;
    std::optional<std::int64_t> checkpoint;
    int trials = 0, threads = 0;
    std::vector<std::string> record, interventions, assignments, states;
    std::string out;
    std::string begin; ///< file of the states that trials begin with
    bool json = false;
};

struct BranchArguments {
    std::string run, out;
    int at = 0, threads = 0;
    std::optional<int> iterations;
    std::vector<std::string> assignments, interventions;
    OutputStyle output;
};

struct RunsArguments {
    std::string folder = "runs", sortBy;
    std::vector<std::string> filter;
    bool json = false, csv = false, rebuild = false;
};

struct PlotArguments {
    std::vector<std::string> runs;
    std::string metric, show = "groups", picture;
    int smoothing = 0;
    double width = 0;
    bool finals = false;
};

int list(const PluginHost& plugins, const std::string& kind, bool json);
int compatible(const PluginHost& plugins, bool json, bool markdown);
int describe(const PluginHost& plugins, const std::string& mechanism, bool json, bool markdown);
int check(const PluginHost& plugins, const CheckArguments& arguments);
int run(const PluginHost& plugins, const RunArguments& arguments);
int evaluate(const PluginHost& plugins, const EvaluateArguments& arguments);
struct GradcheckArguments {
    std::string experiment;
    std::vector<std::string> assignments;
    int entries = 6;
    std::string credit; ///< compared with the exact one instead
    bool json = false;
};
int gradcheck(const PluginHost& plugins, const GradcheckArguments& arguments);
int lua(PluginHost& plugins, const std::string& script, const std::vector<std::string>& arguments, bool allowIo);
/// raphe branch
int branch(const PluginHost& plugins, const BranchArguments& arguments);
/// raphe reproduce; 1 if something differs
int reproduce(const PluginHost& plugins, const std::string& run, int threads, bool json);
int runs(const RunsArguments& arguments);
int plot(const PlotArguments& arguments);
int exportRun(const std::string& run, const std::string& file);
int pluginList(const PluginHost& plugins, bool json);
int pluginCheck(const PluginHost& plugins, const std::string& name);
int pluginNew(const std::string& kind, const std::string& name);

} // namespace raphe::cli
