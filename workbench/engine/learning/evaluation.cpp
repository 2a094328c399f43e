// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/evaluation.h"

#include "engine/base/text.h"
#include "engine/learning/batch_signals.h"
#include "engine/learning/recordings.h"

#include <fmt/format.h>

namespace raphe {

namespace {

template <class T>
int trialsOf(const Setup<T>& setup, const EvaluateRequest& request) {
    if (setup.steps < 1) throw Error("evaluate", "the experiment has no task; use forward with given inputs");
    return request.trials > 0 ? request.trials : setup.batch;
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
    interventions.insert(interventions.end(), request.interventions.begin(), request.interventions.end());
    auto plan = setup.plan(setup.steps, setup.chunk, interventions, &interrupt);
    plan.network = &network;
    const auto summary = scoreTrials(
        setup, plan, weights, trials, request.stream, executor, ports, [&](Sweep<T>& sweep, const TrialRange& range) {
            for (std::size_t i = 0; i < ports.size(); ++i)
                copySignal(sweep.captured(i), range, sweep.trials(), 1, result.signals[i].second);
        });
    if (setup.graph.rule() >= 0) result.metrics = namedNumbers(summary);
    return result;
}

namespace {

/// Columns are those of one chunk; trials beyond those asked for only fill it up.
template <class T>
class Player final : public TrialPlayer {
public:
    Player(const Setup<T>& setup, Network<T> network, AlignedArray<T> weights, const EvaluateRequest& request,
           const std::vector<Intervention>& interventions)
        : setup_(setup), network_(std::move(network)), weights_(std::move(weights)),
          trials_(trialsOf(setup, request)), range_{request.stream, 0, trials_, trials_},
          plan_(planOf(setup, interventions, trials_)) {
        plan_.network = &network_;
        sweep_ = std::make_unique<Sweep<T>>(plan_);
        sweep_->begin(range_, weights_.data());
    }

    int steps() const override { return setup_.steps; }
    int trials() const override { return trials_; }
    int step() const override { return step_; }
    bool next() override {
        if (step_ >= setup_.steps) return false;
        sweep_->step(step_++);
        return true;
    }
    Tensor signal(const std::string& port) const override {
        const auto [node, index] = setup_.resolvePort(port, "signal");
        if (step_ == 0) throw Error(port, "nothing has been computed yet; make a step first");
        const Value<T> value = sweep_->shown(node, index);
        Tensor tensor{{trials_, value.rows}, {}, setup_.precision()};
        tensor.values.assign(value.data, value.data + at(trials_) * at(value.rows));
        return tensor;
    }
    Tensor state(const std::string& name) const override {
        const auto address = parseAddress(name, "state");
        const int node = setup_.graph.requireNode(address.node, "state");
        const auto& states = setup_.network.nodes()[at(node)].states;
        std::vector<std::string> names;
        for (std::size_t k = 0; k < states.size(); ++k) {
            names.push_back(states[k].name);
            if (states[k].name != address.port) continue;
            const auto given = sweep_->finalState(node, static_cast<int>(k));
            const int rows = states[k].rows, columns = states[k].columns;
            Tensor tensor{{trials_, rows}, {}, setup_.precision()};
            if (columns > 1) tensor.shape.push_back(columns);
            for (int b = 0; b < trials_; ++b)
                for (int r = 0; r < rows; ++r)
                    for (int c = 0; c < columns; ++c)
                        tensor.values.push_back(double(given.values[(at(b) * at(columns) + at(c)) * at(rows) + at(r)]));
            return tensor;
        }
        throw Error(name, "the node has no state of this name" + suggestion(address.port, names));
    }
    void intervene(std::vector<Intervention> interventions) override {
        auto plan = planOf(setup_, interventions, trials_); // throws before anything changes
        sweep_->setInterventions(std::move(plan.interventions));
    }

private:
    static SweepPlan<T> planOf(const Setup<T>& setup, const std::vector<Intervention>& interventions, int trials) {
        if (trials > 4096) throw Error("trials", "at most 4096 trials can be stepped together");
        auto plan = setup.plan(setup.steps, trials, interventions, nullptr);
        plan.seed = addressOf("evaluation", setup.experiment.seed);
        plan.streams = false;
        return plan;
    }

    const Setup<T>& setup_;
    Network<T> network_;
    AlignedArray<T> weights_;
    int trials_, step_ = 0;
    TrialRange range_;
    SweepPlan<T> plan_;
    std::unique_ptr<Sweep<T>> sweep_;
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
