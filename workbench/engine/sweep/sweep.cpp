// SPDX-License-Identifier: Apache-2.0
#include "engine/sweep/sweep.h"

#include <algorithm>
#include <cmath>

namespace raphe {

template <class T>
Sweep<T>::Sweep(const SweepPlan<T>& plan)
    : plan_(plan), network_(*plan.network), graph_(plan.network->graph()), segments_(planSegments(plan_)),
      carried_(network_, plan.trials), known_(graph_, plan.steps + (plan.following ? 1 : 0), plan.trials),
      ends_(plan.steps, plan.trials), span_(plan_, carried_, known_, ends_) {
    const auto& nodes = graph_.nodes();
    for (const auto& node : nodes) taskKnown_.emplace_back(node.portSizes.size(), node.kind() == Kind::task);
    replayKnown_ = replayKnown(graph_);
    std::vector<bool> everyone(nodes.size(), true), learners(nodes.size(), false);
    if (plan_.ports) {
        given_ = true;
        learningStages_ = graph_.stages(replayKnown_, sourcesOf(graph_, *plan_.ports, replayKnown_));
        actingStages_ = learningStages_;
    } else {
        if (graph_.rule() >= 0) learners[at(graph_.rule())] = true;
        actingStages_ = graph_.stages(taskKnown_, everyone);
        learningStages_ = graph_.stages(replayKnown_, learners);
        if (graph_.task() >= 0) task_.emplace(plan_, known_, ends_);
    }
    checkpoints_.resize(segments_.size());
    if (segments_.size() > 1 || loop() || (plan_.streams && keepsInPlace()))
        for (auto& checkpoint : checkpoints_) checkpoint = AlignedArray<T>(carried_.size());
    marks_.resize(plan_.marks.size() * carried_.size());
    if (graph_.rule() >= 0) {
        const auto& rule = nodes[at(graph_.rule())];
        ruleInputs_.resize(rule.portSizes.size());
        ruleAdjoints_.resize(rule.portSizes.size());
        stored_.resize(rule.portSizes.size());
        following_.values.resize(rule.portSizes.size());
        for (std::size_t p = 0; p < rule.portSizes.size(); ++p) {
            if (!rule.wired[p]) continue;
            const auto units = at(rule.portSizes[p]);
            const bool wanted = !plan_.ports || std::find(plan_.ports->begin(), plan_.ports->end(),
                                                          static_cast<int>(p)) != plan_.ports->end();
            if (plan_.ports) stored_[p] = AlignedArray<T>(columns() * units);
            if (!wanted) continue;
            ruleInputs_[p] = AlignedArray<T>(columns() * units);
            ruleAdjoints_[p] = AlignedArray<T>(columns() * units);
        }
        objective_.inputs.resize(rule.portSizes.size());
        objective_.batch.resize(rule.portSizes.size());
        objective_.stored.resize(rule.portSizes.size());
        if (plan_.ports)
            for (std::size_t f = 0; f < network_.ruleParts().fields.size(); ++f) fields_.emplace_back(columns());
        objective_.fields.resize(fields_.size());
    }
    objective_.scratch = &scratch_;
    objective_.metrics.reserve(64);
    following_.columns.assign(plan_.following ? columns() : 0, -1);
}

template <class T>
void Sweep<T>::capture(const std::vector<std::pair<int, int>>& ports) {
    captures_.clear();
    for (auto [node, port] : ports)
        captures_.push_back({node, port, std::vector<T>(columns() * at(graph_.nodes()[at(node)].portSizes[at(port)]))});
}

// -- passes -----------------------------------------------------------------------------------------------------------

template <class T>
void Sweep<T>::start(const TrialRange& range, const T* weights, T* gradient) {
    range_ = range;
    restart_ = 0;
    upToDate_ = -1;
    span_.setWeights(weights, gradient);
    const bool continues = from_ && from_->begun();
    const auto before = continues ? std::min<std::int64_t>(*std::max_element(from_->steps.begin(), from_->steps.end()),
                                                           std::int64_t{1} << 30)
                                  : 0;
    span_.setRange(range, static_cast<int>(before), nullptr);
    carried_.start();
    for (const auto& state : givenStates_) carried_.set(state);
    if (continues) carried_.load(from_->carried.data());
    if (!runsTask()) return;
    ends_.clear();
    if (from_)
        task_->begin(range, *from_);
    else
        task_->begin(range);
}

template <class T>
void Sweep<T>::act(const TrialRange& range, const T* weights) {
    start(range, weights, nullptr);
    forward(false);
}

template <class T>
void Sweep<T>::begin(const TrialRange& range, const T* weights) {
    start(range, weights, nullptr);
    if (runsTask() && !loop())
        for (int t = 0; t < plan_.steps; ++t) task_->observe(t, false);
}

template <class T>
void Sweep<T>::step(int step) {
    beginAnew(step);
    exchangeStates(step);
    if (loop()) task_->observe(step, true);
    span_.repack();
    runSpan(step, 1, false, actingStages_, given_ ? replayKnown_ : taskKnown_);
}

template <class T>
void Sweep<T>::setInterventions(std::vector<ResolvedIntervention> interventions) {
    plan_.interventions = std::move(interventions);
    span_.interventionsChanged();
}

template <class T>
void Sweep<T>::learn(const TrialRange& range, const T* weights, T* gradient, const std::vector<const T*>* batch,
                     std::vector<T>* frozen) {
    start(range, weights, gradient);
    const bool direct = !loop() && segments_.size() == 1 && !(plan_.streams && keepsInPlace());
    forward(direct);
    score(range, batch, frozen, false);
    backward(direct);
}

template <class T>
void Sweep<T>::actAndSettle(const TrialRange& range, const T* weights) {
    settle_ = true;
    act(range, weights);
    settle_ = false;
}

template <class T>
void Sweep<T>::startReplay(const TrialRange& range, int before) {
    range_ = range;
    origins_.resize(at(plan_.trials));
    span_.setRange(range, before, origins_.data());
    carried_.start();
    ends_.clear();
}

template <class T>
void Sweep<T>::replay(const T* weights, T* gradient, const Work& work, std::vector<T>* frozen, bool again) {
    span_.setWeights(burnInWeights_ && plan_.burnIn > 0 ? burnInWeights_ : weights, gradient);
    afterBurnIn_ = weights;
    const bool direct = gradient && segments_.size() == (plan_.burnIn > 0 ? 2 : 1);
    forward(direct);
    prepareObjective(range_, nullptr, frozen, again);
    work(objective_);
    if (gradient) backward(direct);
}

template <class T>
void Sweep<T>::forward(bool recordLast) {
    following_.count = 0;
    if (plan_.following) {
        std::fill(following_.columns.begin(), following_.columns.end(), -1);
        for (auto& values : following_.values) values.clear();
    }
    if (runsTask() && !loop())
        for (int t = 0; t < plan_.steps; ++t) task_->observe(t, false);
    if (plan_.following && !loop() &&
        std::find(ends_.ends.begin(), ends_.ends.end(), End::truncated) != ends_.ends.end())
        throw Error(
            graph_.nodes()[at(graph_.task())].name,
            "cuts trials off, and the learning rule values what would follow; this is only known where the task "
            "takes actions");
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        const auto [first, count] = segments_[i];
        beginAnew(first);
        exchangeStates(first);
        enter(i);
        if (plan_.burnIn > 0 && first == plan_.burnIn) span_.setWeights(afterBurnIn_);
        span_.repack();
        if (!loop()) {
            runSpan(first, count, recordLast && i + 1 == segments_.size(), actingStages_,
                    given_ ? replayKnown_ : taskKnown_);
            continue;
        }
        for (int t = first; t < first + count; ++t) {
            if (plan_.interrupt) plan_.interrupt->poll();
            if (t > first) beginAnew(t);
            task_->observe(t, true);
            runSpan(t, 1, false, actingStages_, taskKnown_);
            actStep(t);
        }
    }
    if (runsTask() && (plan_.streams || plan_.following)) leaveLastStep(recordLast);
}

