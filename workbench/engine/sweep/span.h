// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/sweep/carried.h"
#include "engine/sweep/interventions.h"
#include "engine/sweep/known_signals.h"
#include "engine/sweep/trial_ends.h"

#include <algorithm>
#include <vector>

namespace raphe {

/// Steps of a chunk that are swept together: one while a closed loop acts, a segment otherwise. Owns the tape and what
/// nodes are lent; takes what is carried as its start and, where asked, leaves it as its end.
template <class T>
class Span final : private StepHost<T> {
public:
    using Origin = typename Step<T>::Origin;

    Span(const SweepPlan<T>& plan, Carried<T>& carried, KnownSignals<T>& known, const TrialEnds& ends);

    /// For all spans until the next call. @param gradient  null if none is wanted
    void setWeights(const T* weights, T* gradient) {
        setWeights(weights);
        gradient_ = gradient;
    }
    void setWeights(const T* weights) {
        weights_ = weights;
        std::fill(bound_.begin(), bound_.end(), char{0});
    }
    void setRange(const TrialRange& range, int before, const Origin* origins) {
        range_ = range;
        before_ = before;
        origins_ = origins;
    }
    /// Weights have changed, or may be others at the next span: lay them out anew.
    void repack() { packDue_ = true; }

    struct Request {
        int first, count;
        bool record;
        const std::vector<Stage>& stages;
        const PortMask& known;
        bool remember = false;           ///< outputs that models asked to be remembered pass from acting to learning
        bool differentiateKnown = false; ///< known signals have adjoints
        bool closeLater = false;         ///< a single step whose end comes with close(), after the task has acted
        int restart = 0; ///< step before which states were brought up to date last: for models, trials begin there
    };
    void run(const Request& request);
    /// Ends the step of a span that was run with `closeLater`.
    void close(const std::vector<Stage>& stages);
    /// Brings states up to date whose change was deferred.
    void settle(const std::vector<Stage>& stages);
    /// Leaves what is carried after the last step.
    void leave(const std::vector<Stage>& stages);

    /// The signal at a port for steps offset ... offset + count - 1 of the span.
    Value<T> gather(int node, int port, int offset, int count);
    Value<T>& output(int node, int port) { return frames_[at(node)].outputs[at(port)]; }
    const Value<T>& state(int node, int k) const { return frames_[at(node)].states[at(k)]; }
    bool takesPart(int node) const { return stageOf_[at(node)] >= 0; }
    /// The plan has other interventions now.
    void interventionsChanged();

    /// Adds to the end of a recorded span what later segments sent back; takes from its start what it sends back.
    void seedAdjoints();
    void backward() { tape_.backward(); }
    void collectAdjoints();
    Tape<T>& tape() { return tape_; }

private:
    void intervene(NodeFrame<T>& frame, int port, Value<T> computed, Value<T> emitted, int firstStep) override;
    void prepareNode(int n, const Request& request);
    void runStage(const Stage& stage, const Request& request);
    void closeNode(int n, int t);
    bool knownBefore(int node, int port, const PortMask& known) const;
    void takeInputs(int n, int t, Read when);
    void swapStates(int n);
    void beginAnew(int n, int t);
    Value<T> beginAnew(Value<T> value, int firstStep, T initial, bool inPlace);
    Value<T> lastColumns(int wire) const;

    const SweepPlan<T>& plan_;
    const Network<T>& network_;
    const Graph& graph_;
    Carried<T>& carried_;
    KnownSignals<T>& known_;
    const TrialEnds& ends_;
    Interventions<T> interventions_;
    Credit credit_;
    bool linked_;                                        ///< delayed wires carry credit
    std::vector<std::vector<std::vector<int>>> sources_; ///< wires by receiving node and port, in document order
    std::vector<int> stageOf_;                           ///< by node; -1: takes no part

    Tape<T> tape_;
    typename Step<T>::Window window_;
    std::vector<NodeFrame<T>> frames_;
    std::vector<std::vector<Value<T>>> leaves_, spanInputs_;
    std::vector<std::vector<AlignedArray<T>>> packedMemory_, meansMemory_;
    std::vector<Value<T>> delayLeaves_;
    bool packDue_ = true, weightsIntervened_ = false;
    std::vector<char> bound_; ///< by node: whether its frame holds the weights as an acting pass reads them

    TrialRange range_;
    int before_ = 0;
    const Origin* origins_ = nullptr;
    const T* weights_ = nullptr;
    T* gradient_ = nullptr;
};

extern template class Span<float>;
extern template class Span<double>;

} // namespace raphe
