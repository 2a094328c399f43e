// SPDX-License-Identifier: Apache-2.0
#include "lua/lua_values.h"

#include "engine/base/text.h"
#include "lua/lua_tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace raphe::lua {

namespace {

constexpr int deepest = 64;
constexpr const char* listMark = "raphe.list";
const char nullMark = 0;

void* nullAddress() { return const_cast<char*>(&nullMark); }

bool isMarkedList(lua_State* L, int index) {
    if (lua_getmetatable(L, index) == 0) return false;
    luaL_getmetatable(L, listMark);
    const bool result = lua_rawequal(L, -1, -2) != 0;
    lua_pop(L, 2);
    return result;
}

Json readValue(lua_State* L, int index, const std::string& place, JsonStyle style, int depth);

Json number(double x, const std::string& place, JsonStyle style) {
    if (std::isfinite(x)) return x;
    if (style.nonFiniteIsNull) return nullptr;
    throw Error(place, "expected a finite number, got " + fmt::format("{}", x));
}

Json readTensor(const LuaTensor& tensor, int dimension, const double*& next, const std::string& place,
                JsonStyle style) {
    Json list = Json::array();
    for (std::int64_t i = 0; i < tensor.shape[dimension]; ++i)
        list.push_back(dimension + 1 == tensor.rank ? number(*next++, place, style)
                                                    : readTensor(tensor, dimension + 1, next, place, style));
    return list;
}

Json readTable(lua_State* L, int index, const std::string& place, JsonStyle style, int depth) {
    if (depth >= deepest) throw Error(place, fmt::format("is nested more than {} deep, or contains itself", deepest));
    luaL_checkstack(L, 8, nullptr);
    const auto length = static_cast<lua_Integer>(lua_rawlen(L, index));
    std::vector<std::string> keys;
    bool list = true;
    lua_Integer count = 0;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        if (++count % 4096 == 0) poll(L);
        if (lua_type(L, -2) == LUA_TSTRING) {
            list = false;
            std::size_t size = 0;
            const char* text = lua_tolstring(L, -2, &size);
            keys.emplace_back(text, size);
        } else if (!lua_isinteger(L, -2)) {
            throw Error(place, "expected keys that are texts, or a list, got a key that is " + shown(L, -2));
        }
    }
    if (length == 0 && keys.empty() && count == 0)
        return isMarkedList(L, index) || style.emptyIsList ? Json::array() : Json::object();
    if (list && count != length) throw Error(place, "is a list with gaps; number its items 1, 2, 3... without nil");
    if (!list && count != static_cast<lua_Integer>(keys.size()))
        throw Error(place, "mixes named fields with list items");
    if (list) {
        Json result = Json::array();
        for (lua_Integer i = 1; i <= length; ++i) {
            if (i % 4096 == 0) poll(L);
            lua_rawgeti(L, index, i);
            result.push_back(readValue(L, lua_gettop(L),
                                       lua_type(L, -1) == LUA_TTABLE ? fmt::format("{}[{}]", place, i) : place, style,
                                       depth + 1));
            lua_pop(L, 1);
        }
        return result;
    }
    std::sort(keys.begin(), keys.end());
    Json result = Json::object();
    for (const auto& key : keys) {
        lua_pushlstring(L, key.data(), key.size());
        lua_rawget(L, index);
        result[key] = readValue(L, lua_gettop(L), place.empty() ? key : place + "." + key, style, depth + 1);
        lua_pop(L, 1);
    }
    return result;
}

Json readValue(lua_State* L, int index, const std::string& place, JsonStyle style, int depth) {
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        return nullptr;
    case LUA_TBOOLEAN:
        return lua_toboolean(L, index) != 0;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index)) return static_cast<std::int64_t>(lua_tointeger(L, index));
        return number(lua_tonumber(L, index), place, style);
    case LUA_TSTRING: {
        std::size_t size = 0;
        const char* text = lua_tolstring(L, index, &size);
        return std::string(text, size);
    }
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, index) == nullAddress()) return nullptr;
        break;
    case LUA_TUSERDATA:
        if (const auto* tensor = testTensor(L, index)) {
            const double* next = tensor->values();
            return readTensor(*tensor, 0, next, place, style);
        }
        break;
    case LUA_TTABLE:
        return readTable(L, index, place, style, depth);
    default:
        break;
    }
    throw Error(place, "expected a number, a text, true, false, a table or a tensor, got " + shown(L, index));
}

