// SPDX-License-Identifier: Apache-2.0
#include "trial.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace raphe::multitask {

using std::numbers::pi;

void encode(Encoding encoding, double angle, double* channels) {
    if (encoding == Encoding::pair) {
        channels[0] = std::sin(angle);
        channels[1] = std::cos(angle);
        return;
    }
    for (int j = 0; j < ringUnits; ++j) {
        const double apart = std::abs(std::remainder(angle - 2 * pi * j / ringUnits, 2 * pi)) / (pi / 8);
        channels[j] = 0.8 * std::exp(-apart * apart / 2);
    }
}

Trial makeTrial(const Paradigm& paradigm, const Draw& draw, Encoding encoding) {
    const auto& t = draw.timing;
    Trial trial{};
    trial.go = t.go;
    trial.steps = t.steps;
    trial.responds = true;
    trial.angle = draw.angle[0];
    auto &first = trial.stimuli[0], &second = trial.stimuli[1];
    first.on = t.on1;
    first.off = t.off1;
    const auto show = [&](Trial::Stimulus& stimulus, int which) { stimulus.strength[draw.modality[which]] = 1; };
    // Two stimuli that differ in strength: how strong each is in what counts.
    const auto decide = [&] {
        double total[2] = {0, 0};
        for (int m = 0; m < 2; ++m) {
            const bool shown = paradigm.modality == Modality::first    ? m == 0
                               : paradigm.modality == Modality::second ? m == 1
                                                                       : true;
            const bool counts = paradigm.modality == Modality::contextFirst    ? m == 0
                                : paradigm.modality == Modality::contextSecond ? m == 1
                                                                               : shown;
            for (int i = 0; i < 2; ++i) {
                if (shown) trial.stimuli[i].strength[m] = draw.strength[m][i];
                if (counts) total[i] += draw.strength[m][i];
            }
        }
        trial.angle = draw.angle[total[0] > total[1] ? 0 : 1];
    };
    switch (paradigm.course) {
    case Course::sustained:
        first.off = t.steps;
        show(first, 0);
        break;
    case Course::reaction:
        first = {t.go, t.steps, {0, 0}};
        trial.fixationStays = true;
        show(first, 0);
        break;
    case Course::memory:
        show(first, 0);
        break;
    case Course::decision:
        first.off = second.off = t.go;
        second.on = t.on1;
        decide();
        break;
    case Course::delayedDecision:
        second = {t.on2, t.off2, {0, 0}};
        decide();
        break;
    case Course::match:
    case Course::category: {
        second = {t.go, t.steps, {0, 0}};
        trial.fixationStays = true;
        show(first, 0);
        show(second, 1);
        const bool alike = paradigm.course == Course::match ? draw.match : (draw.angle[0] < pi) == (draw.angle[1] < pi);
        trial.responds = alike != paradigm.noGo;
        trial.angle = draw.angle[1];
        break;
    }
    }
    if (paradigm.anti) trial.angle += pi;
    encode(encoding, draw.angle[0], trial.shown[0]);
    encode(encoding, draw.angle[1], trial.shown[1]);
    encode(encoding, trial.angle, trial.shown[2]);
    return trial;
}

std::vector<int> stretched(std::span<const double> durations, int steps) {
    double total = 0, passed = 0;
    for (const double duration : durations) total += duration;
    std::vector<int> result;
    for (std::size_t i = 0; i + 1 < durations.size(); ++i) {
        passed += durations[i];
        result.push_back(std::min(steps, static_cast<int>(std::ceil(passed / total * steps))));
    }
    return result;
}

} // namespace raphe::multitask
