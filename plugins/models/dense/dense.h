// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../cell_types.h"
#include "../initial_deviation.h"

#include "raphe/plugin.h"

#include <string>

namespace raphe {

struct DenseParams : CellTypeParams {
    int units = 1;
    std::string activation = "identity";
    bool bias = true;
    double slopeOffset = 1;
    std::string biasPlacement = "outside";
    bool exposeModulation = false;
    std::string weightInit = "fan_in";
    double weightDeviation = 0;
    std::string biasInit = "as_weight";
    double biasDeviation = 0, biasMean = 0;
    std::string receptorInit = "fan_in";
    double receptorDeviation = 0;
    double biasRate = 1;
};

inline constexpr const char* denseManual =
    R"(A layer of units, each a function of a weighted sum, whose slopes and biases may be modulated.

    y = f(S .* (W x) + b + O)          bias_placement outside
    y = f(S .* (W x + b) + O)          bias_placement inside
    S = s .* (a + W_s z),   O = c + W_b z

| symbol | here |
| --- | --- |
| x, y | ports `input`, `output` |
| W, b | tensors `weight` (row: receiving unit), `bias` |
| f | `activation` |
| s, c | modulation ports `slope` (1 if nothing is wired) and `bias` (0 if nothing is wired): one number a unit |
| z | modulation port `signal`, of any size; without it S = s and O = c |
| W_s, W_b | tensors `slope_receptor`, `bias_receptor`: how each unit answers to the signal |
| a | `slope_offset` |
| S, O | ports `total_slope` and `total_offset`, with `expose_modulation` |
| p, q | modulation ports `plasticity` (one number a unit) and `input_plasticity` (one an input), 1 if nothing is wired |

Training: the change of W(i, j) is multiplied by p_i q_j, that of b(i) and of the receptors of unit i by p_i, where p and q are means
over the batch; `bias_rate` multiplies the change of b in addition. It is the change that is scaled, before momentum in sgd and after the
normalisation of adam; the gradient that reaches other layers is not.

Inputs may be cells of *types* with *signs*, e.g. `types` [23, 97] and `signs` [-1, 1] for 23 inhibitory and then 97 excitatory ones: every update keeps the
sign of what a cell sends (Dale's law), leaves magnitudes of at least 1e-12, and takes the learning rate times `shrinkage` from each.

A readout is a dense layer with the identity; a modulator M(t) = tanh(w h + b) of Backpropamine one with 1 unit and tanh;
the gate s = sigmoid(A z + b) of the NM-RNN one with sigmoid. A layer of the NMN (cellular neuromodulation) has `signal` wired
and srelu, the identity cut off at -1 and 1; in the form of its program `slope_offset` is 1 and `bias_placement` outside, in the
form of its paper they are 0 and inside, so that the layer is constant while z = 0.

Initial values, n = number of inputs: `weight_init` fan_in is uniform in +-1/sqrt(n), normal has the standard deviation
`weight_deviation` (0: 1/sqrt(n)), truncated_normal is the same, drawn anew while it lies beyond two deviations, balanced takes its receivers from a network of the inputs with each other whose excitation
and inhibition cancel (see `model.rnn`; it needs `signs`). `bias_init`
as_weight follows `weight_init`; constant is `bias_mean`; normal and truncated_normal have the mean `bias_mean` and the standard
deviation `bias_deviation` (0: 1/sqrt(n)). `receptor_init` and `receptor_deviation` are the same for W_s and W_b, n = size of
the signal.)";

/// y = f(S .* (W x) + b + O) with slopes S and offsets O from modulation ports or, through receptors, from a signal;
/// without memory, so all steps of a span are one matrix product.
template <class T>
class Dense final : public Model<T> {
public:
    static auto declare() {
        using P = DenseParams;
        const Size<P> exposed("units with expose_modulation",
                              [](const P& p) { return p.exposeModulation ? p.units : noPort; });
        return Declaration<P>{"dense", "1.2.0", "Layer of units: a function of a weighted sum of the input"}
            .citation(
                "Standard; slope and bias modulation as in N. Vecoven, D. Ernst, A. Wehenkel, G. Drion (2020), "
                "Introducing neuromodulation "
                "in deep neural networks to learn adaptive behaviours, PLoS ONE, doi:10.1371/journal.pone.0227922")
            .manual(denseManual)
            .param("units", &P::units, {.help = "Number of units", .min = 1, .max = 1000000, .group = "layer"})
            .param("activation", &P::activation,
                   {.help = "Function of the weighted sum", .choices = activationNames(), .group = "layer"})
            .param("bias", &P::bias, {.help = "Whether the units have a trainable bias", .group = "layer"})
            .param("slope_offset", &P::slopeOffset,
                   {.help = "Slope of a unit while the signal is 0; without a signal the slope is that of the port",
                    .group = "modulation"})
            .param("bias_placement", &P::biasPlacement,
                   {.help = "Whether the slope acts on the trainable bias too (inside) or not (outside)",
                    .choices = {"outside", "inside"},
                    .group = "modulation"})
            .param("expose_modulation", &P::exposeModulation,
                   {.help = "Whether slopes and offsets have output ports", .group = "modulation"})
            .param("weight_init", &P::weightInit,
                   {.help = "Initial distribution of the weights",
                    .choices = {"fan_in", "normal", "truncated_normal", "zero", "balanced"},
                    .group = "initial values"})
            .param("weight_deviation", &P::weightDeviation,
                   {.help = "Standard deviation of (truncated) normal initial weights; 0: 1/sqrt(inputs)",
                    .min = 0,
                    .group = "initial values"})
            .param("bias_init", &P::biasInit,
                   {.help = "Initial distribution of the bias",
                    .choices = {"as_weight", "fan_in", "normal", "truncated_normal", "constant"},
                    .group = "initial values"})
            .param("bias_deviation", &P::biasDeviation,
                   {.help = "Standard deviation of a (truncated) normal initial bias; 0: 1/sqrt(inputs)",
                    .min = 0,
                    .group = "initial values"})
            .param("bias_mean", &P::biasMean,
                   {.help = "Mean of a normal initial bias, value of a constant one", .group = "initial values"})
            .param("bias_rate", &P::biasRate,
                   {.help = "Factor of the changes of the bias in training", .min = 0, .group = "training"})
            .param("receptor_init", &P::receptorInit,
                   {.help = "Initial distribution of the receptors",
                    .choices = {"fan_in", "normal", "truncated_normal", "zero"},
                    .group = "initial values"})
            .param("receptor_deviation", &P::receptorDeviation,
                   {.help = "Standard deviation of (truncated) normal initial receptors; 0: 1/sqrt(size of the signal)",
                    .min = 0,
                    .group = "initial values"})
            .with(cellTypeParams("the inputs"))
            .check([](const P& p) {
                if (const auto sentence = p.CellTypeParams::check(openSize); !sentence.empty()) return sentence;
                if (p.weightInit == "balanced" && p.signs.empty())
                    return std::string("weight_init \"balanced\" needs signs; say which types are excitatory");
                return std::string{};
            })
            .input("input", "any", {.help = "Input"})
            .modulation("slope", "units",
                        {.help = "Factor of each unit's weighted sum", .optional = true, .neutral = 1})
            .modulation("bias", "units", {.help = "Added to each unit's weighted sum", .optional = true})
            .modulation("signal", "any",
                        {.help = "Signal that the units' receptors turn into slopes and biases", .optional = true})
            .modulation("plasticity", "units",
                        {.help = "Factor of the changes of each unit's incoming weights and bias in training",
                         .optional = true,
                         .neutral = 1})
            .modulation("input_plasticity", "any",
                        {.help = "Factor of the changes of the weights of each input; as many units as the input",
                         .optional = true,
                         .neutral = 1})
            .output("output", "units", {.help = "Activity"})
            .output("total_slope", exposed, {.help = "Slope of each unit, of all modulation together"})
            .output("total_offset", exposed, {.help = "What modulation adds to each unit's weighted sum"})
            .tensor("weight", "units", "inputs", "Weights; row: receiving unit")
            .tensor("bias", "units", "1", "Trainable bias; absent with bias = false")
            .tensor("slope_receptor", "units", "size of the signal",
                    "Effect of the signal on slopes; only if it is wired")
            .tensor("bias_receptor", "units", "size of the signal",
                    "Effect of the signal on biases; only if it is wired");
    }

