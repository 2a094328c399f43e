// SPDX-License-Identifier: Apache-2.0
#include "lua/lua_sandbox.h"

#include "engine/base/files.h"
#include "engine/mechanisms/plugin_host.h"
#include "lua/lua_patterns.h"
#include "lua/lua_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace raphe::lua {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largestScript = std::size_t{16} << 20;
constexpr lua_Unsigned largestRepetition = lua_Unsigned{256} << 20;
constexpr const char* loadedKey = "raphe.required";

/// Removes every field that is not named from the table on top of the stack.
void keepOnly(lua_State* L, const std::set<std::string>& names) {
    std::vector<std::string> others;
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1))
        if (std::string key = lua_tostring(L, -2); names.count(key) == 0) others.push_back(std::move(key));
    for (const auto& key : others) {
        lua_pushnil(L);
        lua_setfield(L, -2, key.c_str());
    }
}

// -- base library -----------------------------------------------------------------------------------------------------

void write(const std::function<void(std::string_view)>& to, std::FILE* otherwise, std::string_view text) {
    if (to)
        to(text);
    else
        std::fwrite(text.data(), 1, text.size(), otherwise);
}

std::string joinedArguments(lua_State* L, const char* separator) {
    std::string line;
    const int count = lua_gettop(L);
    for (int i = 1; i <= count; ++i) {
        std::size_t size = 0;
        const char* text = luaL_tolstring(L, i, &size);
        if (i > 1) line += separator;
        line.append(text, size);
        lua_pop(L, 1);
    }
    return line;
}
int print(lua_State* L) {
    write(hostOf(L).options.out, stdout, joinedArguments(L, "\t") + "\n");
    return 0;
}
int ioWrite(lua_State* L) {
    write(hostOf(L).options.out, stdout, joinedArguments(L, ""));
    return 0;
}
int log(lua_State* L) {
    write(hostOf(L).options.log, stderr, joinedArguments(L, "\t") + "\n");
    return 0;
}

