// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace raphe {

struct DelayedXorParams {
    int cue = 100, delay = 700;
    double baseline = 0.02, amplitude = 2, width = 0.25, noise = 0.01;
};

inline constexpr const char* delayedXorManual =
    R"(Two cues, each of which may be there or not, are separated by a delay; at the end the network shall say whether both
or neither were there.

    observation_i(t) = baseline + c_i amplitude exp( -s^2 / (2 (width cue)^2) ) + noise   in the window of cue i,
                       baseline + noise                                                   elsewhere
    s runs from -cue/2 to cue/2 over the window;  class 1 if c_1 = c_2, class 0 otherwise

| symbol | here |
| --- | --- |
| c_1, c_2 | drawn for each trial, 0 or 1 with equal probability |
| windows | of input 1 the first, of input 2 the last `cue` steps of 2 `cue` + `delay` |
| noise | `noise` times a standard normal number, fresh for each step and input |
| class | port `target`: two units, 1 for the class and 0 for the other, at all steps |
| when it is judged | port `mask`: 1 at the last step, 0 before |

**Differs from the paper.** Nothing is known to; numbers are those of the authors' program, whose steps last 1 ms.)";

struct DelayedXorTrial {
    bool first = false, second = false;
};

/// Delayed exclusive or (Y. H. Liu et al. 2022): two cues, a delay between them, and a choice at the end.
template <class T>
class DelayedXor final : public TaskOf<T, DelayedXorTrial> {
public:
    using Trial = DelayedXorTrial;

    static auto declare() {
        using P = DelayedXorParams;
        return Declaration<P>{"delayed_xor", "1.0.0", "Whether two cues that a delay separates are equal"}
            .citation(
                "Y. H. Liu, S. Smith, S. Mihalas, E. Shea-Brown, U. Suembuel (2022), Biologically-plausible "
                "backpropagation through arbitrary timespans via local neuromodulators, NeurIPS, arXiv:2206.01338")
            .manual(delayedXorManual)
            .param("cue", &P::cue,
                   {.unit = "steps", .help = "Length of a cue", .min = 2, .max = 1000000, .group = "task"})
            .param("delay", &P::delay,
                   {.unit = "steps", .help = "Between the cues", .min = 0, .max = 1000000, .group = "task"})
            .param("baseline", &P::baseline, {.help = "Level of both inputs without a cue", .group = "task"})
            .param("amplitude", &P::amplitude, {.help = "Height of a cue", .group = "task"})
            .param(
                "width", &P::width,
                {.help = "Standard deviation of a cue's bump, as a share of its length", .min = 1e-6, .group = "task"})
            .param("noise", &P::noise, {.help = "Standard deviation of the noise", .min = 0, .group = "task"})
            .output("observation", 2, {.help = "The two inputs"})
            .output("target", 2, {.help = "1 for the right class, 0 for the other"})
            .output("mask", 1, {.help = "1 at the last step, else 0"})
            .event("decision", "mask");
    }

    DelayedXor(const DelayedXorParams& params, Builder& b)
        : p_(params), observation_(b.output("observation")), target_(b.output("target")), mask_(b.output("mask")) {}

    int steps() const override { return 2 * p_.cue + p_.delay; }

    void begin(Trial& trial, std::uint32_t, Stream& random) const override {
        trial.first = random.integer(2) == 1;
        trial.second = random.integer(2) == 1;
    }

    void observe(Trial& trial, TaskStep<T>& s) const override {
        const int t = s.step(), second = p_.cue + p_.delay;
        Stream random = s.random();
        double inputs[2];
        for (double& x : inputs) x = p_.baseline + p_.noise * random.normal();
        if (trial.first && t < p_.cue) inputs[0] += bump(t);
        if (trial.second && t >= second) inputs[1] += bump(t - second);
        std::copy_n(inputs, 2, s.output(observation_));
        s.output(target_)[trial.first == trial.second ? 1 : 0] = T(1);
        *s.output(mask_) = t + 1 == steps() ? T(1) : T(0);
    }

private:
    double bump(int step) const {
        const double s = p_.cue * (double(step) / (p_.cue - 1) - 0.5), deviation = p_.width * p_.cue;
        return p_.amplitude * std::exp(-s * s / (2 * deviation * deviation));
    }

    DelayedXorParams p_;
    Output observation_, target_, mask_;
};

} // namespace raphe