    Dense(const DenseParams& p, Builder& b)
        : activation_(activationOf(p.activation)), hasBias_(p.bias), inside_(p.biasPlacement == "inside"),
          exposed_(p.exposeModulation), slopeOffset_(static_cast<T>(p.slopeOffset)), input_(b.input("input")),
          slope_(b.input("slope")), shift_(b.input("bias")), signal_(b.input("signal")), output_(b.output("output")),
          totalSlope_(b.output("total_slope")), totalOffset_(b.output("total_offset")) {
        const auto init = [](const std::string& form, int count, double deviation, double mean) {
            const double spread = initialDeviation(deviation, count);
            return form == "fan_in"             ? Init::fanIn(count)
                   : form == "normal"           ? Init::normal(spread, mean)
                   : form == "truncated_normal" ? Init::truncatedNormal(spread, mean)
                                                : Init::constant(mean);
        };
        const int inputs = b.size("input");
        if (const auto sentence = p.CellTypeParams::check(inputs); !sentence.empty()) throw Error(sentence);
        const Constraint constraint = p.constraint(false);
        weight_ = b.weight("weight", p.units, inputs,
                           p.weightInit == "balanced"
                               ? balancedWeights(constraint)
                               : signedWeights(init(p.weightInit, inputs, p.weightDeviation, 0), constraint),
                           constraint);
        if (p.units >= fewest) packedWeight_ = b.packed(weight_);
        if (p.bias)
            bias_ = b.weight(
                "bias", p.units, 1,
                init(p.biasInit == "as_weight" ? p.weightInit : p.biasInit, inputs, p.biasDeviation, p.biasMean));
        if (b.wired("input_plasticity") && b.size("input_plasticity") != inputs)
            throw Error("port \"input_plasticity\"", "expected as many units as the input has (" +
                                                         std::to_string(inputs) + "), got " +
                                                         std::to_string(b.size("input_plasticity")));
        scaleChanges(b, weight_);
        if (p.bias) scaleChanges(b, bias_);
        if (b.wired("input_plasticity")) b.scaleColumns(weight_, "input_plasticity");
        if (p.bias && p.biasRate != 1) b.form(bias_).rate = p.biasRate;
        if (!b.wired("signal")) return;
        const int size = b.size("signal");
        const Init receptors = init(p.receptorInit, size, p.receptorDeviation, 0);
        slopeReceptor_ = b.weight("slope_receptor", p.units, size, receptors);
        biasReceptor_ = b.weight("bias_receptor", p.units, size, receptors);
        scaleChanges(b, slopeReceptor_);
        scaleChanges(b, biasReceptor_);
        if (p.units < fewest) return;
        packedSlopeReceptor_ = b.packed(slopeReceptor_);
        packedBiasReceptor_ = b.packed(biasReceptor_);
    }