/// Upvalue: the library's setmetatable. Finalizers would run at moments when a script cannot be ended.
int setMetatable(lua_State* L) {
    lua_settop(L, 2);
    if (lua_type(L, 2) == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            throw Error("setmetatable", "scripts cannot have finalizers (__gc); use a variable marked <close>");
        lua_pop(L, 1);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

/// Upvalue: the script's handler. It must not run for the error that ends the script: that one is raised inside a hook,
/// where no further hook could end the handler.
int handleError(lua_State* L) {
    if (stopRequested(hostOf(L))) return 1;
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}
/// Upvalue: the library's xpcall.
int protectedCall(lua_State* L) {
    if (lua_type(L, 2) != LUA_TFUNCTION)
        throw Error("xpcall", "expected a function as second argument, got " + shown(L, 2));
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, handleError, 1);
    lua_replace(L, 2);
    const int count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_callk(L, count, LUA_MULTRET, 0, [](lua_State* state, int, lua_KContext) { return lua_gettop(state); });
    return lua_gettop(L);
}

int collectGarbage(lua_State* L) {
    const std::string what = lua_isnoneornil(L, 1) ? "collect" : textArgument(L, 1, "collectgarbage");
    if (what == "count") {
        lua_pushnumber(L, static_cast<lua_Number>(hostOf(L).used) / 1024);
    } else if (what == "collect" || what == "step") {
        lua_gc(L, LUA_GCCOLLECT);
        lua_pushinteger(L, 0);
    } else {
        throw Error("collectgarbage", "expected \"collect\" or \"count\", got " + shown(L, 1));
    }
    return 1;
}

// -- chunks -----------------------------------------------------------------------------------------------------------

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

// -- string, table, math, coroutine -----------------------------------------------------------------------------------

/// Upvalue: the library's rep.
int repeat(lua_State* L) {
    lua_settop(L, 3);
    const auto text = textArgument(L, 1, "string.rep"),
               separator = lua_isnil(L, 3) ? "" : textArgument(L, 3, "string.rep");
    const auto count = integerArgument(L, 2, "string.rep", LUA_MININTEGER, LUA_MAXINTEGER);
    const lua_Unsigned unit = text.size() + separator.size();
    if (count <= 0 || unit == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (static_cast<lua_Unsigned>(count) > largestRepetition / unit)
        throw Error("string.rep", "the result would have more than 256 MiB");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 3, 1);
    return 1;
}

void requireTable(lua_State* L, int index, const char* place) {
    if (lua_type(L, index) != LUA_TTABLE) throw Error(place, "expected a table, got " + shown(L, index));
}
void pollSometimes(lua_State* L, lua_Integer i) {
    if ((i & 1023) == 0) poll(L);
}

int insert(lua_State* L) {
    requireTable(L, 1, "table.insert");
    const auto end = luaL_len(L, 1) + 1;
    const int count = lua_gettop(L);
    if (count == 2) {
        lua_seti(L, 1, end);
        return 0;
    }
    if (count != 3)
        throw Error("table.insert",
                    fmt::format("expected (table, value) or (table, position, value), got {} arguments", count));
    const auto position = integerArgument(L, 2, "table.insert", LUA_MININTEGER, LUA_MAXINTEGER);
    if (position < 1 || position > end)
        throw Error("table.insert", fmt::format("position {} lies outside 1 to {}", position, end));
    for (auto i = end; i > position; --i) {
        pollSometimes(L, i);
        lua_geti(L, 1, i - 1);
        lua_seti(L, 1, i);
    }
    lua_seti(L, 1, position);
    return 0;
}
int removeItem(lua_State* L) {
    requireTable(L, 1, "table.remove");
    const auto size = luaL_len(L, 1);
    auto position = size;
    if (!lua_isnone(L, 2)) {
        position = integerArgument(L, 2, "table.remove", LUA_MININTEGER, LUA_MAXINTEGER);
        const bool last = size == 0 && (position == 0 || position == size);
        if (!last && (position < 1 || position > size + 1))
            throw Error("table.remove", fmt::format("position {} lies outside 1 to {}", position, size + 1));
    }
    lua_geti(L, 1, position);
    for (; position < size; ++position) {
        pollSometimes(L, position);
        lua_geti(L, 1, position + 1);
        lua_seti(L, 1, position);
    }
    lua_pushnil(L);
    lua_seti(L, 1, position);
    return 1;
}
int move(lua_State* L) {
    const bool other = !lua_isnoneornil(L, 5);
    lua_settop(L, 5);
    requireTable(L, 1, "table.move");
    const auto first = integerArgument(L, 2, "table.move", LUA_MININTEGER, LUA_MAXINTEGER),
               last = integerArgument(L, 3, "table.move", LUA_MININTEGER, LUA_MAXINTEGER),
               to = integerArgument(L, 4, "table.move", LUA_MININTEGER, LUA_MAXINTEGER);
    const int target = other ? 5 : 1;
    requireTable(L, target, "table.move");
    if (last >= first) {
        if (!(first > 0 || last < LUA_MAXINTEGER + first) || to > LUA_MAXINTEGER - (last - first))
            throw Error("table.move", "too many items to move");
        const auto count = last - first + 1;
        const bool upwards = to > last || to <= first || (other && lua_compare(L, 1, 5, LUA_OPEQ) == 0);
        for (lua_Integer n = 0; n < count; ++n) {
            pollSometimes(L, n);
            const auto i = upwards ? n : count - 1 - n;
            lua_geti(L, 1, first + i);
            lua_seti(L, target, to + i);
        }
    }
    lua_pushvalue(L, target);
    return 1;
}
int concat(lua_State* L) {
    const bool toEnd = lua_isnoneornil(L, 4);
    lua_settop(L, 4);
    requireTable(L, 1, "table.concat");
    const auto separator = lua_isnil(L, 2)      ? std::string()
                           : lua_isnumber(L, 2) ? std::string(lua_tostring(L, 2))
                                                : textArgument(L, 2, "table.concat");
    const auto first = lua_isnil(L, 3) ? 1 : integerArgument(L, 3, "table.concat", LUA_MININTEGER, LUA_MAXINTEGER);
    const auto last = toEnd ? luaL_len(L, 1) : integerArgument(L, 4, "table.concat", LUA_MININTEGER, LUA_MAXINTEGER);
    std::string result;
    for (auto i = first; i <= last; ++i) {
        pollSometimes(L, i);
        lua_geti(L, 1, i);
        if (lua_isstring(L, -1) == 0)
            throw Error("table.concat", fmt::format("item {} is neither a text nor a number, but {}", i, shown(L, -1)));
        std::size_t size = 0;
        const char* text = lua_tolstring(L, -1, &size);
        result.append(text, size);
        lua_pop(L, 1);
        if (result.capacity() > memoryLeft(hostOf(L)) / 2)
            throw Error("table.concat", "the result does not fit into the memory that a script may use");
        if (i == last) break; // the largest integer has no successor
        result += separator;
    }
    pushText(L, result);
    return 1;
}
/// Upvalue: the script's comparison, or nil. Being ours, it can end the script.
int compareItems(lua_State* L) {
    poll(L);
    if (lua_isnil(L, lua_upvalueindex(1))) {
        lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
        return 1;
    }
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}
/// Upvalue: the library's sort.
int sort(lua_State* L) {
    lua_settop(L, 2);
    requireTable(L, 1, "table.sort");
    if (!lua_isnil(L, 2) && lua_type(L, 2) != LUA_TFUNCTION)
        throw Error("table.sort", "expected a function that compares two items, got " + shown(L, 2));
    lua_pushcclosure(L, edge<compareItems>, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, 0);
    return 0;
}

/// Upvalue: the library's randomseed. Scripts give the same numbers each time.
int randomSeed(lua_State* L) {
    if (lua_isnoneornil(L, 1)) throw Error("math.randomseed", "give a seed, so that the script can be repeated");
    lua_settop(L, 2);
    const int count = lua_isnil(L, 2) ? 1 : 2;
    lua_settop(L, count);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, 0);
    return 0;
}

