// SPDX-License-Identifier: Apache-2.0
#include "engine/graph/graph.h"

#include "engine/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>

namespace raphe {

namespace {

constexpr int largestPort = 1'000'000'000; ///< units

std::vector<std::string> portNames(const DeclarationData& declaration, bool outputs) {
    std::vector<std::string> names;
    for (const auto& port : declaration.ports)
        if ((port.kind == PortKind::output) == outputs) names.push_back(port.name);
    return names;
}

/// Whether `to` can be reached from `from` along edges.
bool reaches(const std::vector<std::vector<int>>& edges, int from, int to) {
    std::vector<bool> seen(edges.size());
    std::vector<int> stack{from};
    while (!stack.empty()) {
        const int node = stack.back();
        stack.pop_back();
        if (node == to) return true;
        if (seen[static_cast<std::size_t>(node)]) continue;
        seen[static_cast<std::size_t>(node)] = true;
        for (int next : edges[static_cast<std::size_t>(node)]) stack.push_back(next);
    }
    return false;
}

/// A path of node names from `from` to `to`, for messages.
std::string pathText(const std::vector<GraphNode>& nodes, const std::vector<std::vector<int>>& edges, int from,
                     int to) {
    std::vector<int> previous(edges.size(), -1), queue{from};
    for (std::size_t i = 0; i < queue.size() && queue[i] != to; ++i)
        for (int next : edges[static_cast<std::size_t>(queue[i])])
            if (previous[static_cast<std::size_t>(next)] < 0 && next != from) {
                previous[static_cast<std::size_t>(next)] = queue[i];
                queue.push_back(next);
            }
    std::string text = nodes[static_cast<std::size_t>(to)].name;
    for (int node = to; node != from && node >= 0;) {
        node = previous[static_cast<std::size_t>(node)];
        if (node >= 0) text = nodes[static_cast<std::size_t>(node)].name + " -> " + text;
    }
    return text;
}

template <class List>
decltype(auto) at(List& list, int i) {
    return list[static_cast<std::size_t>(i)];
}

} // namespace

/// Builds the graph in steps. A step that finds a problem notes it and leaves a mark, so that later steps do not
/// complain of its consequences.
class Graph::Resolver {
public:
    Resolver(Graph& graph, const Experiment& experiment, const Registry& registry, Problems& problems)
        : graph_(graph), experiment_(experiment), registry_(registry), problems_(problems), nodes_(graph.nodes_),
          wires_(graph.wires_) {}

    void resolve() {
        // A document whose nodes could not be read at all: nothing can be said of its wires.
        if (experiment_.nodes.empty() && problems_.concern("nodes")) return;
        resolveNodes();
        resolveWires();
        resolveSizes();
        delayLateOutputs();
        orderSteps(breakCycles());
        orderCloses();
        checkRecordings();
        markUnsound();
    }

private:
    /// A port of a node, by index.
    struct End {
        int node, port;
    };
    /// What else is known of a node while the graph is built.
    struct Doubts {
        bool params = false;     ///< they are wrong, so nothing is known of the sizes of its ports
        bool inputs = false;     ///< it is not needed, so nobody asks for its inputs
        std::vector<bool> ports; ///< something wired to the port is unknown
    };
    using Edges = std::vector<std::vector<int>>;

