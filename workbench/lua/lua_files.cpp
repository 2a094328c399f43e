// SPDX-License-Identifier: Apache-2.0
// Which files a script may use, and how it opens them.
#include "lua/lua_libraries.h"
#include "lua/lua_sandbox.h"
#include "lua/lua_values.h"

#include <algorithm>
#include <set>

namespace raphe::lua {

namespace fs = std::filesystem;

namespace {

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
    pushText(L, path);
    pushText(L, mode);
    callUpvalue(L, LUA_MULTRET);
    return lua_gettop(L);
}
/// Upvalue: the library's lines.
int lines(lua_State* L) {
    const auto path = allowedPath(L, textArgument(L, 1, "io.lines"), "io.lines").string();
    pushText(L, path);
    lua_replace(L, 1);
    callUpvalue(L, LUA_MULTRET);
    return lua_gettop(L);
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

void setFileFunctions(lua_State* L) {
    replaceFunction(L, "open", edge<openFile>);
    replaceFunction(L, "lines", edge<lines>);
}

} // namespace raphe::lua
