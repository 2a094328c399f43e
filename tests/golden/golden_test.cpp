// SPDX-License-Identifier: Apache-2.0
// Compares the mechanisms with reference numbers that were computed independently in float64. Reads every file of the
// folder that RAPHE_GOLDEN_DIR names (default: the copies in the repository); nothing depends on particular sizes or
// values. The tolerances are those of the specifications: rounding only.
#include "adaptive_golden.h"
#include "engine/base/text.h"
#include "engine/document/json_reader.h"
#include "engine/learning/optimiser.h"
#include "engine/learning/session.h"
#include "engine/mechanisms/plugin_host.h"
#include "modprop_golden.h"
#include "multitask_golden.h"
#include "nm_rnn_variants_golden.h"
#include "nmn_network_golden.h"
#include "nmn_update_golden.h"
#include "raphe/ops.h"
#include "support/golden_json.h"
#include "support/probe_task.h"
#include "weight_manifold_golden.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;
constexpr double tolerance = 1e-10;

fs::path goldenFolder() {
    const char* folder = std::getenv("RAPHE_GOLDEN_DIR");
    return folder ? folder : GOLDEN_FOLDER;
}

std::vector<fs::path> goldenFiles() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(goldenFolder()))
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

bool isPending(const fs::path& file) {
    const auto name = fs::relative(file, goldenFolder()).replace_extension().string();
    std::ifstream list(PENDING_LIST);
    for (std::string line; std::getline(list, line);)
        if (!line.empty() && line[0] != '#' && matches(line, name)) return true;
    return false;
}

PluginHost& plugins() {
    static PluginHost host = [] {
        PluginHost h;
        h.loadFolder(PLUGIN_FOLDER);
        h.registry().add(entryOf<Probe>(), "tests");
        return h;
    }();
    return host;
}

// -- building experiments -------------------------------------------------------------------------------------------

/// Writes an experiment node by node.
struct Sketch {
    Json document = {
        {"raphe", 1}, {"nodes", Json::object()}, {"wires", Json::array()}, {"precision", "float64"}, {"trials", 1}};
    void node(const std::string& name, const std::string& mechanism, Json params) {
        document["nodes"][name] = {{"mechanism", mechanism}, {"params", std::move(params)}};
    }
    void wire(const std::string& text) { document["wires"].push_back(text); }
    std::unique_ptr<Session> session() const {
        return Session::create(experimentFromJson(document, plugins().registry()), plugins().registry(), {1, "tbb", 0});
    }
};

/// Sets a tensor given in the specification's shape; vectors become rows or columns as the tensor has them.
void setTensor(Session& session, const std::string& name, const Tensor& values) {
    for (const auto& p : session.parameters())
        if (p.name == name) return session.set(name, reshaped(values, {p.rows, p.columns}));
    FAIL() << "no tensor " << name;
}

const Tensor& find(const std::vector<NamedTensor>& list, const std::string& name) {
    for (const auto& item : list)
        if (item.name == name) return item.tensor;
    throw Error(name, "is not among the results");
}

void expectClose(const std::vector<double>& ours, const std::vector<double>& theirs, const std::string& what,
                 double bound = tolerance) {
    EXPECT_LE(relativeError(ours, theirs), bound) << what;
}

/// Names of the specification's parameters in our network.
using Names = std::map<std::string, std::string>;

void setAll(Session& session, const Json& params, const Names& names) {
    for (const auto& [key, value] : params.items()) {
        const auto found = names.find(key);
        ASSERT_NE(found, names.end()) << "no tensor stands for parameter " << key;
        setTensor(session, found->second, readTensor(value));
    }
}

// -- Backpropamine
// ------------------------------------------------------------------------------------------------------

const Names plasticNames{{"W_in", "agent.input_weight"}, {"b_in", "agent.input_bias"}, {"W", "agent.recurrent_weight"},
                         {"alpha", "agent.alpha"},       {"eta", "agent.eta"},         {"eta_E", "agent.eta_trace"},
                         {"w_M", "modulator.weight"},    {"b_M", "modulator.bias"},    {"f", "agent.fan_gain"},
                         {"g", "agent.fan_bias"},        {"W_y", "policy.weight"},     {"b_y", "policy.bias"},
                         {"w_v", "value.weight"},        {"b_v", "value.bias"}};

