// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/evaluation.h"

#include "engine/learning/batch_signals.h"
#include "engine/learning/recordings.h"
#include "engine/learning/trial_states.h"

namespace raphe {

namespace {

template <class T>
int trialsOf(const Setup<T>& setup, const EvaluateRequest& request) {
    if (setup.steps < 1) throw Error("evaluate", "the experiment has no task; use forward with given inputs");
    return request.trials > 0 ? request.trials : setup.batch;
}

template <class T>
std::vector<GivenState<T>> statesOf(const Setup<T>& setup, const EvaluateRequest& request, int trials) {
    std::vector<GivenState<T>> states;
    for (const auto& item : request.initialStates) states.push_back(readState(setup, item, trials));
    return states;
}

} // namespace

template <class T>
EvaluateResult evaluateTrials(const Setup<T>& setup, const Network<T>& network, const T* weights,
                              const EvaluateRequest& request, std::vector<Intervention> interventions,
                              Executor& executor, const Interrupt& interrupt) {
    const int trials = trialsOf(setup, request);
    std::vector<std::pair<int, int>> ports;
    EvaluateResult result;
    for (const auto& text : request.record) {
        ports.push_back(setup.resolvePort(text, "record"));
        const std::int64_t units = setup.graph.nodes()[at(ports.back().first)].portSizes[at(ports.back().second)];
        if (static_cast<double>(setup.steps) * trials * static_cast<double>(units) > 1e9)
            throw Error("record", text + " would take more than 8 GB; record fewer trials");
        result.signals.emplace_back(
            text, Tensor{{setup.steps, trials, units},
                         std::vector<double>(at(setup.steps) * at(trials) * static_cast<std::size_t>(units)),
                         setup.precision()});
    }
    const auto begun = statesOf(setup, request, trials);
    const auto kept = matchingStates(setup, request.states);
    std::vector<GivenState<T>> left;
    for (const auto& [node, index] : kept) {
        const auto& info = setup.network.nodes()[at(node)].states[at(index)];
        if (static_cast<double>(info.rows) * info.columns * trials > 1e9)
            throw Error("states", stateTensor(setup, GivenState<T>{node, index, {}}, 0).name +
                                      " would take more than 8 GB; keep it of fewer trials");
        left.push_back(roomForState(setup, {node, index}, trials));
    }
    interventions.insert(interventions.end(), request.interventions.begin(), request.interventions.end());
    auto plan = setup.plan(setup.steps, setup.chunk, interventions, &interrupt);
    plan.network = &network;
    const auto summary = scoreTrials(
        setup, plan, trials, request.stream, executor, ports,
        [&](Sweep<T>& sweep, const TrialRange& range) {
            if (!begun.empty()) sweep.startWith(statesOfChunk(setup, begun, range, sweep.trials()));
            if (left.empty())
                sweep.act(range, weights);
            else
                sweep.actAndSettle(range, weights);
        },
        [&](Sweep<T>& sweep, const TrialRange& range) {
            for (std::size_t i = 0; i < ports.size(); ++i)
                copySignal(sweep.captured(i), range, sweep.trials(), 1, result.signals[i].second);
            for (auto& state : left) keepStateOfChunk(sweep.finalState(state.node, state.state), range, state);
        });
    for (const auto& state : left) result.states.push_back(stateTensor(setup, state, trials));
    if (setup.graph.rule() >= 0) result.metrics = namedNumbers(summary);
    return result;
}

namespace {

/// In the chunks of evaluateTrials(), so that a closed loop gives the same bits.
template <class T>
class Player final : public TrialPlayer {
public:
    Player(const Setup<T>& setup, Network<T> network, AlignedArray<T> weights, const EvaluateRequest& request,
           const std::vector<Intervention>& interventions)
        : setup_(setup), network_(std::move(network)), weights_(std::move(weights)), trials_(trialsOf(setup, request)) {
        if (trials_ > 4096) throw Error("trials", "at most 4096 trials can be stepped together");
        auto plan = setup.plan(setup.steps, setup.chunk, interventions, nullptr);
        plan.network = &network_;
        plan.seed = addressOf("evaluation", setup.experiment.seed);
        plan.streams = false;
        const auto begun = statesOf(setup, request, trials_);
        for (int c = 0; c < setup.chunksOf(trials_); ++c) {
            ranges_.push_back(setup.rangeOf(request.stream, c, trials_));
            chunks_.push_back(std::make_unique<Sweep<T>>(plan));
            chunks_.back()->startWith(statesOfChunk(setup, begun, ranges_.back(), chunks_.back()->trials()));
            chunks_.back()->begin(ranges_.back(), weights_.data());
        }
    }

