// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/setup.h"

#include "engine/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <thread>

namespace raphe {

namespace {

/// As even as possible, at most 16.
int defaultChunk(int trials) {
    const int chunks = (trials + 15) / 16;
    return (trials + chunks - 1) / chunks;
}

template <class T>
std::vector<TensorGroup> resolveGroups(const Network<T>& network) {
    const auto& graph = network.graph();
    const auto& tensors = network.parameters();
    std::vector<TensorGroup> groups;
    if (graph.rule() < 0 || network.ruleParts().groups.empty()) {
        groups.emplace_back();
        for (std::size_t i = 0; i < tensors.size(); ++i) groups[0].tensors.push_back(static_cast<int>(i));
        return groups;
    }
    std::vector<int> owner(graph.nodes().size(), -1);
    const auto known = replayKnown(graph);
    for (const auto& part : network.ruleParts().groups) {
        TensorGroup group{part.name, part.ports, {}};
        const int index = static_cast<int>(groups.size());
        for (const auto& stage : graph.stages(known, sourcesOf(graph, part.ports, known)))
            for (int n : stage.nodes) {
                const bool trained = !network.nodes()[at(n)].parameters.empty();
                if (trained && owner[at(n)] >= 0)
                    throw Error("nodes." + graph.nodes()[at(n)].name,
                                fmt::format("leads to the ports of \"{}\" and of \"{}\", which {} trains apart; give "
                                            "each a network of its own, or train them together",
                                            groups[at(owner[at(n)])].name, part.name,
                                            graph.nodes()[at(graph.rule())].name));
                owner[at(n)] = index;
            }
        for (std::size_t i = 0; i < tensors.size(); ++i)
            if (owner[at(tensors[i].node)] == index) group.tensors.push_back(static_cast<int>(i));
        groups.push_back(std::move(group));
    }
    return groups;
}

template <class T>
void requireKeptTrials(const Network<T>& network) {
    const auto trial = network.task().makeTrial();
    Stream random(0, 0, 0, 0, 0);
    network.task().begin(*trial, 0, random);
    std::vector<std::byte> bytes;
    if (!network.task().save(*trial, bytes))
        throw Error("nodes." + network.graph().nodes()[at(network.graph().task())].name,
                    "this task cannot keep its trials, so they cannot be streams");
}

/// Lets a step add what it throws to the problems, or throw it where nobody collects them.
template <class Step>
void attempt(Problems* problems, Step&& step) {
    if (problems)
        problems->collect(step);
    else
        step();
}

/// Sessions are made on several threads, and Eigen keeps the sizes in plain numbers.
void pinBlockSizesOnce() {
    static const bool pinned = (detail::pinBlockSizes(), true);
    static_cast<void>(pinned);
}

} // namespace

template <class T>
Setup<T>::Setup(Experiment& document, const Graph& wiring, const SessionOptions& options, Problems* problems)
    : experiment(document), graph(wiring), network(wiring, document.dt, problems), tensors(network.parameters()),
      frozen(tensors.size()), frozenByStage(tensors.size()) {
    pinBlockSizesOnce();
    for (const auto& node : experiment.nodes) unknown_.insert(node.name);
    for (std::size_t n = 0; n < graph.nodes().size(); ++n)
        if (network.nodes()[n].mechanism) unknown_.erase(graph.nodes()[n].name);
    if (unknown_.empty()) attempt(problems, [&] { groups = resolveGroups(network); });
    attempt(problems, [&] {
        const int threads = options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
        executor = makeExecutor(options.executor, threads, options.scheduleSeed);
    });
    Problems own;
    resolveTrials(problems ? *problems : own);
    own.throwIfAny();
    checkNames(problems ? *problems : own);
    own.throwIfAny();
}

/// Steps, batch and chunk; zero where they depend on something that is wrong.
template <class T>
void Setup<T>::resolveTrials(Problems& problems) {
    streams = experiment.streams;
    const bool readable = !problems.concern("steps") && !problems.concern("streams");
    const auto* task = graph.task() >= 0 ? &graph.nodes()[at(graph.task())] : nullptr;
    const bool taskKnown = task && !unknown_.contains(task->name), mayHaveTask = task || !unknown_.empty();
    if (readable && task && !streams && experiment.steps > 0)
        problems.add("steps",
                     "the task says how many steps a trial has; say \"streams\": true to cut a stream into so many");
    if (readable && streams && !mayHaveTask) problems.add("streams", "a stream needs a task whose trials go on");
    steps = experiment.steps > 0 ? experiment.steps : taskKnown ? network.task().steps() : 0;
    if (readable && taskKnown && steps < 1)
        problems.add("nodes." + task->name,
                     streams ? "a trial of this task has no fixed number of steps; say how many steps of a stream make "
                               "an iteration, e.g. \"steps\": 100"
                             : "a trial of this task has no steps");
    steps = std::max(steps, 0);
    batch = experiment.trials > 0 ? experiment.trials : taskKnown ? network.task().trialSet() : 1;
    if (batch < 1 && !problems.concern("trials"))
        problems.add("trials", "the task has no fixed set of trials; say how many make a batch, e.g. \"trials\": 30");
    if (steps > 0 && batch > 0) {
        experiment.trials = batch;
        if (experiment.chunk <= 0) experiment.chunk = defaultChunk(batch);
        chunk = std::min(experiment.chunk, batch);
    }
    if (!taskKnown || problems.concern("nodes." + task->name)) return;
    if (streams) problems.collect([&] { requireKeptTrials(network); });
    for (const auto& store : network.ruleParts().stores)
        if (store.beyondHorizon && !streams && !network.task().observesEnd())
            problems.add("nodes." + task->name,
                         task->declaration().key() +
                             " does not show what follows the end of its trials, which the learning rule wants to "
                             "value; let the end of the horizon be terminal");
}

/// What the document says of tensors and ports by name. Of a node with which something is wrong only the names are
/// known that its mechanism declares.
template <class T>
void Setup<T>::checkNames(Problems& problems) {
    auto names = tensorNames();
    std::vector<std::string> leftOut; // nodes of which nothing is known
    for (const auto& name : unknown_) {
        const int node = graph.node(name);
        if (node < 0) leftOut.push_back(name);
        if (node >= 0)
            for (const auto& tensor : graph.nodes()[at(node)].declaration().tensors)
                names.push_back(name + "." + tensor.name);
    }
    const auto check = [&](const std::string& pattern, const std::string& place) {
        const auto mean = [&](const std::string& name) { return matches(pattern, name); };
        const auto end = pattern.find_first_of("*.");
        const auto mayMean = [&](const std::string& node) {
            return end != std::string::npos &&
                   (pattern[end] == '*' ? node.starts_with(pattern.substr(0, end)) : node == pattern.substr(0, end));
        };
        if (std::none_of(names.begin(), names.end(), mean) && !problems.concern(place) &&
            std::none_of(leftOut.begin(), leftOut.end(), mayMean))
            problems.add(place, "no tensor matches \"" + pattern + "\"" + suggestion(pattern, names));
    };
    for (std::size_t i = 0; i < experiment.frozen.size(); ++i) {
        check(experiment.frozen[i], fmt::format("frozen[{}]", i));
        freeze(experiment.frozen[i], true);
    }
    for (std::size_t s = 0; s < experiment.stages.size(); ++s)
        for (std::size_t i = 0; i < experiment.stages[s].frozen.size(); ++i)
            check(experiment.stages[s].frozen[i], fmt::format("stages[{}].frozen[{}]", s, i));
    for (std::size_t i = 0; i < experiment.interventions.size(); ++i) {
        const auto& intervention = experiment.interventions[i];
        if (problems.concern(fmt::format("interventions[{}]", i))) continue;
        const auto& [node, name] = intervention.target;
        const auto target = intervention.target.text();
        if (unknown_.contains(node) &&
            (graph.node(node) < 0 || std::find(names.begin(), names.end(), target) != names.end() ||
             graph.nodes()[at(graph.node(node))].declaration().port(name) >= 0))
            continue;
        problems.collect([&] { resolve(intervention, fmt::format("interventions[{}] ({})", i, target)); });
    }
}

template <class T>
SweepPlan<T> Setup<T>::plan(int planSteps, int planTrials, const std::vector<Intervention>& interventions,
                            const Interrupt* interrupt) const {
    SweepPlan<T> result;
    result.network = &network;
    result.steps = planSteps;
    result.trials = planTrials;
    result.dt = experiment.dt;
    result.seed = experiment.seed;
    result.memoryBytes = static_cast<std::size_t>(experiment.memoryMiB * 1048576);
    result.streams = streams;
    result.interrupt = interrupt;
    std::map<std::string, int> noises; // by target; each has random numbers of its own, also when others are off
    for (const auto& intervention : interventions) {
        const auto target = intervention.target.text();
        const int number = intervention.operation == Operation::noise ? noises[target]++ : 0;
        if (!intervention.enabled) continue;
        result.interventions.push_back(resolve(intervention));
        result.interventions.back().entity = addressOf(fmt::format("intervention {}", number), addressOf(target));
    }
    return result;
}

template <class T>
std::vector<ParameterInfo> Setup<T>::tensorsOf(const TensorGroup& group) const {
    std::vector<ParameterInfo> result;
    for (int i : group.tensors) result.push_back(tensors[at(i)]);
    return result;
}

template <class T>
int Setup<T>::freeze(const std::string& pattern, bool freezes) {
    int count = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i)
        if (matches(pattern, tensors[i].name)) {
            frozen[i] = freezes;
            tensors[i].trainable = !frozen[i] && !frozenByStage[i];
            ++count;
        }
    return count;
}

