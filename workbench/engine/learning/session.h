// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/interrupt.h"
#include "engine/base/tensor.h"
#include "engine/document/experiment.h"
#include "engine/document/stage_plan.h"
#include "engine/graph/graph.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace raphe {

class Session;

/// Thrown when a loss, a gradient or a signal is no longer finite; the session still has the weights from before.
class NumericError : public Error {
public:
    using Error::Error;
};

struct IterationReport {
    int iteration = 0;                                 ///< index of the iteration that was just done, from 0
    int stage = -1;                                    ///< index of its stage, from 0; -1: there are none
    bool beginsStage = false;                          ///< the first iteration of its stage
    std::string stageName;                             ///< empty: there are none
    double seconds = 0;                                ///< training time of the session so far
    NamedNumbers metrics;                              ///< "loss", those of the rule, "gradient_norm"
    std::vector<std::pair<Recording, Tensor>> signals; ///< recordings due at this iteration: (steps, trials, units)
};

/// A check of the metrics that a stage looks at, and what it has led to.
struct CheckReport {
    int iteration = 0; ///< after which it was made
    std::string stage;
    NamedNumbers reduced;                     ///< parameters of the rule that a plateau has reduced: their new values
    std::optional<StageRunner::Best> takenUp; ///< whose weights replaced the present ones, as the stage has ended
};

/// Watches a session. Called on the thread that trains; onPaused and onResumed, where an iteration is paused midway, on
/// one of those that work for it. May call the session's control functions and whatever reads.
class SessionObserver {
public:
    virtual ~SessionObserver() = default;
    virtual void onIteration(Session&, const IterationReport&) {}
    /// Between iterations.
    virtual void onCheck(Session&, const CheckReport&) {}
    /// Within an iteration that takes long: how far it is, 0 to 1. The session shows the state before the iteration.
    virtual void onProgress(Session&, double fraction) {}
    virtual void onPaused(Session&) {}
    virtual void onResumed(Session&) {}
};

struct SessionOptions {
    int threads = 0;                ///< 0: as many as there are cores
    std::string executor = "tbb";   ///< tbb, threads, shuffled
    std::uint64_t scheduleSeed = 0; ///< for "shuffled"
    bool checkpoints = false;       ///< a run is kept of it, so that there must be memory for a checkpoint as well
    std::optional<double> availableMemory = std::nullopt; ///< bytes; otherwise what the machine has to give
};

struct ParameterDescription {
    std::string name; ///< "node.tensor"
    int rows = 0, columns = 0;
    bool trainable = true;
};

struct EvaluateRequest {
    int trials = 0;                              ///< 0: one batch
    std::vector<std::string> record;             ///< ports
    std::vector<Intervention> interventions;     ///< beside those of the session
    std::uint32_t stream = 0;                    ///< another number draws other trials
    std::vector<NamedTensor> initialStates = {}; ///< "node.state", (trials, rows) or (trials, rows, columns)
    std::vector<std::string> states = {};        ///< states to return, by name or pattern; evaluate() only
};
struct EvaluateResult {
    NamedNumbers metrics;
    std::vector<std::pair<std::string, Tensor>> signals; ///< (steps, trials, units)
    std::vector<NamedTensor> states = {};                ///< after the last step
};

/// Open-loop computation: signals are given from outside, (steps, trials, units) each.
struct ForwardRequest {
    std::vector<NamedTensor> inputs;        ///< output ports to replace, e.g. "task.observation"
    std::vector<NamedTensor> initialStates; ///< "node.state", (trials, rows) or (trials, rows, columns)
    std::vector<std::string> record;        ///< output ports
};
struct ForwardResult {
    std::vector<NamedTensor> signals;     ///< (steps, trials, units)
    std::vector<NamedTensor> finalStates; ///< "node.state"
};
struct GradientRequest {
    ForwardRequest forward;
    std::vector<NamedTensor> outputWeights; ///< weights of the sum over output ports, shape of the signals
    std::vector<NamedTensor> stateWeights;  ///< weights of the final states
};
struct GradientResult {
    std::vector<NamedTensor> parameters; ///< by tensor name
    std::vector<NamedTensor> inputs, initialStates;
};

struct GradientCheckEntry {
    std::string name;
    int entries = 0;         ///< numbers compared
    double largestError = 0; ///< |tape - difference| relative to the largest gradient entry of the tensor
    double largestGradient = 0;
};
struct GradientCheckReport {
    std::vector<GradientCheckEntry> tensors;
    double tolerance = 1e-5;
    bool passed() const;
};

/// The gradient of one tensor with some credit (see raphe::Credit), beside the exact one.
struct CreditAlignment {
    std::string tensor;
    double cosine = 0;    ///< between the two; 0 if one of them vanishes
    double normRatio = 0; ///< of the norms, this one over the exact one
    double exactNorm = 0;
};

/// Everything that is needed to go on exactly where a session stood.
struct SessionSnapshot {
    int iteration = 0;
    long optimiserSteps = 0;
    double seconds = 0;
    std::vector<NamedTensor>
        tensors;         ///< weights by name; optimiser averages as "optimiser.first.NAME", "optimiser.second.NAME"
    NamedNumbers stages; ///< StageRunner::save(); empty without stages
};

