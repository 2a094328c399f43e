// SPDX-License-Identifier: Apache-2.0
#include "lua/lua_libraries.h"

#include "lua/lua_values.h"

#include <cctype>
#include <cstring>
#include <string>
#include <string_view>

namespace raphe::lua {

namespace {

constexpr int maxCaptures = 32;
constexpr int maxDepth = 200; ///< of the recursion; the reference manual's limit as well

/// Lua patterns (reference manual 5.4, section 6.4.1) by backtracking. Texts end with a zero byte, as Lua's do, so that
/// one character behind the end may be read.
class Matcher {
public:
    Matcher(lua_State* L, std::string_view subject, std::string_view pattern)
        : L_(L), begin_(subject.data()), end_(subject.data() + subject.size()),
          patternEnd_(pattern.data() + pattern.size()) {}

    /// End of the match of the pattern from p on at position s, or null.
    const char* match(const char* s, const char* p) {
        captures_ = 0;
        return run(s, p);
    }
    int captureCount(bool wholeIfNone) const { return captures_ == 0 && wholeIfNone ? 1 : captures_; }
    /// Puts capture i on the stack; the whole match if there are none.
    void pushCapture(int i, const char* from, const char* to) const {
        if (i >= captures_) {
            if (i != 0) throw Error("pattern", "there is no capture %" + std::to_string(i + 1));
            lua_pushlstring(L_, from, static_cast<std::size_t>(to - from));
            return;
        }
        const auto& c = capture_[i];
        if (c.length == unclosed) throw Error("pattern", "a capture is not closed; add )");
        if (c.length == positionOnly)
            lua_pushinteger(L_, c.start - begin_ + 1);
        else
            lua_pushlstring(L_, c.start, static_cast<std::size_t>(c.length));
    }
    int pushCaptures(const char* from, const char* to, bool wholeIfNone) const {
        const int count = captureCount(wholeIfNone);
        luaL_checkstack(L_, count, "too many captures");
        for (int i = 0; i < count; ++i) pushCapture(i, from, to);
        return count;
    }

private:
    static constexpr std::ptrdiff_t unclosed = -1, positionOnly = -2;
    struct Capture {
        const char* start;
        std::ptrdiff_t length;
    };
    struct Depth {
        explicit Depth(int& value) : value_(value) {
            if (++value_ > maxDepth) {
                --value_;
                throw Error("pattern", "is too complex");
            }
        }
        ~Depth() { --value_; }
        int& value_;
    };

    void tick() {
        if (++steps_ % 4096 == 0) poll(L_);
    }

    const char* run(const char* s, const char* p) {
        const Depth depth(depth_);
        for (;;) {
            tick();
            if (p == patternEnd_) return s;
            switch (*p) {
            case '(':
                return p[1] == ')' ? open(s, p + 2, positionOnly) : open(s, p + 1, unclosed);
            case ')':
                return close(s, p + 1);
            case '$':
                if (p + 1 == patternEnd_) return s == end_ ? s : nullptr;
                break;
            case '%':
                if (p[1] == 'b') {
                    s = balanced(s, p + 2);
                    if (!s) return nullptr;
                    p += 4;
                    continue;
                }
                if (p[1] == 'f') {
                    p += 2;
                    if (p == patternEnd_ || *p != '[') throw Error("pattern", "expected [ after %f");
                    const char* setEnd = itemEnd(p);
                    const auto before = s == begin_ ? '\0' : s[-1];
                    if (inSet(byte(before), p, setEnd - 1) || !inSet(byte(*s), p, setEnd - 1)) return nullptr;
                    p = setEnd;
                    continue;
                }
                if (std::isdigit(byte(p[1]))) {
                    s = repeatCapture(s, byte(p[1]));
                    if (!s) return nullptr;
                    p += 2;
                    continue;
                }
                break;
            default:
                break;
            }
            const char* next = itemEnd(p);
            switch (next == patternEnd_ ? '\0' : *next) {
            case '?':
                if (single(s, p, next))
                    if (const char* result = run(s + 1, next + 1)) return result;
                p = next + 1;
                continue;
            case '+':
                return single(s, p, next) ? longest(s + 1, p, next) : nullptr;
            case '*':
                return longest(s, p, next);
            case '-':
                return shortest(s, p, next);
            default:
                if (!single(s, p, next)) return nullptr;
                ++s;
                p = next;
            }
        }
    }

