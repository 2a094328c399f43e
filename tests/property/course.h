// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support.h"

#include <map>

namespace raphe::test {

/// Networks on task.course: every recurrent model, with delayed wires, and every plasticity rule.
inline std::vector<std::string> courseNetworks() {
    return {"rnn",
            "low_rank_rnn",
            "gru",
            "plastic_none",
            "plastic_plastic",
            "plastic_soft",
            "plastic_oja",
            "plastic_decay",
            "plastic_simple",
            "plastic_retroactive",
            "plastic_fan_out"};
}

/// A network named as above, its readout of one unit, and the task; closed loop: the readout is the action.
inline Json courseNetwork(const std::string& network, const Json& taskParams, bool closedLoop) {
    Json document = {{"raphe", 1}, {"precision", "float64"}, {"trials", 5}, {"chunk", 3}, {"seed", 4}};
    auto& nodes = document["nodes"];
    auto& wires = document["wires"] = {"task.observation -> net.input", "net.hidden -> readout.input"};
    nodes["task"] = {{"mechanism", "task.course"}, {"params", taskParams}};
    nodes["readout"] = {{"mechanism", "model.dense"}, {"params", {{"units", 1}}}};
    const auto delayed = [&](const char* from, const char* to) {
        wires.push_back({{"from", from}, {"to", to}, {"delay", 1}});
    };
    if (network == "rnn" || network == "low_rank_rnn") {
        const bool low = network == "low_rank_rnn";
        Json params = {{"units", 6}, {"tau", 4}, {"initial_state", 0.3}};
        if (low) params["rank"] = 2;
        nodes["net"] = {{"mechanism", "model." + network}, {"params", params}};
        nodes["gate"] = {{"mechanism", "model.dense"}, {"params", {{"units", low ? 2 : 6}, {"activation", "tanh"}}}};
        wires.push_back("net.hidden -> gate.input");
        wires.push_back("gate.output -> net.gain"); // closes a cycle, so it is delayed
    } else if (network == "gru") {
        nodes["net"] = {{"mechanism", "model.gru"}, {"params", {{"units", 5}, {"initial_state", 0.2}}}};
        nodes["after"] = {{"mechanism", "model.rnn"}, {"params", {{"units", 4}, {"tau", 2}}}};
        delayed("task.observation", "net.input");
        delayed("net.hidden", "after.input"); // shows a state before the first step
        wires.push_back("task.observation -> after.input");
        wires.push_back("after.hidden -> readout.input");
    } else {
        Json params = {
            {"hidden", 6}, {"eta_init", 0.3}, {"recurrent_init", 0.5}, {"clip", "hard"}, {"clip_bound", 0.2}};
        const auto kind = network.substr(8);
        const bool leaks = kind == "oja" || kind == "decay";
        params["rule"] = kind == "soft" || kind == "fan_out" || leaks ? "simple" : kind;
        if (kind == "soft" || leaks) params["clip"] = kind;
        if (kind == "fan_out") params["fan_out"] = "per_neuron";
        nodes["net"] = {{"mechanism", "model.plastic_rnn"}, {"params", params}};
        if (kind != "none" && kind != "plastic") {
            nodes["modulator"] = {{"mechanism", "model.dense"}, {"params", {{"units", 1}, {"activation", "tanh"}}}};
            wires.push_back("net.hidden -> modulator.input");
            wires.push_back("modulator.output -> net.plasticity");
        }
    }
    if (closedLoop) {
        nodes["task"]["params"]["actions"] = 1;
        wires.push_back("readout.output -> task.action");
    }
    return document;
}

/// The same with rule.supervised.
inline Json supervisedCourse(const std::string& network, const Json& taskParams, bool closedLoop,
                             double learningRate = 0) {
    auto document = courseNetwork(network, taskParams, closedLoop);
    document["nodes"]["learner"] = {{"mechanism", "rule.supervised"},
                                    {"params", {{"optimiser", "sgd"}, {"learning_rate", learningRate}}}};
    for (const char* wire :
         {"readout.output -> learner.prediction", "task.target -> learner.target", "task.mask -> learner.mask"})
        document["wires"].push_back(wire);
    return document;
}

/// An actor on task.course whose action is drawn.
inline Json actor(const std::string& rule, Json params, const Json& taskParams) {
    auto document = courseNetwork("gru", taskParams, false);
    auto& nodes = document["nodes"];
    auto& wires = document["wires"];
    const bool drawsNumbers = rule == "rule.ppo";
    nodes["task"]["params"]["actions"] = drawsNumbers ? 1 : 2;
    nodes["critic"] = {{"mechanism", "model.rnn"}, {"params", {{"units", 4}, {"tau", 3}}}};
    nodes["value"] = {{"mechanism", "model.dense"}, {"params", {{"units", 1}}}};
    wires.insert(wires.end(),
                 {"task.observation -> critic.input", "critic.hidden -> value.input", "value.output -> learner.value",
                  "head.action -> task.action", "head.action -> learner.action", "task.reward -> learner.reward"});
    if (drawsNumbers) {
        nodes["spread"] = {{"mechanism", "model.dense"}, {"params", {{"units", 1}}}};
        nodes["head"] = {{"mechanism", "model.gaussian"}};
        wires.insert(wires.end(), {"after.hidden -> spread.input", "readout.output -> head.mean",
                                   "spread.output -> head.log_variance", "readout.output -> learner.mean",
                                   "head.total_log_variance -> learner.log_variance"});
    } else {
        nodes["readout"]["params"]["units"] = 2;
        nodes["head"] = {{"mechanism", "model.categorical"}, {"params", {{"choices", 2}}}};
        wires.insert(wires.end(), {"readout.output -> head.logits", "readout.output -> learner.logits"});
    }
    nodes["learner"] = {{"mechanism", rule}, {"params", std::move(params)}};
    return document;
}

inline const Json ppoParameters = {{"time_limit", "bootstrap"}, {"segment", 4},      {"value_replay", 2},
                                   {"policy_epochs", 3},        {"value_epochs", 2}, {"value_minibatch", 7},
                                   {"policy_minibatch", 6}};
/// Trials that end after 5 to 8 steps.
inline const Json ends = {{"reacts", 0.3}, {"length", 5}, {"spread", 3}};

inline Json asStream(Json document, int steps) {
    document["streams"] = true;
    document["steps"] = steps;
    return document;
}

/// Keeps every signal of all trials, of every iteration.
inline Experiment recordingAll(const Json& document) {
    auto experiment = experimentFromJson(document, registry());
    for (const auto& node : experiment.nodes)
        for (const auto& port : registry().find(node.mechanism, "").declaration.ports)
            if (port.kind == PortKind::output && port.size(node.params) != noPort)
                experiment.recordings.push_back({{node.name, port.name}, 1, 1, 1000});
    return experiment;
}

/// Signals by port, (steps, trials, units) each; of several iterations one after the other.
using Signals = std::map<std::string, std::vector<double>>;

inline Signals live(Session& session, int iterations) {
    Signals signals;
    for (int i = 0; i < iterations; ++i)
        for (const auto& [recording, tensor] : session.iterate().signals) {
            auto& all = signals[recording.port.text()];
            all.insert(all.end(), tensor.values.begin(), tensor.values.end());
        }
    return signals;
}

inline std::map<std::string, std::vector<double>> weightsOf(const Session& session) {
    std::map<std::string, std::vector<double>> result;
    for (const auto& item : session.weights()) result[item.name] = item.tensor.values;
    return result;
}

/// Gradient of the mean loss: the change of the weights by an iteration of sgd with a learning rate of 1.
inline std::map<std::string, std::vector<double>> gradientOf(Session& session, double* loss = nullptr) {
    auto gradient = weightsOf(session);
    const auto report = session.iterate();
    if (loss) *loss = metric(report.metrics, "loss");
    for (const auto& [name, after] : weightsOf(session))
        for (std::size_t i = 0; i < after.size(); ++i) gradient[name][i] -= after[i];
    return gradient;
}

} // namespace raphe::test
