// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

#include <string>
#include <vector>

namespace raphe {

struct Draft;

/// What an argument of a command is. The binding to Lua, the check and the echo follow from it.
enum class ArgumentType {
    text,    ///< any text
    name,    ///< of a node
    names,   ///< list of such
    address, ///< "node.port"
    integer,
    boolean,
    value,     ///< whatever the parameter or the field takes
    fields,    ///< object
    position,  ///< [x, y] on the canvas
    positions, ///< object: name of a node -> position
    commands,  ///< list of commands
};
const char* nameOf(ArgumentType type);

struct ArgumentInfo {
    const char* name;
    ArgumentType type;
    bool optional;
    const char* doc;
};

/// One kind of change of a document. A command is data: {"command": "connect", "from": "a.x", "to": "b.y"}.
struct CommandInfo {
    const char* name;
    const char* title;   ///< in menus
    const char* summary; ///< of one command, in the list of what can be undone; {from} stands for an argument
    const char* doc;
    std::vector<ArgumentInfo> arguments;
    void (*run)(Draft& draft, const Json& command); ///< throws Error if the command does not fit the document
};

/// All commands. Menus, palette, Lua, reference and tests read this table.
const std::vector<CommandInfo>& commands();
/// @throws Error with a suggestion
const CommandInfo& commandNamed(const std::string& name);

/// The command with its arguments in the order of the table, checked as far as that needs no document. Members of
/// objects are put in alphabetical order, so that it does not matter who wrote it. @throws Error
Json checkedCommand(const Json& command);
/// "Connect a.x -> b.y"
std::string summaryOf(const Json& command);
/// `e:connect("a.x", "b.y")`: Lua that does the same. @param object  what the document is called there
std::string luaLine(const Json& command, const std::string& object = "e");

/// A text between quotation marks, as Lua writes it.
std::string luaText(const std::string& text);

/// The table as a section of the reference.
std::string commandsMarkdown();

} // namespace raphe
