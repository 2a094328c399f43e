// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "paradigms.h"

#include <span>

namespace raphe::multitask {

/// How angles are shown.
enum class Encoding {
    pair, ///< sine and cosine
    ring  ///< a bump over 32 units with preferred angles 2 pi j / 32
};
constexpr int ringUnits = 32;
inline int channelsOf(Encoding encoding) { return encoding == Encoding::pair ? 2 : ringUnits; }

/// Steps at which something begins, counted from 0; a stimulus is shown from its `on` to before its `off`.
struct Timing {
    int on1 = 0, off1 = 0, on2 = 0, off2 = 0;
    int go = 0;    ///< first step of the response
    int steps = 0; ///< of the trial
};

/// What is drawn for a trial. What the task has no use for is left alone.
struct Draw {
    Timing timing;
    double angle[2] = {0, 0};                 ///< of the two stimuli, rad
    int modality[2] = {0, 0};                 ///< in which each is shown, 0 or 1
    bool match = false;                       ///< whether they are equal (Course::match)
    double strength[2][2] = {{1, 1}, {1, 1}}; ///< [modality][stimulus]
};

/// A trial that has been drawn, ready to be shown step by step.
struct Trial {
    struct Stimulus {
        int on = 0, off = 0;
        double strength[2] = {0, 0}; ///< by modality
    };
    int context = 0; ///< place of the task among those of the experiment
    int go = 0, steps = 0;
    Stimulus stimuli[2];
    bool fixationStays = false; ///< the fixation input stays on to the end
    bool responds = true;       ///< otherwise the fixation is held to the end
    double angle = 0;           ///< of the answer, rad
    double shown[3][ringUnits]; ///< by channel: the stimuli at strength 1, and the answer
};

/// The trial of a task for what was drawn.
Trial makeTrial(const Paradigm& paradigm, const Draw& draw, Encoding encoding);

/// An angle on the channels of an encoding, at strength 1.
void encode(Encoding encoding, double angle, double* channels);

/// Boundaries of epochs, given by their durations in any unit, in a trial that is stretched to `steps` samples. A
/// sample belongs to the later epoch from the boundary on.
/// @return the first sample of the second epoch, the third, ...
std::vector<int> stretched(std::span<const double> durations, int steps);

/// Weight of the errors of a step in the cost of Yang et al. (2019), before it is squared; twice as much for the
/// fixation. @param grace  steps after the start and after the go cue that do not count
inline double costMask(const Trial& trial, int step, int grace) {
    if (step < grace || (step >= trial.go && step < trial.go + grace)) return 0;
    return step < trial.go ? 1 : 5;
}

} // namespace raphe::multitask
