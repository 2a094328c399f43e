// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/runs/run_records.h"

#include <atomic>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace raphe {

/// Settings of a document: "agent.hidden", "trials" -> JSON. Copies share what they hold, and so do the runs of an
/// index whose settings are equal.
class RunSettings {
public:
    using Map = std::map<std::string, std::string>;
    RunSettings() : RunSettings(Map{}) {}
    RunSettings(Map map);
    RunSettings(std::initializer_list<Map::value_type> settings) : RunSettings(Map(settings)) {}

    auto begin() const { return held_->map.begin(); }
    auto end() const { return held_->map.end(); }
    auto find(const std::string& name) const { return held_->map.find(name); }
    std::size_t size() const { return held_->map.size(); }
    /// A line "agent.hidden=64" for each, in small letters: what one searches for a word.
    const std::string& words() const { return held_->words; }
    bool sharedWith(const RunSettings& other) const { return held_ == other.held_; }
    bool operator==(const RunSettings& other) const { return sharedWith(other) || held_->map == other.held_->map; }

private:
    struct Held {
        Map map;
        std::string words;
    };
    std::shared_ptr<const Held> held_;
};

/// A run in a list of runs.
struct RunEntry {
    std::filesystem::path folder;
    std::string experiment;  ///< its name
    std::string state;       ///< running, done, interrupted, failed; unreadable
    std::string start, hash; ///< start: UTC, 2026-11-20T09:30:00Z
    std::string seed;
    std::int64_t iterations = 0;                         ///< that have metrics
    std::int64_t planned = 0;                            ///< iterations of the document
    double seconds = 0;                                  ///< of training
    std::int64_t bytes = 0;                              ///< on disk
    std::vector<std::int64_t> checkpoints;               ///< the last iterations that they include
    std::vector<std::pair<std::string, double>> metrics; ///< means over the last 5 % of the iterations
    RunSettings settings;
    std::string problem; ///< why it is unreadable
};

/// Entries are shared, because lists of many runs are made again and again.
using RunList = std::vector<std::shared_ptr<const RunEntry>>;

/// What of a run folder changes when the run does.
struct RunStamp {
    std::int64_t inode = 0, bytes = 0, modified = 0;    ///< of the database; modified: ns since 1970
    std::int64_t journalBytes = 0, journalModified = 0; ///< of what is not yet in it
    bool operator==(const RunStamp&) const = default;
};

struct FoundRun {
    std::string folder; ///< a text, for there may be very many of them
    RunStamp stamp;
    std::string problem; ///< why nothing can be read there
};

/// Looks for runs below `root`, in alphabetical order, without opening any. Links are not followed, and folders whose
/// name begins with a dot are left out. What cannot be looked into is reported with its problem.
/// @param stop  ends the search early
std::vector<FoundRun> scanRuns(const std::filesystem::path& root, const std::atomic<bool>* stop = nullptr);
/// Folders of those.
std::vector<std::filesystem::path> findRuns(const std::filesystem::path& root);

/// Never throws: what cannot be read says so in its entry. Leaves no trace in the folder of a run that nobody writes.
RunEntry runEntry(const std::filesystem::path& folder);
/// An entry for what cannot be read.
RunEntry unreadableRun(const std::filesystem::path& folder, const std::string& problem);

/// What a run is called among others: its experiment, or else its folder.
std::string nameOf(const RunEntry& run);
/// Settings that are not the same in all of these runs: those that have them differ, or some lack them.
std::vector<std::string> differingSettings(const RunList& runs);
/// Names of the metrics that some run has: reward, return and loss first, then by the alphabet.
std::vector<std::string> metricNames(const RunList& runs);

} // namespace raphe
