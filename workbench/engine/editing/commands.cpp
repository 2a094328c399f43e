// SPDX-License-Identifier: Apache-2.0
#include "engine/editing/commands.h"

#include "engine/base/text.h"
#include "engine/document/canvas.h"
#include "engine/document/fields.h"
#include "engine/editing/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace raphe {

namespace {

constexpr std::size_t mostTogether = 10'000;

/// Members of objects in alphabetical order, whole numbers with a sign or else as fractions: what Lua makes of a value
/// and gives back.
Json plain(const Json& value, const std::string& place) {
    if (value.is_object()) {
        auto keys = keysOf(value);
        std::sort(keys.begin(), keys.end());
        Json sorted = Json::object();
        for (const auto& key : keys) sorted[key] = plain(value[key], place + "." + key);
        return sorted;
    }
    if (value.is_array()) {
        Json list = Json::array();
        for (const auto& item : value) list.push_back(plain(item, place));
        return list;
    }
    if (value.is_number_unsigned()) {
        const auto number = value.get<std::uint64_t>();
        if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
            return static_cast<double>(number);
        return static_cast<std::int64_t>(number);
    }
    if (value.is_number_float() && !std::isfinite(value.get<double>()))
        fields::expected(place, "a finite number", value);
    return value;
}

/// @throws Error unless every text in the value is UTF-8
void requireUtf8(const Json& value, const std::string& place) {
    try {
        value.dump();
    } catch (const Json::exception&) {
        throw Error(place, "expected text in UTF-8");
    }
}

void checkArgument(const ArgumentInfo& info, const Json& value, const std::string& place) {
    const auto require = [&](bool good, const char* what) {
        if (!good) fields::expected(place, what, value);
    };
    switch (info.type) {
    case ArgumentType::text:
        return require(value.is_string(), "a text");
    case ArgumentType::name:
        return require(value.is_string(), "the name of a node");
    case ArgumentType::names:
        return require(value.is_array() && !value.empty() &&
                           std::all_of(value.begin(), value.end(), [](const Json& name) { return name.is_string(); }),
                       "a list of names of nodes");
    case ArgumentType::address:
        require(value.is_string(), "a text \"node.port\"");
        parseAddress(value.get<std::string>(), place);
        return;
    case ArgumentType::integer:
        return require(value.is_number_integer(), "an integer");
    case ArgumentType::boolean:
        return require(value.is_boolean(), "true or false");
    case ArgumentType::value:
        return;
    case ArgumentType::fields:
        return require(value.is_object(), "an object");
    case ArgumentType::position:
        positionFromJson(value, place);
        return;
    case ArgumentType::commands:
        require(value.is_array() && !value.empty() && value.size() <= mostTogether, "a list of commands");
        return;
    case ArgumentType::positions:
        require(value.is_object() && !value.empty(), "an object of positions [x, y] by name");
        for (const auto& [name, position] : value.items()) positionFromJson(position, place + "." + name);
        return;
    }
}

// -- Lua --------------------------------------------------------------------------------------------------------------

bool isLuaName(const std::string& key) {
    constexpr std::array<std::string_view, 22> reserved{
        "and", "break", "do",  "else", "elseif", "end",    "false",  "for",  "function", "goto",  "if",
        "in",  "local", "nil", "not",  "or",     "repeat", "return", "then", "true",     "until", "while"};
    const auto letter = [](unsigned char c) { return (std::isalpha(c) != 0 && c < 0x80) || c == '_'; };
    return !key.empty() && letter(static_cast<unsigned char>(key[0])) &&
           std::all_of(key.begin(), key.end(), [&](unsigned char c) { return letter(c) || (c >= '0' && c <= '9'); }) &&
           std::find(reserved.begin(), reserved.end(), key) == reserved.end();
}

std::string luaValue(const Json& value) {
    if (value.is_null()) return "raphe.json.null";
    if (value.is_string()) return luaText(value.get<std::string>());
    if (!value.is_structured()) {
        if (value == std::numeric_limits<std::int64_t>::min()) return "math.mininteger";
        return value.dump();
    }
    std::string result = "{";
    for (const auto& [key, item] : value.items()) {
        if (result.size() > 1) result += ", ";
        if (value.is_object()) result += (isLuaName(key) ? key : "[" + luaText(key) + "]") + " = ";
        result += luaValue(item);
    }
    return result + "}";
}

/// An argument as a few words.
std::string shortText(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_structured()) return value.is_null() ? "" : value.dump();
    std::vector<std::string> words;
    for (const auto& [key, item] : value.items()) words.push_back(value.is_object() ? key : shortText(item));
    if (words.size() <= 3) return joined(words);
    return fmt::format("{}, {} and {} more", words[0], words[1], words.size() - 2);
}

void together(Draft& draft, const Json& command) {
    for (const auto& item : command["commands"]) {
        Problems ignored;
        Experiment read;
        ignored.collect([&] { read = experimentFromJson(draft.document, draft.registry, {}, ignored); });
        Draft part{std::move(draft.document), read, draft.registry, draft.base, draft.detached};
        commandNamed(item["command"].get<std::string>()).run(part, item);
        draft.document = std::move(part.document);
        draft.detached = part.detached;
    }
}

