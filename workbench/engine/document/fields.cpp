// SPDX-License-Identifier: Apache-2.0
#include "engine/document/fields.h"

#include "engine/base/text.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace raphe::fields {

std::string shown(const Json& value) {
    auto text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

void expected(const std::string& place, const std::string& what, const Json& got) {
    throw Error(place, "expected " + what + ", got " + shown(got));
}

std::string rangeText(const ParamInfo& info) {
    const bool low = std::isfinite(info.min), high = std::isfinite(info.max);
    if (low && high) return fmt::format(" from {} to {}", info.min, info.max);
    if (low) return fmt::format(" >= {}", info.min);
    if (high) return fmt::format(" <= {}", info.max);
    return {};
}

void readFields(const Json& object, const std::string& place, const std::vector<FieldReader>& fields,
                Problems& problems) {
    if (!object.is_object()) expected(place.empty() ? "document" : place, "an object", object);
    std::vector<std::string> known;
    for (const auto& field : fields) known.emplace_back(field.key);
    for (const auto& [key, value] : object.items()) {
        auto name = key; // a sentence is one line, whatever a user's key holds
        for (char& c : name)
            if (static_cast<unsigned char>(c) < 0x20) c = ' ';
        const auto where = place.empty() ? name : place + "." + name;
        const auto field =
            std::find_if(fields.begin(), fields.end(),
                         [&, given = std::string_view(key)](const FieldReader& f) { return given == f.key; });
        if (field == fields.end())
            problems.add(where, "unknown field \"" + name + "\"" + suggestion(key, known));
        else
            problems.collect([&, &v = value] { field->read(v, where); });
    }
}

void readFields(const Json& object, const std::string& place, const std::vector<FieldReader>& fields) {
    Problems problems;
    readFields(object, place, fields, problems);
    problems.throwIfAny();
}

void checkName(const std::string& name, const std::string& what, const std::string& place) {
    const bool good = !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) || c == '_';
    });
    if (!good)
        throw Error(place,
                    what + " consists of letters, digits and _ (at most 64), got \"" + name.substr(0, 80) + "\"");
}

namespace {

/// A field of an object, or an item of a list.
struct PlacePart {
    std::string key;   ///< empty: an item
    std::size_t index; ///< of an item
};

std::vector<PlacePart> partsOf(const std::string& place) {
    const auto bad = [&] { throw Error(place.substr(0, 80), "expected a place such as stages[0].iterations"); };
    std::vector<PlacePart> parts;
    for (std::size_t i = 0; i < place.size();) {
        if (place[i] == '[') {
            const auto end = place.find(']', i);
            const auto digits = end == std::string::npos ? std::string{} : place.substr(i + 1, end - i - 1);
            if (digits.empty() || digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string::npos)
                bad();
            parts.push_back({{}, std::stoul(digits)});
            i = end + 1;
        } else {
            if (i > 0 && place[i++] != '.') bad();
            const auto end = std::min(place.find_first_of(".[", i), place.size());
            if (end == i) bad();
            parts.push_back({place.substr(i, end - i), 0});
            i = end;
        }
    }
    if (parts.empty() || parts.front().key.empty()) bad();
    return parts;
}

/// Follows one part. @return null if an object has no such field
Json* follow(Json& value, const PlacePart& part, const std::string& place) {
    if (part.key.empty()) {
        if (!value.is_array()) throw Error(place, "there is no list here, so nothing has a number");
        if (part.index >= value.size())
            throw Error(
                place, fmt::format("there is no number {}; the list has {}, counted from 0", part.index, value.size()));
        return &value[part.index];
    }
    if (!value.is_object()) throw Error(place, fmt::format("there is no object here that could have \"{}\"", part.key));
    const auto found = value.find(part.key);
    return found == value.end() ? nullptr : &*found;
}

} // namespace

const Json& valueAtPlace(const Json& document, const std::string& place) {
    const Json* value = &document;
    for (const auto& part : partsOf(place)) {
        const auto* object = value;
        value = follow(const_cast<Json&>(*object), part, place); // only read
        if (value) continue;
        std::vector<std::string> known;
        for (const auto& [key, item] : object->items()) known.push_back(key);
        throw Error(place, "there is no \"" + part.key + "\"" + suggestion(part.key, known));
    }
    return *value;
}

void setAtPlace(Json& document, const std::string& place, const Json& value) {
    const auto parts = partsOf(place);
    Json* target = &document;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        auto* next = follow(*target, parts[i], place);
        target = next ? next : &(*target)[parts[i].key];
        if (target->is_null()) *target = Json::object();
    }
    if (auto* old = follow(*target, parts.back(), place); old && !(value.is_null() && !parts.back().key.empty()))
        *old = value;
    else if (old)
        target->erase(parts.back().key);
    else if (!value.is_null())
        (*target)[parts.back().key] = value;
}

namespace {

/// The value that holds the last part of a place. @throws Error if there is no such place
Json& parentAt(Json& document, const std::vector<PlacePart>& parts, const std::string& place) {
    Json* target = &document;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto* next = follow(*target, parts[i], place);
        if (!next)
            throw Error(place, "there is no \"" + parts[i].key + "\"" + suggestion(parts[i].key, keysOf(*target)));
        if (i + 1 < parts.size()) target = next;
    }
    return *target;
}

} // namespace

void removeAtPlace(Json& document, const std::string& place) {
    const auto parts = partsOf(place);
    auto& parent = parentAt(document, parts, place);
    if (parts.back().key.empty())
        parent.erase(parts.back().index);
    else
        parent.erase(parts.back().key);
}

void renameAtPlace(Json& document, const std::string& place, const std::string& name) {
    const auto parts = partsOf(place);
    auto& parent = parentAt(document, parts, place);
    if (parts.back().key.empty()) throw Error(place, "an item of a list has no name");
    if (name.empty() || parent.contains(name)) throw Error(place, "there is a \"" + name + "\" already");
    Json made = Json::object();
    for (auto& [key, value] : parent.get_ref<Json::object_t&>())
        made.get_ref<Json::object_t&>().push_back({key == parts.back().key ? name : key, std::move(value)});
    parent = std::move(made);
}

void repairEmptyLists(Json& document) {
    const auto repair = [](Json& value) {
        if (value.is_object() && value.empty()) value = Json::array();
    };
    for (const char* key : {"wires", "record", "interventions", "frozen", "stages"})
        if (document.contains(key)) repair(document[key]);
    const auto repairFields = [&](Json& object, const char* key) {
        if (object.is_object() && object.contains(key)) repair(object[key]);
    };
    if (document.contains("stages") && document["stages"].is_array())
        for (auto& stage : document["stages"]) {
            repairFields(stage, "frozen");
            if (stage.is_object() && stage.contains("set") && stage["set"].is_object())
                for (auto& [key, value] : stage["set"].items()) repair(value);
            if (stage.is_object() && stage.contains("schedules") && stage["schedules"].is_object())
                for (auto& [key, schedule] : stage["schedules"].items())
                    for (const char* list : {"at", "values"}) repairFields(schedule, list);
        }
    if (!document.contains("nodes") || !document["nodes"].is_object()) return;
    for (auto& [name, node] : document["nodes"].items())
        if (node.is_object() && node.contains("params") && node["params"].is_object())
            for (auto& [key, value] : node["params"].items()) repair(value);
}

} // namespace raphe::fields
