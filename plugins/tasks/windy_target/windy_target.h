// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../plane.h"
#include "../switch_steps.h"
#include "raphe/plugin.h"

#include <numbers>
#include <string>

namespace raphe {

struct WindyTargetParams : PlaneParams, SwitchParams {
    int steps = 4000;
    double windLength = 0.25, windHalfCone = std::numbers::pi / 4;
    double hitReward = 100, stepReward = -2;
};

inline constexpr const char* windyTargetManual =
    R"(The agent walks in a plane whose opposite edges are one, and is rewarded at a target that it sees. A wind, whose heading
is drawn anew in each episode, blows it off its course: as far in each step as the agent itself can go, so that it hardly
moves against the wind and does better to go round the plane.

    theta_t = pi a_t, reduced to one turn: [0, 2 pi], where a_t = 0 gives 2 pi
    away from the target, |g - q_t| > target_radius:
        q_(t+1) = wrap(q_t + step_length (cos theta_t, sin theta_t) + wind_length (cos phi_t, sin phi_t))
        phi_t = omega + U[-wind_half_cone, wind_half_cone],   r_t = step_reward
    at the target:
        q_(t+1) = a new start,   r_t = hit_reward;   the action has no effect

So the reward comes one step after the arrival, in place of `step_reward`. g ~ U[-target_range, target_range] in both
coordinates, omega ~ U[0, 2 pi). A start is uniform in [-start_range, start_range] in both coordinates and drawn again
until it is farther than `start_clearance` from g. wrap: a coordinate above `half_width` loses 2 `half_width`, one below
-`half_width` gains it.

`observation` is g - q_t, the plain difference: a step across an edge makes it jump by 2 `half_width`. `history` is
(theta_(t-1), r_(t-1)), both 0 at the first step. What a network shall see of the previous observation comes over a wire
with delay 1. An episode has always `steps` steps. At the steps of `switch_steps` omega is drawn anew.

| paper | here |
| --- | --- |
| T | `steps` |
| x_t | port `observation` |
| alpha: heading of the wind | port `wind` (omega) |
| a_t, the policy's sample | port `action` |
| theta_t, r_t | ports `history` (of the step before), `reward` |
| q_t, g | ports `position`, `target` |

Reference, sum of 0.998^t r_t over 4000 steps: a policy that knows the wind and steers for the middle of the target on the
way that takes the fewest steps, across edges too, 6350 (for its rim: about 7100); one that heads straight at the target
and ignores the wind 1590; an untrained one (normal with deviation 0.607) -165.

**Differs from the paper.** Follows the authors' program (October 2019): a step costs 2, as the caption of the paper's
figure says (its text says 0.2); the half angle of the wind's cone, which the paper does not give, is pi/4. `switch_steps`
is ours.)";

struct WindyTargetTrial {
    Point target, position;
    double wind = 0;                ///< omega
    double heading = 0, reward = 0; ///< theta and r of the step before
};

/// Windy target, benchmark 2 of N. Vecoven et al. 2020, Introducing neuromodulation in deep neural networks to learn
/// adaptive behaviours, PLoS ONE 15(1): walk to a target in a wind of unknown heading.
template <class T>
class WindyTarget final : public TaskOf<T, WindyTargetTrial> {
public:
    using Trial = WindyTargetTrial;