    void step(Step<T>& s) const override {
        const Value<T> W = s.weight(weight_), x = s.input(input_), b = hasBias_ ? s.weight(bias_) : Value<T>{};
        const Packed<T> P = laidOut(s, packedWeight_);
        if (s.wired(signal_) || inside_ || exposed_) {
            const Value<T> slope = totalSlope(s), offset = totalOffset(s);
            s.emit(output_, modulated(affine(W, x, {}, P), slope, offset, b, s.destination(output_)));
            return;
        }
        if (!s.wired(slope_) && !s.wired(shift_)) {
            s.emit(output_, affineActivation(activation_, W, x, b, s.destination(output_), P));
            return;
        }
        Value<T> sum = affine(W, x, {}, P);
        if (s.wired(slope_)) sum = s.input(slope_) * sum;
        if (hasBias_) sum = sum + b;
        if (s.wired(shift_)) sum = sum + s.input(shift_);
        s.emit(output_, activate(activation_, sum));
    }

private:
    static void scaleChanges(Builder& b, Weight weight) {
        if (b.wired("plasticity")) b.scaleRows(weight, "plasticity");
    }
    /// Units from which on a product with few columns is faster with weights that are laid out.
    static constexpr int fewest = 4;
    static Packed<T> laidOut(const Step<T>& s, PackedWeight weight) {
        return weight.index >= 0 ? s.packed(weight) : Packed<T>{};
    }