    void resolveNodes() {
        for (const auto& spec : experiment_.nodes) {
            const auto place = "nodes." + spec.name;
            if (!registry_.contains(spec.mechanism)) {
                leftOut_.insert(spec.name);
                if (!problems_.concern(place))
                    problems_.collect([&] { registry_.find(spec.mechanism, place + ".mechanism"); });
                continue;
            }
            GraphNode item;
            item.name = spec.name;
            item.entry = &registry_.find(spec.mechanism, place + ".mechanism");
            item.params = spec.params;
            const auto& declaration = item.declaration();
            Doubts doubts;
            doubts.params = problems_.concern(place + ".params");
            if (const auto sentence = declaration.check(item.params); !sentence.empty()) {
                if (!doubts.params) problems_.add(place + ".params", sentence);
                doubts.params = true;
                item.params = declaration.defaults();
            }
            const auto isOnly = [&](int& only, const char* what) {
                if (only < 0) {
                    only = static_cast<int>(nodes_.size());
                    return;
                }
                problems_.add(place, fmt::format("an experiment has one {}, but \"{}\" is one already", what,
                                                 at(nodes_, only).name));
                doubts.inputs = true;
            };
            if (item.kind() == Kind::task) isOnly(graph_.task_, "task");
            if (item.kind() == Kind::rule) isOnly(graph_.rule_, "learning rule");
            for (const auto& port : declaration.ports) item.portSizes.push_back(port.size(item.params));
            item.wired.assign(declaration.ports.size(), false);
            doubts.ports.assign(declaration.ports.size(), false);
            nodes_.push_back(std::move(item));
            doubts_.push_back(std::move(doubts));
        }
    }

    /// Wires: both ends must exist, and point the right way.
    void resolveWires() {
        for (std::size_t i = 0; i < experiment_.wires.size(); ++i) {
            const auto& spec = experiment_.wires[i];
            if ((spec.from.node.empty() || spec.to.node.empty()) && problems_.concern(fmt::format("wires[{}]", i))) {
                lostTargets_.push_back(spec.to);
                continue;
            }
            const auto place = fmt::format("wires[{}] ({} -> {})", i, spec.from.text(), spec.to.text());
            const auto from = end(spec.from, true, place);
            if (!from && pointsBackwards(spec)) {
                lostTargets_.push_back(spec.from);
                continue;
            }
            const auto to = end(spec.to, false, place);
            if (!to) {
                if (!leftOut_.contains(spec.to.node)) lostTargets_.push_back(spec.to);
                continue;
            }
            at(at(nodes_, to->node).wired, to->port) = true;
            if (from && at(nodes_, from->node).kind() == Kind::rule)
                problems_.add(place, "a learning rule sends no signals to other nodes");
            else if (from)
                addWire(spec, *from, *to, place);
            if (!from || at(nodes_, from->node).kind() == Kind::rule || at(doubts_, from->node).params)
                at(at(doubts_, to->node).ports, to->port) = true;
        }
    }

    void addWire(const WireSpec& spec, End from, End to, const std::string& place) {
        const auto read = at(at(nodes_, to.node).declaration().ports, to.port).read;
        const bool delayed = spec.delay == 1;
        if (read == Read::end && delayed)
            problems_.add(place,
                          "this port is read at the end of the step; a delay of 1 is not possible here, remove it");
        wires_.push_back({from.node, from.port, to.node, to.port, delayed, delayed, read, 0});
        places_.push_back(place);
        delays_.push_back(spec.delay);
    }

    /// A wire's end, if there is one that fits; otherwise the problem is noted, unless it is the node's.
    std::optional<End> end(const Address& address, bool output, const std::string& place) {
        if (leftOut_.contains(address.node)) return std::nullopt;
        std::optional<End> result;
        problems_.collect([&] {
            const int node = graph_.requireNode(address.node, place);
            const auto& declaration = at(nodes_, node).declaration();
            const auto names = portNames(declaration, output);
            const int port = declaration.port(address.port);
            const char* what = output ? "output" : "input or modulation";
            if (port < 0)
                throw Error(place, fmt::format("{} has no port \"{}\"{}", declaration.key(), address.port,
                                               suggestion(address.port, names)));
            if ((at(declaration.ports, port).kind == PortKind::output) != output)
                throw Error(place, fmt::format("{} is not an {} port of {}{}", address.text(), what, declaration.key(),
                                               suggestion(address.port, names)));
            if (at(at(nodes_, node).portSizes, port) == noPort && !at(doubts_, node).params)
                throw Error(place, fmt::format("{} does not exist for these parameters of {}", address.text(),
                                               declaration.key()));
            result = End{node, port};
        });
        return result;
    }

