// SPDX-License-Identifier: Apache-2.0
#include "paradigms.h"

#include <algorithm>
#include <array>

namespace raphe::multitask {

namespace {

using enum Course;

constexpr std::array fourTasks{
    Paradigm{"delay_pro", sustained},
    Paradigm{"delay_anti", sustained, true},
    Paradigm{"memory_pro", memory},
    Paradigm{"memory_anti", memory, true},
    Paradigm{"dm_1", delayedDecision, false, Modality::first},
    Paradigm{"dm_2", delayedDecision, false, Modality::second},
};
constexpr int fourTasksByDefault = 4;

constexpr std::array yang{
    Paradigm{"fdgo", sustained},
    Paradigm{"reactgo", reaction},
    Paradigm{"delaygo", memory},
    Paradigm{"fdanti", sustained, true},
    Paradigm{"reactanti", reaction, true},
    Paradigm{"delayanti", memory, true},
    Paradigm{"dm1", decision, false, Modality::first},
    Paradigm{"dm2", decision, false, Modality::second},
    Paradigm{"contextdm1", decision, false, Modality::contextFirst},
    Paradigm{"contextdm2", decision, false, Modality::contextSecond},
    Paradigm{"multidm", decision, false, Modality::both},
    Paradigm{"delaydm1", delayedDecision, false, Modality::first},
    Paradigm{"delaydm2", delayedDecision, false, Modality::second},
    Paradigm{"contextdelaydm1", delayedDecision, false, Modality::contextFirst},
    Paradigm{"contextdelaydm2", delayedDecision, false, Modality::contextSecond},
    Paradigm{"multidelaydm", delayedDecision, false, Modality::both},
    Paradigm{"dmsgo", match},
    Paradigm{"dmsnogo", match, false, Modality::either, true},
    Paradigm{"dmcgo", category},
    Paradigm{"dmcnogo", category, false, Modality::either, true},
};

/// Without the tasks in which both stimuli are shown at once.
constexpr auto driscoll = [] {
    std::array<Paradigm, 15> paradigms{};
    std::copy_if(yang.begin(), yang.end(), paradigms.begin(),
                 [](const Paradigm& paradigm) { return paradigm.course != decision; });
    return paradigms;
}();

} // namespace

Family familyOf(std::string_view name) {
    return name == "yang" ? Family::yang : name == "driscoll" ? Family::driscoll : Family::fourTasks;
}

std::span<const Paradigm> paradigmsOf(Family family) {
    if (family == Family::yang) return yang;
    if (family == Family::driscoll) return driscoll;
    return fourTasks;
}

std::vector<std::string> wordsOf(std::string_view list) {
    std::vector<std::string> words;
    bool within = false;
    for (const char c : list) {
        const bool separates = c == ' ' || c == ',';
        if (!separates && !within) words.emplace_back();
        if (!separates) words.back() += c;
        within = !separates;
    }
    return words;
}

std::vector<int> readTasks(Family family, std::string_view list, std::string& problem) {
    const auto paradigms = paradigmsOf(family);
    std::vector<int> tasks;
    for (const auto& word : wordsOf(list)) {
        const auto found = std::find_if(paradigms.begin(), paradigms.end(),
                                        [&](const Paradigm& paradigm) { return paradigm.name == word; });
        const int index = static_cast<int>(found - paradigms.begin());
        if (found == paradigms.end()) {
            problem = "there is no task \"" + word.substr(0, 40) + "\" in this family; there are ";
            for (const auto& paradigm : paradigms)
                problem += std::string(&paradigm == paradigms.data() ? "" : ", ") + paradigm.name;
        } else if (std::find(tasks.begin(), tasks.end(), index) != tasks.end()) {
            problem = "names " + word + " twice; name each task once";
        } else {
            tasks.push_back(index);
        }
        if (!problem.empty()) return tasks;
    }
    if (tasks.empty())
        for (int i = 0; i < (family == Family::fourTasks ? fourTasksByDefault : static_cast<int>(paradigms.size()));
             ++i)
            tasks.push_back(i);
    return tasks;
}

} // namespace raphe::multitask
