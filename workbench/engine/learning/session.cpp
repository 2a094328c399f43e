// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/session.h"

#include "engine/learning/conductor.h"
#include "engine/learning/evaluation.h"
#include "engine/learning/gradient_check.h"
#include "engine/learning/open_loop.h"
#include "engine/learning/preflight.h"

#include <algorithm>

namespace raphe {

Session::Session(const Experiment& experiment, const Registry& registry)
    : experiment_(experiment), graph_(experiment, registry), interventions_(experiment.interventions) {}

void Session::pause() { training_.pause(); }
void Session::resume() { training_.resume(); }
void Session::cancel() {
    training_.cancel();
    evaluation_.cancel();
}
bool Session::cancelled() const { return training_.cancelled(); }
bool Session::paused() const { return training_.paused(); }
void Session::clearCancel() {
    training_.clearCancel();
    evaluation_.clearCancel();
}
void Session::setInterventions(std::vector<Intervention> interventions) {
    for (const auto& intervention : interventions) checkIntervention(intervention);
    const std::lock_guard lock(mutex_);
    interventions_ = std::move(interventions);
    ++version_;
}
std::vector<Intervention> Session::interventions() const { return currentInterventions().first; }
std::pair<std::vector<Intervention>, int> Session::currentInterventions() const {
    const std::lock_guard lock(mutex_);
    return {interventions_, version_};
}

void Session::requireTraining() const {
    if (graph_.rule() < 0)
        throw Error("nodes", "the experiment has no learning rule; add a node such as \"learner\": {\"mechanism\": "
                             "\"rule.supervised\"}");
    if (graph_.task() < 0) throw Error("nodes", "the experiment has no task; add a node with a task");
}

void Session::requireRunning() const {
    if (graph_.rule() >= 0) {
        requireTraining();
    } else if (steps() < 1) {
        throw Error("nodes", "the experiment has no task; add a node with a task, or say how many steps to run, e.g. "
                             "\"steps\": 100");
    }
}

bool Session::trainTo(int iterations, SessionObserver* observer) {
    training_.setWatch([&](bool waiting) {
        if (!observer) return;
        if (waiting)
            observer->onPaused(*this);
        else
            observer->onResumed(*this);
    });
    struct Unwatch {
        Interrupt& interrupt;
        ~Unwatch() { interrupt.setWatch({}); }
    } unwatch{training_};
    while (iteration() < iterations) {
        if (!training_.wait()) return false;
        try {
            const auto report = iterate(observer);
            if (observer) observer->onIteration(*this, report);
        } catch (const Cancelled&) {
            return false;
        }
    }
    return true;
}

bool GradientCheckReport::passed() const {
    return std::all_of(tensors.begin(), tensors.end(), [this](const auto& t) { return t.largestError <= tolerance; });
}

namespace {

template <class T>
class SessionOf final : public Session {
public:
    SessionOf(const Experiment& experiment, const Registry& registry, const SessionOptions& options)
        : Session(experiment, registry), setup_(experiment_, graph_, options), state_(setup_),
          conductor_(setup_, state_, &training_),
          evaluator_(makeExecutor(options.executor, setup_.executor->threads(), options.scheduleSeed)) {}

    int threads() const override { return setup_.executor->threads(); }
    int iteration() const override { return state_.iteration(); }
    int batchTrials() const override { return setup_.batch; }
    int steps() const override { return setup_.steps; }
    double trainingSeconds() const override { return state_.seconds(); }

    IterationReport iterate(SessionObserver* observer) override {
        requireRunning();
        refreshInterventions();
        return conductor_.run([&](double fraction) {
            if (observer) observer->onProgress(*this, fraction);
        });
    }

    IterationReport iterateOn(const std::vector<NamedTensor>& inputs) override {
        requireTraining();
        const auto sweep = given(inputs);
        return conductor_.runOn(*sweep.sweep, sweep.range, sweep.batch.empty() ? nullptr : &sweep.batch);
    }

    double lossOn(const std::vector<NamedTensor>& inputs) override {
        requireTraining();
        const auto sweep = given(inputs);
        sweep.sweep->act(sweep.range, state_.live().weights.data());
        sweep.sweep->score(sweep.range, sweep.batch.empty() ? nullptr : &sweep.batch, nullptr, false);
        return sweep.sweep->objective().loss / sweep.sweep->objective().lossWeight;
    }

