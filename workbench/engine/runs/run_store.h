// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/tensor.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace raphe {

/// What one iteration of training measured. Iterations increase; the first may be 0 or 1.
struct Metrics {
    std::int64_t iteration = 0;
    double seconds = 0; ///< of training so far; not part of the run hash
    std::vector<std::pair<std::string, double>> values;
    friend bool operator==(const Metrics&, const Metrics&) = default;
};

/// Everything needed to go on.
struct Checkpoint {
    std::int64_t iteration = 0; ///< the last one that it includes
    std::vector<NamedTensor> tensors;
    std::string stateJson; ///< whatever is not a tensor: optimiser steps, positions of streams
    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

struct Event {
    std::int64_t iteration = 0;
    double time = 0; ///< wall clock, seconds since 1970 (UTC)
    std::string kind, json;
};

struct Signal {
    std::string port;
    std::int64_t iteration = 0;
    Tensor tensor;
};

/// How much of a port was recorded.
struct SignalSummary {
    std::string port;
    std::int64_t count = 0, firstIteration = 0, lastIteration = 0;
};

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

/// Reads a run, finished or not, without disturbing its writer. Each call sees the commits made so far.
class RunReader {
public:
    static RunReader open(const std::filesystem::path& directory);
    RunReader(RunReader&&) noexcept;
    RunReader& operator=(RunReader&&) noexcept;
    ~RunReader();

    std::string experimentJson() const; ///< as resolved when the run began; the copy inside the database
    std::vector<std::pair<std::string, std::string>> provenance() const; ///< by key
    /// How many iterations have metrics.
    std::int64_t metricsCount() const;
    /// Calls `visit` with the metrics of one iteration after the other, in order; none of them is kept.
    /// @param after  only iterations beyond this one
    void forEachMetrics(const std::function<void(const Metrics&)>& visit, std::int64_t after = -1) const;
    std::vector<Metrics> metrics(std::int64_t after = -1) const; ///< all of them
    std::vector<Event> events() const;
    std::vector<SignalSummary> listSignals() const;
    std::vector<Signal> signals(const std::string& port) const; ///< by iteration
    std::optional<Tensor> signal(const std::string& port, std::int64_t iteration) const;
    /// The newest checkpoint, or the one before when the newest is damaged; nothing when the run has none.
    /// @param damage  receives a sentence when a damaged checkpoint was skipped
    /// @throws Error when there are checkpoints but all are damaged
    std::optional<Checkpoint> latestCheckpoint(std::string* damage = nullptr) const;

private:
    class Impl;
    explicit RunReader(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace raphe
