// SPDX-License-Identifier: Apache-2.0
#include "engine/editing/fixes.h"

#include "engine/base/text.h"
#include "engine/document/experiment_fields.h"
#include "engine/editing/document.h"
#include "engine/graph/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace raphe {

namespace {

constexpr std::size_t mostSources = 6;

/// A value as one would say it.
std::string said(const Json& value) { return value.is_string() ? value.get<std::string>() : fields::shown(value); }

const Json& member(const Json& object, const std::string& key) {
    static const Json none;
    if (!object.is_object()) return none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}

const Json& item(const Json& document, const char* list, int number) {
    static const Json none;
    const auto& items = member(document, list);
    return items.is_array() && number >= 0 && number < static_cast<int>(items.size())
               ? items[static_cast<std::size_t>(number)]
               : none;
}

class Finder {
public:
    Finder(const Document& document, const LocatedProblem& problem)
        : document_(document), experiment_(document.experiment()), problem_(problem) {}

    std::vector<Fix> find() {
        if (problem_.wire >= 0)
            ofWire();
        else if (problem_.recording >= 0)
            ofRecording();
        else if (problem_.intervention >= 0)
            ofIntervention();
        else if (problem_.frozen >= 0)
            ofPattern();
        else if (!problem_.parameter.empty())
            ofParameter();
        else if (!problem_.node.empty())
            ofNode();
        else
            ofField();
        return std::move(fixes_);
    }

private:
    void offer(std::string title, std::vector<Json> commands) {
        fixes_.push_back({std::move(title), std::move(commands), {}});
    }
    void offerSearch(std::string title, std::string words) {
        fixes_.push_back({std::move(title), {}, std::move(words)});
    }

    const DeclarationData* declaration(const std::string& node) const {
        const auto* spec = experiment_.node(node);
        return spec && document_.registry().contains(spec->mechanism)
                   ? &document_.registry().find(spec->mechanism, node).declaration
                   : nullptr;
    }
    const PortInfo* port(const Address& address) const {
        const auto* known = declaration(address.node);
        const int index = known ? known->port(address.port) : -1;
        return index < 0 ? nullptr : &known->ports[static_cast<std::size_t>(index)];
    }
    /// Where one may have meant, if there is no such node or no such port.
    std::vector<Address> meant(const Address& address, bool output) const {
        Address result = address;
        if (!experiment_.node(result.node)) {
            std::vector<std::string> nodes;
            for (const auto& node : experiment_.nodes) nodes.push_back(node.name);
            result.node = closest(result.node, nodes);
        }
        const auto* known = declaration(result.node);
        if (!known) return {};
        std::vector<std::string> names;
        for (const auto& info : known->ports)
            if ((info.kind == PortKind::output) == output) names.push_back(info.name);
        if (std::find(names.begin(), names.end(), result.port) != names.end())
            return result == address ? std::vector<Address>{} : std::vector<Address>{result};
        const auto near = closest(result.port, names);
        if (!near.empty()) names = {near};
        std::vector<Address> all;
        for (const auto& name : names) all.push_back({result.node, name});
        return all;
    }

    static Json wireCommand(const char* name, const Address& from, const Address& to) {
        return {{"command", name}, {"from", from.text()}, {"to", to.text()}};
    }

    // -- lists
    // ----------------------------------------------------------------------------------------------------------

    void offerRemoval(const std::string& what) {
        const auto place = problem_.place.substr(0, problem_.place.find(' '));
        offer("Remove " + what, {{{"command", "remove_entry"}, {"place", place.substr(0, place.find(']') + 1)}}});
    }

    void ofWire() {
        WireSpec wire;
        try {
            wire = wireFromJson(item(document_.complete(), "wires", problem_.wire), "wires");
        } catch (const Error&) {
            return offerRemoval("the wire");
        }
        const auto removal = wireCommand("disconnect", wire.from, wire.to);
        const auto instead = [&](const Address& from, const Address& to, const std::string& title) {
            auto connect = wireCommand("connect", from, to);
            if (wire.delay) connect["delay"] = *wire.delay;
            offer(title, {removal, connect});
        };
        const auto *from = port(wire.from), *to = port(wire.to);
        const bool backwards = from && to && from->kind != PortKind::output && to->kind == PortKind::output;
        if (backwards) {
            instead(wire.to, wire.from, "Turn the wire around");
        } else {
            if (!from || from->kind != PortKind::output)
                for (const auto& other : meant(wire.from, true)) instead(other, wire.to, "Begin at " + other.text());
            if (!to || to->kind == PortKind::output)
                for (const auto& other : meant(wire.to, false)) instead(wire.from, other, "End in " + other.text());
        }
        if (from && to && !backwards) {
            ofDelay(wire);
            ofSizes(wire, *from, *to);
        }
        offer(fmt::format("Remove the wire {} -> {}", wire.from.text(), wire.to.text()), {removal});
    }

