// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "draws.h"

#include "raphe/plugin.h"

#include <algorithm>
#include <string>
#include <vector>

namespace raphe {

struct MultitaskParams {
    std::string family = "four_tasks", tasks, only, encoding = "pair", batch = "mixed";
    int steps = 100;
    double stepDuration = 20;
    double noise = 0, contextNoise = 0;
    int setSize = 0, replayEvery = 0;

    multitask::Family kind() const { return multitask::familyOf(family); }
    multitask::Encoding shown() const {
        return encoding == "ring" ? multitask::Encoding::ring : multitask::Encoding::pair;
    }
    /// Of `tasks`, as far as they can be read.
    std::vector<int> list() const {
        std::string problem;
        return multitask::readTasks(kind(), tasks, problem);
    }
    /// In all fourTasks but dm_1 and dm_2 there is but one.
    int modalities() const {
        if (kind() != multitask::Family::fourTasks) return 2;
        const auto paradigms = multitask::paradigmsOf(kind());
        for (const int task : list())
            if (paradigms[static_cast<std::size_t>(task)].course == multitask::Course::delayedDecision) return 2;
        return 1;
    }
    int channels() const { return multitask::channelsOf(shown()); }
    int contexts() const { return std::max(1, static_cast<int>(list().size())); }
    int targets() const { return 1 + channels(); }
    int costs() const { return kind() == multitask::Family::fourTasks ? noPort : targets(); }
};

inline constexpr const char* multitaskManual =
    R"(Many tasks on angles for one network, which is told the task by one unit each. Fixate while the fixation input is on, then answer
with an angle that follows from the stimuli.

| port | what it holds |
| --- | --- |
| `observation` | fixation input, 1 until the answer is due; then the stimuli of the first modality and, where there are two, of the second |
| `context` | 1 at the task of the trial |
| `target` | fixation, 0.8 until the answer is due; then the answer |
| `mask` | cost of each error, before it is squared |
| `error_weight` | the same, squared: what the mask of `rule.supervised` is |
| `epoch` | 1 while the first stimulus is shown, while the second one is, and in the response |

**Families.** `tasks` names those that the network is to know, in the order of the context's units; empty: all. `only` names those of them that
occur; empty: all.

| `family` | tasks | a trial |
| --- | --- | --- |
| four_tasks | delay_pro, delay_anti, memory_pro, memory_anti; if named also dm_1, dm_2 | stretched to `steps` samples |
| driscoll | fdgo, reactgo, delaygo, fdanti, reactanti, delayanti, delaydm1, delaydm2, contextdelaydm1, contextdelaydm2, multidelaydm, dmsgo, dmsnogo, dmcgo, dmcnogo | as long as what is drawn, in steps of `step_duration` |
| yang | the same and dm1, dm2, contextdm1, contextdm2, multidm, before the delaydm | the same, with the older timing |

| tasks | what is to be done |
| --- | --- |
| delay_, fd | The stimulus stays. When the fixation goes off, answer its angle (pro, go) or the opposite one (anti) |
| react | Answer as soon as the stimulus appears; the fixation input stays on |
| memory_, delay (of driscoll and yang) | The stimulus goes off, and is answered after a delay |
| dm, delaydm | Of two stimuli, together or one after the other, answer the angle of the stronger one; 1, 2: the modality that shows them; context: both show them, and the one of that number counts; multi: their sum counts |
| dms, dmc | Answer the second stimulus at once if it is the same angle as the first (dms), or of the same half of the circle (dmc); nogo: if it is not. Otherwise go on fixating |

Names differ: delay_pro is fdgo, memory_pro is delaygo.

**four_tasks.** Angles in 0 to 2 pi. Durations in seconds: fixation 0.3 to 0.7, stimulus 0.2 to 1.5 (memory, dm: 0.2 to 1.6, and as much again), response 0.3 to 0.7; all uniform.
A boundary after b of total seconds lies at b / total `steps`, and a sample belongs to the later epoch from there on. dm: strengths 1 + k and 1 - k with |k| from 0.1 to 0.8; the
second angle is at least 90 degrees from the first. All errors count the same: there are no ports `mask` and `error_weight`.

**driscoll, yang.** Timing as published, each duration cut off to whole steps. The cost is 1 from 100 ms on, 0 for 100 ms from the go cue on, then 5; twice as much for
the fixation. `batch` alike draws task, timing and modality once for all trials of a batch, as the authors do; mixed for each trial.

`encoding` pair shows an angle as sine and cosine; ring as a bump of height 0.8 and deviation pi/8 over 32 units, on a background of 0.05 in the target.

**Sets.** With `set_size` n the trials are those of a fixed set, drawn with replacement; `replay_every` r starts the drawing anew after so many iterations, as
the training loop of Costacurta et al. does. An evaluation has a set of its own.

**Noise.** `noise` is the standard deviation on all inputs. `context_noise` is that on the context units of tasks that do not occur:
the old ones, when a network is trained on a new one.

**Differs from the papers.** Noise is fresh whenever a trial is shown. The strengths' size and sign in dm_1 and dm_2 are drawn independently. Yang's noise sigma_x stands for a
deviation of sigma_x sqrt(2 / 0.2).)";

