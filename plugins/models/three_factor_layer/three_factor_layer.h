// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <algorithm>
#include <string>

namespace raphe {

struct ThreeFactorLayerParams {
    int units = 1;
    double learningRate = 0.1;
    double eligibilityDecay = 0;
    int inputs = 0;
    bool exposeWeights = false;
};

inline constexpr const char* threeFactorLayerManual =
    R"(A layer whose weights change within the trial: each trial is a learner of its own, with its own weights, which start at 0.
What changes them are three factors: what the sender did, what the receiver did, and a modulator that says what came of it.

    y = W x
    at the end of the step:   E <- lambda E + g (p - q) x^T
                              W <- W + eta m E                (row i: eta m_i E)

| symbol | here |
| --- | --- |
| x, y | ports `input`, `output` |
| p | port `post`: what the receiving units did; 1 if nothing is wired |
| q | port `expected`: what they were expected to do; 0 if nothing is wired |
| m | port `modulator`: one number (dopamine), or one a unit (an error each) |
| g | modulation port `gate`: how much of this step enters the eligibility |
| E | eligibility; lambda = `eligibility_decay` |
| eta | `learning_rate` times the modulation port `learning_rate` |
| W | port `weights` with `expose_weights`, row by row, as they are after the step; `inputs` must be stated then |

With p an action, q its probability and m a reward prediction error this is the policy gradient of an actor (REINFORCE); with p
unwired and m the same error, the delta rule of a critic; with p = y and m dopamine, reward-modulated Hebbian learning.

Interventions on `weights` change the weights themselves: clamp sets them, lesion removes them, noise disturbs them. No gradient
passes through that port.)";

/// y = W x with W <- W + eta m (lambda E + g (p - q) x^T) at the end of each step, for each trial by itself. The
/// adjoint is exact: credit flows through the weights and their changes.
template <class T>
class ThreeFactorLayer final : public Model<T> {
public:
    static auto declare() {
        using P = ThreeFactorLayerParams;
        return Declaration<P>{"three_factor_layer", "1.0.0", "Layer that learns within the trial, gated by a modulator"}
            .citation("Three-factor learning: W. Gerstner, M. Lehmann, V. Liakoni, D. Corneil, J. Brea (2018), "
                      "Eligibility traces and plasticity on behavioral time scales, Frontiers in Neural Circuits, "
                      "doi:10.3389/fncir.2018.00053; actor and critic as in J. Mei et al. (2025), arXiv:2501.06762")
            .manual(threeFactorLayerManual)
            .param("units", &P::units, {.help = "Number of units", .min = 1, .max = 1000000, .group = "layer"})
            .param("learning_rate", &P::learningRate,
                   {.help = "Size of the weight change", .min = 0, .group = "plasticity"})
            .param("eligibility_decay", &P::eligibilityDecay,
                   {.unit = "per step",
                    .help = "Share of the eligibility that is left after a step; 0: only the present step counts",
                    .min = 0,
                    .max = 1,
                    .group = "plasticity"})
            .param("inputs", &P::inputs,
                   {.help = "Units of the input; 0: as many as are wired", .min = 0, .max = 1000000, .group = "layer"})
            .param("expose_weights", &P::exposeWeights,
                   {.help = "Whether the weights have an output port", .group = "plasticity"})
            .input("input", Size<P>("inputs, or any", [](const P& p) { return p.inputs > 0 ? p.inputs : openSize; }),
                   {.help = "Input"})
            .input("post", "units",
                   {.help = "What the units did; 1 if nothing is wired", .read = Read::end, .optional = true})
            .input("expected", "units",
                   {.help = "Subtracted from it: what they were expected to do", .read = Read::end, .optional = true})
            .input("modulator", "any", {.help = "Third factor: one number, or one for each unit", .read = Read::end})
            .modulation("learning_rate", 1,
                        {.help = "Factor of the learning rate", .read = Read::end, .optional = true, .neutral = 1})
            .modulation(
                "gate", 1,
                {.help = "Factor of what enters the eligibility", .read = Read::end, .optional = true, .neutral = 1})
            .output("output", "units", {.help = "Weighted sum of the input"})
            .output("weights",
                    Size<P>("units * inputs, with expose_weights",
                            [](const P& p) { return p.exposeWeights ? p.units * p.inputs : noPort; }),
                    {.help = "Weights after the step, row by row", .read = Read::end})
            .check([](const P& p) {
                if (p.exposeWeights && p.inputs == 0)
                    return std::string("expose_weights: the size of the port must be known; state inputs");
                if (static_cast<double>(p.units) * p.inputs > 1e9)
                    return std::string("inputs: more than a billion weights for each trial");
                return std::string();
            });
    }