template <class T>
void Sweep<T>::backward(bool recordedAlready) {
    carried_.clearAdjoints();
    factors_.clear(network_);
    for (std::size_t i = segments_.size(); i-- > 0;) {
        const auto [first, count] = segments_[i];
        if (first < plan_.burnIn) break;
        if (!recordedAlready) {
            carried_.load(checkpoints_[i].data());
            restart_ = lastExchange(first);
            upToDate_ = -1;
            span_.repack();
            runSpan(first, count, true, loop() ? learningStages_ : actingStages_,
                    loop() || given_ ? replayKnown_ : taskKnown_);
        }
        sumFactors(first, count);
        seedAdjoints(first, count, i + 1 == segments_.size());
        span_.backward();
        span_.collectAdjoints();
        for (const auto& item : plan_.interventions)
            if (item.state >= 0 && item.from == first) carried_.exchange(item.node, item.state, true);
    }
}

/// Keeps what is carried at the start of a segment, for the learning pass and for later replays.
template <class T>
void Sweep<T>::enter(std::size_t segment) {
    if (checkpoints_[segment].size() != 0) carried_.save(checkpoints_[segment].data());
    const auto found = std::find(plan_.marks.begin(), plan_.marks.end(), segments_[segment].start);
    if (found == plan_.marks.end()) return;
    const auto index = static_cast<std::size_t>(found - plan_.marks.begin());
    for (int b = 0; b < plan_.trials; ++b)
        carried_.saveTrial(b, marks_.data() + (index * at(plan_.trials) + at(b)) * carried_.trialSize());
}

