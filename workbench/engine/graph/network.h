// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/graph/graph.h"
#include "engine/graph/parameters.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace raphe {

/// The mechanisms of a graph, built for one scalar type, and the layout of their trainable tensors. Never changes while
/// trials run. A copy shares the mechanisms, and keeps those that it has.
template <class T>
class Network {
public:
    struct Node {
        std::shared_ptr<const Mechanism<T>> mechanism; ///< null: it could not be made
        std::vector<StateInfo> states;
        std::vector<LinkInfo> links;
        std::vector<int> parameters; ///< index of each weight in parameters()
        int locals = 0;
        std::vector<int> packed;     ///< weights of which packed layouts are wanted
        std::vector<int> shownState; ///< by port: the state that an output shows, or -1
        std::vector<bool> remembers; ///< by port: the acting pass keeps this output for the learning pass
        std::uint64_t entity = 0;
    };

    /// @param problems  takes what mechanisms refuse, of nodes that are sound; then the network cannot be used. Null:
    /// it is thrown
    Network(const Graph& graph, double dt, Problems* problems = nullptr)
        : graph_(&graph), dt_(dt), nodes_(graph.nodes().size()) {
        std::vector<std::optional<Builder>> builders(nodes_.size());
        for (std::size_t n = 0; n < nodes_.size(); ++n) build(static_cast<int>(n), builders, problems);
        for (std::size_t n = 0; n < nodes_.size(); ++n) layOut(static_cast<int>(n), *builders[n], problems);
        if (graph.rule() < 0 || !nodes_[static_cast<std::size_t>(graph.rule())].mechanism) return;
        if (const auto refusal = refusedCredit(rule().credit()); refusal && !problems)
            throw *refusal;
        else if (refusal)
            problems->add(*refusal);
    }

    const Graph& graph() const { return *graph_; }
    const std::vector<Node>& nodes() const { return nodes_; }
    const std::vector<ParameterInfo>& parameters() const { return parameters_; }
    /// Numbers in a flat array of all tensors, with padding.
    std::size_t size() const { return size_; }

    const Model<T>& model(int node) const {
        return static_cast<const Model<T>&>(*nodes_[static_cast<std::size_t>(node)].mechanism);
    }
    const Task<T>& task() const {
        return static_cast<const Task<T>&>(*nodes_[static_cast<std::size_t>(graph_->task())].mechanism);
    }
    const Rule<T>& rule() const {
        return static_cast<const Rule<T>&>(*nodes_[static_cast<std::size_t>(graph_->rule())].mechanism);
    }

    /// Input ports whose means over the batch scale the changes of tensors.
    struct FactorSignal {
        int node, port, size;
        int first; ///< where its factors begin among those of all
    };
    const std::vector<FactorSignal>& factorSignals() const { return factorSignals_; }
    /// Factors of all these signals.
    std::size_t factorCount() const {
        return factorSignals_.empty()
                   ? 0
                   : static_cast<std::size_t>(factorSignals_.back().first + factorSignals_.back().size);
    }

    /// Why such credit cannot return over some link of the network, at the place of the node; nothing if it can.
    std::optional<Error> refusedCredit(const Credit& credit) const {
        const auto name = "\"" + nameOf(credit) + "\"";
        const bool some = credit.steps > 0 && credit.kind != Credit::Kind::local;
        if (!credit.replaced() && !some) return {};
        for (const auto& wire : graph_->wires()) {
            if (wire.fromNode < 0 || wire.toNode < 0 || wire.fromPort < 0) continue; // of a graph with problems
            const auto &from = graph_->nodes()[static_cast<std::size_t>(wire.fromNode)],
                       &to = graph_->nodes()[static_cast<std::size_t>(wire.toNode)];
            if (!wire.delayed || from.kind() != Kind::model ||
                from.declaration().ports[static_cast<std::size_t>(wire.fromPort)].sampled)
                continue;
            return Error("nodes." + to.name,
                         credit.replaced()
                             ? "a wire from " + from.name +
                                   " closes a cycle here, and for what such a wire sends back " + name +
                                   " says nothing; choose credit exact or local"
                             : "a wire from " + from.name +
                                   " closes a cycle here, and sends credit back at all steps; leave credit_steps at 0");
        }
        for (std::size_t n = 0; n < nodes_.size(); ++n)
            for (const auto& link : nodes_[n].links) {
                const auto& item = graph_->nodes()[n];
                const auto refuse = [&](const std::string& why, const std::string& remedy) {
                    return Error("nodes." + item.name, item.declaration().key() + " cannot return credit " + name +
                                                           ": " + why + "; " + remedy);
                };
                const bool mdgl = credit.kind == Credit::Kind::mdgl;
                if (credit.replaced() && !(mdgl ? link.mdgl : link.modprop))
                    return refuse(link.reason, std::string("choose credit exact") +
                                                   (!mdgl && link.mdgl ? ", local or mdgl" : " or local"));
                const auto cells = std::string(mdgl ? "mdgl" : "modprop");
                if (credit.feedback == Credit::Feedback::cells || !credit.replaced()) continue;
                if (link.weight.index < 0)
                    return refuse("its units send each other nothing through weights of cells by cells, so that cell "
                                  "types have no means",
                                  "choose credit " + cells);
                if (link.types.empty())
                    return refuse("its cells have no types", "say how many cells are of each type, e.g. \"types\": "
                                                             "[20, 80], or choose credit " +
                                                                 cells);
            }
        return {};
    }

