// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../cell_types.h"
#include "../initial_deviation.h"
#include "../leaky_network.h"
#include "online_rnn.h"

#include "raphe/plugin.h"

#include <string>

namespace raphe {

struct RnnParams : LeakyParams, CellTypeParams {
    bool bias = false, autapses = true, exposeRate = false;
    std::string recurrentInit = "normal";
    double recurrentDeviation = 0;
    std::string feedbackActivation = "tanh";
    double feedbackDeviation = 0, feedbackBiasDeviation = 0;
};

inline constexpr const char* rnnManual = R"(A recurrent network of leaky units.

    z(t) = (1 - a) z(t-1) + a ( g s .* (W f(z(t-1))) + B u(t) + b + F k(x) + e ),   a = dt / tau

| symbol | here |
| --- | --- |
| z | port and state `hidden`; starts at `initial_state` |
| f(z) | port `rate`, with `expose_rate` |
| u | port `input` |
| x | port `feedback`; F k(x) + e exists only if something is wired to it |
| s | modulation port `gain` of the recurrent drive, for each unit (1 if nothing is wired) |
| W, B, b | tensors `recurrent_weight`, `input_weight`, `input_bias` (with `bias`) |
| F, e | tensors `feedback_weight`, `feedback_bias` |
| f, k | `activation`, `feedback_activation` |
| g | `recurrent_divisor`: one is 1, units is 1 / `units` |
| tau | `tau`, in the experiment's unit of time (with dt = 1: in steps); a = 1 - exp(-dt/tau) with `leak` exponential |

Cells may be of *types*, which stand one after the other: `types` [23, 97] are 23 cells and then 97. Learning rules that give credit by
cell types (`credit` modprop_type, mdgl_type) take the mean of W for each pair of them. With `signs` [-1, 1] the first type is inhibitory and the second
excitatory: every update keeps the sign of what a cell sends (Dale's law), leaves magnitudes of at least 1e-12, and takes the learning rate times
`shrinkage` from each. Without `autapses` the diagonal of W is 0. With `recurrent_init` balanced W is drawn so that excitation
and inhibition of every cell cancel, with spectral radius 1 before the diagonal is masked.

It is the neuromodulatory network z of the NM-RNN (with `feedback` from the large network x in the Element Finder Task;
a wire that closes a cycle delivers x(t-1)), and the vanilla network it is compared with (`recurrent_divisor` units).

Initial weights are normal with the given standard deviations; 0 stands for 1/sqrt(inputs) of `input_weight`, 1/sqrt(units)
of `recurrent_weight` and `feedback_bias`, and 1/sqrt(size of the source) of `feedback_weight`. `input_bias` starts at 0.

**Differs from the paper.** The paper is in continuous time; these steps are those of its program, with dt instead of 1.)";

/// Leaky recurrent network:  z(t) = (1-a) z(t-1) + a ( g gain .* (W f(z(t-1))) + B u(t) + ... ),  a = dt / tau.
/// J. C. Costacurta et al. (2024), Structured flexibility in recurrent neural networks via neuromodulation, section 3.
template <class T>
class Rnn final : public Model<T> {
public:
    static auto declare() {
        using P = RnnParams;
        return Declaration<P>{"rnn", "1.0.0", "Recurrent network of leaky units"}
            .citation(nmRnnCitation)
            .manual(rnnManual)
            .with(leakyParams())
            .param("bias", &P::bias, {.help = "Whether the units have a trainable bias", .group = "network"})
            .param("expose_rate", &P::exposeRate,
                   {.help = "Whether what the units transmit, f(z), has an output port", .group = "network"})
            .param("autapses", &P::autapses,
                   {.help = "Whether units send to themselves; if not, the diagonal of the weights stays 0",
                    .group = "network"})
            .with(cellTypeParams("the units"))
            .param("recurrent_init", &P::recurrentInit,
                   {.help = "Initial recurrent weights: normal, or such that excitation and inhibition of each unit "
                            "cancel (balanced; needs signs)",
                    .choices = {"normal", "balanced"},
                    .group = "initial values"})
            .param("recurrent_deviation", &P::recurrentDeviation,
                   {.help = "Standard deviation of the initial recurrent weights; 0: 1/sqrt(units)",
                    .min = 0,
                    .group = "initial values"})
            .param("feedback_activation", &P::feedbackActivation,
                   {.help = "Function of the signal at the port feedback",
                    .choices = activationNames(),
                    .group = "feedback"})
            .param("feedback_deviation", &P::feedbackDeviation,
                   {.help = "Standard deviation of the initial feedback weights; 0: 1/sqrt(size of the source)",
                    .min = 0,
                    .group = "feedback"})
            .param("feedback_bias_deviation", &P::feedbackBiasDeviation,
                   {.help = "Standard deviation of the initial feedback bias; 0: 1/sqrt(units)",
                    .min = 0,
                    .group = "feedback"})
            .with(leakyPorts())
            .output("rate",
                    Size<P>("units with expose_rate", [](const P& p) { return p.exposeRate ? p.units : noPort; }),
                    {.help = "What the units transmit after the step"})
            .input("feedback", "any",
                   {.help = "State of another network, transmitted through feedback_activation", .optional = true})
            .modulation("gain", "units",
                        {.help = "Factor of each unit's recurrent drive", .optional = true, .neutral = 1})
            .tensor("recurrent_weight", "units", "units", "Recurrent weights; row: receiving unit")
            .tensor("input_bias", "units", "1", "Trainable bias; only with bias = true")
            .tensor("feedback_weight", "units", "size of the source", "Feedback weights; only if feedback is wired")
            .tensor("feedback_bias", "units", "1", "Bias of the feedback; only if feedback is wired")
            .check([](const P& p) {
                if (const auto sentence = p.CellTypeParams::check(p.units); !sentence.empty()) return sentence;
                if (p.recurrentInit == "balanced" && p.signs.empty())
                    return std::string("recurrent_init \"balanced\" needs signs; say which types are excitatory");
                return std::string{};
            });
    }

