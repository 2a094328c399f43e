// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../plane.h"
#include "../switch_steps.h"
#include "raphe/plugin.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace raphe {

struct TwoTargetsParams : PlaneParams, SwitchParams {
    int steps = 5000;
    double hitReward = 100, badReward = -50, stepReward = 0;
};

inline constexpr const char* twoTargetsManual =
    R"(The agent walks in a plane whose opposite edges are one, and sees two targets. One is good, the other is bad; which of
them it sees first is drawn anew in each episode, so that it must find out by the reward and then keep it in mind.

    theta_t = pi a_t, reduced to one turn: [0, 2 pi], where a_t = 0 gives 2 pi
    away from both targets, D = min(|g - q_t|, |b - q_t|) > target_radius:
        q_(t+1) = wrap(q_t + step_length (cos theta_t, sin theta_t)),   r_t = step_reward
    at a target:
        q_(t+1) = a new start;   the action has no effect
        r_t = hit_reward if the nearer target is the good one, g, and bad_reward if it is the bad one, b

So the reward comes one step after the arrival. g and b ~ U[-target_range, target_range] in both coordinates; they may
overlap. A start is uniform in [-start_range, start_range] in both coordinates and drawn again until it is farther than
`start_clearance` from both targets. wrap: a coordinate above `half_width` loses 2 `half_width`, one below -`half_width`
gains it.

| units of `observation` | `order` 0 | `order` 1 |
| --- | --- | --- |
| 0, 1 | g - q_t | b - q_t |
| 2, 3 | b - q_t | g - q_t |

These are plain differences: a step across an edge makes them jump by 2 `half_width`. `history` is
(theta_(t-1), r_(t-1)), both 0 at the first step. What a network shall see of the previous observation comes over a wire
with delay 1. An episode has always `steps` steps. At the steps of `switch_steps` the two targets change roles: the agent
sees what it saw, but `order`, `good` and `bad` are exchanged.

| paper | here |
| --- | --- |
| T | `steps` |
| x_t | port `observation` |
| alpha[5]: which target is seen first | port `order`: 0 the good one, 1 the bad one |
| a_t, the policy's sample | port `action` |
| theta_t, r_t | ports `history` (of the step before), `reward` |
| q_t, g, b | ports `position`, `good`, `bad` |

Reference, sum of 0.998^t r_t over 5000 steps: a policy that knows the good target and walks straight to it, through the
bad one if need be, 7130; one that walks to the nearest target 2520; an untrained one (normal with deviation 0.607) 143.

**Differs from the paper.** Follows the authors' program; nothing is known to differ. `switch_steps` makes the exchange of
the paper's figure 10 happen inside an episode.)";

struct TwoTargetsTrial {
    Point good, bad, position;
    std::int64_t order = 0;         ///< 0: the good target is observed first; 1: the bad one
    double heading = 0, reward = 0; ///< theta and r of the step before
};

/// Two targets, benchmark 3 of N. Vecoven et al. 2020, Introducing neuromodulation in deep neural networks to learn
/// adaptive behaviours, PLoS ONE 15(1): find out which of two targets is the good one.
template <class T>
class TwoTargets final : public TaskOf<T, TwoTargetsTrial> {
public:
    using Trial = TwoTargetsTrial;
    enum class Hit { none, good, bad };

