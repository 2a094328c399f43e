// SPDX-License-Identifier: Apache-2.0
#include "nmn_network_golden.h"

#include "engine/mechanisms/registry.h"
#include "nmn_network.h"
#include "support/golden_json.h"

#include <gtest/gtest.h>

#include <map>

namespace raphe::test {
namespace {

/// Of the specification: rounding only.
constexpr double tolerance = 1e-9;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

const Tensor& find(const std::vector<NamedTensor>& list, const std::string& name) {
    for (const auto& item : list)
        if (item.name == name) return item.tensor;
    throw Error(name, "is not among the results");
}

/// Units of several (steps, trials, units) signals side by side.
std::vector<double> beside(const std::vector<Tensor>& parts) {
    std::vector<double> result;
    for (std::size_t column = 0; column < at(parts[0].shape[0] * parts[0].shape[1]); ++column)
        for (const auto& part : parts) {
            const auto units = part.shape[2];
            const auto from = part.values.begin() + static_cast<std::ptrdiff_t>(column) * units;
            result.insert(result.end(), from, from + units);
        }
    return result;
}

/// Steps [from, to) of trials [first, last) of a (steps, trials, units) signal.
struct Piece {
    std::int64_t from, to, first, last;

    Tensor of(const Tensor& t) const {
        Tensor result{{to - from, last - first, t.shape[2]}, {}, Precision::float64};
        each(t, [&](std::size_t i) { result.values.push_back(t.values[i]); });
        return result;
    }
    void put(const Tensor& part, Tensor& whole) const {
        std::size_t k = 0;
        each(whole, [&](std::size_t i) { whole.values[i] = part.values[k++]; });
    }
    /// Its trials of a (trials, units) state.
    Tensor ofState(const Tensor& t) const {
        const auto begin = t.values.begin();
        return {
            {last - first, t.shape[1]}, {begin + first * t.shape[1], begin + last * t.shape[1]}, Precision::float64};
    }
    void putState(const Tensor& part, Tensor& whole) const {
        std::copy(part.values.begin(), part.values.end(), whole.values.begin() + first * whole.shape[1]);
    }

private:
    template <class F>
    void each(const Tensor& t, F f) const {
        for (auto s = from; s < to; ++s)
            for (auto b = first; b < last; ++b)
                for (std::int64_t u = 0; u < t.shape[2]; ++u) f(at((s * t.shape[1] + b) * t.shape[2] + u));
    }
};

/// Where the sequence is cut: at resets (trial by trial, since each has its own) and where the signal is clamped. No
/// gradient passes such a border, so the gradient of the whole is the sum of those of the pieces.
std::vector<Piece> piecesOf(const Json& file) {
    const std::int64_t steps = file.at("config").at("T"), trials = file["config"].at("B");
    if (file.contains("clamp")) {
        const std::int64_t from = file["clamp"].at("from_step");
        return {{0, from, 0, trials}, {from, steps, 0, trials}};
    }
    if (!file.at("inputs").contains("reset")) return {{0, steps, 0, trials}};
    const auto reset = readTensor(file["inputs"]["reset"]).values;
    std::vector<Piece> pieces;
    for (std::int64_t b = 0; b < trials; ++b) {
        std::int64_t from = 0;
        for (std::int64_t t = 1; t < steps; ++t)
            if (reset[at(t * trials + b)] != 0) {
                pieces.push_back({from, t, b, b + 1});
                from = t;
            }
        pieces.push_back({from, steps, b, b + 1});
    }
    return pieces;
}

void expectClose(const std::vector<double>& ours, const std::vector<double>& theirs, const std::string& what) {
    EXPECT_LE(relativeError(ours, theirs), tolerance) << what;
}

/// Zero tensors of the shapes of those that a file lists.
std::map<std::string, Tensor> zerosLike(const Json& tensors) {
    std::map<std::string, Tensor> result;
    for (const auto& [key, value] : tensors.items()) {
        result[key] = readTensor(value);
        std::fill(result[key].values.begin(), result[key].values.end(), 0.0);
    }
    return result;
}

void checkOnce(const Json& file, const Registry& registry, bool memories, double memory) {
    const auto& config = file.at("config");
    auto document = emptyDocument();
    document["trials"] = 1;
    document["memory_mib"] = memory;
    addNode(document, "task", "task.probe",
            {{"inputs", config.at("x_dim")}, {"context", config.at("c_dim")}, {"steps", config.at("T")}});
    const NmnNetwork network(config, document, "", memories);
    const auto session = Session::create(experimentFromJson(document, registry), registry, {1, "tbb", 0});
    network.assign(*session, file.at("params"));
    const auto x = readTensor(file.at("inputs").at("x")), c = readTensor(file["inputs"].at("c"));
    const bool resets = file["inputs"].contains("reset"), clamps = file.contains("clamp");
    auto outputs = zerosLike(file.at("outputs")), inputGradients = zerosLike(file.at("grad_inputs")),
         finalStates = zerosLike(file.at("final_state")), initialGradients = zerosLike(file.at("grad_initial_state"));
    std::map<std::string, Tensor> gradients, states;
    for (const auto& [key, value] : file.at("initial_state").items()) states[key] = readTensor(value);

    for (const auto& piece : piecesOf(file)) {
        const bool clamped = clamps && piece.from > 0;
        GradientRequest request;
        request.forward.inputs = {{"task.observation", piece.of(x)}, {"task.context", piece.of(c)}};
        if (resets && piece.from > 0)
            for (auto& [key, state] : states) {
                auto zero = piece.ofState(state);
                std::fill(zero.values.begin(), zero.values.end(), 0.0);
                piece.putState(zero, state);
            }
        if (clamped) {
            const auto value = readTensor(file["clamp"].at("value"));
            states.at("z_prev") = value; // the hidden layers feel the clamp at once, even with a delay
            Tensor z = outputs.at("z");
            for (std::size_t i = 0; i < z.values.size(); ++i) z.values[i] = value.values[i % value.values.size()];
            request.forward.inputs.push_back({"signal.output", piece.of(z)});
        }
        for (const auto& [theirs, ours] : network.states())
            request.forward.initialStates.push_back({ours, piece.ofState(states.at(theirs))});
        for (const auto& [theirs, ours] : network.outputs())
            request.forward.record.insert(request.forward.record.end(), ours.begin(), ours.end());
        for (const auto& [key, weight] : file.at("loss_weights").items())
            request.outputWeights.push_back({network.outputs().at(key).front(), piece.of(readTensor(weight))});

        const auto forward = session->forward(request.forward);
        for (const auto& [theirs, ours] : network.outputs()) {
            std::vector<Tensor> parts;
            for (const auto& port : ours) parts.push_back(find(forward.signals, port));
            piece.put({{}, beside(parts), Precision::float64}, outputs.at(theirs));
        }
        for (const auto& [theirs, ours] : network.states()) {
            piece.putState(find(forward.finalStates, ours), states.at(theirs));
            piece.putState(find(forward.finalStates, ours), finalStates.at(theirs));
        }

        const auto gradient = session->gradient(request);
        for (const auto& [ours, theirs] : network.tensors()) {
            const auto& part = find(gradient.parameters, ours);
            const auto [sum, first] = gradients.emplace(ours, part);
            for (std::size_t i = 0; !first && i < part.values.size(); ++i) sum->second.values[i] += part.values[i];
        }
        piece.put(find(gradient.inputs, "task.observation"), inputGradients.at("x"));
        piece.put(find(gradient.inputs, "task.context"), inputGradients.at("c"));
        if (piece.from == 0)
            for (const auto& [theirs, ours] : network.states())
                piece.putState(find(gradient.initialStates, ours), initialGradients.at(theirs));
    }

    for (const auto& [key, value] : file.at("outputs").items())
        expectClose(outputs.at(key).values, readTensor(value).values, key);
    double loss = 0;
    for (const auto& [key, weight] : file.at("loss_weights").items()) {
        const auto weights = readTensor(weight).values;
        for (std::size_t i = 0; i < weights.size(); ++i) loss += weights[i] * outputs.at(key).values[i];
    }
    expectClose({loss}, {file.at("loss").get<double>()}, "loss");
    std::size_t compared = 0;
    for (const auto& [ours, theirs] : network.tensors()) {
        expectClose(gradients.at(ours).values, rowsBelow(tensorsOf(file.at("grad"), theirs)).values,
                    "gradient of " + ours);
        compared += theirs.size();
    }
    EXPECT_EQ(compared, file.at("grad").size()) << "some parameters have no counterpart";
    for (const auto& [key, value] : file.at("grad_inputs").items())
        expectClose(inputGradients.at(key).values, readTensor(value).values, "gradient of " + key);
    for (const auto& [theirs, ours] : network.states()) {
        expectClose(finalStates.at(theirs).values, readTensor(file.at("final_state").at(theirs)).values,
                    "final " + theirs);
        expectClose(initialGradients.at(theirs).values, readTensor(file.at("grad_initial_state").at(theirs)).values,
                    "gradient of initial " + theirs);
    }
}

} // namespace

void checkNmnNetwork(const Json& file, const Registry& registry) {
    // As in the experiments, with delayed wires, wherever what is before the first step is zero.
    bool fresh = !file.contains("clamp");
    for (const char* delayed : {"x_prev", "z_prev"})
        if (file.at("initial_state").contains(delayed))
            for (double value : readTensor(file["initial_state"][delayed]).values) fresh = fresh && value == 0;
    for (const double memory : {1000.0, 1e-5}) { // in one span, and in checkpointed segments
        checkOnce(file, registry, true, memory);
        if (fresh) checkOnce(file, registry, false, memory);
    }
}

} // namespace raphe::test
