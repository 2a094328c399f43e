// SPDX-License-Identifier: Apache-2.0
#include "engine/editing/draft.h"

#include "engine/base/text.h"
#include "engine/document/canvas.h"
#include "engine/document/fields.h"

#include <fmt/format.h>

#include <algorithm>

namespace raphe {

Json& Draft::list(const char* key) {
    auto& value = document[key];
    if (value.is_null()) value = Json::array();
    if (!value.is_array()) throw Error(key, "is not a list; correct the document's file first");
    return value;
}

Json& Draft::object(const char* key) {
    auto& value = document[key];
    if (value.is_null()) value = Json::object();
    if (!value.is_object()) throw Error(key, "is not an object; correct the document's file first");
    return value;
}

void Draft::prune(const char* key) {
    if (document.contains(key) && document[key].is_structured() && document[key].empty()) document.erase(key);
}

Json& Draft::node(const std::string& name) {
    auto& nodes = object("nodes");
    if (!nodes.contains(name))
        throw Error("nodes",
                    "the experiment has no node \"" + name.substr(0, 80) + "\"" + suggestion(name, keysOf(nodes)));
    if (!nodes[name].is_object()) throw Error("nodes." + name, "is not an object; correct the document's file first");
    return nodes[name];
}

const DeclarationData& Draft::declaration(const std::string& name) {
    const auto& item = node(name);
    const auto mechanism = item.contains("mechanism") && item["mechanism"].is_string()
                               ? item["mechanism"].get<std::string>()
                               : std::string();
    return registry.find(mechanism, "nodes." + name + ".mechanism").declaration;
}

void Draft::requireNewName(const std::string& name, const std::string& place) {
    fields::checkName(name, "a node's name", place);
    if (object("nodes").contains(name))
        throw Error(place, fmt::format("there is a node \"{}\" already; choose another name, such as \"{}\"", name,
                                       freeName(name)));
}

std::string Draft::freeName(const std::string& wanted) {
    const auto& nodes = object("nodes");
    if (!nodes.contains(wanted)) return wanted;
    auto stem = wanted.substr(0, 56);
    while (stem.size() > 1 && std::isdigit(static_cast<unsigned char>(stem.back()))) stem.pop_back();
    for (int number = 2;; ++number)
        if (auto name = stem + std::to_string(number); !nodes.contains(name)) return name;
}

Json Draft::checkedParams(const std::string& node, const std::string& mechanism, const Json& params) const {
    const auto& declaration = registry.find(mechanism, "nodes." + node + ".mechanism").declaration;
    if (!params.is_object()) fields::expected("nodes." + node + ".params", "an object", params);
    std::vector<std::string> order;
    for (const auto& info : declaration.params) order.push_back(info.key);
    Json result = Json::object();
    for (const auto& [key, value] : params.items()) {
        const auto place = "nodes." + node + ".params." + key;
        const auto* info = declaration.param(key);
        if (!info)
            throw Error(place, fmt::format("{} has no parameter \"{}\"{}", mechanism, key.substr(0, 80),
                                           suggestion(key, order)));
        // A script has one kind of empty table.
        const bool emptyList = info->type == ParamType::list && value.is_object() && value.empty();
        auto checked = emptyList ? Json::array() : value;
        readParam(*info, checked, place);
        insertMember(result, key, std::move(checked), order);
    }
    return result;
}

void Draft::place(const std::string& name, const Json& position) {
    positionFromJson(position, "canvas.nodes." + name);
    auto& nodes = object("canvas")["nodes"];
    if (nodes.is_null()) nodes = Json::object();
    if (!nodes.is_object()) throw Error("canvas.nodes", "is not an object; correct the document's file first");
    nodes[name] = position;
}

Address Draft::port(const std::string& text, bool output) {
    const auto address = parseAddress(text, output ? "from" : "to");
    const auto& known = declaration(address.node);
    const auto place = "nodes." + address.node;
    std::vector<std::string> names;
    for (const auto& info : known.ports)
        if ((info.kind == PortKind::output) == output) names.push_back(info.name);
    const int index = known.port(address.port);
    if (index < 0)
        throw Error(place, fmt::format("{} has no port \"{}\"{}", known.key(), address.port.substr(0, 80),
                                       suggestion(address.port, names)));
    if ((known.ports[static_cast<std::size_t>(index)].kind == PortKind::output) != output)
        throw Error(place, fmt::format("{} is {} port of {}{}", address.text(),
                                       output ? "not an output" : "an output, not an input or modulation", known.key(),
                                       suggestion(address.port, names)));
    return address;
}

} // namespace raphe
