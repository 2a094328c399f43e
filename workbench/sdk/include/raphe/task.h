// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/mechanism.h"

namespace raphe {

/// What one trial of a task carries along; derive your own.
struct TrialState {
    virtual ~TrialState() = default;
};

/// One step of one trial: columns of numbers, as many as the port has units.
template <class T>
class TaskStep {
public:
    TaskStep(int step, T* const* ports, const Stream& random) : step_(step), ports_(ports), random_(random) {}
    int step() const { return step_; }                              ///< 0, 1, ..., steps() - 1
    const T* input(Input port) const { return ports_[port.index]; } ///< null if nothing is wired
    T* output(Output port) const { return ports_[port.index]; }     ///< zero-filled before observe()
    /// Random numbers of this trial and step alone: however many are drawn, no other step is shifted. observe() and
    /// act() of one step have the same numbers, so draw in one of them.
    Stream random() const { return random_; }

private:
    int step_;
    T* const* ports_;
    Stream random_;
};

/// A task: makes observations and targets, and in a closed loop answers actions. All randomness of a trial comes from
/// the stream that begin() is given or from TaskStep::random().
template <class T>
class Task : public Mechanism<T> {
public:
    static constexpr Kind kind = Kind::task;

    /// Time steps of a trial.
    virtual int steps() const = 0;
    /// Number of trials of a fixed set, which then is the default size of a batch; 0 if trials are drawn anew.
    virtual int trialSet() const { return 0; }
    virtual std::unique_ptr<TrialState> makeTrial() const = 0;
    /// Starts trial number `trial` of the batch.
    virtual void begin(TrialState& state, std::uint32_t trial, Stream& random) const = 0;
    /// Writes the outputs of a step.
    virtual void observe(TrialState& state, TaskStep<T>& s) const = 0;
    /// At the end of the step: reads the ports declared Read::end and may still write outputs of this step (reward).
    virtual void act(TrialState&, TaskStep<T>&) const {}
};

/// A task whose trials carry a `Trial` (a plain struct): the same functions with the right type.
template <class T, class Trial>
class TaskOf : public Task<T> {
public:
    virtual void begin(Trial& trial, std::uint32_t number, Stream& random) const = 0;
    virtual void observe(Trial& trial, TaskStep<T>& s) const = 0;
    virtual void act(Trial&, TaskStep<T>&) const {}

    std::unique_ptr<TrialState> makeTrial() const final { return std::make_unique<Holder>(); }
    void begin(TrialState& state, std::uint32_t number, Stream& random) const final {
        begin(static_cast<Holder&>(state).trial, number, random);
    }
    void observe(TrialState& state, TaskStep<T>& s) const final { observe(static_cast<Holder&>(state).trial, s); }
    void act(TrialState& state, TaskStep<T>& s) const final { act(static_cast<Holder&>(state).trial, s); }

private:
    struct Holder final : TrialState {
        Trial trial;
    };
};

} // namespace raphe
