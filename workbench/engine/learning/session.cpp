// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/session.h"

#include "engine/base/executor.h"
#include "engine/learning/optimiser.h"
#include "engine/sweep/sweep.h"
#include "engine/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>

namespace raphe {

struct Session::Control {
    mutable std::mutex mutex;
    std::condition_variable changed;
    bool paused = false, cancelled = false;
    std::vector<Intervention> interventions;
    int version = 0;
};

Session::Session(const Experiment& experiment, const Registry& registry)
    : experiment_(experiment), graph_(experiment, registry), control_(std::make_shared<Control>()) {
    control_->interventions = experiment.interventions;
}

void Session::pause() {
    const std::lock_guard lock(control_->mutex);
    control_->paused = true;
}
void Session::resume() {
    const std::lock_guard lock(control_->mutex);
    control_->paused = false;
    control_->changed.notify_all();
}
void Session::cancel() {
    const std::lock_guard lock(control_->mutex);
    control_->cancelled = true;
    control_->changed.notify_all();
}
bool Session::cancelled() const {
    const std::lock_guard lock(control_->mutex);
    return control_->cancelled;
}
void Session::clearCancel() {
    const std::lock_guard lock(control_->mutex);
    control_->cancelled = false;
}
void Session::setInterventions(std::vector<Intervention> interventions) {
    for (const auto& intervention : interventions) checkIntervention(intervention);
    const std::lock_guard lock(control_->mutex);
    control_->interventions = std::move(interventions);
    ++control_->version;
}
std::vector<Intervention> Session::interventions() const { return currentInterventions().first; }
std::pair<std::vector<Intervention>, int> Session::currentInterventions() const {
    const std::lock_guard lock(control_->mutex);
    return {control_->interventions, control_->version};
}

void Session::requireTraining() const {
    if (graph_.rule() < 0)
        throw Error("nodes", "the experiment has no learning rule; add a node such as \"learner\": {\"mechanism\": "
                             "\"rule.supervised\"}");
    if (graph_.task() < 0) throw Error("nodes", "the experiment has no task; add a node with a task");
}

bool Session::trainTo(int iterations, SessionObserver* observer) {
    while (iteration() < iterations) {
        {
            std::unique_lock lock(control_->mutex);
            if (control_->paused && !control_->cancelled) {
                lock.unlock();
                if (observer) observer->onPaused(*this);
                lock.lock();
                control_->changed.wait(lock, [&] { return !control_->paused || control_->cancelled; });
                lock.unlock();
                if (observer) observer->onResumed(*this);
                lock.lock();
            }
            if (control_->cancelled) return false;
        }
        const auto report = iterate();
        if (observer) observer->onIteration(*this, report);
    }
    return true;
}

bool GradientCheckReport::passed() const {
    return std::all_of(tensors.begin(), tensors.end(), [this](const auto& t) { return t.largestError <= tolerance; });
}

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

template <class T>
class SessionOf final : public Session {
public:
    SessionOf(const Experiment& experiment, const Registry& registry, const SessionOptions& options)
        : Session(experiment, registry), network_(graph_, experiment.dt), tensors_(network_.parameters()),
          weights_(network_.size()), gradient_(network_.size()) {
        detail::pinBlockSizes();
        const int threadCount =
            options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
        executor_ = makeExecutor(options.executor, threadCount, options.scheduleSeed);
        network_.initialise(weights_, experiment_.seed);
        if (graph_.rule() >= 0) optimiser_.emplace(network_.rule().optimiser(), network_.size());
        if (graph_.task() >= 0) {
            steps_ = network_.task().steps();
            if (steps_ < 1)
                throw Error("nodes." + graph_.nodes()[at(graph_.task())].name, "a trial of this task has no steps");
            batch_ = experiment_.trials > 0 ? experiment_.trials : network_.task().trialSet();
            if (batch_ < 1)
                throw Error("trials",
                            "the task has no fixed set of trials; say how many make a batch, e.g. \"trials\": 30");
            experiment_.trials = batch_;
            if (experiment_.chunk <= 0) experiment_.chunk = defaultChunk(batch_);
            chunk_ = std::min(experiment_.chunk, batch_);
        }
        for (const auto& pattern : experiment_.frozen)
            if (freeze(pattern, true) == 0)
                throw Error("frozen", "no tensor matches \"" + pattern + "\"" + suggestion(pattern, tensorNames()));
        for (const auto& intervention : experiment_.interventions) checkIntervention(intervention);
    }

    int threads() const override { return executor_->threads(); }
    int iteration() const override { return iteration_; }
    int batchTrials() const override { return batch_; }
    int steps() const override { return steps_; }
    double trainingSeconds() const override { return seconds_; }

