// SPDX-License-Identifier: Apache-2.0
#include "lua/lua_host.h"

#include "lua/lua_binding.h"
#include "lua/lua_module.h"
#include "lua/lua_sandbox.h"

#include <fmt/format.h>

#include <cctype>

namespace raphe {

namespace fs = std::filesystem;
using namespace lua;

namespace {
constexpr int exitCancelled = 130;

int openEverything(lua_State* L) {
    openSandbox(L);
    openModule(L);
    return 0;
}
/// Argument: the error value. @return its text
int errorText(lua_State* L) {
    luaL_tolstring(L, 1, nullptr);
    return 1;
}
/// Message handler: gives a place to messages that have none (Lua's own about C functions, such as "C stack overflow").
int addPlace(lua_State* L) {
    if (lua_type(L, 1) != LUA_TSTRING || stopRequested(hostOf(L))) return 1;
    const std::string_view text = lua_tostring(L, 1);
    const auto colon = text.find(':');
    const bool placed = colon != std::string_view::npos && colon + 1 < text.size() &&
                        std::isdigit(static_cast<unsigned char>(text[colon + 1])) != 0;
    if (!placed) pushPlacedText(L, lua_tostring(L, 1));
    return 1;
}
} // namespace

class LuaHost::Impl {
public:
    Impl(const PluginHost& plugins, LuaOptions options)
        : host_{.plugins = plugins,
                .options = std::move(options),
                .workingFolder = {},
                .scriptFolder = {},
                .numericFailure = {}} {
        host_.workingFolder = fs::weakly_canonical(
            fs::absolute(host_.options.workingFolder.empty() ? fs::current_path() : host_.options.workingFolder));
        L_ = lua_newstate(allocate, &host_);
        if (!L_)
            throw Error("Lua", "not enough memory to start; allow more than " +
                                   std::to_string(host_.options.memoryLimitBytes) + " bytes");
        setHost(L_, &host_);
        lua_pushcfunction(L_, edge<openEverything>);
        if (lua_pcall(L_, 0, 0, 0) != LUA_OK) {
            const auto text = textOfError();
            lua_close(L_);
            throw Error("Lua", "cannot start: " + text);
        }
    }
    ~Impl() { lua_close(L_); }

    using Chunk = std::pair<std::string_view, const std::string&>; ///< text, name

    int run(std::string_view text, const std::string& chunkName, lua_CFunction body = edge<compileAndCall>) {
        lua_settop(L_, 0);
        host_.stopping = false;
        host_.numericFailure.clear();
        watch(L_);
        const Chunk source(text, chunkName);
        lua_pushcfunction(L_, addPlace);
        lua_pushcfunction(L_, body);
        lua_pushlightuserdata(L_, const_cast<void*>(static_cast<const void*>(&source)));
        const int status = lua_pcall(L_, 1, 1, 1);
        const bool stopped = host_.stopping || (status != LUA_OK && stopRequested(host_));
        std::string message;
        int code = 0;
        if (status == LUA_OK)
            code = lua_isinteger(L_, -1) && lua_tointeger(L_, -1) >= 0 && lua_tointeger(L_, -1) <= 255
                       ? static_cast<int>(lua_tointeger(L_, -1))
                       : 0;
        else if (!stopped)
            message = status == LUA_ERRMEM ? fmt::format("{}: not enough memory; a script may use {} MiB",
                                                         chunkName.substr(1), host_.options.memoryLimitBytes >> 20)
                                           : textOfError();
        lua_sethook(L_, nullptr, 0, 0);
        lua_settop(L_, 0);
        const bool stoppedLater = host_.stopping; // while the error's text was made
        host_.stopping = false;
        host_.cancelled = false;
        if (stopped || stoppedLater) return exitCancelled;
        if (status == LUA_OK) return code;
        if (!host_.numericFailure.empty() && message.find(host_.numericFailure) != std::string::npos)
            throw NumericError(message);
        throw Error(message);
    }

