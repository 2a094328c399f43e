// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/studies/study.h"

#include <memory>

namespace raphe {

/// One run of a study.
struct StudyRun {
    std::string id; ///< 16 hexadecimal digits: what decides its numbers (decision 0009)
    std::string variant;
    std::vector<std::pair<std::string, Json>> point; ///< values of the axes, in their order
    std::uint64_t seed = 1;
    std::shared_ptr<const Experiment> setting; ///< complete but for the seed; shared by the runs of a point

    Experiment experiment() const; ///< complete
};

/// How much is checked of what a plan says. Who lists runs need not know whether each would fit into memory.
enum class PlanChecks {
    every, ///< every experiment, before any of them is run
    first  ///< of each variant the first one
};
/// The runs of a study, by variant, point and seed in the order of the document. Two variants that say the same share
/// the ID of their runs. @throws Error with every problem of every variant, each with its place
std::vector<StudyRun> planOf(const Study& study, const Registry& registry, PlanChecks checks = PlanChecks::every);

/// See StudyRun::id.
std::string identityOf(const Experiment& experiment, const Registry& registry);

/// "simple, agent.hidden = 50"
std::string groupName(const StudyRun& run);

/// The experiment of a measure's evaluation: that of the run under the settings of the measure.
Experiment evaluationOf(const Experiment& experiment, const StudyMeasure& measure, const Registry& registry);

} // namespace raphe
