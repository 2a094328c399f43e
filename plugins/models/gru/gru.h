// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../initial_deviation.h"
#include "../lanewise.h"

#include "raphe/plugin.h"

#include <algorithm>
#include <string>

namespace raphe {

struct GruParams {
    int units = 50;
    bool candidateBias = false;
    double initialState = 0;
    std::string weightInit = "fan_in";
    double weightDeviation = 0;
};

inline constexpr const char* gruManual =
    R"(A layer of gated recurrent units that keep their state or replace it by a candidate.

    zeta = sigmoid(W_zeta u + U_zeta h + b_zeta)
    r    = sigmoid(W_r u + U_r h + b_r)
    g    = tanh(W_g u + r .* (U_g h) + b_g)
    h'   = (1 - zeta) .* g + zeta .* h

| symbol | here |
| --- | --- |
| u | port `input` |
| h | port and state `hidden`; starts at `initial_state` |
| W | tensor `input_weight`: blocks of `units` rows for zeta, r and g, in this order |
| U | tensor `recurrent_weight`, likewise |
| b | tensor `bias`, likewise; b_g exists only with `candidate_bias` |

zeta near 1 keeps the old state. The reset gate r acts after the recurrent product, which can then be one product for all
three; in the form of Cho et al. it acts before, U_g (r .* h).

The biases start at 0. `weight_init` fan_in is uniform in +-1/sqrt(n), n = inputs of `input_weight`, units of
`recurrent_weight`; normal has the standard deviation `weight_deviation` (0: 1/sqrt(units)); truncated_normal is the same,
drawn anew while it lies beyond two deviations.)";

/// Gated recurrent units, reset gate after the recurrent product:  h' = (1 - zeta) g + zeta h.
/// K. Cho et al. (2014); this form: N. Vecoven et al. (2020), section 2.1 of the specification nmn.
///
/// For the reverse step a unit keeps zeta, r, g and q = U_g h of each time step. Their adjoints then replace them in
/// the same memory, so that the gradients of the weights are products over all steps of the span.
template <class T>
class Gru final : public Model<T> {
public:
    static auto declare() {
        using P = GruParams;
        return Declaration<P>{"gru", "1.0.0", "Layer of gated recurrent units"}
            .citation(
                "K. Cho, B. van Merrienboer, C. Gulcehre, D. Bahdanau, F. Bougares, H. Schwenk, Y. Bengio (2014), "
                "Learning phrase representations using RNN encoder-decoder for statistical machine translation, "
                "EMNLP, doi:10.3115/v1/D14-1179; in this form the modulator of N. Vecoven, D. Ernst, A. "
                "Wehenkel, G. Drion (2020), Introducing neuromodulation in deep neural networks to learn adaptive "
                "behaviours, PLoS ONE, doi:10.1371/journal.pone.0227922")
            .manual(gruManual)
            .param("units", &P::units, {.help = "Number of units", .min = 1, .max = 100000, .group = "network"})
            .param("candidate_bias", &P::candidateBias,
                   {.help = "Whether the candidate has a trainable bias, as the gates have", .group = "network"})
            .param("initial_state", &P::initialState,
                   {.help = "State of all units before the first step", .group = "network"})
            .param("weight_init", &P::weightInit,
                   {.help = "Initial distribution of the weights",
                    .choices = {"fan_in", "normal", "truncated_normal"},
                    .group = "initial values"})
            .param("weight_deviation", &P::weightDeviation,
                   {.help = "Standard deviation of (truncated) normal initial weights; 0: 1/sqrt(units)",
                    .min = 0,
                    .group = "initial values"})
            .input("input", "any", {.help = "Input"})
            .output("hidden", "units", {.help = "State of the units after the step"})
            .tensor("input_weight", "3 units", "inputs",
                    "Input weights: the blocks of zeta, r and the candidate g, one above the other")
            .tensor("recurrent_weight", "3 units", "units", "Recurrent weights: the blocks of zeta, r and g")
            .tensor("bias", "2 units (3 with candidate_bias)", "1",
                    "Biases: the blocks of zeta, r and, with candidate_bias, g");
    }

