// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/editing/located_problems.h"

#include <optional>
#include <string>
#include <vector>

namespace raphe {

/// An entry of the document's interventions, where it acts.
struct CanvasIntervention {
    int number = 0;   ///< its place in the list
    std::string text; ///< "clamp to 0, steps 10 to 20"
    Operation operation = Operation::clamp;
    bool on = true;
};

/// What the canvas shows of an experiment, sound or not, as plain values.
struct CanvasPort {
    std::string name, sizeText, help;
    PortKind kind = PortKind::input;
    Read read = Read::start;
    int units = openSize; ///< openSize: not known before something is wired to it
    bool optional = false;
    bool wired = false;
    std::vector<std::string> problems = {};
    std::vector<CanvasIntervention> interventions = {};
};

struct CanvasNode {
    std::string name, mechanism, summary;
    std::optional<Kind> kind; ///< none: no plugin provides the mechanism
    std::vector<CanvasPort> ports;
    std::vector<std::string> problems;
    std::vector<CanvasIntervention> interventions = {}; ///< on its tensors

    int port(const std::string& portName) const;
};

struct CanvasWire {
    int fromNode = 0, fromPort = 0, toNode = 0, toPort = 0;
    WireSpec spec;
    bool modulatory = false; ///< ends in a parameter of the receiving mechanism
    bool delayed = false;
    int units = openSize;
    std::vector<std::string> problems;
};

struct CanvasGraph {
    std::vector<CanvasNode> nodes;
    std::vector<CanvasWire> wires; ///< those whose ends exist

    int node(const std::string& name) const;
};

/// An intervention in words: "clamp unit 2 to 0.5 in steps 10 to 20".
std::string inWords(const Intervention& intervention);

CanvasGraph canvasGraph(const Experiment& experiment, const Registry& registry,
                        const std::vector<LocatedProblem>& problems);

} // namespace raphe
