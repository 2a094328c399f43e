// SPDX-License-Identifier: Apache-2.0
#include "engine/base/text.h"
#include "engine/document/fields.h"
#include "engine/editing/draft.h"

#include <fmt/format.h>

#include <algorithm>

namespace raphe {

namespace {

// -- what a run keeps -------------------------------------------------------------------------------------------------

std::string portOf(const Json& recording) {
    if (recording.is_string()) return recording.get<std::string>();
    return recording.is_object() && recording.contains("port") && recording["port"].is_string()
               ? recording["port"].get<std::string>()
               : std::string();
}

/// A recording as it stands in a document: a text as long as nothing is said but the port.
Json recordingOf(const Json& command) {
    const auto port = command["port"].get<std::string>();
    const auto options = command.value("options", Json::object());
    if (options.empty()) return port;
    Json recording{{"port", port}};
    for (const auto& [key, value] : options.items()) {
        if (key == "port") throw Error("options.port", "the port is stated already");
        recording[key] = value;
    }
    recordingFromJson(recording, "options");
    return recording;
}

Json::iterator findRecording(Json& list, const std::string& port) {
    return std::find_if(list.begin(), list.end(), [&](const Json& item) { return portOf(item) == port; });
}

[[noreturn]] void notRecorded(const Json& list, const std::string& port) {
    std::vector<std::string> known;
    for (const auto& item : list) known.push_back(portOf(item));
    throw Error("record", fmt::format("\"{}\" is not recorded{}", port.substr(0, 80),
                                      known.empty() ? "" : suggestion(port, known)));
}

void addRecording(Draft& draft, const Json& command) {
    const auto port = command["port"].get<std::string>();
    draft.port(port, true);
    auto& list = draft.list("record");
    if (findRecording(list, port) != list.end())
        throw Error("record", fmt::format("{} is recorded already; it is changed by set_recording", port));
    list.push_back(recordingOf(command));
}

void setRecording(Draft& draft, const Json& command) {
    const auto port = command["port"].get<std::string>();
    auto& list = draft.list("record");
    const auto found = findRecording(list, port);
    if (found == list.end()) notRecorded(list, port);
    *found = recordingOf(command);
}

void removeRecording(Draft& draft, const Json& command) {
    const auto port = command["port"].get<std::string>();
    auto& list = draft.list("record");
    if (findRecording(list, port) == list.end()) notRecorded(list, port);
    removeItems(list, [&](const Json& item) { return portOf(item) == port; });
    draft.prune("record");
}

// -- interventions ----------------------------------------------------------------------------------------------------

Json& interventionAt(Draft& draft, const Json& command) {
    auto& list = draft.list("interventions");
    const auto number = command["number"].get<std::int64_t>();
    if (number < 0 || number >= static_cast<std::int64_t>(list.size()))
        throw Error("interventions",
                    fmt::format("there is no number {}; the list has {}, counted from 0", number, list.size()));
    return list[static_cast<std::size_t>(number)];
}

/// @throws Error unless it can be read and acts on a port or tensor that is declared
const Json& checkedIntervention(Draft& draft, const Json& command) {
    const auto& value = command["intervention"];
    const auto [target, operation] = [&] {
        const auto read = interventionFromJson(value, "intervention");
        return std::pair{read.target, read.operation};
    }();
    const auto& known = draft.declaration(target.node);
    if (operation == Operation::swap) return value; // which states a node has is not declared
    std::vector<std::string> names;
    for (const auto& port : known.ports)
        if (port.kind == PortKind::output) names.push_back(port.name);
    for (const auto& tensor : known.tensors) names.push_back(tensor.name);
    if (std::find(names.begin(), names.end(), target.port) == names.end())
        throw Error("intervention.port", fmt::format("{} has no output port and no tensor \"{}\"{}", known.key(),
                                                     target.port.substr(0, 80), suggestion(target.port, names)));
    return value;
}

void addIntervention(Draft& draft, const Json& command) {
    draft.list("interventions").push_back(checkedIntervention(draft, command));
}

void setIntervention(Draft& draft, const Json& command) {
    interventionAt(draft, command) = checkedIntervention(draft, command);
}

void removeIntervention(Draft& draft, const Json& command) {
    interventionAt(draft, command);
    draft.list("interventions").erase(command["number"].get<std::size_t>());
    draft.prune("interventions");
}

void enableIntervention(Draft& draft, const Json& command) {
    auto& item = interventionAt(draft, command);
    if (!item.is_object())
        throw Error(fmt::format("interventions[{}]", command["number"].dump()),
                    "is not an object; correct the document's file first");
    item.erase("enabled");
    if (!command["on"].get<bool>()) item["enabled"] = false;
}

} // namespace

std::vector<CommandInfo> observationCommands() {
    using enum ArgumentType;
    const ArgumentInfo port{"port", address, false, "an output port"},
        number{"number", integer, false, "its place in the list, from 0"},
        intervention{"intervention", fields, false, "port, operation, component, count, value, from, to, enabled"};
    return {
        {"add_recording",
         "Record",
         "Record {port}",
         "Keeps a signal while training.",
         {port, {"options", fields, true, "every_steps, every_iterations, trials"}},
         addRecording},
        {"set_recording",
         "Change recording",
         "Change recording of {port}",
         "Says anew how often a signal is kept.",
         {port, {"options", fields, true, "every_steps, every_iterations, trials; otherwise the defaults"}},
         setRecording},
        {"remove_recording",
         "Stop recording",
         "Stop recording {port}",
         "Keeps a signal no longer.",
         {port},
         removeRecording},
        {"add_intervention",
         "Intervene",
         "Intervene on {intervention.port}",
         "Changes a signal or a tensor during chosen steps.",
         {intervention},
         addIntervention},
        {"set_intervention",
         "Change intervention",
         "Change intervention on {intervention.port}",
         "Replaces an intervention.",
         {number, intervention},
         setIntervention},
        {"remove_intervention",
         "Remove intervention",
         "Remove intervention {number}",
         "Removes an intervention.",
         {number},
         removeIntervention},
        {"enable_intervention",
         "Switch intervention",
         "Switch intervention {number}",
         "Switches an intervention on or off. One that is off stays in the document and does nothing.",
         {number, {"on", boolean, false, "whether it acts"}},
         enableIntervention},
    };
}

} // namespace raphe
