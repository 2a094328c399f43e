// SPDX-License-Identifier: Apache-2.0
#include "engine/graph.h"

#include "engine/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace raphe {

namespace {

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

class Problems {
public:
    void add(const std::string& place, const std::string& sentence) {
        text_ += (text_.empty() ? "" : "\n") + place + ": " + sentence;
    }
    void add(const Error& error) { text_ += (text_.empty() ? "" : "\n") + std::string(error.what()); }
    void throwIfAny() const {
        if (!text_.empty()) throw Error(text_);
    }

private:
    std::string text_;
};

} // namespace

Graph::Graph(const Experiment& experiment, const Registry& registry) {
    Problems problems;
    const auto at = [](auto& list, int i) -> auto& { return list[static_cast<std::size_t>(i)]; };

    for (const auto& spec : experiment.nodes) {
        GraphNode item;
        item.name = spec.name;
        item.entry = &registry.find(spec.mechanism, "nodes." + spec.name + ".mechanism");
        item.params = spec.params;
        const auto& declaration = item.declaration();
        if (const auto sentence = declaration.check(item.params); !sentence.empty())
            problems.add("nodes." + spec.name + ".params", sentence);
        item.wired.assign(declaration.ports.size(), false);
        const int index = static_cast<int>(nodes_.size());
        if (item.kind() == Kind::task) {
            if (task_ >= 0)
                problems.add("nodes." + spec.name,
                             "an experiment has one task, but \"" + at(nodes_, task_).name + "\" is one already");
            task_ = index;
        } else if (item.kind() == Kind::rule) {
            if (rule_ >= 0)
                problems.add("nodes." + spec.name, "an experiment has one learning rule, but \"" +
                                                       at(nodes_, rule_).name + "\" is one already");
            rule_ = index;
        }
        nodes_.push_back(std::move(item));
    }
    problems.throwIfAny();
    for (auto& item : nodes_)
        for (const auto& port : item.declaration().ports) item.portSizes.push_back(port.size(item.params));

    // Wires: both ends must exist, and point the right way.
    const auto resolve = [&](const Address& address, bool output, const std::string& place) -> std::pair<int, int> {
        const int index = requireNode(address.node, place);
        const auto& declaration = at(nodes_, index).declaration();
        const auto names = portNames(declaration, output);
        const int port = declaration.port(address.port);
        const char* what = output ? "output" : "input or modulation";
        if (port < 0)
            throw Error(place, fmt::format("{} has no port \"{}\"{}", declaration.key(), address.port,
                                           suggestion(address.port, names)));
        if ((at(declaration.ports, port).kind == PortKind::output) != output)
            throw Error(place, fmt::format("{} is not an {} port of {}{}", address.text(), what, declaration.key(),
                                           suggestion(address.port, names)));
        if (at(at(nodes_, index).portSizes, port) == noPort)
            throw Error(place,
                        fmt::format("{} does not exist for these parameters of {}", address.text(), declaration.key()));
        return {index, port};
    };
    std::vector<std::string> places;
    std::vector<std::optional<int>> delays;
    for (std::size_t i = 0; i < experiment.wires.size(); ++i) {
        const auto& spec = experiment.wires[i];
        const auto place = fmt::format("wires[{}] ({} -> {})", i, spec.from.text(), spec.to.text());
        try {
            const auto [fromNode, fromPort] = resolve(spec.from, true, place);
            const auto [toNode, toPort] = resolve(spec.to, false, place);
            const auto read = at(at(nodes_, toNode).declaration().ports, toPort).read;
            if (read == Read::end && spec.delay == 1)
                throw Error(place,
                            "this port is read at the end of the step; a delay of 1 is not possible here, remove it");
            if (at(nodes_, fromNode).kind() == Kind::rule)
                throw Error(place, "a learning rule sends no signals to other nodes");
            wires_.push_back({fromNode, fromPort, toNode, toPort, spec.delay == 1, spec.delay == 1, read, 0});
            places.push_back(place);
            delays.push_back(spec.delay);
            at(nodes_, toNode).wired[static_cast<std::size_t>(toPort)] = true;
        } catch (const Error& error) {
            problems.add(error);
        }
    }
    problems.throwIfAny();

    // Sizes: an open input takes the sum of what is wired to it; a fixed one must get exactly its size.
    for (std::size_t n = 0; n < nodes_.size(); ++n)
        for (std::size_t p = 0; p < nodes_[n].portSizes.size(); ++p) {
            auto& size = nodes_[n].portSizes[p];
            const auto& info = nodes_[n].declaration().ports[p];
            if (info.kind == PortKind::output) {
                if (size < 0)
                    problems.add("nodes." + nodes_[n].name, fmt::format("{} declares no size for its output {}",
                                                                        nodes_[n].declaration().key(), info.name));
                continue;
            }
            if (!nodes_[n].wired[p]) {
                if (!info.optional && size != noPort)
                    problems.add("nodes." + nodes_[n].name,
                                 fmt::format("nothing is wired to its port \"{}\" ({}); add a wire \"... -> {}.{}\"",
                                             info.name, info.help, nodes_[n].name, info.name));
                if (size == openSize) size = noPort;
                continue;
            }
            int sum = 0;
            std::string sources, place;
            for (std::size_t w = 0; w < wires_.size(); ++w) {
                auto& wire = wires_[w];
                if (wire.toNode != static_cast<int>(n) || wire.toPort != static_cast<int>(p)) continue;
                wire.size = at(at(nodes_, wire.fromNode).portSizes, wire.fromPort);
                sum += wire.size;
                if (place.empty()) place = places[w];
                sources +=
                    fmt::format("{}{}.{} has {}", sources.empty() ? "" : ", ", at(nodes_, wire.fromNode).name,
                                at(at(nodes_, wire.fromNode).declaration().ports, wire.fromPort).name, wire.size);
            }
            if (size != openSize && size != sum)
                problems.add(place, fmt::format("{}.{} takes {} unit{}, but {}", nodes_[n].name, info.name, size,
                                                size == 1 ? "" : "s", sources));
            size = sum;
        }

    // What is written at the end of a step can be read at the start of the next one only.
    for (std::size_t w = 0; w < wires_.size(); ++w) {
        auto& wire = wires_[w];
        const bool late = at(at(nodes_, wire.fromNode).declaration().ports, wire.fromPort).read == Read::end;
        if (!late || wire.read == Read::end || wire.toNode == rule_) continue;
        if (delays[w] == 0)
            problems.add(places[w],
                         "this output is written at the end of the step; give the wire \"delay\": 1 instead of 0");
        wire.delayed = true;
    }

    // Same-step order. A wire without a stated delay that would close a cycle, taken in the document's order, delivers
    // the previous step's value instead; a wire that must act within the step (delay 0) and closes one is an error.
    std::vector<std::vector<int>> edges(nodes_.size());
    const auto inStep = [&](const GraphWire& wire) {
        return wire.read == Read::start && wire.toNode != rule_ && wire.toNode != task_ && wire.fromNode != task_;
    };
    for (int round = 0; round < 2; ++round)
        for (std::size_t w = 0; w < wires_.size(); ++w) {
            auto& wire = wires_[w];
            if (!inStep(wire) || wire.delayed || delays[w].has_value() == (round == 0)) continue;
            if (reaches(edges, wire.toNode, wire.fromNode)) {
                if (delays[w])
                    problems.add(
                        places[w],
                        fmt::format(
                            "closes a cycle within one time step ({} -> {}); give this wire \"delay\": 1 instead of 0",
                            pathText(nodes_, edges, wire.toNode, wire.fromNode), at(nodes_, wire.toNode).name));
                wire.delayed = true;
                continue;
            }
            edges[static_cast<std::size_t>(wire.fromNode)].push_back(wire.toNode);
        }
    problems.throwIfAny();

    std::vector<int> degree(nodes_.size());
    for (const auto& targets : edges)
        for (int target : targets) ++degree[static_cast<std::size_t>(target)];
    std::vector<bool> done(nodes_.size());
    for (std::size_t count = 0; count < nodes_.size(); ++count)
        for (std::size_t n = 0; n < nodes_.size(); ++n)
            if (!done[n] && degree[n] == 0) {
                done[n] = true;
                for (int target : edges[n]) --degree[static_cast<std::size_t>(target)];
                if (nodes_[n].kind() == Kind::model) stepOrder_.push_back(static_cast<int>(n));
                break;
            }
    if (task_ >= 0)
        for (std::size_t p = 0; p < at(nodes_, task_).wired.size(); ++p)
            closedLoop_ = closedLoop_ || at(nodes_, task_).wired[p];

    for (std::size_t i = 0; i < experiment.recordings.size(); ++i) {
        const auto place = fmt::format("record[{}]", i);
        try {
            outputPort(requireNode(experiment.recordings[i].port.node, place), experiment.recordings[i].port.port,
                       place);
        } catch (const Error& error) {
            problems.add(error);
        }
    }
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
    const auto& declaration = nodes_[static_cast<std::size_t>(nodeIndex)].declaration();
    const int index = declaration.port(port);
    if (index < 0 || declaration.ports[static_cast<std::size_t>(index)].kind != PortKind::output ||
        nodes_[static_cast<std::size_t>(nodeIndex)].portSizes[static_cast<std::size_t>(index)] == noPort)
        throw Error(place, fmt::format("{} has no output port \"{}\"{}", declaration.key(), port.substr(0, 80),
                                       suggestion(port, portNames(declaration, true))));
    return index;
}

