// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <map>
#include <string>
#include <vector>

namespace raphe {

/// The mechanisms that can be used in experiments, by key ("model.dense").
class Registry {
public:
    /// @throws Error if the key is taken, naming both providers
    void add(MechanismEntry entry, const std::string& provider);
    /// @throws Error with a suggestion, placed at `place`
    const MechanismEntry& find(const std::string& key, const std::string& place) const;
    bool contains(const std::string& key) const { return entries_.count(key) != 0; }
    const std::string& provider(const std::string& key) const { return entries_.at(key).provider; }
    /// Keys in alphabetical order, of one kind ("task", "tasks", ...) or all (empty).
    std::vector<std::string> keys(const std::string& kind = {}) const;

private:
    struct Item {
        MechanismEntry entry;
        std::string provider;
    };
    std::map<std::string, Item> entries_;
};

} // namespace raphe