    /// S; empty if it is 1.
    Value<T> totalSlope(Step<T>& s) const {
        Value<T> slope = s.wired(slope_) ? s.input(slope_) : Value<T>{};
        if (s.wired(signal_)) {
            const Value<T> receptor = s.weight(slopeReceptor_),
                           offset = s.tape().constant(receptor.rows, 1, slopeOffset_),
                           received = affine(receptor, s.input(signal_), offset, laidOut(s, packedSlopeReceptor_));
            slope = slope ? slope * received : received;
        }
        if (!exposed_) return slope;
        return s.emit(totalSlope_, slope ? slope : s.tape().constant(s.sequence(totalSlope_).rows, s.columns(), T(1)));
    }
    /// O; empty if it is 0.
    Value<T> totalOffset(Step<T>& s) const {
        Value<T> offset = s.wired(shift_) ? s.input(shift_) : Value<T>{};
        if (s.wired(signal_)) {
            const Value<T> received =
                affine(s.weight(biasReceptor_), s.input(signal_), {}, laidOut(s, packedBiasReceptor_));
            offset = offset ? offset + received : received;
        }
        if (!exposed_) return offset;
        return s.emit(totalOffset_,
                      offset ? offset : s.tape().constant(s.sequence(totalOffset_).rows, s.columns(), T(0)));
    }

    /// y = f(S .* sum + b + O), or with b inside. Turns `sum` into sum + b then.
    Value<T> modulated(Value<T> sum, Value<T> slope, Value<T> offset, Value<T> b, Value<T> y) const {
        if (b && inside_) sum.value().colwise() += b.value().col(0);
        if (slope && offset)
            y.array() = slope.array() * sum.array() + offset.array();
        else if (slope)
            y.array() = slope.array() * sum.array();
        else if (offset)
            y.array() = sum.array() + offset.array();
        else
            y.array() = sum.array();
        if (b && !inside_) y.value().colwise() += b.value().col(0);
        if (activation_ != Activation::identity) applyActivation<T>(activation_, y.array(), y.array());
        y.tape->reverse([=, f = activation_, inside = inside_] {
            auto g = y.gradientArray();
            scaleByDerivative<T>(f, y.array(), g); // the adjoint of y becomes that of what f is taken of
            if (offset && offset.adjoint) offset.gradientArray() += g;
            if (slope && slope.adjoint) slope.gradientArray() += g * sum.array();
            if (slope)
                sum.gradientArray() = g * slope.array();
            else
                sum.gradientArray() = g;
            if (b && b.adjoint) b.gradient().col(0) += (inside ? sum : y).gradient().rowwise().sum();
        });
        return y;
    }

    Activation activation_;
    bool hasBias_, inside_, exposed_;
    T slopeOffset_;
    Input input_, slope_, shift_, signal_;
    Output output_, totalSlope_, totalOffset_;
    Weight weight_, bias_, slopeReceptor_, biasReceptor_;
    PackedWeight packedWeight_, packedSlopeReceptor_, packedBiasReceptor_;
};

} // namespace raphe