/// Upvalue: the library's resume. A coroutine may be what noticed that the script shall end.
int resume(lua_State* L) {
    const int count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, LUA_MULTRET);
    poll(L);
    return lua_gettop(L);
}
/// Upvalue: the coroutine.
int resumeWrapped(lua_State* L) {
    lua_State* coroutine = lua_tothread(L, lua_upvalueindex(1));
    const int count = lua_gettop(L);
    if (lua_checkstack(coroutine, count) == 0) throw Error("coroutine", "too many arguments");
    lua_xmove(L, coroutine, count);
    int results = 0;
    const int status = lua_resume(coroutine, L, count, &results);
    poll(L); // before anything of the coroutine is closed: its hook no longer works
    if (status == LUA_OK || status == LUA_YIELD) {
        luaL_checkstack(L, results, "too many results");
        lua_xmove(coroutine, L, results);
        return results;
    }
    const int ended = lua_status(coroutine);
    if (ended != LUA_OK && ended != LUA_YIELD) lua_resetthread(coroutine); // runs __close; the error stays on its stack
    lua_xmove(coroutine, L, 1);
    return lua_error(L);
}
/// Upvalue: the library's create.
int wrap(lua_State* L) {
    if (lua_type(L, 1) != LUA_TFUNCTION) throw Error("coroutine.wrap", "expected a function, got " + shown(L, 1));
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    lua_pushcclosure(L, edge<resumeWrapped>, 1);
    return 1;
}
/// Upvalue: the library's close.
int closeCoroutine(lua_State* L) {
    poll(L);
    const int count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, LUA_MULTRET);
    return lua_gettop(L);
}

// -- files ------------------------------------------------------------------------------------------------------------

bool lies(const fs::path& path, const fs::path& folder) {
    if (folder.empty()) return false;
    const auto [end, unused] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    return end == folder.end();
}

void requireMode(const std::string& mode) {
    static const std::set<std::string> modes{"r", "w", "a", "r+", "w+", "a+", "rb", "wb", "ab", "r+b", "w+b", "a+b"};
    if (modes.count(mode) == 0)
        throw Error("io.open", "expected a mode such as \"r\", \"w\" or \"a\", got \"" + mode.substr(0, 20) + "\"");
}
/// Upvalue: the library's open. @return nil and a message for files that do not exist, as the library does
int openFile(lua_State* L) {
    lua_settop(L, 2);
    const auto path = allowedPath(L, textArgument(L, 1, "io.open"), "io.open").string();
    const auto mode = lua_isnil(L, 2) ? std::string("r") : textArgument(L, 2, "io.open");
    requireMode(mode);
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    pushText(L, path);
    pushText(L, mode);
    lua_call(L, 2, LUA_MULTRET);
    return lua_gettop(L);
}
/// Upvalue: the library's lines.
int lines(lua_State* L) {
    const auto path = allowedPath(L, textArgument(L, 1, "io.lines"), "io.lines").string();
    const int count = lua_gettop(L);
    pushText(L, path);
    lua_replace(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, LUA_MULTRET);
    return lua_gettop(L);
}

/// Replaces a function of the table on top of the stack by one that has the old one as upvalue.
void replace(lua_State* L, const char* name, lua_CFunction function) {
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

} // namespace

