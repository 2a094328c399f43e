// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace raphe {

struct MeasureWaitGoParams {
    int steps = 110;
    std::vector<double> intervals{12, 14, 16, 18};
    int measureFirst = 10, measureLast = 19;
    int delay = 15;
    double cueAmplitude = 10.0;
    double outputLow = -0.5, outputHigh = 0.5;
    int maskPad = -1;
    std::string sampling = "full_set";
};

inline constexpr const char* measureWaitGoManual =
    R"(Two cues, Measure and Wait, enclose an interval I. After a fixed delay follows the cue Go, and the output shall rise as a
ramp that lasts as long as the interval did.

    t_wait = t_measure + I,   t_go = t_wait + delay
    target(t) = low + (high - low) clip((t - t_go) / I, 0, 1)

`observation` holds one unit for each cue (Measure, Wait, Go), which is `cue_amplitude` at the cue's step and else 0.
`mask` is 1 everywhere, or, with `mask_pad` p >= 0, for t_go - p <= t < t_go + max(I) + p only.

With `sampling` full_set a batch runs through all combinations, interval by interval and, within an interval, measure
time by measure time; trials beyond the set start again at its first. With random, each trial draws an interval and a
measure time.

| paper | here |
| --- | --- |
| T | `steps` |
| I | one of `intervals` |
| t_measure | `measure_first` ... `measure_last`, both included |
| t_go - t_wait | `delay` |

**Differs from the paper.** Follows the authors' program; nothing is known to differ. Steps count from 0. The target is
still low at the step of the Go cue.)";

struct MeasureWaitGoTrial {
    int interval = 0, measure = 0, wait = 0, go = 0;
};

/// Measure-Wait-Go (J. C. Costacurta et al. 2024, Structured flexibility in recurrent neural networks via
/// neuromodulation, section 5): reproduce a measured interval as the duration of a ramp.
template <class T>
class MeasureWaitGo final : public TaskOf<T, MeasureWaitGoTrial> {
public:
    using Trial = MeasureWaitGoTrial;

    static auto declare() {
        using P = MeasureWaitGoParams;
        return Declaration<P>{"measure_wait_go", "1.0.0", "Reproduce a measured interval as the duration of a ramp"}
            .citation("J. C. Costacurta, S. Bhandarkar, D. M. Zoltowski, S. W. Linderman (2024), Structured "
                      "flexibility in recurrent neural "
                      "networks via neuromodulation, NeurIPS, doi:10.1101/2024.07.26.605315")
            .manual(measureWaitGoManual)
            .param("steps", &P::steps,
                   {.unit = "steps", .help = "Length of a trial", .min = 1, .max = 1000000, .group = "task"})
            .param("intervals", &P::intervals,
                   {.unit = "steps",
                    .help = "Intervals between Measure and Wait; whole numbers",
                    .min = 1,
                    .max = 1000000,
                    .group = "task"})
            .param("measure_first", &P::measureFirst,
                   {.unit = "steps",
                    .help = "Earliest step of the cue Measure",
                    .min = 0,
                    .max = 1000000,
                    .group = "task"})
            .param(
                "measure_last", &P::measureLast,
                {.unit = "steps", .help = "Latest step of the cue Measure", .min = 0, .max = 1000000, .group = "task"})
            .param(
                "delay", &P::delay,
                {.unit = "steps", .help = "From the cue Wait to the cue Go", .min = 0, .max = 1000000, .group = "task"})
            .param("cue_amplitude", &P::cueAmplitude, {.help = "Height of a cue", .group = "task"})
            .param("output_low", &P::outputLow, {.help = "Target before the ramp", .group = "task"})
            .param("output_high", &P::outputHigh, {.help = "Target after the ramp", .group = "task"})
            .param("mask_pad", &P::maskPad,
                   {.unit = "steps",
                    .help = "Steps around the ramp that count; -1: all steps of the trial count",
                    .min = -1,
                    .max = 1000000,
                    .group = "task"})
            .param("sampling", &P::sampling,
                   {.help = "All combinations in order, or random ones",
                    .choices = {"full_set", "random"},
                    .group = "task"})
            .output("observation", 3, {.help = "Cues Measure, Wait and Go"})
            .output("target", 1, {.help = "Wanted output"})
            .output("mask", 1, {.help = "1 where the output counts, else 0"})
            .event("measure", "observation", 0, 1)
            .event("wait", "observation", 1, 1)
            .event("go", "observation", 2, 1)
            .event("counts", "mask")
            .check([](const P& p) {
                if (p.intervals.empty())
                    return std::string("intervals: expected at least one number, got an empty list");
                for (double interval : p.intervals)
                    if (interval != std::floor(interval))
                        return "intervals: expected whole numbers of steps, got " + std::to_string(interval);
                if (p.measureLast < p.measureFirst)
                    return "measure_last: expected at least measure_first (" + std::to_string(p.measureFirst) +
                           "), got " + std::to_string(p.measureLast);
                const double end =
                    p.measureLast + 2 * *std::max_element(p.intervals.begin(), p.intervals.end()) + p.delay;
                if (end >= p.steps)
                    return "steps: the longest trial needs " + std::to_string(static_cast<long>(end) + 1) +
                           " (measure_last + 2 * longest interval + delay + 1), got " + std::to_string(p.steps);
                return std::string{};
            });
    }

    MeasureWaitGo(const MeasureWaitGoParams& params, Builder& b)
        : p_(params), observation_(b.output("observation")), target_(b.output("target")), mask_(b.output("mask")) {
        for (double interval : params.intervals) intervals_.push_back(static_cast<int>(interval));
        longest_ = *std::max_element(intervals_.begin(), intervals_.end());
    }

    int steps() const override { return p_.steps; }
    int trialSet() const override {
        return p_.sampling == "random" ? 0 : static_cast<int>(intervals_.size()) * measureTimes();
    }

    void begin(Trial& trial, std::uint32_t number, Stream& random) const override {
        const auto intervals = static_cast<std::uint32_t>(intervals_.size()),
                   times = static_cast<std::uint32_t>(measureTimes());
        std::uint32_t interval = number / times % intervals, time = number % times;
        if (p_.sampling == "random") {
            interval = random.integer(intervals);
            time = random.integer(times);
        }
        trial.interval = intervals_[interval];
        trial.measure = p_.measureFirst + static_cast<int>(time);
        trial.wait = trial.measure + trial.interval;
        trial.go = trial.wait + p_.delay;
    }

    void observe(Trial& trial, TaskStep<T>& s) const override {
        const int t = s.step(), cues[] = {trial.measure, trial.wait, trial.go};
        for (int i = 0; i < 3; ++i)
            if (t == cues[i]) s.output(observation_)[i] = static_cast<T>(p_.cueAmplitude);
        const double phase = std::clamp((t - trial.go) / static_cast<double>(trial.interval), 0.0, 1.0);
        *s.output(target_) = static_cast<T>(p_.outputLow + (p_.outputHigh - p_.outputLow) * phase);
        const bool counts = p_.maskPad < 0 || (t >= trial.go - p_.maskPad && t < trial.go + longest_ + p_.maskPad);
        *s.output(mask_) = counts ? T(1) : T(0);
    }

private:
    int measureTimes() const { return p_.measureLast - p_.measureFirst + 1; }

    MeasureWaitGoParams p_;
    std::vector<int> intervals_;
    int longest_ = 0;
    Output observation_, target_, mask_;
};

} // namespace raphe
