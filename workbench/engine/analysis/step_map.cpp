// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/step_map.h"

#include "engine/base/text.h"
#include "engine/learning/changed_session.h"
#include "raphe/random.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

constexpr double alike = 1e-9;            ///< relative difference of numbers that should be the same
constexpr double differenceStep = 6.1e-6; ///< the cube root of the rounding error: least error of central differences

std::unique_ptr<Session> exactCopy(const Session& session, const Registry& registry) {
    Experiment experiment = session.experiment();
    experiment.precision = Precision::float64;
    experiment.recordings.clear();
    experiment.interventions = session.interventions();
    for (const auto& item : experiment.interventions)
        if (item.enabled && (item.from > 0 || item.to >= 0))
            throw Error("interventions",
                        fmt::format("{} acts in some steps only, but the dynamics of a step is the same at all times; "
                                    "let it act in the whole trial, or remove it",
                                    item.target.text()));
    for (auto& node : experiment.nodes) {
        const auto& declaration = registry.find(node.mechanism, "nodes." + node.name).declaration;
        const bool has = std::any_of(declaration.params.begin(), declaration.params.end(),
                                     [](const auto& param) { return param.key == "credit"; });
        if (declaration.kind == Kind::rule && has) experiment.set(node.name + ".credit", "exact", registry);
    }
    experiment.stages.clear();
    return changedSession(session, experiment, registry, {.threads = 1});
}

/// A number for each unit, for so many steps and trials.
NamedTensor repeated(const NamedTensor& held, int steps, int trials) {
    NamedTensor result{held.name, {{steps, trials, static_cast<std::int64_t>(held.tensor.values.size())}, {}}};
    for (int i = 0; i < steps * trials; ++i)
        result.tensor.values.insert(result.tensor.values.end(), held.tensor.values.begin(), held.tensor.values.end());
    return result;
}

std::vector<NamedTensor> repeated(const std::vector<NamedTensor>& held, int steps, int trials) {
    std::vector<NamedTensor> result;
    for (const auto& item : held) result.push_back(repeated(item, steps, trials));
    return result;
}

const NamedTensor* find(const std::vector<NamedTensor>& list, const std::string& name) {
    for (const auto& item : list)
        if (item.name == name) return &item;
    return nullptr;
}

std::string portName(const Graph& graph, int node, int port) {
    const auto& item = graph.nodes()[static_cast<std::size_t>(node)];
    return item.name + "." + item.declaration().ports[static_cast<std::size_t>(port)].name;
}

/// Whether numbers differ by more than rounding; those that are not numbers do.
bool differ(double a, double b) { return !(std::abs(a - b) <= alike * (1 + std::abs(b))); }

/// The point, moved a little in all directions, by numbers that are always the same.
StepMap::Vector displaced(const StepMap::Vector& point) {
    Stream random(1, addressOf("analysis"), 0, 0, 0);
    StepMap::Vector result = point;
    for (auto& x : result) x += 0.1 * random.normal();
    return result;
}

} // namespace

StepMap::StepMap(const Session& session, const Registry& registry, const StepMapRequest& request,
                 std::function<void()> poll)
    : session_(exactCopy(session, registry)), poll_(std::move(poll)) {
    if (request.inputs.empty())
        throw Error("inputs", "no signal is held; name at least one output port and its numbers, such as the "
                              "observation of the task");
    for (const auto& item : request.inputs) {
        if (find(inputs_, item.name)) throw Error("inputs", item.name + " is given twice");
        inputs_.push_back(item);
    }
    choose(request);
    requireAllMovers();
    requireClosed();
}

void StepMap::choose(const StepMapRequest& request) {
    const auto step = session_->forward({repeated(inputs_, 1, 1), {}, {}});
    std::vector<std::string> names;
    for (const auto& [name, tensor] : step.finalStates) {
        states_.push_back({name, {tensor.shape.begin() + 1, tensor.shape.end()}, tensor.values});
        names.push_back(name);
    }
    if (request.states.empty())
        throw Error("states", fmt::format("name the states that move; there are {}", fmt::join(names, ", ")));
    for (const auto& wanted : request.states) {
        bool found = false;
        for (auto& state : states_) {
            if (state.name != wanted && state.name.rfind(wanted + ".", 0) != 0) continue;
            found = true;
            if (state.first >= 0) throw Error("states", state.name + " is named twice");
            state.first = size_;
            parts_.push_back({state.name, size_, static_cast<int>(state.size())});
            size_ += static_cast<int>(state.size());
        }
        if (found) continue;
        for (const auto& node : session_->graph().nodes())
            if (node.kind() == Kind::model) names.push_back(node.name);
        throw Error("states", fmt::format("nothing has the state \"{}\"{}", wanted, suggestion(wanted, names)));
    }
    for (const auto& item : request.held) hold(item);
    somewhere_.resize(size_);
    for (const auto& state : states_)
        if (state.first >= 0) std::copy(state.values.begin(), state.values.end(), somewhere_.data() + state.first);
}

