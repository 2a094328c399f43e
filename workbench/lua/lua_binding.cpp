// SPDX-License-Identifier: Apache-2.0
#include "lua/lua_binding.h"

#include "engine/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace raphe::lua {

namespace {

constexpr int mostInstructionsBetweenPolls = 32;

/// Single instructions can be slow (joining long texts, calls of C functions), so the time decides how many make up the
/// interval: about 20 ms at most.
void onCount(lua_State* L, lua_Debug*) {
    poll(L);
    Host& host = hostOf(L);
    const auto now = std::chrono::steady_clock::now();
    const int before = lua_gethookcount(L);
    const int count = now - host.lastCount > std::chrono::milliseconds(20)
                          ? std::max(1, before / 4)
                          : std::min(2 * before, mostInstructionsBetweenPolls);
    host.lastCount = now;
    if (count != before) lua_sethook(L, onCount, LUA_MASKCOUNT, count);
}

/// Upvalues: table of methods, name of the class.
int indexClass(lua_State* L) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    if (lua_type(L, 2) != LUA_TSTRING) return 1;
    std::vector<std::string> known;
    for (lua_pushnil(L); lua_next(L, lua_upvalueindex(1)) != 0; lua_pop(L, 1)) known.emplace_back(lua_tostring(L, -2));
    std::sort(known.begin(), known.end());
    const std::string name = lua_tostring(L, lua_upvalueindex(2)), key = lua_tostring(L, 2);
    throw Error(name, "there is no \"" + key + "\"" + suggestion(key, known));
}

} // namespace

Host& hostOf(lua_State* L) {
    Host* host = nullptr;
    std::memcpy(&host, lua_getextraspace(L), sizeof host);
    return *host;
}
void setHost(lua_State* L, Host* host) { std::memcpy(lua_getextraspace(L), &host, sizeof host); }

bool stopRequested(Host& host) {
    if (host.stopping || host.cancelled.load(std::memory_order_relaxed)) return true;
    return host.options.interrupted && host.options.interrupted();
}

void poll(lua_State* L) {
    Host& host = hostOf(L);
    if (!stopRequested(host)) return;
    // From now on at every instruction, so that no pcall can hold the script.
    host.stopping = true;
    lua_sethook(L, onCount, LUA_MASKCOUNT, 1);
    lua_pushliteral(L, "cancelled");
    lua_error(L);
}

void watch(lua_State* L) {
    hostOf(L).lastCount = std::chrono::steady_clock::now();
    lua_sethook(L, onCount, LUA_MASKCOUNT, mostInstructionsBetweenPolls);
}

void* allocate(void* userData, void* block, std::size_t oldSize, std::size_t newSize) {
    Host& host = *static_cast<Host*>(userData);
    if (!block) oldSize = 0; // otherwise it tells the kind of object
    if (newSize == 0) {
        std::free(block);
        host.used -= oldSize;
        return nullptr;
    }
    if (newSize > oldSize && newSize - oldSize > memoryLeft(host)) return nullptr;
    void* result = std::realloc(block, newSize);
    if (result) host.used += newSize - oldSize;
    return result;
}

std::size_t memoryLeft(const Host& host) {
    const auto taken = host.used + host.outside;
    return taken < host.options.memoryLimitBytes ? host.options.memoryLimitBytes - taken : 0;
}

void requireMemory(lua_State* L, double bytes, const std::string& place) {
    Host& host = hostOf(L);
    if (bytes > static_cast<double>(memoryLeft(host))) lua_gc(L, LUA_GCCOLLECT);
    if (bytes > static_cast<double>(memoryLeft(host)))
        throw Error(place, fmt::format("takes about {:.0f} MiB, but of the {} MiB that a script may use {} are left",
                                       bytes / 1048576, host.options.memoryLimitBytes >> 20, memoryLeft(host) >> 20));
}

Charge::Charge(lua_State* L, double bytes, const std::string& place) : host_(&hostOf(L)), bytes_(0) {
    constexpr std::size_t often = std::size_t{64} << 20;
    if (host_->outside > host_->outsideAtCollection + std::max(often, host_->outsideAtCollection)) {
        lua_gc(L, LUA_GCCOLLECT);
        host_->outsideAtCollection = host_->outside;
    }
    requireMemory(L, bytes, place);
    bytes_ = static_cast<std::size_t>(bytes);
    host_->outside += bytes_;
}

void pushPlacedText(lua_State* L, const char* text) {
    lua_Debug info;
    for (int level = 0; lua_getstack(L, level, &info) != 0; ++level) {
        lua_getinfo(L, "Sl", &info);
        if (info.currentline > 0) {
            lua_pushfstring(L, "%s:%d: %s", info.short_src, info.currentline, text);
            return;
        }
    }
    lua_pushstring(L, text);
}

void pushCurrentException(lua_State* L) {
    lua_settop(L, 0);
    try {
        throw;
    } catch (const CallbackFailure& failure) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, failure.reference());
        luaL_unref(L, LUA_REGISTRYINDEX, failure.reference());
    } catch (const NumericError& error) {
        hostOf(L).numericFailure = error.what();
        pushPlacedText(L, error.what());
    } catch (const std::bad_alloc&) {
        pushPlacedText(L, "not enough memory");
    } catch (const std::exception& error) {
        pushPlacedText(L, error.what());
    }
}

void setFunctions(lua_State* L, std::initializer_list<Method> functions) {
    for (const auto& [name, function] : functions) {
        lua_pushcfunction(L, function);
        lua_setfield(L, -2, name);
    }
}

void makeClass(lua_State* L, const char* name, std::initializer_list<Method> methods,
               std::initializer_list<Method> metamethods, void (*more)(lua_State*)) {
    luaL_newmetatable(L, name);
    lua_newtable(L);
    setFunctions(L, methods);
    if (more) more(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, classesKey);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
    lua_pushstring(L, name);
    lua_pushcclosure(L, edge<indexClass>, 2);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable"); // scripts get the name, never the metatable itself
    setFunctions(L, metamethods);
    lua_pop(L, 1);
}

void wrongSelf(lua_State* L, const char* className) {
    throw Error(className, fmt::format("the function is a method; call it with a colon, e.g. {}:name(...), got {}",
                                       className, luaL_typename(L, 1)));
}

} // namespace raphe::lua
