// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace raphe::multitask {

/// Which published family a task is of: it decides on names, timing and what is drawn.
enum class Family { fourTasks, driscoll, yang };
Family familyOf(std::string_view name);

/// What happens in a trial.
enum class Course {
    sustained,       ///< a stimulus stays to the end; answer when the fixation goes off
    reaction,        ///< answer as soon as a stimulus appears
    memory,          ///< a stimulus goes off, and is answered after a delay
    decision,        ///< two stimuli at once: answer the stronger one
    delayedDecision, ///< two stimuli one after the other: answer the stronger one
    match,           ///< two stimuli: answer the second if they are equal
    category         ///< the same, if they lie in the same half of the circle
};

/// Where the stimuli are shown, and which of what is shown counts.
enum class Modality {
    either,        ///< each stimulus in one of the two, drawn
    first,         ///< in the first
    second,        ///< in the second
    contextFirst,  ///< in both, with strengths of their own; the first counts
    contextSecond, ///< the same; the second counts
    both           ///< in both; the sum counts
};

/// A task, as the paper's authors declare it.
struct Paradigm {
    const char* name;
    Course course;
    bool anti = false; ///< answer the opposite angle
    Modality modality = Modality::either;
    bool noGo = false; ///< match, category: answer where the stimuli do not match
};

/// The tasks of a family, in the published order.
std::span<const Paradigm> paradigmsOf(Family family);

/// The words of a list such as "delay_pro, delay_anti", separated by commas, spaces or both.
std::vector<std::string> wordsOf(std::string_view list);

/// The tasks that a list names, by their place in paradigmsOf(); an empty list names all, of fourTasks the first four.
/// @param problem  what is wrong with the list, in one sentence; empty if nothing is
std::vector<int> readTasks(Family family, std::string_view list, std::string& problem);

} // namespace raphe::multitask
