// SPDX-License-Identifier: Apache-2.0
#include "raphe/plugin.h"

#include <cmath>

namespace raphe {

struct AbsoluteErrorParams : OptimiserParams {
    double tolerance = 0; // the initialiser is the default
};

/// loss = sum( max(|y - y*| - tolerance, 0) ) / count.
template <class T>
class AbsoluteError final : public GradientRule<T> {
public:
    static auto declare() {
        using P = AbsoluteErrorParams;
        return Declaration<P>{"absolute_error", "1.0.0", "Mean absolute error, reduced by gradient descent"}
            .citation("Standard")
            .manual("    loss = mean( max(|y - y*| - tolerance, 0) )      over trials, steps and units\n\n"
                    "y, y*: ports `prediction`, `target`.")
            .param("tolerance", &P::tolerance, {.help = "Errors up to this size cost nothing", .min = 0})
            .with(optimiserParams())
            .input("prediction", "any", {.help = "What is trained"})
            .input("target", "any", {.help = "What it shall be; as many units as the prediction"});
    }

    AbsoluteError(const AbsoluteErrorParams& p, Builder& b)
        : p_(p), prediction_(b.input("prediction")), target_(b.input("target")) {
        if (b.size("target") != b.size("prediction"))
            throw Error("port \"target\"", "expected " + std::to_string(b.size("prediction")) + " units, got " +
                                               std::to_string(b.size("target")));
    }

    const OptimiserParams& optimiser() const override { return p_; }

    void objective(Objective<T>& o) const override {
        const Value<T> y = o.input(prediction_), target = o.input(target_);
        double loss = 0, count = 0;
        for (int t = 0; t < o.steps; ++t)
            for (int b = 0; b < o.trials; ++b) {
                if (!o.counts(t, b)) continue; // the trial has ended
                const int c = o.column(t, b);
                count += y.rows;
                for (int r = 0; r < y.rows; ++r) {
                    const T error = y.column(c)[r] - target.column(c)[r], excess = std::abs(error) - T(p_.tolerance);
                    if (excess <= 0) continue;
                    const T slope = error > 0 ? T(1) : T(-1);
                    loss += static_cast<double>(excess);
                    if (y.adjoint) y.gradientColumn(c)[r] += slope;
                    if (target.adjoint) target.gradientColumn(c)[r] -= slope;
                }
            }
        o.addLoss(loss, count);
    }

private:
    AbsoluteErrorParams p_;
    Input prediction_, target_;
};

} // namespace raphe

RAPHE_PLUGIN(raphe::AbsoluteError)
