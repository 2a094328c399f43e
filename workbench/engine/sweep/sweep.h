// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/graph/network.h"
#include "engine/base/tensor.h"

#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace raphe {

/// An intervention with its names resolved.
struct ResolvedIntervention {
    int node = -1, port = -1;
    int parameter = -1; ///< index in Network::parameters(), or -1 if a port is meant
    int component = -1; ///< unit, or column-major entry of the tensor; -1: all
    Operation operation = Operation::clamp;
    double value = 0;
    int from = 0, to = std::numeric_limits<int>::max();
};

/// What decides how a chunk of trials is swept; the same for all chunks.
template <class T>
struct SweepPlan {
    const Network<T>* network = nullptr;
    int steps = 0;
    int trials =
        0; ///< columns of a step; a chunk at the end of a batch is filled up with further trials that do not count
    double dt = 1;
    std::uint64_t seed = 0;
    std::size_t memoryBytes = 0;
    std::vector<ResolvedIntervention> interventions;
};

/// Which trials a sweep is about.
struct TrialRange {
    std::uint32_t iteration = 0;
    std::uint32_t first = 0;
    int counted = 0; ///< trials that count, <= SweepPlan::trials
    int batch = 0;   ///< trials of the whole batch
};

/// Signals given from outside instead of being computed: (steps x trials) columns, step-major.
template <class T>
struct GivenSignal {
    int node, port;
    std::vector<T> values;
};

template <class T>
struct GivenState {
    int node, state;
    std::vector<T> values; ///< rows x columns of the state (dense) for each trial
};

/// The place where a number first was not finite.
struct NonFinite {
    int node = -1, port = -1, step = 0, trial = 0;
};

/// Sweeps one chunk of trials through all their steps, forwards and backwards. It owns everything that changes
/// meanwhile: tape, states, checkpoints. One thread uses it at a time; after the first iteration its step loops ask
/// nothing of the heap.
///
/// A closed loop is swept twice: an acting pass, step by step and unrecorded, in which the task answers actions; then a
/// learning pass over segments of steps, from the last to the first, in which what the task said and what was drawn is
/// known, so that whatever does not recur is computed for all steps of a segment at once. Outputs that a model asked to
/// be remembered are taken over from the acting pass. In an open loop the learning
/// pass is enough if all steps fit into the memory budget; otherwise a first pass leaves checkpoints.
template <class T>
class Sweep final : private StepHost<T> {
public:
    explicit Sweep(const SweepPlan<T>& plan) : plan_(plan), network_(*plan.network), graph_(plan.network->graph()) {
        const auto nodeCount = graph_.nodes().size();
        frames_.resize(nodeCount);
        states_.resize(nodeCount);
        stateAdjoints_.resize(nodeCount);
        leaves_.resize(nodeCount);
        spanInputs_.resize(nodeCount);
        known_.resize(nodeCount);
        stageOf_.assign(nodeCount, -1);
        sources_.resize(nodeCount);
        packedMemory_.resize(nodeCount);
        taskKnown_.resize(nodeCount);
        replayKnown_.resize(nodeCount);
        for (std::size_t n = 0; n < nodeCount; ++n) {
            const auto& item = graph_.nodes()[n];
            const auto& node = network_.nodes()[n];
            const auto ports = item.declaration().ports.size();
            auto& frame = frames_[n];
            frame.inputs.resize(ports);
            frame.outputs.resize(ports);
            frame.intervened.assign(ports, false);
            frame.given.assign(ports, false);
            frame.remembered.assign(ports, false);
            frame.wired = item.wired;
            frame.weights.resize(node.parameters.size());
            frame.states.resize(node.states.size());
            frame.next.resize(node.states.size());
            frame.locals.resize(static_cast<std::size_t>(node.locals));
            frame.packed.resize(node.packed.size());
            for (int weight : node.packed) {
                const auto& info = network_.parameters()[at(node.parameters[at(weight)])];
                packedMemory_[n].emplace_back(Packed<T>::size(info.rows, info.cols));
            }
            frame.entity = node.entity;
            spanInputs_[n].resize(ports);
            known_[n].resize(ports);
            sources_[n].resize(ports);
            taskKnown_[n].assign(ports, item.kind() == Kind::task);
            replayKnown_[n] = taskKnown_[n];
            for (const auto& state : node.states) {
                states_[n].emplace_back(state.size() * static_cast<std::size_t>(plan_.trials));
                stateAdjoints_[n].emplace_back(state.size() * static_cast<std::size_t>(plan_.trials));
                checkpointSize_ += states_[n].back().size();
            }
            leaves_[n].resize(node.states.size());
            for (std::size_t p = 0; p < ports; ++p)
                if (item.declaration().ports[p].sampled) replayKnown_[n][p] = true;
        }
        for (std::size_t w = 0; w < graph_.wires().size(); ++w) {
            const auto& wire = graph_.wires()[w];
            sources_[at(wire.toNode)][at(wire.toPort)].push_back(static_cast<int>(w));
            const auto size = wire.delayed ? static_cast<std::size_t>(wire.size) * at(plan_.trials) : 0;
            delays_.emplace_back(size);
            delayAdjoints_.emplace_back(size);
            delayLeaves_.emplace_back();
            checkpointSize_ += size;
        }
        for (const auto& i : plan_.interventions)
            if (i.port >= 0) frames_[at(i.node)].intervened[at(i.port)] = true;
        planSegments();
        checkpoints_.resize(segments_.size());
        for (auto& checkpoint : checkpoints_) checkpoint = AlignedArray<T>(checkpointSize_);
        std::vector<bool> everyone(nodeCount, true), learners(nodeCount, false);
        if (graph_.rule() >= 0) learners[at(graph_.rule())] = true;
        actingStages_ = graph_.stages(taskKnown_, everyone);
        learningStages_ = graph_.stages(replayKnown_, learners);
        if (graph_.rule() >= 0) {
            const auto& rule = graph_.nodes()[at(graph_.rule())];
            ruleInputs_.resize(rule.portSizes.size());
            ruleAdjoints_.resize(rule.portSizes.size());
            for (std::size_t p = 0; p < rule.portSizes.size(); ++p)
                if (rule.wired[p]) {
                    ruleInputs_[p] = AlignedArray<T>(columns() * at(rule.portSizes[p]));
                    ruleAdjoints_[p] = AlignedArray<T>(columns() * at(rule.portSizes[p]));
                }
            objective_.inputs.resize(rule.portSizes.size());
            objective_.batch.resize(rule.portSizes.size());
        }
        linked_ = graph_.rule() < 0 || network_.rule().credit() == Credit::exact;
        objective_.scratch = &scratch_;
        objective_.metrics.reserve(64);
        if (graph_.task() >= 0)
            for (int b = 0; b < plan_.trials; ++b) trialStates_.push_back(network_.task().makeTrial());
    }
    Sweep(const Sweep&) = delete;
    Sweep& operator=(const Sweep&) = delete;