template <class T>
void Sweep<T>::beginAnew(int step) {
    if (!ends_.anyBegin(step, 1)) return;
    for (int b = 0; b < plan_.trials; ++b)
        if (ends_.beginsAt(step, b)) carried_.start(b);
}

template <class T>
void Sweep<T>::runSpan(int first, int count, bool record, const std::vector<Stage>& stages, const PortMask& known) {
    const bool acting = loop() && !record;
    if (upToDate_ == first) restart_ = first;
    upToDate_ = -1;
    span_.run({first, count, record, stages, known, loop(), wantKnownAdjoints_, acting, restart_});
    if (!record && !given_)
        for (std::size_t n = 0; n < replayKnown_.size(); ++n) // what was drawn is replayed while learning
            for (std::size_t p = 0; p < replayKnown_[n].size(); ++p)
                if (replayKnown_[n][p] && !taskKnown_[n][p]) {
                    const int node = static_cast<int>(n), port = static_cast<int>(p);
                    if (span_.output(node, port))
                        copyInto(known_.columns(span_.tape(), node, port, first, count, false),
                                 span_.output(node, port));
                }
    if (acting) {
        const auto& item = graph_.nodes()[at(graph_.task())];
        taskInputs_.resize(item.portSizes.size());
        for (std::size_t p = 0; p < item.portSizes.size(); ++p)
            taskInputs_[p] = item.wired[p] ? span_.gather(graph_.task(), static_cast<int>(p), 0, 1) : Value<T>{};
        task_->act(first, taskInputs_);
        span_.close(stages);
    }
    if ((settle_ && first + count == plan_.steps) || exchangesAt(first + count)) bringUpToDate(first + count, stages);
    if (!record || !loop()) keepSignals(first, count);
    if (checkFinite_) checkSignals(first, count, stages);
    if (!record) span_.leave(stages);
}

/// What is left to do after a step of the acting pass: what follows trials that were cut off with it.
template <class T>
void Sweep<T>::actStep(int step) {
    if (!plan_.following) return;
    wanted_.assign(at(plan_.trials), 0);
    for (int b = 0; b < plan_.trials; ++b)
        if (ends_.end(step, b) == End::truncated) wanted_[at(b)] = 1;
    if (std::find(wanted_.begin(), wanted_.end(), char(1)) == wanted_.end()) return;
    lookAhead(step, wanted_);
    if (!plan_.streams) return;
    for (int b = 0; b < plan_.trials; ++b)
        if (wanted_[at(b)]) task_->beginAgain(step + 1, b);
}

/// While it is recorded, an in-place state is whatever its model's adjoint needs.
template <class T>
bool Sweep<T>::keepsInPlace() const {
    for (const auto& node : network_.nodes())
        for (const auto& state : node.states)
            if (state.inPlace) return true;
    return false;
}

/// What the next sweep begins with, and what follows the trials that go on after the last step.
/// @param recorded  what is carried is still needed as it was at the start of the span
template <class T>
void Sweep<T>::leaveLastStep(bool recorded) {
    if (plan_.streams) {
        if (recorded) {
            aside_.resize(carried_.size());
            carried_.save(aside_.data());
            span_.leave(actingStages_);
        }
        beginAnew(plan_.steps);
        continued_.carried.resize(carried_.size());
        carried_.save(continued_.carried.data());
        task_->leave(continued_, plan_.steps);
        if (recorded) carried_.load(aside_.data());
    }
    if (!plan_.following || !(plan_.streams || plan_.beyondHorizon)) return;
    wanted_.assign(at(plan_.trials), 0);
    for (int b = 0; b < plan_.trials; ++b)
        if (ends_.lengths[at(b)] == plan_.steps && ends_.end(plan_.steps - 1, b) == End::none) wanted_[at(b)] = 1;
    if (std::find(wanted_.begin(), wanted_.end(), char(1)) != wanted_.end()) lookAhead(plan_.steps - 1, wanted_);
}

