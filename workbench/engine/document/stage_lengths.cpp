// SPDX-License-Identifier: Apache-2.0
#include "engine/document/stage_lengths.h"

#include "raphe/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace raphe {

namespace {

int scaled(int iterations, double factor) {
    return iterations <= 0 ? iterations : std::max(1, static_cast<int>(std::lround(iterations * factor)));
}

void scale(Watch& watch, double factor) {
    watch.every = scaled(watch.every, factor);
    watch.window = std::clamp(scaled(watch.window, factor), 1, largestWindow);
}

} // namespace

std::vector<TrainingStage> inProportion(std::vector<TrainingStage> stages, int iterations) {
    const auto sum = iterationsOf(stages);
    if (iterations < static_cast<int>(stages.size()))
        throw Error("iterations", fmt::format("{} are fewer than there are stages ({}), and each needs one", iterations,
                                              stages.size()));
    // Ends are rounded, so that the sum is right; then each stage gets at least one.
    std::int64_t passed = 0;
    int begin = 0;
    for (std::size_t i = 0; i < stages.size(); ++i) {
        auto& stage = stages[i];
        const int before = stage.iterations, left = static_cast<int>(stages.size() - i - 1);
        passed += before;
        const auto end = std::llround(static_cast<double>(passed) * iterations / static_cast<double>(sum));
        stage.iterations = std::clamp(static_cast<int>(end), begin + 1, iterations - left) - begin;
        begin += stage.iterations;
        const double factor = static_cast<double>(stage.iterations) / before;
        if (stage.iterations == before) continue;
        if (stage.keepBest) scale(*stage.keepBest, factor);
        for (auto& [key, schedule] : stage.schedules) {
            schedule.over = scaled(schedule.over, factor);
            schedule.every = scaled(schedule.every, factor);
            for (auto& at : schedule.at) at = scaled(at, factor);
            scale(schedule.watch, factor);
        }
    }
    return stages;
}

} // namespace raphe