    /// Signals to keep in full during the next forward pass; buffers are (units x steps * trials).
    void capture(const std::vector<std::pair<int, int>>& ports) {
        captures_.clear();
        for (auto [node, port] : ports)
            captures_.push_back(
                {node, port, std::vector<T>(columns() * at(graph_.nodes()[at(node)].portSizes[at(port)]))});
    }
    const std::vector<T>& captured(std::size_t index) const { return captures_[index].values; }

    /// Replaces signals (and with them whatever would have computed them). The task is not run.
    void give(std::vector<GivenSignal<T>> signals, std::vector<GivenState<T>> initialStates, bool wantRuleOnly) {
        givenStates_ = std::move(initialStates);
        given_ = true;
        auto known = taskKnown_;
        for (auto& signal : signals) {
            auto& store = knownSequence(signal.node, signal.port);
            std::copy(signal.values.begin(), signal.values.end(), store.data());
            known[at(signal.node)][at(signal.port)] = true;
        }
        std::vector<bool> wanted(graph_.nodes().size(), !wantRuleOnly);
        if (graph_.rule() >= 0) wanted[at(graph_.rule())] = true;
        replayKnown_ = known;
        actingStages_ = graph_.stages(known, wanted);
        learningStages_ = actingStages_;
    }

    /// Runs the trials forwards without recording: leaves the rule's signals and the captures.
    void act(const TrialRange& range, const T* weights) {
        start(range, weights);
        forward(/*recordLast=*/false);
    }

    /// Forward pass, objective, and backward pass. @param gradient  is added to (same layout as the weights)
    void learn(const TrialRange& range, const T* weights, T* gradient, const std::vector<const T*>* batch = nullptr,
               std::vector<T>* frozen = nullptr) {
        start(range, weights);
        gradient_ = gradient;
        const bool direct = !loop() && segments_.size() == 1;
        forward(direct);
        evaluateObjective(range, batch, frozen, false);
        backward(direct);
        gradient_ = nullptr;
    }

    /// Loss of the signals that the last forward pass left, without gradients.
    void evaluateObjective(const TrialRange& range, const std::vector<const T*>* batch, std::vector<T>* frozen,
                           bool replay) {
        objective_.steps = plan_.steps;
        objective_.trials = range.counted;
        objective_.stride = plan_.trials;
        objective_.firstTrial = static_cast<int>(range.first);
        objective_.batchTrials = range.batch;
        objective_.loss = objective_.lossWeight = 0;
        objective_.metrics.clear();
        objective_.frozen = frozen;
        objective_.replay = replay;
        objective_.position = 0;
        scratch_.clear();
        const auto& rule = graph_.nodes()[at(graph_.rule())];
        for (std::size_t p = 0; p < ruleInputs_.size(); ++p) {
            objective_.inputs[p] = {};
            objective_.batch[p] = {};
            if (ruleInputs_[p].size() == 0) continue;
            ruleAdjoints_[p].clear();
            objective_.inputs[p] = {&scratch_, ruleInputs_[p].data(), ruleAdjoints_[p].data(), rule.portSizes[p],
                                    static_cast<int>(columns())};
            if (batch)
                objective_.batch[p] = {&scratch_, const_cast<T*>((*batch)[p]), nullptr, rule.portSizes[p],
                                       plan_.steps * range.batch};
        }
        network_.rule().objective(objective_);
    }
    const Objective<T>& objective() const { return objective_; }
    const AlignedArray<T>& ruleInput(std::size_t port) const { return ruleInputs_[port]; }

