// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/task.h"

#include <cmath>

namespace raphe::test {

struct CourseParams {
    int steps = 12, inputs = 2, actions = 0, length = 0, spread = 0, first = 0;
    double reacts = 0;
    bool truncates = false, hides = false;
};

/// Where one trial stands.
struct CourseTrial {
    std::uint32_t number = 0;
    double place = 0;
    template <class Archive>
    void fields(Archive& archive) { // by name: bytes between them would differ from run to run
        archive(number, place);
    }
};

/// A task in which nothing is random: a trial depends on its number only, so that a trial that begins anew in a column
/// is the one that was there before. Trials can be kept, end early, and react to actions.
template <class T>
class Course final : public TaskOf<T, CourseTrial> {
public:
    static auto declare() {
        using P = CourseParams;
        return Declaration<P>{"course", "1.0.0", "Trials that repeat"}
            .param("steps", &P::steps, {.help = "Steps of a trial, at most; 0: it ends when it says so", .min = 0})
            .param("inputs", &P::inputs, {.help = "Units of observation", .min = 1})
            .param("actions", &P::actions, {.help = "Units of action; 0: open loop", .min = 0})
            .param("length", &P::length, {.help = "Steps after which a trial ends; 0: never", .min = 0})
            .param("spread", &P::spread, {.help = "Trial b ends b mod (spread + 1) steps later", .min = 0})
            .param("first", &P::first, {.help = "Number of the first trial", .min = 0})
            .param("reacts", &P::reacts, {.help = "Effect of the first action on the observation"})
            .param("truncates", &P::truncates, {.help = "Ends are cuts from outside"})
            .param("hides", &P::hides, {.help = "Trials go on after their end, but their mask is 0"})
            .input("action", "actions", {.help = "What is done", .read = Read::end, .optional = true})
            .output("observation", "inputs", {.help = "Waves"})
            .output("target", 1, {.help = "A wave"})
            .output("mask", 1, {.help = "Weights of the steps"})
            .output("reward", 1, {.help = "How near the place is to the target", .read = Read::end});
    }
    Course(const CourseParams& params, Builder& b)
        : p_(params), action_(b.input("action")), observation_(b.output("observation")), target_(b.output("target")),
          mask_(b.output("mask")), reward_(b.output("reward")) {}

    int steps() const override { return p_.steps; }
    bool observesEnd() const override { return true; }
    void begin(CourseTrial& trial, std::uint32_t number, Stream&) const override {
        trial = {number + static_cast<std::uint32_t>(p_.first), 0};
    }
    void observe(CourseTrial& trial, TaskStep<T>& s) const override {
        for (int i = 0; i < p_.inputs; ++i)
            s.output(observation_)[i] =
                static_cast<T>(std::sin(0.7 * (i + 1) * (s.step() + 1) + trial.number) + trial.place);
        *s.output(target_) = static_cast<T>(std::cos(0.3 * s.step() + trial.number));
        *s.output(mask_) = p_.hides && s.step() >= lengthOf(trial) ? T(0) : static_cast<T>(1 + 0.25 * (s.step() % 3));
        if (p_.actions == 0) end(trial, s);
    }
    void act(CourseTrial& trial, TaskStep<T>& s) const override {
        trial.place += p_.reacts * static_cast<double>(s.input(action_)[0]);
        *s.output(reward_) = static_cast<T>(1 - std::abs(trial.place - std::cos(0.3 * s.step() + trial.number)));
        end(trial, s);
    }

private:
    int lengthOf(const CourseTrial& trial) const {
        return p_.length + static_cast<int>(trial.number % static_cast<std::uint32_t>(p_.spread + 1));
    }
    void end(const CourseTrial& trial, TaskStep<T>& s) const {
        if (p_.length == 0 || p_.hides || s.step() + 1 != lengthOf(trial)) return;
        if (p_.truncates)
            s.truncate();
        else
            s.terminate();
    }

    CourseParams p_;
    Input action_;
    Output observation_, target_, mask_, reward_;
};

} // namespace raphe::test