    Rnn(const RnnParams& p, Builder& b)
        : units_(p.units), activation_(activationOf(p.activation)),
          feedbackActivation_(activationOf(p.feedbackActivation)), way_(p.rate<T>(b.dt())),
          scale_(p.recurrentScale<T>()), exposed_(p.exposeRate), feedback_(b.input("feedback")),
          gain_(b.input("gain")) {
        const int inputs = inputs_ = b.size("input");
        types_ = p.sizes();
        gained_ = b.wired("gain");
        state_ = b.state("hidden", units_, {.initial = p.initialState});
        hidden_ = b.output("hidden", state_);
        rate_ = b.output("rate");
        if (!b.wired("gain")) b.remember(hidden_); // with it, the learning pass needs the recurrent drive itself
        const Constraint constraint = p.constraint(!p.autapses);
        W_ = b.weight("recurrent_weight", units_, units_,
                      p.recurrentInit == "balanced"
                          ? balancedWeights(constraint)
                          : signedWeights(Init::normal(initialDeviation(p.recurrentDeviation, units_)), constraint),
                      constraint);
        link_ = b.link(state_, {.mdgl = true, .modprop = true, .weight = W_, .types = p.sizes()});
        packed_ = b.packed(W_);
        const Weight B =
            b.weight("input_weight", units_, inputs, Init::normal(initialDeviation(p.inputDeviation, inputs)));
        drive_ = Projection<T>(b, "input", B, p.bias ? b.weight("input_bias", units_, 1, Init::constant(0)) : Weight{});
        if (b.wired("feedback")) {
            const int sources = b.size("feedback");
            F_ = b.weight("feedback_weight", units_, sources,
                          Init::normal(initialDeviation(p.feedbackDeviation, sources)));
            e_ = b.weight("feedback_bias", units_, 1, Init::normal(initialDeviation(p.feedbackBiasDeviation, units_)));
        }
        transmitted_ = b.local();
        recurrentAdjoint_ = b.local();
        scratch_ = b.local();
    }

    void begin(Step<T>& s) const override {
        drive_.begin(s);
        const int columns = s.spanSteps() * s.trials();
        const Value<T> transmitted = s.tape().make(units_, columns, false);
        s.keep(transmitted_, transmitted);
        if (!s.tape().recording()) return;
        const Value<T> recurrent = s.tape().make(units_, columns, false), W = s.weight(W_);
        s.keep(recurrentAdjoint_, recurrent);
        s.keep(scratch_, s.tape().make(units_, s.trials(), false));
        // Runs after the reverse steps of all time steps, which fill `recurrent`: one product instead of many.
        s.tape().reverse([=] {
            if (W.adjoint) W.gradient().noalias() += recurrent.value() * transmitted.value().transpose();
        });
    }

