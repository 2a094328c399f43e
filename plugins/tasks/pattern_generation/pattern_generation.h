// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <cmath>
#include <numbers>
#include <string>

namespace raphe {

struct PatternGenerationParams {
    int steps = 1000, inputs = 20, components = 5;
    double stepDuration = 0.001, lowest = 0.5, highest = 4, noise = 1;
    int pattern = 0;
};

inline constexpr const char* patternGenerationManual =
    R"(One output shall follow a sum of sinusoids, from an input that says nothing but when: frozen noise, the same in every
trial.

    target(t) = sum over k of sin( 2 pi f_k t dt + phase_k ),   f_k evenly from `lowest` to `highest` hertz

Phases and noise are drawn once, from the number `pattern`, which stands for all of it: trials of a batch do not differ, and neither do
experiments with another seed.

**Differs from the paper.** Its text was not available; the task is what the field trains networks of this kind on.)";

/// Pattern generation: reproduce a fixed signal from frozen noise.
template <class T>
class PatternGeneration final : public TaskOf<T, int> {
public:
    static auto declare() {
        using P = PatternGenerationParams;
        return Declaration<P>{"pattern_generation", "1.0.0", "Follow a sum of sinusoids, given frozen noise"}
            .citation("Standard; as in Y. H. Liu, S. Smith, S. Mihalas, E. Shea-Brown, U. Suembuel (2022), "
                      "Biologically-plausible backpropagation through arbitrary timespans via local neuromodulators, "
                      "NeurIPS, arXiv:2206.01338")
            .manual(patternGenerationManual)
            .param("steps", &P::steps,
                   {.unit = "steps", .help = "Length of a trial", .min = 1, .max = 1000000, .group = "task"})
            .param("step_duration", &P::stepDuration,
                   {.unit = "s", .help = "Duration of a step", .min = 1e-9, .group = "task"})
            .param("inputs", &P::inputs, {.help = "Units of the input", .min = 1, .max = 100000, .group = "task"})
            .param("components", &P::components,
                   {.help = "Number of sinusoids", .min = 1, .max = 1000, .group = "task"})
            .param("lowest", &P::lowest, {.unit = "Hz", .help = "Lowest frequency", .min = 0, .group = "task"})
            .param("highest", &P::highest, {.unit = "Hz", .help = "Highest frequency", .min = 0, .group = "task"})
            .param("noise", &P::noise, {.help = "Standard deviation of the input", .min = 0, .group = "task"})
            .param("pattern", &P::pattern,
                   {.help = "Another number is another pattern with other noise", .min = 0, .group = "task"})
            .output("observation", "inputs", {.help = "Frozen noise"})
            .output("target", 1, {.help = "Wanted output"})
            .check([](const P& p) {
                return p.highest >= p.lowest ? std::string{}
                                             : "highest: expected at least lowest (" + std::to_string(p.lowest) +
                                                   "), got " + std::to_string(p.highest);
            });
    }

    PatternGeneration(const PatternGenerationParams& params, Builder& b)
        : p_(params), observation_(b.output("observation")), target_(b.output("target")) {
        Stream random = drawn(0);
        for (int k = 0; k < p_.components; ++k) phases_.push_back(random.uniform(0, 2 * std::numbers::pi));
    }

    int steps() const override { return p_.steps; }
    void begin(int&, std::uint32_t, Stream&) const override {}
    void observe(int&, TaskStep<T>& s) const override {
        Stream random = drawn(static_cast<std::uint32_t>(s.step()) + 1);
        for (int i = 0; i < p_.inputs; ++i) s.output(observation_)[i] = static_cast<T>(p_.noise * random.normal());
        double sum = 0;
        for (int k = 0; k < p_.components; ++k) {
            const double share = p_.components == 1 ? 0 : double(k) / (p_.components - 1);
            const double frequency = p_.lowest + share * (p_.highest - p_.lowest);
            sum += std::sin(2 * std::numbers::pi * frequency * s.step() * p_.stepDuration +
                            phases_[static_cast<std::size_t>(k)]);
        }
        *s.output(target_) = static_cast<T>(sum);
    }

private:
    Stream drawn(std::uint32_t which) const {
        return {static_cast<std::uint64_t>(p_.pattern), addressOf("pattern generation"), 0, 0, which};
    }

    PatternGenerationParams p_;
    std::vector<double> phases_;
    Output observation_, target_;
};

} // namespace raphe
