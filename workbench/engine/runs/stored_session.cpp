// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/stored_session.h"

namespace raphe {

namespace {

Json stateJson(const SessionSnapshot& snapshot, const Session& session) {
    Json interventions = Json::array();
    for (const auto& intervention : session.interventions()) interventions.push_back(toJson(intervention));
    Json state = {
        {"optimiser_steps", snapshot.optimiserSteps}, {"seconds", snapshot.seconds}, {"interventions", interventions}};
    for (const auto& [name, value] : snapshot.stages) state["stages"][name] = value;
    return state;
}

} // namespace

Checkpoint checkpointOf(const Session& session, const std::optional<StepTrace>& trace) {
    auto snapshot = session.snapshot();
    auto state = stateJson(snapshot, session);
    if (trace) state["trace"] = toJson(*trace);
    return {snapshot.iteration - 1, std::move(snapshot.tensors), state.dump()};
}

std::optional<StepTrace> traceOf(const Checkpoint& checkpoint) {
    const auto state = Json::parse(checkpoint.stateJson, nullptr, false);
    return state.is_object() && state.contains("trace") ? stepTraceFromJson(state["trace"]) : std::nullopt;
}

void restoreFrom(Session& session, Checkpoint checkpoint, const std::string& place) {
    const auto state = parseJson(checkpoint.stateJson, place);
    SessionSnapshot snapshot;
    snapshot.iteration = static_cast<int>(checkpoint.iteration) + 1;
    snapshot.optimiserSteps = state.at("optimiser_steps").get<long>();
    snapshot.seconds = state.at("seconds").get<double>();
    snapshot.tensors = std::move(checkpoint.tensors);
    if (state.contains("stages"))
        for (const auto& [name, value] : state.at("stages").items())
            snapshot.stages.emplace_back(name, value.get<double>());
    session.restore(snapshot);
    std::vector<Intervention> interventions;
    for (const auto& item : state.at("interventions")) interventions.push_back(interventionFromJson(item, place));
    if (interventions != session.interventions()) session.setInterventions(std::move(interventions));
}

} // namespace raphe
