// SPDX-License-Identifier: Apache-2.0
#include "engine/document/json_reader.h"

#include "engine/base/files.h"
#include "raphe/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>
#include <unordered_set>
#include <utility>
#include <vector>

namespace raphe {
namespace {

/// Walks over the text and tells the handler, which the parser does not, how far it has come.
struct Cursor {
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    const char* at;
    const char** reached;

    reference operator*() const { return *at; }
    Cursor& operator++() {
        *reached = ++at;
        return *this;
    }
    Cursor operator++(int) {
        auto before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const Cursor& a, const Cursor& b) { return a.at == b.at; }
};

/// A text of the document for a message: short, and free of control characters.
std::string shown(std::string_view word) {
    std::string text;
    for (const unsigned char c : word.substr(0, 60)) {
        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\')
            text += fmt::format("\\x{:02x}", c);
        else
            text += static_cast<char>(c);
    }
    // Do not end in the middle of a UTF-8 sequence.
    if (word.size() > 60) {
        while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
        if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0x80) text.pop_back();
        text += "...";
    }
    return '"' + text + '"';
}

/// Builds the document from the parser's events. The parser keeps its own stack on the heap, so deep nesting is only
/// ever a number here; nothing recurses. Objects are filled by push_back because insertion into an ordered_json object
/// searches all members, which would take hours for a large one.
class Builder final : public nlohmann::json_sax<Json> {
public:
    Builder(std::string_view text, const std::string& place, const JsonLimits& limits)
        : text_(text), place_(place), limits_(limits), reached_(text.data()) {}

    Cursor begin() { return {text_.data(), &reached_}; }
    Cursor end() { return {text_.data() + text_.size(), &reached_}; }
    Json take() { return std::move(root_); }

    bool null() override { return add(nullptr); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(value); }
    bool number_unsigned(number_unsigned_t value) override { return add(value); }
    bool number_float(number_float_t value, const string_t& token) override {
        if (token.find_first_of(".eE") == std::string::npos)
            fail(startOf(token),
                 fmt::format("the integer {} is out of range; use one of at most 64 bits", shown(token)));
        if (!std::isfinite(value)) failOverflow(token);
        return add(value);
    }
    bool string(string_t& value) override { return add(std::move(value)); }
    bool binary(binary_t&) override { fail(offset(), "binary values are not JSON; remove it"); }