/// Trials that are run one step at a time, under the weights that the session had when it began. Any thread, one at a
/// time; the session must outlive it.
class TrialPlayer {
public:
    virtual ~TrialPlayer() = default;
    virtual int steps() const = 0;
    virtual int trials() const = 0;
    /// Steps made so far.
    virtual int step() const = 0;
    /// Makes the next step. @return false if there is none
    virtual bool next() = 0;
    /// What a port showed in the last step: (trials, units).
    virtual Tensor signal(const std::string& port) const = 0;
    /// Names of all states, "node.state".
    virtual std::vector<std::string> states() const = 0;
    /// A state after the last step: (trials, rows) or (trials, rows, columns).
    virtual Tensor state(const std::string& name) const = 0;
    /// Replaces the interventions, from the next step on.
    virtual void intervene(std::vector<Intervention> interventions) = 0;
};

/// An experiment made runnable: weights, optimiser state and the position in the random streams.
///
/// Threads: one thread at a time may call what trains or changes weights. Functions that read (evaluate, play, forward,
/// gradient, get, weights, snapshot ...) and control functions may be called from any thread at any time; they see the
/// state that the last iteration left.
class Session {
public:
    /// Allocates nothing before it is clear that everything fits into the memory (see preflight.h).
    /// @throws Error with one line per problem
    static std::unique_ptr<Session> create(const Experiment& experiment, const Registry& registry,
                                           const SessionOptions& options = {});
    virtual ~Session() = default;

    const Experiment& experiment() const { return experiment_; }
    const Graph& graph() const { return graph_; }
    virtual int threads() const = 0;
    /// Iterations done so far.
    virtual int iteration() const = 0;
    /// Trials of a batch and steps of a trial.
    virtual int batchTrials() const = 0;
    virtual int steps() const = 0;

    /// @throws Error unless there are a task and a learning rule
    void requireTraining() const;
    /// @throws Error unless there is something to run: a task, or a stated number of steps
    void requireRunning() const;
    /// One iteration of the learning rule, or one batch of trials where there is none; all or nothing. A check that is
    /// due is made first. @throws Error if all stages have ended, NumericError, Cancelled
    virtual IterationReport iterate(SessionObserver* observer = nullptr) = 0;
    /// Whether the stages wait for a check after the last iteration.
    virtual bool checkDue() const = 0;
    /// Makes the check that is due, if one is. Cancelled, it stays due. @throws Cancelled
    virtual void check(SessionObserver* observer = nullptr) = 0;
    /// One update on given signals: whatever reaches the learning rule must follow from them.
    virtual IterationReport iterateOn(const std::vector<NamedTensor>& inputs) = 0;
    /// Loss of given signals under the present weights.
    virtual double lossOn(const std::vector<NamedTensor>& inputs) = 0;
    /// Trains until `iterations` iterations are done in all, or until cancelled; with the checks that become due.
    /// @return false if cancelled
    bool trainTo(int iterations, SessionObserver* observer = nullptr);
    virtual EvaluateResult evaluate(const EvaluateRequest& request) = 0;
    /// The trials that evaluate() would run, one step at a time.
    virtual std::unique_ptr<TrialPlayer> play(const EvaluateRequest& request) = 0;
    virtual ForwardResult forward(const ForwardRequest& request) = 0;
    /// Gradient of sum(output weights .* signals) + sum(state weights .* final states).
    virtual GradientResult gradient(const GradientRequest& request) = 0;
    /// Tape gradients of the loss against central differences. @pre precision is float64
    virtual GradientCheckReport checkGradients(int entriesPerTensor = 6) = 0;
    /// The gradient that the rule would follow with this credit, beside the exact one, on the next batch.
    /// @param credit  one of creditNames(); with the rule's mu and steps
    virtual std::vector<CreditAlignment> alignCredit(const std::string& credit) = 0;

    virtual std::vector<ParameterDescription> parameters() const = 0;
    virtual Tensor get(const std::string& name) const = 0;
    virtual void set(const std::string& name, const Tensor& tensor) = 0;
    /// Excludes tensors from training (or includes them again), by pattern. What a stage freezes stays so until it
    /// ends. @return how many match
    virtual int freeze(const std::string& pattern, bool frozen = true) = 0;
    /// Forgets the optimiser's averages, e.g. between the stages of a training.
    virtual void resetOptimiser() = 0;
    virtual SessionSnapshot snapshot() const = 0;
    virtual void restore(const SessionSnapshot& snapshot) = 0;
    /// Weights only, by name.
    virtual std::vector<NamedTensor> weights() const = 0;
    virtual double trainingSeconds() const = 0;

    // Control, from any thread. An iteration under way reacts at its next step.
    void pause();
    void resume();
    void cancel();
    bool cancelled() const;
    bool paused() const;
    void clearCancel();
    /// Replaces the interventions from the next iteration on. @throws Error if a target does not exist; then nothing
    /// changes
    void setInterventions(std::vector<Intervention> interventions);
    std::vector<Intervention> interventions() const;

protected:
    Session(const Experiment& experiment, const Registry& registry);
    virtual void checkIntervention(const Intervention& intervention) const = 0;
    /// Interventions as they stand now, and how often they have been replaced.
    std::pair<std::vector<Intervention>, int> currentInterventions() const;

    Experiment experiment_;
    Graph graph_;
    Interrupt training_;   ///< pauses and cancels iterations
    Interrupt evaluation_; ///< cancels evaluations; a pause leaves them alone

private:
    mutable std::mutex mutex_;
    std::vector<Intervention> interventions_;
    int version_ = 0;
};

} // namespace raphe
