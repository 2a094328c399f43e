// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "course_task.h"
#include "engine/learning/session.h"
#include "engine/mechanisms/plugin_host.h"
#include "support/probe_task.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

namespace raphe::test {

/// All plugins of the build, task.probe and task.course.
inline PluginHost& plugins() {
    static PluginHost host = [] {
        PluginHost h;
        h.loadFolder(PLUGIN_FOLDER);
        h.registry().add(entryOf<Probe>(), "tests");
        h.registry().add(entryOf<Course>(), "tests");
        return h;
    }();
    return host;
}

inline const Registry& registry() { return plugins().registry(); }

inline Experiment load(const std::string& name, Precision precision = Precision::float64) {
    auto experiment = loadExperiment(name, registry());
    experiment.precision = precision;
    return experiment;
}

/// The thread sanitizer does not see how oneTBB hands on its tasks.
#ifdef RAPHE_SANITIZED
inline constexpr const char* usualExecutor = "threads";
#else
inline constexpr const char* usualExecutor = "tbb";
#endif

inline std::unique_ptr<Session> sessionOf(const Experiment& experiment, int threads = 1) {
    return Session::create(experiment, registry(), {threads, usualExecutor, 0});
}

inline double metric(const NamedNumbers& metrics, const std::string& name) {
    for (const auto& [key, value] : metrics)
        if (key == name) return value;
    return NAN;
}

/// max |a - b| / max |b|; infinite where sizes differ or something is not finite.
template <class A, class B>
double difference(const A& a, const B& b) {
    if (a.size() != b.size()) return INFINITY;
    double largest = 0, error = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!std::isfinite(double(a[i])) || !std::isfinite(double(b[i]))) return INFINITY;
        largest = std::max(largest, std::abs(double(b[i])));
        error = std::max(error, std::abs(double(a[i]) - double(b[i])));
    }
    return largest > 0 ? error / largest : error;
}

/// Experiments small enough to be swept many times, of every plasticity rule and with crossed modulators.
inline std::vector<std::string> smallExperiments() {
    return {"cue_small_A_none", "cue_small_A_plastic", "cue_small_A_simple", "cue_small_A_retro",
            "mwg_small_nm_rnn", "mwg_small_lr_rnn",    "crossed_gain",       "crossed_plasticity"};
}

} // namespace raphe::test