Sketch plasticNetwork(const Json& file, int steps) {
    const auto& dims = file.at("dims");
    const bool a2c = file.contains("kind");
    // Files of whole updates name only the cell; those of cells state all options.
    Json options = file.at("options");
    const auto cell = file.at("cell").get<std::string>();
    if (a2c) {
        options["rule"] = cell.rfind("plastic", 0) == 0  ? "plastic"
                          : cell.rfind("retro", 0) == 0  ? "retroactive"
                          : cell.rfind("simple", 0) == 0 ? "simple"
                                                         : "none";
        for (const char* clip : {"hard", "soft", "decay", "oja"})
            if (cell.find(clip) != std::string::npos) options["clip"] = clip;
        options["clip_bound"] = options.value("clip_bound", 1.0);
        options["modulator"] = options["rule"] == "simple" || options["rule"] == "retroactive" ? Json("tanh") : Json();
        options["alpha"] = "per_connection";
        options["fanout"] = "none";
        options["policy_output"] = "logits";
    }
    Sketch sketch;
    sketch.node("task", "task.probe",
                {{"inputs", dims.at("I")}, {"steps", steps}, {"actions", a2c ? dims.at("A") : Json(0)}});
    Json agent = {{"hidden", dims.at("N")}, {"rule", options.at("rule")}};
    const bool plastic = options.at("rule") != "none";
    if (plastic) {
        agent["clip"] = options.at("clip");
        if (options.contains("clip_bound") && options["clip_bound"].is_number())
            agent["clip_bound"] = options["clip_bound"];
        if (options.contains("alpha") && options["alpha"].is_string()) agent["alpha"] = options["alpha"];
        if (options.value("fanout", Json("none")).is_string()) agent["fan_out"] = options.value("fanout", Json("none"));
    }
    sketch.node("agent", "model.plastic_rnn", agent);
    sketch.node("policy", "model.dense", {{"units", dims.at("A")}});
    sketch.node("value", "model.dense", {{"units", 1}});
    sketch.wire("task.observation -> agent.input");
    sketch.wire("agent.hidden -> policy.input");
    sketch.wire("agent.hidden -> value.input");
    if (options.at("modulator").is_string()) {
        const auto f = options["modulator"] == "tanh" ? "tanh" : options["modulator"] == "sig" ? "sigmoid" : "identity";
        sketch.node("modulator", "model.dense", {{"units", 1}, {"activation", f}});
        sketch.wire("agent.hidden -> modulator.input");
        sketch.wire("modulator.output -> agent.plasticity");
    }
    if (a2c || options.value("policy_output", Json("logits")) == "probabilities") {
        sketch.node("head", "model.categorical", {{"choices", dims.at("A")}});
        sketch.wire("policy.output -> head.logits");
    }
    return sketch;
}

void checkPlasticCell(const Json& file) {
    const auto& dims = file.at("dims");
    const int steps = dims.at("T"), batch = dims.at("B");
    const auto& options = file.at("options");
    const bool probabilities = options.value("policy_output", Json("logits")) == "probabilities";
    const bool terminal = options.value("terminal_loss", Json(false)) == true;
    const std::map<std::string, std::string> stateNames{
        {"h", "agent.hidden"}, {"H", "agent.hebbian_trace"}, {"E", "agent.eligibility"}};
    for (double memory : {1000.0, 1e-5}) { // in one span, and in checkpointed segments
        auto sketch = plasticNetwork(file, steps);
        sketch.document["memory_mib"] = memory;
        auto session = sketch.session();
        setAll(*session, file.at("params"), plasticNames);
        GradientRequest request;
        request.forward.inputs.push_back({"task.observation", readTensor(file.at("inputs").at("x"))});
        for (const auto& [key, value] : file.at("initial").items())
            request.forward.initialStates.push_back({stateNames.at(key), readTensor(value)});
        const std::string policyPort = probabilities ? "head.probability" : "policy.output";
        request.forward.record = {policyPort, "value.output", "agent.hidden"};
        if (options.at("modulator").is_string()) request.forward.record.push_back("modulator.output");
        const auto& weights = file.at("loss_weights");
        request.outputWeights.push_back({policyPort, readTensor(weights.at("R_y"))});
        request.outputWeights.push_back({"value.output", reshaped(readTensor(weights.at("R_v")), {steps, batch, 1})});
        if (terminal)
            for (const auto& [key, name] : stateNames)
                if (weights.contains("R_" + key))
                    request.stateWeights.push_back({name, readTensor(weights.at("R_" + key))});

        const auto forward = session->forward(request.forward);
        const auto& outputs = file.at("outputs");
        expectClose(find(forward.signals, policyPort).values, readTensor(outputs.at("y")).values, "y");
        expectClose(find(forward.signals, "value.output").values, readTensor(outputs.at("v")).values, "v");
        expectClose(find(forward.signals, "agent.hidden").values, readTensor(outputs.at("h")).values, "h");
        if (outputs.contains("M") && options.at("modulator").is_string())
            expectClose(find(forward.signals, "modulator.output").values, readTensor(outputs.at("M")).values, "M");
        for (const auto& [key, value] : file.at("final").items())
            expectClose(find(forward.finalStates, stateNames.at(key)).values, readTensor(value).values, "final " + key);
        double loss = 0;
        const auto addProduct = [&](const NamedTensor& weight, const std::vector<NamedTensor>& values) {
            const auto& numbers = find(values, weight.name).values;
            for (std::size_t i = 0; i < numbers.size(); ++i) loss += weight.tensor.values[i] * numbers[i];
        };
        for (const auto& weight : request.outputWeights) addProduct(weight, forward.signals);
        for (const auto& weight : request.stateWeights) addProduct(weight, forward.finalStates);
        EXPECT_LE(std::abs(loss - file.at("loss").get<double>()) /
                      std::max(1.0, std::abs(file.at("loss").get<double>())),
                  tolerance)
            << "loss";

        const auto gradient = session->gradient(request);
        for (const auto& [key, value] : file.at("grads").items())
            expectClose(find(gradient.parameters, plasticNames.at(key)).values, readTensor(value).values,
                        "gradient of " + key);
        expectClose(find(gradient.inputs, "task.observation").values,
                    readTensor(file.at("grads_inputs").at("x")).values, "gradient of x");
        if (file.contains("grads_initial"))
            for (const auto& [key, value] : file["grads_initial"].items())
                expectClose(find(gradient.initialStates, stateNames.at(key)).values, readTensor(value).values,
                            "gradient of initial " + key);
    }
}