    EvaluateResult evaluate(const EvaluateRequest& request) override {
        if (evaluation_.cancelled()) throw Error("evaluate", "cancelled");
        const auto weights = committedWeights();
        const std::lock_guard lock(evaluating_);
        try {
            return evaluateTrials(setup_, weights.data(), request, interventions(), *evaluator_, evaluation_);
        } catch (const Cancelled&) {
            throw Error("evaluate", "cancelled");
        }
    }
    std::unique_ptr<TrialPlayer> play(const EvaluateRequest& request) override {
        return playTrials(setup_, committedWeights(), request, interventions());
    }
    ForwardResult forward(const ForwardRequest& request) override {
        return OpenLoop<T>(setup_, interventions()).forward(request, committedWeights().data());
    }
    GradientResult gradient(const GradientRequest& request) override {
        return OpenLoop<T>(setup_, interventions()).gradient(request, committedWeights().data());
    }

    GradientCheckReport checkGradients(int entriesPerTensor) override {
        requireTraining();
        if constexpr (std::is_same_v<T, double>) {
            try {
                return raphe::checkGradients(experiment_, graph_, committedWeights(), setup_.tensors, interventions(),
                                             entriesPerTensor, evaluation_);
            } catch (const Cancelled&) {
                throw Error("gradcheck", "cancelled");
            }
        }
        throw Error("precision", "gradients are checked in float64; set precision to float64");
    }

    std::vector<ParameterDescription> parameters() const override {
        std::vector<ParameterDescription> result;
        for (const auto& info : setup_.tensors) result.push_back({info.name, info.rows, info.cols, info.trainable});
        return result;
    }
    Tensor get(const std::string& name) const override {
        const auto& info = setup_.find(name);
        return state_.read([&](const Learned<T>& learned) { return setup_.toTensor(learned.weights.data(), info); });
    }
    void set(const std::string& name, const Tensor& tensor) override {
        const auto& info = setup_.find(name);
        const std::lock_guard lock(state_.mutex());
        setup_.assign(state_.live().weights.data(), info, tensor, name);
    }
    int freeze(const std::string& pattern, bool frozen) override { return setup_.freeze(pattern, frozen); }
    std::vector<NamedTensor> weights() const override {
        return state_.read([&](const Learned<T>& learned) {
            std::vector<NamedTensor> result;
            for (const auto& info : setup_.tensors)
                result.push_back({info.name, setup_.toTensor(learned.weights.data(), info)});
            return result;
        });
    }
    void resetOptimiser() override { state_.resetOptimiser(); }
    SessionSnapshot snapshot() const override { return state_.snapshot(); }
    void restore(const SessionSnapshot& snapshot) override { state_.restore(snapshot); }

protected:
    void checkIntervention(const Intervention& intervention) const override { setup_.resolve(intervention); }

private:
    struct GivenBatch {
        std::unique_ptr<Sweep<T>> sweep;
        TrialRange range;
        std::vector<const T*> batch; ///< by port, where the rule needs it
    };

    void refreshInterventions() {
        auto [interventions, version] = currentInterventions();
        if (version == version_) return;
        conductor_.setInterventions(std::move(interventions));
        version_ = version;
    }
    AlignedArray<T> committedWeights() const {
        return state_.read([](const Learned<T>& learned) { return learned.weights.clone(); });
    }
    GivenBatch given(const std::vector<NamedTensor>& inputs) {
        GivenBatch result;
        result.range.iteration = static_cast<std::uint32_t>(state_.iteration());
        result.sweep = OpenLoop<T>(setup_, interventions()).ruleSweep(inputs, result.range);
        if (!setup_.network.rule().needsBatch()) return result;
        result.sweep->act(result.range, state_.live().weights.data());
        for (std::size_t p = 0; p < graph_.nodes()[at(graph_.rule())].portSizes.size(); ++p)
            result.batch.push_back(result.sweep->ruleInput(p).data());
        return result;
    }

    Setup<T> setup_;
    LearningState<T> state_;
    Conductor<T> conductor_;
    std::unique_ptr<Executor> evaluator_;
    std::mutex evaluating_;
    int version_ = 0;
};

} // namespace

std::unique_ptr<Session> Session::create(const Experiment& experiment, const Registry& registry,
                                         const SessionOptions& options) {
    requireMemory(experiment, registry, options);
    if (experiment.precision == Precision::float64)
        return std::make_unique<SessionOf<double>>(experiment, registry, options);
    return std::make_unique<SessionOf<float>>(experiment, registry, options);
}

} // namespace raphe
