// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/editing/document.h"

#include <random>
#include <string>
#include <vector>

namespace raphe::test {

/// Commands as somebody might give them who knows the document but does not care what becomes of it. Some do not fit.
class RandomEdits {
public:
    explicit RandomEdits(std::uint32_t seed) : random_(seed) {}

    int below(std::size_t n) { return static_cast<int>(random_() % std::max<std::size_t>(n, 1)); }
    template <class T>
    T any(const std::vector<T>& list) {
        return list.empty() ? T{} : list[static_cast<std::size_t>(below(list.size()))];
    }

    Json next(const Document& document) {
        document_ = &document;
        const auto& info = commands()[static_cast<std::size_t>(below(commands().size()))];
        Json command{{"command", info.name}};
        for (const auto& argument : info.arguments)
            if (!argument.optional || below(2) == 0) command[argument.name] = valueOf(info.name, argument, command);
        return command;
    }

private:
    std::vector<std::string> nodes() const {
        std::vector<std::string> names;
        for (const auto& node : document_->experiment().nodes) names.push_back(node.name);
        return names;
    }
    std::string freshName() {
        return any<std::string>({"a", "gate", "x_", "core", "agent", "n"}) + std::to_string(below(9));
    }
    std::string mechanism() { return any(document_->registry().keys()); }
    const DeclarationData* declarationOf(const std::string& node) {
        const auto* spec = document_->experiment().node(node);
        return spec && document_->registry().contains(spec->mechanism)
                   ? &document_->registry().find(spec->mechanism, "").declaration
                   : nullptr;
    }
    std::string portOf(const std::string& node, bool output) {
        std::vector<std::string> names;
        if (const auto* declaration = declarationOf(node))
            for (const auto& port : declaration->ports)
                if ((port.kind == PortKind::output) == output) names.push_back(port.name);
        return names.empty() ? "nothing" : any(names);
    }
    std::string address(bool output) {
        const auto node = any(nodes());
        return (node.empty() ? "none" : node) + "." + portOf(node, output);
    }
    Json number() {
        switch (below(4)) {
        case 0:
            return below(20);
        case 1:
            return below(1000) * 0.001;
        case 2:
            return -1.0;
        default:
            return 1 + below(4);
        }
    }
    Json position() { return {below(2000) - 1000, below(1000) * 0.25}; }
    Json paramValue(const std::string& node, const std::string& key) {
        const auto* declaration = declarationOf(node);
        const auto* info = declaration ? declaration->param(key) : nullptr;
        if (!info) return number();
        switch (info->type) {
        case ParamType::boolean:
            return below(2) == 0;
        case ParamType::text:
            return info->choices.empty() ? "text" : any(info->choices);
        case ParamType::list:
            return below(3) == 0 ? Json::array() : Json{number(), number()};
        default:
            return number();
        }
    }
    Json intervention() {
        Json value{{"port", address(true)},
                   {"operation", any<std::string>({"clamp", "scale", "perturb", "noise", "lesion"})}};
        if (below(2) == 0) value["value"] = number();
        if (below(3) == 0) value["from"] = below(10);
        if (below(4) == 0) value["enabled"] = below(2) == 0;
        return value;
    }
    /// A wire that is there, as often as one that is not.
    Json wireEnd(const std::string& command, const std::string& argument, const Json& given) {
        const auto& wires = document_->experiment().wires;
        if (command != "connect" && !wires.empty()) {
            if (argument == "from") return any(wires).from.text();
            for (const auto& wire : wires)
                if (given.value("from", "") == wire.from.text()) return wire.to.text();
        }
        return address(argument == "from");
    }
    Json fieldValue(const std::string& field) {
        if (field == "stages")
            return Json::array({{{"name", "one"}, {"iterations", 1 + below(50)}, {"frozen", Json::array()}},
                                {{"iterations", 1 + below(9)}, {"name", "two"}, {"reset_optimiser", true}}});
        if (field == "doc") return "text " + std::to_string(below(10));
        if (field == "streams") return below(2) == 0;
        if (field == "precision") return any<std::string>({"float32", "float64"});
        return number();
    }
    Json valueOf(const std::string& command, const ArgumentInfo& argument, const Json& given) {
        const std::string name = argument.name;
        switch (argument.type) {
        case ArgumentType::name:
            return command == "add_node" || name == "to" ? freshName() : any(nodes());
        case ArgumentType::names: {
            Json list = Json::array();
            for (int i = 1 + below(2); i > 0; --i) list.push_back(any(nodes()));
            return list;
        }
        case ArgumentType::address:
            if (name == "port") {
                const auto& recordings = document_->experiment().recordings;
                return command == "add_recording" || recordings.empty() ? address(true) : any(recordings).port.text();
            }
            return wireEnd(command, name, given);
        case ArgumentType::text:
            if (name == "mechanism") return mechanism();
            if (name == "parameter") {
                const auto* declaration = declarationOf(given.value("node", ""));
                return declaration && !declaration->params.empty() ? any(declaration->params).key : "none";
            }
            if (name == "field") return any(settableFields());
            if (name == "place")
                return any<std::string>({"wires[0]", "record[0]", "frozen[0]", "interventions[0].from", "stages[0].set",
                                         "nodes." + any(nodes()) + ".params", "doc"});
            if (name == "pattern") {
                const auto& frozen = document_->experiment().frozen;
                return command == "unfreeze" && !frozen.empty() ? any(frozen) : any(nodes()) + ".*";
            }
            if (name == "fragment") return nodes().empty() ? "{}" : document_->copyNodes({any(nodes())});
            return any<std::string>({"text", "two\nlines", "\"quoted\"", "ünusual", ""});
        case ArgumentType::commands: {
            Json list = Json::array();
            while (list.size() < 2)
                if (auto part = next(*document_); part["command"] != "together") list.push_back(std::move(part));
            return list;
        }
        case ArgumentType::integer:
            return name == "delay" ? below(2) : below(document_->experiment().interventions.size() + 1);
        case ArgumentType::boolean:
            return below(2) == 0;
        case ArgumentType::value:
            return command == "set_field" ? fieldValue(given.value("field", ""))
                                          : paramValue(given.value("node", ""), given.value("parameter", ""));
        case ArgumentType::fields:
            if (command == "add_node") return Json::object();
            if (name == "intervention") return intervention();
            return {{"every_steps", 1 + below(4)}, {"trials", 1}};
        case ArgumentType::position:
            return position();
        case ArgumentType::positions:
            return {{any(nodes()), position()}};
        }
        return nullptr;
    }

    std::mt19937 random_;
    const Document* document_ = nullptr;
};

} // namespace raphe::test