std::vector<Stage> Graph::stages(const std::vector<std::vector<bool>>& known, const std::vector<bool>& wanted) const {
    const auto count = nodes_.size();
    const auto isKnown = [&](const GraphWire& wire) {
        return known[static_cast<std::size_t>(wire.fromNode)][static_cast<std::size_t>(wire.fromPort)];
    };
    // A node whose outputs are all given has nothing to do.
    const auto isGiven = [&](std::size_t n) {
        bool any = false;
        for (std::size_t p = 0; p < nodes_[n].portSizes.size(); ++p) {
            if (nodes_[n].declaration().ports[p].kind != PortKind::output || nodes_[n].portSizes[p] == noPort) continue;
            if (!known[n][p]) return false;
            any = true;
        }
        return any;
    };
    // Who is needed, from the wanted nodes backwards.
    std::vector<bool> needed(count);
    std::vector<int> stack;
    for (std::size_t n = 0; n < count; ++n)
        if (wanted[n]) stack.push_back(static_cast<int>(n));
    while (!stack.empty()) {
        const auto n = static_cast<std::size_t>(stack.back());
        stack.pop_back();
        if (needed[n] || isGiven(n)) continue;
        needed[n] = true;
        for (const auto& wire : wires_)
            if (wire.toNode == static_cast<int>(n) && !isKnown(wire)) stack.push_back(wire.fromNode);
    }
    const auto takesPart = [&](int n) {
        return needed[static_cast<std::size_t>(n)] && nodes_[static_cast<std::size_t>(n)].kind() == Kind::model;
    };
    std::vector<std::vector<int>> next(count);
    for (const auto& wire : wires_)
        if (!isKnown(wire) && takesPart(wire.fromNode) && takesPart(wire.toNode))
            next[static_cast<std::size_t>(wire.fromNode)].push_back(wire.toNode);

    // Strongly connected components (Tarjan), which come out from the last to the first.
    std::vector<Stage> result;
    std::vector<int> index(count, -1), low(count), path;
    std::vector<bool> onPath(count);
    int counter = 0;
    const std::function<void(int)> visit = [&](int v) {
        const auto n = static_cast<std::size_t>(v);
        index[n] = low[n] = counter++;
        path.push_back(v);
        onPath[n] = true;
        for (int w : next[n]) {
            if (index[static_cast<std::size_t>(w)] < 0) {
                visit(w);
                low[n] = std::min(low[n], low[static_cast<std::size_t>(w)]);
            } else if (onPath[static_cast<std::size_t>(w)]) {
                low[n] = std::min(low[n], index[static_cast<std::size_t>(w)]);
            }
        }
        if (low[n] != index[n]) return;
        Stage stage;
        for (;;) {
            const int member = path.back();
            path.pop_back();
            onPath[static_cast<std::size_t>(member)] = false;
            stage.nodes.push_back(member);
            if (member == v) break;
        }
        const auto rank = [&](int a) {
            return std::find(stepOrder_.begin(), stepOrder_.end(), a) - stepOrder_.begin();
        };
        std::sort(stage.nodes.begin(), stage.nodes.end(), [&](int a, int b) { return rank(a) < rank(b); });
        stage.cyclic = stage.nodes.size() > 1 || std::find(next[n].begin(), next[n].end(), v) != next[n].end();
        result.push_back(std::move(stage));
    };
    for (int v : stepOrder_)
        if (takesPart(v) && index[static_cast<std::size_t>(v)] < 0) visit(v);
    std::reverse(result.begin(), result.end());
    return result;
}

} // namespace raphe
