// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../switch_steps.h"

#include "raphe/plugin.h"

#include <algorithm>
#include <string>
#include <vector>

namespace raphe {

struct CueRewardParams : SwitchParams {
    int cues = 4;
    int cueBits = 20;
    int steps = 120;
    double reward = 1.0;
    bool fixedCues = false;
    bool sharedCues = false;
};

inline constexpr const char* cueRewardManual =
    R"(In each episode one of several cues, drawn anew, is the target. Short presentations follow one another: some cues are
shown, then a Go signal asks whether the target was among them. The only hint is the reward that follows an answer, so
the network has to find the target within the episode.

A presentation lasts L = n/2 + 3 + U{0, ..., n-1} steps, n = `cues`: one blank step, then n/2 different cues and the
remaining L - 3 - n/2 blank steps in random order, then Go, then one blank step. Presentations fill the episode; the last
is cut off. At Go, action 1 is correct if the target was shown (probability 1/2), action 0 otherwise; the reward is
+`reward` or -`reward`. Actions at other steps have no effect.

| unit of `observation` (c = `cue_bits`) | content |
| --- | --- |
| 0 ... c-1 | bits of the cue that is shown, 0 if none |
| c | 1 at Go |
| c+1 | 1 |
| c+2 | t / `steps` |
| c+3 | reward of the previous step |
| c+4 | always 0 |
| c+5, c+6 | previous action, one-hot; both 0 at t = 0 |

| paper | here |
| --- | --- |
| number of cues | `cues` |
| bits of a cue | `cue_bits`, each +1 or -1 |
| episode length | `steps` |
| Figure 4: four fixed cues 1000, 0100, 0010, 0001 | `fixed_cues`, `cue_bits` = 4 |

For probes: at the steps of `switch_steps` another of the cues becomes the target; a presentation that is under way is judged by the
target at its Go. With `shared_cues` all episodes of a batch have the same cues, drawn anew for each batch, but each a target of its own.

Answering at random earns 0. An ideal observer must guess twice (with 2 cues once): it earns the number of responses
minus 2 (120 steps, 4 cues: 18.2 responses on average).

**Differs from the paper.** Follows the authors' program: 120 instead of 200 steps, bits +1 and -1 instead of binary, and
the further units Go, constant and unused of the observation. The one-hot cues of `fixed_cues` consist of 0 and 1. `switch_steps` and
`shared_cues` are ours.)";

/// Cue-reward association (T. Miconi et al. 2019, Backpropamine, section 4.1). begin() draws the whole episode.
struct CueRewardTrial {
    static constexpr int blank = -1, go = -2;
    std::vector<int> shown;          ///< by step: number of a cue, blank or go
    std::vector<int> target;         ///< by step: number of the target cue
    std::vector<signed char> bits;   ///< cue after cue
    std::vector<int> order, filling; ///< work space of begin()
    int previousAction = -1;
    double previousReward = 0;
};

template <class T>
class CueReward final : public TaskOf<T, CueRewardTrial> {
public:
    using Trial = CueRewardTrial;

    static auto declare() {
        using P = CueRewardParams;
        return Declaration<P>{"cue_reward", "1.0.0", "Find out by reward which cue is the target of this episode"}
            .citation("T. Miconi, A. Rawal, J. Clune, K. O. Stanley (2019), Backpropamine: training self-modifying "
                      "neural networks with "
                      "differentiable neuromodulated plasticity, ICLR, arXiv:2002.10585")
            .manual(cueRewardManual)
            .param("cues", &P::cues,
                   {.help = "Number of cues of an episode; even", .min = 2, .max = 1000, .group = "task"})
            .param("cue_bits", &P::cueBits, {.help = "Units that show a cue", .min = 1, .max = 100000, .group = "task"})
            .param("steps", &P::steps,
                   {.unit = "steps", .help = "Length of an episode", .min = 1, .max = 1000000, .group = "task"})
            .param("reward", &P::reward,
                   {.help = "Reward of a correct answer; a wrong one costs the same", .min = 0, .group = "task"})
            .param("fixed_cues", &P::fixedCues,
                   {.help = "The same one-hot cues in all episodes instead of random ones", .group = "task"})
            .param("shared_cues", &P::sharedCues,
                   {.help = "Random cues that all episodes of a batch share", .group = "probe"})
            .with(switchParams("Steps from which on another cue is the target; empty: none"))
            .input("action", 2,
                   {.help = "Chosen action, one-hot; the second means: the target was shown", .read = Read::end})
            .output("observation", Size<P>("cue_bits + 7", [](const P& p) { return p.cueBits + 7; }),
                    {.help = "Cue, Go, constant, time, previous reward and action"})
            .output("reward", 1, {.help = "Reward of the action of this step", .read = Read::end})
            .output("target", 1, {.help = "Number of the target cue, 0, 1, ...; for probes"})
            .output("response", 1, {.help = "1 at steps whose action counts (Go), else 0"})
            .event("cue", "observation", 0, "cue_bits")
            .event("go", "observation", "cue_bits", 1)
            .event("answer", "action", 1, 1)
            .event("reward", "reward")
            .check([](const P& p) {
                if (p.cues % 2 != 0) return "cues: expected an even number, got " + std::to_string(p.cues);
                if (p.fixedCues && p.cueBits < p.cues)
                    return "cue_bits: one-hot cues need at least as many bits as cues (" + std::to_string(p.cues) +
                           "), got " + std::to_string(p.cueBits);
                if (!p.fixedCues && p.cueBits < 30 && (1 << p.cueBits) < p.cues)
                    return "cue_bits: " + std::to_string(p.cueBits) + " bits cannot tell " + std::to_string(p.cues) +
                           " cues apart; use more bits or fewer cues";
                return std::string{};
            });
    }

