// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../switch_steps.h"
#include "raphe/plugin.h"

#include <algorithm>
#include <cmath>

namespace raphe {

struct BiasedTargetParams : SwitchParams {
    int steps = 1400;
    double actionScale = 5, actionLimit = 20;
    double hitRadius = 1, hitReward = 10, rewardLimit = 20;
    double observedRange = 5, alphaRange = 10;
};

inline constexpr const char* biasedTargetManual =
    R"(The agent names a number and is rewarded for being near a target. What it sees is the target moved by an offset that is
drawn anew in each episode and stays. The reward of a miss tells how far the target was, not on which side, so that the
offset must be found by trying and then be kept in mind.

    e_t = clip(action_scale a_t, -action_limit, action_limit)
    p_t = x_t - alpha
    d_t = |p_t - e_t|
    hit,  d_t < hit_radius:   r_t = hit_reward,                x_(t+1) ~ U[-observed_range, observed_range]
    miss, d_t >= hit_radius:  r_t = max(-d_t, -reward_limit),  x_(t+1) = x_t
    x_0 ~ U[-observed_range, observed_range],   alpha ~ U[-alpha_range, alpha_range]

`observation` is x_t, `history` is (e_(t-1), r_(t-1)); both are 0 at the first step. What a network shall see of x_(t-1)
comes over a wire with delay 1. An episode has always `steps` steps. At the steps of `switch_steps` alpha is drawn anew,
while x_t stays.

| paper | here |
| --- | --- |
| T | `steps` |
| x_t | port `observation` |
| alpha | port `alpha` |
| a_t, the policy's sample | port `action` |
| e_t, r_t | ports `history` (of the step before), `reward` |

Reference, sum of 0.998^t r_t over 1400 steps: a hit at each step 4696.8, the Bayes-optimal policy 4679.1, an untrained
policy (normal with deviation 0.607) -3550.

**Differs from the paper.** Follows the authors' program: x is drawn and the target follows from it (the workshop paper
draws the target), a miss costs at most `reward_limit`, and `history` holds the number that was named, after scaling and
clipping. `switch_steps` is ours.)";

struct BiasedTargetTrial {
    double alpha = 0;              ///< the observation lies this far above the target
    double observed = 0;           ///< x
    double action = 0, reward = 0; ///< e and r of the step before
};

/// Biased target, benchmark 1 of N. Vecoven et al. 2020, Introducing neuromodulation in deep neural networks to learn
/// adaptive behaviours, PLoS ONE 15(1): find a hidden offset by the distance from the target.
template <class T>
class BiasedTarget final : public TaskOf<T, BiasedTargetTrial> {
public:
    using Trial = BiasedTargetTrial;

    static auto declare() {
        using P = BiasedTargetParams;
        return Declaration<P>{"biased_target", "1.0.0", "Find out by reward how far the target is from what is seen"}
            .citation("N. Vecoven, D. Ernst, A. Wehenkel, G. Drion (2020), Introducing neuromodulation in deep neural "
                      "networks to learn adaptive behaviours, PLoS ONE 15(1), doi:10.1371/journal.pone.0227922 "
                      "(benchmark 1)")
            .manual(biasedTargetManual)
            .param("steps", &P::steps,
                   {.unit = "steps", .help = "Length of an episode", .min = 1, .max = 1000000, .group = "task"})
            .param("action_scale", &P::actionScale, {.help = "Factor of the action", .group = "task"})
            .param("action_limit", &P::actionLimit,
                   {.help = "The scaled action is clipped at minus and plus this", .min = 0, .group = "task"})
            .param("hit_radius", &P::hitRadius,
                   {.help = "A hit is nearer to the target than this", .min = 0, .group = "task"})
            .param("hit_reward", &P::hitReward, {.help = "Reward of a hit", .group = "task"})
            .param("reward_limit", &P::rewardLimit,
                   {.help = "A miss costs its distance, but at most this", .min = 0, .group = "task"})
            .param("observed_range", &P::observedRange,
                   {.help = "Observations are uniform between minus and plus this", .min = 0, .group = "task"})
            .param("alpha_range", &P::alphaRange,
                   {.help = "The offset alpha is uniform between minus and plus this", .min = 0, .group = "task"})
            .with(switchParams("Steps from which on another alpha, drawn anew, is in force; empty: none"))
            .input("action", 1, {.help = "The policy's sample, as drawn", .read = Read::end})
            .output("observation", 1, {.help = "x: the target plus alpha"})
            .output("history", 2,
                    {.help = "Number named (scaled and clipped action) and reward of the step before; 0 at the first"})
            .output("reward", 1, {.help = "Reward of this step", .read = Read::end})
            .output("hit", 1, {.help = "1 if this step hit the target, else 0", .read = Read::end})
            .output("alpha", 1, {.help = "What the observation is above the target; for probes"})
            .event("hit", "hit");
    }

    BiasedTarget(const BiasedTargetParams& params, Builder& b)
        : p_(params), action_(b.input("action")), observation_(b.output("observation")), history_(b.output("history")),
          reward_(b.output("reward")), hit_(b.output("hit")), alpha_(b.output("alpha")) {}

    int steps() const override { return p_.steps; }
    bool observesEnd() const override { return true; }

    void begin(Trial& trial, std::uint32_t, Stream& random) const override {
        trial = {};
        trial.alpha = drawAlpha(random);
        trial.observed = drawObserved(random);
    }

    void observe(Trial& trial, TaskStep<T>& s) const override {
        *s.output(observation_) = static_cast<T>(trial.observed);
        s.output(history_)[0] = static_cast<T>(trial.action);
        s.output(history_)[1] = static_cast<T>(trial.reward);
        *s.output(alpha_) = static_cast<T>(trial.alpha);
    }

    void act(Trial& trial, TaskStep<T>& s) const override {
        Stream random = s.random();
        // Drawn first, so that it is the same whatever the agent does.
        const double alpha = p_.switchesAt(s.step() + 1) ? drawAlpha(random) : trial.alpha;
        const bool hit = advance(trial, static_cast<double>(*s.input(action_)), [&] { return drawObserved(random); });
        trial.alpha = alpha;
        *s.output(reward_) = static_cast<T>(trial.reward);
        *s.output(hit_) = hit ? T(1) : T(0);
    }

    /// One step, with what is random in it from outside.
    /// @param next  the next observation, asked for after a hit only
    /// @return whether the target was hit
    template <class Next>
    bool advance(Trial& trial, double action, Next&& next) const {
        trial.action = std::clamp(p_.actionScale * action, -p_.actionLimit, p_.actionLimit);
        const double miss = std::abs(trial.observed - trial.alpha - trial.action);
        const bool hit = miss < p_.hitRadius;
        trial.reward = hit ? p_.hitReward : std::max(-miss, -p_.rewardLimit);
        if (hit) trial.observed = next();
        return hit;
    }

private:
    double drawObserved(Stream& random) const { return random.uniform(-p_.observedRange, p_.observedRange); }
    double drawAlpha(Stream& random) const { return random.uniform(-p_.alphaRange, p_.alphaRange); }

    BiasedTargetParams p_;
    Input action_;
    Output observation_, history_, reward_, hit_, alpha_;
};

} // namespace raphe
