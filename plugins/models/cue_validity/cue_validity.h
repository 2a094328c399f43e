// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <algorithm>
#include <string>

namespace raphe {

struct CueValidityParams {
    double hazard = 0.01;
    double confidence = 0.9;
    int refractory = 10;
    double validTrials = 3, trials = 4;
    double lowest = 0.5, highest = 0.99;
    double chance = 0.5;
};

inline constexpr const char* cueValidityManual =
    R"(Infers from valid and invalid cues how reliable they are, and whether the context is still the one that is assumed: expected
and unexpected uncertainty, signalled by acetylcholine and noradrenaline. In each step, lambda = P(assumed context is current),
gamma = estimated validity of the cue:

    l = lambda (1 - `hazard`),   like = gamma if the cue was valid, 1 - gamma if not
    lambda = l like / (l like + (1 - l) `chance`)
    n <- n + 1, n_valid <- n_valid + valid;   gamma = clip(n_valid / n, `lowest`, `highest`)
    ACh = 1 - gamma;   NE = 1 - lambda
    switch if NE > ACh / (0.5 + ACh) and more than `refractory` steps since the last switch;
    then lambda = `confidence`, n_valid = `valid_trials`, n = `trials`

| symbol | here |
| --- | --- |
| valid | port `valid`: 1 if the cue was valid, 0 if not |
| ACh, NE | ports `acetylcholine`, `noradrenaline`: before the reset of a switch |
| ACh / (0.5 + ACh) | port `threshold` |
| switch | port `switch` |
| lambda, gamma | ports `belief` (after a reset), `validity` |

**Differs from the paper.** The paper's inference over contexts is approximated by the one probability lambda.)";

/// Expected and unexpected uncertainty of a cue.
template <class T>
class CueValidity final : public Model<T> {
public:
    static auto declare() {
        using P = CueValidityParams;
        return Declaration<P>{"cue_validity", "1.0.0",
                              "Infers how reliable a cue is and whether the context has changed"}
            .citation("A. J. Yu, P. Dayan (2005), Uncertainty, neuromodulation, and attention, Neuron, "
                      "doi:10.1016/j.neuron.2005.04.026")
            .manual(cueValidityManual)
            .param("hazard", &P::hazard,
                   {.unit = "per step", .help = "Probability that the context changes", .min = 0, .max = 1})
            .param("confidence", &P::confidence,
                   {.help = "Belief in a context that has just been assumed", .min = 0, .max = 1})
            .param("refractory", &P::refractory, {.unit = "steps", .help = "Steps without a further switch", .min = 0})
            .param("valid_trials", &P::validTrials,
                   {.help = "Valid cues that a new context is credited with", .min = 0})
            .param("trials", &P::trials, {.help = "Cues that a new context is credited with", .min = 1e-6})
            .param("lowest", &P::lowest, {.help = "Lowest estimated validity", .min = 0, .max = 1})
            .param("highest", &P::highest, {.help = "Highest estimated validity", .min = 0, .max = 1})
            .param("chance", &P::chance,
                   {.help = "Probability of a valid cue in any other context", .min = 0, .max = 1})
            .input("valid", 1, {.help = "1 if the cue was valid"})
            .output("acetylcholine", 1, {.help = "Expected uncertainty"})
            .output("noradrenaline", 1, {.help = "Unexpected uncertainty"})
            .output("threshold", 1, {.help = "Noradrenaline above which the context is given up"})
            .output("switch", 1, {.help = "1 where the context is given up"})
            .output("belief", 1, {.help = "Probability that the assumed context is current"})
            .output("validity", 1, {.help = "Estimated validity of the cue"})
            .event("switch", "switch")
            .check([](const P& p) {
                return p.lowest > p.highest ? std::string("lowest: lies above highest") : std::string();
            });
    }

    CueValidity(const CueValidityParams& p, Builder& b)
        : p_(p), valid_(b.input("valid")), acetylcholine_(b.output("acetylcholine")),
          noradrenaline_(b.output("noradrenaline")), threshold_(b.output("threshold")), switch_(b.output("switch")),
          beliefOut_(b.output("belief")), validityOut_(b.output("validity")),
          belief_(b.state("belief", 1, {.initial = p.confidence})),
          counted_(b.state("trials", 1, {.initial = p.trials})),
          validCounted_(b.state("valid_trials", 1, {.initial = p.validTrials})),
          since_(b.state("since_switch", 1, {.initial = longAgo})) {}

    void step(Step<T>& s) const override {
        const auto make = [&] { return s.tape().make(1, s.columns(), false); };
        const Value<T> valid = s.input(valid_), ach = make(), ne = make(), threshold = make(), switches = make(),
                       belief = make(), validity = make(), counted = make(), validCounted = make(), since = make();
        for (int c = 0; c < s.columns(); ++c) {
            const double before = static_cast<double>(s.state(belief_).data[c]) * (1 - p_.hazard);
            double n = static_cast<double>(s.state(counted_).data[c]),
                   nValid = static_cast<double>(s.state(validCounted_).data[c]);
            const bool wasValid = valid.data[c] > T(0.5);
            const double estimate = std::clamp(nValid / n, p_.lowest, p_.highest);
            const double joint = before * (wasValid ? estimate : 1 - estimate);
            double lambda = joint / (joint + (1 - before) * p_.chance);
            n += 1;
            nValid += wasValid ? 1 : 0;
            const double gamma = std::clamp(nValid / n, p_.lowest, p_.highest), expected = 1 - gamma,
                         unexpected = 1 - lambda, bound = expected / (0.5 + expected);
            // Counted from the switch to this step.
            const double steps = std::min(static_cast<double>(s.state(since_).data[c]), longAgo);
            const bool gives = unexpected > bound && steps > p_.refractory;
            if (gives) {
                lambda = p_.confidence;
                nValid = p_.validTrials;
                n = p_.trials;
            }
            ach.data[c] = static_cast<T>(expected);
            ne.data[c] = static_cast<T>(unexpected);
            threshold.data[c] = static_cast<T>(bound);
            switches.data[c] = gives ? T(1) : T(0);
            belief.data[c] = static_cast<T>(lambda);
            validity.data[c] = static_cast<T>(gamma);
            counted.data[c] = static_cast<T>(n);
            validCounted.data[c] = static_cast<T>(nValid);
            since.data[c] = gives ? T(1) : static_cast<T>(std::min(steps + 1, longAgo));
        }
        s.next(belief_, belief);
        s.next(counted_, counted);
        s.next(validCounted_, validCounted);
        s.next(since_, since);
        s.emit(acetylcholine_, ach);
        s.emit(noradrenaline_, ne);
        s.emit(threshold_, threshold);
        s.emit(switch_, switches);
        s.emit(beliefOut_, belief);
        s.emit(validityOut_, validity);
    }

private:
    static constexpr double longAgo = 8388608; ///< steps are counted up to here, exactly in single precision

    CueValidityParams p_;
    Input valid_;
    Output acetylcholine_, noradrenaline_, threshold_, switch_, beliefOut_, validityOut_;
    State belief_, counted_, validCounted_, since_;
};

} // namespace raphe