void StepMap::hold(const NamedTensor& item) {
    std::vector<std::string> names;
    for (auto& state : states_) {
        names.push_back(state.name);
        if (state.name != item.name) continue;
        if (state.first >= 0)
            throw Error("held", item.name + " is among the states that move; take it out of one of the two");
        if (item.tensor.values.size() != state.size())
            throw Error("held." + item.name,
                        fmt::format("expected {} numbers, got {}", state.size(), item.tensor.values.size()));
        for (const double x : item.tensor.values)
            if (!std::isfinite(x)) throw Error("held." + item.name, "holds a number that is not finite");
        state.values = item.tensor.values;
        state.held = true;
        return;
    }
    throw Error("held", fmt::format("nothing has the state \"{}\"{}", item.name, suggestion(item.name, names)));
}

ForwardRequest StepMap::from(const Matrix& points, int steps) const {
    const auto count = static_cast<int>(points.cols());
    ForwardRequest request{repeated(inputs_, steps, count), {}, {}};
    for (const auto& state : states_) {
        NamedTensor item{state.name, {{count}, {}}};
        item.tensor.shape.insert(item.tensor.shape.end(), state.shape.begin(), state.shape.end());
        item.tensor.values.reserve(state.size() * static_cast<std::size_t>(count));
        for (int p = 0; p < count; ++p) {
            const double* values = state.first >= 0 ? points.col(p).data() + state.first : state.values.data();
            item.tensor.values.insert(item.tensor.values.end(), values, values + state.size());
        }
        request.initialStates.push_back(std::move(item));
    }
    return request;
}

StepMap::Matrix StepMap::moversOf(const std::vector<NamedTensor>& states, Eigen::Index count) const {
    Matrix result(size_, count);
    for (const auto& part : parts_) {
        const auto& values = find(states, part.name)->tensor.values;
        for (Eigen::Index p = 0; p < count; ++p)
            std::copy_n(values.data() + p * part.size, part.size, result.col(p).data() + part.first);
    }
    return result;
}

StepMap::Matrix StepMap::after(const Matrix& points) const {
    Matrix result(size_, points.cols());
    for (Eigen::Index first = 0; first < points.cols(); first += block) {
        poll();
        const auto count = std::min<Eigen::Index>(block, points.cols() - first);
        result.middleCols(first, count) =
            moversOf(session_->forward(from(points.middleCols(first, count), 1)).finalStates, count);
    }
    return result;
}

void StepMap::requireDense() const {
    if (size_ > mostStates)
        throw Error("states",
                    fmt::format("{} numbers move, and a Jacobian is made of at most {}; choose fewer states and "
                                "hold the others",
                                size_, mostStates));
}

StepMap::Matrix StepMap::jacobian(const Vector& point) const {
    requireDense();
    Matrix result(size_, size_);
    // One trial for each row: the gradient of one number after the step.
    for (int first = 0; first < size_; first += block) {
        poll();
        const int count = std::min(block, size_ - first);
        GradientRequest request{from(point.replicate(1, count), 1), {}, {}};
        for (const auto& part : parts_) {
            NamedTensor weight{
                part.name,
                {{count, part.size},
                 std::vector<double>(static_cast<std::size_t>(count) * static_cast<std::size_t>(part.size))}};
            for (int row = 0; row < count; ++row)
                if (const int at = first + row - part.first; at >= 0 && at < part.size)
                    weight.tensor.values[static_cast<std::size_t>(row * part.size + at)] = 1;
            request.stateWeights.push_back(std::move(weight));
        }
        result.middleRows(first, count) = moversOf(session_->gradient(request).initialStates, count).transpose();
    }
    return result;
}

StepMap::Matrix StepMap::jacobianByDifferences(const Vector& point) const {
    requireDense();
    Matrix result(size_, size_);
    for (int first = 0; first < size_; first += block / 2) {
        const int count = std::min(block / 2, size_ - first);
        Matrix points = point.replicate(1, 2 * count);
        for (int k = 0; k < count; ++k) {
            const double step = differenceStep * std::max(1.0, std::abs(point[first + k]));
            points(first + k, 2 * k) += step;
            points(first + k, 2 * k + 1) -= step;
        }
        const Matrix next = after(points);
        for (int k = 0; k < count; ++k)
            result.col(first + k) =
                (next.col(2 * k) - next.col(2 * k + 1)) / (points(first + k, 2 * k) - points(first + k, 2 * k + 1));
    }
    return result;
}