    IterationReport iterate() override {
        requireTraining();
        const auto begun = std::chrono::steady_clock::now();
        refreshInterventions();
        const int chunks = (batch_ + chunk_ - 1) / chunk_;
        if (results_.size() != at(chunks)) {
            results_.clear();
            for (int c = 0; c < chunks; ++c) results_.emplace_back().gradient = AlignedArray<T>(network_.size());
        }
        const auto* batchSignals = network_.rule().needsBatch() ? &surveyBatch() : nullptr;

        std::vector<const Recording*> due;
        for (const auto& recording : experiment_.recordings)
            if (iteration_ % recording.everyIterations == 0) due.push_back(&recording);
        IterationReport report;
        std::vector<std::pair<int, int>> ports;
        for (const auto* recording : due) {
            const int node = graph_.requireNode(recording->port.node, "record");
            const int port = graph_.outputPort(node, recording->port.port, "record");
            ports.emplace_back(node, port);
            const std::int64_t units = graph_.nodes()[at(node)].portSizes[at(port)];
            const std::int64_t kept = (steps_ + recording->everySteps - 1) / recording->everySteps,
                               trials = std::min(recording->trials, batch_);
            report.signals.emplace_back(*recording,
                                        Tensor{{kept, trials, units},
                                               std::vector<double>(static_cast<std::size_t>(kept * trials * units)),
                                               precision()});
        }

        executor_->run(chunks, [&](int c) {
            auto lent = borrow();
            auto& sweep = *lent;
            auto& result = results_[at(c)];
            const TrialRange range = rangeOf(c);
            bool recorded = false;
            for (const auto* recording : due) recorded = recorded || static_cast<int>(range.first) < recording->trials;
            sweep.capture(recorded ? ports : std::vector<std::pair<int, int>>{});
            result.gradient.clear();
            sweep.learn(range, weights_.data(), result.gradient.data(), batchSignals);
            result.take(sweep.objective());
            if (recorded)
                for (std::size_t i = 0; i < due.size(); ++i)
                    copySignal(sweep.captured(i), range, due[i]->everySteps, report.signals[i].second);
            giveBack(std::move(lent));
        });
        const double weight = reduceGradients();
        report.metrics = reduceMetrics();
        finishIteration(report, weight, begun);
        return report;
    }

    IterationReport iterateOn(const std::vector<NamedTensor>& inputs) override {
        requireTraining();
        const auto begun = std::chrono::steady_clock::now();
        Given given = readGiven(inputs, {});
        auto sweep = openLoopSweep(given, true);
        const TrialRange range{static_cast<std::uint32_t>(iteration_), 0, given.trials, given.trials};
        results_.clear();
        results_.emplace_back().gradient = AlignedArray<T>(network_.size());
        const auto batch = batchFrom(*sweep, range);
        sweep->learn(range, weights_.data(), results_[0].gradient.data(), batch.empty() ? nullptr : &batch);
        results_[0].take(sweep->objective());
        IterationReport report;
        const double weight = reduceGradients();
        report.metrics = reduceMetrics();
        finishIteration(report, weight, begun);
        results_.clear();
        return report;
    }

    double lossOn(const std::vector<NamedTensor>& inputs) override {
        requireTraining();
        Given given = readGiven(inputs, {});
        auto sweep = openLoopSweep(given, true);
        const TrialRange range{static_cast<std::uint32_t>(iteration_), 0, given.trials, given.trials};
        const auto batch = batchFrom(*sweep, range);
        sweep->act(range, weights_.data());
        sweep->evaluateObjective(range, batch.empty() ? nullptr : &batch, nullptr, false);
        return sweep->objective().loss / sweep->objective().lossWeight;
    }

    EvaluateResult evaluate(const EvaluateRequest& request) override {
        if (graph_.task() < 0) throw Error("evaluate", "the experiment has no task; use forward with given inputs");
        const int trials = request.trials > 0 ? request.trials : batch_;
        std::vector<std::pair<int, int>> ports;
        EvaluateResult result;
        for (const auto& text : request.record) {
            ports.push_back(resolvePort(text, "record"));
            const std::int64_t units = graph_.nodes()[at(ports.back().first)].portSizes[at(ports.back().second)];
            if (static_cast<double>(steps_) * trials * static_cast<double>(units) > 1e9)
                throw Error("record", text + " would take more than 8 GB; record fewer trials");
            result.signals.emplace_back(
                text, Tensor{{steps_, trials, units},
                             std::vector<double>(at(steps_) * at(trials) * static_cast<std::size_t>(units)),
                             precision()});
        }
        auto plan = makePlan(steps_, chunk_);
        plan.seed = addressOf("evaluation", experiment_.seed);
        for (const auto& intervention : request.interventions)
            plan.interventions.push_back(resolveIntervention(intervention));
        const int chunks = (trials + chunk_ - 1) / chunk_;
        std::vector<Result> parts(at(chunks));
        const bool scored = graph_.rule() >= 0;
        std::mutex mutex;
        std::vector<std::unique_ptr<Sweep<T>>> idle;
        const auto forEachChunk = [&](const std::function<void(Sweep<T>&, const TrialRange&, int)>& work) {
            executor_->run(chunks, [&](int c) {
                std::unique_ptr<Sweep<T>> sweep;
                {
                    const std::lock_guard lock(mutex);
                    if (!idle.empty()) {
                        sweep = std::move(idle.back());
                        idle.pop_back();
                    }
                }
                if (!sweep) sweep = std::make_unique<Sweep<T>>(plan);
                requireNotCancelled("evaluate");
                const TrialRange range{request.stream, static_cast<std::uint32_t>(c * chunk_),
                                       std::min(chunk_, trials - c * chunk_), trials};
                work(*sweep, range, c);
                const std::lock_guard lock(mutex);
                idle.push_back(std::move(sweep));
            });
        };
        BatchStore store;
        std::vector<const T*> pointers;
        if (scored && network_.rule().needsBatch()) {
            store = makeBatchStore(trials);
            forEachChunk([&](Sweep<T>& sweep, const TrialRange& range, int) {
                sweep.act(range, weights_.data());
                copyToBatch(sweep, range, store);
            });
            for (const auto& s : store) pointers.push_back(s.data());
        }
        forEachChunk([&](Sweep<T>& sweep, const TrialRange& range, int c) {
            sweep.capture(ports);
            sweep.act(range, weights_.data());
            if (scored) {
                sweep.evaluateObjective(range, pointers.empty() ? nullptr : &pointers, nullptr, false);
                parts[at(c)].take(sweep.objective());
            }
            for (std::size_t i = 0; i < ports.size(); ++i)
                copySignal(sweep.captured(i), range, 1, result.signals[i].second);
        });
        if (scored) result.metrics = reduceMetrics(parts);
        return result;
    }

