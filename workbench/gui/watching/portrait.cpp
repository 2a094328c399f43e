// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/portrait.h"

#include "engine/analysis/fixed_points.h"

#include <algorithm>

namespace raphe {
namespace {

constexpr int columns = 18, rows = 14; ///< of the grid
constexpr int searches = 16;
constexpr double around = 0.15;  ///< of the portrait's extent, shown on each side of it
constexpr double nowhere = 1e-9; ///< extent of a portrait that does not move

/// The range of the portrait with some room around it.
std::pair<double, double> rangeOf(const std::vector<double>& values) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const double room = std::max(around * (*high - *low), nowhere);
    return {*low - room, *high + room};
}

bool inside(double value, std::pair<double, double> range) { return value >= range.first && value <= range.second; }

} // namespace

Portrait portraitIn(const PrincipalComponents& components, const Tensor& signal) {
    const auto seen = projected(components, signal);
    Portrait portrait{static_cast<int>(signal.shape[0]), static_cast<int>(signal.shape[1]), {}, {}};
    for (std::size_t i = 0; i < seen.values.size(); i += 2) {
        portrait.x.push_back(seen.values[i]);
        portrait.y.push_back(seen.values[i + 1]);
    }
    return portrait;
}

PortraitFlow portraitFlow(Session& session, const Registry& registry, const TrialRecording& recording,
                          const PrincipalComponents& components, const PortraitFlowRequest& request) {
    const Tensor* signal = recording.signal(request.port);
    if (!signal) throw Error(request.port, "is not among the signals of these trials");
    std::vector<NamedTensor> signals;
    for (const auto& [port, tensor] : recording.signals) signals.push_back({port, tensor});
    const auto node = parseAddress(request.port, "port").node;
    auto held = heldAt(session, {node}, signals, request.step, request.trial);
    const auto state = stateShownBy(session, request.port, held.inputs);
    if (state.empty())
        throw Error(request.port, "shows no state, so that nothing flows in its plane; choose a signal that does");
    held.states = {state};
    const StepMap map(session, registry, held);
    const auto executor = makeThreadExecutor(1);
    const auto portrait = portraitIn(components, *signal);
    const auto across = rangeOf(portrait.x), up = rangeOf(portrait.y);

    PortraitFlow flow{request.port, request.step, request.trial, {}, {}, 0};
    const FlowGrid grid{across.first, across.second, up.first, up.second, columns, rows};
    flow.arrows = arrowsOf(flowField(map, planeOf(components), grid, *executor));
    FixedPointSearch search;
    search.iterations = 100;
    const auto found = findFixedPoints(map, startingStates(*signal, searches, 0, 1), search, *executor);
    for (const auto& point : found.points) {
        const auto seen = projected(
            components, {{point.state.size()}, {point.state.data(), point.state.data() + point.state.size()}});
        if (inside(seen.values[0], across) && inside(seen.values[1], up))
            flow.points.push_back({seen.values[0], seen.values[1], point.dynamics.stability});
        else
            ++flow.elsewhere;
    }
    return flow;
}

} // namespace raphe
