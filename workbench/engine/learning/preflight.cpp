// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/preflight.h"

#include "engine/base/available.h"
#include "engine/learning/setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace raphe {

namespace {

constexpr double mebibyte = 1048576;

/// Parts of the memory, in the order in which they are told of.
enum Where {
    weights,
    averages,
    gradients,
    copies,
    carried,
    checkpoints,
    tape,
    known,
    ruleSignals,
    stored,
    streamed,
    recorded,
    snapshot,
    wheres
};

constexpr std::array<const char*, wheres> names{"weights",
                                                "averages of the optimiser",
                                                "gradients of the chunks",
                                                "copies of the weights",
                                                "states that trials carry",
                                                "states kept between segments of a trial",
                                                "recorded steps",
                                                "signals that are known before a step",
                                                "signals of the learning rule",
                                                "stored trials of the learning rule",
                                                "states of streams",
                                                "recorded signals",
                                                "a checkpoint on its way to the disk"};

bool ofTensors(Where where) { return where <= copies || where == snapshot; }

/// Sums up what LearningState, Conductor, StoredTrials and the Sweeps of a setup will hold.
template <class T>
class Estimator {
public:
    Estimator(const Setup<T>& setup, const SessionOptions& options)
        : setup_(setup), graph_(setup.graph), network_(setup.network), options_(options),
          rule_(graph_.rule() >= 0 ? &graph_.nodes()[at(graph_.rule())] : nullptr),
          plain_(rule_ && dynamic_cast<const GradientRule<T>*>(&network_.rule())) {
        for (const auto& info : setup.tensors) {
            numbers_ += rounded(double(info.rows) * info.cols);
            checkpointNumbers_ += double(info.rows) * info.cols;
        }
        for (std::size_t n = 0; n < graph_.nodes().size(); ++n)
            for (const auto& state : network_.nodes()[n].states) trialSize_ += stateSize(state);
        for (const auto& wire : graph_.wires())
            if (wire.delayed) trialSize_ += wire.size;
    }