void checkA2cUpdates(const Json& file) {
    const auto& dims = file.at("dims");
    const auto& options = file.at("options");
    const int steps = dims.at("T"), batch = dims.at("B"), actions = dims.at("A");
    const auto learner = [&](Sketch sketch, const Json& extra) {
        Json params = {{"discount", options.at("gamma")},
                       {"value_weight", options.at("b_val")},
                       {"concentration_weight", options.at("b_ent")},
                       {"value_baseline", options.at("value_baseline")}};
        params.update(extra);
        sketch.node("learner", "rule.a2c", params);
        for (const char* wire :
             {"head.action -> task.action", "policy.output -> learner.logits", "value.output -> learner.value",
              "head.action -> learner.action", "task.reward -> learner.reward"})
            sketch.wire(wire);
        return sketch.session();
    };
    const auto network = plasticNetwork(file, steps);
    auto session = learner(network, {{"optimiser", "adam"},
                                     {"learning_rate", options.at("lr")},
                                     {"epsilon", options.at("adam_eps")},
                                     {"beta1", options.at("adam_betas")[0]},
                                     {"beta2", options.at("adam_betas")[1]},
                                     {"weight_decay", options.at("l2")},
                                     {"clip_norm", options.at("grad_norm_clip")}});
    // Plain descent with rate 1 shows the unclipped gradient as the change of the weights.
    auto bare = learner(
        network,
        {{"optimiser", "sgd"}, {"learning_rate", 1.0}, {"momentum", 0.0}, {"weight_decay", 0.0}, {"clip_norm", 0.0}});
    setAll(*session, file.at("params"), plasticNames);
    for (const auto& update : file.at("updates")) {
        Tensor action{{steps, batch, actions},
                      std::vector<double>(static_cast<std::size_t>(steps * batch * actions)),
                      Precision::float64};
        const auto chosen = readTensor(update.at("actions"));
        for (std::size_t i = 0; i < chosen.values.size(); ++i)
            action.values[i * static_cast<std::size_t>(actions) + static_cast<std::size_t>(chosen.values[i])] = 1;
        const std::vector<NamedTensor> given{
            {"task.observation", readTensor(update.at("inputs").at("x"))},
            {"head.action", action},
            {"task.reward", reshaped(readTensor(update.at("rewards")), {steps, batch, 1})}};
        const auto forward = session->forward({{given[0]}, {}, {"head.probability", "value.output"}});
        expectClose(find(forward.signals, "head.probability").values, readTensor(update.at("outputs").at("p")).values,
                    "p");
        expectClose(find(forward.signals, "value.output").values, readTensor(update.at("outputs").at("v")).values, "v");
        const auto before = session->weights();
        for (const auto& item : before) bare->set(item.name, item.tensor);
        bare->iterateOn(given);
        const auto report = session->iterateOn(given);
        const double total = update.at("loss").at("total").get<double>();
        EXPECT_LE(std::abs(report.metrics[0].second - total) / std::max(1.0, std::abs(total)), tolerance) << "loss";
        const double norm = update.at("grad_norm").get<double>();
        EXPECT_LE(std::abs(report.metrics.back().second - norm) / std::max(1.0, norm), tolerance) << "gradient norm";
        for (const auto& [key, value] : update.at("grads_unclipped").items()) {
            const auto& name = plasticNames.at(key);
            auto change = find(before, name).values;
            const auto after = bare->get(name).values;
            for (std::size_t i = 0; i < change.size(); ++i) change[i] -= after[i];
            expectClose(change, readTensor(value).values, "gradient of " + key);
        }
        for (const auto& [key, value] : update.at("params_after").items())
            expectClose(session->get(plasticNames.at(key)).values, readTensor(value).values, key + " after the update");
    }
}

// -- NM-RNN
// -------------------------------------------------------------------------------------------------------------