    /// What the rule asked for beside its ports.
    const RuleParts& ruleParts() const { return ruleParts_; }
    /// Builds the rule anew. @param params  complete
    /// @throws Error  at `place`, if they do not fit together, or the rule would need other ports or other groups,
    ///                trial stores, fields, memories or copies than it has; then nothing has changed
    void replaceRule(const ParamValues& params, const std::string& place) {
        const auto index = static_cast<std::size_t>(graph_->rule());
        const auto& item = graph_->nodes()[index];
        const auto& declaration = item.declaration();
        if (const auto sentence = declaration.check(params); !sentence.empty()) throw Error(place, sentence);
        for (const auto& port : declaration.ports)
            if (port.size(params) != port.size(item.params))
                throw Error(place, "gives the port " + item.name + "." + port.name + " " +
                                       std::to_string(port.size(params)) + " units instead of " +
                                       std::to_string(port.size(item.params)) +
                                       "; the wires of a training stay as they are");
        Builder builder(declaration, item.portSizes, item.wired, dt_);
        std::shared_ptr<const Mechanism<T>> rule;
        try {
            rule = item.entry->template maker<T>()(params, builder);
        } catch (const Error& error) {
            throw Error(place, error.what());
        }
        if (const auto part = differentPart(ruleParts_, builder.ruleParts()); !part.empty())
            throw Error(place, "gives " + item.name + " another " + part +
                                   ", which a training keeps from its start; leave the parameters that it depends on "
                                   "as they are");
        const auto& made = static_cast<const Rule<T>&>(*rule);
        if (const auto refusal = refusedCredit(made.credit())) throw Error(place, refusal->what());
        nodes_[index].mechanism = std::move(rule);
    }

    /// Draws initial weights; each tensor has its own random stream, so none depends on what else there is. Drawn in
    /// double, row by row, so that float32 and float64 sessions start alike.
    void initialise(AlignedArray<T>& weights, std::uint64_t seed) const {
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            const auto& info = parameters_[i];
            const auto& init = inits_[i];
            Stream stream(seed, addressOf(info.name, addressOf("weights")), 0, 0, 0);
            const auto entry = [&](int r, int c) -> T& {
                return weights[info.offset + static_cast<std::size_t>(c) * static_cast<std::size_t>(info.rows) +
                               static_cast<std::size_t>(r)];
            };
            if (init.shape == Init::Shape::whole) {
                Matrix<double> whole = Matrix<double>::Zero(info.rows, info.cols);
                init.draw(whole, stream);
                for (int r = 0; r < info.rows; ++r)
                    for (int c = 0; c < info.cols; ++c) entry(r, c) = static_cast<T>(whole(r, c));
                continue;
            }
            const int drawn = init.rows > 0 ? std::min(init.rows, info.rows) : info.rows;
            for (int r = 0; r < drawn; ++r)
                for (int c = 0; c < info.cols; ++c) entry(r, c) = static_cast<T>(init.number(stream));
            for (int r = drawn; r < info.rows; ++r)
                for (int c = 0; c < info.cols; ++c) {
                    const double own = init.share != 0 ? init.share * init.number(stream) : 0;
                    entry(r, c) = static_cast<T>((init.copies ? double(entry(r % drawn, c)) : 0) + own);
                }
        }
    }