    void step(Step<T>& s) const override {
        Value<T> drive = drive_.step(s);
        if (s.wired(feedback_))
            drive = drive + affine(s.weight(F_), activate(feedbackActivation_, s.input(feedback_)), s.weight(e_));
        const Value<T> gain = s.wired(gain_) ? s.input(gain_) : Value<T>{};
        const Value<T> z = s.emit(hidden_, leakyStep(s, drive, gain));
        s.next(state_, z);
        if (exposed_) s.emit(rate_, rateOf(s, z));
    }

    std::unique_ptr<OnlineCredit<T>> online(const OnlineRequest<T>& request) const override {
        if (gained_ || F_.index >= 0 || !OnlineRnn<T>::has(request, types_)) return nullptr;
        return std::make_unique<OnlineRnn<T>>(
            request, typename OnlineRnn<T>::Network{units_, inputs_, activation_, way_, scale_, types_});
    }

private:
    /// f(z)
    Value<T> rateOf(Step<T>& s, Value<T> z) const {
        const Value<T> rate = s.destination(rate_);
        applyActivation<T>(activation_, z.array(), rate.array());
        if (z.adjoint)
            s.tape().reverse([=, activation = activation_] {
                auto g = rate.gradientArray();
                scaleByDerivative<T>(activation, rate.array(), g); // the adjoint of the rate becomes that of the state
                z.gradientArray() += g;
            });
        return rate;
    }

    /// The new state, given the drive from outside; `gain` may be empty.
    Value<T> leakyStep(Step<T>& s, Value<T> drive, Value<T> gain) const {
        const Value<T> before = s.state(state_), f = s.keptStep(transmitted_), z = s.destination(hidden_);
        const LinkCredit<T> link = s.link(link_);
        const T a = way_, scale = a * scale_;
        applyActivation<T>(activation_, before.array(), f.array());
        Value<T> recurrent;
        if (!s.remembered(hidden_)) {
            z.array().setZero();
            s.packed(packed_).multiply(f.data, f.cols, z.data);
            if (gain) {
                recurrent = s.tape().make(units_, z.cols, false);
                recurrent.array() = z.array();
                z.array() *= gain.array();
            }
            z.array() = (T(1) - a) * before.array() + a * drive.array() + scale * z.array();
        }
        if (!s.tape().recording()) return z;
        const Value<T> recurrentAdjoint = s.keptStep(recurrentAdjoint_), scratch = s.kept(scratch_);
        s.tape().reverse([=, activation = activation_, W = s.packed(packed_)] {
            const auto g = z.gradientArray();
            if (drive.adjoint) drive.gradientArray() += a * g;
            auto r = recurrentAdjoint.array();
            r = scale * g;
            if (gain) {
                if (gain.adjoint) gain.gradientArray() += r * recurrent.array();
                r *= gain.array();
            }
            if (!before.adjoint) return;
            if (!link) {
                before.gradientArray() += (T(1) - a) * g;
                return;
            }
            if (link.direct) { // becomes the adjoint of the recurrent drive, as far as it is direct
                auto d = link.direct.array();
                d *= scale;
                if (gain) d *= gain.array();
            }
            auto back = scratch.array();
            back.setZero();
            link.multiply(W, (link.direct ? link.direct : recurrentAdjoint).data, z.cols, scratch.data);
            link.differentiate(activation, f.array(), back);
            before.gradientArray() += (T(1) - a) * g + back;
        });
        return z;
    }

    int units_, inputs_;
    bool gained_;
    std::vector<int> types_;
    Activation activation_, feedbackActivation_;
    T way_, scale_; ///< a and g
    bool exposed_;
    Input feedback_, gain_;
    Output hidden_, rate_;
    State state_;
    Link link_;
    Weight W_, F_, e_;
    PackedWeight packed_;
    Projection<T> drive_;
    Local transmitted_;      ///< f(z(t-1)) for the whole span
    Local recurrentAdjoint_; ///< adjoint of W f(z(t-1)) for the whole span
    Local scratch_;
};

} // namespace raphe
