// SPDX-License-Identifier: Apache-2.0
#include "engine/base/text.h"
#include "engine/document/fields.h"
#include "engine/editing/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace raphe {

namespace {

/// "agent.hidden" is of agent, and so are the ends of "task.observation -> agent.input" and the pattern "agent.*".
std::string nodeOf(std::string_view address) { return std::string(address.substr(0, address.find('.'))); }

/// Changes every address in a text: of a port, of a tensor, or both ends of a wire.
std::string changedAddresses(const std::string& text, const std::function<std::string(const std::string&)>& change) {
    const auto arrow = text.find("->");
    if (arrow == std::string::npos) return change(text);
    const auto trimmed = [](std::string_view part) {
        const auto first = part.find_first_not_of(" \t"), last = part.find_last_not_of(" \t");
        return first == std::string_view::npos ? std::string() : std::string(part.substr(first, last - first + 1));
    };
    const std::string_view view(text);
    return change(trimmed(view.substr(0, arrow))) + " -> " + change(trimmed(view.substr(arrow + 2)));
}

/// The same for an item of a list, whose addresses stand in it as text or under these keys.
void changeAddresses(Json& item, const std::function<std::string(const std::string&)>& change) {
    if (item.is_string()) item = changedAddresses(item.get<std::string>(), change);
    for (const char* key : {"from", "to", "port"})
        if (item.is_object() && item.contains(key) && item[key].is_string())
            item[key] = changedAddresses(item[key].get<std::string>(), change);
}

bool mentions(const Json& item, const std::set<std::string>& nodes) {
    bool found = false;
    auto copy = item;
    changeAddresses(copy, [&](const std::string& address) {
        found = found || nodes.contains(nodeOf(address));
        return address;
    });
    return found;
}

/// Every list of a document whose items speak of nodes.
void forEachList(Json& document, const std::function<void(Json& parent, const char* key)>& visit) {
    for (const char* key : {"wires", "record", "interventions", "frozen"})
        if (document.contains(key) && document[key].is_array()) visit(document, key);
    if (document.contains("stages") && document["stages"].is_array())
        for (auto& stage : document["stages"])
            if (stage.is_object() && stage.contains("frozen") && stage["frozen"].is_array()) visit(stage, "frozen");
}

void addNode(Draft& draft, const Json& command) {
    const auto name = command["name"].get<std::string>(), mechanism = command["mechanism"].get<std::string>();
    draft.requireNewName(name, "name");
    const auto params = draft.checkedParams(name, mechanism, command.value("params", Json::object()));
    auto& node = draft.object("nodes")[name] = Json{{"mechanism", mechanism}};
    if (!params.empty()) node["params"] = params;
    if (command.contains("at")) draft.place(name, command["at"]);
}

void removeNodes(Draft& draft, const Json& command) {
    std::set<std::string> names;
    for (const auto& name : command["names"]) {
        draft.node(name);
        names.insert(name);
    }
    for (const auto& name : names) {
        draft.object("nodes").erase(name);
        if (draft.document.contains("canvas") && draft.object("canvas").contains("nodes") &&
            draft.object("canvas")["nodes"].is_object())
            draft.object("canvas")["nodes"].erase(name);
    }
    std::vector<std::pair<Json*, const char*>> emptied;
    forEachList(draft.document, [&](Json& parent, const char* key) {
        if (removeItems(parent[key], [&](const Json& item) { return mentions(item, names); }) > 0 &&
            parent[key].empty() && std::string_view(key) != "wires")
            emptied.emplace_back(&parent, key);
    });
    // From the inside outwards, since a document's fields move when one of them goes.
    for (auto item = emptied.rbegin(); item != emptied.rend(); ++item) item->first->erase(item->second);
}

void renameNode(Draft& draft, const Json& command) {
    const auto name = command["name"].get<std::string>(), to = command["to"].get<std::string>();
    draft.node(name);
    if (name == to) return;
    draft.requireNewName(to, "to");
    const auto renamed = [&](const std::string& key) { return key == name ? to : key; };
    renameMembers(draft.object("nodes"), renamed);
    if (draft.document.contains("canvas") && draft.object("canvas").contains("nodes") &&
        draft.object("canvas")["nodes"].is_object())
        renameMembers(draft.object("canvas")["nodes"], renamed);
    forEachList(draft.document, [&](Json& parent, const char* key) {
        for (auto& item : parent[key])
            if (mentions(item, {name}))
                changeAddresses(item, [&](const std::string& address) {
                    return nodeOf(address) == name ? to + address.substr(name.size()) : address;
                });
    });
}

void setParameter(Draft& draft, const Json& command) {
    const auto name = command["node"].get<std::string>(), key = command["parameter"].get<std::string>();
    auto& node = draft.node(name);
    const auto& declaration = draft.declaration(name);
    const auto value = draft.checkedParams(name, declaration.key(), Json{{key, command["value"]}})[key];
    auto& params = node["params"];
    if (params.is_null()) params = Json::object();
    if (!params.is_object())
        throw Error("nodes." + name + ".params", "is not an object; correct the document's file first");
    std::vector<std::string> order;
    for (const auto& info : declaration.params) order.push_back(info.key);
    insertMember(params, key, value, order);
}

void resetParameter(Draft& draft, const Json& command) {
    const auto name = command["node"].get<std::string>();
    auto& node = draft.node(name);
    // What the base says of the node; there, "reset" returns to that.
    const auto inherited = [&]() -> Json {
        const auto member = [](const Json& object, const std::string& key) {
            return object.is_object() && object.contains(key) ? object[key] : Json();
        };
        const auto own = member(member(draft.base, "nodes"), name);
        const auto params = member(own, "params");
        const bool same = member(own, "mechanism") == member(node, "mechanism");
        return same && params.is_object() ? params : Json::object();
    }();
    if (!command.contains("parameter")) {
        node.erase("params");
        if (!inherited.empty()) node["params"] = inherited;
        return;
    }
    const auto key = command["parameter"].get<std::string>();
    if (inherited.contains(key)) {
        auto& params = node["params"];
        if (!params.is_object()) params = Json::object();
        params[key] = inherited[key];
        return;
    }
    const bool stated = node.contains("params") && node["params"].is_object() && node["params"].contains(key);
    if (!stated) {
        const auto& declaration = draft.declaration(name);
        if (declaration.param(key)) return;
        std::vector<std::string> known;
        for (const auto& info : declaration.params) known.push_back(info.key);
        throw Error("nodes." + name + ".params", fmt::format("{} has no parameter \"{}\"{}", declaration.key(),
                                                             key.substr(0, 80), suggestion(key, known)));
    }
    node["params"].erase(key);
    if (node["params"].empty()) node.erase("params");
}

void setMechanism(Draft& draft, const Json& command) {
    const auto name = command["node"].get<std::string>(), mechanism = command["mechanism"].get<std::string>();
    auto& node = draft.node(name);
    const auto& declaration = draft.registry.find(mechanism, "nodes." + name + ".mechanism").declaration;
    const auto before = node.value("params", Json::object());
    node["mechanism"] = declaration.key();
    Json kept = Json::object();
    if (before.is_object())
        for (const auto& [key, value] : before.items()) {
            try {
                kept.update(draft.checkedParams(name, declaration.key(), Json{{key, value}}));
            } catch (const Error&) { // the other mechanism does not have it, or not with this value
            }
        }
    node.erase("params");
    if (!kept.empty()) node["params"] = kept;
}

void move(Draft& draft, const Json& command) {
    for (const auto& [name, position] : command["positions"].items()) {
        draft.node(name);
        draft.place(name, position);
    }
}

} // namespace