    ForwardResult forward(const ForwardRequest& request) override {
        Given given = readGiven(request.inputs, request.initialStates);
        auto sweep = openLoopSweep(given, false);
        std::vector<std::pair<int, int>> ports;
        for (const auto& text : request.record) ports.push_back(resolvePort(text, "record"));
        sweep->capture(ports);
        const TrialRange range{0, 0, given.trials, given.trials};
        sweep->actAndSettle(range, weights_.data());
        ForwardResult result;
        for (std::size_t i = 0; i < ports.size(); ++i)
            result.signals.push_back(
                {request.record[i], signalTensor(sweep->captured(i), given,
                                                 graph_.nodes()[at(ports[i].first)].portSizes[at(ports[i].second)])});
        for (std::size_t n = 0; n < network_.nodes().size(); ++n)
            for (std::size_t k = 0; k < network_.nodes()[n].states.size(); ++k)
                result.finalStates.push_back(
                    stateTensor(sweep->finalState(static_cast<int>(n), static_cast<int>(k)), given.trials));
        return result;
    }

    GradientResult gradient(const GradientRequest& request) override {
        Given given = readGiven(request.forward.inputs, request.forward.initialStates);
        std::vector<std::pair<int, int>> givenPorts;
        for (const auto& signal : given.signals) givenPorts.emplace_back(signal.node, signal.port);
        typename Sweep<T>::Terminal terminal;
        for (const auto& weight : request.outputWeights) {
            const auto [node, port] = resolvePort(weight.name, "weights");
            terminal.outputs.push_back(
                {node, port,
                 signalValues(weight, given.steps, given.trials, graph_.nodes()[at(node)].portSizes[at(port)])});
        }
        for (const auto& weight : request.stateWeights) terminal.states.push_back(readState(weight, given.trials));
        auto sweep = openLoopSweep(given, false);
        AlignedArray<T> gradient(network_.size());
        const TrialRange range{0, 0, given.trials, given.trials};
        const auto gradients = sweep->differentiate(range, weights_.data(), gradient.data(), terminal, givenPorts);
        GradientResult result;
        for (const auto& info : tensors_) result.parameters.push_back({info.name, toTensor(gradient.data(), info)});
        for (const auto& g : gradients.given)
            result.inputs.push_back({portName(g.node, g.port),
                                     signalTensor(g.values, given, graph_.nodes()[at(g.node)].portSizes[at(g.port)])});
        for (const auto& g : gradients.initial) result.initialStates.push_back(stateTensor(g, given.trials));
        return result;
    }