    /// Whether both ends exist, but from an input to an output: one mistake, not two.
    bool pointsBackwards(const WireSpec& spec) const {
        const auto isOutput = [&](const Address& address) -> std::optional<bool> {
            const int node = graph_.node(address.node);
            if (node < 0) return std::nullopt;
            const auto& declaration = at(nodes_, node).declaration();
            const int port = declaration.port(address.port);
            if (port < 0) return std::nullopt;
            return at(declaration.ports, port).kind == PortKind::output;
        };
        return isOutput(spec.from) == false && isOutput(spec.to) == true;
    }

    /// Whether a wire that could not be resolved may have been meant for this port.
    bool mayBeTarget(const GraphNode& node, const std::string& port) const {
        return std::any_of(lostTargets_.begin(), lostTargets_.end(), [&](const Address& target) {
            return target.node.empty() || target.node == node.name ||
                   (target.port == port && graph_.node(target.node) < 0);
        });
    }

    /// Sizes: an open input takes the sum of what is wired to it; a fixed one must get exactly its size.
    void resolveSizes() {
        for (std::size_t n = 0; n < nodes_.size(); ++n)
            for (std::size_t p = 0; p < nodes_[n].portSizes.size(); ++p) {
                const auto& info = nodes_[n].declaration().ports[p];
                if (info.kind != PortKind::output) {
                    resolveInput(static_cast<int>(n), static_cast<int>(p));
                } else if (nodes_[n].portSizes[p] < 0) {
                    problems_.add("nodes." + nodes_[n].name, fmt::format("{} declares no size for its output {}",
                                                                         nodes_[n].declaration().key(), info.name));
                    nodes_[n].sound = false;
                }
            }
    }

    void resolveInput(int n, int p) {
        auto& node = at(nodes_, n);
        auto& size = at(node.portSizes, p);
        const auto& info = at(node.declaration().ports, p);
        const auto& doubts = at(doubts_, n);
        if (!at(node.wired, p)) {
            const bool doubtful = doubts.params || doubts.inputs || mayBeTarget(node, info.name);
            if (!info.optional && size != noPort && !doubtful) {
                problems_.add("nodes." + node.name,
                              fmt::format("nothing is wired to its port \"{}\" ({}); add a wire \"... -> {}.{}\"",
                                          info.name, info.help, node.name, info.name),
                              info.name);
                node.sound = false;
            }
            if (size == openSize) size = noPort;
            return;
        }
        std::int64_t sum = 0;
        std::string sources, place;
        for (std::size_t w = 0; w < wires_.size(); ++w) {
            auto& wire = wires_[w];
            if (wire.toNode != n || wire.toPort != p) continue;
            const auto& source = at(nodes_, wire.fromNode);
            wire.size = at(source.portSizes, wire.fromPort);
            sum += wire.size;
            if (place.empty()) place = places_[w];
            sources += fmt::format("{}{}.{} has {}", sources.empty() ? "" : ", ", source.name,
                                   at(source.declaration().ports, wire.fromPort).name, wire.size);
        }
        const bool doubtful = doubts.params || at(doubts.ports, p) || mayBeTarget(node, info.name);
        const bool fits = size == openSize ? sum <= largestPort : size == sum;
        if (!fits) node.sound = false;
        if (!fits && size == openSize)
            problems_.add(place, fmt::format("{}.{} takes at most {} units, but {} are wired to it", node.name,
                                             info.name, largestPort, sum));
        else if (!fits && !doubtful)
            problems_.add(place, fmt::format("{}.{} takes {} unit{}, but {}", node.name, info.name, size,
                                             size == 1 ? "" : "s", sources));
        size = static_cast<int>(std::min<std::int64_t>(sum, largestPort));
    }

