// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/session.h"

#include "engine/base/text.h"
#include "engine/learning/conductor.h"
#include "engine/learning/credit_alignment.h"
#include "engine/learning/evaluation.h"
#include "engine/learning/gradient_check.h"
#include "engine/learning/open_loop.h"
#include "engine/learning/preflight.h"

#include <fmt/format.h>

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
    if (const auto sum = iterationsOf(experiment_.stages); sum > 0 && iterations > sum)
        throw Error("stages",
                    fmt::format("have {} iterations in all, so that none can be trained up to {}", sum, iterations));
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
    while (checkDue() || iteration() < iterations) {
        if (!training_.wait()) return false;
        try {
            if (checkDue()) {
                check(observer);
                continue;
            }
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
          evaluator_(makeExecutor(options.executor, setup_.executor->threads(), options.scheduleSeed)) {
        StagePlan plan(experiment, registry);
        if (plan.empty()) return;
        requireRules(plan);
        requireMetrics(plan);
        state_.follow(std::move(plan));
        enterStage();
    }

    int threads() const override { return setup_.executor->threads(); }
    int iteration() const override { return state_.iteration(); }
    int batchTrials() const override { return setup_.batch; }
    int steps() const override { return setup_.steps; }
    double trainingSeconds() const override { return state_.seconds(); }

    IterationReport iterate(SessionObserver* observer) override {
        requireRunning();
        check(observer);
        return inStage([&] {
            return conductor_.run([&](double fraction) {
                if (observer) observer->onProgress(*this, fraction);
            });
        });
    }

    bool checkDue() const override { return state_.stages() && state_.stages()->due(); }
    /// The weights do not change meanwhile, and an evaluation has random numbers of its own.
    void check(SessionObserver* observer) override {
        if (!checkDue()) return;
        const auto& stages = *state_.stages();
        const auto& stage = stages.plan().stages()[at(stages.position()->stage)];
        CheckReport report{stages.iteration() - 1, stage.name, {}, {}};
        std::vector<NamedNumbers> metrics;
        for (const int trials : stages.evaluations()) {
            EvaluateRequest request;
            request.trials = trials;
            request.stream = validationStream;
            metrics.push_back(evaluateTrials(setup_, setup_.network, state_.live().weights.data(), request,
                                             interventions(), *setup_.executor, training_)
                                  .metrics);
        }
        const auto decision = state_.decide(metrics);
        if (decision.takeUp) report.takenUp = decision.best;
        for (const auto& key : decision.reduced)
            report.reduced.emplace_back(key, numberOf(stages.params(stages.iteration()).at(key)));
        lookAhead();
        if (observer) observer->onCheck(*this, report);
    }

    IterationReport iterateOn(const std::vector<NamedTensor>& inputs) override {
        requireTraining();
        check(nullptr);
        return inStage([&] {
            const auto sweep = given(inputs);
            return conductor_.runOn(*sweep.sweep, sweep.range, sweep.batch.empty() ? nullptr : &sweep.batch);
        });
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
        const auto [weights, network] = committed();
        const std::lock_guard lock(evaluating_);
        try {
            return evaluateTrials(setup_, network, weights.data(), request, interventions(), *evaluator_, evaluation_);
        } catch (const Cancelled&) {
            throw Error("evaluate", "cancelled");
        }
    }
    std::unique_ptr<TrialPlayer> play(const EvaluateRequest& request) override {
        auto [weights, network] = committed();
        return playTrials(setup_, std::move(network), std::move(weights), request, interventions());
    }
    ForwardResult forward(const ForwardRequest& request) override {
        const auto [weights, network] = committed();
        return OpenLoop<T>(setup_, network, interventions()).forward(request, weights.data());
    }
    GradientResult gradient(const GradientRequest& request) override {
        const auto [weights, network] = committed();
        return OpenLoop<T>(setup_, network, interventions()).gradient(request, weights.data());
    }

    GradientCheckReport checkGradients(int entriesPerTensor) override {
        requireTraining();
        if constexpr (std::is_same_v<T, double>) {
            try {
                const auto [weights, network] = committed();
                return raphe::checkGradients(experiment_, network, weights, currentTensors(), interventions(),
                                             entriesPerTensor, evaluation_);
            } catch (const Cancelled&) {
                throw Error("gradcheck", "cancelled");
            }
        }
        throw Error("precision", "gradients are checked in float64; set precision to float64");
    }

    std::vector<CreditAlignment> alignCredit(const std::string& name) override {
        requireTraining();
        const auto names = creditNames();
        if (std::find(names.begin(), names.end(), name) == names.end())
            throw Error("credit", fmt::format("expected one of {}, got \"{}\"{}", fmt::join(names, ", "), name,
                                              suggestion(name, names)));
        const auto [weights, network] = committed();
        const Credit rules = network.rule().credit();
        try {
            return raphe::alignCredit(experiment_, network, weights, currentTensors(), interventions(),
                                      creditOf(name, rules.mu, rules.steps), iteration(), evaluation_);
        } catch (const Cancelled&) {
            throw Error("gradcheck", "cancelled");
        }
    }

    std::vector<ParameterDescription> parameters() const override {
        std::vector<ParameterDescription> result;
        for (const auto& info : currentTensors()) result.push_back({info.name, info.rows, info.cols, info.trainable});
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
    int freeze(const std::string& pattern, bool frozen) override {
        const std::lock_guard lock(state_.mutex());
        return setup_.freeze(pattern, frozen);
    }
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
    void restore(const SessionSnapshot& snapshot) override {
        state_.restore(snapshot);
        lookAhead();
    }

protected:
    void checkIntervention(const Intervention& intervention) const override { setup_.resolve(intervention); }

private:
    struct GivenBatch {
        std::unique_ptr<Network<T>> network;
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
    /// For readers on any thread, who may go on with them while the session trains.
    std::pair<AlignedArray<T>, Network<T>> committed() const {
        return state_.read(
            [&](const Learned<T>& learned) { return std::pair(learned.weights.clone(), setup_.network); });
    }
    std::vector<ParameterInfo> currentTensors() const {
        const std::lock_guard lock(state_.mutex());
        return setup_.tensors;
    }

    // -- stages -------------------------------------------------------------------------------------------------------

    /// The rule must be the same but for its settings wherever the stages lead it.
    void requireRules(const StagePlan& plan) const {
        auto network = setup_.network;
        for (std::size_t s = 0; s < plan.stages().size(); ++s)
            for (const auto& params : plan.samples(static_cast<int>(s)))
                network.replaceRule(params, fmt::format("stages[{}]", s));
    }

    /// What the metrics are called is seen in one iteration of few trials, on a copy.
    void requireMetrics(const StagePlan& plan) const {
        std::vector<StagePlan::Watched> watches;
        for (std::size_t s = 0; s < plan.stages().size(); ++s)
            for (auto& item : plan.watches(static_cast<int>(s))) watches.push_back(std::move(item));
        if (watches.empty() || steps() < 1) return;
        NamedNumbers training, evaluation;
        try {
            Experiment few = experiment_;
            few.trials = std::min(few.trials, 2);
            few.chunk = few.trials;
            few.recordings.clear();
            Setup<T> setup(few, graph_, {1, "tbb", 0});
            LearningState<T> state(setup);
            Conductor<T> conductor(setup, state, nullptr);
            evaluation = evaluateTrials(setup, setup.network, state.live().weights.data(), {}, few.interventions,
                                        *setup.executor, evaluation_)
                             .metrics;
            training = conductor.run({}).metrics;
        } catch (const Error&) {
            return; // the training itself says what is wrong
        }
        for (const auto& item : watches) item.require(item.watch->of == MetricSource::training ? training : evaluation);
    }

    /// Takes over what the present stage says of tensors and of the rule. @throws Error if the rule cannot be so
    void enterStage() {
        const auto* stages = state_.stages();
        if (!stages) return;
        const auto& plan = stages->plan();
        const auto now = stages->position();
        const int stage = now ? now->stage : static_cast<int>(plan.stages().size()) - 1;
        const auto params = stages->params(now ? stages->iteration() - (stages->due() ? 1 : 0) : plan.iterations() - 1);
        const std::lock_guard lock(state_.mutex());
        if (stage != stage_) setup_.freezeForStage([&](const auto& tensor) { return plan.freezes(stage, tensor); });
        stage_ = stage;
        if (params == params_) return;
        const auto credit = setup_.network.rule().credit();
        setup_.network.replaceRule(params, fmt::format("stages[{}]", stage));
        params_ = params;
        if (setup_.network.rule().credit() != credit) version_ = -1; // the conductor's sweeps are made for it
    }
    /// The same between iterations, so that readers see it. What is wrong with it the next iteration says.
    void lookAhead() {
        try {
            enterStage();
        } catch (const Error&) {
        }
    }

    template <class Iterate>
    IterationReport inStage(Iterate iterate) {
        const auto* stages = state_.stages();
        StagePosition now{-1, 0, false, false};
        if (stages) {
            now = stages->plan().at(stages->iteration());
            enterStage();
            if (now.first && stages->plan().stages()[at(now.stage)].resetOptimiser) state_.resetOptimiser();
        }
        refreshInterventions();
        auto report = iterate();
        if (!stages) return report;
        report.stage = now.stage;
        report.beginsStage = now.first;
        report.stageName = stages->plan().stages()[at(now.stage)].name;
        lookAhead();
        return report;
    }
    GivenBatch given(const std::vector<NamedTensor>& inputs) {
        GivenBatch result;
        result.range.iteration = static_cast<std::uint32_t>(state_.iteration());
        result.network = std::make_unique<Network<T>>(setup_.network);
        result.sweep = OpenLoop<T>(setup_, *result.network, interventions()).ruleSweep(inputs, result.range);
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
    int stage_ = -1;     ///< that has been entered
    ParamValues params_; ///< of the rule, where there are stages
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