    Gru(const GruParams& p, Builder& b)
        : units_(p.units), biases_((p.candidateBias ? 3 : 2) * p.units), input_(b.input("input")),
          state_(b.state("hidden", p.units, {.initial = p.initialState})), hidden_(b.output("hidden", state_)),
          link_(b.link(state_, {.reason = "what its units send each other passes through gates, for which it is not "
                                          "defined"})) {
        const int inputs = b.size("input");
        const double deviation = initialDeviation(p.weightDeviation, units_);
        const auto init = [&](int fanIn) {
            return p.weightInit == "fan_in"   ? Init::fanIn(fanIn)
                   : p.weightInit == "normal" ? Init::normal(deviation)
                                              : Init::truncatedNormal(deviation);
        };
        W_ = b.weight("input_weight", 3 * units_, inputs, init(inputs));
        U_ = b.weight("recurrent_weight", 3 * units_, units_, init(units_));
        bias_ = b.weight("bias", biases_, 1, Init::constant(0));
        packedW_ = b.packed(W_);
        packedU_ = b.packed(U_);
        for (Local* local : {&gates_, &candidate_, &operands_, &knownInput_, &drive_, &paddedBias_, &noBias_})
            *local = b.local();
    }

    void begin(Step<T>& s) const override {
        Tape<T>& tape = s.tape();
        const Value<T> W = s.weight(W_), U = s.weight(U_), b = s.weight(bias_),
                       bias = tape.constant(3 * units_, 1, T(0)), none = tape.constant(3 * units_, 1, T(0));
        std::copy_n(b.data, b.size(), bias.data);
        s.keep(paddedBias_, bias);
        s.keep(noBias_, none);
        s.keep(drive_, tape.make(3 * units_, s.trials(), false));
        const bool recording = tape.recording();
        const int columns = recording ? s.spanSteps() * s.trials() : s.trials();
        const Value<T> gates = tape.make(3 * units_, columns, false), candidate = tape.make(units_, columns, false);
        s.keep(gates_, gates);
        s.keep(candidate_, candidate);
        if (!recording) return;
        const Value<T> operands = tape.make(units_ + W.cols + 1, columns, false),
                       gradient = tape.make(3 * units_, operands.rows, false),
                       input = s.known(input_) ? s.input(input_) : Value<T>{};
        s.keep(operands_, operands);
        s.keep(knownInput_, input);
        // Runs after the reverse steps of all time steps, which leave the adjoints in `gates` and `candidate`.
        tape.reverse([=] {
            if (U.adjoint || W.adjoint || b.adjoint) computeGradient(gates, candidate, operands, gradient);
            const int units = U.cols, inputs = W.cols;
            if (U.adjoint) U.gradient() += gradient.value().leftCols(units);
            if (W.adjoint) W.gradient() += gradient.value().middleCols(units, inputs);
            if (b.adjoint) b.gradient() += gradient.value().col(units + inputs).head(b.rows);
            if (input.adjoint) addInputGradient(W, gates, candidate, input);
        });
    }