const Names nmNames{{"L", "core.left_factor"},
                    {"R", "core.right_factor"},
                    {"B_x", "core.input_weight"},
                    {"C", "readout.weight"},
                    {"d", "readout.bias"},
                    {"W_z", "modulator.recurrent_weight"},
                    {"B_z", "modulator.input_weight"},
                    {"A_z", "gate.weight"},
                    {"b_z", "gate.bias"},
                    {"W_zx", "modulator.feedback_weight"},
                    {"b_zx", "modulator.feedback_bias"},
                    {"W", "core.recurrent_weight"}};

std::string divisorOf(const Json& config) { return config.value("recurrent_divisor", "one") == "N" ? "units" : "one"; }

Sketch nmNetwork(const Json& file, const Json& ruleParams = Json()) {
    const auto& config = file.at("config");
    const auto& params = file.at("params");
    const auto model = config.at("model").get<std::string>();
    const bool modulated = params.contains("A_z"), vanilla = params.contains("W");
    Sketch sketch;
    sketch.node("task", "task.probe",
                {{"inputs", config.at("U")},
                 {"context", config.value("U_z", config.at("U").get<int>())},
                 {"targets", config.at("O")},
                 {"steps", config.at("T")}});
    if (vanilla) {
        sketch.node("core", "model.rnn",
                    {{"units", config.at("N")},
                     {"tau", config.at("tau_x")},
                     {"activation", config.value("phi_x", "tanh")},
                     {"recurrent_divisor", divisorOf(config)}});
    } else {
        sketch.node("core", "model.low_rank_rnn",
                    {{"units", config.at("N")},
                     {"rank", config.at("K")},
                     {"tau", config.at("tau_x")},
                     {"activation", config.value("phi_x", "tanh")},
                     {"orthogonalise", config.at("orthogonalise_L")},
                     {"recurrent_divisor", divisorOf(config)},
                     {"symmetric", !params.contains("R")}});
    }
    sketch.node("readout", "model.dense", {{"units", config.at("O")}, {"bias", params.contains("d")}});
    sketch.wire("task.observation -> core.input");
    if (modulated) {
        sketch.node(
            "modulator", "model.rnn",
            {{"units", config.at("M")}, {"tau", config.at("tau_z")}, {"activation", config.value("phi_z", "tanh")}});
        sketch.node("gate", "model.dense", {{"units", config.at("K")}, {"activation", "sigmoid"}});
        sketch.wire(file.contains("inputs_z") ? "task.context -> modulator.input"
                                              : "task.observation -> modulator.input");
        if (params.contains("W_zx"))
            sketch.document["wires"].push_back({{"from", "core.hidden"}, {"to", "modulator.feedback"}, {"delay", 1}});
        sketch.wire("modulator.hidden -> gate.input");
        sketch.wire("gate.output -> core.gain");
    }
    sketch.wire("core.hidden -> readout.input");
    if (!ruleParams.is_null()) {
        sketch.node("learner", "rule.supervised", ruleParams);
        sketch.wire("readout.output -> learner.prediction");
        sketch.wire("task.target -> learner.target");
        sketch.wire("task.mask -> learner.mask");
    }
    return sketch;
}

/// x0 (units) for each of the trials.
NamedTensor repeated(const std::string& name, const Tensor& state, int trials) {
    if (state.shape.size() == 2) return {name, state};
    Tensor all{{trials, state.shape[0]}, {}, Precision::float64};
    for (int b = 0; b < trials; ++b) all.values.insert(all.values.end(), state.values.begin(), state.values.end());
    return {name, all};
}

std::vector<NamedTensor> nmStates(const Json& file, int trials) {
    std::vector<NamedTensor> states;
    const auto& initial = file.at("initial_state");
    if (initial.contains("x0")) states.push_back(repeated("core.hidden", readTensor(initial["x0"]), trials));
    if (initial.contains("z0")) states.push_back(repeated("modulator.hidden", readTensor(initial["z0"]), trials));
    return states;
}

ForwardRequest nmRequest(const Json& file) {
    const int trials = file.at("config").at("B");
    ForwardRequest request;
    request.inputs.push_back({"task.observation", stepsFirst(readTensor(file.at("inputs")))});
    if (file.contains("inputs_z")) request.inputs.push_back({"task.context", stepsFirst(readTensor(file["inputs_z"]))});
    request.initialStates = nmStates(file, trials);
    request.record = {"core.hidden", "readout.output"};
    if (file.at("params").contains("A_z"))
        request.record.insert(request.record.end(), {"modulator.hidden", "gate.output"});
    return request;
}

