// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../cell_types.h"
#include "../initial_deviation.h"
#include "../leaky_network.h"

#include "raphe/plugin.h"

#include <string>

namespace raphe {

struct RegionParams : LeakyParams, CellTypeParams {
    bool recurrent = true, autapses = true;
    double recurrentDeviation = 0;
};

inline constexpr const char* regionManual =
    R"(A region of a brain: leaky units that are driven by each other, by other regions and by an input.

    x(t) = (1 - a) x(t-1) + a ( s .* ( g W f(x(t-1)) + I(t) ) + B u(t) ),   a = dt / tau

| symbol | here |
| --- | --- |
| x | port and state `hidden`; starts at `initial_state` |
| I | port `current`: what other regions send each unit (0 if nothing is wired) |
| s | modulation port `gain` of each unit for what cells send it, of this region and of others (1 if nothing is wired) |
| u | port `input`; B u exists only if something is wired to it |
| W, B | tensors `recurrent_weight` (with `recurrent`; row: receiving unit), `input_weight` |
| f, g | `activation`; `recurrent_divisor` one is 1, units is 1 / `units` |
| tau | `tau`, in the experiment's unit of time (with dt = 1: in steps); a = 1 - exp(-dt/tau) with `leak` exponential |

A projection between regions is a dense layer from the `hidden` of one to the `current` of the other, without bias, with signs of its own (Dale's
law); its delay is that of its wire, which takes `delay` 1. One of `current` and `input` must be wired. The thalamus of the multi-region
NM-RNN has no `recurrent` weights; in its striatum `signs` [-1] makes all units inhibit each other, and `model.receptors` sets the gains.

Cells may be of *types*, which stand one after the other, each with a sign of what it sends within the region, see `model.rnn`.

Initial weights are normal: W with `recurrent_deviation` (0: 1/sqrt(`units`)), B with `input_deviation` (0: 1/sqrt(inputs)). Where signs
are given, W has the magnitudes of such numbers.

**Differs from the programs of the paper**, which take the absolute value of a weight that has a sign; here every update keeps the sign.)";

/// x(t) = (1-a) x(t-1) + a (gain .* (g W f(x(t-1)) + I) + B u),  a = dt / tau.
/// Section 2.10 of the specification nm_rnn, after the programs of J. C. Costacurta et al. (2024).
template <class T>
class Region final : public Model<T> {
public:
    static auto declare() {
        using P = RegionParams;
        return Declaration<P>{"region", "1.0.0",
                              "Region of a brain: leaky units, driven by each other and by other regions"}
            .citation(nmRnnCitation)
            .manual(regionManual)
            .with(leakyParams())
            .param("recurrent", &P::recurrent,
                   {.help = "Whether the units of the region send to each other", .group = "network"})
            .param("autapses", &P::autapses,
                   {.help = "Whether units send to themselves; if not, the diagonal of the weights stays 0",
                    .group = "network"})
            .with(cellTypeParams("the units"))
            .param("recurrent_deviation", &P::recurrentDeviation,
                   {.help = "Standard deviation of the initial recurrent weights; 0: 1/sqrt(units)",
                    .min = 0,
                    .group = "initial values"})
            .input("input", "any", {.help = "Input, through the input weights", .optional = true})
            .input("current", "units", {.help = "What other regions send each unit", .optional = true})
            .modulation("gain", "units",
                        {.help = "Factor of what cells of this region and others send each unit",
                         .optional = true,
                         .neutral = 1})
            .output("hidden", "units", {.help = "State of the units after the step"})
            .tensor("recurrent_weight", "units", "units", "Recurrent weights; row: receiving unit; only with recurrent")
            .tensor("input_weight", "units", "inputs", "Input weights; only if input is wired")
            .check([](const P& p) { return p.CellTypeParams::check(p.units); });
    }

    Region(const RegionParams& p, Builder& b)
        : recurrent_(p.recurrent), driven_(b.wired("input")), activation_(activationOf(p.activation)),
          rate_(p.rate<T>(b.dt())), scale_(p.recurrentScale<T>()), current_(b.input("current")), gain_(b.input("gain")),
          state_(b.state("hidden", p.units, {.initial = p.initialState})), hidden_(b.output("hidden", state_)) {
        if (!driven_ && !b.wired("current"))
            throw Error("port \"current\"", "nothing drives the region; wire something to it or to \"input\"");
        if (recurrent_) {
            const Constraint constraint = p.constraint(!p.autapses);
            W_ = b.weight("recurrent_weight", p.units, p.units,
                          signedWeights(Init::normal(initialDeviation(p.recurrentDeviation, p.units)), constraint),
                          constraint);
            packed_ = b.packed(W_);
            link_ = b.link(state_);
        }
        if (!driven_) return;
        const int inputs = b.size("input");
        const Init init = Init::normal(initialDeviation(p.inputDeviation, inputs));
        drive_ = Projection<T>(b, "input", b.weight("input_weight", p.units, inputs, init));
    }

    void begin(Step<T>& s) const override {
        if (driven_) drive_.begin(s);
    }

    void step(Step<T>& s) const override {
        Value<T> drive = s.wired(current_) ? s.input(current_) : Value<T>{};
        if (recurrent_) {
            const Value<T> sent = activate(activation_, s.link(link_).state);
            const Value<T> reached = double(scale_) * affine(s.weight(W_), sent, {}, s.packed(packed_));
            drive = drive ? drive + reached : reached;
        }
        if (drive && s.wired(gain_)) drive = s.input(gain_) * drive;
        if (driven_) drive = drive ? drive + drive_.step(s) : drive_.step(s);
        const Value<T> before = s.state(state_), x = s.destination(hidden_);
        const T a = rate_;
        x.array() = (T(1) - a) * before.array() + a * drive.array();
        s.tape().reverse([=] {
            if (drive.adjoint) drive.gradientArray() += a * x.gradientArray();
            if (before.adjoint) before.gradientArray() += (T(1) - a) * x.gradientArray();
        });
        s.next(state_, s.emit(hidden_, x));
    }

private:
    bool recurrent_, driven_; ///< driven: there is an input
    Activation activation_;
    T rate_, scale_; ///< a and g
    Input current_, gain_;
    State state_;
    Output hidden_;
    Link link_;
    Weight W_;
    PackedWeight packed_;
    Projection<T> drive_;
};

} // namespace raphe
