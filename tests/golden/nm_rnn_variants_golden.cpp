// SPDX-License-Identifier: Apache-2.0
#include "nm_rnn_variants_golden.h"

#include "engine/learning/session.h"
#include "engine/mechanisms/registry.h"
#include "support/golden_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>

namespace raphe::test {
namespace {

/// Of the specification: rounding only.
constexpr double tolerance = 1e-9;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

void expectClose(const std::vector<double>& ours, const std::vector<double>& theirs, const std::string& what) {
    EXPECT_LE(relativeError(ours, theirs), tolerance) << what;
}
const Tensor& find(const std::vector<NamedTensor>& list, const std::string& name) {
    for (const auto& item : list)
        if (item.name == name) return item.tensor;
    throw Error(name, "is not among the results");
}

/// Where a parameter of the specification stands in our network.
struct Place {
    std::string tensor;
    std::int64_t firstRow = 0;
    /// If not empty, the specification takes the magnitude of its parameter and gives each column this sign; our tensor
    /// holds what comes of it.
    std::vector<double> signs = {};

    /// Of our entry with respect to theirs.
    double factor(double theirs, std::size_t column) const {
        return signs.empty() ? 1 : signs[column] * (theirs < 0 ? -1 : 1);
    }
};

/// A network of the specification, as a document and a dictionary.
struct Sketch {
    Json document;
    std::map<std::string, Place> params;
    std::map<std::string, std::string> signals, states; ///< forward and initial_state of the file, by our names