std::vector<CommandInfo> makeTable() {
    std::vector<CommandInfo> table;
    for (auto&& part : {nodeCommands(), wireCommands(), settingCommands(), observationCommands(), fragmentCommands()})
        table.insert(table.end(), part.begin(), part.end());
    table.push_back({"together",
                     "Several at once",
                     "{title}",
                     "Carries out commands one after the other, as one step to undo; all of them or none.",
                     {{"title", ArgumentType::text, false, "what they do together"},
                      {"commands", ArgumentType::commands, false,
                       "each a table such as {command = \"connect\", from "
                       "= \"a.x\", to = \"b.y\"}"}},
                     together});
    return table;
}

} // namespace

const char* nameOf(ArgumentType type) {
    switch (type) {
    case ArgumentType::text:
        return "text";
    case ArgumentType::name:
        return "node";
    case ArgumentType::names:
        return "list of nodes";
    case ArgumentType::address:
        return "node.port";
    case ArgumentType::integer:
        return "integer";
    case ArgumentType::boolean:
        return "boolean";
    case ArgumentType::value:
        return "value";
    case ArgumentType::fields:
        return "table";
    case ArgumentType::position:
        return "{x, y}";
    case ArgumentType::positions:
        return "table of {x, y}";
    case ArgumentType::commands:
        return "list of commands";
    }
    return "";
}

const std::vector<CommandInfo>& commands() {
    static const auto table = makeTable();
    return table;
}

const CommandInfo& commandNamed(const std::string& name) {
    std::vector<std::string> known;
    for (const auto& info : commands()) {
        if (name == info.name) return info;
        known.emplace_back(info.name);
    }
    throw Error("command", "there is no command \"" + name.substr(0, 80) + "\"" + suggestion(name, known));
}

Json checkedCommand(const Json& command) {
    if (!command.is_object() || !command.contains("command") || !command["command"].is_string())
        fields::expected("command", "an object with \"command\"", command);
    const auto& info = commandNamed(command["command"].get<std::string>());
    Json result{{"command", info.name}};
    std::vector<std::string> known;
    for (const auto& argument : info.arguments) {
        known.emplace_back(argument.name);
        const auto place = std::string(info.name) + "." + argument.name;
        // Null is a value of its own; elsewhere it means that nothing is given.
        const bool given = command.contains(argument.name) &&
                           (!command[argument.name].is_null() || argument.type == ArgumentType::value);
        if (!given) {
            if (!argument.optional)
                throw Error(place, fmt::format("is missing; expected {}: {}", nameOf(argument.type), argument.doc));
            continue;
        }
        auto value = plain(command[argument.name], place);
        requireUtf8(value, place);
        checkArgument(argument, value, place);
        if (argument.type == ArgumentType::commands)
            for (auto& item : value) {
                item = checkedCommand(item);
                if (item["command"] == info.name) throw Error(place, "commands are put together once");
            }
        result[argument.name] = std::move(value);
    }
    for (const auto& [key, value] : command.items())
        if (key != "command" && std::find(known.begin(), known.end(), key) == known.end())
            throw Error(std::string(info.name) + "." + key, "is no argument of this command" + suggestion(key, known));
    return result;
}

std::string summaryOf(const Json& command) {
    const std::string text = commandNamed(command.at("command").get<std::string>()).summary;
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '{') {
            result += text[i];
            continue;
        }
        const auto end = text.find('}', i);
        const Json* value = &command;
        for (std::size_t from = i + 1; value && from < end;) { // {intervention.port}: a member of an argument
            const auto dot = std::min(text.find('.', from), end);
            const auto found = value->find(text.substr(from, dot - from));
            value = found == value->end() ? nullptr : &*found;
            from = dot + 1;
        }
        if (value) result += shortText(*value);
        i = end;
    }
    return result.substr(0, result.find_last_not_of(' ') + 1);
}

std::string luaText(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            result += std::string{'\\', c};
        else if (c == '\n')
            result += "\\n";
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            result += fmt::format("\\{:03}", static_cast<unsigned char>(c));
        else
            result += c;
    }
    return result + '"';
}

std::string luaLine(const Json& command, const std::string& object) {
    const auto& info = commandNamed(command.at("command").get<std::string>());
    std::vector<std::string> arguments;
    std::size_t given = 0;
    for (const auto& argument : info.arguments) {
        const bool present = command.contains(argument.name);
        arguments.push_back(present ? luaValue(command[argument.name]) : "nil");
        if (present) given = arguments.size();
    }
    arguments.resize(given);
    return fmt::format("{}:{}({})", object, info.name, joined(arguments));
}

std::string commandsMarkdown() {
    std::string text = "\n## Commands\n\nWhat changes a document, as methods of an experiment in Lua and as data; see "
                       "the [Lua guide](lua-guide.md#editing). Arguments in\nbrackets may be left out.\n\n| command | "
                       "arguments | what it does |\n|---|---|---|\n";
    for (const auto& info : commands()) {
        std::string arguments;
        for (const auto& argument : info.arguments)
            arguments += fmt::format("{}{} ({}): {}", arguments.empty() ? "" : "<br>",
                                     argument.optional ? fmt::format("[`{}`]", argument.name)
                                                       : fmt::format("`{}`", argument.name),
                                     nameOf(argument.type), argument.doc);
        text += fmt::format("| `{}` | {} | {} |\n", info.name, arguments, info.doc);
    }
    return text;
}

} // namespace raphe