void checkNmModel(const Json& file) {
    const auto& config = file.at("config");
    const int trials = config.at("B"), steps = config.at("T"), outputs = config.at("O");
    auto session = nmNetwork(file).session();
    setAll(*session, file.at("params"), nmNames);
    GradientRequest request;
    request.forward = nmRequest(file);
    const auto forward = session->forward(request.forward);
    const std::map<std::string, std::string> ports{
        {"z", "modulator.hidden"}, {"s", "gate.output"}, {"x", "core.hidden"}, {"y", "readout.output"}};
    for (const auto& [key, value] : file.at("forward").items())
        if (ports.count(key))
            expectClose(find(forward.signals, ports.at(key)).values, stepsFirst(readTensor(value)).values, key);
    if (file.at("forward").contains("w")) { // the modes Lt^T x
        const auto w = stepsFirst(readTensor(file["forward"]["w"]));
        Tape<double> tape;
        const auto L = session->get("core.left_factor");
        const int rows = static_cast<int>(L.shape[0]), rank = static_cast<int>(L.shape[1]);
        Value<double> factor = tape.make(rows, rank);
        for (int r = 0; r < rows; ++r)
            for (int c = 0; c < rank; ++c) factor.value()(r, c) = L.values[static_cast<std::size_t>(r * rank + c)];
        const auto convention = config.at("orthogonalise_L") == "householder" ? Orthonormal::householder
                                : config.at("orthogonalise_L") == "positive"  ? Orthonormal::positive
                                                                              : Orthonormal::none;
        const auto Q = orthonormalise(convention, factor);
        auto x = find(forward.signals, "core.hidden").values;
        const Matrix<double> modes =
            Q.value().transpose() *
            Eigen::Map<Matrix<double>>(x.data(), rows, static_cast<Eigen::Index>(x.size()) / rows);
        expectClose(std::vector<double>(modes.data(), modes.data() + modes.size()), w.values, "w");
    }
    if (!file.contains("grad")) return;
    // Adjoint of the loss with respect to y.
    const auto y = find(forward.signals, "readout.output");
    Tensor weight{{steps, trials, outputs}, std::vector<double>(y.values.size()), Precision::float64};
    double loss = 0;
    if (config.at("loss") == "final_step_mse") {
        const auto target = readTensor(file.at("targets"));
        const std::size_t last = static_cast<std::size_t>((steps - 1) * trials * outputs);
        for (std::size_t i = 0; i < target.values.size(); ++i) {
            const double error = y.values[last + i] - target.values[i];
            loss += error * error / static_cast<double>(trials);
            weight.values[last + i] = 2 * error / static_cast<double>(trials);
        }
    } else {
        const auto target = stepsFirst(readTensor(file.at("targets"))), mask = stepsFirst(readTensor(file.at("mask")));
        double sum = 0;
        for (double m : mask.values) sum += m;
        for (std::size_t i = 0; i < y.values.size(); ++i) {
            const double error = y.values[i] - target.values[i];
            loss += mask.values[i] * error * error / sum;
            weight.values[i] = 2 * mask.values[i] * error / sum;
        }
    }
    EXPECT_LE(std::abs(loss - file.at("loss").get<double>()) / std::max(1.0, loss), tolerance) << "loss";
    if (config.at("loss") == "masked_mse" &&
        file.at("initial_state").contains("x0")) { // the rule's own loss, where its initial states are the usual ones
        bool usual = true;
        for (const auto& [key, value] : file["initial_state"].items())
            for (double x : readTensor(value).values) usual = usual && x == 0.1;
        if (usual) {
            auto trained = nmNetwork(file, Json::object()).session();
            setAll(*trained, file.at("params"), nmNames);
            auto inputs = request.forward.inputs;
            inputs.push_back({"task.target", stepsFirst(readTensor(file.at("targets")))});
            inputs.push_back({"task.mask", stepsFirst(readTensor(file.at("mask")))});
            EXPECT_LE(std::abs(trained->lossOn(inputs) - file.at("loss").get<double>()), tolerance)
                << "loss of rule.supervised";
        }
    }
    request.outputWeights.push_back({"readout.output", weight});
    const auto gradient = session->gradient(request);
    for (const auto& [key, value] : file.at("grad").items())
        expectClose(find(gradient.parameters, nmNames.at(key)).values, readTensor(value).values, "gradient of " + key);
    expectClose(find(gradient.inputs, "task.observation").values, stepsFirst(readTensor(file.at("grad_inputs"))).values,
                "gradient of the input");
    if (file.contains("grad_inputs_z"))
        expectClose(find(gradient.inputs, "task.context").values, stepsFirst(readTensor(file["grad_inputs_z"])).values,
                    "gradient of the modulator's input");
    for (const auto& [key, value] : file.at("grad_initial_state").items()) {
        const auto& all = find(gradient.initialStates, key == "x0" ? "core.hidden" : "modulator.hidden");
        const auto theirs = readTensor(value);
        std::vector<double> sum(theirs.values.size());
        if (all.values.size() == theirs.values.size())
            sum = all.values;
        else
            for (std::size_t i = 0; i < all.values.size(); ++i) sum[i % sum.size()] += all.values[i];
        expectClose(sum, theirs.values, "gradient of " + key);
    }
}

