// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <cmath>

namespace raphe {

struct PredictionErrorParams {};

inline constexpr const char* predictionErrorManual =
    R"(What came, compared with what was expected, at the end of the step: dopamine, where the outcome is a reward.

    error = outcome - expectation,   surprise = |error|

| symbol | here |
| --- | --- |
| outcome | port `outcome`: a reward |
| expectation | port `expectation`: the value of a critic |

Both outputs are written at the end of the step: whoever reads them at the end of a step sees them at once, others with the next
step.)";

/// error = outcome - expectation, at the end of a step.
template <class T>
class PredictionError final : public Model<T> {
public:
    static auto declare() {
        using P = PredictionErrorParams;
        return Declaration<P>{"prediction_error", "1.0.0", "Outcome minus expectation, at the end of a step"}
            .citation("W. Schultz, P. Dayan, P. R. Montague (1997), A neural substrate of prediction and reward, "
                      "Science, doi:10.1126/science.275.5306.1593")
            .manual(predictionErrorManual)
            .input("outcome", 1, {.help = "What came: a reward", .read = Read::end})
            .input("expectation", 1, {.help = "What was expected: a value", .read = Read::end})
            .output("error", 1, {.help = "Outcome minus expectation (dopamine)", .read = Read::end})
            .output("surprise", 1, {.help = "Its magnitude", .read = Read::end});
    }

    PredictionError(const PredictionErrorParams&, Builder& b)
        : outcome_(b.input("outcome")), expectation_(b.input("expectation")), error_(b.output("error")),
          surprise_(b.output("surprise")) {}

    void step(Step<T>&) const override {}

    void close(Step<T>& s) const override {
        const Value<T> outcome = s.input(outcome_), expectation = s.input(expectation_), error = s.destination(error_);
        error.array() = outcome.array() - expectation.array();
        s.tape().reverse([=] {
            if (outcome.adjoint) outcome.gradientArray() += error.gradientArray();
            if (expectation.adjoint) expectation.gradientArray() -= error.gradientArray();
        });
        const Value<T> seen = s.emit(error_, error), surprise = s.destination(surprise_);
        surprise.array() = seen.array().abs();
        s.tape().reverse([=] { seen.gradientArray() += surprise.gradientArray() * seen.array().sign(); });
        s.emit(surprise_, surprise);
    }

private:
    Input outcome_, expectation_;
    Output error_, surprise_;
};

} // namespace raphe