    /// Differences of the loss carry rounding errors of about 1e-16 / step; gradients far below the largest of the
    /// network cannot be told from them, so errors are relative to at least 1e-4 of that.
    GradientCheckReport checkGradients(int entriesPerTensor) override {
        requireTraining();
        if (!std::is_same_v<T, double>)
            throw Error("precision", "gradients are checked in float64; set precision to float64");
        const int trials = std::min(batch_, 4);
        const TrialRange range{0, 0, trials, trials};
        refreshInterventions();
        Sweep<T> acting(makePlan(steps_, trials));
        AlignedArray<T> tape(network_.size()), moved(network_.size());
        acting.act(range, weights_.data());
        auto batch = batchPointers(acting);
        acting.learn(range, weights_.data(), tape.data(), batch.empty() ? nullptr : &batch);
        const double weight = acting.objective().lossWeight;
        Sweep<T> replay(makePlan(steps_, trials));
        replay.give(acting.knownSignals(), {}, true);
        std::vector<T> frozen;
        const auto loss = [&](const AlignedArray<T>& w, bool first) {
            requireNotCancelled("gradcheck");
            replay.act(range, w.data());
            auto pointers = batchPointers(replay);
            replay.evaluateObjective(range, pointers.empty() ? nullptr : &pointers, &frozen, !first);
            return replay.objective().loss / weight;
        };
        loss(weights_, true);
        std::copy_n(weights_.data(), network_.size(), moved.data());
        double overall = 0;
        for (const auto& info : tensors_)
            for (std::size_t i = 0; i < info.size(); ++i)
                overall = std::max(overall, std::abs(double(tape[info.offset + i])) / weight);
        GradientCheckReport report;
        for (const auto& info : tensors_) {
            GradientCheckEntry entry{info.name, 0, 0, 0};
            Stream stream(experiment_.seed, addressOf(info.name, addressOf("gradcheck")), 0, 0, 0);
            std::vector<std::size_t> which(info.size());
            std::iota(which.begin(), which.end(), std::size_t{0});
            stream.shuffle(which.begin(), static_cast<std::uint32_t>(which.size()));
            which.resize(std::min(which.size(), at(entriesPerTensor)));
            for (std::size_t i = 0; i < info.size(); ++i)
                entry.largestGradient =
                    std::max(entry.largestGradient, std::abs(double(tape[info.offset + i])) / weight);
            const double scale = std::max({entry.largestGradient, 1e-4 * overall, 1e-12});
            // Where a bound is crossed between the two points, a difference is wrong however exact the gradient is;
            // closer points then agree. So the step is made smaller as long as that helps.
            const auto compare = [&](const std::function<double(double)>& lossAt, double expected) {
                double error = std::numeric_limits<double>::infinity();
                for (double h : {1e-5, 1e-6, 1e-7}) {
                    error = std::min(error, std::abs((lossAt(h) - lossAt(-h)) / (2 * h) - expected));
                    if (error / scale < 0.1 * report.tolerance) break;
                }
                entry.largestError = std::max(entry.largestError, error / scale);
                ++entry.entries;
            };
            for (auto i : which) {
                T& x = moved[info.offset + i];
                const T old = x;
                compare(
                    [&](double h) {
                        x = old + T(h);
                        const double value = loss(moved, false);
                        x = old;
                        return value;
                    },
                    double(tape[info.offset + i]) / weight);
            }
            // One direction through the whole tensor, so that every entry takes part.
            std::vector<double> direction(info.size());
            double norm = 0, along = 0;
            for (auto& d : direction) {
                d = stream.normal();
                norm += d * d;
            }
            for (std::size_t i = 0; i < info.size(); ++i) {
                direction[i] /= std::sqrt(norm);
                along += direction[i] * double(tape[info.offset + i]) / weight;
            }
            compare(
                [&](double h) {
                    for (std::size_t i = 0; i < info.size(); ++i)
                        moved[info.offset + i] = weights_[info.offset + i] + T(h * direction[i]);
                    return loss(moved, false);
                },
                along);
            std::copy_n(weights_.data() + info.offset, info.size(), moved.data() + info.offset);
            report.tensors.push_back(entry);
        }
        return report;
    }