void pushValue(lua_State* L, const Json& value, int depth) {
    luaL_checkstack(L, 4, nullptr);
    switch (value.type()) {
    case Json::value_t::object: {
        lua_createtable(L, 0, static_cast<int>(std::min<std::size_t>(value.size(), 1'000'000)));
        for (const auto& [key, item] : value.items()) {
            pushText(L, key);
            pushValue(L, item, depth + 1);
            lua_rawset(L, -3);
        }
        break;
    }
    case Json::value_t::array: {
        lua_createtable(L, static_cast<int>(std::min<std::size_t>(value.size(), 1'000'000)), 0);
        lua_Integer i = 0;
        for (const auto& item : value) {
            pushValue(L, item, depth + 1);
            lua_rawseti(L, -2, ++i);
        }
        if (value.empty()) markAsList(L);
        break;
    }
    case Json::value_t::string:
        pushText(L, value.get_ref<const std::string&>());
        break;
    case Json::value_t::boolean:
        lua_pushboolean(L, value.get<bool>());
        break;
    case Json::value_t::number_integer:
        lua_pushinteger(L, value.get<std::int64_t>());
        break;
    case Json::value_t::number_unsigned:
        if (const auto number = value.get<std::uint64_t>(); number <= static_cast<std::uint64_t>(LUA_MAXINTEGER))
            lua_pushinteger(L, static_cast<lua_Integer>(number));
        else
            lua_pushnumber(L, static_cast<lua_Number>(number));
        break;
    case Json::value_t::number_float:
        lua_pushnumber(L, value.get<double>());
        break;
    default:
        pushJsonNull(L);
    }
}

bool integerAt(lua_State* L, int index, std::int64_t& result) {
    int whole = 0;
    if (lua_type(L, index) == LUA_TNUMBER) result = lua_tointegerx(L, index, &whole);
    return whole != 0;
}

std::string integerText(std::int64_t low, std::int64_t high) {
    return high >= 1'000'000'000 ? fmt::format("an integer >= {}", low)
                                 : fmt::format("an integer from {} to {}", low, high);
}

} // namespace

std::string shown(lua_State* L, int index) {
    switch (lua_type(L, index)) {
    case LUA_TNONE:
    case LUA_TNIL:
        return "nothing";
    case LUA_TBOOLEAN:
        return lua_toboolean(L, index) != 0 ? "true" : "false";
    case LUA_TNUMBER:
        return lua_isinteger(L, index) ? fmt::format("{}", lua_tointeger(L, index))
                                       : fmt::format("{}", lua_tonumber(L, index));
    case LUA_TSTRING: {
        const std::string text = lua_tostring(L, index);
        return fmt::format("\"{}\"", text.size() > 60 ? text.substr(0, 57) + "..." : text);
    }
    default:
        return std::string("a ") + luaL_typename(L, index);
    }
}

Json toJson(lua_State* L, int index, const std::string& place, JsonStyle style) {
    return readValue(L, lua_absindex(L, index), place, style, 0);
}

void pushJson(lua_State* L, const Json& value) { pushValue(L, value, 0); }
void pushJsonNull(lua_State* L) { lua_pushlightuserdata(L, nullAddress()); }
void markAsList(lua_State* L) {
    luaL_newmetatable(L, listMark);
    lua_pushliteral(L, "list");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}
void pushText(lua_State* L, const std::string& text) { lua_pushlstring(L, text.data(), text.size()); }
void pushNumbers(lua_State* L, const NamedNumbers& numbers) {
    lua_createtable(L, 0, static_cast<int>(numbers.size()));
    for (const auto& [name, value] : numbers) {
        lua_pushnumber(L, value);
        lua_setfield(L, -2, name.c_str());
    }
}

std::string textArgument(lua_State* L, int index, const std::string& place) {
    if (lua_type(L, index) != LUA_TSTRING) throw Error(place, "expected a text, got " + shown(L, index));
    std::size_t size = 0;
    const char* text = lua_tolstring(L, index, &size);
    return {text, size};
}
double numberArgument(lua_State* L, int index, const std::string& place) {
    if (lua_type(L, index) != LUA_TNUMBER) throw Error(place, "expected a number, got " + shown(L, index));
    return lua_tonumber(L, index);
}
std::int64_t integerArgument(lua_State* L, int index, const std::string& place, std::int64_t low, std::int64_t high) {
    std::int64_t result = 0;
    if (!integerAt(L, index, result) || result < low || result > high)
        throw Error(place, "expected " + integerText(low, high) + ", got " + shown(L, index));
    return result;
}

