// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

namespace raphe {

struct BanditOracleParams {
    int arms = 2;
};

inline constexpr const char* banditOracleManual =
    R"(Tells the true uncertainty of estimated values, for agents that shall have it without estimating it.

| symbol | here |
| --- | --- |
| Q | port `value`: estimates |
| mu, sigma | ports `mean` and `deviation`: the truth, from the task |
| (mu_a - Q_a)^2 | port `epistemic`; its mean over arms: `mean_epistemic` |
| sigma_a^2 | port `aleatoric`; mean of sigma_a over arms: `mean_deviation` |

No gradient passes through this mechanism.)";

/// Squared errors of values and true variances.
template <class T>
class BanditOracle final : public Model<T> {
public:
    static auto declare() {
        using P = BanditOracleParams;
        return Declaration<P>{"bandit_oracle", "1.0.0", "True uncertainty of estimated values"}
            .citation("J. Lee et al. (2024), Lifelong reinforcement learning via neuromodulation, arXiv:2408.08446, "
                      "after S. Lahlou et al. (2021), arXiv:2102.08501")
            .manual(banditOracleManual)
            .param("arms", &P::arms, {.help = "Number of actions", .min = 1, .max = 100000, .group = "oracle"})
            .input("value", "arms", {.help = "Estimated values"})
            .input("mean", "arms", {.help = "True means"})
            .input("deviation", "arms", {.help = "True standard deviations"})
            .output("epistemic", "arms", {.help = "Squared error of each estimate"})
            .output("mean_epistemic", 1, {.help = "Its mean over actions"})
            .output("aleatoric", "arms", {.help = "True variance of each action"})
            .output("mean_deviation", 1, {.help = "Mean of the true standard deviations"});
    }

    BanditOracle(const BanditOracleParams& p, Builder& b)
        : arms_(p.arms), value_(b.input("value")), mean_(b.input("mean")), deviation_(b.input("deviation")),
          epistemic_(b.output("epistemic")), meanEpistemic_(b.output("mean_epistemic")),
          aleatoric_(b.output("aleatoric")), meanDeviation_(b.output("mean_deviation")) {}

    void step(Step<T>& s) const override {
        const Value<T> Q = s.input(value_), mu = s.input(mean_), sigma = s.input(deviation_);
        const auto make = [&](int rows) { return s.tape().make(rows, s.columns(), false); };
        const Value<T> error = make(arms_), variance = make(arms_), errors = make(1), deviations = make(1);
        for (int c = 0; c < s.columns(); ++c) {
            T errorSum = 0, deviationSum = 0;
            for (int a = 0; a < arms_; ++a) {
                const T e = mu.column(c)[a] - Q.column(c)[a], d = sigma.column(c)[a];
                errorSum += error.column(c)[a] = e * e;
                variance.column(c)[a] = d * d;
                deviationSum += d;
            }
            errors.data[c] = errorSum / static_cast<T>(arms_);
            deviations.data[c] = deviationSum / static_cast<T>(arms_);
        }
        s.emit(epistemic_, error);
        s.emit(meanEpistemic_, errors);
        s.emit(aleatoric_, variance);
        s.emit(meanDeviation_, deviations);
    }

private:
    int arms_;
    Input value_, mean_, deviation_;
    Output epistemic_, meanEpistemic_, aleatoric_, meanDeviation_;
};

} // namespace raphe
