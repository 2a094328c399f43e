// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/compatibility.h"

#include "engine/graph/network.h"
#include "engine/mechanisms/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace raphe {

namespace {

/// Lays out an experiment port by port.
class Layout {
public:
    Layout(const Registry& registry, const std::string& task, const std::string& model, const std::string& rule)
        : task_(registry.find(task, "task").declaration), model_(registry.find(model, "model").declaration),
          rule_(registry.find(rule, "rule").declaration) {
        add("task", task);
        add("network", model);
        add("learner", rule);
        // Policy and value are read out of one network.
        if (rule_.param("optimisation")) nodes_["learner"]["params"]["optimisation"] = "joint";
    }

    /// @throws Error with the reason why it cannot be
    Json document() {
        for (const auto& port : model_.ports) {
            if (isInput(port) && (!port.optional || isFirst(port))) {
                const auto source = forModel(port);
                adapt(port, source);
                wire(source, "network." + port.name);
            }
            // The rate at which synapses change is read out of the network itself.
            if (port.name == "plasticity" && port.kind == PortKind::modulation)
                wire(readout("modulator", 1), "network." + port.name);
        }
        for (const auto& port : rule_.ports)
            if (isInput(port) && wants(port)) wire(forRule(port), "learner." + port.name);
        for (const auto& port : task_.ports)
            if (isInput(port) && !port.optional) wire(forTask(port), "task." + port.name);
        return {{"raphe", 1}, {"nodes", nodes_}, {"wires", wires_}, {"trials", 4}, {"chunk", 2}, {"iterations", 2}};
    }

private:
    static bool isInput(const PortInfo& port) { return port.kind != PortKind::output; }
    static int sizeOf(const DeclarationData& d, const PortInfo& port) { return port.size(d.defaults()); }
    /// Of a port of the model, as it is laid out.
    int sizeOf(const PortInfo& port) const {
        auto params = model_.defaults();
        if (nodes_.at("network").contains("params"))
            for (const auto& [key, value] : nodes_.at("network").at("params").items())
                params[key] = value.get<std::int64_t>();
        return port.size(params);
    }

    void add(const std::string& name, const std::string& mechanism, Json params = Json::object()) {
        nodes_[name] = {{"mechanism", mechanism}};
        if (!params.empty()) nodes_[name]["params"] = std::move(params);
    }
    void wire(const std::string& from, const std::string& to) {
        const auto text = from + " -> " + to;
        if (std::find(wires_.begin(), wires_.end(), Json(text)) == wires_.end()) wires_.push_back(text);
    }

    /// Makes the model as large as what it reads, where a hyper-parameter of its own says how large that is.
    void adapt(const PortInfo& port, const std::string& source) {
        const auto* param = model_.param(port.sizeText);
        if (!param || param->type != ParamType::integer) return;
        const int units = source.starts_with("task.") ? sizeOf(source) : actionSize();
        nodes_["network"]["params"][port.sizeText] = units;
    }

    /// An output of the task, if it has one of this name, or of one that means the same.
    std::optional<std::string> ofTask(const std::string& name) const {
        const int index = task_.port(name);
        if (index < 0 || isInput(task_.ports[static_cast<std::size_t>(index)]) ||
            sizeOf(task_, task_.ports[static_cast<std::size_t>(index)]) == noPort)
            return name == "observation" ? ofTask("image") : name == "target" ? ofTask("label") : std::nullopt;
        return "task." + name;
    }
    int sizeOf(const std::string& taskPort) const {
        return sizeOf(task_,
                      task_.ports[static_cast<std::size_t>(task_.port(taskPort.substr(taskPort.find('.') + 1)))]);
    }

    /// Whether a port of the model is where a network reads what there is to see.
    bool isFirst(const PortInfo& port) const {
        return &port == &*std::find_if(model_.ports.begin(), model_.ports.end(), isInput) && port.read == Read::start;
    }

    std::string forModel(const PortInfo& port) {
        if (const auto same = ofTask(port.name)) return *same;
        if (port.name == "action") return action();
        if (isFirst(port)) {
            if (const auto shown = ofTask("observation")) return *shown;
            throw Error(fmt::format("{} has no observation that a network could read", task_.key()));
        }
        throw Error(fmt::format("{} needs a signal at its port \"{}\" ({}), which {} does not give", model_.key(),
                                port.name, port.help, task_.key()));
    }

    /// Optional ports are wired where the signal is there anyway.
    bool wants(const PortInfo& port) const {
        if (!port.optional) return true;
        if (port.name == "mean" || port.name == "log_variance") return continuous() && actionSize() > 0;
        if (port.name == "logits") return !continuous() && actionSize() > 0;
        return ofTask(port.name).has_value();
    }

    std::string forRule(const PortInfo& port) {
        if (port.name == "reward" || port.name == "target" || port.name == "mask" || ofTask(port.name)) {
            if (const auto same = ofTask(port.name)) return *same;
            throw Error(fmt::format("{} needs a {}, which {} does not give", rule_.key(), port.name, task_.key()));
        }
        if (port.name == "prediction") {
            const auto target = ofTask("target");
            if (!target)
                throw Error(fmt::format("{} needs a target, which {} does not give", rule_.key(), task_.key()));
            return readout("prediction", sizeOf(*target));
        }
        if (port.name == "value") return readout("value", 1);
        const bool ofHead =
            port.name == "action" || port.name == "logits" || port.name == "mean" || port.name == "log_variance";
        if (ofHead && actionSize() < 1)
            throw Error(fmt::format("{} learns from actions, and {} takes none", rule_.key(), task_.key()));
        if (port.name == "action") return action();
        if (port.name == "logits") {
            if (continuous())
                throw Error(fmt::format("{} needs the logits of a choice, and {} takes an action that is a number",
                                        rule_.key(), task_.key()));
            return logits();
        }
        if (port.name == "mean") return readout("mean", actionSize());
        if (port.name == "log_variance") {
            action();
            return "head.total_log_variance";
        }
        throw Error(fmt::format("{} needs a signal at its port \"{}\" ({}), for which the plainest experiment has "
                                "nothing",
                                rule_.key(), port.name, port.help));
    }