    ThreeFactorLayer(const ThreeFactorLayerParams& p, Builder& b)
        : units_(p.units), inputs_(b.size("input")), rate_(p.learningRate), decay_(p.eligibilityDecay),
          input_(b.input("input")), post_(b.input("post")), expected_(b.input("expected")),
          modulator_(b.input("modulator")), rateFactor_(b.input("learning_rate")), gate_(b.input("gate")),
          output_(b.output("output")) {
        const int modulators = b.size("modulator");
        if (modulators != 1 && modulators != units_)
            throw Error("port \"modulator\"", "expected 1 unit or as many as the layer has (" + std::to_string(units_) +
                                                  "), got " + std::to_string(modulators));
        // The weights of a unit lie side by side.
        const StateOptions matrix{.columns = units_, .inPlace = true};
        weight_ = b.state("weight", inputs_, matrix);
        if (decay_ > 0) eligibility_ = b.state("eligibility", inputs_, matrix);
        if (p.exposeWeights) weights_ = b.output("weights");
    }

    void step(Step<T>& s) const override {
        const Value<T> W = s.state(weight_), x = s.input(input_), y = s.destination(output_);
        for (int c = 0; c < x.cols; ++c)
            for (int i = 0; i < units_; ++i) y.column(c)[i] = dot(W.column(c) + i * inputs_, x.column(c), inputs_);
        s.tape().reverse([=, units = units_, inputs = inputs_] {
            for (int c = 0; c < x.cols; ++c)
                for (int i = 0; i < units; ++i) {
                    const T g = y.gradientColumn(c)[i], *w = W.column(c) + i * inputs;
                    T* gw = W.gradientColumn(c) + i * inputs;
                    for (int j = 0; j < inputs; ++j) gw[j] += g * x.column(c)[j];
                    if (!x.adjoint) continue;
                    for (int j = 0; j < inputs; ++j) x.gradientColumn(c)[j] += g * w[j];
                }
        });
        s.emit(output_, y);
    }

    void close(Step<T>& s) const override {
        Change change;
        change.x = s.input(input_);
        if (s.wired(post_)) change.post = s.input(post_);
        if (s.wired(expected_)) change.expected = s.input(expected_);
        if (s.wired(rateFactor_)) change.rate = s.input(rateFactor_);
        if (s.wired(gate_)) change.gate = s.input(gate_);
        change.modulator = s.input(modulator_);
        change.W = s.state(weight_);
        change.next = s.advance(weight_);
        if (eligibility_.index >= 0) {
            change.E = s.state(eligibility_);
            change.eligibilityNext = s.advance(eligibility_);
        }
        for (int c = 0; c < change.x.cols; ++c) learn(change, c);
        s.tape().reverse([=, this] {
            for (int c = 0; c < change.x.cols; ++c) learnBack(change, c);
        });
        if (weights_.index >= 0) show(s, change.next);
        s.next(weight_, change.next);
        if (eligibility_.index >= 0) s.next(eligibility_, change.eligibilityNext);
    }

private:
    /// What one change of the weights depends on, and its results. Empty where nothing is wired.
    struct Change {
        Value<T> x, post, expected, modulator, rate, gate, W, next, E, eligibilityNext;

        T postOf(int c, int i) const {
            return (post ? post.column(c)[i] : T(1)) - (expected ? expected.column(c)[i] : T(0));
        }
        T gateOf(int c) const { return gate ? gate.data[c] : T(1); }
        T modulatorOf(int c, int i) const { return modulator.column(c)[modulator.rows == 1 ? 0 : i]; }
    };

