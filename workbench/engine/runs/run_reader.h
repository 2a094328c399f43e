// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/runs/run_records.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace raphe {

/// Reads a run, finished or not, without disturbing its writer. Each call sees the commits made so far.
class RunReader {
public:
    static RunReader open(const std::filesystem::path& directory);
    /// The same for a run that nobody writes: no file is made beside it, not even for a moment.
    static RunReader openUnwritten(const std::filesystem::path& directory);
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
    /// One metric against the number of iterations done. NaN where an iteration lacks it.
    MetricCurve curve(const std::string& metric) const;
    std::vector<Event> events() const;
    std::vector<SignalSummary> listSignals() const;
    std::vector<std::int64_t> signalIterations() const;         ///< of which some signal was recorded, in order
    std::vector<Signal> signals(const std::string& port) const; ///< by iteration
    std::optional<Tensor> signal(const std::string& port, std::int64_t iteration) const;
    /// The last iterations of the checkpoints that are kept, in order.
    std::vector<std::int64_t> checkpoints() const;
    /// @throws Error if it is damaged or not there
    Checkpoint checkpoint(std::int64_t iteration) const;
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