/// One more step whose states are thrown away.
template <class T>
void Sweep<T>::lookAhead(int step, const std::vector<char>& wanted) {
    aside_.resize(carried_.size());
    carried_.save(aside_.data());
    task_->observeAfter(step, wanted);
    const int restart = upToDate_ == step + 1 ? step + 1 : restart_;
    span_.run({step + 1, 1, false, actingStages_, taskKnown_, false, false, false, restart});
    for (int b = 0; b < plan_.trials; ++b)
        if (wanted[at(b)]) following_.columns[at(step) * at(plan_.trials) + at(b)] = following_.count++;
    for (std::size_t p = 0; p < ruleInputs_.size(); ++p) {
        if (ruleInputs_[p].size() == 0) continue;
        const auto value = span_.gather(graph_.rule(), static_cast<int>(p), 0, 1);
        for (int b = 0; b < plan_.trials; ++b)
            if (wanted[at(b)])
                following_.values[p].insert(following_.values[p].end(), value.column(b), value.column(b) + value.rows);
    }
    carried_.load(aside_.data());
}

// -- the rule ---------------------------------------------------------------------------------------------------------

template <class T>
void Sweep<T>::prepareObjective(const TrialRange& range, const std::vector<const T*>* batch, std::vector<T>* frozen,
                                bool replay) {
    auto& o = objective_;
    const auto skipped = at(plan_.burnIn) * at(plan_.trials);
    o.steps = plan_.steps - plan_.burnIn;
    o.trials = range.counted;
    o.stride = plan_.trials;
    o.firstTrial = static_cast<int>(range.first);
    o.batchTrials = range.batch;
    o.continues = plan_.streams;
    o.lengths = ends_.lengths.data();
    o.ends = ends_.ends.data() + skipped;
    o.loss = o.lossWeight = 0;
    o.metrics.clear();
    o.frozen = frozen;
    o.replay = replay;
    o.position = 0;
    scratch_.clear();
    const auto& rule = graph_.nodes()[at(graph_.rule())];
    const int cols = o.steps * plan_.trials;
    for (std::size_t p = 0; p < ruleInputs_.size(); ++p) {
        o.inputs[p] = o.batch[p] = o.stored[p] = {};
        const auto offset = skipped * at(rule.portSizes[p]);
        if (stored_[p].size() != 0)
            o.stored[p] = {&scratch_, stored_[p].data() + offset, nullptr, rule.portSizes[p], cols};
        if (ruleInputs_[p].size() == 0) continue;
        ruleAdjoints_[p].clear();
        o.inputs[p] = {&scratch_, ruleInputs_[p].data() + offset, ruleAdjoints_[p].data() + offset, rule.portSizes[p],
                       cols};
        if (batch)
            o.batch[p] = {&scratch_, const_cast<T*>((*batch)[p]), nullptr, rule.portSizes[p],
                          plan_.steps * range.batch};
    }
    for (std::size_t f = 0; f < fields_.size(); ++f) o.fields[f] = fields_[f].data() + skipped;
}

template <class T>
void Sweep<T>::score(const TrialRange& range, const std::vector<const T*>* batch, std::vector<T>* frozen, bool replay) {
    prepareObjective(range, batch, frozen, replay);
    network_.rule().score(objective_);
}

template <class T>
void Sweep<T>::seedAdjoints(int first, int count, bool last) {
    const auto columnsFrom = at(first) * at(plan_.trials);
    const auto add = [&](Value<T> value, const T* all) {
        if (!value.adjoint) return;
        const T* from = all + columnsFrom * at(value.rows);
        for (std::size_t i = 0; i < value.size(); ++i) value.adjoint[i] += from[i];
    };
    if (terminal_) {
        for (const auto& output : terminal_->outputs) add(span_.output(output.node, output.port), output.values.data());
        if (last)
            for (const auto& given : terminal_->states) {
                T* to = span_.state(given.node, given.state).adjoint;
                if (!to) continue;
                const auto& info = network_.nodes()[at(given.node)].states[at(given.state)];
                const T* from = given.values.data();
                for (int b = 0; b < plan_.trials; ++b)
                    for (int c = 0; c < info.columns; ++c)
                        for (int r = 0; r < info.rows; ++r)
                            to[at(b) * info.size() + at(c) * at(info.stride) + at(r)] += *from++;
            }
    } else {
        for (std::size_t p = 0; p < ruleInputs_.size(); ++p)
            if (ruleInputs_[p].size() != 0)
                add(span_.gather(graph_.rule(), static_cast<int>(p), 0, count), ruleAdjoints_[p].data());
    }
    if (!last) span_.seedAdjoints();
}

