// SPDX-License-Identifier: Apache-2.0
#include "lua/lua_sandbox.h"

#include "lua/lua_libraries.h"
#include "lua/lua_values.h"

#include <set>

namespace raphe::lua {

namespace {

constexpr lua_Unsigned largestRepetition = lua_Unsigned{256} << 20;

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
    callUpvalue(L, 1);
    return 1;
}

/// Upvalue: the script's handler. It must not run for the error that ends the script: that one is raised inside a hook,
/// where no further hook could end the handler.
int handleError(lua_State* L) {
    if (stopRequested(hostOf(L))) return 1;
    lua_settop(L, 1);
    callUpvalue(L, 1);
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
    callUpvalue(L, 1);
    return 1;
}

/// Upvalue: the library's randomseed. Scripts give the same numbers each time.
int randomSeed(lua_State* L) {
    if (lua_isnoneornil(L, 1)) throw Error("math.randomseed", "give a seed, so that the script can be repeated");
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) lua_settop(L, 1);
    callUpvalue(L, 0);
    return 0;
}

} // namespace

void replaceFunction(lua_State* L, const char* name, lua_CFunction function) {
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

void callUpvalue(lua_State* L, int results) {
    const int count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, results);
}

void openSandbox(lua_State* L) {
    luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
    keepOnly(L, {"_G", "_VERSION", "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal",
                 "rawget", "rawlen", "rawset", "select", "setmetatable", "tonumber", "tostring", "type", "xpcall"});
    setFunctions(L, {{"print", edge<print>}, {"collectgarbage", edge<collectGarbage>}});
    replaceFunction(L, "setmetatable", edge<setMetatable>);
    replaceFunction(L, "xpcall", edge<protectedCall>);
    setChunkFunctions(L);
    lua_pop(L, 1);

    luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
    keepOnly(L, {"byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "pack", "packsize", "rep",
                 "reverse", "sub", "unpack", "upper"});
    replaceFunction(L, "rep", edge<repeat>);
    setPatternFunctions(L);
    lua_pop(L, 1);
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushliteral(L, "string");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);

    luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 1);
    keepOnly(L, {"pack", "sort", "unpack"});
    setTableFunctions(L);
    lua_pop(L, 1);

    luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, 1);
    lua_call(L, 1, 0);
    replaceFunction(L, "randomseed", edge<randomSeed>);
    lua_pop(L, 1);

    luaL_requiref(L, LUA_COLIBNAME, luaopen_coroutine, 1);
    keepOnly(L, {"close", "create", "isyieldable", "resume", "running", "status", "yield"});
    setCoroutineFunctions(L);
    lua_pop(L, 1);

    luaL_requiref(L, LUA_UTF8LIBNAME, luaopen_utf8, 1);
    lua_pop(L, 1);

    luaL_requiref(L, LUA_OSLIBNAME, luaopen_os, 1);
    keepOnly(L, {"clock", "date", "difftime", "time"});
    lua_pop(L, 1);

    luaL_requiref(L, LUA_IOLIBNAME, luaopen_io, 1);
    keepOnly(L, {"lines", "open", "type"});
    setFileFunctions(L);
    setFunctions(L, {{"write", edge<ioWrite>}});
    lua_pop(L, 1);
    luaL_getmetatable(L, LUA_FILEHANDLE);
    lua_pushliteral(L, "file");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);

    lua_pushcfunction(L, edge<log>);
    lua_setfield(L, LUA_REGISTRYINDEX, "raphe.log");
}

} // namespace raphe::lua