void checkAblation(const Json& file) {
    const int trials = file.at("config").at("B");
    auto session = nmNetwork(file).session();
    setAll(*session, file.at("params"), nmNames);
    const auto request = nmRequest(file);
    const auto whole = session->forward(request);
    for (const auto& ablation : file.at("ablations")) {
        auto gain = find(whole.signals, "gate.output");
        const auto units = static_cast<std::size_t>(gain.shape[2]),
                   component = ablation.at("component").get<std::size_t>();
        for (std::size_t i = component; i < gain.values.size(); i += units)
            gain.values[i] = ablation.at("mode") == "zero"
                                 ? 0.0
                                 : gain.values[(i / units % static_cast<std::size_t>(trials)) * units + component];
        auto ablated = request;
        ablated.inputs.push_back({"gate.output", gain});
        ablated.record = {"readout.output"};
        const auto result = session->forward(ablated);
        expectClose(find(result.signals, "readout.output").values, stepsFirst(readTensor(ablation.at("y"))).values,
                    "y without a component");
        expectClose(find(result.finalStates, "core.hidden").values, readTensor(ablation.at("x_final")).values,
                    "x without a component");
        if (ablation.at("mode") != "zero") continue;
        // The same through an intervention on the port.
        auto lesioned = nmNetwork(file).session();
        setAll(*lesioned, file.at("params"), nmNames);
        lesioned->setInterventions({{{"gate", "output"}, Operation::clamp, static_cast<int>(component), 0.0, 0, -1}});
        expectClose(find(lesioned->forward(request).signals, "readout.output").values,
                    stepsFirst(readTensor(ablation.at("y"))).values, "y under an intervention");
    }
}

void checkTrainingTrace(const Json& file) {
    const auto& optimiser = file.at("optimiser");
    Json params = {{"optimiser", optimiser.at("name")},
                   {"learning_rate", optimiser.at("lr")},
                   {"beta1", optimiser.at("beta1")},
                   {"beta2", optimiser.at("beta2")},
                   {"epsilon", optimiser.at("eps")},
                   {"weight_decay", optimiser.at("weight_decay")},
                   {"clip_value", optimiser.at("elementwise_clip")}};
    if (optimiser.at("state_reset_every").is_number()) params["state_reset_every"] = optimiser["state_reset_every"];
    auto session = nmNetwork(file, params).session();
    setAll(*session, file.at("params"), nmNames);
    session->freeze("*");
    for (const auto& key : optimiser.at("trainable")) session->freeze(nmNames.at(key.get<std::string>()), false);
    std::vector<NamedTensor> inputs{{"task.observation", stepsFirst(readTensor(file.at("inputs")))},
                                    {"task.target", stepsFirst(readTensor(file.at("targets")))},
                                    {"task.mask", stepsFirst(readTensor(file.at("mask")))}};
    std::vector<double> losses;
    const auto expected = file.at("losses").get<std::vector<double>>();
    for (std::size_t i = 0; i + 1 < expected.size(); ++i)
        losses.push_back(session->iterateOn(inputs).metrics[0].second);
    losses.push_back(session->lossOn(inputs));
    expectClose(losses, expected, "losses");
    for (const auto& [key, value] : file.at("final_params").items())
        expectClose(session->get(nmNames.at(key)).values, readTensor(value).values, key, 1e-7);
}

void checkOptimiser(const Json& file) {
    const auto start = readTensor(file.at("theta0")), gradients = readTensor(file.at("grads"));
    const auto n = start.values.size(), steps = gradients.values.size() / n;
    for (const auto& run : file.at("runs")) {
        OptimiserParams params;
        params.optimiser = "adamw";
        params.learningRate = run.at("lr");
        params.beta1 = run.at("beta1");
        params.beta2 = run.at("beta2");
        params.epsilon = run.at("eps");
        params.weightDecay = run.at("weight_decay");
        params.clipValue = run.at("elementwise_clip").is_number() ? run["elementwise_clip"].get<double>() : 0.0;
        params.stateResetEvery = run.at("state_reset_every").is_number() ? run["state_reset_every"].get<int>() : 0;
        AlignedArray<double> theta(n), gradient(n);
        std::copy(start.values.begin(), start.values.end(), theta.data());
        ParameterInfo info;
        info.rows = static_cast<int>(n);
        info.cols = 1;
        Optimiser<double> optimiser(n);
        std::vector<double> trace;
        for (std::size_t k = 0; k < steps; ++k) {
            std::copy_n(gradients.values.begin() + static_cast<std::ptrdiff_t>(k * n), n, gradient.data());
            optimiser.step(params, theta, gradient, {info}, static_cast<int>(k));
            trace.insert(trace.end(), theta.data(), theta.data() + n);
        }
        expectClose(trace, readTensor(run.at("theta")).values, "theta");
    }
}

