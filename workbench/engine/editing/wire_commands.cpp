// SPDX-License-Identifier: Apache-2.0
#include "engine/editing/draft.h"

#include <fmt/format.h>

namespace raphe {

namespace {

bool joins(const Json& item, const Address& from, const Address& to) {
    try {
        const auto wire = wireFromJson(item, "wires");
        return wire.from == from && wire.to == to;
    } catch (const Error&) {
        return false; // it cannot be read, and is one of the document's problems
    }
}

std::optional<int> delayOf(const Json& command) {
    if (!command.contains("delay")) return std::nullopt;
    const auto delay = command["delay"].get<std::int64_t>();
    if (delay != 0 && delay != 1)
        throw Error("delay", fmt::format("expected 0 (same step) or 1 (previous step), got {}", delay));
    return static_cast<int>(delay);
}

struct Ends {
    Address from, to;
};
Ends endsOf(const Json& command) {
    return {parseAddress(command["from"].get<std::string>(), "from"),
            parseAddress(command["to"].get<std::string>(), "to")};
}

[[noreturn]] void noWire(const Ends& ends) {
    throw Error("wires", fmt::format("there is no wire {} -> {}", ends.from.text(), ends.to.text()));
}

void connect(Draft& draft, const Json& command) {
    const WireSpec wire{draft.port(command["from"].get<std::string>(), true),
                        draft.port(command["to"].get<std::string>(), false), delayOf(command)};
    auto& wires = draft.list("wires");
    for (const auto& item : wires)
        if (joins(item, wire.from, wire.to)) throw Error("wires", wireIsThere(wire.from, wire.to));
    wires.push_back(toJson(wire));
}

void disconnect(Draft& draft, const Json& command) {
    const auto ends = endsOf(command);
    if (removeItems(draft.list("wires"), [&](const Json& item) { return joins(item, ends.from, ends.to); }) == 0)
        noWire(ends);
}

void setDelay(Draft& draft, const Json& command) {
    const auto ends = endsOf(command);
    bool found = false;
    for (auto& item : draft.list("wires")) {
        if (!joins(item, ends.from, ends.to)) continue;
        item = toJson(WireSpec{ends.from, ends.to, delayOf(command)});
        found = true;
    }
    if (!found) noWire(ends);
}

} // namespace

std::string wireIsThere(const Address& from, const Address& to) {
    return fmt::format("{} -> {} is there already, and two ports are joined by one wire; its delay is changed by "
                       "set_delay. For the present and the previous value together, send one of them through a node of "
                       "its own",
                       from.text(), to.text());
}

std::vector<CommandInfo> wireCommands() {
    using enum ArgumentType;
    const ArgumentInfo from{"from", address, false, "an output port"},
        to{"to", address, false, "an input or modulation port"};
    return {
        {"connect",
         "Connect",
         "Connect {from} -> {to}",
         "Adds a wire.",
         {from, to, {"delay", integer, true, "0: same step, 1: previous step; otherwise what the cycles ask for"}},
         connect},
        {"disconnect", "Disconnect", "Disconnect {from} -> {to}", "Removes a wire.", {from, to}, disconnect},
        {"set_delay",
         "Set delay",
         "Set delay of {from} -> {to}",
         "States when a wire delivers, or leaves it to the cycles.",
         {from, to, {"delay", integer, true, "0: same step, 1: previous step; otherwise what the cycles ask for"}},
         setDelay},
    };
}

} // namespace raphe