fs::path allowedPath(lua_State* L, const std::string& path, const std::string& place, Access access) {
    const Host& host = hostOf(L);
    if (path.empty() || path.find('\0') != std::string::npos)
        throw Error(place, "expected the name of a file, got \"" + path.substr(0, path.find('\0')) + "\"");
    auto given = host.workingFolder / path;
    std::error_code error;
    if (host.options.allowIo) return given;
    auto resolved = fs::weakly_canonical(given, error).lexically_normal();
    const auto run = host.options.runFolder.empty() ? fs::path() : fs::weakly_canonical(host.options.runFolder, error);
    const bool script = access == Access::code && !host.scriptFolder.empty() && lies(resolved, host.scriptFolder) &&
                        resolved.extension() == ".lua";
    if (!lies(resolved, host.workingFolder) && !lies(resolved, run) && !script)
        throw Error(place,
                    "\"" + path +
                        "\" lies outside the working folder and the run's folder; allow it with raphe lua --allow-io");
    const auto status = fs::symlink_status(resolved, error);
    if (fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status))
        throw Error(place, "\"" + path + "\" is neither a file nor a folder");
    return resolved;
}

void compile(lua_State* L, std::string_view text, const std::string& chunkName) {
    if (text.size() > largestScript) throw Error("load", "a script is at most 16 MiB long");
    if (!text.empty() && text[0] == LUA_SIGNATURE[0])
        throw Error("load", "this is a compiled chunk; only Lua texts are loaded");
    if (luaL_loadbufferx(L, text.data(), text.size(), chunkName.c_str(), "t") == LUA_OK) return;
    const std::string message = lua_tostring(L, -1) ? lua_tostring(L, -1) : "cannot be compiled";
    lua_pop(L, 1);
    throw Error(message);
}

std::string scriptText(const fs::path& path) {
    auto text = readBytes(path, largestScript);
    if (!text.empty() && text[0] == '#') text.erase(0, std::min(text.find('\n'), text.size()));
    return text;
}

void openSandbox(lua_State* L) {
    luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
    keepOnly(L, {"_G", "_VERSION", "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal",
                 "rawget", "rawlen", "rawset", "select", "setmetatable", "tonumber", "tostring", "type", "xpcall"});
    setFunctions(L, {{"print", edge<print>},
                     {"load", edge<load>},
                     {"loadfile", edge<loadFile>},
                     {"dofile", edge<doFile>},
                     {"require", edge<require>},
                     {"collectgarbage", edge<collectGarbage>}});
    replace(L, "setmetatable", edge<setMetatable>);
    replace(L, "xpcall", edge<protectedCall>);
    lua_pop(L, 1);

    luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
    keepOnly(L, {"byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "pack", "packsize", "rep",
                 "reverse", "sub", "unpack", "upper"});
    replace(L, "rep", edge<repeat>);
    setPatternFunctions(L);
    lua_pop(L, 1);
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushliteral(L, "string");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);

    luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 1);
    keepOnly(L, {"pack", "sort", "unpack"});
    setFunctions(
        L, {{"insert", edge<insert>}, {"remove", edge<removeItem>}, {"move", edge<move>}, {"concat", edge<concat>}});
    replace(L, "sort", edge<sort>);
    lua_pop(L, 1);

    luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, 1);
    lua_call(L, 1, 0);
    replace(L, "randomseed", edge<randomSeed>);
    lua_pop(L, 1);

    luaL_requiref(L, LUA_COLIBNAME, luaopen_coroutine, 1);
    keepOnly(L, {"close", "create", "isyieldable", "resume", "running", "status", "yield"});
    replace(L, "resume", edge<resume>);
    replace(L, "close", edge<closeCoroutine>);
    lua_getfield(L, -1, "create");
    lua_pushcclosure(L, edge<wrap>, 1);
    lua_setfield(L, -2, "wrap");
    lua_pop(L, 1);

    luaL_requiref(L, LUA_UTF8LIBNAME, luaopen_utf8, 1);
    lua_pop(L, 1);

    luaL_requiref(L, LUA_OSLIBNAME, luaopen_os, 1);
    keepOnly(L, {"clock", "date", "difftime", "time"});
    lua_pop(L, 1);

    luaL_requiref(L, LUA_IOLIBNAME, luaopen_io, 1);
    keepOnly(L, {"lines", "open", "type"});
    replace(L, "open", edge<openFile>);
    replace(L, "lines", edge<lines>);
    setFunctions(L, {{"write", edge<ioWrite>}});
    lua_pop(L, 1);
    luaL_getmetatable(L, LUA_FILEHANDLE);
    lua_pushliteral(L, "file");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);

    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, loadedKey);
    lua_pushcfunction(L, edge<log>);
    lua_setfield(L, LUA_REGISTRYINDEX, "raphe.log");
}

} // namespace raphe::lua