    /// What is written at the end of a step can be read at the start of the next one only.
    void delayLateOutputs() {
        for (std::size_t w = 0; w < wires_.size(); ++w) {
            auto& wire = wires_[w];
            if (!isLate(wire)) continue;
            if (isTask(wire.toNode))
                problems_.add(places_[w], "this output is written at the end of the step, after the task has acted; "
                                          "wire an output of a step to the task");
            if (wire.read == Read::end || isRule(wire.toNode)) continue;
            if (delays_[w] == 0)
                problems_.add(places_[w],
                              "this output is written at the end of the step; give the wire \"delay\": 1 instead of 0");
            wire.delayed = true;
        }
    }

    /// A wire without a stated delay that would close a cycle within a step, taken in the document's order, delivers
    /// the previous step's value instead; a wire that must act within the step (delay 0) and closes one is an error.
    /// @return the nodes that read a node's values of the same step
    Edges breakCycles() {
        Edges edges(nodes_.size());
        const auto inStep = [&](const GraphWire& wire) {
            return wire.read == Read::start && !isRule(wire.toNode) && !isTask(wire.toNode) && !isTask(wire.fromNode);
        };
        for (const bool stated : {false, true})
            for (std::size_t w = 0; w < wires_.size(); ++w) {
                auto& wire = wires_[w];
                if (!inStep(wire) || wire.delayed || delays_[w].has_value() != stated) continue;
                if (!reaches(edges, wire.toNode, wire.fromNode)) {
                    at(edges, wire.fromNode).push_back(wire.toNode);
                    continue;
                }
                if (stated)
                    problems_.add(places_[w], fmt::format("closes a cycle within one time step ({} -> {}); give this "
                                                          "wire \"delay\": 1 instead of 0",
                                                          pathText(nodes_, edges, wire.toNode, wire.fromNode),
                                                          at(nodes_, wire.toNode).name));
                wire.delayed = true;
            }
        return edges;
    }

    void orderSteps(const Edges& edges) {
        for (int n : inOrder(edges))
            if (at(nodes_, n).kind() == Kind::model) graph_.stepOrder_.push_back(n);
        if (graph_.task_ >= 0)
            for (const bool wired : at(nodes_, graph_.task_).wired) graph_.closedLoop_ = graph_.closedLoop_ || wired;
    }

    /// The end of a step: what models write there reaches others that read it there, in the same step.
    void orderCloses() {
        for (auto& node : nodes_) {
            if (node.kind() != Kind::model) continue;
            const auto& ports = node.declaration().ports;
            for (std::size_t p = 0; p < ports.size(); ++p)
                if (ports[p].read == Read::end && node.portSizes[p] > 0)
                    node.closes = node.closes || ports[p].kind == PortKind::output || node.wired[p];
        }
        Edges edges(nodes_.size());
        for (std::size_t w = 0; w < wires_.size(); ++w) {
            const auto& wire = wires_[w];
            if (!isLate(wire) || wire.read != Read::end || isTask(wire.fromNode) || isTask(wire.toNode)) continue;
            if (reaches(edges, wire.toNode, wire.fromNode))
                problems_.add(places_[w],
                              fmt::format("closes a cycle within the end of a step ({} -> {}); read one of these "
                                          "signals at a port that is read at the start of a step",
                                          pathText(nodes_, edges, wire.toNode, wire.fromNode),
                                          at(nodes_, wire.toNode).name));
            else
                at(edges, wire.fromNode).push_back(wire.toNode);
        }
        for (int n : inOrder(edges))
            if (at(nodes_, n).closes) graph_.closeOrder_.push_back(n);
    }

    /// Nodes, each after those that have an edge to it, otherwise in the document's order.
    std::vector<int> inOrder(const Edges& edges) const {
        std::vector<int> degree(nodes_.size()), order;
        for (const auto& targets : edges)
            for (int target : targets) ++at(degree, target);
        std::vector<bool> done(nodes_.size());
        for (std::size_t count = 0; count < nodes_.size(); ++count)
            for (std::size_t n = 0; n < nodes_.size(); ++n)
                if (!done[n] && degree[n] == 0) {
                    done[n] = true;
                    for (int target : edges[n]) --at(degree, target);
                    order.push_back(static_cast<int>(n));
                    break;
                }
        return order;
    }