std::vector<CommandInfo> nodeCommands() {
    using enum ArgumentType;
    return {
        {"add_node",
         "Add node",
         "Add {name}",
         "Adds a node.",
         {{"name", name, false, "of the new node"},
          {"mechanism", text, false, "its key, such as model.dense"},
          {"params", fields, true, "values that differ from the defaults"},
          {"at", position, true, "where it is drawn"}},
         addNode},
        {"remove_nodes",
         "Remove nodes",
         "Remove {names}",
         "Removes nodes together with their wires, recordings and interventions, and the patterns that freeze only "
         "their tensors.",
         {{"names", names, false, "of the nodes"}},
         removeNodes},
        {"rename_node",
         "Rename node",
         "Rename {name} to {to}",
         "Gives a node another name, wherever the document speaks of it.",
         {{"name", name, false, "of the node"}, {"to", name, false, "its new name"}},
         renameNode},
        {"set_mechanism",
         "Set mechanism",
         "Make {node} a {mechanism}",
         "Gives a node another mechanism. Its wires stay, and so do the parameters that both mechanisms have.",
         {{"node", name, false, "name of the node"}, {"mechanism", text, false, "its key, such as model.gru"}},
         setMechanism},
        {"set_parameter",
         "Set parameter",
         "Set {node}.{parameter}",
         "Gives a hyper-parameter a value.",
         {{"node", name, false, "name of the node"},
          {"parameter", text, false, "key of the hyper-parameter"},
          {"value", value, false, "of its type and in its range"}},
         setParameter},
        {"reset_parameter",
         "Reset parameter",
         "Reset {node} {parameter}",
         "Returns a hyper-parameter, or all of a node, to the default; in a variant to what its base says.",
         {{"node", name, false, "name of the node"}, {"parameter", text, true, "key; otherwise all"}},
         resetParameter},
        {"move",
         "Move nodes",
         "Move {positions}",
         "Draws nodes elsewhere on the canvas. Nothing that is computed depends on it.",
         {{"positions", positions, false, "centres of the nodes, by name"}},
         move},
    };
}

} // namespace raphe