    std::vector<ParameterDescription> parameters() const override {
        std::vector<ParameterDescription> result;
        for (const auto& info : tensors_) result.push_back({info.name, info.rows, info.cols, info.trainable});
        return result;
    }
    Tensor get(const std::string& name) const override { return toTensor(weights_.data(), find(name)); }
    void set(const std::string& name, const Tensor& tensor) override {
        assign(weights_.data(), find(name), tensor, name);
    }
    int freeze(const std::string& pattern, bool frozen) override {
        int count = 0;
        for (auto& info : tensors_)
            if (matches(pattern, info.name)) {
                info.trainable = !frozen;
                ++count;
            }
        return count;
    }
    std::vector<NamedTensor> weights() const override {
        std::vector<NamedTensor> result;
        for (const auto& info : tensors_) result.push_back({info.name, toTensor(weights_.data(), info)});
        return result;
    }
    void resetOptimiser() override {
        if (optimiser_) optimiser_->reset();
    }
    SessionSnapshot snapshot() const override {
        SessionSnapshot s{iteration_, optimiser_ ? optimiser_->steps() : 0, seconds_, weights()};
        if (optimiser_) {
            auto& optimiser = const_cast<Optimiser<T>&>(*optimiser_);
            for (const auto& info : tensors_) {
                s.tensors.push_back({"optimiser.first." + info.name, toTensor(optimiser.firstMoment().data(), info)});
                if (optimiser.secondMoment().size() != 0)
                    s.tensors.push_back(
                        {"optimiser.second." + info.name, toTensor(optimiser.secondMoment().data(), info)});
            }
        }
        return s;
    }
    void restore(const SessionSnapshot& s) override {
        std::map<std::string, const Tensor*> byName;
        for (const auto& item : s.tensors) byName[item.name] = &item.tensor;
        const auto load = [&](T* to, const ParameterInfo& info, const std::string& name) {
            const auto found = byName.find(name);
            if (found == byName.end())
                throw Error("checkpoint", "lacks tensor " + name + "; it belongs to another experiment");
            assign(to, info, *found->second, name);
        };
        AlignedArray<T> weights(network_.size());
        for (const auto& info : tensors_) load(weights.data(), info, info.name);
        if (optimiser_)
            for (const auto& info : tensors_) {
                load(optimiser_->firstMoment().data(), info, "optimiser.first." + info.name);
                if (optimiser_->secondMoment().size() != 0)
                    load(optimiser_->secondMoment().data(), info, "optimiser.second." + info.name);
            }
        weights_ = std::move(weights);
        iteration_ = s.iteration;
        seconds_ = s.seconds;
        if (optimiser_) optimiser_->setSteps(s.optimiserSteps);
    }

protected:
    void checkIntervention(const Intervention& intervention) const override { resolveIntervention(intervention); }

private:
    struct Result {
        AlignedArray<T> gradient;
        double loss = 0, weight = 0;
        std::vector<typename Objective<T>::Metric> metrics;
        void take(const Objective<T>& objective) {
            loss = objective.loss;
            weight = objective.lossWeight;
            metrics.assign(objective.metrics.begin(), objective.metrics.end());
        }
    };
    struct Given {
        std::vector<GivenSignal<T>> signals;
        std::vector<GivenState<T>> states;
        int steps = 0, trials = 0;
    };
    using BatchStore = std::vector<std::vector<T>>; ///< by port of the rule: units x (steps * batch trials)

    static Precision precision() { return std::is_same_v<T, float> ? Precision::float32 : Precision::float64; }
    /// As even as possible, at most 16.
    static int defaultChunk(int trials) {
        const int chunks = (trials + 15) / 16;
        return (trials + chunks - 1) / chunks;
    }

    void requireNotCancelled(const std::string& what) const {
        if (cancelled()) throw Error(what, "cancelled");
    }
    SweepPlan<T> makePlan(int steps, int trials) const {
        SweepPlan<T> plan;
        plan.network = &network_;
        plan.steps = steps;
        plan.trials = trials;
        plan.dt = experiment_.dt;
        plan.seed = experiment_.seed;
        plan.memoryBytes = static_cast<std::size_t>(experiment_.memoryMiB * 1048576);
        for (const auto& intervention : currentInterventions().first)
            plan.interventions.push_back(resolveIntervention(intervention));
        return plan;
    }

    /// Interventions may have been replaced since the last iteration; sweeps are made for a fixed set of them. Freezing
    /// takes effect through the layout that the optimiser sees.
    void refreshInterventions() {
        const int version = currentInterventions().second;
        if (version == planVersion_) return;
        const std::lock_guard lock(poolMutex_);
        pool_.clear();
        plan_ = makePlan(steps_, chunk_);
        planVersion_ = version;
    }
    std::unique_ptr<Sweep<T>> borrow() {
        {
            const std::lock_guard lock(poolMutex_);
            if (!pool_.empty()) {
                auto sweep = std::move(pool_.back());
                pool_.pop_back();
                return sweep;
            }
        }
        return std::make_unique<Sweep<T>>(plan_);
    }
    void giveBack(std::unique_ptr<Sweep<T>> sweep) {
        const std::lock_guard lock(poolMutex_);
        pool_.push_back(std::move(sweep));
    }

    TrialRange rangeOf(int c) const {
        return {static_cast<std::uint32_t>(iteration_), static_cast<std::uint32_t>(c * chunk_),
                std::min(chunk_, batch_ - c * chunk_), batch_};
    }

    BatchStore makeBatchStore(int trials) const {
        BatchStore store;
        const auto& rule = graph_.nodes()[at(graph_.rule())];
        for (std::size_t p = 0; p < rule.portSizes.size(); ++p)
            store.emplace_back(rule.wired[p] ? at(rule.portSizes[p]) * at(steps_) * at(trials) : 0);
        return store;
    }
    void copyToBatch(const Sweep<T>& sweep, const TrialRange& range, BatchStore& store) const {
        const auto& rule = graph_.nodes()[at(graph_.rule())];
        for (std::size_t p = 0; p < store.size(); ++p) {
            const auto rows = at(rule.portSizes[p]);
            if (store[p].empty()) continue;
            for (int t = 0; t < steps_; ++t)
                std::copy_n(sweep.ruleInput(p).data() + rows * at(t) * at(sweep.trials()), rows * at(range.counted),
                            store[p].data() + rows * (at(t) * at(range.batch) + range.first));
        }
    }
    /// Signals of the whole batch at the rule's ports, from an extra acting pass.
    const std::vector<const T*>& surveyBatch() {
        if (batchStore_.empty()) batchStore_ = makeBatchStore(batch_);
        executor_->run((batch_ + chunk_ - 1) / chunk_, [&](int c) {
            auto sweep = borrow();
            sweep->capture({});
            sweep->act(rangeOf(c), weights_.data());
            copyToBatch(*sweep, rangeOf(c), batchStore_);
            giveBack(std::move(sweep));
        });
        batchPointers_.clear();
        for (const auto& s : batchStore_) batchPointers_.push_back(s.data());
        return batchPointers_;
    }
    /// The rule's signals of a sweep that holds the whole batch.
    std::vector<const T*> batchPointers(const Sweep<T>& sweep) const {
        std::vector<const T*> pointers;
        if (network_.rule().needsBatch())
            for (std::size_t p = 0; p < graph_.nodes()[at(graph_.rule())].portSizes.size(); ++p)
                pointers.push_back(sweep.ruleInput(p).data());
        return pointers;
    }
    std::vector<const T*> batchFrom(Sweep<T>& sweep, const TrialRange& range) const {
        if (network_.rule().needsBatch()) sweep.act(range, weights_.data());
        return batchPointers(sweep);
    }

