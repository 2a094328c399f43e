// SPDX-License-Identifier: Apache-2.0
#include "engine/mechanisms/registry.h"

#include "engine/base/text.h"

#include <set>

namespace raphe {

namespace {
/// What must hold of a declaration before anything else relies on it.
void checkDeclaration(const DeclarationData& declaration) {
    const auto place = declaration.key();
    if (declaration.name.empty()) throw Error(place, "a mechanism needs a name");
    std::set<std::string> seen;
    for (const auto& info : declaration.params)
        if (!seen.insert(info.key).second) throw Error(place, "parameter \"" + info.key + "\" is declared twice");
    seen.clear();
    for (const auto& port : declaration.ports)
        if (!seen.insert(port.name).second) throw Error(place, "port \"" + port.name + "\" is declared twice");
}
} // namespace

void Registry::add(MechanismEntry entry, const std::string& provider) {
    checkDeclaration(entry.declaration);
    const auto key = entry.declaration.key();
    if (auto found = entries_.find(key); found != entries_.end())
        throw Error(key, "provided by " + provider + " and already by " + found->second.provider +
                             "; rename or remove one of them");
    entries_.emplace(key, Item{std::move(entry), provider});
}

const MechanismEntry& Registry::find(const std::string& key, const std::string& place) const {
    if (auto found = entries_.find(key); found != entries_.end()) return found->second.entry;
    throw Error(place, "no mechanism \"" + key + "\" is loaded" + suggestion(key, keys()) +
                           (entries_.empty() ? "; no plugin was found, see `raphe plugin list`" : ""));
}

std::vector<std::string> Registry::keys(const std::string& kind) const {
    std::vector<std::string> result;
    for (const auto& [key, item] : entries_) {
        const std::string own = nameOf(item.entry.declaration.kind);
        if (kind.empty() || kind == own || kind == own + "s") result.push_back(key);
    }
    return result;
}

} // namespace raphe