    /// Gradient of sum(outputWeights .* signals) + sum(stateWeights .* final states), after give().
    struct Terminal {
        std::vector<GivenSignal<T>> outputs;
        std::vector<GivenState<T>> states;
    };
    struct Gradients {
        std::vector<GivenSignal<T>> given;  ///< with respect to signals that were given
        std::vector<GivenState<T>> initial; ///< with respect to all initial states
    };
    Gradients differentiate(const TrialRange& range, const T* weights, T* gradient, const Terminal& terminal,
                            const std::vector<std::pair<int, int>>& givenPorts) {
        start(range, weights);
        gradient_ = gradient;
        terminal_ = &terminal;
        Gradients result;
        for (auto [node, port] : givenPorts) {
            auto& store = knownAdjoint(node, port);
            store.clear();
        }
        wantKnownAdjoints_ = !givenPorts.empty();
        settle_ = true;
        forward(segments_.size() == 1);
        backward(segments_.size() == 1);
        settle_ = false;
        wantKnownAdjoints_ = false;
        terminal_ = nullptr;
        gradient_ = nullptr;
        for (auto [node, port] : givenPorts) {
            auto& store = knownAdjoint(node, port);
            result.given.push_back({node, port, std::vector<T>(store.data(), store.data() + store.size())});
        }
        for (std::size_t w = 0; w < delays_.size(); ++w)
            if (const int shown = shownState(graph_.wires()[w]); shown >= 0)
                addTo(stateAdjoints_[at(graph_.wires()[w].fromNode)][at(shown)].data(), delayAdjoints_[w]);
        for (std::size_t n = 0; n < frames_.size(); ++n)
            for (std::size_t k = 0; k < states_[n].size(); ++k)
                result.initial.push_back(
                    denseState(static_cast<int>(n), static_cast<int>(k), stateAdjoints_[n][k].data()));
        return result;
    }
    /// Runs forwards and brings all states up to date. The states can be read afterwards.
    void actAndSettle(const TrialRange& range, const T* weights) {
        settle_ = true;
        act(range, weights);
        settle_ = false;
    }
    /// What the task said and what was drawn during the last acting pass.
    std::vector<GivenSignal<T>> knownSignals() {
        std::vector<GivenSignal<T>> result;
        for (std::size_t n = 0; n < frames_.size(); ++n)
            for (std::size_t p = 0; p < replayKnown_[n].size(); ++p) {
                const auto& info = graph_.nodes()[n].declaration().ports[p];
                const bool drawn = loop() && info.sampled;
                if (info.kind != PortKind::output || graph_.nodes()[n].portSizes[p] <= 0 ||
                    !(taskKnown_[n][p] || drawn))
                    continue;
                auto& store = knownSequence(static_cast<int>(n), static_cast<int>(p));
                result.push_back({static_cast<int>(n), static_cast<int>(p),
                                  std::vector<T>(store.data(), store.data() + store.size())});
            }
        return result;
    }
    GivenState<T> finalState(int node, int state) const {
        return denseState(node, state, states_[at(node)][at(state)].data());
    }

    /// Runs forwards and says which signal first held a number that is not finite.
    std::optional<NonFinite> findNonFinite(const TrialRange& range, const T* weights) {
        firstBad_.reset();
        checkFinite_ = true;
        act(range, weights);
        checkFinite_ = false;
        return firstBad_;
    }

    int segmentCount() const { return static_cast<int>(segments_.size()); }
    std::size_t tapeBytes() { return tape_.arena().capacity(); }
    int trials() const { return plan_.trials; }

private:
    struct Segment {
        int start, count;
    };
    struct Capture {
        int node, port;
        std::vector<T> values;
    };

    static std::size_t at(int i) { return static_cast<std::size_t>(i); }
    std::size_t columns() const { return at(plan_.steps) * at(plan_.trials); }
    bool loop() const { return graph_.closedLoop() && !given_; }

    /// Segments as long as the memory budget allows, but no shorter than sqrt(steps): then checkpoints and recorded
    /// steps together take least.
    void planSegments() {
        std::size_t perStep = 0;
        for (std::size_t n = 0; n < frames_.size(); ++n) {
            for (const auto& state : network_.nodes()[n].states)
                if (state.inPlace) perStep += state.size() * sizeof(T);
            for (std::size_t p = 0; p < frames_[n].outputs.size(); ++p)
                if (graph_.nodes()[n].declaration().ports[p].kind == PortKind::output)
                    perStep += 6 * at(graph_.nodes()[n].portSizes[p]) * sizeof(T);
        }
        perStep *= at(plan_.trials);
        int length = plan_.steps;
        if (perStep * at(plan_.steps) > plan_.memoryBytes) {
            const int root = static_cast<int>(std::ceil(std::sqrt(double(plan_.steps))));
            length =
                std::clamp(static_cast<int>(plan_.memoryBytes / std::max<std::size_t>(perStep, 1)), root, plan_.steps);
            const int count = (plan_.steps + length - 1) / length;
            length = (plan_.steps + count - 1) / count;
        }
        std::vector<int> edges{0, plan_.steps};
        for (int t = length; t < plan_.steps; t += length) edges.push_back(t);
        for (const auto& i : plan_.interventions) // a parameter is constant within a segment
            if (i.parameter >= 0)
                for (int edge : {i.from, i.to})
                    if (edge > 0 && edge < plan_.steps) edges.push_back(edge);
        std::sort(edges.begin(), edges.end());
        edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
        for (std::size_t i = 0; i + 1 < edges.size(); ++i) segments_.push_back({edges[i], edges[i + 1] - edges[i]});
    }

