// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/runs/run_records.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace raphe {

/// The single writer of a run directory: `run.sqlite` and `experiment.json`. Rows are buffered until a commit, which an
/// append makes by itself when many rows or bytes wait; each commit is one synced transaction, so a kill or a power cut
/// leaves exactly the commits that had returned. While it lives it holds a lock that refuses a second writer. Readers
/// neither wait for it nor make it wait.
/// Use from one thread at a time. Every function throws Error when the disk or the file fails; what was buffered then
/// stays buffered, so that a later commit can succeed.
class RunStore {
public:
    /// Starts a run. Refuses a directory that already holds one.
    static RunStore create(const std::filesystem::path& directory, const std::string& experimentJson);
    /// Whether create() got as far as a run here; a kill during it leaves none.
    static bool holdsRun(const std::filesystem::path& directory);
    /// Opens a run to continue it. Read RunReader::latestCheckpoint(), then call truncateAfter() with its iteration.
    static RunStore open(const std::filesystem::path& directory);

    RunStore(RunStore&&) noexcept;
    RunStore& operator=(RunStore&&) noexcept;
    ~RunStore(); ///< commits what is buffered

    void setProvenance(const std::string& key, const std::string& value); ///< replaces an earlier value
    /// @pre metrics.iteration exceeds every iteration of earlier metrics and checkpoints
    void appendMetrics(const Metrics& metrics);
    void appendEvent(std::int64_t iteration, const std::string& kind, const std::string& json);
    /// At most one tensor for a port and an iteration. Compressed at once.
    void appendSignal(const std::string& port, std::int64_t iteration, const Tensor& tensor);

    void commit();
    /// Commits when the oldest buffered row has waited for `age`. Cheap enough to call in every iteration: with the
    /// default, a kill loses at most the last second.
    bool commitIfDue(std::chrono::milliseconds age = std::chrono::seconds(1));
    /// Buffered rows and the checkpoint in one transaction. The last two checkpoints are kept.
    /// @pre checkpoint.iteration is not below that of any metrics appended so far
    void commitCheckpoint(const Checkpoint& checkpoint);
    /// Forgets metrics, events, signals and checkpoints of later iterations.
    void truncateAfter(std::int64_t iteration);

    /// Metrics, events and signals that wait for a commit: fewer than maxBufferedRows, unless a commit fails.
    std::size_t bufferedRows() const;
    static constexpr std::size_t maxBufferedRows = 16384;

private:
    class Impl;
    explicit RunStore(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace raphe