    /// A sum in a fixed order, in lanes that a processor can keep apart.
    static T dot(const T* a, const T* b, int count) {
        constexpr int lanes = 8;
        T sums[lanes] = {};
        int j = 0;
        for (; j + lanes <= count; j += lanes)
            for (int l = 0; l < lanes; ++l) sums[l] += a[j + l] * b[j + l];
        T sum = 0;
        for (; j < count; ++j) sum += a[j] * b[j];
        for (const T part : sums) sum += part;
        return sum;
    }

    void learn(const Change& k, int c) const {
        const T rate = static_cast<T>(rate_) * (k.rate ? k.rate.data[c] : T(1)), decay = static_cast<T>(decay_);
        const T* x = k.x.column(c);
        for (int i = 0; i < units_; ++i) {
            const T factor = k.gateOf(c) * k.postOf(c, i), step = rate * k.modulatorOf(c, i);
            const T* W = k.W.column(c) + i * inputs_;
            T* next = k.next.column(c) + i * inputs_;
            if (!k.E) {
                const T change = step * factor;
                for (int j = 0; j < inputs_; ++j) next[j] = W[j] + change * x[j];
                continue;
            }
            const T* E = k.E.column(c) + i * inputs_;
            T* eligibility = k.eligibilityNext.column(c) + i * inputs_;
            for (int j = 0; j < inputs_; ++j) {
                eligibility[j] = decay * E[j] + factor * x[j];
                next[j] = W[j] + step * eligibility[j];
            }
        }
    }

    /// In reverse: W and E have the adjoints of what they became, in the same memory.
    void learnBack(const Change& k, int c) const {
        const T rate = static_cast<T>(rate_) * (k.rate ? k.rate.data[c] : T(1)), decay = static_cast<T>(decay_);
        const T* x = k.x.column(c);
        T rateSum = 0, gateSum = 0;
        for (int i = 0; i < units_; ++i) {
            const T post = k.postOf(c, i), gate = k.gateOf(c), modulator = k.modulatorOf(c, i);
            const T* gW = k.W.gradientColumn(c) + i * inputs_;
            T* gE = k.E ? k.E.gradientColumn(c) + i * inputs_ : nullptr;
            const T* eligibility = k.E ? k.eligibilityNext.column(c) + i * inputs_ : nullptr;
            T modulatorSum = 0, postSum = 0;
            for (int j = 0; j < inputs_; ++j) {
                modulatorSum += gW[j] * (eligibility ? eligibility[j] : gate * post * x[j]);
                T g = rate * modulator * gW[j];
                if (gE) {
                    g += gE[j];
                    gE[j] = decay * g;
                }
                postSum += g * x[j];
                if (k.x.adjoint) k.x.gradientColumn(c)[j] += g * gate * post;
            }
            rateSum += modulatorSum * modulator;
            gateSum += postSum * post;
            if (k.modulator.adjoint)
                k.modulator.gradientColumn(c)[k.modulator.rows == 1 ? 0 : i] += rate * modulatorSum;
            if (k.post && k.post.adjoint) k.post.gradientColumn(c)[i] += gate * postSum;
            if (k.expected && k.expected.adjoint) k.expected.gradientColumn(c)[i] -= gate * postSum;
        }
        if (k.rate && k.rate.adjoint) k.rate.adjoint[c] += static_cast<T>(rate_) * rateSum;
        if (k.gate && k.gate.adjoint) k.gate.adjoint[c] += gateSum;
    }

    /// The weights at their port, and what an intervention there makes of them.
    void show(Step<T>& s, Value<T> W) const {
        const Value<T> seen = s.emit(weights_, W.constant());
        std::copy_n(seen.data, seen.size(), W.data);
    }

    int units_, inputs_;
    double rate_, decay_;
    Input input_, post_, expected_, modulator_, rateFactor_, gate_;
    Output output_, weights_;
    State weight_, eligibility_;
};

} // namespace raphe
