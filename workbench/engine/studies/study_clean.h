// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/studies/study_folder.h"

namespace raphe {

/// A run in a study folder that the study does not have (any longer).
struct StrayRun {
    std::string id, what;        ///< what: the name of its experiment and its seed, as far as they can be read
    StudyRunState state{};       ///< trained where it is done
    std::int64_t iterations = 0; ///< stored
    double seconds = 0;          ///< of training
    double bytes = 0;            ///< on disk
};
std::vector<StrayRun> strayRuns(const StudyFolder& folder, const std::vector<StudyRun>& plan);

/// Removes a run for good. What is half removed is no longer a run. @throws Error where it is being worked on, or
/// cannot be removed
void removeRun(const StudyFolder& folder, const std::string& id);

} // namespace raphe
