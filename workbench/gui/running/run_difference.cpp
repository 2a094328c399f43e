// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/running/run_difference.h"

#include "engine/editing/patch.h"

namespace raphe {
namespace {

std::string shortened(const std::optional<Json>& value) {
    constexpr std::size_t limit = 40;
    if (!value) return "none";
    std::string text = value->dump();
    if (text.size() <= limit) return text;
    std::size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end; // within a character
    return text.substr(0, end) + "…";
}

/// "nodes.agent.params.hidden" is known as "agent.hidden".
std::string placeOf(const Change& change) {
    const Json& at = change.at;
    if (at.size() < 2 || at[0] != "nodes") return change.place();
    std::string place = at[1].get<std::string>();
    for (std::size_t i = 2; i < at.size(); ++i) {
        if (i == 2 && at[i] == "params") continue;
        if (at[i].is_number())
            place.append("[").append(at[i].dump()).append("]");
        else
            place.append(".").append(at[i].get<std::string>());
    }
    return place;
}

} // namespace

std::string SettingDifference::text() const {
    const auto entry = [](const std::string& value) { return !value.empty() && value.front() == '{'; };
    if (run == "none" && entry(document)) return place + " added";
    if (document == "none" && entry(run)) return place + " removed";
    return place + " " + run + " → " + document;
}

std::vector<SettingDifference> differencesBetween(const Experiment& run, const Experiment& document) {
    std::vector<SettingDifference> result;
    for (const auto& change : difference(run.toJson(), document.toJson()))
        if (change.place() != "seed")
            result.push_back({placeOf(change), shortened(change.before), shortened(change.after)});
    return result;
}

} // namespace raphe
