// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lua/lua_binding.h"

/// The parts of the standard libraries that scripts have in another form than the library's. Each function works on the
/// table of a library on top of the stack; openSandbox() calls them all.
namespace raphe::lua {

/// load, loadfile, dofile and require: only texts, and only from where scripts may read.
void setChunkFunctions(lua_State* L);
/// find, match, gmatch and gsub: a script can be ended while a pattern backtracks, which the library's own can do for
/// hours.
void setPatternFunctions(lua_State* L);
/// insert, remove, move, concat and sort: a script can be ended while they work on a long table.
void setTableFunctions(lua_State* L);
/// resume, wrap and close: the script ends with the coroutine that notices that it shall end.
void setCoroutineFunctions(lua_State* L);
/// open and lines: only files that scripts may use.
void setFileFunctions(lua_State* L);

/// Replaces a function by one that has the old one as upvalue.
void replaceFunction(lua_State* L, const char* name, lua_CFunction function);
/// Calls the upvalue with all values on the stack; only its results stay there.
void callUpvalue(lua_State* L, int results);

} // namespace raphe::lua