template <class T>
void Setup<T>::freezeForStage(const std::function<bool(const std::string&)>& freezes) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        frozenByStage[i] = freezes(tensors[i].name);
        tensors[i].trainable = !frozen[i] && !frozenByStage[i];
    }
}

// -- names ------------------------------------------------------------------------------------------------------------

template <class T>
ResolvedIntervention Setup<T>::resolve(const Intervention& i, std::string place) const {
    if (place.empty()) place = "intervention on " + i.target.text();
    ResolvedIntervention r;
    r.node = graph.requireNode(i.target.node, place);
    r.operation = i.operation;
    r.component = i.component;
    r.count = i.count;
    r.value = i.value;
    r.from = i.from;
    if (i.to >= 0) r.to = i.to;
    if (i.operation == Operation::swap) {
        resolveState(i, place, r);
        return r;
    }
    for (std::size_t p = 0; p < tensors.size(); ++p)
        if (tensors[p].name == i.target.text()) r.parameter = static_cast<int>(p);
    int limit = 0;
    if (r.parameter >= 0) {
        limit = static_cast<int>(tensors[at(r.parameter)].size());
    } else {
        r.port = graph.outputPort(r.node, i.target.port, place);
        if (graph.nodes()[at(r.node)].kind() == Kind::task)
            throw Error(place, "a task's signals cannot be changed; intervene on the port of a model");
        limit = graph.nodes()[at(r.node)].portSizes[at(r.port)];
    }
    if (i.component >= limit)
        throw Error(place,
                    fmt::format("component {} does not exist; there are {}, counted from 0", i.component, limit));
    if (i.component >= 0 && i.count > limit - i.component)
        throw Error(place,
                    fmt::format("{} components from {} on do not exist; there are {}", i.count, i.component, limit));
    if (i.from < 0 || (steps > 0 && i.from >= steps))
        throw Error(place, fmt::format("step {} lies outside the trial (0 to {})", i.from, steps - 1));
    return r;
}

