// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/studies/study_results.h"

namespace raphe {

/// One self-contained page (HTML, figures inside as SVG): bars, groups, comparisons, figures, every run with its state,
/// what the variants change, the whole document, and how to make it again. Draws the figures into the study's folder.
std::string reportOf(const Study& study, const std::vector<StudyRow>& rows, const StudyFolder& folder);
/// The same as a file, whose folder is made if it is not there.
void writeReport(const std::filesystem::path& file, const Study& study, const std::vector<StudyRow>& rows,
                 const StudyFolder& folder);

} // namespace raphe
