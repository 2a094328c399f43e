// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../initial_deviation.h"
#include "../lanewise.h"

#include "raphe/plugin.h"

#include <algorithm>
#include <string>

namespace raphe {

struct LstmParams {
    int units = 50;
    double initialState = 0;
    std::string weightInit = "normal";
    double inputDeviation = 0, recurrentDeviation = 0, biasDeviation = 0;
    double forgetOffset = 0;
};

inline constexpr const char* lstmManual =
    R"(A layer of units with long short-term memory: each has a cell that keeps its content as far as a gate lets it.

    i = sigmoid(W_i u + U_i h + b_i)
    f = sigmoid(W_f u + U_f h + b_f)
    g = tanh(W_g u + U_g h + b_g)
    o = sigmoid(W_o u + U_o h + b_o)
    c' = f .* c + i .* g
    h' = o .* tanh(c')

| symbol | here |
| --- | --- |
| u | port `input` |
| h, c | ports and states `hidden`, `cell`; both start at `initial_state` |
| W | tensor `input_weight`: blocks of `units` rows for i, f, g and o, in this order |
| U | tensor `recurrent_weight`, likewise |
| b | tensor `bias`, likewise |

It is the network that the NM-RNN is compared with, and may be its modulator. A linear NM-RNN with equal factors and tau = 1 is such a cell
with the gain as forget gate, an open input gate and a linear candidate.

`weight_init` normal has the standard deviations `input_deviation`, `recurrent_deviation` and `bias_deviation`; 0 stands for
1/sqrt(inputs), 1/sqrt(`units`) and 1/sqrt(`units`). uniform is between plus and minus these numbers. `forget_offset` is
added to the initial b_f.

**Differs from other programs** that have two biases a gate: only their sum matters, which b is.)";

/// Long short-term memory with forget gate:  c' = f c + i g,  h' = o tanh(c').
/// S. Hochreiter, J. Schmidhuber (1997), F. A. Gers et al. (2000); in this parameterisation the baseline of J. C.
/// Costacurta et al. (2024), section 2.6 of the specification nm_rnn.
///
/// For the reverse step a unit keeps i, f, g, o and tanh(c) of each time step. The adjoints of the gates' sums then
/// replace the gates in the same memory, so that the gradients of the weights are one product over all steps of the
/// span.
template <class T>
class Lstm final : public Model<T> {
public:
    static auto declare() {
        using P = LstmParams;
        return Declaration<P>{"lstm", "1.0.0", "Layer of units with long short-term memory"}
            .citation(
                "S. Hochreiter, J. Schmidhuber (1997), Long short-term memory, Neural Computation, "
                "doi:10.1162/neco.1997.9.8.1735; with the forget gate of F. A. Gers, J. Schmidhuber, F. Cummins "
                "(2000), "
                "Learning to forget, doi:10.1162/089976600300015015; as in J. C. Costacurta, S. Bhandarkar, D. M. "
                "Zoltowski, S. W. Linderman (2024), Structured flexibility in recurrent neural networks via "
                "neuromodulation, NeurIPS, doi:10.1101/2024.07.26.605315")
            .manual(lstmManual)
            .param("units", &P::units, {.help = "Number of units", .min = 1, .max = 100000, .group = "network"})
            .param("initial_state", &P::initialState,
                   {.help = "State and cell of all units before the first step", .group = "network"})
            .param("weight_init", &P::weightInit,
                   {.help = "Initial distribution of weights and biases",
                    .choices = {"normal", "uniform"},
                    .group = "initial values"})
            .param("input_deviation", &P::inputDeviation,
                   {.help = "Standard deviation, or bound, of the initial input weights; 0: 1/sqrt(inputs)",
                    .min = 0,
                    .group = "initial values"})
            .param("recurrent_deviation", &P::recurrentDeviation,
                   {.help = "Standard deviation, or bound, of the initial recurrent weights; 0: 1/sqrt(units)",
                    .min = 0,
                    .group = "initial values"})
            .param("bias_deviation", &P::biasDeviation,
                   {.help = "Standard deviation, or bound, of the initial biases; 0: 1/sqrt(units)",
                    .min = 0,
                    .group = "initial values"})
            .param("forget_offset", &P::forgetOffset,
                   {.help = "Added to the initial biases of the forget gates", .group = "initial values"})
            .input("input", "any", {.help = "Input"})
            .output("hidden", "units", {.help = "State of the units after the step"})
            .output("cell", "units", {.help = "Content of the units' cells after the step"})
            .tensor("input_weight", "4 units", "inputs",
                    "Input weights: the blocks of the gates i, f, the candidate g and the gate o, one above the other")
            .tensor("recurrent_weight", "4 units", "units", "Recurrent weights: the blocks of i, f, g and o")
            .tensor("bias", "4 units", "1", "Biases: the blocks of i, f, g and o");
    }

