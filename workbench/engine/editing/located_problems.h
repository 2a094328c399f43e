// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

#include <string>
#include <vector>

namespace raphe {

/// A complaint about a document, and what it is about. What does not apply is empty, or -1.
struct LocatedProblem {
    std::string place, sentence;       ///< "nodes.agent.params.hidden", "expected integer >= 1, got 0"
    std::string node, port, parameter; ///< of a wire: the end that it leads to
    int wire = -1, recording = -1, intervention = -1, frozen = -1, stage = -1; ///< places in lists, from 0
    std::string field; ///< of the document: "trials", "wires", "stages"

    std::string text() const { return place.empty() ? sentence : place + ": " + sentence; }
};

/// @param experiment  what could be read of the document
std::vector<LocatedProblem> located(const Problems& problems, const Experiment& experiment);

} // namespace raphe
