// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/sweep/factor_sums.h"
#include "engine/sweep/span.h"
#include "engine/sweep/task_loop.h"

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace raphe {

/// What the rule's ports showed after the last step of trials that did not terminate.
template <class T>
struct Following {
    std::vector<int> columns;           ///< by step * trials + trial: which follower, or -1
    std::vector<std::vector<T>> values; ///< by port of the rule: units for each follower
    int count = 0;
};

/// Sweeps one chunk of trials through all their steps, forwards and backwards. It owns everything that changes
/// meanwhile. One thread uses it at a time; after the first iteration its step loops ask nothing of the heap.
///
/// A closed loop is swept twice: an acting pass, step by step and unrecorded, in which the task answers actions; then a
/// learning pass over segments of steps, from the last to the first, in which what the task said and what was drawn is
/// known, so that whatever does not recur is computed for all steps of a segment at once. Outputs that a model asked to
/// be remembered are taken over from the acting pass. In an open loop the learning
/// pass is enough if all steps fit into the memory budget; otherwise a first pass leaves checkpoints.
///
/// A replay (SweepPlan::ports) sweeps columns whose known signals and whose start the caller fills in; the task does
/// not run.
template <class T>
class Sweep final {
public:
    using Origin = typename Step<T>::Origin;
    using Work = std::function<void(Objective<T>&)>;

    explicit Sweep(const SweepPlan<T>& plan);
    Sweep(const Sweep&) = delete;
    Sweep& operator=(const Sweep&) = delete;

    /// Signals to keep in full during the next forward pass; buffers are (units x steps * trials).
    void capture(const std::vector<std::pair<int, int>>& ports);
    const std::vector<T>& captured(std::size_t index) const { return captures_[index].values; }

    // -- trials of the task -----------------------------------------------------------------------------------------

    /// Streams: where the next pass begins (null: at the trials' start), and what it leaves for the next one.
    void continueFrom(const ContinuedTrials<T>* from) { from_ = from; }
    ContinuedTrials<T>& continued() { return continued_; }

    /// What the trials begin with instead of the start of their states, for all columns.
    void startWith(std::vector<GivenState<T>> states) { givenStates_ = std::move(states); }

    /// Runs the trials forwards without recording: leaves the rule's signals, the captures, the marks.
    void act(const TrialRange& range, const T* weights);
    /// Forward pass, the rule's score, and backward pass. @param gradient  is added to (same layout as the weights)
    void learn(const TrialRange& range, const T* weights, T* gradient, const std::vector<const T*>* batch = nullptr,
               std::vector<T>* frozen = nullptr);
    /// Scores the signals that the last forward pass left, without gradients.
    void score(const TrialRange& range, const std::vector<const T*>* batch, std::vector<T>* frozen, bool replay);
    const Objective<T>& objective() const { return objective_; }
    /// What the last backward pass showed of the signals that scale changes.
    const FactorSums& factors() const { return factors_; }

    /// The forward pass one step at a time: begin(), then step(0), step(1), ... Spans are single steps, also where
    /// act() would take many at once.
    void begin(const TrialRange& range, const T* weights);
    void step(int step);
    /// What a port showed in the last step, for all trials.
    Value<T> shown(int node, int port) { return span_.output(node, port); }
    /// Takes effect with the next step.
    void setInterventions(std::vector<ResolvedIntervention> interventions);

    /// Units x (steps * trials); empty where nothing is wired.
    const AlignedArray<T>& ruleInput(std::size_t port) const { return ruleInputs_[port]; }
    TrialEnds& ends() { return ends_; }
    KnownSignals<T>& known() { return known_; }
    /// Whether an output is known in a replay of these trials: the task's, and what was drawn.
    bool isKnown(int node, int port) const { return replayKnown_[at(node)][at(port)]; }
    /// What was carried before the steps SweepPlan::marks: for each mark, trial by trial.
    const T* mark(std::size_t index, int trial) const {
        return marks_.data() + (index * at(plan_.trials) + at(trial)) * carried_.trialSize();
    }
    std::size_t trialSize() const { return carried_.trialSize(); }
    const Following<T>& following() const { return following_; }

    // -- replays ----------------------------------------------------------------------------------------------------

    /// Columns that start where trials start; the caller then fills in known signals, kept starts, what was stored,
    /// fields, ends, origins. @param before  see Step::Window
    void startReplay(const TrialRange& range, int before);
    Carried<T>& carried() { return carried_; }
    std::vector<Origin>& origins() { return origins_; }
    AlignedArray<T>& storedInput(std::size_t port) { return stored_[port]; }
    AlignedArray<T>& field(std::size_t index) { return fields_[index]; }
    /// Sweeps them, lets `work` see the steps after the burn-in, and goes backwards if a gradient is wanted.
    void replay(const T* weights, T* gradient, const Work& work, std::vector<T>* frozen = nullptr, bool again = false);
    /// Runs the burn-in of the next replays under these weights instead; null: under their own. A gradient ends at the
    /// burn-in, so that one who compares it with differences must hold the burn-in fixed.
    void setBurnInWeights(const T* weights) { burnInWeights_ = weights; }
    /// Nodes that take part in a replay.
    std::vector<bool> members() const;

    // -- given signals ----------------------------------------------------------------------------------------------

    /// Replaces signals (and with them whatever would have computed them). The task is not run.
    void give(std::vector<GivenSignal<T>> signals, std::vector<GivenState<T>> initialStates, bool wantRuleOnly);
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
                            const std::vector<std::pair<int, int>>& givenPorts);
    /// Runs forwards and brings all states up to date. The states can be read afterwards.
    void actAndSettle(const TrialRange& range, const T* weights);
    /// What the task said and what was drawn during the last acting pass.
    std::vector<GivenSignal<T>> knownSignals();
    GivenState<T> finalState(int node, int state) const { return carried_.get(node, state); }

    /// Runs forwards and says which signal first held a number that is not finite.
    std::optional<NonFinite> findNonFinite(const TrialRange& range, const T* weights);
    /// The same for a replay that has been filled in.
    std::optional<NonFinite> findNonFinite(const T* weights);

    int segmentCount() const { return static_cast<int>(segments_.size()); }
    std::size_t tapeBytes() { return span_.tape().arena().capacity(); }
    int trials() const { return plan_.trials; }
    int steps() const { return plan_.steps; }

private:
    struct Capture {
        int node, port;
        std::vector<T> values;
    };

    std::size_t columns() const { return at(plan_.steps) * at(plan_.trials); }
    bool loop() const { return graph_.closedLoop() && !given_; }
    bool runsTask() const { return task_ && !given_; }
    void start(const TrialRange& range, const T* weights, T* gradient);
    void forward(bool recordLast);
    void backward(bool recordedAlready);
    void enter(std::size_t segment);
    void beginAnew(int step);
    void runSpan(int first, int count, bool record, const std::vector<Stage>& stages, const PortMask& known);
    void actStep(int step);
    bool keepsInPlace() const;
    bool exchangesAt(int step) const;
    int lastExchange(int step) const;
    void bringUpToDate(int step, const std::vector<Stage>& stages);
    void exchangeStates(int step);
    void leaveLastStep(bool recorded);
    void lookAhead(int step, const std::vector<char>& wanted);
    void prepareObjective(const TrialRange& range, const std::vector<const T*>* batch, std::vector<T>* frozen,
                          bool replay);
    void seedAdjoints(int first, int count, bool last);
    void sumFactors(int first, int count);
    void keepSignals(int first, int count);
    void checkSignals(int first, int count, const std::vector<Stage>& stages);

    SweepPlan<T> plan_;
    const Network<T>& network_;
    const Graph& graph_;
    std::vector<Segment> segments_;
    PortMask taskKnown_, replayKnown_;
    std::vector<Stage> actingStages_, learningStages_;

    Carried<T> carried_;
    KnownSignals<T> known_;
    TrialEnds ends_;
    Span<T> span_;
    std::optional<TaskLoop<T>> task_;
    std::vector<Value<T>> taskInputs_;
    Tape<T> scratch_;

    std::vector<AlignedArray<T>> checkpoints_;
    std::vector<AlignedArray<T>> ruleInputs_, ruleAdjoints_, stored_, fields_;
    std::vector<T> marks_, aside_;
    std::vector<char> wanted_;
    Following<T> following_;
    Objective<T> objective_;
    FactorSums factors_;
    std::vector<Capture> captures_;
    std::vector<GivenState<T>> givenStates_;
    std::vector<Origin> origins_;
    const ContinuedTrials<T>* from_ = nullptr;
    ContinuedTrials<T> continued_;

    TrialRange range_;
    const T *burnInWeights_ = nullptr, *afterBurnIn_ = nullptr;
    const Terminal* terminal_ = nullptr;
    int upToDate_ = -1; ///< step before which the span's states were brought up to date; -1: they were not
    int restart_ = 0;   ///< see Span::Request
    bool given_ = false, settle_ = false, checkFinite_ = false, wantKnownAdjoints_ = false;
    std::optional<NonFinite> firstBad_;
};

extern template class Sweep<float>;
extern template class Sweep<double>;

} // namespace raphe
