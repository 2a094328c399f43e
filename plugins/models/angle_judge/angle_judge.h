// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

namespace raphe {

struct AngleJudgeParams {
    std::string criterion = "strict";
    double tolerance = 0.1;
};

inline constexpr const char* angleJudgeManual =
    R"(Says of an answer like those of `task.multitask` whether it is right: its first unit is the fixation, the others show an angle. `correct` at
a step judges the trial as if it ended there; wired to `correct` of `rule.supervised`, its mean at the end of trials becomes a metric, the
percentage that is correct.

| `criterion` | a trial whose target is to answer is right if, at the step that is judged |
| --- | --- |
| strict | the fixation is at most 0.5, and the angles of answer and target are less than `tolerance` pi apart on the circle |
| authors | the fixation was above 0.5 as long as the target's was, and D < `tolerance` pi: D = min( abs(a - b), 2 pi - abs(a - b) ), a and b the arctan of sine / cosine of target and answer |

Where the target is to fixate, strict asks for a fixation above 0.5 only. authors is the measure of Costacurta et al. (2024): since the arctan of a quotient has
the period pi, it does not tell an angle from the opposite one, and it rejects right answers near the sine's axis; use it only to compare with
their figures. Driscoll et al. (2024) use strict with 0.1, Yang et al. (2019) with 0.2.

Two units show an angle as sine and cosine, more as a population with preferred angles evenly around the circle, whose vectors are summed (strict
only). No gradient passes.)";

/// Whether an answer to a task on angles is right.
template <class T>
class AngleJudge final : public Model<T> {
public:
    static auto declare() {
        using P = AngleJudgeParams;
        return Declaration<P>{"angle_judge", "1.0.0", "Says whether an answer that is an angle is right"}
            .citation("L. N. Driscoll, K. Shenoy, D. Sussillo (2024), Flexible multitask computation in recurrent "
                      "networks utilizes shared dynamical motifs, Nature Neuroscience 27, "
                      "doi:10.1038/s41593-024-01668-6; J. C. Costacurta, S. Bhandarkar, D. M. Zoltowski, S. W. "
                      "Linderman (2024), Structured flexibility in recurrent neural networks via neuromodulation, "
                      "NeurIPS, doi:10.1101/2024.07.26.605315")
            .manual(angleJudgeManual)
            .param("criterion", &P::criterion,
                   {.help = "What is called right", .choices = {"strict", "authors"}, .group = "criterion"})
            .param("tolerance", &P::tolerance,
                   {.unit = "pi rad",
                    .help = "Distance from the target's angle below which an answer is right",
                    .min = 0,
                    .max = 1,
                    .group = "criterion"})
            .input("answer", "any", {.help = "Fixation, and the angle on two or more units"})
            .input("target", "any", {.help = "What it should be; as many units as the answer"})
            .output("correct", 1, {.help = "1 where the answer is right, else 0"});
    }

    AngleJudge(const AngleJudgeParams& p, Builder& b)
        : tolerance_(p.tolerance * std::numbers::pi), cosine_(std::cos(tolerance_)), authors_(p.criterion == "authors"),
          answer_(b.input("answer")), target_(b.input("target")), correct_(b.output("correct")) {
        const int units = b.size("target");
        if (b.size("answer") != units)
            throw Error("port \"answer\"", "expected as many units as the target has (" + std::to_string(units) +
                                               "), got " + std::to_string(b.size("answer")));
        if (units < 3)
            throw Error("port \"target\"",
                        "expected a fixation and an angle on at least two units, wire three units or more; got " +
                            std::to_string(units));
        if (authors_ && units != 3)
            throw Error("criterion", "\"authors\" judges a sine and a cosine, not a population of " +
                                         std::to_string(units - 1) + " units; choose strict");
        for (int j = 0; units > 3 && j < units - 1; ++j) {
            const double preferred = 2 * std::numbers::pi * j / (units - 1);
            preferred_.push_back({std::sin(preferred), std::cos(preferred)});
        }
        if (authors_) held_ = b.state("held", 1, {.initial = 1});
    }

    void step(Step<T>& s) const override {
        const Value<T> answer = s.input(answer_), target = s.input(target_), correct = s.destination(correct_);
        if (authors_) {
            const Value<T> before = s.state(held_), held = s.tape().make(1, s.columns(), false);
            for (int c = 0; c < s.columns(); ++c) {
                const bool broken = target.column(c)[0] >= T(0.5) && !(answer.column(c)[0] > T(0.5));
                held.data[c] = broken ? T(0) : before.data[c];
                correct.data[c] = held.data[c] > 0 && near(answer.column(c), target.column(c)) ? T(1) : T(0);
            }
            s.next(held_, held);
        } else {
            for (int c = 0; c < s.columns(); ++c)
                correct.data[c] = right(answer.column(c), target.column(c)) ? T(1) : T(0);
        }
        s.emit(correct_, correct);
    }

private:
    struct Vector {
        double sine = 0, cosine = 0;
    };

    bool right(const T* answer, const T* target) const {
        const bool fixates = answer[0] > T(0.5);
        if (target[0] > T(0.5)) return fixates;
        if (fixates) return false;
        const Vector a = vectorOf(answer), b = vectorOf(target);
        const double squares = (a.sine * a.sine + a.cosine * a.cosine) * (b.sine * b.sine + b.cosine * b.cosine);
        return a.sine * b.sine + a.cosine * b.cosine > cosine_ * std::sqrt(squares);
    }
    /// One without length has the angle 0.
    Vector vectorOf(const T* shown) const {
        Vector v;
        if (preferred_.empty()) v = {static_cast<double>(shown[1]), static_cast<double>(shown[2])};
        for (std::size_t j = 0; j < preferred_.size(); ++j) {
            const auto rate = static_cast<double>(shown[1 + j]);
            v.sine += rate * preferred_[j].sine;
            v.cosine += rate * preferred_[j].cosine;
        }
        if (v.sine == 0 && v.cosine == 0) v.cosine = 1;
        return v;
    }
    /// The authors' distance. A cosine of 0 is an angle of +-pi/2.
    bool near(const T* answer, const T* target) const {
        const auto angleOf = [](const T* shown) {
            return shown[1] == T(0) ? 0.0 : std::atan(static_cast<double>(shown[1]) / static_cast<double>(shown[2]));
        };
        const double apart = std::abs(angleOf(target) - angleOf(answer));
        return std::min(apart, 2 * std::numbers::pi - apart) < tolerance_;
    }

    double tolerance_, cosine_;
    bool authors_;
    std::vector<Vector> preferred_; ///< of the units of a population
    Input answer_, target_;
    Output correct_;
    State held_;
};

} // namespace raphe
