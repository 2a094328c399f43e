// SPDX-License-Identifier: Apache-2.0
#pragma once

struct lua_State;

namespace raphe::lua {

/// Replaces find, match, gmatch and gsub of the table `string` on top of the stack. They do the same, but a script can
/// be ended while a pattern backtracks, which the library's own functions can do for hours.
void setPatternFunctions(lua_State* L);

} // namespace raphe::lua
