// SPDX-License-Identifier: Apache-2.0
#include "engine/sweep/span.h"

#include <algorithm>

namespace raphe {

template <class T>
Span<T>::Span(const SweepPlan<T>& plan, Carried<T>& carried, KnownSignals<T>& known, const TrialEnds& ends)
    : plan_(plan), network_(*plan.network), graph_(plan.network->graph()), carried_(carried), known_(known),
      ends_(ends), interventions_(plan), credit_(plan.credit          ? *plan.credit
                                                 : graph_.rule() >= 0 ? network_.rule().credit()
                                                                      : Credit{}),
      linked_(credit_.kind == Credit::Kind::exact) {
    const auto nodeCount = graph_.nodes().size();
    frames_.resize(nodeCount);
    leaves_.resize(nodeCount);
    spanInputs_.resize(nodeCount);
    stageOf_.assign(nodeCount, -1);
    bound_.assign(nodeCount, 0);
    sources_.resize(nodeCount);
    packedMemory_.resize(nodeCount);
    meansMemory_.resize(nodeCount);
    for (std::size_t n = 0; n < nodeCount; ++n) {
        const auto& item = graph_.nodes()[n];
        const auto& node = network_.nodes()[n];
        const auto ports = item.declaration().ports.size();
        auto& frame = frames_[n];
        frame.inputs.resize(ports);
        frame.outputs.resize(ports);
        frame.intervened.assign(ports, false);
        frame.given.assign(ports, false);
        frame.remembered.assign(ports, false);
        frame.wired = item.wired;
        frame.weights.resize(node.parameters.size());
        frame.states.resize(node.states.size());
        frame.next.resize(node.states.size());
        frame.locals.resize(at(node.locals));
        frame.packed.resize(node.packed.size());
        for (int weight : node.packed) {
            const auto& info = network_.parameters()[at(node.parameters[at(weight)])];
            packedMemory_[n].emplace_back(Packed<T>::size(info.rows, info.cols));
        }
        frame.links = node.links;
        frame.means.resize(node.links.size());
        frame.direct.resize(node.states.size());
        for (const auto& link : node.links) meansMemory_[n].emplace_back(TypeMeans<T>::size(link.types));
        frame.entity = node.entity;
        spanInputs_[n].resize(ports);
        sources_[n].resize(ports);
        leaves_[n].resize(node.states.size());
    }
    for (std::size_t w = 0; w < graph_.wires().size(); ++w) {
        const auto& wire = graph_.wires()[w];
        sources_[at(wire.toNode)][at(wire.toPort)].push_back(static_cast<int>(w));
    }
    delayLeaves_.resize(graph_.wires().size());
    interventionsChanged();
}

template <class T>
void Span<T>::interventionsChanged() {
    for (auto& frame : frames_) std::fill(frame.intervened.begin(), frame.intervened.end(), false);
    for (const auto& i : plan_.interventions)
        if (i.port >= 0) frames_[at(i.node)].intervened[at(i.port)] = true;
    weightsIntervened_ = std::any_of(plan_.interventions.begin(), plan_.interventions.end(),
                                     [](const ResolvedIntervention& i) { return i.parameter >= 0; });
    repack();
}

template <class T>
void Span<T>::run(const Request& request) {
    tape_.clear();
    tape_.setRecording(request.record);
    if (packDue_) std::fill(bound_.begin(), bound_.end(), char{0});
    window_ = {request.first,
               request.count,
               0,
               request.count,
               plan_.trials,
               plan_.dt,
               plan_.seed,
               range_.iteration,
               range_.first,
               before_ - request.restart,
               origins_,
               credit_,
               credit_.steps > 0 ? plan_.steps - credit_.steps : 0};
    for (std::size_t n = 0; n < frames_.size(); ++n) {
        stageOf_[n] = -1;
        std::fill(frames_[n].outputs.begin(), frames_[n].outputs.end(), Value<T>{});
        for (std::size_t p = 0; p < request.known[n].size(); ++p)
            if (request.known[n][p] && graph_.nodes()[n].declaration().ports[p].kind == PortKind::output &&
                graph_.nodes()[n].portSizes[p] > 0)
                frames_[n].outputs[p] = known_.columns(tape_, static_cast<int>(n), static_cast<int>(p), request.first,
                                                       request.count, request.differentiateKnown && request.record);
    }
    for (std::size_t w = 0; w < delayLeaves_.size(); ++w) {
        auto& delay = carried_.delay(static_cast<int>(w));
        if (delay.size() == 0) continue;
        const auto& wire = graph_.wires()[w];
        const bool differentiate = request.record && linked_ &&
                                   (request.differentiateKnown || !request.known[at(wire.fromNode)][at(wire.fromPort)]);
        delayLeaves_[w] = {&tape_, delay.data(), differentiate ? tape_.zeros(delay.size()) : nullptr, wire.size,
                           plan_.trials};
    }
    for (std::size_t s = 0; s < request.stages.size(); ++s)
        for (int n : request.stages[s].nodes) {
            stageOf_[at(n)] = static_cast<int>(s);
            prepareNode(n, request);
        }
    packDue_ = false;
    for (const auto& stage : request.stages) runStage(stage, request);
}

template <class T>
void Span<T>::settle(const std::vector<Stage>& stages) {
    window_.offset = window_.spanSteps;
    window_.count = 1;
    for (const auto& stage : stages)
        for (int n : stage.nodes) {
            Step<T> s(tape_, frames_[at(n)], *this, window_);
            network_.model(n).settle(s);
            swapStates(n);
        }
}

template <class T>
void Span<T>::prepareNode(int n, const Request& request) {
    auto& frame = frames_[at(n)];
    const auto& item = graph_.nodes()[at(n)];
    const auto& node = network_.nodes()[at(n)];
    const auto& known = request.known[at(n)];
    for (std::size_t p = 0; p < frame.outputs.size(); ++p) {
        frame.remembered[p] = false;
        if (item.declaration().ports[p].kind != PortKind::output || item.portSizes[p] <= 0 || known[p]) continue;
        auto& output = frame.outputs[p];
        if (!request.remember || !node.remembers[p] || frame.intervened[p]) {
            output = tape_.make(item.portSizes[p], window_.spanSteps * plan_.trials);
            // A step that only looks ahead has no end.
            if (item.declaration().ports[p].read == Read::end) std::fill_n(output.data, output.size(), T(0));
            continue;
        }
        output = known_.columns(tape_, n, static_cast<int>(p), window_.spanStart, window_.spanSteps, false);
        if (request.record) output.adjoint = tape_.zeros(output.size());
        frame.remembered[p] = request.record;
    }
    for (std::size_t p = 0; p < known.size(); ++p) frame.given[p] = known[p];
    // What an acting pass reads stays where it is from step to step.
    const bool stays = !request.record && !weightsIntervened_;
    for (std::size_t k = 0; k < frame.weights.size() && !(stays && bound_[at(n)]); ++k) {
        const auto& info = network_.parameters()[at(node.parameters[k])];
        T* gradient = request.record && gradient_ && info.trainable ? gradient_ + info.offset : nullptr;
        const Value<T> weight{&tape_, const_cast<T*>(weights_) + info.offset, gradient, info.rows, info.cols};
        frame.weights[k] = interventions_.weight(tape_, node.parameters[k], weight, window_.spanStart);
    }
    bound_[at(n)] = stays;
    if (packDue_) { // weights are constant within a segment
        for (std::size_t k = 0; k < frame.packed.size(); ++k) {
            const auto& W = frame.weights[at(node.packed[k])];
            frame.packed[k] = Packed<T>(W.data, W.rows, W.cols, packedMemory_[at(n)][k].data());
        }
        for (std::size_t k = 0; k < frame.links.size() && credit_.feedback != Credit::Feedback::cells; ++k)
            if (const auto& link = frame.links[k]; !link.types.empty())
                frame.means[k] =
                    TypeMeans<T>(frame.weights[at(link.weight.index)].data, link.types,
                                 credit_.feedback == Credit::Feedback::typesAndSelf, meansMemory_[at(n)][k].data());
    }
    for (std::size_t k = 0; k < frame.states.size(); ++k) {
        const auto& info = node.states[k];
        const int state = static_cast<int>(k);
        Value<T> leaf{&tape_, carried_.state(n, state).data(), nullptr, static_cast<int>(info.size()), plan_.trials};
        if (request.record)
            leaf.adjoint = info.inPlace ? carried_.stateAdjoint(n, state).data() : tape_.zeros(leaf.size());
        frame.states[k] = leaves_[at(n)][k] = leaf;
        frame.next[k] = {};
    }
    std::fill(frame.locals.begin(), frame.locals.end(), Value<T>{});
}

template <class T>
void Span<T>::runStage(const Stage& stage, const Request& request) {
    window_.offset = 0;
    window_.count = window_.spanSteps;
    for (int n : stage.nodes) {
        auto& frame = frames_[at(n)];
        for (std::size_t p = 0; p < frame.inputs.size(); ++p) {
            const int port = static_cast<int>(p);
            spanInputs_[at(n)][p] =
                knownBefore(n, port, request.known) ? gather(n, port, 0, window_.spanSteps) : Value<T>{};
            frame.inputs[p] = spanInputs_[at(n)][p];
        }
        Step<T> s(tape_, frame, *this, window_);
        network_.model(n).begin(s);
    }
    const int lone = stage.nodes.front();
    if (!stage.cyclic && network_.nodes()[at(lone)].states.empty()) {
        Step<T> s(tape_, frames_[at(lone)], *this, window_);
        network_.model(lone).step(s);
        if (!stage.closing.empty() && !request.closeLater) network_.model(lone).close(s);
        return;
    }
    window_.count = 1;
    for (int t = 0; t < window_.spanSteps; ++t) {
        if (plan_.interrupt) plan_.interrupt->poll();
        window_.offset = t;
        if (t > 0 && ends_.anyBegin(window_.spanStart + t, 1))
            for (int n : stage.nodes) beginAnew(n, t);
        for (int n : stage.nodes) {
            takeInputs(n, t, Read::start);
            Step<T> s(tape_, frames_[at(n)], *this, window_);
            network_.model(n).step(s);
            swapStates(n);
        }
        if (request.closeLater) continue;
        for (int n : stage.closing) closeNode(n, t);
    }
}

template <class T>
void Span<T>::closeNode(int n, int t) {
    takeInputs(n, t, Read::end);
    Step<T> s(tape_, frames_[at(n)], *this, window_);
    network_.model(n).close(s);
    swapStates(n);
}

template <class T>
void Span<T>::close(const std::vector<Stage>& stages) {
    window_.offset = 0;
    window_.count = 1;
    for (const auto& stage : stages)
        for (int n : stage.closing) {
            auto& inputs = spanInputs_[at(n)]; // what was gathered before the step may be older than it
            std::fill(inputs.begin(), inputs.end(), Value<T>{});
            closeNode(n, 0);
        }
}

/// Whether a port's signal is there for the whole span before its stage begins.
template <class T>
bool Span<T>::knownBefore(int node, int port, const PortMask& known) const {
    for (int w : sources_[at(node)][at(port)]) {
        const auto& wire = graph_.wires()[at(w)];
        if (!known[at(wire.fromNode)][at(wire.fromPort)] && stageOf_[at(wire.fromNode)] == stageOf_[at(node)] &&
            (window_.spanSteps > 1 || !wire.delayed))
            return false;
    }
    return !sources_[at(node)][at(port)].empty();
}

template <class T>
void Span<T>::takeInputs(int n, int t, Read when) {
    auto& frame = frames_[at(n)];
    const auto& ports = graph_.nodes()[at(n)].declaration().ports;
    for (std::size_t p = 0; p < frame.inputs.size(); ++p) {
        if (ports[p].kind == PortKind::output || !frame.wired[p] || ports[p].read != when) continue;
        const Value<T>& whole = spanInputs_[at(n)][p];
        frame.inputs[p] = whole ? whole.columns(t * plan_.trials, plan_.trials) : gather(n, static_cast<int>(p), t, 1);
    }
}

template <class T>
void Span<T>::swapStates(int n) {
    auto& frame = frames_[at(n)];
    for (std::size_t k = 0; k < frame.states.size(); ++k)
        if (frame.next[k]) {
            RAPHE_ASSERT(frame.next[k].rows == frame.states[k].rows && frame.next[k].cols == frame.states[k].cols);
            frame.states[k] = frame.next[k];
            frame.next[k] = {};
        }
}

template <class T>
Value<T> Span<T>::gather(int node, int port, int offset, int count) {
    Value<T> result;
    for (int w : sources_[at(node)][at(port)]) {
        const auto& wire = graph_.wires()[at(w)];
        const Value<T>& sequence = frames_[at(wire.fromNode)].outputs[at(wire.fromPort)];
        Value<T> part;
        const int b = plan_.trials;
        if (!wire.delayed)
            part = sequence.columns(offset * b, count * b);
        else if (offset > 0)
            part = sequence.columns((offset - 1) * b, count * b);
        else
            part = count == 1 ? delayLeaves_[at(w)]
                              : joinColumns(delayLeaves_[at(w)], sequence.columns(0, (count - 1) * b));
        if (wire.delayed && !linked_) part = part.constant();
        // At the span's first step what is carried has begun anew already.
        if (wire.delayed && offset + count > 1 && ends_.anyBegin(window_.spanStart + offset, count))
            part = beginAnew(part, window_.spanStart + offset, carried_.initialDelay(w), false);
        result = result ? stackRows(result, part) : part;
    }
    return result;
}

/// The states of a node before step t of the span, where some trial begins anew with this step.
template <class T>
void Span<T>::beginAnew(int n, int t) {
    auto& frame = frames_[at(n)];
    for (std::size_t k = 0; k < frame.states.size(); ++k) {
        const auto& info = network_.nodes()[at(n)].states[k];
        frame.states[k] = beginAnew(frame.states[k], window_.spanStart + t, static_cast<T>(info.initial), info.inPlace);
    }
}

/// A copy in which columns that begin anew hold the initial value; no gradient passes there.
template <class T>
Value<T> Span<T>::beginAnew(Value<T> value, int firstStep, T initial, bool inPlace) {
    const char* flags = ends_.begins.data() + at(firstStep) * at(plan_.trials);
    Value<T> result = tape_.make(value.rows, value.cols, value.adjoint != nullptr && !inPlace);
    if (inPlace) result.adjoint = value.adjoint;
    for (int c = 0; c < value.cols; ++c)
        if (flags[c])
            std::fill_n(result.column(c), value.rows, initial);
        else
            std::copy_n(value.column(c), value.rows, result.column(c));
    if (value.adjoint)
        tape_.reverse([=] {
            for (int c = 0; c < value.cols; ++c) {
                T *to = value.gradientColumn(c), *from = result.gradientColumn(c);
                if (flags[c] && inPlace)
                    std::fill_n(to, value.rows, T(0));
                else if (!flags[c] && !inPlace)
                    for (int r = 0; r < value.rows; ++r) to[r] += from[r];
            }
        });
    return result;
}

template <class T>
void Span<T>::intervene(NodeFrame<T>& frame, int port, Value<T> computed, Value<T> emitted, int firstStep) {
    interventions_.apply(tape_, static_cast<int>(&frame - frames_.data()), port, computed, emitted,
                         {firstStep, plan_.trials, range_.iteration, range_.first, origins_});
}

template <class T>
void Span<T>::leave(const std::vector<Stage>& stages) {
    for (const auto& stage : stages)
        for (int n : stage.nodes) {
            auto& frame = frames_[at(n)];
            for (std::size_t k = 0; k < frame.states.size(); ++k) {
                T* to = carried_.state(n, static_cast<int>(k)).data();
                if (frame.states[k].data != to) std::copy_n(frame.states[k].data, frame.states[k].size(), to);
            }
            // Their memory may have been that of another state, which has just been overwritten.
            if (!tape_.recording()) frame.states = leaves_[at(n)];
        }
    for (std::size_t w = 0; w < delayLeaves_.size(); ++w) {
        auto& delay = carried_.delay(static_cast<int>(w));
        if (delay.size() == 0) continue;
        if (const auto last = lastColumns(static_cast<int>(w))) std::copy_n(last.data, last.size(), delay.data());
    }
}

template <class T>
Value<T> Span<T>::lastColumns(int wire) const {
    const auto& w = graph_.wires()[at(wire)];
    const auto& sequence = frames_[at(w.fromNode)].outputs[at(w.fromPort)];
    return sequence ? sequence.columns(sequence.cols - plan_.trials, plan_.trials) : Value<T>{};
}

template <class T>
void Span<T>::seedAdjoints() {
    const auto add = [](T* to, const AlignedArray<T>& from) {
        for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
    };
    for (std::size_t n = 0; n < frames_.size(); ++n) {
        if (stageOf_[n] < 0) continue;
        for (std::size_t k = 0; k < frames_[n].states.size(); ++k)
            if (!network_.nodes()[n].states[k].inPlace && frames_[n].states[k].adjoint)
                add(frames_[n].states[k].adjoint, carried_.stateAdjoint(static_cast<int>(n), static_cast<int>(k)));
    }
    for (std::size_t w = 0; w < delayLeaves_.size(); ++w) {
        const int wire = static_cast<int>(w);
        if (carried_.delay(wire).size() == 0) continue;
        if (const auto value = lastColumns(wire); value.adjoint) add(value.adjoint, carried_.delayAdjoint(wire));
    }
}

template <class T>
void Span<T>::collectAdjoints() {
    for (std::size_t n = 0; n < frames_.size(); ++n) {
        if (stageOf_[n] < 0) continue;
        for (std::size_t k = 0; k < frames_[n].states.size(); ++k)
            if (!network_.nodes()[n].states[k].inPlace && leaves_[n][k].adjoint)
                std::copy_n(leaves_[n][k].adjoint, leaves_[n][k].size(),
                            carried_.stateAdjoint(static_cast<int>(n), static_cast<int>(k)).data());
    }
    for (std::size_t w = 0; w < delayLeaves_.size(); ++w) {
        auto& delayed = carried_.delayAdjoint(static_cast<int>(w));
        if (delayed.size() != 0 && delayLeaves_[w].adjoint)
            std::copy_n(delayLeaves_[w].adjoint, delayed.size(), delayed.data());
    }
    if (!ends_.anyBegin(window_.spanStart, 1)) return;
    for (int b = 0; b < plan_.trials; ++b)
        if (ends_.beginsAt(window_.spanStart, b)) carried_.clearAdjoints(b);
}

template class Span<float>;
template class Span<double>;

} // namespace raphe
