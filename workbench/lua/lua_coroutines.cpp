// SPDX-License-Identifier: Apache-2.0
// The library `coroutine`, whose coroutines can be ended with the script.
#include "lua/lua_libraries.h"
#include "lua/lua_values.h"

namespace raphe::lua {

namespace {

/// Upvalue: the library's resume. A coroutine may be what noticed that the script shall end.
int resume(lua_State* L) {
    callUpvalue(L, LUA_MULTRET);
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
    callUpvalue(L, 1);
    lua_pushcclosure(L, edge<resumeWrapped>, 1);
    return 1;
}
/// Upvalue: the library's close.
int closeCoroutine(lua_State* L) {
    poll(L);
    callUpvalue(L, LUA_MULTRET);
    return lua_gettop(L);
}

} // namespace

void setCoroutineFunctions(lua_State* L) {
    replaceFunction(L, "resume", edge<resume>);
    replaceFunction(L, "close", edge<closeCoroutine>);
    lua_getfield(L, -1, "create");
    lua_pushcclosure(L, edge<wrap>, 1);
    lua_setfield(L, -2, "wrap");
}

} // namespace raphe::lua
