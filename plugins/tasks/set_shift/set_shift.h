// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

namespace raphe {

struct SetShiftParams {
    int perStimulus = 10;
    double noise = 0.1;
    std::string schedule = "400 A, 600 B";
    double flip = 0;
    double hit = 1, falseAlarm = -1, noGo = 0;
};

inline constexpr const char* setShiftManual =
    R"(Go/No-Go with a shift of the rule that nobody announces. Each step is one presentation: one visual stimulus, A or B, and one
auditory, X or Y, each with probability 1/2. One of the four is the go cue: where it is shown, Go brings `hit`; where it is not,
`false_alarm`. No-Go brings `no_go` either way, so that whoever stops answering learns nothing any more.

    observation = (pattern + `noise` n) / sqrt(2 n_s),   pattern 1 on the n_s units of each stimulus that is shown (order A, B, X, Y)

n is normal, drawn anew for each unit and step.

| symbol | here |
| --- | --- |
| n_s | `per_stimulus` |
| go cue in each phase | `schedule`: presentations and cue, such as "400 A, 600 B" (reversal, within a dimension) or "400 A, 600 X" (to the other dimension) |
| probability that the sign of what Go brings is flipped | `flip` |
| Go, No-Go | unit 1 and unit 0 of the port `action` |
| correct | port `correct`: Go at the go cue, No-Go elsewhere |)";

struct SetShiftTrial {
    int visual = 0, auditory = 0;
    bool go = false, flipped = false;
};

/// Go/No-Go set shifting: which of four stimuli announces reward changes without notice.
template <class T>
class SetShift final : public TaskOf<T, SetShiftTrial> {
public:
    using Trial = SetShiftTrial;

    static auto declare() {
        using P = SetShiftParams;
        return Declaration<P>{"set_shift", "1.0.0", "Go/No-Go whose go cue changes without notice"}
            .citation("J. Mei, A. Rodriguez-Garcia, D. Takeuchi, G. Wainstein, N. Hubig, Y. Mohsenzadeh, S. Ramaswamy "
                      "(2025), Improving the adaptive and continuous learning capabilities of artificial neural "
                      "networks: lessons from multi-neuromodulatory dynamics, arXiv:2501.06762, section 6")
            .manual(setShiftManual)
            .param("per_stimulus", &P::perStimulus,
                   {.help = "Units that show a stimulus", .min = 1, .max = 100000, .group = "task"})
            .param("noise", &P::noise, {.help = "Standard deviation of the units' noise", .min = 0, .group = "task"})
            .param("schedule", &P::schedule,
                   {.help = "Phases: presentations and go cue (A, B, X or Y) of each", .group = "task"})
            .param(
                "flip", &P::flip,
                {.help = "Probability that the sign of what Go brings is flipped", .min = 0, .max = 1, .group = "task"})
            .param("hit", &P::hit, {.help = "Reward of Go at the go cue", .group = "reward"})
            .param("false_alarm", &P::falseAlarm, {.help = "Reward of Go elsewhere", .group = "reward"})
            .param("no_go", &P::noGo, {.help = "Reward of No-Go", .group = "reward"})
            .input("action", 2, {.help = "Chosen action, one-hot: No-Go, Go", .read = Read::end})
            .output("observation", Size<P>("4 * per_stimulus", [](const P& p) { return 4 * p.perStimulus; }),
                    {.help = "Activity of the units of A, B, X, Y"})
            .output("stimulus", 4, {.help = "1 for A, B, X, Y where shown; for probes"})
            .output("go", 1, {.help = "1 where the go cue is shown; for probes"})
            .output("phase", 1, {.help = "Number of the phase, 0, 1, ...; for probes"})
            .output("reward", 1, {.help = "What the action brought", .read = Read::end})
            .output("correct", 1, {.help = "1 where the action was right", .read = Read::end})
            .event("go", "go")
            .event("answer", "action", 1, 1)
            .event("reward", "reward")
            .check([](const P& p) {
                std::vector<Phase> phases;
                return parse(p.schedule, phases);
            });
    }

