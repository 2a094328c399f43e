// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <cstdint>
#include <string>
#include <vector>

namespace raphe {

struct PatternCompletionParams {
    int bits = 1000;
    int patterns = 5;
    int presentations = 2;
    int shownSteps = 6, blankSteps = 4;
    double zeroed = 0.5;

    int steps() const { return presentations * patterns * (shownSteps + blankSteps) + shownSteps; }
};

inline constexpr const char* patternCompletionManual =
    R"(Random patterns of +1 and -1 are shown one after the other, several times, each time in another order. Then part of one of them
is shown, the rest of its bits set to 0, and the network has to say which pattern it was. Patterns are drawn anew in each episode, so
that they must be stored within it.

    presentations x (each of the patterns in random order: shown_steps steps, then blank_steps steps of 0)
    then the cue, shown_steps steps: a pattern, of which each bit is 0 with probability `zeroed`

`target` is the pattern in question in all steps, and `mask` is 1 at the last step, else 0: a masked squared error asks
for the pattern at the end.

| paper | here |
| --- | --- |
| 1000 bits, 5 patterns shown twice, 6 and 4 steps, half of the bits zeroed | the defaults: 106 steps |
| input 20 p(t) | `input_layer` false, `input_gain` 20 of `model.plastic_rnn` |

A network that remembers nothing is wrong in half of the bits that were zeroed: in `zeroed` / 2 of all. Whether a bit was
zeroed is seen at `cue`, which shows the cue in all steps.)";

struct PatternCompletionTrial {
    std::vector<signed char> patterns; ///< pattern after pattern
    std::vector<int> order;            ///< of presentations
    std::vector<signed char> cue;
    int asked = 0; ///< which pattern is to be completed

    template <class Archive>
    void fields(Archive& archive) {
        archive(patterns, order, cue, asked);
    }
};

/// Completion of binary patterns (T. Miconi, K. O. Stanley, J. Clune 2018, Differentiable plasticity, section 4.1).
template <class T>
class PatternCompletion final : public TaskOf<T, PatternCompletionTrial> {
public:
    using Trial = PatternCompletionTrial;

    static auto declare() {
        using P = PatternCompletionParams;
        return Declaration<P>{"pattern_completion", "1.0.0", "Complete one of several patterns that were shown before"}
            .citation("T. Miconi, K. O. Stanley, J. Clune (2018), Differentiable plasticity: training plastic neural "
                      "networks with backpropagation, ICML, arXiv:1804.02464")
            .manual(patternCompletionManual)
            .param("bits", &P::bits, {.help = "Bits of a pattern", .min = 1, .max = 100000, .group = "task"})
            .param("patterns", &P::patterns, {.help = "Patterns of an episode", .min = 1, .max = 1000, .group = "task"})
            .param("presentations", &P::presentations,
                   {.help = "How often each is shown", .min = 1, .max = 1000, .group = "task"})
            .param("shown_steps", &P::shownSteps,
                   {.unit = "steps", .help = "How long a pattern is shown", .min = 1, .max = 1000, .group = "task"})
            .param(
                "blank_steps", &P::blankSteps,
                {.unit = "steps", .help = "How long nothing is shown after it", .min = 0, .max = 1000, .group = "task"})
            .param("zeroed", &P::zeroed,
                   {.help = "Probability that a bit of the cue is 0", .min = 0, .max = 1, .group = "task"})
            .output("pattern", "bits", {.help = "What is shown: +1, -1, or 0"})
            .output("target", "bits", {.help = "The pattern that is asked for, in all steps"})
            .output("mask", 1, {.help = "1 at the last step, when the pattern must be there, else 0"})
            .output("cue", "bits", {.help = "What is shown of it at the end, in all steps; for probes"})
            .event("recall", "mask");
    }

    PatternCompletion(const PatternCompletionParams& params, Builder& b)
        : p_(params), pattern_(b.output("pattern")), target_(b.output("target")), mask_(b.output("mask")),
          cue_(b.output("cue")) {}

    int steps() const override { return p_.steps(); }

    void begin(Trial& trial, std::uint32_t, Stream& random) const override {
        trial.patterns.resize(at(p_.patterns) * at(p_.bits));
        for (auto& bit : trial.patterns) bit = random.integer(2) ? 1 : -1;
        trial.order.resize(at(p_.presentations) * at(p_.patterns));
        for (auto first = trial.order.begin(); first != trial.order.end(); first += p_.patterns) {
            for (int i = 0; i < p_.patterns; ++i) first[i] = i;
            random.shuffle(first, static_cast<std::uint32_t>(p_.patterns));
        }
        trial.asked = static_cast<int>(random.integer(static_cast<std::uint32_t>(p_.patterns)));
        const auto* bits = patternOf(trial, trial.asked);
        trial.cue.assign(bits, bits + p_.bits);
        for (auto& bit : trial.cue)
            if (random.uniform() < p_.zeroed) bit = 0;
    }

    void observe(Trial& trial, TaskStep<T>& s) const override {
        const int period = p_.shownSteps + p_.blankSteps, shown = s.step() / period;
        const bool recalls = at(shown) >= trial.order.size();
        if (recalls)
            std::copy_n(trial.cue.data(), p_.bits, s.output(pattern_));
        else if (s.step() % period < p_.shownSteps)
            std::copy_n(patternOf(trial, trial.order[at(shown)]), p_.bits, s.output(pattern_));
        std::copy_n(patternOf(trial, trial.asked), p_.bits, s.output(target_));
        std::copy_n(trial.cue.data(), p_.bits, s.output(cue_));
        *s.output(mask_) = s.step() + 1 == steps() ? T(1) : T(0);
    }

private:
    static std::size_t at(int i) { return static_cast<std::size_t>(i); }
    const signed char* patternOf(const Trial& trial, int pattern) const {
        return trial.patterns.data() + at(pattern) * at(p_.bits);
    }

    PatternCompletionParams p_;
    Output pattern_, target_, mask_, cue_;
};

} // namespace raphe