    static auto declare() {
        using P = TwoTargetsParams;
        return Declaration<P>{"two_targets", "1.0.0", "Find out by reward which of two targets is the good one"}
            .citation("N. Vecoven, D. Ernst, A. Wehenkel, G. Drion (2020), Introducing neuromodulation in deep neural "
                      "networks to learn adaptive behaviours, PLoS ONE 15(1), doi:10.1371/journal.pone.0227922 "
                      "(benchmark 3)")
            .manual(twoTargetsManual)
            .param("steps", &P::steps,
                   {.unit = "steps", .help = "Length of an episode", .min = 1, .max = 1000000, .group = "task"})
            .param("hit_reward", &P::hitReward, {.help = "Reward at the good target", .group = "task"})
            .param("bad_reward", &P::badReward, {.help = "Reward at the bad target", .group = "task"})
            .param("step_reward", &P::stepReward, {.help = "Reward of every other step", .group = "task"})
            .with(planeParams())
            .with(
                switchParams("Steps from which on the good target is the bad one and the other way round; empty: none"))
            .input("action", 1, {.help = "The policy's sample, as drawn; 1 is half a turn", .read = Read::end})
            .output("observation", 4, {.help = "First and second target minus position, the plain differences"})
            .output("history", 2, {.help = "Heading (rad) and reward of the step before; 0 at the first step"})
            .output("reward", 1, {.help = "Reward of this step", .read = Read::end})
            .output("hit", 1,
                    {.help = "1 if the agent was at the good target, 2 at the bad one, else 0", .read = Read::end})
            .output("order", 1, {.help = "0 if the first target seen is the good one, 1 if the bad one; for probes"})
            .output("position", 2, {.help = "Where the agent is; for probes"})
            .output("good", 2, {.help = "Where the good target is; for probes"})
            .output("bad", 2, {.help = "Where the bad target is; for probes"})
            .event("hit", "hit")
            .check([](const P& p) {
                if (p.stepLength > 2 * p.halfWidth)
                    return "step_length: expected at most 2 half_width (" + std::to_string(2 * p.halfWidth) +
                           "), got " + std::to_string(p.stepLength);
                return std::string{};
            });
    }

    TwoTargets(const TwoTargetsParams& params, Builder& b)
        : p_(params), action_(b.input("action")), observation_(b.output("observation")), history_(b.output("history")),
          reward_(b.output("reward")), hit_(b.output("hit")), order_(b.output("order")),
          position_(b.output("position")), good_(b.output("good")), bad_(b.output("bad")) {}

    int steps() const override { return p_.steps; }
    bool observesEnd() const override { return true; }

    void begin(Trial& trial, std::uint32_t, Stream& random) const override {
        trial = {};
        trial.good = p_.drawTarget(random);
        trial.bad = p_.drawTarget(random);
        trial.order = random.integer(2);
        trial.position = start(trial, [&] { return p_.drawCandidate(random); });
    }

    void observe(Trial& trial, TaskStep<T>& s) const override {
        const bool goodFirst = trial.order == 0;
        write((goodFirst ? trial.good : trial.bad) - trial.position, s.output(observation_));
        write((goodFirst ? trial.bad : trial.good) - trial.position, s.output(observation_) + 2);
        s.output(history_)[0] = static_cast<T>(trial.heading);
        s.output(history_)[1] = static_cast<T>(trial.reward);
        *s.output(order_) = static_cast<T>(trial.order);
        write(trial.position, s.output(position_));
        write(trial.good, s.output(good_));
        write(trial.bad, s.output(bad_));
    }

    void act(Trial& trial, TaskStep<T>& s) const override {
        Stream random = s.random();
        const Hit hit =
            advance(trial, static_cast<double>(*s.input(action_)), [&] { return p_.drawCandidate(random); });
        if (p_.switchesAt(s.step() + 1)) {
            std::swap(trial.good, trial.bad);
            trial.order = 1 - trial.order;
        }
        *s.output(reward_) = static_cast<T>(trial.reward);
        *s.output(hit_) = static_cast<T>(static_cast<int>(hit));
    }

    /// One step, with what is random in it from outside.
    /// @param candidate  places to start again, asked for at a target only
    /// @return at which target the agent was
    template <class Candidate>
    Hit advance(Trial& trial, double action, Candidate&& candidate) const {
        trial.heading = headingOf(action);
        const double toGood = distance(trial.position, trial.good), toBad = distance(trial.position, trial.bad);
        if (std::min(toGood, toBad) <= p_.targetRadius) {
            const bool good = toGood <= toBad;
            trial.reward = good ? p_.hitReward : p_.badReward;
            trial.position = start(trial, candidate);
            return good ? Hit::good : Hit::bad;
        }
        trial.reward = p_.stepReward;
        trial.position = p_.wrapped(trial.position + along(trial.heading, p_.stepLength));
        return Hit::none;
    }
    template <class Candidate>
    Point start(const Trial& trial, Candidate&& candidate) const {
        return p_.start({trial.good, trial.bad}, candidate);
    }

private:
    TwoTargetsParams p_;
    Input action_;
    Output observation_, history_, reward_, hit_, order_, position_, good_, bad_;
};

} // namespace raphe