    /// Something that is no script: it cannot be cancelled, and has no results in Lua.
    void call(lua_CFunction function, void* argument) {
        lua_settop(L_, 0);
        const bool cancelled = host_.cancelled.exchange(false);
        lua_pushcfunction(L_, function);
        lua_pushlightuserdata(L_, argument);
        const bool good = lua_pcall(L_, 1, 0, 0) == LUA_OK;
        lua_sethook(L_, nullptr, 0, 0); // it was asked to end meanwhile
        host_.stopping = false;
        if (cancelled) host_.cancelled = true;
        if (!good) throw Error(textOfError());
    }
    void share(const std::string& variable, std::weak_ptr<Document> document) {
        std::pair<const std::string&, std::weak_ptr<Document>&> shared(variable, document);
        call(edge<setGlobal>, &shared);
    }
    std::string mistake(std::string_view text, const std::string& chunkName, lua_CFunction compiler) {
        Chunk source(text, chunkName);
        try {
            call(compiler, &source);
            return {};
        } catch (const Error& error) {
            return error.what();
        }
    }
    LuaVocabulary vocabulary() {
        LuaVocabulary found;
        call(edge<findVocabulary>, &found);
        return found;
    }

    void setScriptFolder(fs::path folder) { host_.scriptFolder = std::move(folder); }
    void cancel() { host_.cancelled.store(true, std::memory_order_relaxed); }

private:
    static int setGlobal(lua_State* L) {
        auto& [variable, document] =
            *static_cast<std::pair<const std::string&, std::weak_ptr<Document>&>*>(lua_touserdata(L, 1));
        pushShared(L, document);
        lua_setglobal(L, variable.c_str());
        return 0;
    }
    static int findVocabulary(lua_State* L) {
        auto& found = *static_cast<LuaVocabulary*>(lua_touserdata(L, 1));
        found = vocabularyOf(L);
        return 0;
    }

public:
    using Compile = void (*)(lua_State*, std::string_view, const std::string&);
    /// Argument: a Chunk.
    template <Compile How>
    static int compileOnly(lua_State* L) {
        const auto& [text, name] = *static_cast<const Chunk*>(lua_touserdata(L, 1));
        lua_settop(L, 0);
        How(L, text, name);
        return 1;
    }
    static int compileAndCall(lua_State* L) {
        compileOnly<compile>(L);
        lua_call(L, 0, 1);
        return 1;
    }
    static int callAndPrint(lua_State* L) {
        compileOnly<compileConsole>(L);
        lua_call(L, 0, LUA_MULTRET);
        printValues(L);
        return 0;
    }

private:
    /// The text of the error value on top of the stack, which may be anything.
    std::string textOfError() {
        lua_pushcfunction(L_, errorText);
        lua_insert(L_, -2);
        const bool made = lua_pcall(L_, 1, 1, 0) == LUA_OK && lua_type(L_, -1) == LUA_TSTRING;
        std::string text = made ? lua_tostring(L_, -1) : "the script ended with an error that has no text";
        lua_pop(L_, 1);
        return text;
    }

    Host host_;
    lua_State* L_ = nullptr;
};

LuaHost::LuaHost(const PluginHost& plugins, LuaOptions options)
    : impl_(std::make_unique<Impl>(plugins, std::move(options))) {}
LuaHost::~LuaHost() = default;

int LuaHost::runFile(const fs::path& path) {
    const auto text = scriptText(path);
    impl_->setScriptFolder(fs::weakly_canonical(fs::absolute(path)).parent_path());
    return impl_->run(text, "@" + path.string());
}
int LuaHost::runText(std::string_view text, const std::string& name, const fs::path& folder) {
    impl_->setScriptFolder(folder.empty() ? fs::path() : fs::weakly_canonical(fs::absolute(folder)));
    return impl_->run(withoutFirstComment(text), "@" + name);
}
int LuaHost::runConsole(std::string_view text, const std::string& name) {
    impl_->setScriptFolder({});
    return impl_->run(text, "=" + name, edge<Impl::callAndPrint>);
}
std::string LuaHost::mistake(std::string_view text, const std::string& name) {
    return impl_->mistake(withoutFirstComment(text), "@" + name, edge<Impl::compileOnly<compile>>);
}
std::string LuaHost::consoleMistake(std::string_view text, const std::string& name, bool& incomplete) {
    auto sentence = impl_->mistake(text, "=" + name, edge<Impl::compileOnly<compileConsole>>);
    incomplete = sentence.find("<eof>") != std::string::npos;
    return sentence;
}
LuaVocabulary LuaHost::vocabulary() { return impl_->vocabulary(); }
void LuaHost::share(const std::string& variable, std::weak_ptr<Document> document) {
    impl_->share(variable, std::move(document));
}
void LuaHost::cancel() { impl_->cancel(); }

} // namespace raphe