void checkFactorisation(const Json& file) {
    for (const auto& item : file.at("items")) {
        const auto A = readTensor(item.at("A")), G = readTensor(item.at("G"));
        const int rows = static_cast<int>(A.shape[0]), cols = static_cast<int>(A.shape[1]);
        for (const auto& [name, convention] :
             {std::pair{"householder", Orthonormal::householder}, {"positive", Orthonormal::positive}}) {
            Tape<double> tape;
            tape.setRecording(true);
            Value<double> a = tape.make(rows, cols);
            using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
            a.value() = Eigen::Map<const RowMajor>(A.values.data(), rows, cols);
            const auto q = orthonormalise(convention, a);
            q.gradient() = Eigen::Map<const RowMajor>(G.values.data(), rows, cols);
            tape.backward();
            const auto flat = [&](const auto& m) {
                const RowMajor r = m;
                return std::vector<double>(r.data(), r.data() + r.size());
            };
            expectClose(flat(q.value()), readTensor(item.at(name).at("Q")).values, std::string("Q, ") + name);
            expectClose(flat(a.gradient()), readTensor(item.at(name).at("grad_A_of_sum_QG")).values,
                        std::string("gradient through Q, ") + name);
        }
    }
}

void checkRankOneTheory(const Json& file) {
    for (const auto& item : file.at("items")) {
        const auto l = readTensor(item.at("l")), r = readTensor(item.at("r")), c = readTensor(item.at("c")),
                   f = readTensor(item.at("f"));
        const auto s = readTensor(item.at("s_exact_discrete"));
        const int units = static_cast<int>(l.values.size()), steps = static_cast<int>(s.values.size());
        Sketch sketch;
        sketch.node("task", "task.probe", {{"inputs", 1}, {"steps", steps}});
        sketch.node("core", "model.low_rank_rnn",
                    {{"units", units},
                     {"rank", 1},
                     {"tau", item.at("tau_x")},
                     {"activation", "identity"},
                     {"orthogonalise", "none"}});
        sketch.node("gate", "model.dense", {{"units", 1}});
        sketch.node("readout", "model.dense", {{"units", 1}});
        for (const char* wire : {"task.observation -> core.input", "task.observation -> gate.input",
                                 "gate.output -> core.gain", "core.hidden -> readout.input"})
            sketch.wire(wire);
        auto session = sketch.session();
        setTensor(*session, "core.left_factor", l);
        setTensor(*session, "core.right_factor", r);
        setTensor(*session, "core.input_weight",
                  {{units, 1}, std::vector<double>(static_cast<std::size_t>(units)), Precision::float64});
        setTensor(*session, "readout.weight", c);
        setTensor(*session, "readout.bias", {{1}, {item.at("d").get<double>()}, Precision::float64});
        ForwardRequest request;
        request.inputs = {{"task.observation",
                           {{steps, 1, 1}, std::vector<double>(static_cast<std::size_t>(steps)), Precision::float64}},
                          {"gate.output", reshaped(s, {steps, 1, 1})}};
        request.initialStates = {{"core.hidden", reshaped(readTensor(item.at("x0")), {1, units})}};
        request.record = {"readout.output"};
        const auto y = find(session->forward(request).signals, "readout.output").values;
        expectClose(y, std::vector<double>(f.values.begin() + 1, f.values.end()), "the ramp that s(t) was computed for",
                    1e-9);
        const auto simulated = readTensor(item.at("y_simulated")).values;
        expectClose(y, std::vector<double>(simulated.begin() + 1, simulated.end()), "y", 1e-9);
        // The closed form itself, from the network's own vectors.
        const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
            double sum = 0;
            for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
            return sum;
        };
        const double tau = item.at("tau_x"), d = item.at("d"), lr = dot(l.values, r.values),
                     cl = dot(c.values, l.values);
        auto w = readTensor(item.at("w_perp0")).values;
        std::vector<double> predicted;
        for (int t = 1; t <= steps; ++t) {
            const double before = f.values[static_cast<std::size_t>(t - 1)],
                         after = f.values[static_cast<std::size_t>(t)];
            predicted.push_back((before - d + tau * (after - before)) /
                                (lr * (before - d - dot(c.values, w)) + cl * dot(r.values, w)));
            for (double& x : w) x *= 1 - 1 / tau;
        }
        expectClose(predicted, s.values, "closed form of s(t)", 1e-9);
    }
}

void checkMeasureWaitGo(const Json& file) {
    for (const auto& [name, set] : file.at("sets").items()) {
        Sketch sketch;
        Json params = {{"steps", set.at("T")},
                       {"intervals", set.at("intervals")},
                       {"measure_first", set.at("measure_min")},
                       {"measure_last", set.at("measure_max").get<int>() - 1},
                       {"delay", set.at("delay")},
                       {"cue_amplitude", set.at("cue_amplitude")},
                       {"output_low", set.at("output_min")},
                       {"output_high", set.at("output_max")}};
        if (set.at("mask_pad").is_number()) params["mask_pad"] = set["mask_pad"];
        sketch.node("task", "task.measure_wait_go", params);
        sketch.document["trials"] = 0;
        auto session = sketch.session();
        const int trials = static_cast<int>(set.at("trials").size()), steps = set.at("T");
        EXPECT_EQ(session->batchTrials(), trials) << name;
        EvaluateRequest request;
        request.trials = trials;
        request.record = {"task.observation", "task.target", "task.mask"};
        const auto result = session->evaluate(request);
        for (int b = 0; b < trials; ++b) {
            const auto& trial = set["trials"][static_cast<std::size_t>(b)];
            std::vector<double> input(static_cast<std::size_t>(steps * 3)), gotInput, gotTarget, gotMask;
            int channel = 0;
            for (const char* cue : {"t_measure", "t_wait", "t_go"})
                input[static_cast<std::size_t>(trial.at(cue).get<int>() * 3 + channel++)] = set.at("cue_amplitude");
            for (int t = 0; t < steps; ++t) {
                const auto at = static_cast<std::size_t>(t * trials + b);
                for (std::size_t u = 0; u < 3; ++u) gotInput.push_back(result.signals[0].second.values[at * 3 + u]);
                gotTarget.push_back(result.signals[1].second.values[at]);
                gotMask.push_back(result.signals[2].second.values[at]);
            }
            expectClose(gotInput, input, name + " input");
            expectClose(gotTarget, trial.at("output").get<std::vector<double>>(), name + " target");
            expectClose(gotMask, trial.at("mask").get<std::vector<double>>(), name + " mask");
        }
    }
}