    int steps() const override { return setup_.steps; }
    int trials() const override { return trials_; }
    int step() const override { return step_; }
    bool next() override {
        if (step_ >= setup_.steps) return false;
        for (auto& chunk : chunks_) chunk->step(step_);
        ++step_;
        return true;
    }
    Tensor signal(const std::string& port) const override {
        const auto [node, index] = setup_.resolvePort(port, "signal");
        if (step_ == 0) throw Error(port, "nothing has been computed yet; make a step first");
        Tensor tensor{{trials_, setup_.graph.nodes()[at(node)].portSizes[at(index)]}, {}, setup_.precision()};
        for (std::size_t c = 0; c < chunks_.size(); ++c) {
            const Value<T> value = chunks_[c]->shown(node, index);
            tensor.values.insert(tensor.values.end(), value.data, value.data + at(ranges_[c].counted) * at(value.rows));
        }
        return tensor;
    }
    std::vector<std::string> states() const override { return stateNames(setup_); }
    Tensor state(const std::string& name) const override {
        const auto [node, index] = resolveState(setup_, name);
        auto all = roomForState(setup_, {node, index}, trials_);
        for (std::size_t i = 0; i < chunks_.size(); ++i)
            keepStateOfChunk(chunks_[i]->finalState(node, index), ranges_[i], all);
        return stateTensor(setup_, all, trials_).tensor;
    }
    void intervene(std::vector<Intervention> interventions) override {
        const auto plan = setup_.plan(setup_.steps, setup_.chunk, interventions, nullptr); // throws before any change
        for (auto& chunk : chunks_) chunk->setInterventions(plan.interventions);
    }

private:
    const Setup<T>& setup_;
    Network<T> network_;
    AlignedArray<T> weights_;
    int trials_, step_ = 0;
    std::vector<TrialRange> ranges_;
    std::vector<std::unique_ptr<Sweep<T>>> chunks_;
};

} // namespace

template <class T>
std::unique_ptr<TrialPlayer> playTrials(const Setup<T>& setup, Network<T> network, AlignedArray<T> weights,
                                        const EvaluateRequest& request, std::vector<Intervention> interventions) {
    interventions.insert(interventions.end(), request.interventions.begin(), request.interventions.end());
    return std::make_unique<Player<T>>(setup, std::move(network), std::move(weights), request, interventions);
}

template EvaluateResult evaluateTrials(const Setup<float>&, const Network<float>&, const float*, const EvaluateRequest&,
                                       std::vector<Intervention>, Executor&, const Interrupt&);
template EvaluateResult evaluateTrials(const Setup<double>&, const Network<double>&, const double*,
                                       const EvaluateRequest&, std::vector<Intervention>, Executor&, const Interrupt&);
template std::unique_ptr<TrialPlayer> playTrials(const Setup<float>&, Network<float>, AlignedArray<float>,
                                                 const EvaluateRequest&, std::vector<Intervention>);
template std::unique_ptr<TrialPlayer> playTrials(const Setup<double>&, Network<double>, AlignedArray<double>,
                                                 const EvaluateRequest&, std::vector<Intervention>);

} // namespace raphe
