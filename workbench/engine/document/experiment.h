// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/tensor.h"
#include "engine/document/json_reader.h"
#include "engine/document/problems.h"
#include "engine/document/stages.h"
#include "engine/document/variants.h"
#include "engine/mechanisms/registry.h"
#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace raphe {

/// "node.port", taken apart.
struct Address {
    std::string node, port;
    std::string text() const { return node + "." + port; }
    friend bool operator==(const Address&, const Address&) = default;
};
/// @throws Error at `place` unless the text has the form "node.port"
Address parseAddress(const std::string& text, const std::string& place);

struct NodeSpec {
    std::string name, mechanism;
    ParamValues params; ///< complete: defaults filled in
};

struct WireSpec {
    Address from, to;
    std::optional<int> delay; ///< 0: same step, 1: previous step; unset: previous step only where it closes a cycle
};

enum class Operation { clamp, scale, perturb, noise, lesion, swap };
constexpr Operation operations[]{Operation::clamp, Operation::scale,  Operation::perturb,
                                 Operation::noise, Operation::lesion, Operation::swap};

/// A change of a signal, of a parameter tensor or of a state during chosen steps, without touching the model's code.
struct Intervention {
    Address target; ///< an output port, or a trainable tensor of a node; of swap a state of a node
    Operation operation = Operation::clamp;
    int component = -1; ///< unit of the port, or row-major entry of the tensor: the first one; -1: all
    /// clamp: the value; scale: the factor; perturb: what is added; noise: standard deviation of what is added; lesion
    /// and swap: not used (0)
    double value = 0;
    /// Steps from <= t < to; to = -1: to the end of the trial. swap acts once, before step `from` >= 1: trials 2k and
    /// 2k + 1 exchange the state.
    int from = 0, to = -1;
    bool enabled = true; ///< one that is switched off stays in the document and does nothing
    int count = 1;       ///< of components, from `component` on
    friend bool operator==(const Intervention&, const Intervention&) = default;
};

/// What a run keeps of a signal while it trains.
struct Recording {
    Address port;
    int everySteps = 1; ///< keeps steps 0, everySteps, ...
    int everyIterations = 100;
    int trials = 1; ///< of the first trials of the batch
};

/// The document: what is simulated and how it is trained. Plain data; knows nothing of running.
struct Experiment {
    std::string name, doc;
    std::vector<NodeSpec> nodes;
    std::vector<WireSpec> wires;
    std::vector<Recording> recordings;
    std::vector<Intervention> interventions;
    std::vector<std::string> frozen; ///< patterns of tensor names that are not trained
    std::uint64_t seed = 1;
    double dt = 1;
    int trials = 0;        ///< trials of a batch; 0: the task's own set
    int chunk = 0;         ///< trials swept together by one task of the thread pool; 0: chosen from the batch
    bool streams = false;  ///< trials go on over iterations: each continues where the one before ended
    int steps = 0;         ///< of a stream: how many make an iteration; 0: as many as a trial of the task has
    int iterations = 1000; ///< with stages: at most as many as these have
    std::vector<TrainingStage> stages; ///< one after the other; none: the whole training is alike
    double memoryMiB =
        8; ///< budget for the recorded steps of one chunk; longer trials are swept in checkpointed segments
    Precision precision = Precision::float32;

    const NodeSpec* node(const std::string& nodeName) const;
    /// Sets a hyper-parameter ("agent.hidden"), a field of the document ("trials"), or a place in the stages
    /// ("stages[0].iterations", "stages"): then `iterations` follows, if it was the sum of theirs. @throws Error
    void set(const std::string& path, const Json& value, const Registry& registry);
    /// The same with the value as text, as on a command line: JSON if it parses, otherwise a text.
    void setText(const std::string& assignment, const Registry& registry);
    /// The document, complete with every default; experimentFromJson() of it gives the same experiment.
    Json toJson() const;
};

/// Fields of the document that Experiment::set() knows.
std::vector<std::string> settableFields();
/// Names of the experiments that come with Raphe.
std::vector<std::string> experimentNames();
/// Reads a document and the documents that it extends ("base"), and applies assignments as Experiment::setText() does.
/// @throws Error with one line per problem, each with its place; those of its graph are among them
Experiment loadExperiment(const std::string& nameOrPath, const Registry& registry,
                          const std::vector<std::string>& assignments = {});
/// The same, but adds to `problems` and returns what could be read; nothing is said of its graph.
Experiment loadExperiment(const std::string& nameOrPath, const Registry& registry,
                          const std::vector<std::string>& assignments, Problems& problems);
/// The same for a document that has been read. @param folder  where the documents that it extends are looked for first
Experiment experimentFromJson(Json document, const Registry& registry, const std::filesystem::path& folder = {});
/// The same, but adds to `problems` and returns what could be read: a wrong value leaves the default, an item of a list
/// that cannot be read is there with its defaults, and so is a node of an unknown mechanism, with no parameters.
/// @throws Error if nothing can be read: a document of another version, or one that extends a document there is not
Experiment experimentFromJson(Json document, const Registry& registry, const std::filesystem::path& folder,
                              Problems& problems);

/// A hyper-parameter's value from JSON. @throws Error at `place`
ParamValue readParam(const ParamInfo& info, const Json& value, const std::string& place);
Json toJson(const ParamValue& value);
/// A wire as it stands in a document. @throws Error at `place`
WireSpec wireFromJson(const Json& value, const std::string& place);
/// "node.port -> node.port", or an object if it has a delay.
Json toJson(const WireSpec& wire);
Recording recordingFromJson(const Json& value, const std::string& place);
Json toJson(const Intervention& intervention);
Intervention interventionFromJson(const Json& value, const std::string& place);
/// An intervention as text: "modulator.output[2]=clamp:0@10:20", "core.hidden=scale:0.5", "agent.trace=swap@60".
Intervention parseIntervention(const std::string& text);

const char* nameOf(Operation operation);

} // namespace raphe