    Estimate estimate() {
        addLearned();
        if (setup_.steps > 0) {
            addSweeps();
            addStores();
            addStreams();
            addRecordings();
        }
        result_.checkpoint = checkpointNumbers_ * sizeof(T);
        // The tensors as doubles, and one of them as bytes and as compressed bytes.
        if (options_.checkpoints) bytes_[snapshot] = checkpointNumbers_ * 8 + 2 * largestTensor() * sizeof(T);
        result_.threads = setup_.executor->threads();
        for (int i = 0; i < wheres; ++i)
            if (bytes_[i] > 0) result_.memory.push_back({names[i], bytes_[i], adviceFor(static_cast<Where>(i))});
        std::stable_sort(result_.memory.begin(), result_.memory.end(),
                         [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
        const auto largest = static_cast<Where>(std::max_element(bytes_.begin(), bytes_.end()) - bytes_.begin());
        nameLargest(largest);
        return std::move(result_);
    }

private:
    /// What decides how much a sweep holds; see SweepPlan.
    struct Shape {
        double steps;
        std::vector<Stage> stages;               ///< that are recorded, or only run if nothing is
        const std::vector<int>* ports = nullptr; ///< of the rule, in replays
        bool records = false, acts = false;      ///< makes gradients; goes step by step with the task
        bool follows = false;
        double marks = 0;
    };

    static double rounded(double numbers) { return std::ceil(numbers / 16) * 16; }
    static double stateSize(const StateInfo& state) { return double(state.stride) * state.columns; }
    double columns() const { return double(setup_.steps) * setup_.batch; }
    int chunks() const { return setup_.chunksOf(setup_.batch); }
    bool isOutput(std::size_t n, std::size_t p) const {
        const auto& node = graph_.nodes()[n];
        return node.declaration().ports[p].kind == PortKind::output && node.portSizes[p] > 0;
    }

    // -- what iterations change -------------------------------------------------------------------------------------

    void addLearned() {
        const double numbers = numbers_ * sizeof(T);
        const auto& parts = network_.ruleParts();
        const bool second = rule_ && !(isText("optimiser", "sgd"));
        // Rules that make several updates keep what was there before the iteration.
        const double versions = rule_ && !plain_ ? 2 : 1, moments = second ? 2 : 1;
        bytes_[weights] = versions * numbers;
        bytes_[averages] = versions * moments * numbers;
        bytes_[copies] = versions * double(parts.copies.size()) * (1 + moments) * numbers;
        bytes_[gradients] = numbers;
        checkpointNumbers_ *= rule_ ? 1 + moments : 1;
        for (const auto& copy : parts.copies)
            if (copy.checkpointed)
                for (int i : setup_.groups[at(copy.group)].tensors)
                    checkpointNumbers_ +=
                        (1 + moments) * double(setup_.tensors[at(i)].rows) * setup_.tensors[at(i)].cols;
        if (!rule_ || setup_.steps < 1) return;
        double results = chunks();
        for (const auto& store : parts.stores) // a pass over all stretches of a batch
            results = std::max(results, std::ceil(keptSteps(store) / stretch(store)) * chunks());
        bytes_[gradients] += results * numbers;
    }
    bool isText(const char* key, const char* value) const {
        const auto found = rule_->params.find(key);
        const auto* text = found == rule_->params.end() ? nullptr : std::get_if<std::string>(&found->second);
        return text && *text == value;
    }
    double keptSteps(const RuleParts::StoreInfo& store) const {
        return store.steps > 0 ? std::min(store.steps, setup_.steps) : setup_.steps;
    }
    double stretch(const RuleParts::StoreInfo& store) const {
        return store.segment > 0 ? std::min(double(store.segment), keptSteps(store)) : keptSteps(store);
    }
    double marksOf(const RuleParts::StoreInfo& store) const {
        return std::ceil(keptSteps(store) / stretch(store)) * (store.burnIn > 0 ? 2 : 1);
    }

    // -- sweeps -----------------------------------------------------------------------------------------------------

    void addSweeps() {
        const auto known = replayKnown(graph_);
        std::vector<bool> everyone(graph_.nodes().size(), true), learners(graph_.nodes().size(), false);
        if (rule_) learners[at(graph_.rule())] = true;
        const auto acting = graph_.stages(taskKnown(), everyone);
        const auto& parts = network_.ruleParts();
        const bool loop = graph_.closedLoop();
        if (!rule_ || plain_) {
            const bool records = rule_ != nullptr;
            addSweep({double(setup_.steps), records && loop ? graph_.stages(known, learners) : acting, nullptr, records,
                      loop});
            if (rule_ && network_.rule().needsBatch()) bytes_[ruleSignals] += columns() * ruleUnits() * sizeof(T);
        }
        if (rule_ && !plain_ && parts.stores.empty()) // it lets trials be performed, and trains nothing by them
            addSweep({double(setup_.steps), acting, nullptr, false, loop});
        for (const auto& store : parts.stores) {
            addSweep({double(setup_.steps), acting, nullptr, false, loop, store.following, marksOf(store)});
            for (const auto& group : setup_.groups) {
                const auto stages = graph_.stages(known, sourcesOf(graph_, group.ports, known));
                addSweep({stretch(store) + store.burnIn, stages, &group.ports, true, false});
                addSweep({keptSteps(store), stages, &group.ports, false, false, false, marksOf(store)});
            }
        }
    }
    PortMask taskKnown() const {
        PortMask known;
        for (const auto& node : graph_.nodes()) known.emplace_back(node.portSizes.size(), node.kind() == Kind::task);
        return known;
    }
    double ruleUnits() const {
        double units = 0;
        for (std::size_t p = 0; rule_ && p < rule_->portSizes.size(); ++p)
            if (rule_->wired[p]) units += rule_->portSizes[p];
        return units;
    }

    /// As many sweeps of a shape as work at once.
    void addSweep(const Shape& shape) {
        const double count = std::min(chunks(), setup_.executor->threads());
        const double trials = setup_.chunk, cells = shape.steps * trials, numbers = count * sizeof(T);
        const double carriedSize = trialSize_ * trials;
        bytes_[carried] += count * 2 * carriedSize * sizeof(T);
        const int segment =
            segmentSteps(recordedBytes(network_, setup_.chunk), static_cast<int>(std::min(shape.steps, 2e9)),
                         setup_.experiment.memoryMiB * mebibyte);
        const double segments = std::max(std::ceil(shape.steps / segment), shape.marks);
        if (segments > 1 || shape.acts) bytes_[checkpoints] += numbers * segments * carriedSize;
        bytes_[checkpoints] += numbers * (shape.marks * carriedSize + (shape.follows ? carriedSize : 0));
        bytes_[known] += numbers * cells * knownUnits(shape) + count * 2 * cells;
        bytes_[ruleSignals] += numbers * cells * signalUnits(shape);
        if (setup_.streams) bytes_[streamed] += numbers * carriedSize;
        double packed = 0;
        for (const auto& node : network_.nodes())
            for (int weight : node.packed) {
                const auto& info = network_.parameters()[at(node.parameters[at(weight)])];
                packed += double(Packed<T>::size(info.rows, info.cols));
            }
        bytes_[weights] += numbers * packed;
        bytes_[tape] += count * tapeBytes(shape, std::min(double(segment), shape.steps / std::max(1.0, shape.marks)));
    }
    /// Units of the signals that a sweep keeps for all its steps: what the task says, what is drawn, what models ask to
    /// be remembered.
    double knownUnits(const Shape& shape) const {
        double units = 0;
        for (std::size_t n = 0; n < graph_.nodes().size(); ++n)
            for (std::size_t p = 0; p < graph_.nodes()[n].portSizes.size(); ++p) {
                const auto& info = graph_.nodes()[n].declaration().ports[p];
                const bool kept =
                    graph_.nodes()[n].kind() == Kind::task || (info.sampled && (shape.acts || shape.ports));
                if (isOutput(n, p) && (kept || (shape.acts && network_.nodes()[n].remembers[p])))
                    units += graph_.nodes()[n].portSizes[p];
            }
        return units;
    }
    double signalUnits(const Shape& shape) const {
        double units = shape.ports ? double(network_.ruleParts().fields.size()) : 0;
        for (std::size_t p = 0; rule_ && p < rule_->portSizes.size(); ++p) {
            if (!rule_->wired[p]) continue;
            const bool wanted = !shape.ports || std::find(shape.ports->begin(), shape.ports->end(),
                                                          static_cast<int>(p)) != shape.ports->end();
            units += ((wanted ? 2 : 0) + (shape.ports ? 1 : 0)) * double(rule_->portSizes[p]);
        }
        return units;
    }

    /// The arena of a sweep's tape. What models put there beside their signals is their own business; these numbers
    /// are what the models that come with Raphe take.
    double tapeBytes(const Shape& shape, double segment) const {
        constexpr double recordedPerUnit = 5.5, actedPerUnit = 3, relaidPerWeight = 1.5;
        const auto given = shape.acts && !shape.records ? taskKnown() : replayKnown(graph_);
        const double steps = shape.records || !shape.acts ? segment : 1;
        double numbers = 0, largest = 0, relaid = 0;
        const auto take = [&](double piece, double times) {
            numbers += piece * times;
            largest = std::max(largest, piece);
        };
        for (const auto& stage : shape.stages)
            for (int n : stage.nodes) {
                for (std::size_t p = 0; p < graph_.nodes()[at(n)].portSizes.size(); ++p)
                    if (isOutput(at(n), p) && !given[at(n)][p])
                        take(graph_.nodes()[at(n)].portSizes[p] * steps * setup_.chunk,
                             shape.records ? recordedPerUnit : actedPerUnit);
                bool inPlace = false;
                for (const auto& state : network_.nodes()[at(n)].states) {
                    inPlace = inPlace || state.inPlace;
                    if (state.inPlace && shape.records) take(stateSize(state) * setup_.chunk, steps);
                }
                for (int i : network_.nodes()[at(n)].parameters)
                    if (inPlace)
                        relaid += relaidPerWeight * double(setup_.tensors[at(i)].rows) * setup_.tensors[at(i)].cols;
            }
        for (const auto& i : setup_.experiment.interventions) // a changed weight is a copy
            for (const auto& info : setup_.tensors)
                if (i.enabled && info.name == i.target.text())
                    relaid += (shape.records ? 2.0 : 1.0) * info.rows * info.cols;
        // Pieces that are larger than a block of the arena leave gaps when the next pass asks for others.
        const double gaps = largest * sizeof(T) > mebibyte ? 1.75 : 1.1;
        const auto blocks = [](double bytes) { return std::ceil(bytes / mebibyte) * mebibyte; };
        double result = blocks(gaps * (numbers + relaid) * sizeof(T));
        if (plain_) // what the rule computes with
            result += blocks(shape.steps * setup_.chunk * sizeof(T));
        return result;
    }

    // -- what is kept -----------------------------------------------------------------------------------------------

    void addStores() {
        const auto& parts = network_.ruleParts();
        const auto givenPorts = replayKnown(graph_);
        double knownUnits = 0;
        for (std::size_t n = 0; n < graph_.nodes().size(); ++n)
            for (std::size_t p = 0; p < graph_.nodes()[n].portSizes.size(); ++p)
                if (isOutput(n, p) && givenPorts[n][p] && readByModel(static_cast<int>(n), static_cast<int>(p)))
                    knownUnits += graph_.nodes()[n].portSizes[p];
        for (std::size_t s = 0; s < parts.stores.size(); ++s) {
            const auto& info = parts.stores[s];
            double units = knownUnits + ruleUnits();
            for (const auto& field : parts.fields)
                if (field.store == static_cast<int>(s)) units += 1;
            const double marks = marksOf(info) * trialSize_ * setup_.batch;
            // The newest batch is collected before the oldest goes.
            bytes_[stored] += (info.batches + 1.0) *
                              ((units * columns() + marks) * sizeof(T) + columns() * (info.following ? 10 : 2));
            checkpointNumbers_ += info.batches * (units * keptSteps(info) * setup_.batch + marks);
        }
    }
    bool readByModel(int node, int port) const {
        return std::any_of(graph_.wires().begin(), graph_.wires().end(), [&](const GraphWire& wire) {
            return wire.fromNode == node && wire.fromPort == port &&
                   graph_.nodes()[at(wire.toNode)].kind() == Kind::model;
        });
    }
    void addStreams() {
        if (!setup_.streams) return;
        const double all = double(chunks()) * setup_.chunk * trialSize_;
        bytes_[streamed] += 2 * all * sizeof(T);
        checkpointNumbers_ += all;
    }
    void addRecordings() {
        for (const auto& recording : setup_.experiment.recordings) {
            const int node = graph_.node(recording.port.node);
            const double units =
                graph_.nodes()[at(node)].portSizes[at(graph_.outputPort(node, recording.port.port, "record"))];
            const double steps = std::ceil(double(setup_.steps) / recording.everySteps),
                         trials = std::min(recording.trials, setup_.batch), kept = steps * trials * units;
            const double sweeps =
                std::min({std::ceil(trials / setup_.chunk), double(chunks()), double(setup_.executor->threads())});
            bytes_[recorded] += kept * 8 + sweeps * setup_.steps * setup_.chunk * units * sizeof(T);
            result_.signals += kept * sizeof(T) * std::ceil(1000.0 / recording.everyIterations);
        }
    }

    // -- sentences --------------------------------------------------------------------------------------------------

    double largestTensor() const {
        double largest = 0;
        for (const auto& info : setup_.tensors) largest = std::max(largest, double(info.rows) * info.cols);
        return largest;
    }
    std::string adviceFor(Where where) const {
        switch (where) {
        case weights:
        case averages:
        case copies:
        case snapshot:
            return "a smaller network";
        case gradients:
            return chunks() > 1 ? "a smaller network, a larger chunk or fewer trials" : "a smaller network";
        case carried:
        case checkpoints:
        case tape:
            return setup_.executor->threads() > 1 ? "a smaller network, a smaller chunk or fewer threads"
                                                  : "a smaller network or a smaller chunk";
        case stored:
        case streamed:
            return "fewer trials or fewer steps";
        case known:
        case ruleSignals:
            return "a smaller chunk or fewer steps";
        default:
            return "fewer trials or fewer steps in the recordings";
        }
    }
    /// The node with the largest tensor, or with the most numbers in a trial.
    void nameLargest(Where where) {
        if (ofTensors(where) && !setup_.tensors.empty()) {
            const auto& info =
                *std::max_element(setup_.tensors.begin(), setup_.tensors.end(), [](const auto& a, const auto& b) {
                    return double(a.rows) * a.cols < double(b.rows) * b.cols;
                });
            result_.place = "nodes." + graph_.nodes()[at(info.node)].name;
            result_.detail =
                fmt::format("the largest tensor, {}, has {} x {} numbers", info.name, info.rows, info.cols);
            return;
        }
        double most = 0;
        for (std::size_t n = 0; n < graph_.nodes().size(); ++n) {
            double units = 0;
            for (const auto& state : network_.nodes()[n].states) units += stateSize(state);
            for (std::size_t p = 0; p < graph_.nodes()[n].portSizes.size(); ++p)
                if (isOutput(n, p)) units += graph_.nodes()[n].portSizes[p];
            if (units <= most) continue;
            most = units;
            result_.place = "nodes." + graph_.nodes()[n].name;
        }
        result_.detail =
            fmt::format("there are {} trials of {} steps, {} at a time", setup_.batch, setup_.steps, setup_.chunk);
    }

    const Setup<T>& setup_;
    const Graph& graph_;
    const Network<T>& network_;
    const SessionOptions& options_;
    const GraphNode* rule_;
    bool plain_;
    double numbers_ = 0;   ///< of all tensors, as they lie in the flat arrays
    double trialSize_ = 0; ///< numbers that a trial carries
    double checkpointNumbers_ = 0;
    std::array<double, wheres> bytes_{};
    Estimate result_;
};

template <class T>
std::optional<Preflight> preflightOf(const Experiment& original, const Registry& registry,
                                     const SessionOptions& options, Problems& problems) {
    Preflight result{original, Graph(original, registry, problems), {}, 0, 0, {}};
    const Setup<T> setup(result.experiment, result.graph, options, &problems);
    if (!problems.empty()) return std::nullopt;
    for (const auto& info : setup.tensors) result.tensors.push_back({info.name, info.rows, info.cols, info.trainable});
    result.trials = setup.batch;
    result.steps = setup.steps;
    if (setup.chunk > 0) result.estimate = Estimator<T>(setup, options).estimate(); // otherwise nothing runs
    return result;
}

} // namespace

double Estimate::total() const {
    double sum = 0;
    for (const auto& part : memory) sum += part.bytes;
    return sum;
}

Json toJson(const Estimate& estimate) {
    const auto whole = [](double bytes) -> Json {
        return bytes < 9e15 ? Json(static_cast<std::int64_t>(std::ceil(bytes))) : Json(bytes);
    };
    Json parts = Json::object();
    for (const auto& part : estimate.memory) parts[part.name] = whole(part.bytes);
    return {{"memory", whole(estimate.total())},
            {"memory_parts", parts},
            {"checkpoint", whole(estimate.checkpoint)},
            {"signals_per_1000", whole(estimate.signals)},
            {"threads", estimate.threads}};
}

double Preflight::numbers() const {
    double sum = 0;
    for (const auto& tensor : tensors) sum += double(tensor.rows) * tensor.columns;
    return sum;
}

std::optional<Preflight> preflight(const Experiment& experiment, const Registry& registry,
                                   const SessionOptions& options, Problems& problems) {
    return experiment.precision == Precision::float64 ? preflightOf<double>(experiment, registry, options, problems)
                                                      : preflightOf<float>(experiment, registry, options, problems);
}

std::optional<Preflight> preflight(const std::string& nameOrPath, const std::vector<std::string>& assignments,
                                   const Registry& registry, const SessionOptions& options, Problems& problems) {
    return preflight(loadExperiment(nameOrPath, registry, assignments, problems), registry, options, problems);
}

double memoryFor(const SessionOptions& options) {
    return options.availableMemory ? *options.availableMemory : availableMemory();
}

std::string refusal(const Estimate& estimate, const SessionOptions& options) {
    const double available = memoryFor(options);
    if (estimate.total() <= available) return {};
    const auto& largest = estimate.memory.front();
    return fmt::format(
        "{}: the experiment takes about {} of memory, of it {} for {} ({}), but only {} are free; use {}",
        estimate.place.empty() ? "nodes" : estimate.place, bytesText(estimate.total()), bytesText(largest.bytes),
        largest.name, estimate.detail, bytesText(available), largest.advice);
}

void requireMemory(const Experiment& experiment, const Registry& registry, const SessionOptions& options) {
    Problems problems;
    const auto found = preflight(experiment, registry, options, problems);
    problems.throwIfAny();
    if (const auto sentence = refusal(found->estimate, options); !sentence.empty()) throw Error(sentence);
}

} // namespace raphe