    static auto declare() {
        using P = WindyTargetParams;
        return Declaration<P>{"windy_target", "1.0.0", "Walk to a target in a wind of unknown heading"}
            .citation("N. Vecoven, D. Ernst, A. Wehenkel, G. Drion (2020), Introducing neuromodulation in deep neural "
                      "networks to learn adaptive behaviours, PLoS ONE 15(1), doi:10.1371/journal.pone.0227922 "
                      "(benchmark 2)")
            .manual(windyTargetManual)
            .param("steps", &P::steps,
                   {.unit = "steps", .help = "Length of an episode", .min = 1, .max = 1000000, .group = "task"})
            .param("hit_reward", &P::hitReward, {.help = "Reward at the target", .group = "task"})
            .param("step_reward", &P::stepReward, {.help = "Reward of every other step", .group = "task"})
            .param("wind_length", &P::windLength,
                   {.help = "How far the wind moves the agent in a step", .min = 0, .group = "task"})
            .param("wind_half_cone", &P::windHalfCone,
                   {.unit = "rad",
                    .help = "The wind of a step deviates from its heading by at most this",
                    .min = 0,
                    .max = std::numbers::pi,
                    .group = "task"})
            .with(planeParams())
            .with(switchParams("Steps from which on another wind, drawn anew, blows; empty: none"))
            .input("action", 1, {.help = "The policy's sample, as drawn; 1 is half a turn", .read = Read::end})
            .output("observation", 2, {.help = "Target minus position, the plain difference"})
            .output("history", 2, {.help = "Heading (rad) and reward of the step before; 0 at the first step"})
            .output("reward", 1, {.help = "Reward of this step", .read = Read::end})
            .output("hit", 1, {.help = "1 if the agent was at the target, else 0", .read = Read::end})
            .output("wind", 1, {.help = "Heading of the wind, rad in [0, 2 pi); for probes"})
            .output("position", 2, {.help = "Where the agent is; for probes"})
            .output("target", 2, {.help = "Where the target is; for probes"})
            .event("hit", "hit")
            .check([](const P& p) {
                if (p.stepLength + p.windLength > 2 * p.halfWidth)
                    return "step_length: expected at most 2 half_width together with wind_length (" +
                           std::to_string(2 * p.halfWidth) + "), got " + std::to_string(p.stepLength + p.windLength);
                return std::string{};
            });
    }

    WindyTarget(const WindyTargetParams& params, Builder& b)
        : p_(params), action_(b.input("action")), observation_(b.output("observation")), history_(b.output("history")),
          reward_(b.output("reward")), hit_(b.output("hit")), wind_(b.output("wind")), position_(b.output("position")),
          target_(b.output("target")) {}

    int steps() const override { return p_.steps; }
    bool observesEnd() const override { return true; }

    void begin(Trial& trial, std::uint32_t, Stream& random) const override {
        trial = {};
        trial.target = p_.drawTarget(random);
        trial.wind = drawWind(random);
        trial.position = start(trial, [&] { return p_.drawCandidate(random); });
    }

    void observe(Trial& trial, TaskStep<T>& s) const override {
        write(trial.target - trial.position, s.output(observation_));
        s.output(history_)[0] = static_cast<T>(trial.heading);
        s.output(history_)[1] = static_cast<T>(trial.reward);
        *s.output(wind_) = static_cast<T>(trial.wind);
        write(trial.position, s.output(position_));
        write(trial.target, s.output(target_));
    }

    void act(Trial& trial, TaskStep<T>& s) const override {
        Stream random = s.random();
        // Drawn first, so that it is the same whatever the agent does.
        const double wind = p_.switchesAt(s.step() + 1) ? drawWind(random) : trial.wind;
        const bool hit = advance(
            trial, static_cast<double>(*s.input(action_)),
            [&] { return random.uniform(-p_.windHalfCone, p_.windHalfCone); },
            [&] { return p_.drawCandidate(random); });
        trial.wind = wind;
        *s.output(reward_) = static_cast<T>(trial.reward);
        *s.output(hit_) = hit ? T(1) : T(0);
    }

    /// One step, with what is random in it from outside.
    /// @param deviation  of the wind from its heading, asked for away from the target only
    /// @param candidate  places to start again, asked for at the target only
    /// @return whether the agent was at the target
    template <class Deviation, class Candidate>
    bool advance(Trial& trial, double action, Deviation&& deviation, Candidate&& candidate) const {
        trial.heading = headingOf(action);
        const bool hit = distance(trial.position, trial.target) <= p_.targetRadius;
        trial.reward = hit ? p_.hitReward : p_.stepReward;
        trial.position = hit ? start(trial, candidate)
                             : p_.wrapped(trial.position + along(trial.heading, p_.stepLength) +
                                          along(trial.wind + deviation(), p_.windLength));
        return hit;
    }
    template <class Candidate>
    Point start(const Trial& trial, Candidate&& candidate) const {
        return p_.start({trial.target}, candidate);
    }

private:
    static double drawWind(Stream& random) { return random.uniform(0, 2 * std::numbers::pi); }

    WindyTargetParams p_;
    Input action_;
    Output observation_, history_, reward_, hit_, wind_, position_, target_;
};

} // namespace raphe
