// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/session.h"
#include "lua/lua_host.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <atomic>
#include <chrono>
#include <initializer_list>
#include <new>
#include <utility>

namespace raphe::lua {

/// Everything that hangs from one Lua state. Found from any of its threads by hostOf().
struct Host {
    const PluginHost& plugins;
    LuaOptions options;
    std::filesystem::path workingFolder, scriptFolder; ///< canonical
    std::atomic<bool> cancelled{false};
    bool stopping = false; ///< set once the script has been told to end; from then on nothing it does succeeds
    std::chrono::steady_clock::time_point lastCount{}; ///< when the hook was last called
    std::size_t used = 0;                              ///< bytes that Lua's allocator gave out
    std::size_t outside = 0, outsideAtCollection = 0;  ///< bytes of sessions and the like, which Lua does not see
    std::string numericFailure;                        ///< text of the last NumericError
};
static_assert(std::atomic<bool>::is_always_lock_free, "cancel() is called from signal handlers");

Host& hostOf(lua_State* L);
void setHost(lua_State* L, Host* host);

// -- ending a script --------------------------------------------------------------------------------------------------

bool stopRequested(Host& host);
/// Raises the error that ends the script, if it shall end. Every loop of ours that a script can make long calls this.
void poll(lua_State* L);
/// Installs the hook that calls poll() while Lua code runs. New coroutines inherit it.
void watch(lua_State* L);

// -- memory -----------------------------------------------------------------------------------------------------------

void* allocate(void* host, void* block, std::size_t oldSize, std::size_t newSize);
/// Bytes that a script may still ask for.
std::size_t memoryLeft(const Host& host);
/// Refuses what would not fit. @throws Error at `place`
void requireMemory(lua_State* L, double bytes, const std::string& place);
/// Memory outside Lua on behalf of the script, given back by the destructor. Collects garbage when it piles up.
class Charge {
public:
    Charge(lua_State* L, double bytes, const std::string& place);
    Charge(Charge&& other) noexcept : host_(other.host_), bytes_(std::exchange(other.bytes_, 0)) {}
    Charge& operator=(Charge&&) = delete;
    ~Charge() { host_->outside -= bytes_; }

private:
    Host* host_;
    std::size_t bytes_;
};

// -- the edge between C++ and Lua -------------------------------------------------------------------------------------

/// A Lua error on its way through C++ frames that must not be skipped (a training with its run folder).
class CallbackFailure : public Error {
public:
    CallbackFailure(const std::string& text, int reference) : Error(text), reference_(reference) {}
    int reference() const { return reference_; } ///< of the error value, in the registry

private:
    int reference_;
};

/// Puts "script.lua:12: text" on the stack.
void pushPlacedText(lua_State* L, const char* text);

/// The exception in flight as a Lua error value on the stack. @pre called in a catch block
void pushCurrentException(lua_State* L);

/// A C++ function as Lua sees it: exceptions become Lua errors. (Lua's own errors are exceptions of another type and
/// pass; they are never caught here.)
template <lua_CFunction F>
int edge(lua_State* L) {
    try {
        poll(L);
        return F(L);
    } catch (const std::exception&) {
        pushCurrentException(L);
    }
    return lua_error(L);
}

struct Method {
    const char* name;
    lua_CFunction function;
};
/// Table in the registry: the table of methods of each class by its name.
constexpr const char* classesKey = "raphe.classes";
/// Sets fields of the table on top of the stack.
void setFunctions(lua_State* L, std::initializer_list<Method> functions);
/// Makes the metatable of a class of userdata. Objects answer an unknown name with a suggestion.
/// @param more  sets further methods in the table on top of the stack
void makeClass(lua_State* L, const char* name, std::initializer_list<Method> methods,
               std::initializer_list<Method> metamethods = {}, void (*more)(lua_State*) = nullptr);

/// C++ objects that Lua owns: __gc destroys them. Specialised by a constant `className`.
template <class T>
struct ClassOf;
template <class T>
int destroy(lua_State* L) {
    static_cast<T*>(lua_touserdata(L, 1))->~T();
    return 0;
}
template <class T>
T& pushObject(lua_State* L, T&& object) {
    void* memory = lua_newuserdatauv(L, sizeof(T), 0);
    T* result = new (memory) T(std::move(object));
    luaL_setmetatable(L, ClassOf<T>::name);
    return *result;
}
template <class T>
T* testObject(lua_State* L, int index) {
    return static_cast<T*>(luaL_testudata(L, index, ClassOf<T>::name));
}
[[noreturn]] void wrongSelf(lua_State* L, const char* className);
/// The object before the colon.
template <class T>
T& self(lua_State* L) {
    if (T* object = testObject<T>(L, 1)) return *object;
    wrongSelf(L, ClassOf<T>::name);
}

} // namespace raphe::lua