    Lstm(const LstmParams& p, Builder& b)
        : units_(p.units), input_(b.input("input")), state_(b.state("hidden", p.units, {.initial = p.initialState})),
          cellState_(b.state("cell", p.units, {.initial = p.initialState})), hidden_(b.output("hidden", state_)),
          cell_(b.output("cell", cellState_)),
          link_(b.link(state_, {.reason = "what its units send each other passes through gates, for which it is not "
                                          "defined"})) {
        const int inputs = b.size("input"), units = p.units;
        const auto init = [&](double given, int count) {
            const double spread = initialDeviation(given, count);
            return p.weightInit == "normal" ? Init::normal(spread) : Init::uniform(-spread, spread);
        };
        W_ = b.weight("input_weight", 4 * units, inputs, init(p.inputDeviation, inputs));
        U_ = b.weight("recurrent_weight", 4 * units, units, init(p.recurrentDeviation, units));
        const Init bias = init(p.biasDeviation, units);
        bias_ = b.weight("bias", 4 * units, 1,
                         Init::whole([=, offset = p.forgetOffset](Matrix<double>& numbers, Stream& random) {
                             for (int r = 0; r < 4 * units; ++r)
                                 numbers(r, 0) = bias.number(random) + (r / units == forget ? offset : 0);
                         }));
        packedW_ = b.packed(W_);
        packedU_ = b.packed(U_);
        for (Local* local : {&gates_, &squashed_, &operands_, &knownInput_}) *local = b.local();
    }

    void begin(Step<T>& s) const override {
        Tape<T>& tape = s.tape();
        const bool recording = tape.recording();
        const int columns = recording ? s.spanSteps() * s.trials() : s.trials();
        const Value<T> W = s.weight(W_), U = s.weight(U_), b = s.weight(bias_),
                       gates = tape.make(4 * units_, columns, false), squashed = tape.make(units_, columns, false);
        s.keep(gates_, gates);
        s.keep(squashed_, squashed);
        if (!recording) return;
        const Value<T> operands = tape.make(units_ + W.cols + 1, columns, false),
                       gradient = tape.make(4 * units_, operands.rows, false),
                       input = s.known(input_) ? s.input(input_) : Value<T>{};
        s.keep(operands_, operands);
        s.keep(knownInput_, input);
        operands.value().bottomRows(1).setOnes();
        if (input) {
            operands.value().middleRows(units_, W.cols) = input.value();
            s.packed(packedW_).affine(input.data, columns, b.data, gates.data);
        }
        // Runs after the reverse steps of all time steps, which leave the adjoints of the gates' sums in `gates`.
        tape.reverse([=, P = s.packed(packedW_)] {
            const int units = U.cols, inputs = W.cols;
            if (U.adjoint || W.adjoint || b.adjoint) {
                gradient.value().setZero();
                addOuterProducts(gates.value(), operands.value(), gradient.value());
            }
            if (U.adjoint) U.gradient() += gradient.value().leftCols(units);
            if (W.adjoint) W.gradient() += gradient.value().middleCols(units, inputs);
            if (b.adjoint) b.gradient() += gradient.value().rightCols(1);
            if (input.adjoint) P.multiplyTransposed(gates.data, gates.cols, input.adjoint);
        });
    }

    void step(Step<T>& s) const override {
        const bool recording = s.tape().recording();
        const LinkCredit<T> link = s.link(link_);
        const Value<T> u = s.input(input_), before = s.state(state_), content = s.state(cellState_),
                       gates = recording ? s.keptStep(gates_) : s.kept(gates_),
                       squashed = recording ? s.keptStep(squashed_) : s.kept(squashed_), known = s.kept(knownInput_),
                       c = s.destination(cell_), h = s.destination(hidden_);
        if (!known) s.packed(packedW_).affine(u.data, u.cols, s.weight(bias_).data, gates.data);
        s.packed(packedU_).multiply(before.data, before.cols, gates.data);
        open(gates, content, c, squashed, h);
        if (recording) {
            const Value<T> operands = s.keptStep(operands_);
            operands.value().topRows(units_) = before.value();
            if (!known) operands.value().middleRows(units_, u.rows) = u.value();
            s.tape().reverse([=, W = s.packed(packedW_), U = s.packed(packedU_), late = !known] {
                reverseCell(gates, content, c);
                if (link) U.multiplyTransposed(gates.data, gates.cols, link.state.adjoint);
                if (late && u.adjoint) W.multiplyTransposed(gates.data, gates.cols, u.adjoint);
            });
        }
        const Value<T> cell = s.emit(cell_, c);
        if (cell.data != c.data) read(gates, cell, squashed, h); // someone intervenes
        s.tape().reverse([=] { reverseRead(gates, squashed, h, cell); });
        s.next(cellState_, cell);
        s.next(state_, s.emit(hidden_, h));
    }

private:
    static constexpr int forget = 1; ///< place of the forget gate's block
    template <int L>
    using Lanes = lanewise::Lanes<T, L>;

