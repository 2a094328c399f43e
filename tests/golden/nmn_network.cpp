// SPDX-License-Identifier: Apache-2.0
#include "nmn_network.h"

#include "support/golden_json.h"

#include <fmt/format.h>

namespace raphe::test {

Tensor rowsBelow(const std::vector<Tensor>& parts) {
    Tensor result = parts.front();
    if (result.shape.size() == 1) result.shape.push_back(1);
    for (std::size_t i = 1; i < parts.size(); ++i) {
        result.shape[0] += parts[i].shape[0];
        result.values.insert(result.values.end(), parts[i].values.begin(), parts[i].values.end());
    }
    return result;
}

std::vector<Tensor> tensorsOf(const Json& values, const std::vector<std::string>& names) {
    std::vector<Tensor> result;
    for (const auto& name : names) result.push_back(readTensor(values.at(name)));
    return result;
}

Json emptyDocument() {
    return {{"raphe", 1}, {"nodes", Json::object()}, {"wires", Json::array()}, {"precision", "float64"}};
}

void addNode(Json& document, const std::string& name, const std::string& mechanism, Json params) {
    document["nodes"][name] = {{"mechanism", mechanism}, {"params", std::move(params)}};
}

void addWire(Json& document, const std::string& from, const std::string& to, int delay) {
    document["wires"].push_back({{"from", from}, {"to", to}, {"delay", delay}});
}

NmnNetwork::NmnNetwork(const Json& config, Json& document, const std::string& prefix, bool memories)
    : config_(config), document_(document), prefix_(prefix), memories_(memories) {
    modulated_ = config_.at("model") == "nmn";
    delay_ = modulated_ && config_.at("hidden_delay") == 1 && !config_.at("hidden").empty();
    addRecurrent();
    if (modulated_) addSignal();
    addMain();
}

void NmnNetwork::assign(Session& session, const Json& params) const {
    for (const auto& [ours, theirs] : tensors_) session.set(ours, rowsBelow(tensorsOf(params, theirs)));
    for (const auto& name : memoryNodes_) { // z(t) = u(t)
        auto values = session.get(name + ".input_weight");
        const auto n = static_cast<std::size_t>(values.shape[0]);
        for (std::size_t i = 0; i < values.values.size(); ++i) values.values[i] = i % (n + 1) == 0 ? 1 : 0;
        session.set(name + ".input_weight", values);
        values.values.assign(values.values.size(), 0);
        session.set(name + ".recurrent_weight", values);
    }
}

/// A wire that is a step late.
void NmnNetwork::wireLate(const std::string& from, const std::string& to, const std::string& memory,
                          const Json& units) {
    if (!memories_) return addWire(document_, from, to, 1);
    const auto name = prefix_ + memory;
    if (document_["nodes"].contains(name)) return addWire(document_, name + ".hidden", to, 1);
    addNode(document_, name, "model.rnn",
            {{"units", units}, {"tau", 1.0}, {"activation", "identity"}, {"initial_state", 0.0}});
    addWire(document_, from, name + ".input");
    addWire(document_, name + ".hidden", to, 1);
    states_[memory] = name + ".hidden";
    memoryNodes_.push_back(name);
}

void NmnNetwork::addRecurrent() {
    std::string below;
    for (std::size_t l = 0; l < config_.at("gru").size(); ++l) {
        const auto name = fmt::format("{}gru{}", prefix_, l), theirs = fmt::format("gru.{}.", l);
        addNode(document_, name, "model.gru", {{"units", config_["gru"][l]}});
        if (l > 0) {
            addWire(document_, below, name + ".input");
        } else if (modulated_) {
            addWire(document_, "task.context", name + ".input");
            wireLate("task.observation", name + ".input", "x_prev", config_.at("x_dim"));
        } else {
            addWire(document_, "task.observation", name + ".input");
            addWire(document_, "task.context", name + ".input");
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

void NmnNetwork::addSignal() {
    const auto name = prefix_ + "signal";
    addNode(document_, name, "model.dense", {{"units", config_.at("k")}, {"activation", "relu"}});
    addWire(document_, top_, name + ".input");
    tensors_[name + ".weight"] = {"signal.W"};
    tensors_[name + ".bias"] = {"signal.b"};
    outputs_["z"] = {name + ".output"};
}

void NmnNetwork::addMain() {
    std::string below = modulated_ ? "task.observation" : top_;
    for (std::size_t l = 0; l < config_.at("hidden").size(); ++l) {
        const auto name = fmt::format("hidden{}", l);
        addLayer(name, fmt::format("hidden.{}.", l), below, config_["hidden"][l], config_.at("activation"), delay_);
        below = prefix_ + name + ".output";
        outputs_["hidden"].push_back(below);
    }
    const auto& heads = config_.at("heads");
    for (const auto& [head, size] : heads.items()) {
        addLayer(head, head + ".", below, size, "identity", false);
        outputs_[head] = {prefix_ + head + ".output"};
    }
    if (!heads.contains("log_variance")) return;
    const auto name = prefix_ + "head";
    addNode(document_, name, "model.gaussian", // the reference has no bounds
            {{"units", heads["log_variance"]},
             {"log_variance_offset", config_.at("log_variance_offset")},
             {"log_variance_min", -1000.0},
             {"log_variance_max", 1000.0}});
    addWire(document_, outputs_.at("mean").front(), name + ".mean");
    addWire(document_, outputs_.at("log_variance").front(), name + ".log_variance");
    outputs_["log_variance"] = {name + ".total_log_variance"};
}

void NmnNetwork::addLayer(const std::string& layer, const std::string& theirs, const std::string& below,
                          const Json& units, const Json& activation, bool late) {
    const auto name = prefix_ + layer;
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
    addNode(document_, name, "model.dense", params);
    addWire(document_, below, name + ".input");
    const auto signal = prefix_ + "signal.output";
    if (modulated_ && late) wireLate(signal, name + ".signal", "z_prev", config_.at("k"));
    if (modulated_ && !late) addWire(document_, signal, name + ".signal");
}

} // namespace raphe::test
