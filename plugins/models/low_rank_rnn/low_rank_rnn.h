// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../initial_deviation.h"
#include "../leaky_network.h"
#include "thin_products.h"

#include "raphe/plugin.h"

#include <algorithm>
#include <string>

namespace raphe {

struct LowRankRnnParams : LeakyParams {
    int rank = 3;
    std::string orthogonalise = "positive";
    bool symmetric = false;
    double factorDeviation = 1;
};

inline constexpr const char* lowRankRnnManual =
    R"(A recurrent network of leaky units whose recurrent weight is a sum of few rank-1 components. A modulator may set the
gain of each component at each step: then it is the large network of the NM-RNN, otherwise a low-rank RNN.

    h(t) = R^T f(x(t-1))
    x(t) = (1 - a) x(t-1) + a ( g Q (s(t) .* h(t)) + B u(t) ),   a = dt / tau

| paper | here |
| --- | --- |
| x | port and state `hidden`; starts at `initial_state` |
| u | port `input` |
| s | modulation port `gain`, one number for each component (1 if nothing is wired) |
| h | port `projection` |
| L, R | tensors `left_factor`, `right_factor`; columns: components |
| Q | L, or its orthonormal factor (`orthogonalise`) |
| B_x | tensor `input_weight` |
| phi | `activation` f |
| R (number of components), N | `rank`, `units` |
| tau_x | `tau`, in the experiment's unit of time (with dt = 1: in steps) |
| 1/N in the recurrence of some baselines | g: `recurrent_divisor` one is 1, units is 1 / `units` |

`orthogonalise`: Q is the orthonormal factor of L = Q T. With householder the signs of its columns are those of the
authors' library, and jump when a pivot passes through 0 during training; positive makes the diagonal of T positive, which
is smooth; none uses L itself. The gradient passes through the factorisation. With `symmetric` there is no R, and h = Q^T f(x).

Initial values are normal: L, R with `factor_deviation`, B_x with `input_deviation` (0: 1/sqrt(inputs)).

**Differs from the paper.** The paper is in continuous time; these steps are those of its program, with dt instead of 1.
The program uses the signs of householder.)";

/// Low-rank recurrent network, each of whose rank-1 components has a gain that a modulator may set:
///   x(t) = (1-a) x(t-1) + a ( g Q (gain .* (R^T f(x(t-1)))) + B u(t) ),  a = dt / tau
/// J. C. Costacurta, S. Bhandarkar, D. M. Zoltowski, S. W. Linderman (2024), Structured flexibility in recurrent neural
/// networks via neuromodulation, NeurIPS. The table of symbols stands in the manual.
template <class T>
class LowRankRnn final : public Model<T> {
public:
    static auto declare() {
        using P = LowRankRnnParams;
        return Declaration<P>{"low_rank_rnn", "1.0.0",
                              "Recurrent network of low rank, with a gain for each rank-1 component"}
            .citation(nmRnnCitation)
            .manual(lowRankRnnManual)
            .with(leakyParams())
            .param("rank", &P::rank, {.help = "Number of rank-1 components", .min = 1, .max = 1000, .group = "network"})
            .param("orthogonalise", &P::orthogonalise,
                   {.help = "How the columns of the left factor are made orthonormal",
                    .choices = {"none", "householder", "positive"},
                    .group = "network"})
            .param("symmetric", &P::symmetric,
                   {.help = "Use the left factor in place of the right one too", .group = "network"})
            .param("factor_deviation", &P::factorDeviation,
                   {.help = "Standard deviation of the initial factors", .min = 0, .group = "initial values"})
            .with(leakyPorts())
            .modulation(
                "gain", "rank",
                {.help = "Factor of each rank-1 component of the recurrent weight", .optional = true, .neutral = 1})
            .output("projection", "rank", {.help = "What each component reads from the previous state"})
            .tensor("left_factor", "units", "rank", "Directions that the components drive")
            .tensor("right_factor", "units", "rank",
                    "Directions that the components read; absent with symmetric = true")
            .check([](const P& p) {
                if (p.rank <= p.units) return std::string{};
                return "rank: expected at most the number of units (" + std::to_string(p.units) + "), got " +
                       std::to_string(p.rank);
            });
    }

    LowRankRnn(const LowRankRnnParams& p, Builder& b)
        : units_(p.units), rank_(p.rank), symmetric_(p.symmetric), activation_(activationOf(p.activation)),
          convention_(p.orthogonalise == "positive"      ? Orthonormal::positive
                      : p.orthogonalise == "householder" ? Orthonormal::householder
                                                         : Orthonormal::none),
          rate_(p.rate<T>(b.dt())), scale_(p.recurrentScale<T>()), gain_(b.input("gain")),
          projection_(b.output("projection")) {
        const int inputs = b.size("input");
        state_ = b.state("hidden", units_, {.initial = p.initialState});
        hidden_ = b.output("hidden", state_);
        link_ = b.link(state_, {.mdgl = true, .modprop = true});
        left_ = b.weight("left_factor", units_, rank_, Init::normal(p.factorDeviation));
        if (!symmetric_) right_ = b.weight("right_factor", units_, rank_, Init::normal(p.factorDeviation));
        const Init input = Init::normal(initialDeviation(p.inputDeviation, inputs));
        drive_ = Projection<T>(b, "input", b.weight("input_weight", units_, inputs, input));
        Q_ = b.local();
        scratch_ = b.local();
    }