/// Many tasks on angles, of which a context says which it is.
template <class T>
class Multitask final : public TaskOf<T, multitask::Trial> {
public:
    using Trial = multitask::Trial;

    static auto declare() {
        using P = MultitaskParams;
        const auto size = [](const char* text, auto of) { return Size<P>(text, of); };
        return Declaration<P>{"multitask", "1.0.0", "Many tasks on angles, of which a context says which it is"}
            .citation("J. C. Costacurta, S. Bhandarkar, D. M. Zoltowski, S. W. Linderman (2024), Structured "
                      "flexibility in recurrent neural networks via neuromodulation, NeurIPS, "
                      "doi:10.1101/2024.07.26.605315; L. N. Driscoll, K. Shenoy, D. Sussillo (2024), Flexible "
                      "multitask computation in recurrent networks utilizes shared dynamical motifs, Nature "
                      "Neuroscience 27, doi:10.1038/s41593-024-01668-6; G. R. Yang, M. R. Joglekar, H. F. Song, W. T. "
                      "Newsome, X.-J. Wang (2019), Task representations in neural networks trained to perform many "
                      "cognitive tasks, Nature Neuroscience 22, doi:10.1038/s41593-018-0310-2")
            .manual(multitaskManual)
            .param("family", &P::family,
                   {.help = "Which tasks, and how their trials are drawn",
                    .choices = {"four_tasks", "driscoll", "yang"},
                    .group = "task"})
            .param("tasks", &P::tasks,
                   {.help = "Names of the tasks, in the order of the context's units; empty: all", .group = "task"})
            .param("only", &P::only, {.help = "Names of those that occur; empty: all", .group = "task"})
            .param("encoding", &P::encoding,
                   {.help = "How angles are shown: sine and cosine, or 32 units around the circle",
                    .choices = {"pair", "ring"},
                    .group = "task"})
            .param("batch", &P::batch,
                   {.help = "Whether trials of a batch differ in task, timing and modality (mixed) or not (alike)",
                    .choices = {"mixed", "alike"},
                    .group = "task"})
            .param("steps", &P::steps,
                   {.unit = "steps",
                    .help = "Length of the trials of four_tasks",
                    .min = 4,
                    .max = 1000000,
                    .group = "task"})
            .param("step_duration", &P::stepDuration,
                   {.unit = "ms",
                    .help = "Duration of a step in driscoll and yang",
                    .min = 0.1,
                    .max = 100,
                    .group = "task"})
            .param("noise", &P::noise,
                   {.help = "Standard deviation of the noise on all inputs", .min = 0, .group = "noise"})
            .param("context_noise", &P::contextNoise,
                   {.help = "The same on the context units of tasks that do not occur", .min = 0, .group = "noise"})
            .param("set_size", &P::setSize,
                   {.help = "Trials of a fixed set; 0: each trial is new", .min = 0, .max = 1e9, .group = "set"})
            .param("replay_every", &P::replayEvery,
                   {.unit = "iterations",
                    .help = "After so many iterations the same batches of the set come again; 0: never",
                    .min = 0,
                    .max = 1e9,
                    .group = "set"})
            .output("observation", size("inputs", [](const P& p) { return 1 + p.modalities() * p.channels(); }),
                    {.help = "Fixation and stimuli"})
            .output("context", size("tasks", [](const P& p) { return p.contexts(); }), {.help = "1 at the task"})
            .output("target", size("targets", [](const P& p) { return p.targets(); }), {.help = "Fixation and answer"})
            .output("mask", size("targets", [](const P& p) { return p.costs(); }),
                    {.help = "Cost of an error before it is squared; not in four_tasks"})
            .output("error_weight", size("targets", [](const P& p) { return p.costs(); }),
                    {.help = "Cost of a squared error; not in four_tasks"})
            .output("epoch", 3, {.help = "1 while a first stimulus, a second stimulus is shown, and in the response"})
            .event("stimulus", "epoch", 0, 1)
            .event("second stimulus", "epoch", 1, 1)
            .event("response", "epoch", 2, 1)
            .check([](const P& p) { return problemOf(p); });
    }

