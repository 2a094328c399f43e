// SPDX-License-Identifier: Apache-2.0
#include "engine/editing/patch.h"

#include "engine/document/fields.h"

#include <algorithm>

namespace raphe {

namespace {

Json below(const Json& at, const Json& part) {
    Json result = at;
    result.push_back(part);
    return result;
}

class Comparison {
public:
    Patch take() { return std::move(patch_); }

    void compare(const Json& before, const Json& after, const Json& at, std::size_t position) {
        if (identical(before, after)) return;
        if (before.is_object() && after.is_object() && commonAlike(before, after))
            compareMembers(before, after, at);
        else if (before.is_array() && after.is_array())
            compareItems(before, after, at);
        else
            patch_.push_back({at, position, before, after});
    }

private:
    /// Whether the members that both have come in the same order.
    static bool commonAlike(const Json& before, const Json& after) {
        std::vector<std::string> a, b;
        for (const auto& [key, value] : before.items())
            if (after.contains(key)) a.push_back(key);
        for (const auto& [key, value] : after.items())
            if (before.contains(key)) b.push_back(key);
        return a == b;
    }

    void compareMembers(const Json& before, const Json& after, const Json& at) {
        std::size_t position = before.size();
        const auto& members = before.get_ref<const Json::object_t&>();
        for (auto member = members.rbegin(); member != members.rend(); ++member) {
            --position;
            if (!after.contains(member->first))
                patch_.push_back({below(at, member->first), position, member->second, std::nullopt});
        }
        position = 0;
        for (const auto& [key, value] : after.items()) {
            if (!before.contains(key)) patch_.push_back({below(at, key), position, std::nullopt, value});
            ++position;
        }
        position = 0;
        for (const auto& [key, value] : after.items()) {
            if (before.contains(key)) compare(before[key], value, below(at, key), position);
            ++position;
        }
    }

    void compareItems(const Json& before, const Json& after, const Json& at) {
        std::size_t first = 0, last = 0; // what both have in common, at either end
        const auto shorter = std::min(before.size(), after.size());
        while (first < shorter && identical(before[first], after[first])) ++first;
        while (last < shorter - first && identical(before[before.size() - 1 - last], after[after.size() - 1 - last]))
            ++last;
        if (before.size() == after.size()) {
            for (std::size_t i = first; i < before.size() - last; ++i) compare(before[i], after[i], below(at, i), i);
            return;
        }
        for (auto i = before.size() - last; i-- > first;) patch_.push_back({below(at, i), i, before[i], std::nullopt});
        for (auto i = first; i < after.size() - last; ++i) patch_.push_back({below(at, i), i, std::nullopt, after[i]});
    }

    Patch patch_;
};

void applyChange(const Change& change, Json& document) {
    const auto misfit = [&] { throw Error(change.place(), "the document has nothing that this change would fit"); };
    if (change.at.empty()) {
        if (!change.after) misfit();
        document = *change.after;
        return;
    }
    Json* parent = &document;
    for (std::size_t i = 0; i + 1 < change.at.size(); ++i) {
        const auto& part = change.at[i];
        parent =
            part.is_string() ? &parent->at(part.get_ref<const std::string&>()) : &parent->at(part.get<std::size_t>());
    }
    const auto& last = change.at.back();
    if (!last.is_string()) {
        const auto index = last.get<std::size_t>();
        auto& items = parent->get_ref<Json::array_t&>();
        const bool inserts = !change.before && change.after;
        if (index >= items.size() + (inserts ? 1 : 0)) misfit();
        const auto item = items.begin() + static_cast<std::ptrdiff_t>(index);
        if (change.before && change.after)
            *item = *change.after;
        else if (inserts)
            items.insert(item, *change.after);
        else
            items.erase(item);
        return;
    }
    const auto& key = last.get_ref<const std::string&>();
    if (change.before && change.after) {
        parent->at(key) = *change.after;
        return;
    }
    if (!change.after) {
        parent->erase(key);
        return;
    }
    // Keys are constant, so members cannot be moved: the object is made anew.
    Json made = Json::object();
    auto& target = made.get_ref<Json::object_t&>();
    for (auto& [name, value] : parent->get_ref<Json::object_t&>()) {
        if (target.size() == change.position) target.push_back({key, *change.after});
        target.push_back({name, std::move(value)});
    }
    if (target.size() == parent->size()) target.push_back({key, *change.after});
    *parent = std::move(made);
}

} // namespace

std::string Change::place() const {
    std::string text;
    for (const auto& part : at)
        text += part.is_string() ? (text.empty() ? "" : ".") + part.get<std::string>() : "[" + part.dump() + "]";
    return text;
}

bool identical(const Json& a, const Json& b) {
    if (a.type() != b.type()) {
        // Whole numbers are alike whether or not they are kept with a sign.
        return a.is_number_integer() && b.is_number_integer() && a.dump() == b.dump();
    }
    if (a.is_number_float()) return a.dump() == b.dump();
    if (!a.is_structured()) return a == b;
    if (a.size() != b.size()) return false;
    if (a.is_array()) return std::equal(a.begin(), a.end(), b.begin(), identical);
    const auto& left = a.get_ref<const Json::object_t&>();
    const auto& right = b.get_ref<const Json::object_t&>();
    return std::equal(left.begin(), left.end(), right.begin(),
                      [](const auto& x, const auto& y) { return x.first == y.first && identical(x.second, y.second); });
}

Patch difference(const Json& before, const Json& after) {
    Comparison comparison;
    comparison.compare(before, after, Json::array(), 0);
    return comparison.take();
}

void applyPatch(const Patch& patch, Json& document) {
    for (const auto& change : patch) applyChange(change, document);
}

Patch inverse(const Patch& patch) {
    Patch result(patch.rbegin(), patch.rend());
    for (auto& change : result) std::swap(change.before, change.after);
    return result;
}

Json toJson(const Patch& patch) {
    Json list = Json::array();
    for (const auto& change : patch) {
        Json item = {{"at", change.at}, {"position", change.position}};
        if (change.before) item["before"] = *change.before;
        if (change.after) item["after"] = *change.after;
        list.push_back(std::move(item));
    }
    return list;
}

Patch patchFromJson(const Json& value, const std::string& place) {
    Patch patch;
    Problems problems;
    fields::listInto(patch, problems, [](const Json& item, const std::string& where, Change& change) {
        const auto atInto = [&](const Json& at, const std::string& there) {
            const bool good = at.is_array() && std::all_of(at.begin(), at.end(), [](const Json& part) {
                                  return part.is_string() || part.is_number_unsigned();
                              });
            if (!good) fields::expected(there, "a list of keys and numbers", at);
            change.at = at;
        };
        fields::readFields(item, where,
                           {{"at", atInto},
                            {"position", fields::integerInto(change.position, 0, fields::large)},
                            {"before", [&](const Json& v, const std::string&) { change.before = v; }},
                            {"after", [&](const Json& v, const std::string&) { change.after = v; }}});
        if (!change.at.is_array() || (!change.before && !change.after))
            throw Error(where, "a change needs \"at\", and \"before\" or \"after\"");
    })(value, place);
    problems.throwIfAny();
    return patch;
}

} // namespace raphe
