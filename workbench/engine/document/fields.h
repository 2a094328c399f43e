// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/json_reader.h"
#include "engine/document/problems.h"
#include "raphe/declaration.h"
#include "raphe/error.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

/// How the parts of a document are read: fields with their readers in a table, so that names, types and messages stand
/// in one place. A reader is called with the value and its place, and throws Error there.
namespace raphe::fields {

constexpr std::int64_t large = 1'000'000'000;

/// A value in a message, shortened.
std::string shown(const Json& value);

[[noreturn]] void expected(const std::string& place, const std::string& what, const Json& got);

/// " from 0 to 1", " >= 0", or nothing.
std::string rangeText(const ParamInfo& info);

/// A field of an object with its reader.
struct FieldReader {
    const char* key;
    std::function<void(const Json&, const std::string&)> read;
};

/// Reads every field that can be read; the others keep their value. @throws Error if `object` is none
void readFields(const Json& object, const std::string& place, const std::vector<FieldReader>& fields,
                Problems& problems);
/// The same. @throws Error with one line per problem
void readFields(const Json& object, const std::string& place, const std::vector<FieldReader>& fields);

/// Letters, digits and _, at most 64. @param what  for the message: "a node's name"
void checkName(const std::string& name, const std::string& what, const std::string& place);

/// What stands at a place of a document, such as "stages[0].keep_best.every". @throws Error if there is nothing
const Json& valueAtPlace(const Json& document, const std::string& place);
/// Puts a value there; null removes a field. Lists keep their length. @throws Error if there is no such place
void setAtPlace(Json& document, const std::string& place, const Json& value);
/// Takes away a field, or an item of a list. @throws Error if there is no such place
void removeAtPlace(Json& document, const std::string& place);
/// Gives a field another name; the value stays. @throws Error if there is no such place, or the name is taken
void renameAtPlace(Json& document, const std::string& place, const std::string& name);

/// Makes lists of the empty objects of a document that stand where lists belong: scripts have one kind of empty table.
void repairEmptyLists(Json& document);

inline auto textInto(std::string& target) {
    return [&target](const Json& value, const std::string& place) {
        if (!value.is_string()) expected(place, "a text", value);
        target = value.get<std::string>();
    };
}

inline auto booleanInto(bool& target) {
    return [&target](const Json& value, const std::string& place) {
        if (!value.is_boolean()) expected(place, "true or false", value);
        target = value.get<bool>();
    };
}

template <class Integer>
auto integerInto(Integer& target, std::int64_t low, std::int64_t high) {
    return [&target, low, high](const Json& value, const std::string& place) {
        const auto what = high == std::numeric_limits<std::int64_t>::max()
                              ? fmt::format("integer >= {}", low)
                              : fmt::format("integer from {} to {}", low, high);
        if (!value.is_number_integer()) expected(place, what, value);
        if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(high))
            expected(place, what, value);
        const auto number = value.get<std::int64_t>();
        if (number < low || number > high) expected(place, what, value);
        target = static_cast<Integer>(number);
    };
}

/// @tparam Number  double or std::optional<double>
template <class Number>
auto numberInto(Number& target) {
    return [&target](const Json& value, const std::string& place) {
        if (!value.is_number() || !std::isfinite(value.get<double>())) expected(place, "a finite number", value);
        target = value.get<double>();
    };
}

/// One of several texts, each with what it stands for.
template <class Value>
auto choiceInto(Value& target, std::vector<Value> choices) {
    return [&target, choices = std::move(choices)](const Json& value, const std::string& place) {
        std::string known;
        for (const auto choice : choices) {
            if (value == nameOf(choice)) {
                target = choice;
                return;
            }
            known += (known.empty() ? "" : ", ") + std::string(nameOf(choice));
        }
        expected(place, "one of " + known, value);
    };
}

/// Reads a list with `read(value, place, item)`. An item that cannot be read keeps its place in the list.
template <class Item, class Read>
auto listInto(std::vector<Item>& target, Problems& problems, Read read) {
    return [&target, &problems, read](const Json& value, const std::string& place) {
        if (!value.is_array()) expected(place, "a list", value);
        target.assign(value.size(), {});
        for (std::size_t i = 0; i < value.size(); ++i)
            problems.collect([&] { read(value[i], fmt::format("{}[{}]", place, i), target[i]); });
    };
}

} // namespace raphe::fields
