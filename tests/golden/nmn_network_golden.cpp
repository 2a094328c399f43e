// SPDX-License-Identifier: Apache-2.0
#include "nmn_network_golden.h"

#include "engine/learning/session.h"
#include "engine/mechanisms/registry.h"
#include "support/golden_json.h"

#include <fmt/format.h>
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

/// Rows of several (.., rows, ...) tensors one below the other, which in row-major order is one list after the other.
Tensor below(const std::vector<Tensor>& parts) {
    Tensor result = parts.front();
    if (result.shape.size() == 1) result.shape.push_back(1);
    for (std::size_t i = 1; i < parts.size(); ++i) {
        result.shape[0] += parts[i].shape[0];
        result.values.insert(result.values.end(), parts[i].values.begin(), parts[i].values.end());
    }
    return result;
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

/// The network of a file as an experiment, and which of our names stand for those of the file.
class NmnNetwork {
public:
    /// @param memories  whether x(t-1) and z(t-1) are states of nodes, which can start anywhere, instead of delayed
    /// wires
    NmnNetwork(const Json& file, bool memories) : config_(file.at("config")), memories_(memories) {
        modulated_ = config_.at("model") == "nmn";
        delay_ = modulated_ && config_.at("hidden_delay") == 1 && !config_.at("hidden").empty();
        node("task", "task.probe",
             {{"inputs", config_.at("x_dim")}, {"context", config_.at("c_dim")}, {"steps", config_.at("T")}});
        addRecurrent();
        if (modulated_) addSignal();
        addMain();
    }

    std::unique_ptr<Session> session(const Registry& registry, double memory, const Json& params) const {
        auto document = document_;
        document["memory_mib"] = memory;
        auto result = Session::create(experimentFromJson(document, registry), registry, {1, "tbb", 0});
        for (const auto& [ours, theirs] : tensors_) {
            auto values = below(tensorsOf(params, theirs));
            result->set(ours, values);
        }
        for (const auto& name : memoryNodes_) { // z(t) = u(t)
            auto values = result->get(name + ".input_weight");
            const auto n = values.shape[0];
            for (std::size_t i = 0; i < values.values.size(); ++i) values.values[i] = i % at(n + 1) == 0 ? 1 : 0;
            result->set(name + ".input_weight", values);
            values.values.assign(values.values.size(), 0);
            result->set(name + ".recurrent_weight", values);
        }
        return result;
    }

    static std::vector<Tensor> tensorsOf(const Json& values, const std::vector<std::string>& names) {
        std::vector<Tensor> result;
        for (const auto& name : names) result.push_back(readTensor(values.at(name)));
        return result;
    }

    /// our tensor -> theirs, one below the other
    const std::map<std::string, std::vector<std::string>>& tensors() const { return tensors_; }
    /// their output -> our ports, side by side
    const std::map<std::string, std::vector<std::string>>& outputs() const { return outputs_; }
    /// their state -> ours
    const std::map<std::string, std::string>& states() const { return states_; }

private:
    void node(const std::string& name, const std::string& mechanism, Json params) {
        document_["nodes"][name] = {{"mechanism", mechanism}, {"params", std::move(params)}};
    }
    void wire(const std::string& from, const std::string& to, int delay = 0) {
        document_["wires"].push_back({{"from", from}, {"to", to}, {"delay", delay}});
    }
    /// A wire that is a step late.
    void wireLate(const std::string& from, const std::string& to, const std::string& memory, const Json& units) {
        if (!memories_) return wire(from, to, 1);
        if (document_["nodes"].contains(memory)) return wire(memory + ".hidden", to, 1);
        node(memory, "model.rnn", {{"units", units}, {"tau", 1.0}, {"activation", "identity"}, {"initial_state", 0.0}});
        wire(from, memory + ".input");
        wire(memory + ".hidden", to, 1);
        states_[memory] = memory + ".hidden";
        memoryNodes_.push_back(memory);
    }

    void addRecurrent() {
        std::string below;
        for (std::size_t l = 0; l < config_.at("gru").size(); ++l) {
            const auto name = fmt::format("gru{}", l), theirs = fmt::format("gru.{}.", l);
            node(name, "model.gru", {{"units", config_["gru"][l]}});
            if (l > 0) {
                wire(below, name + ".input");
            } else if (modulated_) {
                wire("task.context", name + ".input");
                wireLate("task.observation", name + ".input", "x_prev", config_.at("x_dim"));
            } else {
                wire("task.observation", name + ".input");
                wire("task.context", name + ".input");
            }
            tensors_[name + ".input_weight"] = {theirs + "W_z", theirs + "W_r", theirs + "W_h"};
            tensors_[name + ".recurrent_weight"] = {theirs + "U_z", theirs + "U_r", theirs + "U_h"};
            tensors_[name + ".bias"] = {theirs + "b_z", theirs + "b_r"};
            states_[theirs + "h"] = name + ".hidden";
            below = name + ".hidden";
            outputs_["gru"].push_back(below);
        }
        top_ = below;
    }
    void addSignal() {
        node("signal", "model.dense", {{"units", config_.at("k")}, {"activation", "relu"}});
        wire(top_, "signal.input");
        tensors_["signal.weight"] = {"signal.W"};
        tensors_["signal.bias"] = {"signal.b"};
        outputs_["z"] = {"signal.output"};
    }
    void addMain() {
        std::string below = modulated_ ? "task.observation" : top_;
        for (std::size_t l = 0; l < config_.at("hidden").size(); ++l) {
            const auto name = fmt::format("hidden{}", l);
            addLayer(name, fmt::format("hidden.{}.", l), below, config_["hidden"][l], config_.at("activation"), delay_);
            below = name + ".output";
            outputs_["hidden"].push_back(below);
        }
        const auto& heads = config_.at("heads");
        for (const auto& [head, size] : heads.items()) {
            addLayer(head, head + ".", below, size, "identity", false);
            outputs_[head] = {head + ".output"};
        }
        if (!heads.contains("log_variance")) return;
        node("actor", "model.gaussian", // the reference has no bounds
             {{"units", heads["log_variance"]},
              {"log_variance_offset", config_.at("log_variance_offset")},
              {"log_variance_min", -1000.0},
              {"log_variance_max", 1000.0}});
        wire("mean.output", "actor.mean");
        wire("log_variance.output", "actor.log_variance");
        outputs_["log_variance"] = {"actor.total_log_variance"};
    }
    void addLayer(const std::string& name, const std::string& theirs, const std::string& below, const Json& units,
                  const Json& activation, bool late) {
        Json params = {{"units", units}, {"activation", activation}};
        tensors_[name + ".weight"] = {theirs + "W"};
        tensors_[name + ".bias"] = {theirs + "b"};
        if (modulated_) {
            params["slope_offset"] = config_.at("gain_offset");
            params["bias_placement"] = config_.at("bias_placement");
            params["expose_modulation"] = true;
            tensors_[name + ".slope_receptor"] = {theirs + "W_s"};
            tensors_[name + ".bias_receptor"] = {theirs + "W_b"};
            outputs_["gain"].push_back(name + ".total_slope");
            outputs_["offset"].push_back(name + ".total_offset");
        }
        node(name, "model.dense", params);
        wire(below, name + ".input");
        if (modulated_ && late) wireLate("signal.output", name + ".signal", "z_prev", config_.at("k"));
        if (modulated_ && !late) wire("signal.output", name + ".signal");
    }

    const Json& config_;
    bool memories_, modulated_ = false, delay_ = false;
    Json document_ = {
        {"raphe", 1}, {"nodes", Json::object()}, {"wires", Json::array()}, {"precision", "float64"}, {"trials", 1}};
    std::string top_;
    std::map<std::string, std::vector<std::string>> tensors_, outputs_;
    std::map<std::string, std::string> states_;
    std::vector<std::string> memoryNodes_;
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
    const NmnNetwork network(file, memories);
    const auto session = network.session(registry, memory, file.at("params"));
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
        expectClose(gradients.at(ours).values, below(NmnNetwork::tensorsOf(file.at("grad"), theirs)).values,
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
