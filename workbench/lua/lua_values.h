// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"
#include "lua/lua_binding.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace raphe::lua {

/// A value in a message: `"many"`, `3`, `a table`, `nothing`.
std::string shown(lua_State* L, int index);

/// What cannot be told from a Lua table alone.
struct JsonStyle {
    bool emptyIsList = false;     ///< {} becomes [] rather than {}
    bool nonFiniteIsNull = false; ///< otherwise an error
};
/// A table as JSON; members in alphabetical order (Lua has none), tensors as nested lists. @throws Error at `place`
Json toJson(lua_State* L, int index, const std::string& place, JsonStyle style = {});
/// null becomes raphe.json.null.
void pushJson(lua_State* L, const Json& value);
void pushJsonNull(lua_State* L);
/// Marks the table on top of the stack as a list even when it is empty.
void markAsList(lua_State* L);
void pushNumbers(lua_State* L, const NamedNumbers& numbers);
void pushText(lua_State* L, const std::string& text);

/// Positional arguments, with sentences instead of "bad argument #2".
std::string textArgument(lua_State* L, int index, const std::string& place);
double numberArgument(lua_State* L, int index, const std::string& place);
std::int64_t integerArgument(lua_State* L, int index, const std::string& place, std::int64_t low, std::int64_t high);

/// The table of named arguments of a call such as e:session{seed = 1}. Unknown names are errors with a suggestion.
class Options {
public:
    /// @param index  of the table; may be absent
    Options(lua_State* L, int index, std::string place, std::vector<std::string> known);

    bool has(const char* key) const;
    /// Puts the value on the stack (nil if there is none).
    void push(const char* key) const;
    std::string place(const char* key) const { return place_ + "." + key; }
    std::optional<std::int64_t> integer(const char* key, std::int64_t low, std::int64_t high) const;
    std::optional<double> number(const char* key) const;
    std::optional<std::string> text(const char* key) const;
    std::optional<bool> boolean(const char* key) const;
    /// A list of texts, or one text.
    std::vector<std::string> texts(const char* key) const;
    /// Puts the function on the stack and returns its index, or returns 0.
    int function(const char* key) const;

private:
    [[noreturn]] void expected(const char* key, const std::string& what) const;
    lua_State* L_;
    int index_;
    std::string place_;
};

/// The keys of the table at `index`, which must all be texts, in alphabetical order.
std::vector<std::string> textKeys(lua_State* L, int index, const std::string& place);

} // namespace raphe::lua
