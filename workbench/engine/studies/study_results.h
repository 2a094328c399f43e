// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/analysis/statistics.h"
#include "engine/base/tensor.h"
#include "engine/studies/study_folder.h"

namespace raphe {

/// A run with what its folder says of it.
struct StudyRow {
    const StudyRun* run;
    StudyRunStatus status;
};
std::vector<StudyRow> rowsOf(const Study& study, const std::vector<StudyRun>& plan, const StudyFolder& folder);

/// One line for each run, in the order of the plan: variant, axes, seed, measures, run hash, ID. What is not there yet
/// is empty. Does not depend on how, where or when the runs were made.
std::string csvOf(const Study& study, const std::vector<StudyRow>& rows);

/// The same columns as numbers, in double precision, for NumPy: a variant by its place in the document (from 0), as the
/// values of an axis that are no numbers; what is not there yet is NaN.
std::vector<NamedTensor> columnsOf(const Study& study, const std::vector<StudyRow>& rows);

/// A measure over the seeds of a variant at one point of the axes.
struct GroupResult {
    std::string group, measure;
    std::vector<double> values;                        ///< by seed, those that are there
    std::size_t expected = 0;                          ///< seeds
    double median = 0, lower = 0, upper = 0, mean = 0; ///< lower and upper: quartiles
    std::optional<statistics::Interval> interval;      ///< of the mean, 95 %; from two values on
};
/// Groups without any value have no result.
std::vector<GroupResult> groupsOf(const Study& study, const std::vector<StudyRow>& rows);

/// What became of a bar.
struct BarResult {
    std::string sentence; ///< the bar, and what was found
    bool met = false;
    bool complete = false; ///< all its runs are there; without, it is not met
};
std::vector<BarResult> barsOf(const Study& study, const std::vector<StudyRow>& rows);

/// Every pair of variants compared over the seeds that both have (at each point of the axes), with p values after
/// Holm's correction for the number of pairs of a measure.
struct PairResult {
    std::string first, second, measure;
    statistics::Comparison comparison;
    double p; ///< corrected
    std::size_t seeds;
};
std::vector<PairResult> pairsOf(const Study& study, const std::vector<StudyRow>& rows);

/// Table, groups, comparisons, bars and states for machines.
Json resultsJson(const Study& study, const std::vector<StudyRow>& rows);

/// A figure of a study.
struct StudyPicture {
    std::string name;
    Json description;    ///< resources/docs/figures.md
    std::string problem; ///< why there is none
};
/// From the runs that are there. Figures for which there is no run yet are left out.
std::vector<StudyPicture> figuresOf(const Study& study, const std::vector<StudyRow>& rows, const StudyFolder& folder);

} // namespace raphe
