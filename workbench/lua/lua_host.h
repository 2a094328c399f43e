// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/mechanisms/plugin_host.h"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace raphe {

class Document;

struct LuaOptions {
    std::vector<std::string> scriptArguments; ///< raphe.args
    bool allowIo = false; ///< files anywhere, instead of only below the working folder and the run's folder
    std::size_t memoryLimitBytes = std::size_t{4} << 30; ///< of the script's values, tensors and sessions together
    std::filesystem::path workingFolder;                 ///< empty: that of the program
    std::filesystem::path runFolder;                     ///< a second folder that the script may use; empty: none
    std::function<void(std::string_view)> out;           ///< what the script prints; otherwise standard output
    std::function<void(std::string_view)> log;           ///< what it logs; otherwise standard error
    std::function<bool()> interrupted; ///< asked often, from several threads: true cancels like cancel()
};

/// One Lua state with the module `raphe`, in a sandbox (see resources/docs/lua-guide.md). Scripts that it runs one
/// after the other share their global variables. Use from one thread at a time, except cancel().
class LuaHost {
public:
    explicit LuaHost(PluginHost& plugins, LuaOptions options = {});
    LuaHost(const LuaHost&) = delete;
    LuaHost& operator=(const LuaHost&) = delete;
    ~LuaHost();

    /// Runs a script. @return the integer that it returns (0 to 255; otherwise 0), or 130 if it was cancelled
    /// @throws Error "script.lua:12: sentence"; NumericError when a training became non-finite
    int runFile(const std::filesystem::path& path);
    /// The same for a text; `name` stands in messages instead of a file's.
    int runText(std::string_view text, const std::string& name);
    /// Gives scripts a document as a global variable.
    void share(const std::string& variable, std::shared_ptr<Document> document);
    /// Ends the script that runs now (or the next one), whatever it is doing. From any thread and from signal handlers.
    void cancel();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace raphe
