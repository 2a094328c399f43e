// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/link.h"
#include "raphe/mechanism.h"
#include "raphe/online.h"
#include "raphe/ops.h"
#include "raphe/packed.h"

#include <cstring>
#include <memory>
#include <string_view>

namespace raphe {

/// What the engine lends to one node while it is swept. Authors use Step instead.
template <class T>
struct NodeFrame {
    std::vector<Value<T>> inputs;  ///< by port; empty where not (yet) known
    std::vector<Value<T>> outputs; ///< by port; the sequence of the span, step-major
    std::vector<bool> intervened;  ///< by port; whether an intervention may change what is emitted
    std::vector<bool> given;       ///< by port; the signal is given, what the node emits is left out
    std::vector<bool> remembered;  ///< by port; the output already holds what the acting pass computed
    std::vector<Value<T>> weights;
    std::vector<Packed<T>> packed;
    std::vector<Value<T>> states, next;
    std::vector<LinkInfo> links;
    std::vector<TypeMeans<T>> means; ///< by link; empty unless the rule's credit goes by cell types
    std::vector<Value<T>> direct;    ///< by state: where the next value's adjoint from elsewhere is put down
    std::vector<Value<T>> locals;
    std::vector<bool> wired;  ///< by port
    std::uint64_t entity = 0; ///< address of the node's random streams
};

/// What the engine does when a node asks: changes signals that the user intervenes on.
template <class T>
class StepHost {
public:
    virtual void intervene(NodeFrame<T>& frame, int port, Value<T> computed, Value<T> emitted, int firstStep) = 0;

protected:
    ~StepHost() = default;
};

/// The place in time and the data of one call of a model. Matrices are units x columns; column c belongs to trial
/// c % trials() of the chunk and to step time() + c / trials().
template <class T>
class Step {
public:
    /// Where a column comes from: the address of its random numbers and of its steps.
    struct Origin {
        std::uint32_t iteration = 0, trial = 0;
        int step = 0; ///< added to the step of the sweep
    };
    struct Window {
        int spanStart = 0; ///< step of the sweep at which the span starts
        int spanSteps = 1;
        int offset = 0; ///< first step of this call, counted from spanStart
        int count = 1;  ///< steps in this call
        int trials = 1;
        double dt = 1;
        std::uint64_t seed = 0;
        std::uint32_t iteration = 0, firstTrial = 0;
        int before = 0;                  ///< steps that some trial of the chunk had made before the sweep's first
        const Origin* origins = nullptr; ///< by trial of the chunk, in replays; null: the sweep's own numbers
        Credit credit = {};              ///< how credit returns over recurrent links
        int linkedFrom = 0;              ///< in which it crosses them, from this step of the sweep on
    };

    Step(Tape<T>& tape, NodeFrame<T>& frame, StepHost<T>& host, const Window& window)
        : tape_(tape), frame_(frame), host_(host), window_(window) {}

    Tape<T>& tape() const { return tape_; }
    int trials() const { return window_.trials; }
    int columns() const { return window_.trials * window_.count; }
    /// Steps of the whole span (begin() sees all of them).
    int spanSteps() const { return window_.spanSteps; }
    /// Index of the first step of this call within the trial; of the trials of a chunk that began at different times,
    /// the oldest counts.
    int time() const { return window_.before + window_.spanStart + window_.offset; }
    double dt() const { return window_.dt; }

    /// The signal at a port for the columns of this call. In begin() it may be empty (see known()).
    Value<T> input(Input port) const { return frame_.inputs[index(port.index)]; }
    /// In begin(): whether the port's values are available for all steps of the span.
    bool known(Input port) const { return static_cast<bool>(frame_.inputs[index(port.index)]); }
    bool wired(Input port) const { return frame_.wired[index(port.index)]; }
    Value<T> weight(Weight weight) const { return frame_.weights[index(weight.index)]; }

    /// A weight laid out for products with few columns. Its gradient is the caller's business.
    const Packed<T>& packed(PackedWeight weight) const { return frame_.packed[index(weight.index)]; }

    /// State before this step.
    Value<T> state(State state) const { return frame_.states[index(state.index)]; }
    /// The state before this step as the units of a recurrent network send it to each other, and how the rule's credit
    /// returns to it. What a cell does with its own state, a leak for instance, takes state() and is always
    /// differentiated. Call it before the model's own reverse steps are recorded, once a step.
    LinkCredit<T> link(Link link) {
        const auto& info = frame_.links[index(link.index)];
        const auto k = index(info.state.index);
        if (k < frame_.direct.size()) frame_.direct[k] = {};
        LinkCredit<T> result{state(info.state), {}, {}, false, T(0)};
        const Credit& credit = window_.credit;
        if (credit.kind == Credit::Kind::exact && window_.linkedFrom == 0) return result;
        if (credit.kind == Credit::Kind::local || window_.spanStart + window_.offset < window_.linkedFrom)
            result.state = result.state.constant();
        if (!result || credit.kind == Credit::Kind::exact) return result;
        if (credit.feedback != Credit::Feedback::cells) result.means = frame_.means[index(link.index)];
        if (credit.kind == Credit::Kind::modprop) {
            result.replacesSlope = true;
            result.slope = static_cast<T>(credit.mu);
        } else {
            frame_.direct.resize(frame_.states.size());
            frame_.direct[k] = result.direct = tape_.make(result.state.rows, result.state.cols, false);
        }
        return result;
    }
    /// Sets the state after this step.
    void next(State state, Value<T> value) {
        const auto k = index(state.index);
        if (k < frame_.direct.size() && frame_.direct[k]) value = apart(value, frame_.direct[k]);
        frame_.next[k] = value;
    }
    /// Memory for the next value of an in-place state: the same memory when nothing is recorded, otherwise a fresh
    /// matrix that shares the state's one adjoint buffer.
    Value<T> advance(State state) {
        Value<T> current = frame_.states[index(state.index)];
        if (!tape_.recording()) return current;
        Value<T> result = tape_.make(current.rows, current.cols, false);
        result.adjoint = current.adjoint;
        return result;
    }

