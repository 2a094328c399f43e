// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/declaration.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace raphe {

/// Steps at which a task changes what else stays fixed during a trial: a probe of how fast an agent adapts again.
struct SwitchParams {
    std::vector<double> switchSteps;

    /// Whether `step` is the first with the new value; act() of the step before makes the change.
    bool switchesAt(int step) const {
        return std::find(switchSteps.begin(), switchSteps.end(), step) != switchSteps.end();
    }
};

/// Declares `switch_steps` for parameters that derive from SwitchParams and have `steps`.
inline auto switchParams(std::string help) {
    return [help = std::move(help)](auto& declaration) {
        declaration
            .param("switch_steps", &SwitchParams::switchSteps,
                   {.unit = "steps", .help = help, .min = 1, .max = 1000000, .group = "probe"})
            .check([](const auto& p) {
                for (double step : p.switchSteps) {
                    if (step != std::floor(step))
                        return "switch_steps: expected whole numbers of steps, got " + std::to_string(step);
                    if (step >= p.steps)
                        return "switch_steps: expected steps before the end of the trial (steps = " +
                               std::to_string(p.steps) + "), got " + std::to_string(static_cast<long>(step));
                }
                return std::string{};
            });
    };
}

} // namespace raphe