    explicit Sketch(const Json& config) {
        document = {{"raphe", 1}, {"precision", "float64"}, {"trials", 1}};
        node("task", "task.probe",
             {{"inputs", config.at("U")}, {"targets", config.at("O")}, {"steps", config.at("T")}});
    }
    void node(const std::string& name, const std::string& mechanism, Json values) {
        document["nodes"][name] = {{"mechanism", mechanism}, {"params", std::move(values)}};
    }
    void wire(const std::string& text) { document["wires"].push_back(text); }
    void delayed(const std::string& from, const std::string& to) {
        document["wires"].push_back({{"from", from}, {"to", to}, {"delay", 1}});
    }
};

Sketch lstm(const Json& config) {
    Sketch s(config);
    const std::int64_t n = config.at("N");
    s.node("core", "model.lstm", {{"units", n}});
    s.node("readout", "model.dense", {{"units", config.at("O")}, {"bias", false}});
    s.wire("task.observation -> core.input");
    s.wire("core.hidden -> readout.input");
    std::int64_t row = 0;
    for (const std::string gate : {"i", "f", "g", "o"}) {
        s.params["W_" + gate + "u"] = {"core.input_weight", row};
        s.params["W_" + gate + "h"] = {"core.recurrent_weight", row};
        s.params["b_" + gate] = {"core.bias", row};
        row += n;
    }
    s.params["C"] = {"readout.weight"};
    s.signals = {{"h", "core.hidden"}, {"c", "core.cell"}, {"y", "readout.output"}};
    s.states = {{"h0", "core.hidden"}, {"c0", "core.cell"}};
    return s;
}

Sketch synapseGated(const Json& config) {
    Sketch s(config);
    s.node("core", "model.synapse_gated_rnn",
           {{"units", config.at("N")},
            {"rank", config.at("K")},
            {"tau", config.at("tau_x")},
            {"activation", config.at("phi_x")}});
    s.node("modulator", "model.rnn",
           {{"units", config.at("M")}, {"tau", config.at("tau_z")}, {"activation", config.at("phi_z")}});
    s.node("gate", "model.dense", {{"units", config.at("K")}});
    s.node("readout", "model.dense", {{"units", config.at("O")}});
    for (const char* wire :
         {"task.observation -> core.input", "task.observation -> modulator.input", "modulator.hidden -> gate.input",
          "gate.output -> core.signal", "core.hidden -> readout.input"})
        s.wire(wire);
    s.params = {{"W", {"core.recurrent_weight"}},
                {"B_x", {"core.input_weight"}},
                {"U_g", {"core.gate_left"}},
                {"V_g", {"core.gate_right"}},
                {"C", {"readout.weight"}},
                {"d", {"readout.bias"}},
                {"A_z", {"gate.weight"}},
                {"b_z", {"gate.bias"}},
                {"B_z", {"modulator.input_weight"}},
                {"W_z", {"modulator.recurrent_weight"}}};
    s.signals = {{"z", "modulator.hidden"}, {"s", "gate.output"}, {"x", "core.hidden"}, {"y", "readout.output"}};
    s.states = {{"x0", "core.hidden"}, {"z0", "modulator.hidden"}};
    return s;
}

/// Regions and the projections between them are nodes of their own; all of these wires deliver the step before.
Sketch multiRegion(const Json& config) {
    Sketch s(config);
    const std::int64_t n = config.at("N"), m = config.at("M");
    const bool modulated = config.at("modulation");
    const Json halves = {(n + 1) / 2, n / 2}; // direct and indirect pathway
    std::vector<double> all(at(n), 1), inhibitory(at(n), -1), both(at(n), 1);
    for (std::int64_t i = (n + 1) / 2; i < n; ++i) both[at(i)] = -1;
    const Json region = {{"units", n}, {"tau", config.at("tau_x")}};
    const auto projection = [&](const std::string& name, const std::string& from, const std::string& to,
                                const std::string& key, std::int64_t units, const std::vector<double>& signs) {
        Json values = {{"units", units}, {"bias", false}};
        values["types"] = signs == both ? halves : Json{n};
        values["signs"] = signs == both ? Json{1, -1} : Json{1};
        s.node(name, "model.dense", values);
        s.delayed(from + ".hidden", name + ".input");
        s.wire(name + ".output -> " + to + ".current");
        s.params[key] = {name + ".weight", 0, signs};
    };
    s.node("cortex", "model.region", region);
    auto inhibited = region;
    inhibited.update({{"types", {n}}, {"signs", {-1}}});
    s.node("striatum", "model.region", inhibited);
    auto silent = region;
    silent["recurrent"] = false;
    s.node("thalamus", "model.region", silent);
    projection("corticostriatal", "cortex", "striatum", "B_bgc", n, all);
    projection("striatothalamic", "striatum", "thalamus", "B_tbg", n, both);
    projection("thalamocortical", "thalamus", "cortex", "B_ct", n, all);
    s.node("readout", "model.dense", {{"units", config.at("O")}, {"types", halves}, {"signs", {1, -1}}});
    s.wire("task.observation -> cortex.input");
    s.delayed("striatum.hidden", "readout.input");
    s.params["J_c"] = {"cortex.recurrent_weight"};
    s.params["B_cu"] = {"cortex.input_weight"};
    s.params["J_bg"] = {"striatum.recurrent_weight", 0, inhibitory};
    s.params["C"] = {"readout.weight", 0, both};
    s.params["rb"] = {"readout.bias"};
    s.signals = {
        {"x_bg", "striatum.hidden"}, {"x_c", "cortex.hidden"}, {"x_t", "thalamus.hidden"}, {"y", "readout.output"}};
    s.states = {{"x_bg0", "striatum.hidden"}, {"x_c0", "cortex.hidden"}, {"x_t0", "thalamus.hidden"}};
    if (!modulated) return s;
    s.node("midbrain", "model.region", {{"units", m}, {"tau", config.at("tau_z")}});
    projection("corticomesencephalic", "cortex", "midbrain", "B_nmc", m, all);
    s.node("dopamine", "model.dense", {{"units", 1}, {"activation", "sigmoid"}});
    s.node("receptors", "model.receptors", {{"types", halves}, {"effects", {1, -1}}});
    s.delayed("midbrain.hidden", "dopamine.input");
    for (const char* wire : {"dopamine.output -> receptors.level", "receptors.gain -> striatum.gain"}) s.wire(wire);
    s.params["J_nm"] = {"midbrain.recurrent_weight"};
    s.params["m"] = {"dopamine.weight"};
    s.params["c"] = {"dopamine.bias"};
    s.signals.insert({{"x_nm", "midbrain.hidden"}, {"s", "dopamine.output"}});
    s.states["x_nm0"] = "midbrain.hidden";
    return s;
}

std::optional<Sketch> sketch(const Json& config) {
    const auto model = config.at("model").get<std::string>();
    if (model == "lstm") return lstm(config);
    if (model == "synapse_gated_rnn") return synapseGated(config);
    if (model == "multiregion_nm_rnn") return multiRegion(config);
    return {};
}

/// Puts the parameters of the file into our tensors.
void assign(Session& session, const Json& params, const Sketch& network) {
    std::map<std::string, std::int64_t> filled; // entries by tensor
    for (const auto& [key, value] : params.items()) {
        const auto found = network.params.find(key);
        if (found == network.params.end()) continue;
        const auto& place = found->second;
        const auto theirs = readTensor(value).values;
        auto ours = session.get(place.tensor);
        const auto columns = at(ours.shape[1]);
        for (std::size_t i = 0; i < theirs.size(); ++i)
            ours.values[at(place.firstRow) * columns + i] = place.factor(theirs[i], i % columns) * theirs[i];
        session.set(place.tensor, ours);
        filled[place.tensor] += static_cast<std::int64_t>(theirs.size());
    }
    for (const auto& p : session.parameters())
        EXPECT_EQ(filled[p.name], std::int64_t{p.rows} * p.columns) << p.name << " is not given as a whole";
}

/// Our gradient, of the parameter as the file has it.
std::vector<double> gradientOf(const Place& place, const std::vector<NamedTensor>& gradients,
                               const std::vector<double>& theirs) {
    const auto& ours = find(gradients, place.tensor);
    const auto columns = at(ours.shape[1]);
    std::vector<double> result;
    for (std::size_t i = 0; i < theirs.size(); ++i)
        result.push_back(place.factor(theirs[i], i % columns) * ours.values[at(place.firstRow) * columns + i]);
    return result;
}

} // namespace

bool checkNmRnnVariant(const Json& file, const Registry& registry) {
    const auto& config = file.at("config");
    auto network = sketch(config);
    if (!network) return false;
    const std::int64_t trials = config.at("B");
    for (const double memory : {1000.0, 1e-5}) { // in one span, and in checkpointed segments
        network->document["memory_mib"] = memory;
        const auto session = Session::create(experimentFromJson(network->document, registry), registry, {1, "tbb", 0});
        assign(*session, file.at("params"), *network);
        GradientRequest request;
        request.forward.inputs.push_back({"task.observation", stepsFirst(readTensor(file.at("inputs")))});
        for (const auto& [key, name] : network->states) {
            const auto state = readTensor(file.at("initial_state").at(key));
            Tensor all{{trials, state.shape[0]}, {}, Precision::float64};
            for (std::int64_t b = 0; b < trials; ++b)
                all.values.insert(all.values.end(), state.values.begin(), state.values.end());
            request.forward.initialStates.push_back({name, all});
        }
        for (const auto& [key, port] : network->signals) request.forward.record.push_back(port);
        const auto forward = session->forward(request.forward);
        for (const auto& [key, port] : network->signals)
            expectClose(find(forward.signals, port).values, stepsFirst(readTensor(file.at("forward").at(key))).values,
                        key);

        auto weight = find(forward.signals, "readout.output"); // becomes the adjoint of the loss
        const auto target = stepsFirst(readTensor(file.at("targets"))), mask = stepsFirst(readTensor(file.at("mask")));
        double loss = 0, sum = 0;
        for (double x : mask.values) sum += x;
        for (std::size_t i = 0; i < weight.values.size(); ++i) {
            const double error = weight.values[i] - target.values[i];
            loss += mask.values[i] * error * error / sum;
            weight.values[i] = 2 * mask.values[i] * error / sum;
        }
        expectClose({loss}, {file.at("loss").get<double>()}, "loss");
        request.outputWeights.push_back({"readout.output", weight});
        const auto gradient = session->gradient(request);
        for (const auto& [key, value] : file.at("grad").items()) {
            const auto theirs = readTensor(value).values;
            const auto found = network->params.find(key);
            if (found == network->params.end()) // of what is switched off
                expectClose(std::vector<double>(theirs.size()), theirs, "gradient of " + key);
            else
                expectClose(
                    gradientOf(found->second, gradient.parameters, readTensor(file.at("params").at(key)).values),
                    theirs, "gradient of " + key);
        }
        expectClose(find(gradient.inputs, "task.observation").values,
                    stepsFirst(readTensor(file.at("grad_inputs"))).values, "gradient of the input");
        for (const auto& [key, name] : network->states) {
            const auto theirs = readTensor(file.at("grad_initial_state").at(key)).values;
            const auto& ours = find(gradient.initialStates, name).values;
            std::vector<double> total(theirs.size());
            for (std::size_t i = 0; i < ours.size(); ++i) total[i % total.size()] += ours[i];
            expectClose(total, theirs, "gradient of " + key);
        }
    }
    return true;
}

} // namespace raphe::test