    /// Keeps a Value for the steps of this span.
    void keep(Local local, Value<T> value) { frame_.locals[index(local.index)] = value; }
    Value<T> kept(Local local) const { return frame_.locals[index(local.index)]; }
    /// The columns of a kept span-wide Value that belong to this step.
    Value<T> keptStep(Local local) const { return slice(frame_.locals[index(local.index)]); }

    /// Where to write the signal of an output port, if it can be written directly; pass it to emit() afterwards.
    Value<T> destination(Output port) {
        const Value<T> slot = slice(frame_.outputs[index(port.index)]);
        const bool direct = !frame_.intervened[index(port.index)] && !frame_.given[index(port.index)];
        return direct ? slot : tape_.make(slot.rows, slot.cols);
    }
    /// Whether the signal of an output port is given from outside, as drawn actions are in a replay: what is emitted
    /// there is left out and need not be computed.
    bool given(Output port) const { return frame_.given[index(port.index)]; }
    /// Whether destination() already holds the values of this step, from the acting pass: then only the reverse step
    /// has to be recorded. Only for outputs that the constructor asked to be remembered.
    bool remembered(Output port) const { return frame_.remembered[index(port.index)]; }
    /// Sends a signal out of a port and returns it as the receivers see it. Interventions act here, so whatever a
    /// model feeds back to itself should be the returned Value.
    Value<T> emit(Output port, Value<T> value) {
        const Value<T> slot = slice(frame_.outputs[index(port.index)]);
        if (frame_.given[index(port.index)]) return slot;
        if (frame_.intervened[index(port.index)])
            host_.intervene(frame_, port.index, value, slot, window_.spanStart + window_.offset);
        else if (value.data != slot.data)
            copyInto(slot, value);
        return slot;
    }
    /// All columns of an output port in this span, as far as they have been emitted.
    Value<T> sequence(Output port) const { return frame_.outputs[index(port.index)]; }

    /// The node's random stream for one column of this call.
    Stream random(int column) const { return randomOf(column, frame_.entity); }
    /// The same for one purpose, whose numbers no other purpose shares.
    Stream random(int column, std::string_view purpose) const {
        return randomOf(column, addressOf(purpose, frame_.entity));
    }

private:
    Stream randomOf(int column, std::uint64_t entity) const {
        const int trial = column % window_.trials;
        const int step = window_.spanStart + window_.offset + column / window_.trials;
        if (window_.origins) {
            const Origin& origin = window_.origins[trial];
            return {window_.seed, entity, origin.iteration, origin.trial,
                    static_cast<std::uint32_t>(origin.step + step)};
        }
        return {window_.seed, entity, window_.iteration, window_.firstTrial + static_cast<std::uint32_t>(trial),
                static_cast<std::uint32_t>(step)};
    }
    static std::size_t index(int i) { return static_cast<std::size_t>(i); }
    /// The same numbers with an adjoint of its own, which is added when what came from elsewhere has been put down.
    Value<T> apart(Value<T> value, Value<T>& direct) {
        Value<T> later = value;
        later.adjoint = tape_.zeros(value.size());
        tape_.reverse([value, later, to = direct] {
            to.array() = value.gradientArray();
            value.gradientArray() += later.gradientArray();
        });
        direct = {};
        return later;
    }
    Value<T> slice(const Value<T>& span) const {
        return span.columns(window_.offset * window_.trials, window_.count * window_.trials);
    }

    Tape<T>& tape_;
    NodeFrame<T>& frame_;
    StepHost<T>& host_;
    const Window& window_;
};

/// A model: turns the signals at its ports into other signals. For each span of steps the engine calls begin() once and
/// then step() for every step in turn (and close() at the end of each step if the model has ports that are read there).
/// A model without states gets all columns of the span in one call of step().
template <class T>
class Model : public Mechanism<T> {
public:
    static constexpr Kind kind = Kind::model;

    /// Work for all steps of a span at once, e.g. the projection of an input that is known in advance.
    virtual void begin(Step<T>&) const {}
    virtual void step(Step<T>&) const = 0;
    /// Takes the ports with Read::end, after every model has made its step.
    virtual void close(Step<T>&) const {}
    /// After the last step of a trial: brings states up to date whose change was deferred.
    virtual void settle(Step<T>&) const {}
    /// The online form of a credit; null if the model has none for it.
    virtual std::unique_ptr<OnlineCredit<T>> online(const OnlineRequest<T>&) const { return nullptr; }
};

/// The affine image W x + b of an input port: for all steps of a span in one matrix product if the input is known in
/// advance, otherwise step by step.
template <class T>
class Projection {
public:
    Projection() = default;
    Projection(Builder& builder, const char* port, Weight weight, Weight bias = {})
        : input_(builder.input(port)), weight_(weight), bias_(bias), local_(builder.local()) {}

    void begin(Step<T>& s) const { s.keep(local_, s.known(input_) ? compute(s) : Value<T>{}); }
    Value<T> step(Step<T>& s) const { return s.kept(local_) ? s.keptStep(local_) : compute(s); }

private:
    Value<T> compute(Step<T>& s) const {
        return affine(s.weight(weight_), s.input(input_), bias_.index >= 0 ? s.weight(bias_) : Value<T>{});
    }
    Input input_;
    Weight weight_, bias_;
    Local local_;
};

} // namespace raphe