std::vector<std::string> textKeys(lua_State* L, int index, const std::string& place) {
    index = lua_absindex(L, index);
    std::vector<std::string> keys;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) throw Error(place, "expected names as keys, got " + shown(L, -2));
        keys.emplace_back(lua_tostring(L, -2));
    }
    std::sort(keys.begin(), keys.end());
    return keys;
}

Options::Options(lua_State* L, int index, std::string place, std::vector<std::string> known)
    : L_(L), index_(0), place_(std::move(place)) {
    if (lua_isnoneornil(L, index)) return;
    if (lua_type(L, index) != LUA_TTABLE)
        throw Error(place_,
                    "expected a table of named arguments, e.g. {" + known.front() + " = ...}, got " + shown(L, index));
    index_ = lua_absindex(L, index);
    for (const auto& key : textKeys(L, index_, place_))
        if (std::find(known.begin(), known.end(), key) == known.end())
            throw Error(place_, "there is no argument \"" + key.substr(0, 80) + "\"" + suggestion(key, known));
}

void Options::push(const char* key) const {
    luaL_checkstack(L_, 4, nullptr);
    if (index_ == 0) {
        lua_pushnil(L_);
        return;
    }
    lua_pushstring(L_, key);
    lua_rawget(L_, index_);
}
bool Options::has(const char* key) const {
    push(key);
    const bool result = !lua_isnil(L_, -1);
    lua_pop(L_, 1);
    return result;
}
void Options::expected(const char* key, const std::string& what) const {
    throw Error(place(key), "expected " + what + ", got " + shown(L_, -1));
}
std::optional<std::int64_t> Options::integer(const char* key, std::int64_t low, std::int64_t high) const {
    push(key);
    std::optional<std::int64_t> result;
    if (!lua_isnil(L_, -1)) {
        std::int64_t value = 0;
        if (!integerAt(L_, -1, value) || value < low || value > high) expected(key, integerText(low, high));
        result = value;
    }
    lua_pop(L_, 1);
    return result;
}
std::optional<double> Options::number(const char* key) const {
    push(key);
    std::optional<double> result;
    if (!lua_isnil(L_, -1)) {
        if (lua_type(L_, -1) != LUA_TNUMBER || !std::isfinite(lua_tonumber(L_, -1))) expected(key, "a finite number");
        result = lua_tonumber(L_, -1);
    }
    lua_pop(L_, 1);
    return result;
}
std::optional<std::string> Options::text(const char* key) const {
    push(key);
    std::optional<std::string> result;
    if (!lua_isnil(L_, -1)) {
        if (lua_type(L_, -1) != LUA_TSTRING) expected(key, "a text");
        result = lua_tostring(L_, -1);
    }
    lua_pop(L_, 1);
    return result;
}
std::optional<bool> Options::boolean(const char* key) const {
    push(key);
    std::optional<bool> result;
    if (!lua_isnil(L_, -1)) {
        if (lua_type(L_, -1) != LUA_TBOOLEAN) expected(key, "true or false");
        result = lua_toboolean(L_, -1) != 0;
    }
    lua_pop(L_, 1);
    return result;
}
std::vector<std::string> Options::texts(const char* key) const {
    push(key);
    std::vector<std::string> result;
    if (lua_type(L_, -1) == LUA_TSTRING) {
        result.emplace_back(lua_tostring(L_, -1));
    } else if (lua_type(L_, -1) == LUA_TTABLE) {
        const auto length = static_cast<lua_Integer>(lua_rawlen(L_, -1));
        for (lua_Integer i = 1; i <= length; ++i) {
            lua_rawgeti(L_, -1, i);
            if (lua_type(L_, -1) != LUA_TSTRING) expected(key, "a list of texts");
            result.emplace_back(lua_tostring(L_, -1));
            lua_pop(L_, 1);
        }
        for (lua_pushnil(L_); lua_next(L_, -2) != 0; lua_pop(L_, 1))
            if (!lua_isinteger(L_, -2))
                throw Error(place(key), "expected a list of texts, got the name " + shown(L_, -2));
    } else if (!lua_isnil(L_, -1)) {
        expected(key, "a list of texts");
    }
    lua_pop(L_, 1);
    return result;
}
int Options::function(const char* key) const {
    push(key);
    if (lua_isnil(L_, -1)) {
        lua_pop(L_, 1);
        return 0;
    }
    if (lua_type(L_, -1) != LUA_TFUNCTION) expected(key, "a function");
    return lua_gettop(L_);
}

} // namespace raphe::lua
