// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace raphe {

// Handles of what a learning rule consists of beside its ports; it receives them from its Builder.
struct Group {
    int index = -1;
}; ///< ports through which an objective is differentiated, and the tensors upstream of them
struct TrialStore {
    int index = -1;
}; ///< collected trials, kept so that they can be replayed under other weights
struct Field {
    int index = -1;
}; ///< a number that the rule attaches to every step of a stored trial, e.g. an advantage
struct Memory {
    int index = -1;
}; ///< numbers that outlive an iteration; they are part of a checkpoint
struct Copy {
    int index = -1;
}; ///< a second set of a group's weights and of what its optimiser remembers

struct TrialStoreOptions {
    int batches = 1; ///< batches that are kept, the newest among them
    int segment = 0; ///< states are kept every so many steps, so that a stretch can begin there; 0: at the start only
    int burnIn = 0;  ///< states are kept so many steps before each of these as well
    int steps = 0;   ///< only the first so many steps can be replayed and outlive the iteration; 0: all
    bool following = false;     ///< also keep what the ports show after a step that truncates a trial, or ends a window
    bool beyondHorizon = false; ///< and after the horizon; the task must show it
};

struct CopyOptions {
    bool checkpointed = true; ///< false: used within an iteration only (a rollback)
};

/// What the constructor of a rule asked for, by handle.
struct RuleParts {
    struct GroupInfo {
        std::string name;
        std::vector<int> ports;
    };
    struct StoreInfo : TrialStoreOptions {
        std::string name;
    };
    struct FieldInfo {
        std::string name;
        int store;
    };
    struct MemoryInfo {
        std::string name;
        std::vector<double> initial;
    };
    struct CopyInfo : CopyOptions {
        std::string name;
        int group;
    };

    std::vector<GroupInfo> groups;
    std::vector<StoreInfo> stores;
    std::vector<FieldInfo> fields;
    std::vector<MemoryInfo> memories;
    std::vector<CopyInfo> copies;
};

} // namespace raphe
