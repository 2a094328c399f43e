// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/conductor.h"

#include "engine/learning/batch_signals.h"
#include "engine/learning/recordings.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

namespace raphe {

template <class T>
Conductor<T>::Conductor(Setup<T>& setup, LearningState<T>& state, const Interrupt* interrupt)
    : setup_(setup), state_(state), gradient_(setup.network.size()), interrupt_(interrupt) {
    setInterventions(setup.experiment.interventions);
}

/// Sweeps are made for a fixed set of interventions. (Freezing takes effect through the layout the optimiser sees.)
template <class T>
void Conductor<T>::setInterventions(std::vector<Intervention> interventions) {
    interventions_ = std::move(interventions);
    collectPools_.clear();
    replayPools_.clear();
    if (setup_.steps < 1) return;
    plan_ = setup_.plan(setup_.steps, setup_.chunk, interventions_, interrupt_);
    pool_ = std::make_unique<SweepPool<T>>(plan_);
}

// -- the iteration ----------------------------------------------------------------------------------------------------

template <class T>
IterationReport Conductor<T>::run(const std::function<void(double)>& progress) {
    const auto begun = std::chrono::steady_clock::now();
    IterationReport report;
    report_ = &report;
    progress_ = &progress;
    ownMetrics_.clear();
    try {
        if (setup_.graph.rule() >= 0) {
            setup_.network.rule().iterate(*this);
            if (interrupt_) interrupt_->poll();      // whoever cancels an iteration does not find it done
            if (state_.changing()) explainWeights(); // nobody has looked at what the last update made
            for (auto& [name, value] : ownMetrics_) report.metrics.emplace_back(std::move(name), value);
        } else {
            perform();
        }
        report.iteration = state_.iteration();
        commit(report, begun);
    } catch (...) {
        state_.rollBack();
        report_ = nullptr;
        lastStep_ = nullptr;
        throw;
    }
    report_ = nullptr;
    report.seconds = state_.seconds();
    return report;
}

template <class T>
void Conductor<T>::makeResults(std::size_t count) {
    while (results_.size() < count) results_.emplace_back().gradient = AlignedArray<T>(setup_.network.size());
}

template <class T>
void Conductor<T>::descend(const GradientRule<T>& rule) {
    const auto chunks = setup_.chunksOf(setup_.batch);
    makeResults(at(chunks));
    const auto* batch = rule.needsBatch() ? surveyBatch() : nullptr;
    RecordedSignals<T> recorded(setup_, state_.iteration(), *report_);
    setup_.executor->run(chunks, [&](int c) {
        pool_->with([&](Sweep<T>& sweep) {
            auto& result = results_[at(c)];
            const auto range = setup_.rangeOf(static_cast<std::uint32_t>(state_.iteration()), c, setup_.batch);
            recorded.prepare(sweep, range);
            result.gradient.clear();
            if (setup_.streams) sweep.continueFrom(&state_.continued(c));
            sweep.learn(range, state_.live().weights.data(), result.gradient.data(), batch);
            if (setup_.streams) std::swap(state_.next(c), sweep.continued());
            result.take(sweep.objective());
            result.factors = sweep.factors();
            recorded.take(sweep, range);
        });
    });
    if (setup_.streams) state_.streamsAdvanced();
    const auto summary = summarise(results_, at(chunks));
    sumGradients(results_, at(chunks), rangesOf(setup_.groups[0]), scaleOf<T>(summary), gradient_, *setup_.executor);
    factors_ = meanFactors(results_, at(chunks), setup_.network);
    if (!std::isfinite(summary.loss) || !gradientIsFinite(setup_.tensors)) explainNonFinite(summary.loss);
    report_->metrics = namedNumbers(summary);
    lastStep_ = &rule.optimiser();
}

template <class T>
void Conductor<T>::perform() {
    const auto chunks = setup_.chunksOf(setup_.batch);
    const auto* rule = setup_.graph.rule() >= 0 ? &setup_.network.rule() : nullptr;
    if (rule) results_.resize(std::max(results_.size(), at(chunks)));
    const auto* batch = rule && rule->needsBatch() ? surveyBatch() : nullptr;
    std::atomic<bool> finite{true};
    RecordedSignals<T> recorded(setup_, state_.iteration(), *report_);
    setup_.executor->run(chunks, [&](int c) {
        pool_->with([&](Sweep<T>& sweep) {
            const auto range = setup_.rangeOf(static_cast<std::uint32_t>(state_.iteration()), c, setup_.batch);
            recorded.prepare(sweep, range);
            if (setup_.streams) sweep.continueFrom(&state_.continued(c));
            sweep.act(range, state_.live().weights.data());
            if (rule) {
                sweep.score(range, batch, nullptr, false);
                results_[at(c)].take(sweep.objective());
            }
            if (!sweep.carried().finite()) finite = false;
            if (setup_.streams) std::swap(state_.next(c), sweep.continued());
            recorded.take(sweep, range);
        });
    });
    if (setup_.streams) state_.streamsAdvanced();
    const auto summary = rule ? summarise(results_, at(chunks)) : Summary{};
    if (!std::isfinite(summary.loss) || !finite) explainNonFinite(summary.loss);
    if (rule) report_->metrics = namedNumbers(summary);
}

/// Ends the iteration. The one update of a plain iteration is made here: no reader sees it without the rest.
template <class T>
void Conductor<T>::commit(IterationReport& report, std::chrono::steady_clock::time_point begun) {
    std::function<void()> update;
    if (const auto* settings = std::exchange(lastStep_, nullptr))
        update = [this, &report, settings] {
            auto& live = state_.live();
            report.metrics.emplace_back("gradient_norm",
                                        live.optimiser.step(*settings, live.weights, gradient_, setup_.tensors,
                                                            report.iteration, 0, factors()));
        };
    state_.commit(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(), report.metrics,
                  update);
}

template <class T>
IterationReport Conductor<T>::runOn(Sweep<T>& sweep, const TrialRange& range, const std::vector<const T*>* batch) {
    const auto begun = std::chrono::steady_clock::now();
    const auto* rule = dynamic_cast<const GradientRule<T>*>(&setup_.network.rule());
    if (!rule)
        throw Error(setup_.graph.nodes()[at(setup_.graph.rule())].name,
                    "collects its trials itself and cannot be trained on given signals");
    makeResults(1);
    auto& result = results_[0];
    result.gradient.clear();
    sweep.learn(range, state_.live().weights.data(), result.gradient.data(), batch);
    result.take(sweep.objective());
    result.factors = sweep.factors();
    const auto summary = summarise(results_, 1);
    sumGradients(results_, 1, rangesOf(setup_.groups[0]), scaleOf<T>(summary), gradient_, *setup_.executor);
    factors_ = meanFactors(results_, 1, setup_.network);
    if (!std::isfinite(summary.loss) || !gradientIsFinite(setup_.tensors)) explainNonFinite(summary.loss);
    IterationReport report;
    report.metrics = namedNumbers(summary);
    report.iteration = state_.iteration();
    lastStep_ = &rule->optimiser();
    commit(report, begun);
    report.seconds = state_.seconds();
    return report;
}

/// Signals of the whole batch at the rule's ports, from an extra acting pass.
template <class T>
const std::vector<const T*>* Conductor<T>::surveyBatch() {
    if (batchStore_.empty()) batchStore_ = makeBatchSignals(setup_, setup_.batch);
    setup_.executor->run(setup_.chunksOf(setup_.batch), [&](int c) {
        pool_->with([&](Sweep<T>& sweep) {
            const auto range = setup_.rangeOf(static_cast<std::uint32_t>(state_.iteration()), c, setup_.batch);
            sweep.capture({});
            if (setup_.streams) sweep.continueFrom(&state_.continued(c));
            sweep.act(range, state_.live().weights.data());
            copyToBatch(setup_, sweep, range, batchStore_);
        });
    });
    batchPointers_.clear();
    for (const auto& signal : batchStore_) batchPointers_.push_back(signal.data());
    return &batchPointers_;
}

// -- stored trials ----------------------------------------------------------------------------------------------------

template <class T>
void Conductor<T>::collect(TrialStore handle) {
    auto& store = state_.store(handle.index);
    auto& pool = collectPools_[handle.index];
    if (!pool) {
        auto plan = plan_;
        plan.marks = store.marks();
        plan.following = store.info().following;
        plan.beyondHorizon = store.info().beyondHorizon;
        pool = std::make_unique<SweepPool<T>>(std::move(plan));
    }
    auto& batch = [&]() -> StoredBatch<T>& {
        const int iteration = state_.iteration();
        const std::lock_guard lock(state_.mutex());
        return store.add(static_cast<std::uint32_t>(iteration));
    }();
    const int chunks = setup_.chunksOf(setup_.batch);
    std::vector<Following<T>> following(at(chunks));
    RecordedSignals<T> recorded(setup_, state_.iteration(), *report_);
    setup_.executor->run(chunks, [&](int c) {
        pool->with([&](Sweep<T>& sweep) {
            const auto range = setup_.rangeOf(static_cast<std::uint32_t>(state_.iteration()), c, setup_.batch);
            recorded.prepare(sweep, range);
            const auto* from = setup_.streams ? &state_.continued(c) : nullptr;
            sweep.continueFrom(from);
            sweep.act(range, state_.live().weights.data());
            if (setup_.streams) std::swap(state_.next(c), sweep.continued());
            store.take(batch, sweep, range, from);
            following[at(c)] = sweep.following();
            recorded.take(sweep, range);
        });
    });
    if (setup_.streams) state_.streamsAdvanced();
    store.takeFollowing(batch, following);
}

/// Others may be reading what an older batch held before.
template <class T>
void Conductor<T>::changeStored(int store, int which) {
    const std::lock_guard lock(state_.mutex());
    state_.store(store).change(which);
}

template <class T>
Batch<T> Conductor<T>::batch(TrialStore handle, int which) {
    changeStored(handle.index, which);
    auto& stored = state_.store(handle.index).batch(which);
    const auto& rule = setup_.graph.nodes()[at(setup_.graph.rule())];
    Batch<T> result;
    result.steps = stored.steps;
    result.trials = setup_.batch;
    for (std::size_t p = 0; p < stored.signals.size(); ++p)
        result.signals.push_back(
            stored.signals[p].size() == 0
                ? Value<T>{}
                : Value<T>{nullptr, stored.signals[p].data(), nullptr, rule.portSizes[p], stored.steps * setup_.batch});
    for (auto& field : stored.fields) result.fields.push_back(field.data());
    result.lengths = stored.lengths.data();
    result.ends = stored.ends.data();
    auto& following = stored.following;
    if (following.count > 0) {
        result.followers = following.columns.data();
        for (std::size_t p = 0; p < following.values.size(); ++p)
            result.following.push_back(
                following.values[p].empty()
                    ? Value<T>{}
                    : Value<T>{nullptr, following.values[p].data(), nullptr, rule.portSizes[p], following.count});
    }
    return result;
}

template <class T>
std::vector<typename Conductor<T>::Piece> Conductor<T>::piecesOf(std::span<const Stretch> stretches) const {
    std::map<int, int> longest; // by burn-in: stretches of a sweep share it
    for (const auto& s : stretches) longest[s.burnIn] = std::max(longest[s.burnIn], s.count);
    std::vector<Piece> pieces;
    for (const auto& [burnIn, count] : longest) {
        Piece piece{{}, burnIn + count};
        for (const auto& s : stretches) {
            if (s.burnIn != burnIn) continue;
            piece.stretches.push_back(s);
            if (static_cast<int>(piece.stretches.size()) < setup_.chunk) continue;
            pieces.push_back(std::move(piece));
            piece = {{}, burnIn + count};
        }
        if (!piece.stretches.empty()) pieces.push_back(std::move(piece));
    }
    return pieces;
}

template <class T>
SweepPool<T>& Conductor<T>::replayPool(int group, int store, int burnIn, int steps, bool marked) {
    auto& pool = replayPools_[{group, store, burnIn, steps, marked}];
    if (pool) return *pool;
    auto plan = plan_;
    for (const auto& i : plan.interventions) {
        if (i.state >= 0)
            throw Error("interventions", "this learning rule replays parts of trials side by side, so states cannot be "
                                         "exchanged while it trains; use swap in evaluations");
        if (i.parameter >= 0 && (i.from > 0 || i.to < setup_.steps))
            throw Error("interventions",
                        "this learning rule replays parts of trials side by side, so an intervention on a parameter "
                        "must last for the whole trial; leave out from and to");
    }
    plan.steps = steps;
    plan.burnIn = burnIn;
    plan.ports = &setup_.groups[at(group)].ports;
    plan.marks = marked ? state_.store(store).marks() : std::vector<int>{};
    pool = std::make_unique<SweepPool<T>>(std::move(plan));
    return *pool;
}

template <class T>
Summary Conductor<T>::sweepStretches(const Pass& pass) {
    auto& store = state_.store(pass.store.index);
    const auto& group = setup_.groups[at(pass.group.index)];
    const auto pieces = piecesOf(pass.stretches);
    makeResults(pieces.size());
    if (pass.frozen) pass.frozen->resize(pieces.size());
    const auto ranges = rangesOf(group);
    for (const auto& piece : pieces) // made here, since the map must not change below
        replayPool(pass.group.index, pass.store.index, piece.stretches[0].burnIn, piece.steps, false);
    setup_.executor->run(static_cast<int>(pieces.size()), [&](int c) {
        if (interrupt_) interrupt_->poll();
        const auto& piece = pieces[at(c)];
        auto& result = results_[at(c)];
        if (pass.differentiate)
            for (const auto& range : ranges) std::fill_n(result.gradient.data() + range.first, range.size, T(0));
        replayPool(pass.group.index, pass.store.index, piece.stretches[0].burnIn, piece.steps, false)
            .with([&](Sweep<T>& sweep) {
                store.fill(sweep, piece.stretches, sweep.members());
                sweep.setBurnInWeights(pass.burnInWeights);
                sweep.replay(pass.weights, pass.differentiate ? result.gradient.data() : nullptr, pass.work,
                             pass.frozen ? &(*pass.frozen)[at(c)] : nullptr, pass.again);
                result.take(sweep.objective());
                if (pass.differentiate) result.factors = sweep.factors();
            });
    });
    auto summary = summarise(results_, pieces.size());
    if (pass.differentiate) {
        sumGradients(results_, pieces.size(), ranges, scaleOf<T>(summary), gradient_, *setup_.executor);
        factors_ = meanFactors(results_, pieces.size(), setup_.network);
    }
    return summary;
}

template <class T>
Summary Conductor<T>::infer(Group group, TrialStore store, std::span<const Stretch> stretches, const Work& work) {
    return sweepStretches({group, store, stretches, work, state_.live().weights.data()});
}

template <class T>
Summary Conductor<T>::differentiate(Group group, TrialStore store, std::span<const Stretch> stretches,
                                    const Work& work) {
    const Pass pass{group, store, stretches, work, state_.live().weights.data(), true};
    const auto summary = sweepStretches(pass);
    if (!std::isfinite(summary.loss) || !gradientIsFinite(setup_.tensorsOf(setup_.groups[at(group.index)])))
        explainNonFinite(pass, summary.loss);
    differentiated(pass, summary);
    return summary;
}

template <class T>
void Conductor<T>::refresh(Group group, TrialStore handle) {
    auto& store = state_.store(handle.index);
    std::vector<Stretch> whole;
    for (int i = 0; i < store.size(); ++i)
        for (int b = 0; b < setup_.batch; ++b) whole.push_back({i, b, 0, store.keptSteps(), 0});
    const auto pieces = piecesOf(whole);
    for (int i = 0; i < store.size(); ++i) changeStored(handle.index, i);
    auto& pool = replayPool(group.index, handle.index, 0, store.keptSteps(), true);
    setup_.executor->run(static_cast<int>(pieces.size()), [&](int c) {
        pool.with([&](Sweep<T>& sweep) {
            const auto members = sweep.members();
            store.fill(sweep, pieces[at(c)].stretches, members);
            sweep.replay(state_.live().weights.data(), nullptr, [](Objective<T>&) {});
            store.takeMarks(sweep, pieces[at(c)].stretches, members);
        });
    });
}

// -- what changes -----------------------------------------------------------------------------------------------------

template <class T>
std::vector<FlatRange> Conductor<T>::rangesOf(const TensorGroup& group) const {
    if (setup_.groups.size() == 1) return {{0, setup_.network.size()}};
    std::vector<FlatRange> ranges;
    for (int i : group.tensors) ranges.push_back({setup_.tensors[at(i)].offset, setup_.tensors[at(i)].size()});
    return ranges;
}

template <class T>
double Conductor<T>::update(Group group, const OptimiserParams& settings) {
    auto& live = state_.change();
    const auto tensors = setup_.tensorsOf(setup_.groups[at(group.index)]);
    return live.optimiser.step(settings, live.weights, gradient_, tensors, state_.iteration(), at(group.index),
                               factors());
}

namespace {

/// Copies a group's tensors and what its optimiser remembers of them.
template <class T>
void copyGroup(const std::vector<ParameterInfo>& tensors, std::size_t group, const AlignedArray<T>& fromWeights,
               const Optimiser<T>& from, AlignedArray<T>& toWeights, Optimiser<T>& to) {
    if (from.secondMoment().size() != 0) to.needSecondMoment();
    for (const auto& t : tensors) {
        std::copy_n(fromWeights.data() + t.offset, t.size(), toWeights.data() + t.offset);
        std::copy_n(from.firstMoment().data() + t.offset, t.size(), to.firstMoment().data() + t.offset);
        if (to.secondMoment().size() == 0) continue;
        T* second = to.secondMoment().data() + t.offset;
        if (from.secondMoment().size() != 0)
            std::copy_n(from.secondMoment().data() + t.offset, t.size(), second);
        else
            std::fill_n(second, t.size(), T(0));
    }
    to.setSteps(from.steps(group), group);
}

} // namespace

template <class T>
void Conductor<T>::save(Copy copy) {
    auto& live = state_.change();
    auto& to = live.copies[at(copy.index)];
    const int group = setup_.network.ruleParts().copies[at(copy.index)].group;
    copyGroup(setup_.tensorsOf(setup_.groups[at(group)]), at(group), live.weights, live.optimiser, to.weights,
              *to.optimiser);
}

template <class T>
void Conductor<T>::restore(Copy copy) {
    auto& live = state_.change();
    const auto& from = live.copies[at(copy.index)];
    const int group = setup_.network.ruleParts().copies[at(copy.index)].group;
    copyGroup(setup_.tensorsOf(setup_.groups[at(group)]), at(group), from.weights, *from.optimiser, live.weights,
              live.optimiser);
}

template <class T>
void Conductor<T>::blend(Copy copy, double rate) {
    auto& live = state_.change();
    auto& to = live.copies[at(copy.index)].weights;
    const int group = setup_.network.ruleParts().copies[at(copy.index)].group;
    for (const auto& t : setup_.tensorsOf(setup_.groups[at(group)]))
        for (std::size_t i = t.offset; i < t.offset + t.size(); ++i)
            to[i] += static_cast<T>(rate) * (live.weights[i] - to[i]);
}

template <class T>
std::span<double> Conductor<T>::memory(Memory memory) {
    return state_.change().memories[at(memory.index)];
}

template <class T>
Stream Conductor<T>::random(std::string_view purpose) const {
    const auto& rule = setup_.network.nodes()[at(setup_.graph.rule())];
    return {setup_.experiment.seed, addressOf(purpose, rule.entity), static_cast<std::uint32_t>(state_.iteration()), 0,
            0};
}

template <class T>
Summary Conductor<T>::evaluate(int trials, std::uint32_t stream) {
    return scoreTrials(setup_, plan_, state_.live().weights.data(), trials, stream, *setup_.executor);
}

template <class T>
void Conductor<T>::metric(std::string_view name, double value) {
    if (name == "loss")
        report_->metrics.insert(report_->metrics.begin(), {"loss", value});
    else
        ownMetrics_.emplace_back(name, value);
}

template <class T>
void Conductor<T>::progress(double fraction) {
    if (interrupt_) interrupt_->poll();
    if (progress_ && *progress_) (*progress_)(std::clamp(fraction, 0.0, 1.0));
}

template class Conductor<float>;
template class Conductor<double>;

} // namespace raphe
