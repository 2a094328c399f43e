// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"
#include "engine/editing/commands.h"

#include <string>
#include <vector>

namespace raphe {

/// A document while a command changes it. A command sees the complete document and need not know of bases.
struct Draft {
    Json document;
    const Experiment& experiment; ///< what could be read before the command
    const Registry& registry;
    const Json& base;      ///< what the document says where it states nothing; an empty object if it has no base
    bool detached = false; ///< it states everything itself from now on

    /// The list or object under this key, made if there is none. @throws Error if something else stands there
    Json& list(const char* key);
    Json& object(const char* key);
    /// Takes away the list or object if it is empty.
    void prune(const char* key);

    /// What stands under nodes.name. @throws Error with a suggestion
    Json& node(const std::string& name);
    const DeclarationData& declaration(const std::string& node);
    /// @throws Error if the name is taken, or no name
    void requireNewName(const std::string& name, const std::string& place);
    /// `wanted`, or with a number behind it.
    std::string freeName(const std::string& wanted);
    /// The parameters of a node as they may stand in a document, in the order of the declaration. @throws Error
    Json checkedParams(const std::string& node, const std::string& mechanism, const Json& params) const;
    void place(const std::string& node, const Json& position);

    /// "node.port" of a port that exists. @throws Error  @param output  which side it must be on
    Address port(const std::string& text, bool output);
};

/// Gives an object's members another order or other names by making it anew.
template <class Rename>
void renameMembers(Json& object, Rename rename) {
    Json made = Json::object();
    for (auto& [key, value] : object.get_ref<Json::object_t&>())
        made.get_ref<Json::object_t&>().push_back({rename(key), std::move(value)});
    object = std::move(made);
}

/// Removes the items that `unwanted` holds of. @return how many
template <class Unwanted>
std::size_t removeItems(Json& list, Unwanted unwanted) {
    Json kept = Json::array();
    for (auto& item : list)
        if (!unwanted(item)) kept.push_back(std::move(item));
    const auto removed = list.size() - kept.size();
    list = std::move(kept);
    return removed;
}

/// Why a second wire between two ports is refused.
std::string wireIsThere(const Address& from, const Address& to);

std::vector<CommandInfo> nodeCommands();
std::vector<CommandInfo> wireCommands();
std::vector<CommandInfo> settingCommands();
std::vector<CommandInfo> observationCommands();
std::vector<CommandInfo> fragmentCommands();

/// See Document::copyNodes().
std::string fragmentOf(const Json& document, const std::vector<std::string>& names);

} // namespace raphe