    Multitask(const MultitaskParams& params, Builder& b)
        : p_(params), family_(params.kind()), encoding_(params.shown()),
          paradigms_(multitask::paradigmsOf(family_)), clock_{params.steps, params.stepDuration}, tasks_(params.list()),
          channels_(params.channels()), modalities_(params.modalities()), grace_(clock_.steps(100)),
          observation_(b.output("observation")), context_(b.output("context")), target_(b.output("target")),
          mask_(b.output("mask")), errorWeight_(b.output("error_weight")), epoch_(b.output("epoch")) {
        std::string problem;
        const auto only = params.only.empty() ? tasks_ : multitask::readTasks(family_, params.only, problem);
        for (std::size_t c = 0; c < tasks_.size(); ++c) {
            horizon_ = std::max(horizon_, multitask::longest(family_, paradigmOf(c), clock_));
            if (std::find(only.begin(), only.end(), tasks_[c]) != only.end())
                occurring_.push_back(static_cast<int>(c));
            else
                absent_.push_back(static_cast<int>(c));
        }
        background_ = encoding_ == multitask::Encoding::ring ? 0.05 : 0;
    }

    int steps() const override { return horizon_; }

    void begin(Trial& trial, std::uint32_t number, Stream& random) const override {
        begin(trial, TrialPlace{0, number, number + 1, 0, 0}, random);
    }
    void begin(Trial& trial, const TrialPlace& place, Stream& random) const override {
        Stream own = random;
        if (p_.setSize > 0) {
            const auto count = static_cast<std::uint32_t>(std::max(p_.replayEvery, 1));
            const std::uint32_t iteration = p_.replayEvery > 0 ? place.iteration % count : place.iteration;
            Stream pick(place.seed, addressOf("members of the batch", place.entity), iteration, place.trial, 0);
            own = place.shared("trials of the set", pick.integer(static_cast<std::uint32_t>(p_.setSize)));
        }
        Stream batch = place.shared("batch", place.iteration);
        Stream& shared = p_.batch == "alike" ? batch : own;
        const int context = occurring_[shared.integer(static_cast<std::uint32_t>(occurring_.size()))];
        const auto& paradigm = paradigmOf(static_cast<std::size_t>(context));
        trial = multitask::makeTrial(paradigm, multitask::drawTrial(family_, paradigm, clock_, shared, own), encoding_);
        trial.context = context;
    }

