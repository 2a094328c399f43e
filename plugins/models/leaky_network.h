// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <cmath>
#include <string>

namespace raphe {

/// What the recurrent networks of the NM-RNN have in common. They are of leaky units,
///   x(t) = (1-a) x(t-1) + a ( g (recurrent drive) + B u(t) + ... ),  a = dt / tau (or 1 - exp(-dt / tau)),
/// and differ in where the recurrent drive comes from.
struct LeakyParams {
    int units = 100;
    double tau = 10;
    std::string leak = "euler";
    std::string activation = "tanh";
    std::string recurrentDivisor = "one";
    double initialState = 0.1;
    double inputDeviation = 0;

    /// a, the part of the way to its target that a unit goes in one step. @throws Error unless dt is at most tau, with
    /// Euler's steps
    template <class T>
    T rate(double dt) const {
        if (leak == "exponential") return static_cast<T>(-std::expm1(-dt / tau));
        if (dt > tau)
            throw Error("tau", "expected at least the duration of a step (dt = " + std::to_string(dt) + "), got " +
                                   std::to_string(tau));
        return static_cast<T>(dt / tau);
    }
    /// g
    template <class T>
    T recurrentScale() const {
        return recurrentDivisor == "units" ? T(1) / static_cast<T>(units) : T(1);
    }
};

/// Declares the hyper-parameters of LeakyParams.
inline auto leakyParams() {
    return [](auto& declaration) {
        using P = LeakyParams;
        declaration.param("units", &P::units, {.help = "Number of units", .min = 1, .max = 100000, .group = "network"})
            .param("tau", &P::tau,
                   {.unit = "time",
                    .help = "Time constant, in the unit of the experiment's dt",
                    .min = 1e-9,
                    .group = "network"})
            .param("leak", &P::leak,
                   {.help = "The part a of the way to its target that a unit goes in one step: dt / tau (euler), or "
                            "1 - exp(-dt / tau) (exponential: exact for a constant target)",
                    .choices = {"euler", "exponential"},
                    .group = "network"})
            .param("activation", &P::activation,
                   {.help = "What a unit transmits, as a function of its state",
                    .choices = activationNames(),
                    .group = "network"})
            .param("recurrent_divisor", &P::recurrentDivisor,
                   {.help = "What the recurrent drive is divided by", .choices = {"one", "units"}, .group = "network"})
            .param("initial_state", &P::initialState,
                   {.help = "State of all units before the first step", .group = "network"})
            .param("input_deviation", &P::inputDeviation,
                   {.help = "Standard deviation of the initial input weights; 0: 1/sqrt(inputs)",
                    .min = 0,
                    .group = "initial values"});
    };
}

/// Declares the port that drives such a network, the port of its state, and its input weights.
inline auto leakyPorts() {
    return [](auto& declaration) {
        declaration.input("input", "any", {.help = "Input"})
            .output("hidden", "units", {.help = "State of the units after the step"})
            .tensor("input_weight", "units", "inputs", "Input weights");
    };
}

inline constexpr const char* nmRnnCitation =
    "J. C. Costacurta, S. Bhandarkar, D. M. Zoltowski, S. W. Linderman (2024), Structured flexibility in recurrent "
    "neural networks via neuromodulation, NeurIPS, doi:10.1101/2024.07.26.605315";

} // namespace raphe
