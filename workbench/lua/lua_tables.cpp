// SPDX-License-Identifier: Apache-2.0
// The library `table`, with loops that can be ended.
#include "lua/lua_libraries.h"
#include "lua/lua_values.h"

#include <fmt/format.h>

namespace raphe::lua {

namespace {

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
    callUpvalue(L, 1);
    return 1;
}
/// Upvalue: the library's sort.
int sort(lua_State* L) {
    lua_settop(L, 2);
    requireTable(L, 1, "table.sort");
    if (!lua_isnil(L, 2) && lua_type(L, 2) != LUA_TFUNCTION)
        throw Error("table.sort", "expected a function that compares two items, got " + shown(L, 2));
    lua_pushcclosure(L, edge<compareItems>, 1);
    callUpvalue(L, 0);
    return 0;
}

} // namespace

void setTableFunctions(lua_State* L) {
    setFunctions(
        L, {{"insert", edge<insert>}, {"remove", edge<removeItem>}, {"move", edge<move>}, {"concat", edge<concat>}});
    replaceFunction(L, "sort", edge<sort>);
}

} // namespace raphe::lua
