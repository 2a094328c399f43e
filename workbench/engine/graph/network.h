// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/graph/graph.h"
#include "engine/graph/parameters.h"

#include <cmath>
#include <memory>
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
        std::vector<int> parameters; ///< index of each weight in parameters()
        int locals = 0;
        std::vector<int> packed;     ///< weights of which packed layouts are wanted
        std::vector<int> shownState; ///< by port: the state that an output shows, or -1
        std::vector<bool> remembers; ///< by port: the acting pass keeps this output for the learning pass
        std::uint64_t entity = 0;
    };

    /// @param problems  takes what mechanisms refuse, of nodes that are sound; then the network cannot be used. Null:
    /// it is thrown
    Network(const Graph& graph, double dt, Problems* problems = nullptr) : graph_(&graph), dt_(dt) {
        for (const auto& item : graph.nodes()) {
            Builder builder(item.declaration(), item.portSizes, item.wired, dt);
            Node node;
            try {
                if (item.sound) node.mechanism = item.entry->template maker<T>()(item.params, builder);
            } catch (const Error& error) {
                const Error placed("nodes." + item.name, error.what());
                if (!problems) throw placed;
                problems->add(placed);
            }
            if (item.kind() == Kind::rule) ruleParts_ = builder.ruleParts();
            node.states = builder.states();
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
                info.node = static_cast<int>(nodes_.size());
                info.weight = static_cast<int>(node.parameters.size());
                info.rows = weight.rows;
                info.cols = weight.cols;
                info.offset = size_;
                size_ += (info.size() + 15) / 16 * 16;
                node.parameters.push_back(static_cast<int>(parameters_.size()));
                parameters_.push_back(info);
                inits_.push_back(weight.init);
            }
            nodes_.push_back(std::move(node));
        }
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
        nodes_[index].mechanism = std::move(rule);
    }

    /// Draws initial weights; each tensor has its own random stream, so none depends on what else there is. Drawn in
    /// double, row by row, so that float32 and float64 sessions start alike.
    void initialise(AlignedArray<T>& weights, std::uint64_t seed) const {
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            const auto& info = parameters_[i];
            Stream stream(seed, addressOf(info.name, addressOf("weights")), 0, 0, 0);
            for (int r = 0; r < info.rows; ++r)
                for (int c = 0; c < info.cols; ++c) {
                    double value = inits_[i].a;
                    if (inits_[i].shape == Init::Shape::uniform) value = stream.uniform(inits_[i].a, inits_[i].b);
                    if (inits_[i].shape == Init::Shape::normal) value = inits_[i].a + inits_[i].b * stream.normal();
                    if (inits_[i].shape == Init::Shape::truncatedNormal) {
                        double deviate = stream.normal();
                        while (std::abs(deviate) > 2) deviate = stream.normal();
                        value = inits_[i].a + inits_[i].b * deviate;
                    }
                    weights[info.offset + static_cast<std::size_t>(c) * static_cast<std::size_t>(info.rows) +
                            static_cast<std::size_t>(r)] = static_cast<T>(value);
                }
        }
    }

private:
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
    RuleParts ruleParts_;
    std::size_t size_ = 0;
};

} // namespace raphe
