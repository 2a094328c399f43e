// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/mechanisms/plugin_host.h"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
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
    /// Calls a function where shared documents are used, on the thread of whoever has them, and waits for it. Empty:
    /// that is where the script runs. May throw instead of calling; then the script goes on with that error.
    std::function<void(const std::function<void()>&)> withShared;
};

/// What scripts can name: for completion.
struct LuaVocabulary {
    using Names = std::vector<std::string>; ///< in alphabetical order
    Names globals;
    std::map<std::string, Names> tables;  ///< fields by name of the table: "raphe", "raphe.json", "string"
    std::map<std::string, Names> methods; ///< methods by class: "experiment", "session", "tensor"
};

/// One Lua state with the module `raphe`, in a sandbox (see resources/docs/lua-guide.md). Scripts that it runs one
/// after the other share their global variables. Use from one thread at a time, except cancel().
class LuaHost {
public:
    explicit LuaHost(const PluginHost& plugins, LuaOptions options = {});
    LuaHost(const LuaHost&) = delete;
    LuaHost& operator=(const LuaHost&) = delete;
    ~LuaHost();

    /// Runs a script. @return the integer that it returns (0 to 255; otherwise 0), or 130 if it was cancelled
    /// @throws Error "script.lua:12: sentence"; NumericError when a training became non-finite
    int runFile(const std::filesystem::path& path);
    /// The same for a text; `name` stands in messages instead of a file's.
    /// @param folder  where files beside the script are; empty: there are none
    int runText(std::string_view text, const std::string& name, const std::filesystem::path& folder = {});
    /// The same for what is typed into a console: what it yields is printed, and an expression needs no "return".
    int runConsole(std::string_view text, const std::string& name);
    /// What is wrong with a text before it runs: "script.lua:12: sentence"; empty: nothing.
    std::string mistake(std::string_view text, const std::string& name);
    /// The same for what is typed into a console. @param incomplete  set to whether the text ends too early
    std::string consoleMistake(std::string_view text, const std::string& name, bool& incomplete);
    /// Gives scripts a document of somebody else as a global variable. When its owner closes it, they are told so.
    void share(const std::string& variable, std::weak_ptr<Document> document);
    LuaVocabulary vocabulary();
    /// Ends the script that runs now (or the next one), whatever it is doing. From any thread and from signal handlers.
    void cancel();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace raphe
