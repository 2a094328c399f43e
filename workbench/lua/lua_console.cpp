// SPDX-License-Identifier: Apache-2.0
// What an interactive console needs: expressions as chunks, readable values, and the names that scripts can use.
#include "lua/lua_module.h"
#include "lua/lua_sandbox.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace raphe::lua {

namespace {

constexpr int deepest = 4, most = 50; ///< of the tables that are shown
constexpr std::size_t longest = std::size_t{1} << 16;

std::string quotedText(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        if (c == '\n')
            result += "\\n";
        else
            result += c;
    }
    return result + '"';
}

std::string asText(lua_State* L, int index) {
    std::size_t size = 0;
    const char* text = luaL_tolstring(L, index, &size);
    std::string result(text, size);
    lua_pop(L, 1);
    return result;
}

/// A table that says itself what it is (__tostring) is shown so.
bool isPlainTable(lua_State* L, int index) {
    if (lua_type(L, index) != LUA_TTABLE) return false;
    if (luaL_getmetafield(L, index, "__tostring") == LUA_TNIL) return true;
    lua_pop(L, 1);
    return false;
}

std::string valueText(lua_State* L, int index, int depth);

std::string keyText(lua_State* L, int index, int depth) {
    if (lua_type(L, index) != LUA_TSTRING) return "[" + valueText(L, index, depth) + "]";
    const std::string key = lua_tostring(L, index);
    const bool word =
        !key.empty() && std::isdigit(static_cast<unsigned char>(key[0])) == 0 &&
        std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
    return word ? key : "[" + quotedText(key) + "]";
}

std::string tableText(lua_State* L, int index, int depth) {
    if (depth >= deepest || lua_checkstack(L, 10) == 0) return "{…}";
    std::vector<std::string> list;
    std::vector<std::pair<std::string, std::string>> named;
    const auto length = static_cast<lua_Integer>(lua_rawlen(L, index));
    for (lua_Integer i = 1; i <= std::min<lua_Integer>(length, most); ++i) {
        lua_rawgeti(L, index, i);
        list.push_back(valueText(L, lua_gettop(L), depth + 1));
        lua_pop(L, 1);
    }
    bool more = length > most;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        poll(L);
        const int key = lua_gettop(L) - 1;
        if (lua_isinteger(L, key) && lua_tointeger(L, key) >= 1 && lua_tointeger(L, key) <= length) continue;
        if (named.size() >= most) {
            more = true;
            lua_pop(L, 2);
            break;
        }
        auto name = keyText(L, key, depth + 1);
        named.emplace_back(std::move(name), valueText(L, key + 1, depth + 1));
    }
    std::sort(named.begin(), named.end());
    for (const auto& [key, value] : named) list.push_back(key + " = " + value);
    if (more) list.emplace_back("…");
    std::string text = "{";
    for (const auto& item : list) text += (text.size() > 1 ? ", " : "") + item;
    return text + "}";
}

std::string valueText(lua_State* L, int index, int depth) {
    if (isPlainTable(L, index)) return tableText(L, index, depth);
    auto text = asText(L, index);
    if (text.size() > longest) text = text.substr(0, longest) + "…";
    return depth > 0 && lua_type(L, index) == LUA_TSTRING ? quotedText(text) : text;
}

LuaVocabulary::Names namesIn(lua_State* L, int index) {
    LuaVocabulary::Names names;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1))
        if (lua_type(L, -2) == LUA_TSTRING) names.emplace_back(lua_tostring(L, -2));
    std::sort(names.begin(), names.end());
    return names;
}

void collectTables(lua_State* L, int index, const std::string& prefix, int depth, LuaVocabulary& found) {
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TTABLE) continue;
        const std::string key = lua_tostring(L, -2);
        if (key == "_G" || key == "args") continue;
        const int table = lua_gettop(L);
        auto names = namesIn(L, table);
        if (names.empty()) continue;
        found.tables[prefix + key] = std::move(names);
        if (depth > 0) collectTables(L, table, prefix + key + ".", depth - 1, found);
    }
}

} // namespace

void compileConsole(lua_State* L, std::string_view text, const std::string& chunkName) {
    try {
        compile(L, "return " + std::string(text), chunkName);
    } catch (const Error&) {
        compile(L, text, chunkName);
    }
}

void printValues(lua_State* L) {
    const int count = lua_gettop(L);
    if (count == 0) return;
    std::string line;
    for (int i = 1; i <= count; ++i) line += (i > 1 ? "\t" : "") + valueText(L, i, 0);
    line += "\n";
    if (const auto& out = hostOf(L).options.out)
        out(line);
    else
        std::fwrite(line.data(), 1, line.size(), stdout);
}

LuaVocabulary vocabularyOf(lua_State* L) {
    LuaVocabulary found;
    lua_settop(L, 0);
    lua_pushglobaltable(L);
    found.globals = namesIn(L, 1);
    collectTables(L, 1, "", 1, found);
    lua_getfield(L, LUA_REGISTRYINDEX, classesKey);
    for (lua_pushnil(L); lua_next(L, 2) != 0; lua_pop(L, 1))
        found.methods[lua_tostring(L, -2)] = namesIn(L, lua_gettop(L));
    lua_settop(L, 0);
    return found;
}

} // namespace raphe::lua