/// What neither moves nor is held must not matter.
void StepMap::requireAllMovers() const {
    const Vector next = after(somewhere_);
    for (const auto& state : states_) {
        if (state.first >= 0 || state.held) continue;
        auto request = from(somewhere_, 1);
        for (auto& item : request.initialStates)
            if (item.name == state.name) {
                const Vector moved = displaced(Eigen::Map<const Vector>(
                    item.tensor.values.data(), static_cast<Eigen::Index>(item.tensor.values.size())));
                item.tensor.values.assign(moved.data(), moved.data() + moved.size());
            }
        const Matrix other = moversOf(session_->forward(request).finalStates, 1);
        for (const auto& part : parts_)
            for (int i = part.first; i < part.first + part.size; ++i)
                if (differ(other(i, 0), next[i]))
                    throw Error("states", fmt::format("{0} moves {1}; let it move, too (states), hold it (held), or "
                                                      "hold a signal between the two (inputs)",
                                                      state.name, part.name));
    }
}

/// Two steps at once are one step after the other, unless something else than states goes from step to step.
void StepMap::requireClosed() const {
    auto request = from(displaced(somewhere_), 1);
    const auto twice = [&] {
        auto longer = request;
        longer.inputs = repeated(inputs_, 2, 1);
        return moversOf(session_->forward(longer).finalStates, 1);
    }();
    request.initialStates = session_->forward(request).finalStates;
    const auto again = moversOf(session_->forward(request).finalStates, 1);
    for (const auto& part : parts_)
        for (int i = part.first; i < part.first + part.size; ++i)
            if (differ(twice(i, 0), again(i, 0)))
                throw Error("states",
                            fmt::format("the next {} does not follow from the states alone: {}", part.name, reasons()));
}

std::string StepMap::reasons() const {
    std::vector<std::string> late;
    const auto& graph = session_->graph();
    for (const auto& wire : graph.wires())
        if (wire.delayed) late.push_back(portName(graph, wire.fromNode, wire.fromPort));
    if (late.empty())
        return "a model draws random numbers in each step; set its noise to 0, or hold what it draws (inputs)";
    return fmt::format("{} is delivered a step late and is no state itself, or a model draws random numbers; choose "
                       "states that neither reaches",
                       fmt::join(late, ", "));
}

StepMapRequest heldAt(Session& session, const std::vector<std::string>& states, const std::vector<NamedTensor>& signals,
                      int step, int trial) {
    const auto& graph = session.graph();
    const auto moves = [&](int node) {
        const auto& name = graph.nodes()[static_cast<std::size_t>(node)].name;
        return std::any_of(states.begin(), states.end(),
                           [&](const std::string& state) { return state == name || state.rfind(name + ".", 0) == 0; });
    };
    const auto value = [&](const std::string& port, int at) {
        const auto* signal = find(signals, port);
        if (!signal) throw Error("signals", port + " is not among the recorded signals; record it as well");
        const auto& shape = signal->tensor.shape;
        if (shape.size() != 3) throw Error("signals." + port, "expected a tensor (steps, trials, units)");
        if (at < 0 || at >= shape[0] || trial < 0 || trial >= shape[1])
            throw Error("moment", fmt::format("there is no step {} of trial {}; {} has {} steps of {} trials", at + 1,
                                              trial + 1, port, shape[0], shape[1]));
        const auto from = signal->tensor.values.begin() + (at * shape[1] + trial) * shape[2];
        return NamedTensor{port, {{shape[2]}, {from, from + shape[2]}}};
    };
    StepMapRequest request{states, {}, {}};
    const auto add = [](std::vector<NamedTensor>& list, NamedTensor item) {
        if (!find(list, item.name)) list.push_back(std::move(item));
    };
    std::vector<std::string> late;
    for (const auto& wire : graph.wires()) {
        if (wire.toNode == graph.rule()) continue;
        const auto port = portName(graph, wire.fromNode, wire.fromPort);
        if (wire.fromNode == graph.task())
            add(request.inputs, value(port, step));
        else if (moves(wire.toNode) && !moves(wire.fromNode) && wire.delayed)
            late.push_back(port);
        else if (moves(wire.toNode) && !moves(wire.fromNode))
            add(request.inputs, value(port, step));
    }
    for (const auto& port : late) {
        const auto name = stateShownBy(session, port, request.inputs);
        if (name.empty() || find(request.inputs, port)) continue; // StepMap says whether it matters
        auto state = value(port, std::max(0, step - 1));
        state.name = name;
        add(request.held, std::move(state));
    }
    return request;
}

std::string stateShownBy(Session& session, const std::string& port, const std::vector<NamedTensor>& inputs) {
    const auto step = session.forward({repeated(inputs, 1, 1), {}, {port}});
    const auto node = parseAddress(port, "port").node + ".";
    for (const auto& [name, tensor] : step.finalStates)
        if (name.rfind(node, 0) == 0 && tensor.values == step.signals[0].tensor.values) return name;
    return {};
}

} // namespace raphe
