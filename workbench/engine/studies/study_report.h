// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/studies/study_results.h"

namespace raphe {

/// One self-contained page (HTML, figures inside as SVG): bars, groups, comparisons, figures, every run with its state,
/// what the variants change, the whole document, and how to make it again. @param pictures  by name, as SVG
std::string reportOf(const Study& study, const std::vector<StudyRow>& rows,
                     const std::vector<std::pair<std::string, std::string>>& pictures, const StudyFolder& folder);

} // namespace raphe
