// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../initial_deviation.h"
#include "../leaky_network.h"
#include "synapse_gates.h"

#include "raphe/plugin.h"

#include <string>

namespace raphe {

struct SynapseGatedRnnParams : LeakyParams {
    int rank = 3;
    double recurrentDeviation = 0, gateDeviation = 0.1;
};

inline constexpr const char* synapseGatedRnnManual =
    R"(A recurrent network of leaky units, each of whose synapses has a gate that a modulator opens and closes.

    G(t) = sigmoid( U diag(s(t)) V^T )
    x(t) = (1 - a) x(t-1) + a ( g (W .* G(t)) f(x(t-1)) + B u(t) ),   a = dt / tau

| symbol | here |
| --- | --- |
| x | port and state `hidden`; starts at `initial_state` |
| u | port `input` |
| s | modulation port `signal`, `rank` numbers, of any sign |
| W, B | tensors `recurrent_weight` (row: receiving unit), `input_weight` |
| U, V | tensors `gate_left`, `gate_right`: receivers' and senders' part in each component of the gates |
| f, g | `activation`; `recurrent_divisor` one is 1, units is 1 / `units` |
| tau | `tau`, in the experiment's unit of time (with dt = 1: in steps) |

While s is 0 all gates are half open. Where the gain of `model.low_rank_rnn` scales whole components of the weight, these gates scale each synapse by
itself; there are as many as synapses for every trial and step, so a step costs `units` squared sigmoids a trial.

Initial values are normal: W with `recurrent_deviation` (0: 1/sqrt(`units`)), U and V with `gate_deviation`, B with `input_deviation`
(0: 1/sqrt(inputs)).)";

/// x(t) = (1-a) x(t-1) + a ( g (W .* sigmoid(U diag(s) V^T)) f(x(t-1)) + B u ),  a = dt / tau.
/// The synapse-gated variant in section 2.6 of the specification nm_rnn, after a notebook of J. C. Costacurta et al.
/// (2024). The gates are computed again in the reverse step instead of being kept.
template <class T>
class SynapseGatedRnn final : public Model<T> {
public:
    static auto declare() {
        using P = SynapseGatedRnnParams;
        return Declaration<P>{"synapse_gated_rnn", "1.0.0", "Recurrent network whose synapses have modulated gates"}
            .citation(nmRnnCitation)
            .manual(synapseGatedRnnManual)
            .with(leakyParams())
            .param("rank", &P::rank,
                   {.help = "Number of components of the gates", .min = 1, .max = 1000, .group = "network"})
            .param("recurrent_deviation", &P::recurrentDeviation,
                   {.help = "Standard deviation of the initial recurrent weights; 0: 1/sqrt(units)",
                    .min = 0,
                    .group = "initial values"})
            .param(
                "gate_deviation", &P::gateDeviation,
                {.help = "Standard deviation of the initial factors of the gates", .min = 0, .group = "initial values"})
            .with(leakyPorts())
            .modulation("signal", "rank", {.help = "What opens and closes the gates: the weight of each component"})
            .tensor("recurrent_weight", "units", "units", "Recurrent weights; row: receiving unit")
            .tensor("gate_left", "units", "rank", "Part of each receiving unit in the components of the gates")
            .tensor("gate_right", "units", "rank", "Part of each sending unit in them");
    }

    SynapseGatedRnn(const SynapseGatedRnnParams& p, Builder& b)
        : units_(p.units), activation_(activationOf(p.activation)), rate_(p.rate<T>(b.dt())),
          scale_(p.recurrentScale<T>()), signal_(b.input("signal")),
          state_(b.state("hidden", p.units, {.initial = p.initialState})), hidden_(b.output("hidden", state_)),
          link_(b.link(state_, {.reason = "what its units send each other passes through gates, for which it is not "
                                          "defined"})) {
        W_ = b.weight("recurrent_weight", units_, units_, Init::normal(initialDeviation(p.recurrentDeviation, units_)));
        U_ = b.weight("gate_left", units_, p.rank, Init::normal(p.gateDeviation));
        V_ = b.weight("gate_right", units_, p.rank, Init::normal(p.gateDeviation));
        const int inputs = b.size("input");
        drive_ = Projection<T>(
            b, "input",
            b.weight("input_weight", units_, inputs, Init::normal(initialDeviation(p.inputDeviation, inputs))));
        padded_ = b.local();
        work_ = b.local();
    }

    void begin(Step<T>& s) const override {
        drive_.begin(s);
        const Value<T> W = s.weight(W_), U = s.weight(U_), V = s.weight(V_);
        const auto gates = SynapseGates<T>::layOut(W, U, V);
        s.keep(padded_, gates.memory());
        s.keep(work_, gates.work());
        if (!s.tape().recording()) return;
        s.tape().reverse([=] { gates.addGradients(W, U); }); // after the reverse steps of all time steps
    }

    void step(Step<T>& s) const override {
        const Value<T> before = s.state(state_), signal = s.input(signal_), drive = drive_.step(s),
                       x = s.destination(hidden_), V = s.weight(V_);
        const LinkCredit<T> link = s.link(link_);
        const SynapseGates<T> gates(s.kept(padded_), s.kept(work_), V);
        Value<T> f = before.constant();
        if (activation_ != Activation::identity) {
            f = s.tape().make(units_, x.cols, false);
            applyActivation<T>(activation_, before.array(), f.array());
        }
        const T a = rate_, scale = rate_ * scale_;
        gates.multiply(f, signal, x);
        x.array() = (T(1) - a) * before.array() + a * drive.array() + scale * x.array();
        if (s.tape().recording()) {
            // Takes scale times the adjoint of x, then that of f.
            const Value<T> work = s.tape().make(units_, x.cols, false), back = s.tape().make(units_, x.cols, false);
            s.tape().reverse([=, activation = activation_] {
                if (drive.adjoint) drive.gradientArray() += a * x.gradientArray();
                if (before.adjoint) before.gradientArray() += (T(1) - a) * x.gradientArray();
                work.array() = scale * x.gradientArray();
                gates.differentiate(f, signal, work, back);
                if (!link) return;
                auto g = back.array();
                link.differentiate(activation, f.array(), g);
                link.state.gradientArray() += g;
            });
        }
        s.next(state_, s.emit(hidden_, x));
    }

private:
    int units_;
    Activation activation_;
    T rate_, scale_; ///< a and g
    Input signal_;
    State state_;
    Output hidden_;
    Link link_;
    Weight W_, U_, V_;
    Projection<T> drive_;
    Local padded_, work_; ///< what SynapseGates works on during a span
};

} // namespace raphe