    static int byte(char c) { return static_cast<unsigned char>(c); }

    /// Behind the single-character item that begins at p.
    const char* itemEnd(const char* p) const {
        if (*p == '%') {
            if (p + 1 == patternEnd_) throw Error("pattern", "ends with %; write %% for the character itself");
            return p + 2;
        }
        if (*p++ != '[') return p;
        if (p != patternEnd_ && *p == '^') ++p;
        do { // a ] directly after [ stands for itself
            if (p == patternEnd_) throw Error("pattern", "a [ has no ]");
            if (*p++ == '%') {
                if (p == patternEnd_) throw Error("pattern", "a [ has no ]");
                ++p;
            }
        } while (p == patternEnd_ || *p != ']');
        return p + 1;
    }

    static bool inClass(int c, int letter) {
        bool result = false;
        switch (std::tolower(letter)) {
        case 'a':
            result = std::isalpha(c) != 0;
            break;
        case 'c':
            result = std::iscntrl(c) != 0;
            break;
        case 'd':
            result = std::isdigit(c) != 0;
            break;
        case 'g':
            result = std::isgraph(c) != 0;
            break;
        case 'l':
            result = std::islower(c) != 0;
            break;
        case 'p':
            result = std::ispunct(c) != 0;
            break;
        case 's':
            result = std::isspace(c) != 0;
            break;
        case 'u':
            result = std::isupper(c) != 0;
            break;
        case 'w':
            result = std::isalnum(c) != 0;
            break;
        case 'x':
            result = std::isxdigit(c) != 0;
            break;
        default:
            return letter == c;
        }
        return std::isupper(letter) ? !result : result;
    }
    /// @param p  at [   @param last  at its ]
    static bool inSet(int c, const char* p, const char* last) {
        bool found = true;
        if (p[1] == '^') {
            found = false;
            ++p;
        }
        while (++p < last) {
            if (*p == '%') {
                ++p;
                if (inClass(c, byte(*p))) return found;
            } else if (p[1] == '-' && p + 2 < last) {
                if (byte(*p) <= c && c <= byte(p[2])) return found;
                p += 2;
            } else if (byte(*p) == c) {
                return found;
            }
        }
        return !found;
    }
    bool single(const char* s, const char* p, const char* next) const {
        if (s >= end_) return false;
        const int c = byte(*s);
        switch (*p) {
        case '.':
            return true;
        case '%':
            return inClass(c, byte(p[1]));
        case '[':
            return inSet(c, p, next - 1);
        default:
            return byte(*p) == c;
        }
    }

    const char* longest(const char* s, const char* p, const char* next) {
        const char* last = s;
        for (; single(last, p, next); ++last) tick();
        for (; last >= s; --last) {
            tick();
            if (const char* result = run(last, next + 1)) return result;
        }
        return nullptr;
    }
    const char* shortest(const char* s, const char* p, const char* next) {
        for (;; ++s) {
            tick();
            if (const char* result = run(s, next + 1)) return result;
            if (!single(s, p, next)) return nullptr;
        }
    }
    const char* balanced(const char* s, const char* p) {
        if (p + 1 >= patternEnd_) throw Error("pattern", "%b takes two characters");
        if (s >= end_ || *s != p[0]) return nullptr;
        for (long level = 1; ++s < end_;) {
            tick();
            if (*s == p[1]) {
                if (--level == 0) return s + 1;
            } else if (*s == p[0]) {
                ++level;
            }
        }
        return nullptr;
    }
    const char* open(const char* s, const char* p, std::ptrdiff_t what) {
        if (captures_ == maxCaptures) throw Error("pattern", "has more than 32 captures");
        capture_[captures_++] = {s, what};
        if (const char* result = run(s, p)) return result;
        --captures_;
        return nullptr;
    }
    const char* close(const char* s, const char* p) {
        int i = captures_ - 1;
        while (i >= 0 && capture_[i].length != unclosed) --i;
        if (i < 0) throw Error("pattern", "a ) closes nothing");
        capture_[i].length = s - capture_[i].start;
        if (const char* result = run(s, p)) return result;
        capture_[i].length = unclosed;
        return nullptr;
    }
    const char* repeatCapture(const char* s, int digit) {
        const int i = digit - '1';
        if (i < 0 || i >= captures_ || capture_[i].length == unclosed)
            throw Error("pattern", std::string("there is no capture %") + static_cast<char>(digit));
        const auto length = capture_[i].length == positionOnly ? 0 : capture_[i].length;
        steps_ |= 4095; // comparing may take long: ask after each
        tick();
        if (end_ - s < length || std::memcmp(capture_[i].start, s, static_cast<std::size_t>(length)) != 0)
            return nullptr;
        return s + length;
    }