void skipped(const std::string& why) { GTEST_SKIP() << why; }

/// Checks a file; false if no reader knows its kind.
bool check(const Json& file) {
    if (file.value("format", "") == "backpropamine-golden-1") {
        if (file.value("kind", "") == "a2c_update") return checkA2cUpdates(file), true;
        if (file.at("options").contains("rule")) return checkPlasticCell(file), true;
        return false;
    }
    const auto format = file.value("format", "");
    if (format == "raphe-golden/adaptive/gonogo/1") return checkGoNoGo(file, plugins().registry()), true;
    if (format == "raphe-golden/adaptive/bandit/1") return checkBandit(file, plugins().registry()), true;
    if (format == "raphe-golden/adaptive/neuromodulator_bank/1")
        return checkNeuromodulatorBank(file, plugins().registry()), true;
    if (file.value("format", "") == "raphe-golden/adaptive/weight_manifold/1")
        return checkWeightManifold(file, plugins().registry()), true;
    if (file.value("format", "") == "raphe-golden/adaptive/diffusion_cl/1")
        return checkDiffusion(file, plugins().registry()), true;
    if (file.value("format", "") == "raphe-golden/adaptive/mnist_checks/1") {
        if (!checkMnist(file)) skipped("set RAPHE_DATA_DIR to a folder that holds mnist to check its statistics");
        return true;
    }
    if (file.value("format", "") == "raphe-golden/1" && file.at("kind") == "modprop_gradients")
        return checkModProp(file, plugins().registry()), true;
    if (file.value("schema", "") == "nmn-golden/1" && file.at("kind") == "network")
        return checkNmnNetwork(file, plugins().registry()), true;
    if (file.value("schema", "") == "nmn-golden/1" && file.at("kind") == "update")
        return checkNmnUpdate(file, plugins().registry()), true;
    if (file.value("schema", "") != "nm_rnn-golden/1") return false;
    const auto name = file.at("case").get<std::string>();
    if (name == "optimiser_adamw") return checkOptimiser(file), true;
    if (name == "qr") return checkFactorisation(file), true;
    if (name == "theory_rank1") return checkRankOneTheory(file), true;
    if (name == "mwg_datasets") return checkMeasureWaitGo(file), true;
    if (name == "multitask_generator") return checkMultitaskGenerator(file), true;
    if (name == "multitask_test_trials") return checkMultitaskTestTrials(file), true;
    if (name == "yang_driscoll_trials") return checkYangDriscoll(file), true;
    if (name == "eft_trials") return checkElementFinder(file), true;
    if (name == "percent_correct") return checkPercentCorrect(file, plugins().registry()), true;
    if (file.contains("losses")) return checkTrainingTrace(file), true;
    if (file.contains("ablations")) return checkAblation(file), true;
    if (!file.contains("config")) return false;
    const auto model = file["config"].at("model").get<std::string>();
    for (const char* known : {"nm_rnn", "context_nm_rnn", "nm_rnn_feedback", "lin_sym_nm_rnn", "lr_rnn", "rnn"})
        if (model == known) return checkNmModel(file), true;
    return checkNmRnnVariant(file, plugins().registry());
}

class Golden : public testing::TestWithParam<fs::path> {};

TEST_P(Golden, AgreesWithTheReference) {
    if (isPending(GetParam())) {
        SUCCEED() << "stands in pending.txt";
        return;
    }
    const auto file = readJson(GetParam());
    EXPECT_TRUE(check(file)) << GetParam() << ": no reader handles this file, and it does not stand in pending.txt";
}

INSTANTIATE_TEST_SUITE_P(Files, Golden, testing::ValuesIn(goldenFiles()), [](const auto& item) {
    auto name = fs::relative(item.param, goldenFolder()).replace_extension().string();
    for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return name;
});

TEST(GoldenFolder, HoldsFiles) { EXPECT_GT(goldenFiles().size(), 0u) << goldenFolder(); }

} // namespace
} // namespace raphe::test
