// SPDX-License-Identifier: Apache-2.0
// Lua texts: compiling them, and the functions by which scripts load others.
#include "engine/base/files.h"
#include "engine/mechanisms/plugin_host.h"
#include "lua/lua_libraries.h"
#include "lua/lua_sandbox.h"
#include "lua/lua_values.h"

#include <algorithm>

namespace raphe::lua {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largestScript = std::size_t{16} << 20;
constexpr const char* loadedKey = "raphe.required";

/// Sets the first upvalue of the function on top of the stack (its global variables) to the value at `index`.
void setEnvironment(lua_State* L, int index) {
    lua_pushvalue(L, index);
    if (!lua_setupvalue(L, -2, 1)) lua_pop(L, 1);
}

/// load(text or function, name, mode, environment). Only texts are loaded, whatever the mode.
int load(lua_State* L) {
    const bool hasEnvironment = lua_gettop(L) >= 4;
    lua_settop(L, 4);
    std::string text;
    if (lua_type(L, 1) == LUA_TFUNCTION) {
        for (;;) {
            poll(L);
            lua_pushvalue(L, 1);
            lua_call(L, 0, 1);
            if (lua_isnil(L, -1)) break;
            const auto piece = textArgument(L, -1, "load");
            lua_pop(L, 1);
            if (piece.empty()) break;
            text += piece;
            if (text.size() > largestScript) throw Error("load", "a script is at most 16 MiB long");
        }
    } else {
        text = textArgument(L, 1, "load");
    }
    const auto name = lua_isnil(L, 2) ? "=(load)" : textArgument(L, 2, "load");
    try {
        compile(L, text, name);
    } catch (const Error& error) {
        lua_pushnil(L);
        lua_pushstring(L, error.what());
        return 2;
    }
    if (hasEnvironment) setEnvironment(L, 4);
    return 1;
}

/// A .lua file below the allowed folders, compiled.
void compileFile(lua_State* L, const std::string& path, const std::string& place) {
    const auto file = allowedPath(L, path, place, Access::code);
    compile(L, scriptText(file), "@" + path);
}
int loadFile(lua_State* L) {
    const bool hasEnvironment = lua_gettop(L) >= 3;
    lua_settop(L, 3);
    try {
        compileFile(L, textArgument(L, 1, "loadfile"), "loadfile");
    } catch (const Error& error) {
        lua_pushnil(L);
        lua_pushstring(L, error.what());
        return 2;
    }
    if (hasEnvironment) setEnvironment(L, 3);
    return 1;
}
int doFile(lua_State* L) {
    compileFile(L, textArgument(L, 1, "dofile"), "dofile");
    const int before = lua_gettop(L) - 1;
    lua_call(L, 0, LUA_MULTRET);
    return lua_gettop(L) - before;
}

/// require "raphe", "raphe.name" for a module that comes with Raphe (resources/lua), or "name" / "folder.name" for a
/// file beside the script or in the working folder.
int require(lua_State* L) {
    const auto name = textArgument(L, 1, "require");
    lua_settop(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, loadedKey);
    if (lua_getfield(L, 2, name.c_str()) != LUA_TNIL) return 1;
    lua_pop(L, 1);
    const bool plain =
        !name.empty() && name.size() <= 200 &&
        std::all_of(name.begin(), name.end(),
                    [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.' || c == '-'; }) &&
        name.find("..") == std::string::npos && name.front() != '.';
    if (!plain)
        throw Error("require", "expected a name such as \"helpers\", for the file helpers.lua beside the script, got " +
                                   shown(L, 1));
    std::string file = name;
    std::replace(file.begin(), file.end(), '.', '/');
    file += ".lua";
    const Host& host = hostOf(L);
    const bool own = file.starts_with("raphe/");
    const auto folders = own ? std::vector<fs::path>{resourceFolder() / "lua"}
                             : std::vector<fs::path>{host.scriptFolder, host.workingFolder};
    for (const auto& folder : folders) {
        const auto path = folder / (own ? file.substr(6) : file);
        if (folder.empty() || !fs::is_regular_file(path)) continue;
        compile(L, scriptText(own ? path : allowedPath(L, path.string(), "require", Access::code)), "@" + file);
        lua_pushvalue(L, 1);
        lua_call(L, 1, 1);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            lua_pushboolean(L, 1);
        }
        lua_pushvalue(L, -1);
        lua_setfield(L, 2, name.c_str());
        return 1;
    }
    throw Error("require", own ? "no module " + name + " comes with Raphe"
                               : "there is no file " + file + " beside the script or in the working folder");
}

} // namespace

void compile(lua_State* L, std::string_view text, const std::string& chunkName) {
    if (text.size() > largestScript) throw Error("load", "a script is at most 16 MiB long");
    if (!text.empty() && text[0] == LUA_SIGNATURE[0])
        throw Error("load", "this is a compiled chunk; only Lua texts are loaded");
    if (luaL_loadbufferx(L, text.data(), text.size(), chunkName.c_str(), "t") == LUA_OK) return;
    const std::string message = lua_tostring(L, -1) ? lua_tostring(L, -1) : "cannot be compiled";
    lua_pop(L, 1);
    throw Error(message);
}

std::string_view withoutFirstComment(std::string_view text) {
    return text.starts_with('#') ? text.substr(std::min(text.find('\n'), text.size())) : text;
}

std::string scriptText(const fs::path& path) {
    return std::string(withoutFirstComment(readBytes(path, largestScript)));
}

void setChunkFunctions(lua_State* L) {
    setFunctions(
        L, {{"load", edge<load>}, {"loadfile", edge<loadFile>}, {"dofile", edge<doFile>}, {"require", edge<require>}});
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, loadedKey);
}

} // namespace raphe::lua
