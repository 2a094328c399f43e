// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/json_reader.h"
#include "engine/runs/export.h"
#include "engine/runs/run_list.h"

#include <filesystem>
#include <string>
#include <vector>

namespace raphe {

/// Runs of one condition: the same experiment with the same settings, but for the seed.
struct RunGroup {
    std::string name; ///< the experiment, and the settings in which the groups of this experiment differ
    RunList runs;
};

/// Entries of run folders. @throws Error if one cannot be read
RunList runsIn(const std::vector<std::filesystem::path>& folders);
/// Runs by condition, in the order in which they are given.
std::vector<RunGroup> groupRuns(const RunList& runs);

struct Quartiles {
    double lower, median, upper; ///< NaN if there are no values
    std::size_t count;           ///< of values that are numbers
};
/// By linear interpolation between the ordered values; NaN are left out.
Quartiles quartilesOf(std::vector<double> values);
/// Of a metric at the end of these runs.
Quartiles finalMetric(const RunList& runs, const std::string& metric);

/// A metric over the runs of each group, as it was stored. Runs without it have no values.
struct GroupCurves {
    std::string metric;
    std::vector<RunGroup> groups;
    std::vector<std::vector<MetricCurve>> curves; ///< by group and run
};
/// @param metric  empty: "reward" if a run has it, otherwise "loss"
/// @throws Error if no run has it
GroupCurves readCurves(std::vector<RunGroup> groups, std::string metric);

struct CurveStyle {
    enum class Show { groups, runs, both }; ///< median and quartiles of the groups; a line for each run
    Show show = Show::groups;
    int smoothing = 0; ///< iterations of the moving average; 0: 1 % of each run
    bool logarithmic = false;
    bool finals = false; ///< with a panel of the values at the end
};

/// A figure description (see resources/docs/figures.md): one metric against iterations. A group's curve ends where
/// fewer than half of its runs go on.
Json learningCurves(const GroupCurves& curves, const CurveStyle& style = {});

/// The curves as numbers, not smoothed: the iterations, each run, and median and quartiles of groups of several runs.
Table curvesTable(const GroupCurves& curves);
/// One line for each group and one for each of its runs: settings that differ, and the metrics of the end (of groups
/// their median, lower and upper quartile).
std::string comparisonAsCsv(const std::vector<RunGroup>& groups);

} // namespace raphe