template <class T>
void Setup<T>::resolveState(const Intervention& i, const std::string& place, ResolvedIntervention& r) const {
    const auto& states = network.nodes()[at(r.node)].states;
    std::vector<std::string> names;
    for (std::size_t k = 0; k < states.size(); ++k) {
        names.push_back(states[k].name);
        if (states[k].name == i.target.port) r.state = static_cast<int>(k);
    }
    if (r.state < 0)
        throw Error(place, names.empty() ? "swap exchanges states, but " + i.target.node + " has none"
                                         : fmt::format("swap exchanges states, and {} has no state \"{}\"; it has {}",
                                                       i.target.node, i.target.port, fmt::join(names, ", ")));
    if (streams) throw Error(place, "swap needs trials that begin together, but these are streams");
    if (chunk % 2 != 0)
        throw Error(place,
                    fmt::format("swap exchanges states of neighbouring trials, so that an even number of them must "
                                "be swept together; set \"chunk\" to an even number instead of {}",
                                chunk));
    if (steps > 0 && i.from >= steps)
        throw Error(place, fmt::format("step {} lies outside the trial (1 to {})", i.from, steps - 1));
}

template <class T>
std::pair<int, int> Setup<T>::resolvePort(const std::string& text, const std::string& place) const {
    const auto address = parseAddress(text, place);
    const int node = graph.requireNode(address.node, place);
    return {node, graph.outputPort(node, address.port, place)};
}

template <class T>
std::string Setup<T>::portName(int node, int port) const {
    const auto& item = graph.nodes()[at(node)];
    return item.name + "." + item.declaration().ports[at(port)].name;
}

template <class T>
std::vector<std::string> Setup<T>::tensorNames() const {
    std::vector<std::string> names;
    for (const auto& info : tensors) names.push_back(info.name);
    return names;
}

template <class T>
const ParameterInfo& Setup<T>::find(const std::string& name) const {
    for (const auto& info : tensors)
        if (info.name == name) return info;
    throw Error(name, "the session has no tensor of this name" + suggestion(name, tensorNames()));
}

template <class T>
Tensor Setup<T>::toTensor(const T* flat, const ParameterInfo& info) {
    Tensor tensor{{info.rows, info.cols}, std::vector<double>(info.size()), precision()};
    for (int r = 0; r < info.rows; ++r)
        for (int c = 0; c < info.cols; ++c)
            tensor.values[at(r) * at(info.cols) + at(c)] = double(flat[info.offset + at(c) * at(info.rows) + at(r)]);
    return tensor;
}

template <class T>
void Setup<T>::assign(T* flat, const ParameterInfo& info, const Tensor& tensor, const std::string& name) {
    const bool vector = tensor.shape.size() <= 1 && (info.rows == 1 || info.cols == 1);
    const bool matrix = tensor.shape.size() == 2 && tensor.shape[0] == info.rows && tensor.shape[1] == info.cols;
    if ((!vector && !matrix) || tensor.values.size() != info.size())
        throw Error(name, fmt::format("expected shape ({}, {}), got ({})", info.rows, info.cols,
                                      fmt::join(tensor.shape, ", ")));
    for (std::size_t i = 0; i < tensor.values.size(); ++i)
        if (!std::isfinite(tensor.values[i])) throw Error(name, fmt::format("entry {} is not a finite number", i));
    for (int r = 0; r < info.rows; ++r)
        for (int c = 0; c < info.cols; ++c)
            flat[info.offset + at(c) * at(info.rows) + at(r)] =
                static_cast<T>(tensor.values[at(r) * at(info.cols) + at(c)]);
}

template struct Setup<float>;
template struct Setup<double>;

} // namespace raphe
