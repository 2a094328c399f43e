// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/trial_bench.h"

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr double traceBytes = 64e6;

} // namespace

Session& TrialBench::session(bool fresh) {
    if (session_ && !fresh) return *session_;
    source_([this](Session& source) {
        if (!session_) {
            Experiment experiment = source.experiment();
            experiment.interventions.clear(); // those that are wanted come with the request
            experiment.recordings.clear();
            session_ = Session::create(experiment, registry_, {.threads = 1});
        }
        session_->restore(source.snapshot());
    });
    intact_.reset();
    return *session_;
}

TrialPair TrialBench::run(const TrialRequest& request, bool fresh) {
    const std::lock_guard lock(mutex_);
    Session& own = session(fresh);
    TrialPair pair;
    pair.iteration = own.iteration();
    TrialRequest plain{request.trials, request.stream, {}};
    if (!intact_ || intact_->first.trials != plain.trials || intact_->first.stream != plain.stream)
        intact_ = std::pair(plain, recordTrials(own, plain));
    pair.intact = intact_->second;
    const bool any = std::any_of(request.interventions.begin(), request.interventions.end(),
                                 [](const Intervention& item) { return item.enabled; });
    if (any) pair.perturbed = recordTrials(own, request);
    return pair;
}

std::vector<std::string> TrialBench::states() {
    const std::lock_guard lock(mutex_);
    const auto player = session(false).play({.trials = 1, .record = {}, .interventions = {}, .stream = 0});
    if (!player->next()) return {};
    std::vector<std::pair<bool, std::string>> names; // vectors after matrices
    for (const auto& name : player->states()) names.emplace_back(player->state(name).shape.size() < 3, name);
    std::stable_sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> result;
    for (auto& [vector, name] : names) result.push_back(std::move(name));
    return result;
}

StateTrace TrialBench::stateTrace(const std::string& name, const TrialRequest& request, int trial) {
    const std::lock_guard lock(mutex_);
    const auto player = session(false).play(
        {.trials = request.trials, .record = {}, .interventions = request.interventions, .stream = request.stream});
    StateTrace trace;
    trace.name = name;
    while (player->next()) {
        const int step = player->step() - 1;
        if (step % trace.everySteps != 0) continue;
        const Tensor state = player->state(name);
        trace.rows = static_cast<int>(state.shape[1]);
        trace.columns = state.shape.size() > 2 ? static_cast<int>(state.shape[2]) : 1;
        const auto size = static_cast<std::ptrdiff_t>(trace.rows) * trace.columns;
        if (step == 0) {
            const double bytes = 4.0 * static_cast<double>(size) * player->steps();
            trace.everySteps = std::max(1, static_cast<int>(bytes / traceBytes + 0.999));
        }
        const auto from = state.values.begin() + std::min(trial, player->trials() - 1) * size;
        trace.frames.emplace_back(from, from + size);
        for (const float value : trace.frames.back()) trace.reach = std::max(trace.reach, std::abs(value));
    }
    return trace;
}

PortraitFlow TrialBench::flow(const TrialRecording& trials, const PrincipalComponents& components,
                              const PortraitFlowRequest& request) {
    const std::lock_guard lock(mutex_);
    return portraitFlow(session(false), registry_, trials, components, request);
}

std::vector<NamedTensor> TrialBench::weights() {
    std::vector<NamedTensor> result;
    source_([&](Session& source) { result = source.weights(); });
    return result;
}

} // namespace raphe