    std::string forTask(const PortInfo& port) {
        if (port.name == "action") return action();
        throw Error(fmt::format("{} takes a signal at its port \"{}\" ({}), for which the plainest experiment has "
                                "nothing",
                                task_.key(), port.name, port.help));
    }

    int actionSize() const {
        const int index = task_.port("action");
        if (index < 0 || !isInput(task_.ports[static_cast<std::size_t>(index)])) return 0;
        return sizeOf(task_, task_.ports[static_cast<std::size_t>(index)]);
    }
    /// One number is an action by itself; several are a choice.
    bool continuous() const { return actionSize() == 1; }

    /// The port from which the model's result leaves it.
    std::string features() const {
        for (const auto& port : model_.ports)
            if (port.kind == PortKind::output && port.read == Read::start && sizeOf(port) > 0)
                return "network." + port.name;
        throw Error(fmt::format("{} shows nothing that could be read out", model_.key()));
    }
    std::string readout(const std::string& name, int units) {
        if (!nodes_.contains(name)) {
            add(name, "model.dense", {{"units", units}});
            wire(features(), name + ".input");
        }
        return name + ".output";
    }
    std::string logits() { return readout("policy", actionSize()); }

    std::string action() {
        if (const int own = model_.port("action");
            own >= 0 && model_.ports[static_cast<std::size_t>(own)].kind == PortKind::output &&
            sizeOf(model_.ports[static_cast<std::size_t>(own)]) == actionSize())
            return "network.action";
        if (nodes_.contains("head")) return "head.action";
        if (continuous()) {
            add("head", "model.gaussian");
            if (rule_.param("head")) nodes_["learner"]["params"]["head"] = "gaussian";
            wire(readout("mean", actionSize()), "head.mean");
            wire(readout("log_variance", actionSize()), "head.log_variance");
        } else {
            add("head", "model.categorical", {{"choices", actionSize()}});
            if (rule_.param("head")) nodes_["learner"]["params"]["head"] = "categorical";
            wire(logits(), "head.logits");
        }
        return "head.action";
    }

    const DeclarationData &task_, &model_, &rule_;
    Json nodes_ = Json::object(), wires_ = Json::array();
};

std::string shortName(const std::string& key) { return key.substr(key.find('.') + 1); }

} // namespace

Combination combine(const Registry& registry, const std::string& task, const std::string& model,
                    const std::string& rule) {
    Combination result{task, model, rule, {}, {}};
    try {
        result.document = Layout(registry, task, model, rule).document();
        const auto experiment = experimentFromJson(result.document, registry);
        const Graph graph(experiment, registry);
        const Network<float> network(graph, experiment.dt);
    } catch (const Error& error) {
        const std::string text = error.what();
        result.reason = text.substr(0, text.find('\n'));
    }
    return result;
}

std::vector<Combination> combinations(const Registry& registry) {
    std::vector<Combination> result;
    for (const auto& rule : registry.keys("rules"))
        for (const auto& task : registry.keys("tasks"))
            for (const auto& model : registry.keys("models")) result.push_back(combine(registry, task, model, rule));
    return result;
}

std::string combinationsMarkdown(const std::vector<Combination>& combinations) {
    std::string text =
        "# What fits together\n\n"
        "Every task with every model and every learning rule, in the plainest experiment that they allow: the model "
        "reads what the task shows, "
        "a readout and a head follow it,\nand every parameter has its default. `raphe compatible` makes this page "
        "(`--markdown`); a test trains all that fits.\n\n"
        "A number refers to the reasons below each table. What does not fit plainly may well fit with other wires, "
        "sizes or a modulator: the reason says what is missing.\n";
    std::map<std::string, std::vector<const Combination*>> byRule;
    for (const auto& c : combinations) byRule[c.rule].push_back(&c);
    for (const auto& [rule, list] : byRule) {
        std::vector<std::string> tasks, models, reasons;
        std::map<std::pair<std::string, std::string>, const Combination*> cells;
        for (const auto* c : list) {
            if (std::find(tasks.begin(), tasks.end(), c->task) == tasks.end()) tasks.push_back(c->task);
            if (std::find(models.begin(), models.end(), c->model) == models.end()) models.push_back(c->model);
            cells[{c->model, c->task}] = c;
        }
        text += "\n## " + rule + "\n\n| |";
        for (const auto& task : tasks) text += " " + shortName(task) + " |";
        text += "\n|---|";
        for (std::size_t i = 0; i < tasks.size(); ++i) text += "---|";
        for (const auto& model : models) {
            text += "\n| " + shortName(model) + " |";
            for (const auto& task : tasks) {
                const auto& c = *cells.at({model, task});
                if (c.fits()) {
                    text += " fits |";
                    continue;
                }
                auto found = std::find(reasons.begin(), reasons.end(), c.reason);
                if (found == reasons.end()) found = reasons.insert(reasons.end(), c.reason);
                text += fmt::format(" {} |", found - reasons.begin() + 1);
            }
        }
        text += "\n";
        for (std::size_t i = 0; i < reasons.size(); ++i)
            text += fmt::format("{}{}. {}\n", i == 0 ? "\n" : "", i + 1, reasons[i]);
    }
    return text;
}

} // namespace raphe
