// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/runs/run_records.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace raphe {

/// A run in a list of runs.
struct RunEntry {
    std::filesystem::path folder;
    std::string experiment; ///< its name
    std::string state;      ///< running, done, interrupted, failed; unreadable
    std::string start, hash, seed;
    std::int64_t iterations = 0;                         ///< that have metrics
    std::vector<std::pair<std::string, double>> metrics; ///< means over the last 5 % of the iterations
    std::map<std::string, std::string> settings;         ///< of the document: "agent.hidden", "trials" -> JSON
    std::string problem;                                 ///< why it is unreadable
};

/// Folders below `root` that hold runs, in alphabetical order. Links are not followed.
std::vector<std::filesystem::path> findRuns(const std::filesystem::path& root);
/// Never throws: what cannot be read says so in its entry.
RunEntry runEntry(const std::filesystem::path& folder);

/// Settings that are not the same in all of these runs: those that have them differ, or some lack them.
std::vector<std::string> differingSettings(const std::vector<RunEntry>& runs);

/// Which runs are to be seen: words that occur in folder, experiment, state or a setting, and comparisons of numbers,
/// such as `reward > 9`, `seed = 3`, `agent.hidden <= 64`. All must hold.
class RunFilter {
public:
    /// @throws Error for a comparison without a number
    explicit RunFilter(const std::string& text);
    bool accepts(const RunEntry& run) const;

private:
    struct Comparison {
        std::string name, relation;
        double value;
    };
    std::vector<std::string> words_;
    std::vector<Comparison> comparisons_;
};

} // namespace raphe