    CueReward(const CueRewardParams& params, Builder& b)
        : p_(params), action_(b.input("action")), observation_(b.output("observation")), reward_(b.output("reward")),
          target_(b.output("target")), response_(b.output("response")) {}

    int steps() const override { return p_.steps; }

    void begin(Trial& trial, std::uint32_t, Stream& random) const override { start(trial, random, random); }
    void begin(Trial& trial, const TrialPlace& place, Stream& random) const override {
        if (!p_.sharedCues) return start(trial, random, random);
        Stream common = place.shared("cues", place.iteration);
        start(trial, common, random);
    }

    void observe(Trial& trial, TaskStep<T>& s) const override {
        const int shown = s.step() < p_.steps ? trial.shown[at(s.step())] : Trial::blank; // what follows the last step
        T* x = s.output(observation_);
        if (shown >= 0) std::copy_n(trial.bits.data() + at(shown) * at(p_.cueBits), p_.cueBits, x);
        T* rest = x + p_.cueBits;
        rest[0] = shown == Trial::go ? T(1) : T(0);
        rest[1] = T(1);
        rest[2] = static_cast<T>(s.step()) / static_cast<T>(p_.steps);
        rest[3] = static_cast<T>(trial.previousReward);
        if (trial.previousAction >= 0) rest[5 + trial.previousAction] = T(1);
        *s.output(target_) = static_cast<T>(trial.target[at(std::min(s.step(), p_.steps - 1))]);
        *s.output(response_) = rest[0];
    }

    void act(Trial& trial, TaskStep<T>& s) const override {
        const T* action = s.input(action_);
        trial.previousAction = action[1] > action[0] ? 1 : 0;
        trial.previousReward = 0;
        if (trial.shown[at(s.step())] == Trial::go)
            trial.previousReward = trial.previousAction == answer(trial, s.step()) ? p_.reward : -p_.reward;
        *s.output(reward_) = static_cast<T>(trial.previousReward);
    }

private:
    static std::size_t at(int i) { return static_cast<std::size_t>(i); }

    void start(Trial& trial, Stream& cues, Stream& random) const {
        trial.previousAction = -1;
        trial.previousReward = 0;
        drawCues(trial, cues);
        const auto count = static_cast<std::uint32_t>(p_.cues);
        int target = static_cast<int>(random.integer(count));
        trial.order.resize(at(p_.cues));
        for (int cue = 0; cue < p_.cues; ++cue) trial.order[at(cue)] = cue;
        trial.shown.clear();
        trial.shown.reserve(at(p_.steps));
        while (trial.shown.size() < at(p_.steps)) appendPresentation(trial, random);
        trial.target.resize(at(p_.steps));
        for (int t = 0; t < p_.steps; ++t) { // last, so that the episode is otherwise that without switches
            if (p_.switchesAt(t)) target = (target + 1 + static_cast<int>(random.integer(count - 1))) % p_.cues;
            trial.target[at(t)] = target;
        }
    }

    /// Whether the target of this step, Go, was among the cues since the Go before.
    int answer(const Trial& trial, int step) const {
        for (int t = step - 1; t >= 0 && trial.shown[at(t)] != Trial::go; --t)
            if (trial.shown[at(t)] == trial.target[at(step)]) return 1;
        return 0;
    }

    void drawCues(Trial& trial, Stream& random) const {
        trial.bits.assign(at(p_.cues) * at(p_.cueBits), 0);
        for (int cue = 0; cue < p_.cues; ++cue) {
            signed char* bits = trial.bits.data() + at(cue) * at(p_.cueBits);
            if (p_.fixedCues) {
                bits[cue] = 1;
                continue;
            }
            const auto isKnown = [&] {
                for (const signed char* other = trial.bits.data(); other != bits; other += p_.cueBits)
                    if (std::equal(bits, bits + p_.cueBits, other)) return true;
                return false;
            };
            do
                for (int i = 0; i < p_.cueBits; ++i) bits[i] = random.integer(2) ? 1 : -1;
            while (isKnown());
        }
    }

    void appendPresentation(Trial& trial, Stream& random) const {
        const int shownCues = p_.cues / 2;
        const int blanks = static_cast<int>(random.integer(static_cast<std::uint32_t>(p_.cues)));
        random.shuffle(trial.order.begin(), static_cast<std::uint32_t>(p_.cues));
        trial.filling.assign(trial.order.begin(), trial.order.begin() + shownCues);
        trial.filling.resize(at(shownCues + blanks), Trial::blank);
        random.shuffle(trial.filling.begin(), static_cast<std::uint32_t>(trial.filling.size()));
        const auto append = [&](int shown) {
            if (trial.shown.size() < at(p_.steps)) trial.shown.push_back(shown); // the last presentation is cut off
        };
        append(Trial::blank);
        for (int shown : trial.filling) append(shown);
        append(Trial::go);
        append(Trial::blank);
    }

    CueRewardParams p_;
    Input action_;
    Output observation_, reward_, target_, response_;
};

} // namespace raphe
