// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/runs/run_list.h"

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace raphe {

/// The runs below a folder, as a list that is quick to get: what was read of each run is kept in a file, and only runs
/// whose files have changed since are opened again. The file is a cache. It is made anew when it is damaged, of another
/// version or gone, and where it cannot be written the index works without it.
/// Use from one thread at a time. Several processes may share the file.
class RunIndex {
public:
    /// @param file  where the index is kept; empty: nowhere
    RunIndex(const std::filesystem::path& root, std::filesystem::path file);
    /// Kept at its usual place, cacheFile(root).
    explicit RunIndex(const std::filesystem::path& root) : RunIndex(root, cacheFile(root)) {}
    RunIndex(RunIndex&&) noexcept;
    RunIndex& operator=(RunIndex&&) noexcept;
    ~RunIndex();

    /// In the user's cache folder ($XDG_CACHE_HOME/raphe, or else ~/.cache/raphe), by the folder of the runs.
    /// @return an empty path if the user has no home
    static std::filesystem::path cacheFile(const std::filesystem::path& root);

    /// What the file knows, by folder, without looking at a run. Never throws.
    RunList known();

    struct Progress {
        std::size_t runs, read; ///< found; of them opened so far
    };
    /// Looks at all folders again. Never throws: what cannot be read says so in its entry.
    /// @param report  called now and then while many runs are opened
    /// @param stop    ends it early; the list then holds what is known by then
    /// @return by folder; entries of runs that have not changed are the same objects as before
    RunList refresh(const std::function<void(const Progress&)>& report = {}, const std::atomic<bool>* stop = nullptr);

    /// How many runs the last refresh() opened.
    std::size_t opened() const;
    /// Why nothing is kept; empty if all is well.
    const std::string& trouble() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace raphe
