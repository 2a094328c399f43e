// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/runs/run_list.h"

#include <memory>
#include <string>
#include <vector>

namespace raphe {

/// Which runs are to be seen.
///
/// A filter is made of words and comparisons; all of them must hold. `or`, `not` and parentheses combine them
/// otherwise. A word occurs in the folder, the experiment, the state or a setting, whether large or small letters.
///   reward > 9   agent.hidden <= 64   hidden = 64       metrics, and settings with or without their node
///   seed = 2   iterations >= 100
///   state = done   experiment ~ cue   folder !~ old      = whole text, ~ a part of it
///   date > 2026-11-20   duration > 5min   size > 10MB
class RunFilter {
public:
    /// @throws Error with what is wrong and an example
    explicit RunFilter(const std::string& text);
    bool accepts(const RunEntry& run) const;
    /// Those that are accepted, in their order.
    RunList operator()(const RunList& runs) const;
    /// A sentence about a name that no run has, or an empty text.
    std::string doubt(const RunList& runs) const;

    struct Term;

private:
    std::shared_ptr<const Term> all_; ///< null: everything is accepted
};

} // namespace raphe
