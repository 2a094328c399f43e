// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/declaration.h"

#include <string>

namespace raphe {

struct PlasticRnnParams {
    int hidden = 200;
    std::string rule = "simple";
    std::string clip = "hard";
    double clipBound = 1.0;
    std::string alpha = "per_connection";
    std::string fanOut = "none";
    bool traceFirst = false;
    bool inputLayer = true;
    double inputGain = 1;
    std::string recurrentDistribution = "uniform";
    double recurrentInit = 0.01;
    double etaInit = 0.1;
};

inline constexpr const char* plasticRnnManual =
    R"(A recurrent network whose connections change while it runs, at a rate that
the network itself may control. Each connection has a trained fixed weight and a Hebbian trace that starts each trial at 0.

    h(t) = tanh( W_in x(t) + b_in + (W + alpha .* H(t-1)) h(t-1) )
    H(t) = clip( H(t-1) + d ),   d_ij = q_i(t) h_i(t) h_j(t-1)

| rule | rate |
| --- | --- |
| none | no trace: a plain recurrent network |
| plastic | q_i = eta, one trained number |
| simple | q_i = M(t), or f_i M(t) + g_i with fan_out per_neuron |
| retroactive | d_ij = q_i(t) E_ij(t-1) with q_i as for simple; E(t) = (1 - eta_E) E(t-1) + eta_E h_i(t) h_j(t-1) |

M(t) is whatever is wired to the port `plasticity`, usually one unit that reads h(t). With trace_first the retroactive
rule uses E(t) instead of E(t-1). With input_layer false, input_gain x(t) takes the place of W_in x(t) + b_in: a unit for each neuron.

| clip | trace, with H' = H(t-1) and c = clip_bound |
| --- | --- |
| hard | min(max(H' + d, -c), c) |
| soft | the same of H' + max(d, 0) (1 - H') + min(d, 0) (1 + H') |
| decay | (1 - q_i) H' + q_i h_i(t) h_j(t-1); sensible only for q in [0, 1] |
| oja | H' + q_i (h_i(t) h_j(t-1) - h_i(t)^2 H') |
| none | H' + d; may diverge |

| paper | here |
| --- | --- |
| x, h | ports `input`, `hidden` |
| M(t) | port `plasticity` |
| W_in, b_in | `input_weight`, `input_bias` |
| w (fixed weights) | `recurrent_weight`; row: receiving neuron |
| alpha | `alpha`; (hidden, hidden), (hidden, 1) or (1, 1) |
| eta | `eta`, and `eta_trace` for the eligibility trace |
| Hebb(t), E(t) | states `hebbian_trace`, `eligibility` |
| fan-out of the modulator | `fan_gain` f, `fan_bias` g |

**Differs from the paper.** Following the authors' programs: the Hebbian product pairs h(t) with h(t-1); the retroactive
rule clips too; W and alpha start uniform in [0, recurrent_init), or normal with that standard deviation (their program for
completing patterns, which also has no input layer). The programs' unused eta of the modulated rules is
left out. Where d = 0, the gradient of soft is the mean of its two one-sided values. The gradient of hard and soft is 0
only where the value before clipping lies strictly outside the bound.)";

inline Declaration<PlasticRnnParams> declarePlasticRnn() {
    using P = PlasticRnnParams;
    return Declaration<P>{"plastic_rnn", "1.0.0",
                          "Recurrent network with neuromodulated Hebbian plasticity (Backpropamine)"}
        .citation("T. Miconi, A. Rawal, J. Clune, K. O. Stanley (2019), Backpropamine: training self-modifying neural "
                  "networks with "
                  "differentiable neuromodulated plasticity, International Conference on Learning Representations, "
                  "arXiv:2002.10585")
        .manual(plasticRnnManual)
        .param("hidden", &P::hidden, {.help = "Number of neurons", .min = 1, .group = "Size"})
        .param("rule", &P::rule,
               {.help =
                    "What sets the rate of plasticity: none (a plain recurrent network), plastic (a trained "
                    "constant), simple (the modulator), retroactive (the modulator, acting on an eligibility trace)",
                .choices = {"none", "plastic", "simple", "retroactive"},
                .group = "Plasticity"})
        .param("clip", &P::clip,
               {.help = "How the Hebbian trace stays bounded",
                .choices = {"hard", "soft", "decay", "oja", "none"},
                .group = "Plasticity"})
        .param("clip_bound", &P::clipBound,
               {.help = "Bound of the Hebbian trace, for hard and soft", .min = 1e-6, .group = "Plasticity"})
        .param(
            "alpha", &P::alpha,
            {.help =
                 "Whether each connection, each receiving neuron or the whole network has its own gain of plasticity",
             .choices = {"per_connection", "per_neuron", "single"},
             .group = "Plasticity"})
        .param("fan_out", &P::fanOut,
               {.help = "Whether each neuron has its own gain and bias for the modulator",
                .choices = {"none", "per_neuron"},
                .group = "Plasticity"})
        .param("trace_first", &P::traceFirst,
               {.help = "Retroactive rule: update the eligibility trace before it acts on the Hebbian trace",
                .group = "Plasticity"})
        .param("input_layer", &P::inputLayer,
               {.help = "Whether the input passes through trained weights; otherwise it has a unit for each neuron and "
                        "is multiplied with input_gain",
                .group = "Size"})
        .param("input_gain", &P::inputGain,
               {.help = "Factor of the input, where there is no input layer", .group = "Size"})
        .param("recurrent_distribution", &P::recurrentDistribution,
               {.help =
                    "Initial values of recurrent weights and gains of plasticity: uniform from 0 to recurrent_init, "
                    "or normal around 0 with this standard deviation",
                .choices = {"uniform", "normal"},
                .group = "Initial values"})
        .param("recurrent_init", &P::recurrentInit,
               {.help =
                    "Upper end of the uniform initial values, from 0, of recurrent weights and gains of plasticity; or "
                    "the standard deviation of normal ones",
                .min = 0,
                .group = "Initial values"})
        .param("eta_init", &P::etaInit,
               {.help = "Initial value of the trained rates eta and eta_trace", .group = "Initial values"})
        .input("input", "any", {.help = "Input of the step"})
        .modulation("plasticity", 1,
                    {.help = "Rate of plasticity M(t), computed from h(t); needed by the rules simple and retroactive, "
                             "refused by the others",
                     .read = Read::end,
                     .optional = true})
        .output("hidden", "hidden", {.help = "Activity h(t)"})
        .tensor("input_weight", "hidden", "input", "W_in; only with an input layer")
        .tensor("input_bias", "hidden", "1", "b_in; only with an input layer")
        .tensor("recurrent_weight", "hidden", "hidden", "W; row: receiving neuron")
        .tensor("alpha", "hidden or 1", "hidden or 1", "Gain of plasticity; not with rule none")
        .tensor("eta", "1", "1", "Rate of plasticity; rule plastic only")
        .tensor("eta_trace", "1", "1", "Rate of the eligibility trace; rule retroactive only")
        .tensor("fan_gain", "hidden", "1", "f; fan_out per_neuron only")
        .tensor("fan_bias", "hidden", "1", "g; fan_out per_neuron only")
        .check([](const P& p) -> std::string {
            const bool modulated = p.rule == "simple" || p.rule == "retroactive";
            if (p.rule == "retroactive" && (p.clip == "decay" || p.clip == "oja"))
                return "clip \"" + p.clip + "\" is not defined for rule \"retroactive\"; choose hard, soft or none";
            if (!modulated && p.fanOut != "none")
                return "fan_out \"" + p.fanOut + "\" needs a modulator, but rule \"" + p.rule +
                       "\" has none; choose rule simple or retroactive, or fan_out none";
            if (p.traceFirst && p.rule != "retroactive")
                return "trace_first needs an eligibility trace, but rule \"" + p.rule +
                       "\" has none; choose rule retroactive";
            if (p.inputLayer && p.inputGain != 1)
                return "input_gain is for an input without weights; set input_layer to false, or leave input_gain out";
            return {};
        });
}

} // namespace raphe