    void step(Step<T>& s) const override {
        const bool recording = s.tape().recording();
        const LinkCredit<T> link = s.link(link_);
        const Value<T> u = s.input(input_), before = s.state(state_), after = s.destination(hidden_),
                       drive = s.kept(drive_), gates = recording ? s.keptStep(gates_) : s.kept(gates_),
                       candidate = recording ? s.keptStep(candidate_) : s.kept(candidate_);
        s.packed(packedW_).affine(u.data, u.cols, s.kept(paddedBias_).data, drive.data);
        s.packed(packedU_).affine(before.data, before.cols, s.kept(noBias_).data, gates.data);
        forward(before, drive, gates, candidate, after);
        s.next(state_, s.emit(hidden_, after));
        if (!recording) return;
        const Value<T> operands = s.keptStep(operands_);
        operands.value().topRows(units_) = before.value();
        operands.value().middleRows(units_, u.rows) = u.value();
        operands.value().bottomRows(1).setOnes();
        s.tape().reverse([=, W = s.weight(W_), U = s.packed(packedU_), late = !s.kept(knownInput_)] {
            backward(before, operands, after, gates, candidate);
            if (link) U.multiplyTransposed(gates.data, gates.cols, link.state.adjoint);
            if (late && u.adjoint) addInputGradient(W, gates, candidate, u);
        });
    }

private:
    /// @param drive  W u + b
    /// @param gates  U h; becomes zeta, r and q
    static void forward(Value<T> before, Value<T> drive, Value<T> gates, Value<T> candidate, Value<T> after) {
        const int units = before.rows;
        const auto compute = [=](auto lanes, int c, int i) {
            constexpr int L = lanes();
            const T *sum = gates.column(c) + i, *d = drive.column(c) + i;
            struct {
                lanewise::Lanes<T, L> zeta, r, g, h;
            } x;
            x.zeta = lanewise::sigmoid(lanewise::load<L>(sum) + lanewise::load<L>(d));
            x.r = lanewise::sigmoid(lanewise::load<L>(sum + units) + lanewise::load<L>(d + units));
            x.g = (lanewise::load<L>(d + 2 * units) + x.r * lanewise::load<L>(sum + 2 * units)).tanh();
            x.h = x.g + x.zeta * (lanewise::load<L>(before.column(c) + i) - x.g);
            return x;
        };
        lanewise::forUnits<T>(units, before.cols, compute, [=](const auto& x, int c, int i) {
            lanewise::store(x.zeta, gates.column(c) + i);
            lanewise::store(x.r, gates.column(c) + units + i);
            lanewise::store(x.g, candidate.column(c) + i);
            lanewise::store(x.h, after.column(c) + i);
        });
    }
    /// Turns the adjoint of the new state into those of the old one (what does not pass through U), of the sums that
    /// belong to zeta and r, of q (all in `gates`) and of the candidate's sum (in `candidate`).
    static void backward(Value<T> before, Value<T> operands, Value<T> after, Value<T> gates, Value<T> candidate) {
        const int units = before.rows;
        const auto compute = [=](auto lanes, int c, int i) {
            constexpr int L = lanes();
            const T* gate = gates.column(c) + i;
            const lanewise::Lanes<T, L> a = lanewise::load<L>(after.gradientColumn(c) + i),
                                        zeta = lanewise::load<L>(gate), r = lanewise::load<L>(gate + units),
                                        q = lanewise::load<L>(gate + 2 * units),
                                        g = lanewise::load<L>(candidate.column(c) + i);
            struct {
                lanewise::Lanes<T, L> zeta, r, q, g, h;
            } x;
            x.g = a * (T(1) - zeta) * (T(1) - g * g);
            x.q = x.g * r;
            x.r = x.q * q * (T(1) - r);
            x.h = a * zeta;
            x.zeta = x.h * (lanewise::load<L>(operands.column(c) + i) - g) * (T(1) - zeta);
            if (before.adjoint) x.h += lanewise::load<L>(before.gradientColumn(c) + i);
            return x;
        };
        lanewise::forUnits<T>(units, before.cols, compute, [=](const auto& x, int c, int i) {
            T* gate = gates.column(c) + i;
            lanewise::store(x.zeta, gate);
            lanewise::store(x.r, gate + units);
            lanewise::store(x.q, gate + 2 * units);
            lanewise::store(x.g, candidate.column(c) + i);
            if (before.adjoint) lanewise::store(x.h, before.gradientColumn(c) + i);
        });
    }
    /// The gradients of U, W and b side by side, from the adjoints of the sums. Those of zeta and r are sums of all
    /// operands; in place of that of g there are two, of q (a sum of h) and of the rest.
    static void computeGradient(Value<T> gates, Value<T> candidate, Value<T> operands, Value<T> gradient) {
        const int units = candidate.rows, others = operands.rows - units;
        auto all = gradient.value();
        all.setZero();
        constexpr int columns = 192; // as many at once as the second-level cache holds
        for (int k = 0; k < gates.cols; k += columns) {
            const int count = std::min(columns, gates.cols - k);
            const auto sums = gates.columns(k, count).value(), rest = candidate.columns(k, count).value(),
                       by = operands.columns(k, count).value();
            addOuterProducts(sums.topRows(2 * units), by, all.topRows(2 * units));
            addOuterProducts(sums.bottomRows(units), by.topRows(units), all.bottomLeftCorner(units, units));
            addOuterProducts(rest, by.bottomRows(others), all.bottomRightCorner(units, others));
        }
    }
    static void addInputGradient(Value<T> W, Value<T> gates, Value<T> candidate, Value<T> u) {
        const int units = candidate.rows;
        u.gradient().noalias() += W.value().topRows(2 * units).transpose() * gates.value().topRows(2 * units);
        u.gradient().noalias() += W.value().bottomRows(units).transpose() * candidate.value();
    }

    int units_, biases_;
    Input input_;
    State state_;
    Output hidden_;
    Link link_;
    Weight W_, U_, bias_;
    PackedWeight packedW_, packedU_;
    Local gates_;      ///< zeta, r and q of the whole span, then the adjoints of their sums
    Local candidate_;  ///< g of the whole span, then the adjoint of its sum
    Local operands_;   ///< h before each step of the span, u and 1, one above the other
    Local knownInput_; ///< u of the whole span, if it is known in advance
    Local drive_;      ///< W u + b of one step
    Local paddedBias_; ///< b, and 0 for a candidate without bias
    Local noBias_;
};

} // namespace raphe
