// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lua/lua_binding.h"

#include <filesystem>
#include <string>

namespace raphe::lua {

/// Opens the standard libraries as far as scripts may have them.
void openSandbox(lua_State* L);

/// What a file is for. Lua texts may also be read from the folder of the script.
enum class Access { data, code };

/// The file or folder that a script means, with symbolic links resolved, so that opening it cannot lead elsewhere.
/// @throws Error at `place` if it lies outside the folders that the script may use, or is neither file nor folder
std::filesystem::path allowedPath(lua_State* L, const std::string& path, const std::string& place,
                                  Access access = Access::data);

/// Compiles a text as a function on top of the stack. @throws Error with the place of the mistake
void compile(lua_State* L, std::string_view text, const std::string& chunkName);
/// A script without what is in its first line, if that begins with #.
std::string_view withoutFirstComment(std::string_view text);
/// The text of a script, without a first line that begins with #.
std::string scriptText(const std::filesystem::path& path);

} // namespace raphe::lua
