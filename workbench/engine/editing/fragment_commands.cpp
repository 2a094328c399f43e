// SPDX-License-Identifier: Apache-2.0
#include "engine/document/canvas.h"
#include "engine/document/fields.h"
#include "engine/editing/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace raphe {

namespace {

constexpr double step = 40; ///< by which a copy is drawn beside its original

struct Fragment {
    Json nodes = Json::object(), wires = Json::array(), positions = Json::object();
};

Fragment readFragment(const std::string& text) {
    const auto document = parseJson(text, "fragment");
    Fragment fragment;
    const auto objectInto = [](Json& target) {
        return [&target](const Json& value, const std::string& place) {
            if (!value.is_object()) fields::expected(place, "an object", value);
            target = value;
        };
    };
    fields::readFields(document, "fragment",
                       {{"nodes", objectInto(fragment.nodes)},
                        {"wires",
                         [&](const Json& value, const std::string& place) {
                             if (!value.is_array()) fields::expected(place, "a list", value);
                             fragment.wires = value;
                         }},
                        {"positions", objectInto(fragment.positions)}});
    if (fragment.nodes.empty()) throw Error("fragment.nodes", "there are no nodes to paste; copy some first");
    if (fragment.nodes.size() > 10'000) throw Error("fragment.nodes", "an experiment has at most 10000 nodes");
    return fragment;
}

/// Where the fragment's first corner goes: to a given position, or beside where it was.
Position shiftOf(const Fragment& fragment, const Json& command) {
    if (!command.contains("at")) return {step, step};
    const auto at = positionFromJson(command["at"], "at");
    Position corner{1e9, 1e9};
    for (const auto& [name, value] : fragment.positions.items()) {
        const auto position = positionFromJson(value, "fragment.positions." + name);
        corner = {std::min(corner.x, position.x), std::min(corner.y, position.y)};
    }
    return {at.x - corner.x, at.y - corner.y};
}

void insertFragment(Draft& draft, const Fragment& fragment, const Json& command) {
    std::map<std::string, std::string> names;
    for (const auto& [name, node] : fragment.nodes.items()) {
        const auto place = "fragment.nodes." + name;
        fields::checkName(name, "a node's name", place);
        std::string mechanism;
        Json params = Json::object();
        fields::readFields(node, place,
                           {{"mechanism", fields::textInto(mechanism)},
                            {"params", [&](const Json& value, const std::string&) { params = value; }}});
        params = draft.checkedParams(name, mechanism, params);
        const auto& free = names[name] = draft.freeName(name);
        auto& made = draft.object("nodes")[free] = Json{{"mechanism", mechanism}};
        if (!params.empty()) made["params"] = params;
    }
    for (std::size_t i = 0; i < fragment.wires.size(); ++i) {
        const auto place = fmt::format("fragment.wires[{}]", i);
        auto wire = wireFromJson(fragment.wires[i], place);
        for (auto* end : {&wire.from, &wire.to}) {
            const auto found = names.find(end->node);
            if (found == names.end()) throw Error(place, fmt::format("\"{}\" is no node of the fragment", end->node));
            end->node = found->second;
            draft.port(end->text(), end == &wire.from);
        }
        draft.list("wires").push_back(toJson(wire));
    }
    const auto shift = shiftOf(fragment, command);
    for (const auto& [name, value] : fragment.positions.items()) {
        const auto place = "fragment.positions." + name;
        if (!names.contains(name)) throw Error(place, fmt::format("\"{}\" is no node of the fragment", name));
        const auto position = positionFromJson(value, place);
        draft.place(names.at(name), toJson(Position{position.x + shift.x, position.y + shift.y}));
    }
    // Nodes that were never drawn are put where the user points.
    if (command.contains("at"))
        for (const auto& [name, free] : names)
            if (!fragment.positions.contains(name)) draft.place(free, command["at"]);
}

void paste(Draft& draft, const Json& command) {
    insertFragment(draft, readFragment(command["fragment"].get<std::string>()), command);
}

void duplicate(Draft& draft, const Json& command) {
    const auto text = fragmentOf(draft.document, command["names"].get<std::vector<std::string>>());
    insertFragment(draft, readFragment(text), command);
}

} // namespace

std::string fragmentOf(const Json& document, const std::vector<std::string>& names) {
    const Experiment none;
    const Registry nothing;
    const auto noBase = Json::object();
    Draft draft{document, none, nothing, noBase};
    const std::set<std::string> wanted(names.begin(), names.end());
    for (const auto& name : wanted) draft.node(name);
    Fragment fragment;
    for (const auto& [name, node] : draft.object("nodes").items())
        if (wanted.contains(name)) fragment.nodes[name] = node;
    for (const auto& item : draft.list("wires")) {
        try {
            const auto wire = wireFromJson(item, "wires");
            if (wanted.contains(wire.from.node) && wanted.contains(wire.to.node)) fragment.wires.push_back(item);
        } catch (const Error&) { // it cannot be read, so it is nobody's
        }
    }
    for (const auto& [name, position] : positionsOf(document))
        if (wanted.contains(name)) fragment.positions[name] = toJson(position);
    return Json{{"nodes", fragment.nodes}, {"wires", fragment.wires}, {"positions", fragment.positions}}.dump();
}

std::vector<CommandInfo> fragmentCommands() {
    using enum ArgumentType;
    return {
        {"paste",
         "Paste",
         "Paste",
         "Adds nodes with the wires among them, as they were copied; names that are taken get a number.",
         {{"fragment", text, false, "JSON: nodes, wires, positions"},
          {"at", position, true, "where the first corner goes; otherwise beside where the nodes were"}},
         paste},
        {"duplicate",
         "Duplicate",
         "Duplicate {names}",
         "Adds copies of nodes with the wires among them.",
         {{"names", names, false, "of the nodes"}},
         duplicate},
    };
}

} // namespace raphe
