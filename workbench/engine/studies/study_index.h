// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/studies/study_folder.h"

#include <unordered_map>

namespace raphe {

/// What a study folder says of many runs, quick to get: what was read of each run is kept in a file, and only runs
/// whose files have changed since are read again. The file is a cache: it is made anew when it is damaged, of another
/// version or gone, and where it cannot be written the index works without it. Use from one thread at a time.
class StudyIndex {
public:
    /// @param file  where the index is kept; empty: nowhere
    StudyIndex(const StudyFolder& folder, std::filesystem::path file) : folder_(folder), file_(std::move(file)) {}
    /// Kept at its usual place, cacheFile(folder).
    explicit StudyIndex(const StudyFolder& folder) : StudyIndex(folder, cacheFile(folder)) {}

    /// In the user's cache folder, by the study's folder; an empty path if the user has no home.
    static std::filesystem::path cacheFile(const StudyFolder& folder);

    /// The states of these runs, in their order. Never throws.
    std::vector<StudyRunStatus> statuses(const std::vector<StudyRun>& plan, const std::vector<StudyMeasure>& measures);
    /// How many runs the last call read from their own files.
    std::size_t opened() const { return opened_; }

private:
    struct Item {
        std::int64_t stamp = 0; ///< a hash of what changes when the run does
        StudyRunRecord record;
    };
    void load();
    void store() const;

    StudyFolder folder_;
    std::filesystem::path file_;
    std::unordered_map<std::string, Item> items_; ///< by ID
    std::size_t opened_ = 0;
};

} // namespace raphe