    void checkRecordings() {
        for (std::size_t i = 0; i < experiment_.recordings.size(); ++i) {
            const auto& port = experiment_.recordings[i].port;
            const auto place = fmt::format("record[{}]", i);
            if (leftOut_.contains(port.node) || (port.node.empty() && problems_.concern(place))) continue;
            const int node = graph_.node(port.node);
            // With wrong parameters nobody knows whether the port exists.
            if (node >= 0 && at(doubts_, node).params && at(nodes_, node).declaration().port(port.port) >= 0) continue;
            problems_.collect([&] { graph_.outputPort(graph_.requireNode(port.node, place), port.port, place); });
        }
    }

    /// Nodes of which a session would say nothing new.
    void markUnsound() {
        for (std::size_t n = 0; n < nodes_.size(); ++n) {
            const auto& doubts = doubts_[n];
            bool doubtful = doubts.params || doubts.inputs;
            for (std::size_t p = 0; p < doubts.ports.size(); ++p)
                doubtful = doubtful || doubts.ports[p] || mayBeTarget(nodes_[n], nodes_[n].declaration().ports[p].name);
            if (doubtful) nodes_[n].sound = false;
        }
    }

    /// Whether what the wire carries is written at the end of a step.
    bool isLate(const GraphWire& wire) const {
        return at(at(nodes_, wire.fromNode).declaration().ports, wire.fromPort).read == Read::end;
    }
    bool isRule(int node) const { return at(nodes_, node).kind() == Kind::rule; }
    bool isTask(int node) const { return at(nodes_, node).kind() == Kind::task; }

    Graph& graph_;
    const Experiment& experiment_;
    const Registry& registry_;
    Problems& problems_;
    std::vector<GraphNode>& nodes_;
    std::vector<GraphWire>& wires_;
    std::set<std::string> leftOut_;          ///< names of nodes whose mechanism is unknown
    std::vector<Doubts> doubts_;             ///< by node
    std::vector<Address> lostTargets_;       ///< of wires that are not in the graph; empty: could not be read
    std::vector<std::string> places_;        ///< by wire
    std::vector<std::optional<int>> delays_; ///< by wire
};

Graph::Graph(const Experiment& experiment, const Registry& registry, Problems& problems) {
    Resolver(*this, experiment, registry, problems).resolve();
}

Graph::Graph(const Experiment& experiment, const Registry& registry) {
    Problems problems;
    Resolver(*this, experiment, registry, problems).resolve();
    problems.throwIfAny();
}

int Graph::node(const std::string& name) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (nodes_[i].name == name) return static_cast<int>(i);
    return -1;
}

int Graph::requireNode(const std::string& name, const std::string& place) const {
    if (const int index = node(name); index >= 0) return index;
    std::vector<std::string> names;
    for (const auto& item : nodes_) names.push_back(item.name);
    throw Error(place, "the experiment has no node \"" + name.substr(0, 80) + "\"" + suggestion(name, names));
}

int Graph::outputPort(int nodeIndex, const std::string& port, const std::string& place) const {
    const auto& item = nodes_[static_cast<std::size_t>(nodeIndex)];
    const auto& declaration = item.declaration();
    const int index = declaration.port(port);
    if (index < 0 || declaration.ports[static_cast<std::size_t>(index)].kind != PortKind::output)
        throw Error(place, fmt::format("{} has no output port \"{}\"{}", declaration.key(), port.substr(0, 80),
                                       suggestion(port, portNames(declaration, true))));
    if (item.portSizes[static_cast<std::size_t>(index)] == noPort)
        throw Error(place,
                    fmt::format("{}.{} does not exist for these parameters of {}", item.name, port, declaration.key()));
    return index;
}

} // namespace raphe