    void observe(Trial& trial, TaskStep<T>& s) const override {
        const int t = s.step();
        const bool responds = t >= trial.go && trial.responds;
        T *seen = s.output(observation_), *wanted = s.output(target_), *context = s.output(context_),
          *epoch = s.output(epoch_);
        seen[0] = t < trial.go || trial.fixationStays ? T(1) : T(0);
        for (int i = 0; i < 2; ++i) {
            const auto& stimulus = trial.stimuli[i];
            if (t < stimulus.on || t >= stimulus.off) continue;
            for (int m = 0; m < modalities_; ++m)
                for (int j = 0; stimulus.strength[m] != 0 && j < channels_; ++j)
                    seen[1 + m * channels_ + j] += static_cast<T>(stimulus.strength[m] * trial.shown[i][j]);
            if (t < trial.go) epoch[i] = T(1);
        }
        if (t >= trial.go) epoch[2] = T(1);
        context[trial.context] = T(1);
        wanted[0] = static_cast<T>(responds ? background_ : 0.8);
        for (int j = 0; j < channels_; ++j)
            wanted[1 + j] = static_cast<T>(background_ + (responds ? trial.shown[2][j] : 0));
        if (family_ != multitask::Family::fourTasks) {
            T *mask = s.output(mask_), *weight = s.output(errorWeight_);
            for (int j = 0; j <= channels_; ++j) {
                mask[j] = static_cast<T>((j == 0 ? 2 : 1) * multitask::costMask(trial, t, grace_));
                weight[j] = mask[j] * mask[j];
            }
            if (t + 1 == trial.steps && trial.steps < horizon_) s.terminate();
        }
        if (p_.noise == 0 && (p_.contextNoise == 0 || absent_.empty())) return;
        Stream random = s.random();
        if (p_.noise > 0) {
            for (int i = 0; i < 1 + modalities_ * channels_; ++i) seen[i] += static_cast<T>(p_.noise * random.normal());
            for (std::size_t c = 0; c < tasks_.size(); ++c) context[c] += static_cast<T>(p_.noise * random.normal());
        }
        if (p_.contextNoise > 0)
            for (const int c : absent_) context[c] += static_cast<T>(p_.contextNoise * random.normal());
    }

private:
    const multitask::Paradigm& paradigmOf(std::size_t context) const {
        return paradigms_[static_cast<std::size_t>(tasks_[context])];
    }

    static std::string problemOf(const MultitaskParams& p) {
        std::string problem;
        const auto tasks = multitask::readTasks(p.kind(), p.tasks, problem);
        if (!problem.empty()) return "tasks: " + problem;
        const auto only = multitask::readTasks(p.kind(), p.only, problem);
        if (!problem.empty()) return "only: " + problem;
        for (const int task : p.only.empty() ? std::vector<int>{} : only)
            if (std::find(tasks.begin(), tasks.end(), task) == tasks.end())
                return std::string("only: ") + multitask::paradigmsOf(p.kind())[static_cast<std::size_t>(task)].name +
                       " is not among the tasks; name it there, too";
        if (p.setSize > 0 && p.batch == "alike")
            return "set_size: trials of a fixed set differ in their timing; choose batch mixed, or leave set_size at 0";
        if (p.replayEvery > 0 && p.setSize == 0)
            return "replay_every: only batches of a fixed set come again; say how many trials it has with set_size";
        return {};
    }

    MultitaskParams p_;
    multitask::Family family_;
    multitask::Encoding encoding_;
    std::span<const multitask::Paradigm> paradigms_;
    multitask::Clock clock_;
    std::vector<int> tasks_, occurring_, absent_; ///< in the family; and places in the context
    int channels_, modalities_, grace_, horizon_ = 0;
    double background_ = 0;
    Output observation_, context_, target_, mask_, errorWeight_, epoch_;
};

} // namespace raphe