    void ofDelay(const WireSpec& wire) {
        if (!wire.delay) return;
        auto command = wireCommand("set_delay", wire.from, wire.to);
        if (*wire.delay == 0) {
            command["delay"] = 1;
            offer("Deliver the value of the previous step", {command});
        } else {
            offer("Let the wire have no delay of its own", {command});
        }
    }

    /// What a wire brings and what its target takes, where a parameter says how much that is.
    void ofSizes(const WireSpec& wire, const PortInfo& from, const PortInfo& to) {
        Problems ignored;
        const Graph graph(experiment_, document_.registry(), ignored);
        const int target = graph.node(wire.to.node), source = graph.node(wire.from.node);
        if (target < 0 || source < 0) return;
        const auto& params = graph.nodes()[static_cast<std::size_t>(target)].params;
        const int taken = to.size(params), brought = from.size(graph.nodes()[static_cast<std::size_t>(source)].params);
        int wired = 0;
        for (const auto& other : graph.wires())
            if (other.toNode == target &&
                other.toPort == graph.nodes()[static_cast<std::size_t>(target)].declaration().port(to.name))
                wired += other.size;
        if (taken == openSize || taken == noPort || brought <= 0 || wired == taken) return;
        const auto resize = [&](const std::string& node, const std::string& key, int units) {
            const auto* info = declaration(node)->param(key);
            if (!info || info->type != ParamType::integer || units < info->min || units > info->max) return;
            offer(fmt::format("Set {}.{} to {}", node, key, units),
                  {{{"command", "set_parameter"}, {"node", node}, {"parameter", key}, {"value", units}}});
        };
        resize(wire.to.node, to.sizeText, wired);
        resize(wire.from.node, from.sizeText, brought + taken - wired);
    }

    void ofRecording() {
        const auto& written = item(document_.complete(), "record", problem_.recording);
        const auto& recording = experiment_.recordings[static_cast<std::size_t>(problem_.recording)];
        if (written.is_object() && written.contains("port") && problem_.place.find("].") != std::string::npos) {
            const auto key = problem_.place.substr(problem_.place.find("].") + 2);
            if (key != "port")
                offer("Take the default of " + key, {{{"command", "remove_entry"}, {"place", problem_.place}}});
        }
        if (!recording.port.node.empty())
            for (const auto& other : meant(recording.port, true))
                offer("Record " + other.text(), {{{"command", "remove_recording"}, {"port", recording.port.text()}},
                                                 {{"command", "add_recording"}, {"port", other.text()}}});
        offerRemoval("the recording");
    }

    void ofIntervention() {
        const auto& written = item(document_.complete(), "interventions", problem_.intervention);
        const auto changed = [&](const std::string& title, const auto& change) {
            auto value = written;
            change(value);
            offer(title,
                  {{{"command", "set_intervention"}, {"number", problem_.intervention}, {"intervention", value}}});
        };
        if (written.is_object()) {
            const auto& target = experiment_.interventions[static_cast<std::size_t>(problem_.intervention)].target;
            if (const auto* known = declaration(target.node)) {
                std::vector<std::string> names;
                for (const auto& info : known->ports)
                    if (info.kind == PortKind::output) names.push_back(info.name);
                for (const auto& tensor : known->tensors) names.push_back(tensor.name);
                if (const auto near = closest(target.port, names); !near.empty() && near != target.port)
                    changed("Act on " + target.node + "." + near,
                            [&](Json& value) { value["port"] = target.node + "." + near; });
            }
            if (written.contains("component"))
                changed("Act on all components", [](Json& value) {
                    value.erase("component");
                    value.erase("count");
                });
            if (written.contains("from") || written.contains("to"))
                changed("Act in the whole trial", [](Json& value) {
                    value.erase("from");
                    value.erase("to");
                });
        }
        offerRemoval("the intervention");
    }

