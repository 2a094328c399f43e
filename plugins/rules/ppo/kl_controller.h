// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

namespace raphe::ppo {

/// Adapts the weight of the KL penalty after each update of the policy, so that updates change it by about `target`
/// (J. Schulman et al. 2017, arXiv:1707.06347, section 4, with the factors, bounds and the restore of the program of
/// N. Vecoven et al. 2020, doi:10.1371/journal.pone.0227922). Where the weight alone no longer helps, the learning rate
/// follows. Both numbers belong to a checkpoint.
struct KlController {
    double beta = 1.0;                   ///< weight of the KL penalty, in [1/35, 35]
    double learningRateMultiplier = 1.0; ///< multiplies the policy's learning rate, in [0.01, 100]

    /// @param kl      mean KL(old || new) over the batch after the last epoch of the policy, nats; may be NaN
    /// @param target  nats, positive
    /// @return whether the update went too far (kl > 4 target, or NaN): the policy's weights and the moments and step
    ///         count of its optimiser must then be those before the update
    bool update(double kl, double target) {
        const bool restore = std::isnan(kl) || kl > 4 * target;
        if (restore) raise();
        if (kl > 2 * target) {
            raise();
            if (beta > 30) learningRateMultiplier = std::max(0.01, learningRateMultiplier / factor);
        } else if (kl < target / 2) {
            beta = std::max(1 / betaMax, beta / factor);
            if (beta < 1.0 / 30) learningRateMultiplier = std::min(100.0, learningRateMultiplier * factor);
        }
        return restore;
    }

private:
    static constexpr double factor = 1.5, betaMax = 35;

    void raise() { beta = std::min(betaMax, factor * beta); }
};

} // namespace raphe::ppo
