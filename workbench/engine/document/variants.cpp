// SPDX-License-Identifier: Apache-2.0
#include "engine/document/variants.h"

#include "engine/document/fields.h"

#include <algorithm>
#include <set>

namespace raphe {

namespace {

using Chain = std::set<std::string>; ///< of files that extend one another

Json completeFile(const std::filesystem::path& path, Chain& chain);

Json baseIn(const Json& document, const std::filesystem::path& folder, Chain& chain) {
    if (!document.is_object()) fields::expected("document", "an object", document);
    if (!document.contains("base")) return Json::object();
    if (!document["base"].is_string()) fields::expected("base", "the name of an experiment", document["base"]);
    return completeFile(findBase(document["base"].get<std::string>(), folder), chain);
}

Json completeFile(const std::filesystem::path& path, Chain& chain) {
    if (!chain.insert(std::filesystem::weakly_canonical(path).string()).second)
        throw Error(path.string(), "extends itself through \"base\"; remove one of the links");
    auto document = readJson(path);
    auto base = baseIn(document, path.parent_path(), chain);
    return extended(std::move(base), std::move(document));
}

const Json& memberOf(const Json& object, const std::string& key) {
    static const Json none = Json::object();
    if (!object.is_object()) return none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}
bool has(const Json& object, const std::string& key) { return object.is_object() && object.contains(key); }

/// The merge patch that leads from one object to another.
Json patchBetween(const Json& base, const Json& target) {
    Json patch = Json::object();
    for (const auto& [key, value] : base.items())
        if (!target.contains(key)) patch[key] = nullptr;
    for (const auto& [key, value] : target.items()) {
        const auto& old = memberOf(base, key);
        if (!base.contains(key) || !old.is_object() || !value.is_object())
            patch[key] = value;
        else if (old != value)
            patch[key] = patchBetween(old, value);
    }
    return patch;
}

Json revisedMembers(const Json& base, Json authored, const Json& before, const Json& after) {
    if (!authored.is_object()) authored = Json::object();
    for (const auto& [key, value] : before.items()) {
        if (after.contains(key)) continue;
        if (has(base, key))
            authored[key] = nullptr;
        else
            authored.erase(key);
    }
    const auto order = keysOf(after);
    for (const auto& [key, value] : after.items()) {
        const auto& old = memberOf(before, key);
        if (before.contains(key) && old.dump() == value.dump()) continue;
        const auto& inherited = memberOf(base, key);
        if (before.contains(key) && old.is_object() && value.is_object()) {
            auto members = revisedMembers(inherited, memberOf(authored, key), old, value);
            if (members.empty() && has(base, key))
                authored.erase(key);
            else
                insertMember(authored, key, std::move(members), order);
        } else if (has(base, key) && inherited.dump() == value.dump()) {
            authored.erase(key);
        } else {
            const bool merged = has(base, key) && inherited.is_object() && value.is_object();
            insertMember(authored, key, merged ? patchBetween(inherited, value) : value, order);
        }
    }
    return authored;
}

} // namespace

std::filesystem::path findBase(const std::string& name, const std::filesystem::path& folder) {
    for (const auto& beside : {folder / (name + ".json"), folder / name})
        if (std::filesystem::is_regular_file(beside)) return beside;
    return findExperiment(name);
}

Json baseOf(const Json& document, const std::filesystem::path& folder) {
    Chain chain;
    return baseIn(document, folder, chain);
}

Json extended(Json base, Json document) {
    if (!document.contains("base")) return document;
    document.erase("base");
    // The stages of a variant take as long as they take.
    if (document.contains("stages") && document["stages"].is_array() && !document.contains("iterations") &&
        base.is_object())
        base.erase("iterations");
    base.merge_patch(document);
    return base;
}

void insertMember(Json& object, const std::string& key, Json value, const std::vector<std::string>& order) {
    if (object.contains(key)) {
        object[key] = std::move(value);
        return;
    }
    const auto rank = [&](const std::string& name) { return std::find(order.begin(), order.end(), name); };
    const auto own = rank(key);
    Json made = Json::object();
    auto& members = made.get_ref<Json::object_t&>();
    bool placed = false;
    for (auto& [name, item] : object.get_ref<Json::object_t&>()) {
        if (const auto other = rank(name); !placed && other != order.end() && own < other) {
            members.push_back({key, std::move(value)});
            placed = true;
        }
        members.push_back({name, std::move(item)});
    }
    if (!placed) members.push_back({key, std::move(value)});
    object = std::move(made);
}

Json revised(const Json& base, Json authored, const Json& before, const Json& after) {
    auto result = revisedMembers(base, std::move(authored), before, after);
    // extended() does not inherit iterations beside stages.
    const auto made = extended(base, result);
    if (has(made, "iterations") != has(after, "iterations") ||
        memberOf(made, "iterations") != memberOf(after, "iterations"))
        insertMember(result, "iterations", after.value("iterations", Json(nullptr)), keysOf(after));
    return result;
}

Json readExtended(const std::filesystem::path& path) {
    Chain chain;
    return completeFile(path, chain);
}

} // namespace raphe