    double reduceGradients() {
        double weight = 0;
        for (const auto& result : results_) weight += result.weight;
        const T scale = static_cast<T>(1 / weight);
        constexpr std::size_t block = 8192;
        const auto size = network_.size();
        const auto sumBlock = [&](int b) { // in the order of chunks, whoever does it
            const std::size_t first = at(b) * block, last = std::min(first + block, size);
            T* __restrict to = gradient_.data();
            std::copy(results_[0].gradient.data() + first, results_[0].gradient.data() + last, to + first);
            for (std::size_t c = 1; c < results_.size(); ++c) {
                const T* __restrict from = results_[c].gradient.data();
                for (std::size_t i = first; i < last; ++i) to[i] += from[i];
            }
            for (std::size_t i = first; i < last; ++i) to[i] *= scale;
        };
        const int blocks = static_cast<int>((size + block - 1) / block);
        if (size * results_.size() > 200'000)
            executor_->run(blocks, sumBlock);
        else
            for (int b = 0; b < blocks; ++b) sumBlock(b);
        return weight;
    }

    NamedNumbers reduceMetrics() const { return reduceMetrics(results_); }
    static NamedNumbers reduceMetrics(const std::vector<Result>& results) {
        double loss = 0, weight = 0;
        for (const auto& result : results) {
            loss += result.loss;
            weight += result.weight;
        }
        NamedNumbers metrics{{"loss", loss / weight}};
        for (std::size_t m = 0; m < results[0].metrics.size(); ++m) {
            double sum = 0, count = 0;
            for (const auto& result : results) {
                sum += result.metrics[m].sum;
                count += result.metrics[m].count;
            }
            if (std::string(results[0].metrics[m].name) != "loss")
                metrics.emplace_back(results[0].metrics[m].name, sum / count);
        }
        return metrics;
    }

    void finishIteration(IterationReport& report, double weight, std::chrono::steady_clock::time_point begun) {
        const double loss = report.metrics.front().second;
        double total = 0;
        for (const auto& info : tensors_)
            if (info.trainable)
                for (std::size_t i = 0; i < info.size(); ++i) total += std::abs(double(gradient_[info.offset + i]));
        if (!std::isfinite(loss) || !std::isfinite(weight) || !std::isfinite(total)) explainNonFinite(loss);
        const double norm = optimiser_->step(weights_, gradient_, tensors_, iteration_);
        report.metrics.emplace_back("gradient_norm", norm);
        report.iteration = iteration_++;
        seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
        report.seconds = seconds_;
    }

    [[noreturn]] void explainNonFinite(double loss) {
        const auto advice =
            fmt::format("lower {0}.learning_rate or set {0}.clip_norm", graph_.nodes()[at(graph_.rule())].name);
        for (const auto& info : tensors_)
            for (std::size_t i = 0; i < info.size(); ++i)
                if (!std::isfinite(double(weights_[info.offset + i])))
                    throw NumericError(fmt::format("iteration {}: tensor {} holds a number that is not finite; {}",
                                                   iteration_, info.name, advice));
        Sweep<T> probe(makePlan(steps_, chunk_));
        for (int c = 0; c * chunk_ < batch_; ++c)
            if (const auto bad = probe.findNonFinite(rangeOf(c), weights_.data()))
                throw NumericError(fmt::format("iteration {}: signal {} is not finite from step {} of trial {} on; {}",
                                               iteration_, portName(bad->node, bad->port), bad->step, bad->trial,
                                               advice));
        for (const auto& info : tensors_)
            for (std::size_t i = 0; i < info.size(); ++i)
                if (!std::isfinite(double(gradient_[info.offset + i])))
                    throw NumericError(fmt::format("iteration {}: the gradient of tensor {} is not finite; {}",
                                                   iteration_, info.name, advice));
        throw NumericError(fmt::format("iteration {}: the loss is {}; {}", iteration_, loss, advice));
    }

    // -- names and tensors --------------------------------------------------------------------------------------------

    std::vector<std::string> tensorNames() const {
        std::vector<std::string> names;
        for (const auto& info : tensors_) names.push_back(info.name);
        return names;
    }
    const ParameterInfo& find(const std::string& name) const {
        for (const auto& info : tensors_)
            if (info.name == name) return info;
        throw Error(name, "the session has no tensor of this name" + suggestion(name, tensorNames()));
    }
    std::pair<int, int> resolvePort(const std::string& text, const std::string& place) const {
        const auto address = parseAddress(text, place);
        const int node = graph_.requireNode(address.node, place);
        return {node, graph_.outputPort(node, address.port, place)};
    }
    std::string portName(int node, int port) const {
        const auto& item = graph_.nodes()[at(node)];
        return item.name + "." + item.declaration().ports[at(port)].name;
    }

    ResolvedIntervention resolveIntervention(const Intervention& i) const {
        const auto place = "intervention on " + i.target.text();
        ResolvedIntervention r;
        r.node = graph_.requireNode(i.target.node, place);
        r.operation = i.operation;
        r.value = i.value;
        r.from = i.from;
        if (i.to >= 0) r.to = i.to;
        for (std::size_t p = 0; p < tensors_.size(); ++p)
            if (tensors_[p].name == i.target.text()) r.parameter = static_cast<int>(p);
        int limit = 0;
        if (r.parameter >= 0) {
            const auto& info = tensors_[at(r.parameter)];
            limit = static_cast<int>(info.size());
            if (i.component >= 0 && i.component < limit)
                r.component = (i.component % info.cols) * info.rows + i.component / info.cols;
        } else {
            r.port = graph_.outputPort(r.node, i.target.port, place);
            if (graph_.nodes()[at(r.node)].kind() == Kind::task)
                throw Error(place, "a task's signals cannot be changed; intervene on the port of a model");
            limit = graph_.nodes()[at(r.node)].portSizes[at(r.port)];
            r.component = i.component;
        }
        if (i.component >= limit)
            throw Error(place,
                        fmt::format("component {} does not exist; there are {}, counted from 0", i.component, limit));
        if (i.from < 0 || (steps_ > 0 && i.from >= steps_))
            throw Error(place, fmt::format("step {} lies outside the trial (0 to {})", i.from, steps_ - 1));
        return r;
    }

    Tensor toTensor(const T* flat, const ParameterInfo& info) const {
        Tensor tensor{{info.rows, info.cols}, std::vector<double>(info.size()), precision()};
        for (int r = 0; r < info.rows; ++r)
            for (int c = 0; c < info.cols; ++c)
                tensor.values[at(r) * at(info.cols) + at(c)] =
                    double(flat[info.offset + at(c) * at(info.rows) + at(r)]);
        return tensor;
    }
    /// Accepts (rows, columns), and a plain vector of the same size.
    static void assign(T* flat, const ParameterInfo& info, const Tensor& tensor, const std::string& name) {
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

    /// (steps, trials, units) row-major is units x (steps * trials) column-major: the same order of numbers.
    static std::vector<T> signalValues(const NamedTensor& item, int steps, int trials, int units) {
        const auto& shape = item.tensor.shape;
        if (shape.size() != 3 || shape[0] != steps || shape[1] != trials || shape[2] != units ||
            item.tensor.values.size() != at(steps) * at(trials) * at(units))
            throw Error(item.name, fmt::format("expected shape (steps, trials, units) = ({}, {}, {}), got ({})", steps,
                                               trials, units, fmt::join(shape, ", ")));
        for (double x : item.tensor.values)
            if (!std::isfinite(x)) throw Error(item.name, "holds a number that is not finite");
        return std::vector<T>(item.tensor.values.begin(), item.tensor.values.end());
    }
    Tensor signalTensor(const std::vector<T>& values, const Given& given, int units) const {
        return {{given.steps, given.trials, units}, std::vector<double>(values.begin(), values.end()), precision()};
    }
    GivenState<T> readState(const NamedTensor& item, int trials) const {
        const auto address = parseAddress(item.name, "states");
        const int node = graph_.requireNode(address.node, "states");
        const auto& states = network_.nodes()[at(node)].states;
        std::vector<std::string> names;
        for (std::size_t k = 0; k < states.size(); ++k) {
            names.push_back(states[k].name);
            if (states[k].name != address.port) continue;
            const auto dense = at(states[k].rows) * at(states[k].columns);
            if (item.tensor.values.size() != dense * at(trials))
                throw Error(item.name, fmt::format("expected {} numbers ({} for each of {} trials), got {}",
                                                   dense * at(trials), dense, trials, item.tensor.values.size()));
            GivenState<T> state{node, static_cast<int>(k), {}};
            for (int b = 0; b < trials; ++b) // a matrix comes row by row and is kept column by column
                for (int c = 0; c < states[k].columns; ++c)
                    for (int r = 0; r < states[k].rows; ++r)
                        state.values.push_back(
                            static_cast<T>(item.tensor.values[at(b) * dense + at(r) * at(states[k].columns) + at(c)]));
            return state;
        }
        throw Error(item.name, "the node has no state of this name" + suggestion(address.port, names));
    }
    NamedTensor stateTensor(const GivenState<T>& state, int trials) const {
        const auto& info = network_.nodes()[at(state.node)].states[at(state.state)];
        NamedTensor result{graph_.nodes()[at(state.node)].name + "." + info.name,
                           {{trials, info.rows}, std::vector<double>(state.values.size()), precision()}};
        if (info.columns > 1) result.tensor.shape.push_back(info.columns);
        const auto dense = at(info.rows) * at(info.columns);
        for (int b = 0; b < trials; ++b)
            for (int c = 0; c < info.columns; ++c)
                for (int r = 0; r < info.rows; ++r)
                    result.tensor.values[at(b) * dense + at(r) * at(info.columns) + at(c)] =
                        double(state.values[at(b) * dense + at(c) * at(info.rows) + at(r)]);
        return result;
    }

    Given readGiven(const std::vector<NamedTensor>& inputs, const std::vector<NamedTensor>& initialStates) const {
        if (inputs.empty())
            throw Error("inputs", "no signal is given; name at least one output port, e.g. task.observation");
        Given given;
        for (const auto& item : inputs) {
            const auto [node, port] = resolvePort(item.name, "inputs");
            if (given.signals.empty()) {
                if (item.tensor.shape.size() != 3 || item.tensor.shape[0] < 1 || item.tensor.shape[1] < 1 ||
                    item.tensor.shape[0] > 10'000'000 || item.tensor.shape[1] > 1'000'000)
                    throw Error(item.name, fmt::format("expected shape (steps, trials, units), got ({})",
                                                       fmt::join(item.tensor.shape, ", ")));
                given.steps = static_cast<int>(item.tensor.shape[0]);
                given.trials = static_cast<int>(item.tensor.shape[1]);
            }
            given.signals.push_back(
                {node, port,
                 signalValues(item, given.steps, given.trials, graph_.nodes()[at(node)].portSizes[at(port)])});
        }
        for (const auto& item : initialStates) given.states.push_back(readState(item, given.trials));
        return given;
    }
    std::unique_ptr<Sweep<T>> openLoopSweep(Given& given, bool ruleOnly) const {
        // A signal of the task that is neither given nor computed would silently be zero.
        for (const auto& wire : graph_.wires()) {
            if (wire.fromNode != graph_.task()) continue;
            if (wire.toNode == graph_.rule() && !ruleOnly) continue;
            bool found = false;
            for (const auto& signal : given.signals)
                found = found || (signal.node == wire.fromNode && signal.port == wire.fromPort);
            bool replaced = false; // nobody asks the receiver if all its signals are given
            for (const auto& signal : given.signals) replaced = replaced || signal.node == wire.toNode;
            if (!found && !replaced)
                throw Error("inputs", "the task is not run here, so " + portName(wire.fromNode, wire.fromPort) +
                                          " must be given as well");
        }
        auto sweep = std::make_unique<Sweep<T>>(makePlan(given.steps, given.trials));
        sweep->give(given.signals, given.states, ruleOnly);
        return sweep;
    }

    void copySignal(const std::vector<T>& from, const TrialRange& range, int everySteps, Tensor& to) const {
        const auto units = static_cast<std::size_t>(to.shape[2]);
        const auto trials = static_cast<std::size_t>(to.shape[1]);
        for (std::size_t t = 0; t < static_cast<std::size_t>(to.shape[0]); ++t)
            for (std::size_t b = 0; b < at(range.counted) && range.first + b < trials; ++b) {
                const T* source = from.data() + units * (t * at(everySteps) * at(chunk_) + b);
                std::copy_n(source, units, to.values.data() + units * (t * trials + range.first + b));
            }
    }

    Network<T> network_;
    std::vector<ParameterInfo> tensors_; ///< the network's, with what is frozen now
    AlignedArray<T> weights_, gradient_;
    std::optional<Optimiser<T>> optimiser_;
    std::unique_ptr<Executor> executor_;
    int steps_ = 0, batch_ = 0, chunk_ = 0, iteration_ = 0;
    double seconds_ = 0;
    SweepPlan<T> plan_;
    int planVersion_ = -1;
    std::mutex poolMutex_;
    std::vector<std::unique_ptr<Sweep<T>>> pool_;
    std::vector<Result> results_;
    BatchStore batchStore_;
    std::vector<const T*> batchPointers_;
};

} // namespace

std::unique_ptr<Session> Session::create(const Experiment& experiment, const Registry& registry,
                                         const SessionOptions& options) {
    if (experiment.precision == Precision::float64)
        return std::make_unique<SessionOf<double>>(experiment, registry, options);
    return std::make_unique<SessionOf<float>>(experiment, registry, options);
}

} // namespace raphe