    void ofPattern() {
        const auto& pattern = item(document_.complete(), "frozen", problem_.frozen);
        if (pattern.is_string()) {
            if (const auto near = likelyPattern(document_, pattern.get<std::string>()); !near.empty())
                offer("Freeze " + near,
                      {{{"command", "unfreeze"}, {"pattern", pattern}}, {{"command", "freeze"}, {"pattern", near}}});
        }
        offerRemoval("the pattern");
    }

    // -- nodes
    // ----------------------------------------------------------------------------------------------------------

    void ofParameter() {
        const auto& node = problem_.node;
        const auto& key = problem_.parameter;
        const auto* known = declaration(node);
        const auto& params = member(member(member(document_.complete(), "nodes"), node), "params");
        const auto& stated = member(params, key);
        const Json reset{{"command", "reset_parameter"}, {"node", node}, {"parameter", key}};
        const auto set = [&](const std::string& parameter, const Json& value) {
            return Json{{"command", "set_parameter"}, {"node", node}, {"parameter", parameter}, {"value", value}};
        };
        if (!known) return;
        const auto* info = known->param(key);
        if (!info) {
            std::vector<std::string> names;
            for (const auto& parameter : known->params) names.push_back(parameter.key);
            if (const auto near = closest(key, names); !near.empty() && !params.contains(near))
                offer("Rename it to " + near, {reset, set(near, stated)});
            offer("Remove " + key, {reset});
            return;
        }
        if (auto near = nearest(*info, stated); !near.is_null())
            offer("Set " + key + " to " + said(near), {set(key, near)});
        offer("Reset " + key + " to " + said(document_.resetValue(node, key)), {reset});
    }

    /// The allowed value next to what is written; null if there is none, or it is allowed.
    static Json nearest(const ParamInfo& info, const Json& written) {
        const auto number = [&](const Json& value) -> Json {
            double x = NAN;
            if (value.is_number()) x = value.get<double>();
            if (value.is_string()) {
                const auto parsed = Json::parse(value.get<std::string>(), nullptr, false);
                if (parsed.is_number()) x = parsed.get<double>();
            }
            if (std::isnan(x)) return {};
            if (info.type == ParamType::integer) x = std::round(x);
            x = std::clamp(x, info.min, info.max);
            if (info.type == ParamType::integer && std::abs(x) < 9e15) return static_cast<std::int64_t>(x);
            return x;
        };
        Json result;
        switch (info.type) {
        case ParamType::integer:
        case ParamType::real:
            result = number(written);
            break;
        case ParamType::boolean:
            if (written.is_number()) result = written != 0;
            if (written.is_string() && (written == "true" || written == "false")) result = written == "true";
            break;
        case ParamType::text:
            if (written.is_string())
                if (const auto near = closest(written.get<std::string>(), info.choices); !near.empty()) result = near;
            break;
        case ParamType::list:
            if (!written.is_array() || written.size() > 1000) return {};
            result = Json::array();
            for (const auto& value : written) {
                result.push_back(number(value));
                if (result.back().is_null()) return {};
            }
            break;
        }
        return result == written ? Json() : result;
    }

    void ofNode() {
        const auto& node = problem_.node;
        const auto place = "nodes." + node;
        const Json removal{{"command", "remove_nodes"}, {"names", {node}}};
        if (!problem_.port.empty()) return ofSource();
        const auto* known = declaration(node);
        if (problem_.place == place + ".params" && known) {
            offer("Reset all parameters of " + node, {{{"command", "reset_parameter"}, {"node", node}}});
            return;
        }
        if (!known) {
            const auto* spec = experiment_.node(node);
            if (spec && !spec->mechanism.empty())
                if (const auto near = closest(spec->mechanism, document_.registry().keys()); !near.empty())
                    offer("Make it a " + near, {{{"command", "set_mechanism"}, {"node", node}, {"mechanism", near}}});
        } else if (problem_.place.starts_with(place + ".")) {
            return ofEntry();
        }
        offer("Remove " + node, {removal});
    }