    bool start_object(std::size_t) override { return open(Json::object()); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(string_t& name) override {
        if (!stack_.back().keys.insert(name).second)
            fail(startOfString(), fmt::format("the key {} appears twice in the same object; remove one", shown(name)));
        pendingKey_ = std::move(name);
        return true;
    }

    bool parse_error(std::size_t, const std::string& token, const nlohmann::detail::exception& error) override {
        if (error.id == 406) failOverflow(token);
        const auto at = offset() == 0 || reached_ == text_.data() + text_.size() ? offset() : offset() - 1;
        if (const auto word = wordAround(at); isNotFinite(word))
            fail(at, fmt::format("expected a finite number, got {}; write a number or null", shown(word)));
        // "[json.exception...] parse error at ...: syntax error while parsing X - SENTENCE; last read: 'TOKEN'; ..."
        std::string sentence = error.what();
        if (const auto dash = sentence.find(" - "); dash != std::string::npos) sentence.erase(0, dash + 3);
        if (const auto last = sentence.find("; last read: "); last != std::string::npos) sentence.erase(last);
        fail(at, fmt::format("not valid JSON ({}); correct the text there", sentence));
    }

private:
    struct Open {
        Json* value;
        std::unordered_set<std::string> keys; ///< of an object, all seen so far
    };

    /// Stores a value in the innermost open container.
    /// Invariant: pointers in stack_ stay valid, because a container only grows while it is the innermost one.
    Json* store(Json&& value) {
        if (++count_ > limits_.values)
            fail(offset(), fmt::format("more than {} values; split the document", limits_.values));
        if (stack_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        auto& parent = *stack_.back().value;
        if (parent.is_array()) return &parent.get_ref<Json::array_t&>().emplace_back(std::move(value));
        auto& members = parent.get_ref<Json::object_t&>();
        members.push_back({std::move(pendingKey_), std::move(value)});
        return &members.back().second;
    }
    template <class T>
    bool add(T&& value) {
        store(Json(std::forward<T>(value)));
        return true;
    }
    bool open(Json&& container) {
        if (stack_.size() >= limits_.depth)
            fail(offset() - 1, fmt::format("nested deeper than {} levels; flatten the document", limits_.depth));
        auto* stored = store(std::move(container));
        stack_.push_back({stored, {}});
        return true;
    }
    bool close() {
        stack_.pop_back();
        return true;
    }

    std::size_t offset() const { return static_cast<std::size_t>(reached_ - text_.data()); }
    /// Where the token that was just read begins. (The parser has read one character more after a number.)
    std::size_t startOf(std::string_view token) const {
        const auto start = text_.rfind(token, offset());
        return start == std::string_view::npos ? offset() : start;
    }
    std::size_t startOfString() const {
        auto quote = offset() - 1; // the closing one
        while (quote > 0) {
            quote = text_.rfind('"', quote - 1);
            if (quote == std::string_view::npos) return offset() - 1;
            std::size_t slashes = 0;
            while (slashes < quote && text_[quote - 1 - slashes] == '\\') ++slashes;
            if (slashes % 2 == 0) break;
        }
        return quote;
    }
    std::string_view wordAround(std::size_t at) const {
        const auto inWord = [&](std::size_t i) {
            return std::isalpha(static_cast<unsigned char>(text_[i])) || text_[i] == '-' || text_[i] == '+';
        };
        auto first = std::min(at, text_.size()), last = first;
        while (first > 0 && at - first < 12 && inWord(first - 1)) --first;
        while (last < text_.size() && last - at < 12 && inWord(last)) ++last;
        return text_.substr(first, last - first);
    }
    static bool isNotFinite(std::string_view word) {
        if (!word.empty() && (word[0] == '-' || word[0] == '+')) word.remove_prefix(1);
        std::string lower(word);
        for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        return lower == "nan" || lower == "inf" || lower == "infinity";
    }

    [[noreturn]] void failOverflow(const std::string& token) const {
        fail(startOf(token), fmt::format("the number {} is out of range; use one below 1.8e308", shown(token)));
    }
    [[noreturn]] void fail(std::size_t at, const std::string& sentence) const {
        const auto before = text_.substr(0, std::min(at, text_.size()));
        const auto line = std::count(before.begin(), before.end(), '\n') + 1;
        const auto lineStart = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
        const auto column = std::count_if(before.begin() + static_cast<std::ptrdiff_t>(lineStart), before.end(),
                                          [](unsigned char c) { return (c & 0xC0) != 0x80; }) +
                            1;
        throw Error(fmt::format("{}:{}:{}", place_, line, column), sentence);
    }
    friend Json parseText(std::string_view, const std::string&, const JsonLimits&);

    std::string_view text_;
    const std::string& place_;
    JsonLimits limits_;
    const char* reached_;
    Json root_;
    std::vector<Open> stack_;
    std::string pendingKey_;
    std::size_t count_ = 0;
};

Json parseText(std::string_view text, const std::string& place, const JsonLimits& limits) {
    if (text.size() > limits.bytes)
        throw Error(place, fmt::format("has {} bytes, more than the {} allowed; split the document", text.size(),
                                       limits.bytes));
    if (text.empty()) throw Error(place, "is empty; expected a JSON document");
    Builder builder(text, place, limits);
    // The parser takes a zero byte for the end of the text and would accept anything after it.
    if (const auto zero = text.find('\0'); zero != std::string_view::npos)
        builder.fail(zero, "a zero byte is not valid JSON; save the file as UTF-8 text");
    Json::sax_parse(builder.begin(), builder.end(), &builder);
    return builder.take();
}

} // namespace

std::vector<std::string> keysOf(const Json& object) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : object.items()) keys.push_back(key);
    return keys;
}

Json parseJson(std::string_view text, const std::string& place, const JsonLimits& limits) {
    return parseText(text, place, limits);
}

Json readJson(const std::filesystem::path& path, const JsonLimits& limits) {
    return parseText(readBytes(path, limits.bytes), path.string(), limits);
}

} // namespace raphe
