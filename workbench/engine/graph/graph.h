// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

#include <string>
#include <vector>

namespace raphe {

/// A node of an experiment with everything resolved that does not depend on the scalar type.
struct GraphNode {
    std::string name;
    const MechanismEntry* entry = nullptr;
    ParamValues params;
    std::vector<int> portSizes; ///< units; 0: the port does not exist
    std::vector<bool> wired;
    bool closes = false; ///< a model that takes part in the end of a step: it reads ports or writes outputs there
    bool sound = true;   ///< nothing is wrong with its parameters nor with what is wired to it

    const DeclarationData& declaration() const { return entry->declaration; }
    Kind kind() const { return entry->declaration.kind; }
};

struct GraphWire {
    int fromNode, fromPort, toNode, toPort;
    bool delayed;       ///< delivers the value of the previous step
    bool explicitDelay; ///< the document says so, rather than the cycle
    Read read;          ///< when the receiving port is read
    int size;           ///< units
};

/// Nodes that are swept together: a single node, or the nodes of a cycle, in the order in which a step visits them.
struct Stage {
    std::vector<int> nodes;
    std::vector<int> closing; ///< those that take part in the end of a step, in the order of Graph::closeOrder()
    bool cyclic = false;      ///< some node's input depends on what the stage itself computes
};

/// An experiment checked against the declarations: sizes resolved, cycles found, places for every complaint.
class Graph {
public:
    /// @throws Error with one line per problem
    Graph(const Experiment& experiment, const Registry& registry);
    /// The same, but adds to `problems` and goes on. Takes into account what they say of the document already; the
    /// graph is complete only if there are none.
    Graph(const Experiment& experiment, const Registry& registry, Problems& problems);

    const std::vector<GraphNode>& nodes() const { return nodes_; }
    const std::vector<GraphWire>& wires() const { return wires_; }
    /// Index of the task and of the rule; -1 if there is none.
    int task() const { return task_; }
    int rule() const { return rule_; }
    /// Whether the task takes actions, so that steps cannot be computed ahead.
    bool closedLoop() const { return closedLoop_; }
    int node(const std::string& name) const;
    /// Models in an order in which each comes after those whose values of the same step it reads.
    const std::vector<int>& stepOrder() const { return stepOrder_; }
    /// Models that take part in the end of a step, each after those of which it reads what they write there.
    const std::vector<int>& closeOrder() const { return closeOrder_; }
    /// Models grouped so that every group depends only on earlier ones, when the outputs marked in `known`
    /// (by node and port) are given. Models of which nobody in `wanted` (by node) needs anything are left out.
    std::vector<Stage> stages(const std::vector<std::vector<bool>>& known, const std::vector<bool>& wanted) const;

    /// Index of an output port. @throws Error at `place`, naming the ports there are
    int outputPort(int node, const std::string& port, const std::string& place) const;
    int requireNode(const std::string& name, const std::string& place) const;

private:
    class Resolver;

    std::vector<GraphNode> nodes_;
    std::vector<GraphWire> wires_;
    std::vector<int> stepOrder_, closeOrder_;
    int task_ = -1, rule_ = -1;
    bool closedLoop_ = false;
};

} // namespace raphe
