// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/problems.h"
#include "engine/learning/session.h"

#include <optional>
#include <string>
#include <vector>

namespace raphe {

/// What a session of an experiment takes, about, in bytes. Found from the sizes in its graph; nothing is made of it.
/// Numbers with a fraction, since a document may ask for more than an integer counts.
struct Estimate {
    struct Part {
        std::string name;
        double bytes = 0;
        std::string advice; ///< what makes it smaller
    };
    std::vector<Part> memory;  ///< training at its peak, from the largest part to the smallest
    std::string place, detail; ///< the node that matters most for the largest part, and why
    double checkpoint = 0;     ///< on disk, uncompressed
    double signals = 0;        ///< the same: what 1000 iterations record
    int threads = 0;           ///< that work at once

    double total() const;
};

/// {"memory", "memory_parts", "checkpoint", "signals_per_1000", "threads"}, in bytes
Json toJson(const Estimate& estimate);

/// All that is known of an experiment before anything of it is made.
struct Preflight {
    Experiment experiment; ///< complete: trials and chunk are filled in
    Graph graph;
    std::vector<ParameterDescription> tensors;
    int trials = 0, steps = 0;
    Estimate estimate;

    double numbers() const; ///< in all tensors
};

/// @param problems  takes all that is wrong with the experiment's graph, and all that only a session finds: chunk,
/// steps, streams, names of tensors and ports, mechanisms that refuse their ports; each once, together with what is
/// known already. Then nothing is returned
std::optional<Preflight> preflight(const Experiment& experiment, const Registry& registry,
                                   const SessionOptions& options, Problems& problems);
/// The same for a document. @throws Error if it cannot be read at all
std::optional<Preflight> preflight(const std::string& nameOrPath, const std::vector<std::string>& assignments,
                                   const Registry& registry, const SessionOptions& options, Problems& problems);

/// Memory that a session may take.
double memoryFor(const SessionOptions& options);
/// One sentence if this does not fit into the memory that there is; otherwise empty.
std::string refusal(const Estimate& estimate, const SessionOptions& options);
/// @throws Error with every problem, or that it does not fit
void requireMemory(const Experiment& experiment, const Registry& registry, const SessionOptions& options);

} // namespace raphe