    /// @param gates  their sums; becomes i, f, g, o  @param before  c  @param after  becomes c'
    /// @param squashed  becomes tanh(c')  @param hidden  becomes h'
    static void open(Value<T> gates, Value<T> before, Value<T> after, Value<T> squashed, Value<T> hidden) {
        using namespace lanewise;
        const int units = before.rows;
        const auto compute = [=](auto lanes, int c, int k) {
            constexpr int L = lanes();
            const T* sum = gates.column(c) + k;
            struct {
                Lanes<L> i, f, g, o, cell, squashed, hidden;
            } x;
            x.i = sigmoid(load<L>(sum));
            x.f = sigmoid(load<L>(sum + units));
            x.g = load<L>(sum + 2 * units).tanh();
            x.o = sigmoid(load<L>(sum + 3 * units));
            x.cell = x.f * load<L>(before.column(c) + k) + x.i * x.g;
            x.squashed = x.cell.tanh();
            x.hidden = x.o * x.squashed;
            return x;
        };
        forUnits<T>(units, before.cols, compute, [=](const auto& x, int c, int k) {
            T* gate = gates.column(c) + k;
            store(x.i, gate);
            store(x.f, gate + units);
            store(x.g, gate + 2 * units);
            store(x.o, gate + 3 * units);
            store(x.cell, after.column(c) + k);
            store(x.squashed, squashed.column(c) + k);
            store(x.hidden, hidden.column(c) + k);
        });
    }
    /// The last two of these from cells whose content is another one.
    static void read(Value<T> gates, Value<T> cell, Value<T> squashed, Value<T> hidden) {
        squashed.array() = cell.array().tanh();
        hidden.array() = gates.array().bottomRows(cell.rows) * squashed.array();
    }
    /// From the adjoint of h': adds to that of c', and turns o into the adjoint of its sum.
    static void reverseRead(Value<T> gates, Value<T> squashed, Value<T> hidden, Value<T> cell) {
        using namespace lanewise;
        const int units = cell.rows;
        const auto compute = [=](auto lanes, int c, int k) {
            constexpr int L = lanes();
            const Lanes<L> a = load<L>(hidden.gradientColumn(c) + k), o = load<L>(gates.column(c) + 3 * units + k),
                           y = load<L>(squashed.column(c) + k);
            struct {
                Lanes<L> cell, o;
            } x;
            x.cell = a * o * (T(1) - y * y);
            if (cell.adjoint) x.cell += load<L>(cell.gradientColumn(c) + k);
            x.o = a * y * o * (T(1) - o);
            return x;
        };
        forUnits<T>(units, cell.cols, compute, [=](const auto& x, int c, int k) {
            if (cell.adjoint) store(x.cell, cell.gradientColumn(c) + k);
            store(x.o, gates.column(c) + 3 * units + k);
        });
    }
    /// From the adjoint of c': adds to that of c, and turns i, f and g into the adjoints of their sums.
    static void reverseCell(Value<T> gates, Value<T> before, Value<T> after) {
        using namespace lanewise;
        const int units = before.rows;
        const auto compute = [=](auto lanes, int c, int k) {
            constexpr int L = lanes();
            const T* gate = gates.column(c) + k;
            const Lanes<L> a = load<L>(after.gradientColumn(c) + k), i = load<L>(gate), f = load<L>(gate + units),
                           g = load<L>(gate + 2 * units);
            struct {
                Lanes<L> i, f, g, cell;
            } x;
            x.i = a * g * i * (T(1) - i);
            x.f = a * load<L>(before.column(c) + k) * f * (T(1) - f);
            x.g = a * i * (T(1) - g * g);
            x.cell = a * f;
            if (before.adjoint) x.cell += load<L>(before.gradientColumn(c) + k);
            return x;
        };
        forUnits<T>(units, before.cols, compute, [=](const auto& x, int c, int k) {
            T* gate = gates.column(c) + k;
            store(x.i, gate);
            store(x.f, gate + units);
            store(x.g, gate + 2 * units);
            if (before.adjoint) store(x.cell, before.gradientColumn(c) + k);
        });
    }

    int units_;
    Input input_;
    State state_, cellState_;
    Output hidden_, cell_;
    Link link_;
    Weight W_, U_, bias_;
    PackedWeight packedW_, packedU_;
    Local gates_;      ///< i, f, g and o of the whole span, then the adjoints of their sums
    Local squashed_;   ///< tanh(c) of the whole span
    Local operands_;   ///< h before each step of the span, u and 1, one above the other
    Local knownInput_; ///< u of the whole span, if it is known in advance
};

} // namespace raphe