    AlignedArray<T>& knownSequence(int node, int port) {
        auto& store = known_[at(node)][at(port)].values;
        if (store.size() == 0) store = AlignedArray<T>(columns() * at(graph_.nodes()[at(node)].portSizes[at(port)]));
        return store;
    }
    AlignedArray<T>& knownAdjoint(int node, int port) {
        auto& store = known_[at(node)][at(port)].adjoint;
        if (store.size() == 0) store = AlignedArray<T>(columns() * at(graph_.nodes()[at(node)].portSizes[at(port)]));
        return store;
    }
    Value<T> knownColumns(int node, int port, int firstStep, int count) {
        const int rows = graph_.nodes()[at(node)].portSizes[at(port)];
        auto& store = knownSequence(node, port);
        const auto offset = at(rows) * at(firstStep) * at(plan_.trials);
        auto& adjoint = known_[at(node)][at(port)].adjoint;
        T* gradient =
            wantKnownAdjoints_ && tape_.recording() && adjoint.size() != 0 ? adjoint.data() + offset : nullptr;
        return {&tape_, store.data() + offset, gradient, rows, count * plan_.trials};
    }

    /// The state that a delayed wire shows before the first step, or -1.
    int shownState(const GraphWire& wire) const {
        return wire.delayed ? network_.nodes()[at(wire.fromNode)].shownState[at(wire.fromPort)] : -1;
    }

    void start(const TrialRange& range, const T* weights) {
        range_ = range;
        weights_ = weights;
        for (std::size_t n = 0; n < frames_.size(); ++n)
            for (std::size_t k = 0; k < states_[n].size(); ++k)
                std::fill_n(states_[n][k].data(), states_[n][k].size(),
                            static_cast<T>(network_.nodes()[n].states[k].initial));
        for (const auto& state : givenStates_) {
            const auto& info = network_.nodes()[at(state.node)].states[at(state.state)];
            T* to = states_[at(state.node)][at(state.state)].data();
            const auto dense = at(info.rows) * at(info.columns);
            for (int b = 0; b < plan_.trials; ++b)
                for (int c = 0; c < info.columns; ++c)
                    std::copy_n(state.values.data() + at(b) * dense + at(c) * at(info.rows), info.rows,
                                to + at(b) * info.size() + at(c) * at(info.stride));
        }
        for (std::size_t w = 0; w < delays_.size(); ++w) {
            const auto& wire = graph_.wires()[w];
            const double neutral = graph_.nodes()[at(wire.toNode)].declaration().ports[at(wire.toPort)].neutral;
            std::fill_n(delays_[w].data(), delays_[w].size(), static_cast<T>(neutral));
            if (const int shown = shownState(wire); shown >= 0)
                std::copy_n(states_[at(wire.fromNode)][at(shown)].data(), delays_[w].size(), delays_[w].data());
        }
        if (graph_.task() < 0 || given_) return;
        for (int b = 0; b < plan_.trials; ++b) {
            const auto trial = range.first + static_cast<std::uint32_t>(b);
            Stream stream(plan_.seed, network_.nodes()[at(graph_.task())].entity, range.iteration, trial, 0);
            network_.task().begin(*trialStates_[at(b)], trial, stream);
        }
    }

    /// Lets the task write (observe) or answer (act) one step of all trials.
    void runTask(int step, bool answering) {
        const int task = graph_.task();
        const auto& item = graph_.nodes()[at(task)];
        auto& pointers = taskPointers_;
        pointers.resize(item.portSizes.size());
        for (int b = 0; b < plan_.trials; ++b) {
            for (std::size_t p = 0; p < item.portSizes.size(); ++p) {
                const int port = static_cast<int>(p);
                pointers[p] = nullptr;
                if (item.portSizes[p] == noPort) continue;
                if (item.declaration().ports[p].kind == PortKind::output) {
                    pointers[p] = knownSequence(task, port).data() +
                                  at(item.portSizes[p]) * (at(step) * at(plan_.trials) + at(b));
                    if (!answering) std::fill_n(pointers[p], item.portSizes[p], T(0));
                } else if (answering && item.wired[p]) {
                    pointers[p] = taskInputs_[p].column(b);
                }
            }
            // begin() has the address of step 0, so that those of the steps start at 1.
            TaskStep<T> s(step, pointers.data(),
                          Stream(plan_.seed, network_.nodes()[at(task)].entity, range_.iteration,
                                 range_.first + static_cast<std::uint32_t>(b), static_cast<std::uint32_t>(step) + 1));
            if (answering)
                network_.task().act(*trialStates_[at(b)], s);
            else
                network_.task().observe(*trialStates_[at(b)], s);
        }
    }

