// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/setup.h"
#include "engine/sweep/sweep.h"

#include <vector>

namespace raphe {

/// Copies what a sweep captured of a port, of the trials that are wanted and every so many steps.
template <class T>
void copySignal(const std::vector<T>& from, const TrialRange& range, int stride, int everySteps, Tensor& to) {
    const auto units = static_cast<std::size_t>(to.shape[2]);
    const auto trials = static_cast<std::size_t>(to.shape[1]);
    for (std::size_t t = 0; t < static_cast<std::size_t>(to.shape[0]); ++t)
        for (std::size_t b = 0; b < at(range.counted) && range.first + b < trials; ++b) {
            const T* source = from.data() + units * (t * at(everySteps) * at(stride) + b);
            std::copy_n(source, units, to.values.data() + units * (t * trials + range.first + b));
        }
}

/// The recordings of the document that are due in an iteration.
template <class T>
class RecordedSignals {
public:
    RecordedSignals(const Setup<T>& setup, int iteration, IterationReport& report) : report_(report) {
        if (!report.signals.empty()) return; // a rule that acts more than once: the first time
        for (const auto& recording : setup.experiment.recordings) {
            if (iteration % recording.everyIterations != 0) continue;
            const int node = setup.graph.requireNode(recording.port.node, "record");
            const int port = setup.graph.outputPort(node, recording.port.port, "record");
            ports_.emplace_back(node, port);
            const std::int64_t units = setup.graph.nodes()[at(node)].portSizes[at(port)];
            const std::int64_t kept = (setup.steps + recording.everySteps - 1) / recording.everySteps,
                               trials = std::min(recording.trials, setup.batch);
            trials_ = std::max(trials_, static_cast<int>(trials));
            report.signals.emplace_back(recording,
                                        Tensor{{kept, trials, units},
                                               std::vector<double>(static_cast<std::size_t>(kept * trials * units)),
                                               setup.precision()});
        }
    }
    void prepare(Sweep<T>& sweep, const TrialRange& range) const {
        sweep.capture(concerns(range) ? ports_ : std::vector<std::pair<int, int>>{});
    }
    /// From any thread: trials of different chunks have different places.
    void take(const Sweep<T>& sweep, const TrialRange& range) {
        if (!concerns(range)) return;
        for (std::size_t i = 0; i < ports_.size(); ++i) {
            auto& [recording, tensor] = report_.signals[i];
            copySignal(sweep.captured(i), range, sweep.trials(), recording.everySteps, tensor);
        }
    }

private:
    bool concerns(const TrialRange& range) const { return static_cast<int>(range.first) < trials_; }

    IterationReport& report_;
    std::vector<std::pair<int, int>> ports_;
    int trials_ = 0;
};

} // namespace raphe