private:
    /// Makes the mechanism of a node, unless it is there. One that asks what is known of a signal has its source made
    /// first; in a cycle the one that asks last is told nothing.
    void build(int n, std::vector<std::optional<Builder>>& builders, Problems* problems) {
        const auto index = static_cast<std::size_t>(n);
        if (builders[index]) return;
        const auto& item = graph_->nodes()[index];
        auto& builder = builders[index].emplace(item.declaration(), item.portSizes, item.wired, dt_);
        builder.setSources([this, n, &builders, problems](int port) -> const Coordinates* {
            const auto* wire = onlyWire(n, port);
            if (!wire) return nullptr;
            build(wire->fromNode, builders, problems);
            const auto& described = builders[static_cast<std::size_t>(wire->fromNode)]->described();
            const auto found = described.find(wire->fromPort);
            return found == described.end() ? nullptr : &found->second;
        });
        try {
            if (item.sound) nodes_[index].mechanism = item.entry->template maker<T>()(item.params, builder);
        } catch (const Error& error) {
            const Error placed("nodes." + item.name, error.what());
            if (!problems) throw placed;
            problems->add(placed);
        }
    }

    /// The wire to a port, if there is just one.
    const GraphWire* onlyWire(int node, int port) const {
        const GraphWire* found = nullptr;
        for (const auto& wire : graph_->wires())
            if (wire.toNode == node && wire.toPort == port) {
                if (found) return nullptr;
                found = &wire;
            }
        return found;
    }

    void layOut(int n, const Builder& builder, Problems* problems) {
        const auto& item = graph_->nodes()[static_cast<std::size_t>(n)];
        auto& node = nodes_[static_cast<std::size_t>(n)];
        if (item.kind() == Kind::rule) ruleParts_ = builder.ruleParts();
        node.states = builder.states();
        node.links = builder.links();
        node.locals = builder.locals();
        node.packed = builder.packedWeights();
        node.shownState.assign(item.portSizes.size(), -1);
        for (auto [port, state] : builder.shownStates()) node.shownState[static_cast<std::size_t>(port)] = state;
        node.remembers.assign(item.portSizes.size(), false);
        for (int port : builder.rememberedOutputs()) node.remembers[static_cast<std::size_t>(port)] = true;
        node.entity = addressOf(item.name);
        for (const auto& weight : builder.weights()) {
            ParameterInfo info;
            info.name = item.name + "." + weight.name;
            info.node = n;
            info.weight = static_cast<int>(node.parameters.size());
            info.rows = weight.rows;
            info.cols = weight.cols;
            info.offset = size_;
            if (weight.constraint) info.constraint = std::make_shared<const Constraint>(weight.constraint);
            try {
                if (weight.form) resolve(info, weight.form);
            } catch (const Error& error) {
                if (!problems) throw;
                problems->add(error);
            }
            size_ += (info.size() + 15) / 16 * 16;
            node.parameters.push_back(static_cast<int>(parameters_.size()));
            parameters_.push_back(info);
            inits_.push_back(weight.init);
        }
    }

    void resolve(ParameterInfo& info, std::shared_ptr<const UpdateForm> form) {
        if (form->rowPort >= 0) info.rowFactors = factorsOf(info.node, form->rowPort, info.rows, info.name);
        if (form->columnPort >= 0) info.columnFactors = factorsOf(info.node, form->columnPort, info.cols, info.name);
        if (!form->matrix.empty() &&
            (info.rows % form->blocks != 0 ||
             form->matrix.size() != static_cast<std::size_t>(form->blocks) * static_cast<std::size_t>(form->blocks)))
            throw Error(info.name, "its mechanism gives it a preconditioner that does not fit its rows");
        if (form->circlePort >= 0)
            if (const auto* wire = onlyWire(info.node, form->circlePort)) {
                const std::pair source{wire->fromNode, wire->fromPort};
                const auto found = std::find(circles_.begin(), circles_.end(), source);
                info.circle = static_cast<int>(found - circles_.begin());
                if (found == circles_.end()) circles_.push_back(source);
            }
        info.form = std::move(form);
    }

    /// Where the factors that a port shows begin; -1 if nothing is wired to it.
    int factorsOf(int node, int port, int count, const std::string& tensor) {
        const auto& item = graph_->nodes()[static_cast<std::size_t>(node)];
        const auto p = static_cast<std::size_t>(port);
        if (!item.wired[p]) return -1;
        const int size = item.portSizes[p];
        if (size != count)
            throw Error("nodes." + item.name, "port \"" + item.declaration().ports[p].name +
                                                  "\" scales the changes of " + tensor + " and must have " +
                                                  std::to_string(count) + " units, got " + std::to_string(size));
        for (const auto& signal : factorSignals_)
            if (signal.node == node && signal.port == port) return signal.first;
        factorSignals_.push_back({node, port, size, static_cast<int>(factorCount())});
        return factorSignals_.back().first;
    }

    /// What differs first, as a few words; empty if nothing does.
    static std::string differentPart(const RuleParts& a, const RuleParts& b) {
        std::string part;
        const auto compare = [&part](const auto& before, const auto& after, const char* kind, const char* kinds) {
            if (!part.empty() || before == after) return;
            part = before.size() == after.size() ? std::string(kind) : std::string("number of ") + kinds;
            for (std::size_t i = 0; i < before.size() && before.size() == after.size(); ++i)
                if (!(before[i] == after[i])) {
                    part += " \"" + before[i].name + "\"";
                    return;
                }
        };
        compare(a.groups, b.groups, "group", "groups");
        compare(a.stores, b.stores, "trial store", "trial stores");
        compare(a.fields, b.fields, "field", "fields");
        compare(a.memories, b.memories, "memory", "memories");
        compare(a.copies, b.copies, "copy", "copies");
        return part;
    }

    const Graph* graph_;
    double dt_;
    std::vector<Node> nodes_;
    std::vector<ParameterInfo> parameters_;
    std::vector<Init> inits_;
    std::vector<FactorSignal> factorSignals_;
    std::vector<std::pair<int, int>> circles_; ///< node and port whose coordinates the axes belong to
    RuleParts ruleParts_;
    std::size_t size_ = 0;
};

} // namespace raphe