    void forward(bool recordLast) {
        const bool task = graph_.task() >= 0 && !given_;
        if (task && !loop())
            for (int t = 0; t < plan_.steps; ++t) runTask(t, false);
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            saveCheckpoint(i);
            const auto [first, count] = segments_[i];
            packDue_ = true;
            if (!loop()) {
                runSpan(first, count, recordLast && i + 1 == segments_.size(), actingStages_, taskKnown_);
                continue;
            }
            for (int t = first; t < first + count; ++t) {
                runTask(t, false);
                runSpan(t, 1, false, actingStages_, taskKnown_);
            }
        }
    }

    void backward(bool recordedAlready) {
        for (std::size_t n = 0; n < frames_.size(); ++n)
            for (auto& adjoint : stateAdjoints_[n]) adjoint.clear();
        for (auto& adjoint : delayAdjoints_) adjoint.clear();
        for (std::size_t i = segments_.size(); i-- > 0;) {
            if (!recordedAlready) {
                loadCheckpoint(i);
                packDue_ = true;
                runSpan(segments_[i].start, segments_[i].count, true, loop() ? learningStages_ : actingStages_,
                        loop() ? replayKnown_ : taskKnown_);
            }
            seedAdjoints(segments_[i].start, segments_[i].count, i + 1 == segments_.size());
            tape_.backward();
            collectAdjoints();
        }
    }

    // -- one span ---------------------------------------------------------------------------------------------------

    void runSpan(int first, int count, bool record, const std::vector<Stage>& stages,
                 const std::vector<std::vector<bool>>& knownMask) {
        const auto& known = given_ ? replayKnown_ : knownMask;
        tape_.clear();
        tape_.setRecording(record);
        window_ = {first, count, 0, count, plan_.trials, plan_.dt, plan_.seed, range_.iteration, range_.first};
        for (std::size_t n = 0; n < frames_.size(); ++n) {
            stageOf_[n] = -1;
            std::fill(frames_[n].outputs.begin(), frames_[n].outputs.end(), Value<T>{});
            for (std::size_t p = 0; p < known[n].size(); ++p)
                if (known[n][p] && graph_.nodes()[n].declaration().ports[p].kind == PortKind::output &&
                    graph_.nodes()[n].portSizes[p] > 0)
                    frames_[n].outputs[p] = knownColumns(static_cast<int>(n), static_cast<int>(p), first, count);
        }
        for (std::size_t w = 0; w < delays_.size(); ++w)
            if (delays_[w].size() != 0) {
                const int rows = graph_.wires()[w].size;
                delayLeaves_[w] = {&tape_, delays_[w].data(), record ? tape_.zeros(delays_[w].size()) : nullptr, rows,
                                   plan_.trials};
            }
        for (std::size_t s = 0; s < stages.size(); ++s)
            for (int n : stages[s].nodes) {
                stageOf_[at(n)] = static_cast<int>(s);
                prepareNode(n, known[at(n)], record);
            }
        packDue_ = false;
        for (const auto& stage : stages) runStage(stage, known);
        if (settle_ && first + count == plan_.steps) {
            window_.offset = count;
            window_.count = 1;
            for (const auto& stage : stages)
                for (int n : stage.nodes) {
                    Step<T> s(tape_, frames_[at(n)], *this, window_);
                    network_.model(n).settle(s);
                    swapStates(n);
                }
        }
        if (loop() && !record) {
            const auto& item = graph_.nodes()[at(graph_.task())];
            taskInputs_.resize(item.portSizes.size());
            for (std::size_t p = 0; p < item.portSizes.size(); ++p)
                taskInputs_[p] = item.wired[p] ? gather(graph_.task(), static_cast<int>(p), 0, 1) : Value<T>{};
            runTask(first, true);
            for (std::size_t n = 0; n < frames_.size(); ++n) // what was drawn is replayed while learning
                for (std::size_t p = 0; p < replayKnown_[n].size(); ++p)
                    if (replayKnown_[n][p] && !taskKnown_[n][p])
                        copyInto(knownColumns(static_cast<int>(n), static_cast<int>(p), first, 1),
                                 frames_[n].outputs[p]);
        }
        if (!record || !loop()) keepSignals(first, count);
        if (checkFinite_) checkSignals(first, count, stages);
        if (!record) storeStates(stages);
    }

    void prepareNode(int n, const std::vector<bool>& known, bool record) {
        auto& frame = frames_[at(n)];
        const auto& item = graph_.nodes()[at(n)];
        const auto& node = network_.nodes()[at(n)];
        for (std::size_t p = 0; p < frame.outputs.size(); ++p) {
            frame.remembered[p] = false;
            if (item.declaration().ports[p].kind != PortKind::output || item.portSizes[p] <= 0 || known[p]) continue;
            auto& output = frame.outputs[p];
            if (!loop() || !node.remembers[p] || frame.intervened[p]) {
                output = tape_.make(item.portSizes[p], window_.spanSteps * plan_.trials);
                continue;
            }
            output = knownColumns(n, static_cast<int>(p), window_.spanStart, window_.spanSteps);
            if (record) output.adjoint = tape_.zeros(output.size());
            frame.remembered[p] = record;
        }
        for (std::size_t p = 0; p < known.size(); ++p) frame.given[p] = known[p];
        for (std::size_t k = 0; k < frame.weights.size(); ++k)
            frame.weights[k] = weightValue(node.parameters[k], record);
        if (packDue_) // weights are constant within a segment
            for (std::size_t k = 0; k < frame.packed.size(); ++k) {
                const auto& W = frame.weights[at(node.packed[k])];
                frame.packed[k] = Packed<T>(W.data, W.rows, W.cols, packedMemory_[at(n)][k].data());
            }
        for (std::size_t k = 0; k < frame.states.size(); ++k) {
            const auto& info = node.states[k];
            Value<T> leaf{&tape_, states_[at(n)][k].data(), nullptr, static_cast<int>(info.size()), plan_.trials};
            if (record && linked_)
                leaf.adjoint = info.inPlace ? stateAdjoints_[at(n)][k].data() : tape_.zeros(leaf.size());
            frame.states[k] = leaves_[at(n)][k] = leaf;
            frame.next[k] = {};
        }
        std::fill(frame.locals.begin(), frame.locals.end(), Value<T>{});
    }

    Value<T> weightValue(int parameter, bool record) {
        const auto& info = network_.parameters()[at(parameter)];
        T* gradient = record && gradient_ && info.trainable ? gradient_ + info.offset : nullptr;
        Value<T> weight{&tape_, const_cast<T*>(weights_) + info.offset, gradient, info.rows, info.cols};
        bool changed = false;
        for (const auto& i : plan_.interventions)
            changed = changed || (i.parameter == parameter && i.from <= window_.spanStart && window_.spanStart < i.to);
        if (!changed) return weight;
        Value<T> result = tape_.make(info.rows, info.cols), factor = tape_.constant(info.rows, info.cols, T(1));
        std::copy_n(weight.data, weight.size(), result.data);
        for (const auto& i : plan_.interventions) {
            if (i.parameter != parameter || window_.spanStart < i.from || window_.spanStart >= i.to) continue;
            for (std::size_t e = 0; e < weight.size(); ++e)
                if (i.component < 0 || at(i.component) == e) change(i, result.data[e], factor.data[e]);
        }
        tape_.reverse([=] {
            if (weight.adjoint) weight.gradientArray() += factor.array() * result.gradientArray();
        });
        return result;
    }

    static void change(const ResolvedIntervention& i, T& value, T& factor) {
        switch (i.operation) {
        case Operation::clamp:
            value = static_cast<T>(i.value);
            factor = T(0);
            break;
        case Operation::lesion:
            value = T(0);
            factor = T(0);
            break;
        case Operation::scale:
            value *= static_cast<T>(i.value);
            factor *= static_cast<T>(i.value);
            break;
        case Operation::perturb:
            value += static_cast<T>(i.value);
            break;
        }
    }

    void intervene(NodeFrame<T>& frame, int port, Value<T> computed, Value<T> emitted, int firstStep) override {
        const int node = static_cast<int>(&frame - frames_.data());
        Value<T> factor = tape_.constant(computed.rows, computed.cols, T(1));
        std::copy_n(computed.data, computed.size(), emitted.data);
        for (const auto& i : plan_.interventions) {
            if (i.node != node || i.port != port) continue;
            for (int c = 0; c < computed.cols; ++c) {
                const int step = firstStep + c / plan_.trials;
                if (step < i.from || step >= i.to) continue;
                for (int r = 0; r < computed.rows; ++r)
                    if (i.component < 0 || i.component == r) change(i, emitted.column(c)[r], factor.column(c)[r]);
            }
        }
        tape_.reverse([=] {
            if (computed.adjoint && emitted.adjoint)
                computed.gradientArray() += factor.array() * emitted.gradientArray();
        });
    }

    /// The signal at a port for steps offset ... offset + count - 1 of the span.
    Value<T> gather(int node, int port, int offset, int count) {
        Value<T> result;
        for (int w : sources_[at(node)][at(port)]) {
            const auto& wire = graph_.wires()[at(w)];
            const Value<T>& sequence = frames_[at(wire.fromNode)].outputs[at(wire.fromPort)];
            Value<T> part;
            const int b = plan_.trials;
            if (!wire.delayed)
                part = sequence.columns(offset * b, count * b);
            else if (offset > 0)
                part = sequence.columns((offset - 1) * b, count * b);
            else
                part = count == 1 ? delayLeaves_[at(w)]
                                  : joinColumns(delayLeaves_[at(w)], sequence.columns(0, (count - 1) * b));
            result = result ? stackRows(result, part) : part;
        }
        return result;
    }

    /// Whether a port's signal is there for the whole span before its stage begins.
    bool knownBefore(int node, int port, const std::vector<std::vector<bool>>& known) const {
        for (int w : sources_[at(node)][at(port)]) {
            const auto& wire = graph_.wires()[at(w)];
            if (!known[at(wire.fromNode)][at(wire.fromPort)] && stageOf_[at(wire.fromNode)] == stageOf_[at(node)] &&
                (window_.spanSteps > 1 || !wire.delayed))
                return false;
        }
        return !sources_[at(node)][at(port)].empty();
    }

    void runStage(const Stage& stage, const std::vector<std::vector<bool>>& known) {
        window_.offset = 0;
        window_.count = window_.spanSteps;
        for (int n : stage.nodes) {
            auto& frame = frames_[at(n)];
            for (std::size_t p = 0; p < frame.inputs.size(); ++p) {
                const int port = static_cast<int>(p);
                spanInputs_[at(n)][p] =
                    knownBefore(n, port, known) ? gather(n, port, 0, window_.spanSteps) : Value<T>{};
                frame.inputs[p] = spanInputs_[at(n)][p];
            }
            Step<T> s(tape_, frame, *this, window_);
            network_.model(n).begin(s);
        }
        const int lone = stage.nodes.front();
        if (!stage.cyclic && network_.nodes()[at(lone)].states.empty()) {
            Step<T> s(tape_, frames_[at(lone)], *this, window_);
            network_.model(lone).step(s);
            if (network_.nodes()[at(lone)].closes) network_.model(lone).close(s);
            return;
        }
        window_.count = 1;
        for (int t = 0; t < window_.spanSteps; ++t) {
            window_.offset = t;
            for (int n : stage.nodes) {
                takeInputs(n, t, Read::start);
                Step<T> s(tape_, frames_[at(n)], *this, window_);
                network_.model(n).step(s);
                swapStates(n);
            }
            for (int n : stage.nodes) {
                if (!network_.nodes()[at(n)].closes) continue;
                takeInputs(n, t, Read::end);
                Step<T> s(tape_, frames_[at(n)], *this, window_);
                network_.model(n).close(s);
                swapStates(n);
            }
        }
    }

    void takeInputs(int n, int t, Read when) {
        auto& frame = frames_[at(n)];
        const auto& ports = graph_.nodes()[at(n)].declaration().ports;
        for (std::size_t p = 0; p < frame.inputs.size(); ++p) {
            if (ports[p].kind == PortKind::output || !frame.wired[p] || ports[p].read != when) continue;
            const Value<T>& whole = spanInputs_[at(n)][p];
            frame.inputs[p] =
                whole ? whole.columns(t * plan_.trials, plan_.trials) : gather(n, static_cast<int>(p), t, 1);
        }
    }

    void swapStates(int n) {
        auto& frame = frames_[at(n)];
        for (std::size_t k = 0; k < frame.states.size(); ++k)
            if (frame.next[k]) {
                RAPHE_ASSERT(frame.next[k].rows == frame.states[k].rows && frame.next[k].cols == frame.states[k].cols);
                frame.states[k] = linked_ ? frame.next[k] : frame.next[k].constant();
                frame.next[k] = {};
            }
    }

    void storeStates(const std::vector<Stage>& stages) {
        for (const auto& stage : stages)
            for (int n : stage.nodes)
                for (std::size_t k = 0; k < states_[at(n)].size(); ++k) {
                    const auto& value = frames_[at(n)].states[k];
                    if (value.data != states_[at(n)][k].data())
                        std::copy_n(value.data, value.size(), states_[at(n)][k].data());
                }
        for (std::size_t w = 0; w < delays_.size(); ++w)
            if (delays_[w].size() != 0) {
                if (const auto last = lastColumns(w)) std::copy_n(last.data, last.size(), delays_[w].data());
            }
    }
    Value<T> lastColumns(std::size_t w) const {
        const auto& wire = graph_.wires()[w];
        const auto& sequence = frames_[at(wire.fromNode)].outputs[at(wire.fromPort)];
        return sequence ? sequence.columns(sequence.cols - plan_.trials, plan_.trials) : Value<T>{};
    }

    // -- checkpoints and adjoints -----------------------------------------------------------------------------------

    template <class F>
    void forEachCarried(F f) {
        for (auto& nodeStates : states_)
            for (auto& state : nodeStates) f(state);
        for (auto& delay : delays_) f(delay);
    }
    void saveCheckpoint(std::size_t segment) {
        if (segments_.size() == 1 && !loop()) return;
        T* to = checkpoints_[segment].data();
        forEachCarried([&](AlignedArray<T>& a) {
            std::copy_n(a.data(), a.size(), to);
            to += a.size();
        });
    }
    void loadCheckpoint(std::size_t segment) {
        const T* from = checkpoints_[segment].data();
        forEachCarried([&](AlignedArray<T>& a) {
            std::copy_n(from, a.size(), a.data());
            from += a.size();
        });
    }

    void seedAdjoints(int first, int count, bool last) {
        const int b = plan_.trials;
        const auto columnsFrom = at(first) * at(b);
        if (terminal_) {
            for (const auto& output : terminal_->outputs) {
                const auto& value = frames_[at(output.node)].outputs[at(output.port)];
                if (!value.adjoint) continue;
                const T* weight = output.values.data() + columnsFrom * at(value.rows);
                for (std::size_t i = 0; i < value.size(); ++i) value.adjoint[i] += weight[i];
            }
            if (last)
                for (const auto& state : terminal_->states)
                    addDense(state, frames_[at(state.node)].states[at(state.state)].adjoint);
        } else {
            const int rule = graph_.rule();
            for (std::size_t p = 0; p < ruleInputs_.size(); ++p) {
                if (ruleInputs_[p].size() == 0) continue;
                const auto value = gather(rule, static_cast<int>(p), 0, count);
                if (!value.adjoint) continue;
                const T* adjoint = ruleAdjoints_[p].data() + columnsFrom * at(value.rows);
                for (std::size_t i = 0; i < value.size(); ++i) value.adjoint[i] += adjoint[i];
            }
        }
        if (last) return;
        for (std::size_t n = 0; n < frames_.size(); ++n) {
            if (stageOf_[n] < 0) continue;
            for (std::size_t k = 0; k < states_[n].size(); ++k)
                if (!network_.nodes()[n].states[k].inPlace && frames_[n].states[k].adjoint)
                    addTo(frames_[n].states[k].adjoint, stateAdjoints_[n][k]);
        }
        for (std::size_t w = 0; w < delays_.size(); ++w)
            if (delays_[w].size() != 0)
                if (const auto value = lastColumns(w); value.adjoint) addTo(value.adjoint, delayAdjoints_[w]);
    }
    static void addTo(T* to, const AlignedArray<T>& from) {
        for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
    }
    void addDense(const GivenState<T>& state, T* to) const {
        if (!to) return;
        const auto& info = network_.nodes()[at(state.node)].states[at(state.state)];
        const auto dense = at(info.rows) * at(info.columns);
        for (int b = 0; b < plan_.trials; ++b)
            for (int c = 0; c < info.columns; ++c)
                for (int r = 0; r < info.rows; ++r)
                    to[at(b) * info.size() + at(c) * at(info.stride) + at(r)] +=
                        state.values[at(b) * dense + at(c) * at(info.rows) + at(r)];
    }
    void collectAdjoints() {
        for (std::size_t n = 0; n < frames_.size(); ++n) {
            if (stageOf_[n] < 0) continue;
            for (std::size_t k = 0; k < states_[n].size(); ++k)
                if (!network_.nodes()[n].states[k].inPlace && leaves_[n][k].adjoint)
                    std::copy_n(leaves_[n][k].adjoint, leaves_[n][k].size(), stateAdjoints_[n][k].data());
        }
        for (std::size_t w = 0; w < delays_.size(); ++w)
            if (delays_[w].size() != 0 && delayLeaves_[w].adjoint)
                std::copy_n(delayLeaves_[w].adjoint, delays_[w].size(), delayAdjoints_[w].data());
    }

    // -- what leaves the sweep --------------------------------------------------------------------------------------

    void keepSignals(int first, int count) {
        const auto offset = at(first) * at(plan_.trials);
        for (std::size_t p = 0; p < ruleInputs_.size(); ++p)
            if (ruleInputs_[p].size() != 0) {
                const auto value = gather(graph_.rule(), static_cast<int>(p), 0, count);
                std::copy_n(value.data, value.size(), ruleInputs_[p].data() + offset * at(value.rows));
            }
        for (auto& capture : captures_) {
            const auto& value = frames_[at(capture.node)].outputs[at(capture.port)];
            if (value) std::copy_n(value.data, value.size(), capture.values.data() + offset * at(value.rows));
        }
    }

    void checkSignals(int first, int count, const std::vector<Stage>& stages) {
        if (firstBad_) return;
        const auto check = [&](int n, int t) {
            const auto& frame = frames_[at(n)];
            for (std::size_t p = 0; p < frame.outputs.size(); ++p) {
                if (!frame.outputs[p] || graph_.nodes()[at(n)].declaration().ports[p].kind != PortKind::output)
                    continue;
                const auto step = frame.outputs[p].columns(t * plan_.trials, plan_.trials);
                for (int b = 0; b < plan_.trials; ++b)
                    for (int r = 0; r < step.rows; ++r)
                        if (!std::isfinite(static_cast<double>(step.column(b)[r]))) {
                            firstBad_ =
                                NonFinite{n, static_cast<int>(p), first + t, static_cast<int>(range_.first) + b};
                            return true;
                        }
            }
            return false;
        };
        for (int t = 0; t < count; ++t) {
            if (graph_.task() >= 0 && !given_ && check(graph_.task(), t)) return;
            for (const auto& stage : stages)
                for (int n : stage.nodes)
                    if (check(n, t)) return;
        }
    }

    GivenState<T> denseState(int n, int k, const T* from) const {
        const auto& info = network_.nodes()[at(n)].states[at(k)];
        GivenState<T> result{n, k, {}};
        for (int b = 0; b < plan_.trials; ++b)
            for (int c = 0; c < info.columns; ++c)
                result.values.insert(result.values.end(), from + at(b) * info.size() + at(c) * at(info.stride),
                                     from + at(b) * info.size() + at(c) * at(info.stride) + info.rows);
        return result;
    }

    struct Known {
        AlignedArray<T> values, adjoint;
    };

    SweepPlan<T> plan_;
    const Network<T>& network_;
    const Graph& graph_;
    std::vector<Segment> segments_;
    std::vector<Stage> actingStages_, learningStages_;
    std::vector<std::vector<bool>> taskKnown_, replayKnown_;
    std::vector<std::vector<std::vector<int>>> sources_; ///< wires by receiving node and port, in document order
    std::vector<int> stageOf_;

    Tape<T> tape_, scratch_;
    typename Step<T>::Window window_;
    std::vector<NodeFrame<T>> frames_;
    std::vector<std::vector<Value<T>>> leaves_, spanInputs_;
    std::vector<std::vector<AlignedArray<T>>> states_, stateAdjoints_;
    std::vector<std::vector<AlignedArray<T>>> packedMemory_;
    bool packDue_ = true;
    std::vector<AlignedArray<T>> delays_, delayAdjoints_;
    std::vector<Value<T>> delayLeaves_;
    std::vector<AlignedArray<T>> checkpoints_;
    std::size_t checkpointSize_ = 0;
    std::vector<std::vector<Known>> known_;
    std::vector<AlignedArray<T>> ruleInputs_, ruleAdjoints_;
    Objective<T> objective_;
    std::vector<Capture> captures_;
    std::vector<std::unique_ptr<TrialState>> trialStates_;
    std::vector<Value<T>> taskInputs_;
    std::vector<T*> taskPointers_;
    std::vector<GivenState<T>> givenStates_;

    TrialRange range_;
    const T* weights_ = nullptr;
    T* gradient_ = nullptr;
    const Terminal* terminal_ = nullptr;
    bool linked_ = true, given_ = false, settle_ = false, checkFinite_ = false, wantKnownAdjoints_ = false;
    std::optional<NonFinite> firstBad_;
};

} // namespace raphe
