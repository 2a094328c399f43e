// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <cmath>
#include <string>

namespace raphe {

struct DenseParams {
    int units = 1;
    std::string activation = "identity";
    bool bias = true;
    std::string weightInit = "fan_in";
    double weightDeviation = 0;
    std::string biasInit = "as_weight";
    double biasDeviation = 0, biasMean = 0;
};

inline constexpr const char* denseManual = R"(A layer of units, each a function of a weighted sum.

    y = f(s .* (W x) + b + c)

| symbol | here |
| --- | --- |
| x, y | ports `input`, `output` |
| W, b | tensors `weight` (row: receiving unit), `bias` |
| f | `activation` |
| s, c | modulation ports `slope` (1 if nothing is wired) and `bias` (0 if nothing is wired) |

A readout is a dense layer with the identity; a modulator M(t) = tanh(w h + b) of Backpropamine one with 1 unit and tanh;
the gate s = sigmoid(A z + b) of the NM-RNN one with sigmoid.

Initial values, n = number of inputs: `weight_init` fan_in is uniform in +-1/sqrt(n), normal has the standard deviation
`weight_deviation` (0: 1/sqrt(n)). `bias_init` as_weight follows `weight_init`; constant is `bias_mean`; normal has the mean
`bias_mean` and the standard deviation `bias_deviation` (0: 1/sqrt(n)).)";

/// y = f(slope .* (W x) + b + bias modulation); without memory, so all steps of a span are one matrix product.
template <class T>
class Dense final : public Model<T> {
public:
    static auto declare() {
        using P = DenseParams;
        return Declaration<P>{"dense", "1.0.0", "Layer of units: a function of a weighted sum of the input"}
            .citation(
                "Standard; slope and bias modulation as in N. Vecoven, D. Ernst, A. Wehenkel, G. Drion (2020), "
                "Introducing neuromodulation "
                "in deep neural networks to learn adaptive behaviours, PLoS ONE, doi:10.1371/journal.pone.0227922")
            .manual(denseManual)
            .param("units", &P::units, {.help = "Number of units", .min = 1, .max = 1000000, .group = "layer"})
            .param("activation", &P::activation,
                   {.help = "Function of the weighted sum", .choices = activationNames(), .group = "layer"})
            .param("bias", &P::bias, {.help = "Whether the units have a trainable bias", .group = "layer"})
            .param("weight_init", &P::weightInit,
                   {.help = "Initial distribution of the weights",
                    .choices = {"fan_in", "normal", "zero"},
                    .group = "initial values"})
            .param("weight_deviation", &P::weightDeviation,
                   {.help = "Standard deviation of normal initial weights; 0: 1/sqrt(inputs)",
                    .min = 0,
                    .group = "initial values"})
            .param("bias_init", &P::biasInit,
                   {.help = "Initial distribution of the bias",
                    .choices = {"as_weight", "fan_in", "normal", "constant"},
                    .group = "initial values"})
            .param("bias_deviation", &P::biasDeviation,
                   {.help = "Standard deviation of a normal initial bias; 0: 1/sqrt(inputs)",
                    .min = 0,
                    .group = "initial values"})
            .param("bias_mean", &P::biasMean,
                   {.help = "Mean of a normal initial bias, value of a constant one", .group = "initial values"})
            .input("input", "any", {.help = "Input"})
            .modulation("slope", "units",
                        {.help = "Factor of each unit's weighted sum", .optional = true, .neutral = 1})
            .modulation("bias", "units", {.help = "Added to each unit's weighted sum", .optional = true})
            .output("output", "units", {.help = "Activity"})
            .tensor("weight", "units", "inputs", "Weights; row: receiving unit")
            .tensor("bias", "units", "1", "Trainable bias; absent with bias = false");
    }

    Dense(const DenseParams& p, Builder& b)
        : activation_(activationOf(p.activation)), hasBias_(p.bias), input_(b.input("input")), slope_(b.input("slope")),
          shift_(b.input("bias")), output_(b.output("output")) {
        const int inputs = b.size("input");
        const double usual = 1 / std::sqrt(static_cast<double>(inputs));
        const auto deviation = [&](double given) { return given > 0 ? given : usual; };
        weight_ = b.weight("weight", p.units, inputs,
                           p.weightInit == "fan_in"   ? Init::fanIn(inputs)
                           : p.weightInit == "normal" ? Init::normal(deviation(p.weightDeviation))
                                                      : Init::constant(0));
        if (!p.bias) return;
        const auto form = p.biasInit == "as_weight" ? p.weightInit : p.biasInit;
        bias_ = b.weight("bias", p.units, 1,
                         form == "fan_in"   ? Init::fanIn(inputs)
                         : form == "normal" ? Init::normal(deviation(p.biasDeviation), p.biasMean)
                                            : Init::constant(p.biasMean));
    }

    void step(Step<T>& s) const override {
        const Value<T> W = s.weight(weight_), x = s.input(input_), b = hasBias_ ? s.weight(bias_) : Value<T>{};
        if (!s.wired(slope_) && !s.wired(shift_)) {
            s.emit(output_, affineActivation(activation_, W, x, b, s.destination(output_)));
            return;
        }
        Value<T> sum = affine(W, x);
        if (s.wired(slope_)) sum = s.input(slope_) * sum;
        if (hasBias_) sum = sum + b;
        if (s.wired(shift_)) sum = sum + s.input(shift_);
        s.emit(output_, activate(activation_, sum));
    }

private:
    Activation activation_;
    bool hasBias_;
    Input input_, slope_, shift_;
    Output output_;
    Weight weight_, bias_;
};

} // namespace raphe