    void begin(Step<T>& s) const override {
        drive_.begin(s);
        s.keep(Q_, orthonormalise(convention_, s.weight(left_)));
        if (!s.tape().recording()) return;
        s.keep(scratch_, s.tape().make(std::max(units_, rank_), s.trials(), false));
    }

    void step(Step<T>& s) const override {
        const Value<T> Q = s.kept(Q_), R = symmetric_ ? Q : s.weight(right_);
        const Value<T> before = s.state(state_), gain = s.wired(gain_) ? s.input(gain_) : Value<T>{};
        const LinkCredit<T> link = s.link(link_);
        // What the units are credited with for h where that is not all of its adjoint.
        const Value<T> direct = link.direct ? s.tape().make(rank_, before.cols, false) : Value<T>{};
        const Value<T> h = s.emit(projection_, read(s, R, link, direct));
        const Value<T> x = s.emit(hidden_, drive(s, Q, h, gain, before, drive_.step(s), link.direct, direct));
        s.next(state_, x);
    }

private:
    /// h = R^T f(x). @param direct  see step()
    Value<T> read(Step<T>& s, Value<T> R, const LinkCredit<T>& link, Value<T> direct) const {
        const int n = units_, k = rank_;
        const Value<T> x = link.state;
        Value<T> f = x.constant();
        if (activation_ != Activation::identity) {
            f = s.tape().make(n, x.cols, false);
            applyActivation<T>(activation_, x.array(), f.array());
        }
        const Value<T> h = s.destination(projection_);
        thin::withRank(k, [&](auto K) { thin::project<K.value>(R.data, f.data, h.data, n, x.cols, k); });
        if (!s.tape().recording()) return h;
        const Value<T> scratch = s.kept(scratch_);
        s.tape().reverse([=, activation = activation_] {
            thin::withRank(k, [&](auto K) {
                if (R.adjoint) thin::outer<K.value>(f.data, h.adjoint, R.adjoint, n, x.cols, k);
                if (!link) return;
                const T* credit = direct ? direct.data : h.adjoint;
                if (activation == Activation::identity && !link.replacesSlope) {
                    thin::expand<K.value>(R.data, credit, x.adjoint, n, x.cols, k);
                    return;
                }
                ArrayMap<T> back(scratch.data, n, x.cols);
                back.setZero();
                thin::expand<K.value>(R.data, credit, scratch.data, n, x.cols, k);
                link.differentiate(activation, f.array(), back);
                x.gradientArray() += back;
            });
        });
        return h;
    }

    /// x = (1-a) before + a (g Q (gain .* h) + input); `gain` may be empty.
    /// @param directX  adjoint of x as far as it is direct, if that matters  @param directH  takes what it is for h
    Value<T> drive(Step<T>& s, Value<T> Q, Value<T> h, Value<T> gain, Value<T> before, Value<T> input, Value<T> directX,
                   Value<T> directH) const {
        const int n = units_, k = rank_;
        const T a = rate_, scale = rate_ * scale_;
        const Value<T> x = s.destination(hidden_), weighted = s.tape().make(k, x.cols, false);
        if (gain)
            weighted.array() = scale * gain.array() * h.array();
        else
            weighted.array() = scale * h.array();
        x.array() = (T(1) - a) * before.array() + a * input.array();
        thin::withRank(k, [&](auto K) { thin::expand<K.value>(Q.data, weighted.data, x.data, n, x.cols, k); });
        if (!s.tape().recording()) return x;
        const Value<T> scratch = s.kept(scratch_);
        s.tape().reverse([=] {
            ArrayMap<T> q(scratch.data, k, x.cols); // adjoint of gain .* h
            thin::withRank(k, [&](auto K) {
                thin::project<K.value>(Q.data, x.adjoint, scratch.data, n, x.cols, k);
                if (Q.adjoint) thin::outer<K.value>(x.adjoint, weighted.data, Q.adjoint, n, x.cols, k);
            });
            if (directX) {
                thin::withRank(
                    k, [&](auto K) { thin::project<K.value>(Q.data, directX.data, directH.data, n, x.cols, k); });
                directH.array() *= scale;
                if (gain) directH.array() *= gain.array();
            }
            q *= scale;
            if (!gain) {
                h.gradientArray() += q;
            } else {
                if (gain.adjoint) gain.gradientArray() += q * h.array();
                h.gradientArray() += q * gain.array();
            }
            if (input.adjoint) input.gradientArray() += a * x.gradientArray();
            if (before.adjoint) before.gradientArray() += (T(1) - a) * x.gradientArray();
        });
        return x;
    }

    int units_, rank_;
    bool symmetric_;
    Activation activation_;
    Orthonormal convention_;
    T rate_, scale_;
    Input gain_;
    Output hidden_, projection_;
    State state_;
    Link link_;
    Weight left_, right_;
    Projection<T> drive_;
    Local Q_;       ///< the left factor as it is used, made once for a span
    Local scratch_; ///< of reverse steps
};

} // namespace raphe