    /// Outputs that would satisfy a port to which nothing is wired.
    void ofSource() {
        const auto to = problem_.node + "." + problem_.port;
        std::vector<std::pair<int, std::string>> found;
        for (const auto& node : experiment_.nodes) {
            const auto* known = declaration(node.name);
            if (!known || node.name == problem_.node || known->kind == Kind::rule) continue;
            for (const auto& info : known->ports) {
                if (info.kind != PortKind::output) continue;
                const auto from = node.name + "." + info.name;
                const auto connection = document_.canConnect(from, to);
                if (!connection.fits()) continue;
                int rank = connection.note.empty() ? 0 : 2; // one that fits as it is comes first
                if (info.name != problem_.port) rank += 1;
                for (const auto& wire : experiment_.wires)
                    if (wire.from.text() == from) rank += 4;
                found.emplace_back(rank, from);
            }
        }
        std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        if (found.size() > mostSources) found.resize(mostSources);
        for (const auto& [rank, from] : found)
            offer("Connect " + from, {{{"command", "connect"}, {"from", from}, {"to", to}}});
        if (!found.empty()) return;
        if (!hasKind(Kind::task))
            offerSearch("Add a task", "task.");
        else
            offerSearch("Add a model that sends what it needs", "model.");
    }

    bool hasKind(Kind kind) const {
        return std::any_of(experiment_.nodes.begin(), experiment_.nodes.end(), [&](const NodeSpec& node) {
            const auto* known = declaration(node.name);
            return known && known->kind == kind;
        });
    }

    // -- fields
    // ---------------------------------------------------------------------------------------------------------

    void ofField() {
        const auto& key = problem_.field;
        const Json reset{{"command", "reset_field"}, {"field", key}};
        const auto set = [](const char* field, const Json& value) {
            return Json{{"command", "set_field"}, {"field", field}, {"value", value}};
        };
        if (key == "stages" && !hasKind(Kind::rule)) offerSearch("Add a learning rule", "rule.");
        if ((key == "streams" || key == "steps") && !hasKind(Kind::task)) offerSearch("Add a task", "task.");
        if (key == "trials" && experiment_.trials == 0) offer("Make a batch of 30 trials", {set("trials", 30)});
        if (key == "steps" && experiment_.steps > 0 && !experiment_.streams)
            offer("Let the task say how many steps a trial has", {reset});
        if (key == "steps" && experiment_.steps > 0 && !experiment_.streams)
            offer("Cut a stream into so many steps", {set("streams", true)});
        if (key == "iterations" && !experiment_.stages.empty())
            if (const auto sum = iterationsOf(experiment_.stages); experiment_.iterations > sum)
                offer(fmt::format("Set iterations to {}, as many as the stages have", sum), {set("iterations", sum)});
        const auto* info = experimentField(key);
        if (!info) return ofEntry();
        if (auto near = nearest(*info, member(document_.complete(), key)); !near.is_null())
            offer("Set " + key + " to " + said(near), {set(key.c_str(), near)});
        offer("Reset " + key + " to " + said(document_.resetValue(key)), {reset});
    }

    /// Something that no reader knows, or that cannot be read.
    void ofEntry() {
        const auto place = problem_.place.substr(0, problem_.place.find(' '));
        if (place.empty()) return;
        if (const auto near = suggested(problem_.sentence); !near.empty())
            offer("Rename it to " + near, {{{"command", "rename_entry"}, {"place", place}, {"to", near}}});
        offer("Remove " + place, {{{"command", "remove_entry"}, {"place", place}}});
    }

    const Document& document_;
    const Experiment& experiment_;
    const LocatedProblem& problem_;
    std::vector<Fix> fixes_;
};

} // namespace

Json Fix::command() const {
    if (commands.size() == 1) return commands.front();
    return {{"command", "together"}, {"title", title}, {"commands", commands}};
}

std::string likelyPattern(const Document& document, const std::string& pattern) {
    std::vector<std::string> names;
    for (const auto& node : document.experiment().nodes) {
        if (!document.registry().contains(node.mechanism)) continue;
        const auto& tensors = document.registry().find(node.mechanism, node.name).declaration.tensors;
        if (!tensors.empty()) names.push_back(node.name + ".*");
        for (const auto& tensor : tensors) names.push_back(node.name + "." + tensor.name);
    }
    return closest(pattern, names);
}

std::vector<Fix> possibleFixes(const Document& document, const LocatedProblem& problem) {
    return Finder{document, problem}.find();
}

} // namespace raphe
