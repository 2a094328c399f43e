// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/document/experiment.h"

#include <string>
#include <vector>

namespace raphe {

/// A setting that is one thing in a run and another in the document that it was begun from.
struct SettingDifference {
    std::string place;         ///< "agent.hidden", "trials", "wires[3]"
    std::string run, document; ///< the values as JSON, cut where they are long; "none" where there is none

    /// One line; what a whole entry holds is left to the document.
    std::string text() const;
};

/// Everything but the seed, which differs from run to run.
std::vector<SettingDifference> differencesBetween(const Experiment& run, const Experiment& document);

} // namespace raphe
