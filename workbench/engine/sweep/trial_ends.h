// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/index.h"
#include "raphe/mechanism.h"

#include <algorithm>
#include <vector>

namespace raphe {

/// Where the trials of a chunk end, and where the next trial of a stream begins in the same column.
struct TrialEnds {
    TrialEnds(int stepCount, int trialCount)
        : steps(stepCount), trials(trialCount), ends(at(stepCount) * at(trialCount)), lengths(at(trialCount)),
          begins(at(stepCount + 1) * at(trialCount)), anyBegins(at(stepCount + 1)) {
        clear();
    }
    void clear() {
        std::fill(ends.begin(), ends.end(), End::none);
        std::fill(lengths.begin(), lengths.end(), steps);
        if (!someBegin) return;
        std::fill(begins.begin(), begins.end(), char(0));
        std::fill(anyBegins.begin(), anyBegins.end(), char(0));
        someBegin = false;
    }
    End& end(int step, int trial) { return ends[at(step) * at(trials) + at(trial)]; }
    void begin(int step, int trial) {
        begins[at(step) * at(trials) + at(trial)] = 1;
        anyBegins[at(step)] = 1;
        someBegin = true;
    }
    bool beginsAt(int step, int trial) const { return begins[at(step) * at(trials) + at(trial)] != 0; }
    bool anyBegin(int first, int count) const {
        return someBegin && std::find(anyBegins.begin() + first, anyBegins.begin() + first + count, char(1)) !=
                                anyBegins.begin() + first + count;
    }

    int steps, trials;
    std::vector<End> ends;       ///< step-major
    std::vector<int> lengths;    ///< by trial: steps that count
    std::vector<char> begins;    ///< step-major: this column begins anew before this step
    std::vector<char> anyBegins; ///< by step
    bool someBegin = false;
};

} // namespace raphe