    lua_State* L_;
    const char *begin_, *end_, *patternEnd_;
    int depth_ = 0, captures_ = 0;
    unsigned steps_ = 0;
    Capture capture_[maxCaptures] = {};
};

/// Texts and, as everywhere in Lua's string library, numbers.
std::string_view text(lua_State* L, int index, const char* place) {
    if (lua_isstring(L, index) == 0) throw Error(place, "expected a text, got " + shown(L, index));
    std::size_t size = 0;
    const char* data = lua_tolstring(L, index, &size);
    return {data, size};
}

/// Start position, 0-based; beyond the end if there is none.
std::size_t startPosition(lua_State* L, int index, std::size_t size, const char* place) {
    if (lua_isnoneornil(L, index)) return 0;
    const auto given = integerArgument(L, index, place, LUA_MININTEGER, LUA_MAXINTEGER);
    if (given > 0) return static_cast<std::size_t>(given) - 1;
    if (given == 0 || given < -static_cast<lua_Integer>(size)) return 0;
    return size - static_cast<std::size_t>(-given);
}

int findOrMatch(lua_State* L, bool find) {
    const char* place = find ? "string.find" : "string.match";
    lua_settop(L, 4);
    const auto subject = text(L, 1, place), pattern = text(L, 2, place);
    const auto start = startPosition(L, 3, subject.size(), place);
    if (start > subject.size()) {
        lua_pushnil(L);
        return 1;
    }
    const bool plain = lua_toboolean(L, 4) != 0 || pattern.find_first_of("^$*+?.([%-") == std::string_view::npos;
    if (find && plain) {
        const auto* found = pattern.empty()
                                ? subject.data() + start
                                : static_cast<const char*>(memmem(subject.data() + start, subject.size() - start,
                                                                  pattern.data(), pattern.size()));
        if (!found) {
            lua_pushnil(L);
            return 1;
        }
        lua_pushinteger(L, found - subject.data() + 1);
        lua_pushinteger(L, found - subject.data() + static_cast<lua_Integer>(pattern.size()));
        return 2;
    }
    Matcher matcher(L, subject, pattern);
    const bool anchored = !pattern.empty() && pattern[0] == '^';
    const char* p = pattern.data() + (anchored ? 1 : 0);
    for (const char* s = subject.data() + start; s <= subject.data() + subject.size(); ++s) {
        if (const char* end = matcher.match(s, p)) {
            if (!find) return matcher.pushCaptures(s, end, true);
            lua_pushinteger(L, s - subject.data() + 1);
            lua_pushinteger(L, end - subject.data());
            return 2 + matcher.pushCaptures(s, end, false);
        }
        if (anchored) break;
    }
    lua_pushnil(L);
    return 1;
}
int find(lua_State* L) { return findOrMatch(L, true); }
int match(lua_State* L) { return findOrMatch(L, false); }

/// Upvalues: subject, pattern, where to go on, end of the last match (both 0-based; -1: none).
int nextMatch(lua_State* L) {
    const auto subject = text(L, lua_upvalueindex(1), "string.gmatch"),
               pattern = text(L, lua_upvalueindex(2), "string.gmatch");
    const auto start = lua_tointeger(L, lua_upvalueindex(3)), last = lua_tointeger(L, lua_upvalueindex(4));
    Matcher matcher(L, subject, pattern);
    for (auto i = start; i <= static_cast<lua_Integer>(subject.size()); ++i) {
        const char* s = subject.data() + i;
        const char* end = matcher.match(s, pattern.data());
        if (!end || end - subject.data() == last) continue;
        lua_pushinteger(L, end - subject.data());
        lua_copy(L, -1, lua_upvalueindex(3));
        lua_copy(L, -1, lua_upvalueindex(4));
        lua_pop(L, 1);
        return matcher.pushCaptures(s, end, true);
    }
    return 0;
}
int gmatch(lua_State* L) {
    lua_settop(L, 3);
    const auto subject = text(L, 1, "string.gmatch");
    text(L, 2, "string.gmatch");
    const auto start = startPosition(L, 3, subject.size(), "string.gmatch");
    lua_settop(L, 2);
    lua_pushinteger(L, static_cast<lua_Integer>(std::min(start, subject.size() + 1)));
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, edge<nextMatch>, 4);
    return 1;
}

/// Appends what the match is replaced by (argument 3). @return whether it differs
bool appendReplacement(lua_State* L, const Matcher& matcher, std::string& result, const char* s, const char* end) {
    switch (lua_type(L, 3)) {
    case LUA_TFUNCTION: {
        lua_pushvalue(L, 3);
        const int count = matcher.pushCaptures(s, end, true);
        lua_call(L, count, 1);
        break;
    }
    case LUA_TTABLE:
        matcher.pushCapture(0, s, end);
        lua_gettable(L, 3);
        break;
    default: {
        const auto replacement = text(L, 3, "string.gsub");
        for (std::size_t i = 0; i < replacement.size(); ++i) {
            if (replacement[i] != '%') {
                result += replacement[i];
                continue;
            }
            const char c = ++i < replacement.size() ? replacement[i] : '\0';
            if (c == '%') {
                result += '%';
            } else if (c == '0') {
                result.append(s, end);
            } else if (c >= '1' && c <= '9') {
                matcher.pushCapture(c - '1', s, end);
                result += text(L, -1, "string.gsub");
                lua_pop(L, 1);
            } else {
                throw Error("string.gsub", "in the replacement, % is followed by a digit or by %");
            }
        }
        return true;
    }
    }
    const bool keeps = lua_toboolean(L, -1) == 0;
    if (keeps)
        result.append(s, end);
    else if (lua_isstring(L, -1) == 0)
        throw Error("string.gsub", "expected a text or a number as replacement, got " + shown(L, -1));
    else
        result += text(L, -1, "string.gsub");
    lua_pop(L, 1);
    return !keeps;
}

int gsub(lua_State* L) {
    lua_settop(L, 4);
    const auto subject = text(L, 1, "string.gsub"), pattern = text(L, 2, "string.gsub");
    const int kind = lua_type(L, 3);
    if (kind != LUA_TFUNCTION && kind != LUA_TTABLE && kind != LUA_TSTRING && kind != LUA_TNUMBER)
        throw Error("string.gsub", "expected a text, a table or a function as replacement, got " + shown(L, 3));
    if (kind == LUA_TNUMBER) lua_tostring(L, 3);
    const auto most = lua_isnil(L, 4) ? static_cast<std::int64_t>(subject.size()) + 1
                                      : integerArgument(L, 4, "string.gsub", LUA_MININTEGER, LUA_MAXINTEGER);
    const bool anchored = !pattern.empty() && pattern[0] == '^';
    const char* p = pattern.data() + (anchored ? 1 : 0);
    const char *s = subject.data(), *subjectEnd = s + subject.size(), *last = nullptr;
    Matcher matcher(L, subject, pattern);
    std::string result;
    std::int64_t count = 0;
    bool changed = false;
    while (count < most) {
        const char* end = matcher.match(s, p);
        if (end && end != last) {
            ++count;
            changed = appendReplacement(L, matcher, result, s, end) || changed;
            s = last = end;
            poll(L);
            if (result.capacity() > memoryLeft(hostOf(L)) / 2)
                throw Error("string.gsub", "the result does not fit into the memory that a script may use");
        } else if (s < subjectEnd) {
            result += *s++;
        } else {
            break;
        }
        if (anchored) break;
    }
    if (!changed) {
        lua_pushvalue(L, 1);
    } else {
        result.append(s, subjectEnd);
        pushText(L, result);
    }
    lua_pushinteger(L, count);
    return 2;
}

} // namespace

void setPatternFunctions(lua_State* L) {
    setFunctions(L, {{"find", edge<find>}, {"match", edge<match>}, {"gmatch", edge<gmatch>}, {"gsub", edge<gsub>}});
}

} // namespace raphe::lua