    SetShift(const SetShiftParams& p, Builder& b)
        : p_(p), action_(b.input("action")), observation_(b.output("observation")), stimulus_(b.output("stimulus")),
          go_(b.output("go")), phase_(b.output("phase")), reward_(b.output("reward")), correct_(b.output("correct")) {
        parse(p.schedule, phases_);
    }

    int steps() const override { return phases_.back().end; }
    void begin(Trial& trial, std::uint32_t, Stream&) const override { trial = {}; }

    void observe(Trial& trial, TaskStep<T>& s) const override {
        Stream random = s.random();
        trial.visual = static_cast<int>(random.integer(2));
        trial.auditory = static_cast<int>(random.integer(2));
        trial.flipped = random.uniform() < p_.flip;
        std::size_t phase = 0;
        while (phase + 1 < phases_.size() && s.step() >= phases_[phase].end) ++phase;
        const int cue = phases_[phase].cue;
        trial.go = cue < 2 ? trial.visual == cue : trial.auditory == cue - 2;
        T* x = s.output(observation_);
        if (p_.noise > 0) random.normals(x, 4 * p_.perStimulus);
        const auto scale = static_cast<T>(1 / std::sqrt(2.0 * p_.perStimulus)), noise = static_cast<T>(p_.noise);
        for (int stimulus = 0; stimulus < 4; ++stimulus) {
            const bool shown = stimulus < 2 ? trial.visual == stimulus : trial.auditory == stimulus - 2;
            for (int i = 0; i < p_.perStimulus; ++i, ++x) *x = ((shown ? T(1) : T(0)) + noise * *x) * scale;
        }
        s.output(stimulus_)[trial.visual] = T(1);
        s.output(stimulus_)[2 + trial.auditory] = T(1);
        *s.output(go_) = trial.go ? T(1) : T(0);
        *s.output(phase_) = static_cast<T>(phase);
    }

    void act(Trial& trial, TaskStep<T>& s) const override {
        const bool go = s.input(action_)[1] > s.input(action_)[0];
        const double outcome = trial.go ? p_.hit : p_.falseAlarm;
        *s.output(reward_) = static_cast<T>(!go ? p_.noGo : trial.flipped ? -outcome : outcome);
        *s.output(correct_) = go == trial.go ? T(1) : T(0);
    }

private:
    struct Phase {
        int end, cue;
    };

    /// @return what is wrong with the schedule, or nothing
    static std::string parse(const std::string& text, std::vector<Phase>& phases) {
        const std::string example = "; expected presentations and a cue for each phase, such as \"400 A, 600 B\"";
        const char* at = text.c_str();
        long total = 0;
        while (true) {
            char* end = nullptr;
            const long count = std::strtol(at, &end, 10);
            while (end != at && *end == ' ') ++end;
            const std::string cues = "ABXY";
            const auto cue = end == at || *end == '\0' ? std::string::npos : cues.find(*end);
            if (end == at || count < 1 || cue == std::string::npos)
                return "schedule: cannot be read from \"" + std::string(at).substr(0, 20) + "\" on" + example;
            if (count > 10'000'000 || (total += count) > 10'000'000)
                return "schedule: more than ten million presentations; use fewer";
            phases.push_back({static_cast<int>(total), static_cast<int>(cue)});
            at = end + 1;
            while (*at == ' ') ++at;
            if (*at == '\0') return {};
            if (*at != ',') return "schedule: expected a comma at \"" + std::string(at).substr(0, 20) + "\"" + example;
            ++at;
        }
    }

    SetShiftParams p_;
    std::vector<Phase> phases_;
    Input action_;
    Output observation_, stimulus_, go_, phase_, reward_, correct_;
};

} // namespace raphe