template <class T>
void Sweep<T>::sumFactors(int first, int count) {
    for (std::size_t s = 0; s < network_.factorSignals().size(); ++s) {
        const auto& signal = network_.factorSignals()[s];
        if (!span_.takesPart(signal.node)) continue;
        const auto value = span_.gather(signal.node, signal.port, 0, count);
        double* sums = factors_.sums.data() + signal.first;
        for (int t = 0; t < count; ++t)
            for (int b = 0; b < range_.counted; ++b) {
                if (first + t >= plan_.burnIn + ends_.lengths[at(b)]) continue;
                const T* column = value.column(t * plan_.trials + b);
                for (int i = 0; i < signal.size; ++i) sums[i] += static_cast<double>(column[i]);
                factors_.counts[s] += 1;
            }
    }
}

// -- what leaves the sweep --------------------------------------------------------------------------------------------

template <class T>
void Sweep<T>::keepSignals(int first, int count) {
    const auto offset = at(first) * at(plan_.trials);
    for (std::size_t p = 0; p < ruleInputs_.size(); ++p)
        if (ruleInputs_[p].size() != 0) {
            const auto value = span_.gather(graph_.rule(), static_cast<int>(p), 0, count);
            std::copy_n(value.data, value.size(), ruleInputs_[p].data() + offset * at(value.rows));
        }
    for (auto& capture : captures_) {
        const auto& value = span_.output(capture.node, capture.port);
        if (value) std::copy_n(value.data, value.size(), capture.values.data() + offset * at(value.rows));
    }
}

template <class T>
std::optional<NonFinite> Sweep<T>::findNonFinite(const TrialRange& range, const T* weights) {
    firstBad_.reset();
    checkFinite_ = true;
    act(range, weights);
    checkFinite_ = false;
    return firstBad_;
}

template <class T>
std::optional<NonFinite> Sweep<T>::findNonFinite(const T* weights) {
    firstBad_.reset();
    checkFinite_ = true;
    replay(weights, nullptr, [](Objective<T>&) {});
    checkFinite_ = false;
    return firstBad_;
}

template <class T>
void Sweep<T>::checkSignals(int first, int count, const std::vector<Stage>& stages) {
    if (firstBad_) return;
    const auto check = [&](int n, int t) {
        const auto& ports = graph_.nodes()[at(n)].declaration().ports;
        for (std::size_t p = 0; p < ports.size(); ++p) {
            const auto& output = span_.output(n, static_cast<int>(p));
            if (!output || ports[p].kind != PortKind::output) continue;
            const auto step = output.columns(t * plan_.trials, plan_.trials);
            for (int b = 0; b < range_.counted; ++b)
                for (int r = 0; r < step.rows; ++r)
                    if (first + t < plan_.burnIn + ends_.lengths[at(b)] &&
                        !std::isfinite(static_cast<double>(step.column(b)[r]))) {
                        firstBad_ = NonFinite{n, static_cast<int>(p), first + t, static_cast<int>(range_.first) + b};
                        return true;
                    }
        }
        return false;
    };
    const auto checkStates = [&](int n) { // of the last step
        for (std::size_t k = 0; k < network_.nodes()[at(n)].states.size(); ++k) {
            const auto& state = span_.state(n, static_cast<int>(k));
            for (int b = 0; b < range_.counted; ++b)
                for (int r = 0; r < state.rows; ++r)
                    if (first + count <= plan_.burnIn + ends_.lengths[at(b)] &&
                        !std::isfinite(static_cast<double>(state.column(b)[r]))) {
                        firstBad_ = NonFinite{n, -1, first + count - 1, static_cast<int>(range_.first) + b,
                                              static_cast<int>(k)};
                        return true;
                    }
        }
        return false;
    };
    for (int t = 0; t < count; ++t) {
        if (graph_.task() >= 0 && check(graph_.task(), t)) return;
        for (const auto& stage : stages)
            for (int n : stage.nodes)
                if (check(n, t)) return;
    }
    for (const auto& stage : stages)
        for (int n : stage.nodes)
            if (checkStates(n)) return;
}

template class Sweep<float>;
template class Sweep<double>;

} // namespace raphe
