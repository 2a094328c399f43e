// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/learning_state.h"

#include <fmt/format.h>

#include <map>

namespace raphe {

template <class T>
Learned<T> Learned<T>::clone() const {
    Learned copy{weights.clone(), optimiser.clone(), memories, {}};
    for (const auto& item : copies) {
        copy.copies.push_back({item.weights.clone(), {}});
        if (item.optimiser) copy.copies.back().optimiser = item.optimiser->clone();
    }
    return copy;
}

template <class T>
LearningState<T>::LearningState(const Setup<T>& setup)
    : setup_(setup), live_{AlignedArray<T>(setup.network.size()),
                           Optimiser<T>(setup.network.size(), setup.groups.size()),
                           {},
                           {}} {
    const auto& parts = setup.network.ruleParts();
    setup.network.initialise(live_.weights, setup.experiment.seed);
    for (const auto& memory : parts.memories) live_.memories.push_back(memory.initial);
    for (std::size_t i = 0; i < parts.copies.size(); ++i)
        live_.copies.push_back({live_.weights.clone(), live_.optimiser.clone()});
    for (std::size_t i = 0; i < parts.stores.size(); ++i) stores_.emplace_back(setup, static_cast<int>(i));
    if (setup.streams) {
        continued_.resize(at(setup.chunksOf(setup.batch)));
        next_.resize(continued_.size());
    }
}

template <class T>
Learned<T>& LearningState<T>::change() {
    if (!before_) {
        auto copy = live_.clone();
        const std::lock_guard lock(mutex_);
        before_ = std::move(copy);
    }
    return live_;
}

template <class T>
void LearningState<T>::follow(StagePlan plan) {
    stages_.emplace(std::move(plan));
}

template <class T>
StageRunner::Decision LearningState<T>::decide(const std::vector<NamedNumbers>& metrics) {
    const std::lock_guard lock(mutex_);
    const auto decision = stages_->decide(metrics);
    // A pointer to the weights stays what it is, so they are copied.
    if (decision.takeUp) std::copy_n(best_.data(), best_.size(), live_.weights.data());
    if (!stages_->best())
        best_ = {};
    else if (decision.keep)
        best_ = live_.weights.clone();
    return decision;
}

template <class T>
void LearningState<T>::commit(double seconds, const NamedNumbers& metrics, const std::function<void()>& update) {
    const std::lock_guard lock(mutex_);
    if (update) update();
    if (stages_) stages_->record(iteration_, metrics);
    before_.reset();
    for (auto& store : stores_) store.commit();
    if (advanced_) std::swap(continued_, next_);
    advanced_ = false;
    ++iteration_;
    seconds_ += seconds;
}

template <class T>
void LearningState<T>::rollBack() {
    const std::lock_guard lock(mutex_);
    if (before_) live_ = std::move(*before_);
    before_.reset();
    for (auto& store : stores_) store.rollBack();
    advanced_ = false;
}

template <class T>
int LearningState<T>::iteration() const {
    const std::lock_guard lock(mutex_);
    return iteration_;
}
template <class T>
double LearningState<T>::seconds() const {
    const std::lock_guard lock(mutex_);
    return seconds_;
}

template <class T>
void LearningState<T>::resetOptimiser() {
    const std::lock_guard lock(mutex_);
    live_.optimiser.reset();
}

// -- checkpoints ------------------------------------------------------------------------------------------------------

namespace {

Tensor numbers(std::vector<double> values, Precision precision = Precision::float64) {
    return {{static_cast<std::int64_t>(values.size())}, std::move(values), precision};
}

} // namespace

template <class T>
SessionSnapshot LearningState<T>::snapshot() const {
    const std::lock_guard lock(mutex_);
    const Learned<T>& state = before_ ? *before_ : live_;
    const auto& parts = setup_.network.ruleParts();
    SessionSnapshot s{iteration_, state.optimiser.steps(), seconds_, {}, {}};
    for (const auto& info : setup_.tensors)
        s.tensors.push_back({info.name, setup_.toTensor(state.weights.data(), info)});
    const auto moments = [&](const Optimiser<T>& optimiser, const std::string& prefix,
                             const std::vector<ParameterInfo>& tensors) {
        for (const auto& info : tensors) {
            s.tensors.push_back({prefix + "first." + info.name, setup_.toTensor(optimiser.firstMoment().data(), info)});
            if (optimiser.secondMoment().size() != 0)
                s.tensors.push_back(
                    {prefix + "second." + info.name, setup_.toTensor(optimiser.secondMoment().data(), info)});
        }
    };
    if (setup_.graph.rule() >= 0) moments(state.optimiser, "optimiser.", setup_.tensors);
    const auto stepsOf = [](const Optimiser<T>& optimiser) {
        std::vector<double> steps;
        for (std::size_t g = 0; g < optimiser.groups(); ++g) steps.push_back(static_cast<double>(optimiser.steps(g)));
        return numbers(std::move(steps));
    };
    if (setup_.groups.size() > 1) s.tensors.push_back({"rule.optimiser_steps", stepsOf(state.optimiser)});
    for (std::size_t i = 0; i < state.memories.size(); ++i)
        s.tensors.push_back({"rule." + parts.memories[i].name, numbers(state.memories[i])});
    for (std::size_t i = 0; i < state.copies.size(); ++i) {
        if (!parts.copies[i].checkpointed) continue;
        const auto prefix = "rule." + parts.copies[i].name + ".";
        const auto tensors = setup_.tensorsOf(setup_.groups[at(parts.copies[i].group)]);
        for (const auto& info : tensors)
            s.tensors.push_back({prefix + info.name, setup_.toTensor(state.copies[i].weights.data(), info)});
        moments(*state.copies[i].optimiser, prefix, tensors);
        s.tensors.push_back({prefix + "optimiser_steps", stepsOf(*state.copies[i].optimiser)});
    }
    for (const auto& store : stores_) store.save(s.tensors);
    saveContinued(s.tensors);
    if (stages_) s.stages = stages_->save();
    if (stages_ && stages_->best())
        for (const auto& info : setup_.tensors)
            s.tensors.push_back({"stages.best." + info.name, setup_.toTensor(best_.data(), info)});
    return s;
}

template <class T>
void LearningState<T>::restore(const SessionSnapshot& s) {
    std::map<std::string, const Tensor*> byName;
    for (const auto& item : s.tensors) byName[item.name] = &item.tensor;
    const std::function<const Tensor*(const std::string&)> find = [&](const std::string& name) -> const Tensor* {
        const auto found = byName.find(name);
        return found == byName.end() ? nullptr : found->second;
    };
    const auto require = [&](const std::string& name) -> const Tensor& {
        const Tensor* tensor = find(name);
        if (!tensor) throw Error("checkpoint", "lacks tensor " + name + "; it belongs to another experiment");
        return *tensor;
    };
    auto stages = stages_;
    if (stages.has_value() == s.stages.empty())
        throw Error("checkpoint", stages ? "knows nothing of stages; it belongs to another experiment"
                                         : "was made in a training with stages; it belongs to another experiment");
    if (stages) stages->load(s.stages);
    if (stages && stages->iteration() != s.iteration)
        throw Error("checkpoint", fmt::format("holds stages after {} iterations, but weights after {}",
                                              stages->iteration(), s.iteration));
    AlignedArray<T> best(stages && stages->best() ? live_.weights.size() : 0);
    const auto& parts = setup_.network.ruleParts();
    Learned<T> state = live_.clone();
    state.optimiser = Optimiser<T>(live_.weights.size(), live_.optimiser.groups());
    for (auto& copy : state.copies)
        if (copy.optimiser) *copy.optimiser = Optimiser<T>(live_.weights.size(), live_.optimiser.groups());
    const auto assign = [&](const AlignedArray<T>& to, const ParameterInfo& info, const std::string& name) {
        setup_.assign(to.data(), info, require(name), name);
    };
    const auto moments = [&](Optimiser<T>& optimiser, const std::string& prefix,
                             const std::vector<ParameterInfo>& tensors) {
        optimiser = Optimiser<T>(setup_.network.size(), setup_.groups.size());
        for (const auto& info : tensors) {
            assign(optimiser.firstMoment(), info, prefix + "first." + info.name);
            if (find(prefix + "second." + info.name)) optimiser.needSecondMoment();
            if (optimiser.secondMoment().size() != 0)
                assign(optimiser.secondMoment(), info, prefix + "second." + info.name);
        }
    };
    const auto setSteps = [&](Optimiser<T>& optimiser, const std::string& name) {
        const auto& steps = require(name).values;
        if (steps.size() != optimiser.groups())
            throw Error("checkpoint", "has another number of groups of tensors; it belongs to another experiment");
        for (std::size_t g = 0; g < steps.size(); ++g) optimiser.setSteps(static_cast<long>(steps[g]), g);
    };
    for (const auto& info : setup_.tensors) assign(state.weights, info, info.name);
    if (setup_.graph.rule() >= 0) moments(state.optimiser, "optimiser.", setup_.tensors);
    state.optimiser.setSteps(s.optimiserSteps);
    if (setup_.groups.size() > 1) setSteps(state.optimiser, "rule.optimiser_steps");
    for (std::size_t i = 0; i < state.memories.size(); ++i) {
        const auto& values = require("rule." + parts.memories[i].name).values;
        if (values.size() != state.memories[i].size())
            throw Error("checkpoint", "rule." + parts.memories[i].name + " has another size than this rule's");
        state.memories[i] = values;
    }
    for (std::size_t i = 0; i < state.copies.size(); ++i) {
        if (!parts.copies[i].checkpointed) continue;
        const auto prefix = "rule." + parts.copies[i].name + ".";
        const auto tensors = setup_.tensorsOf(setup_.groups[at(parts.copies[i].group)]);
        for (const auto& info : tensors) assign(state.copies[i].weights, info, prefix + info.name);
        moments(*state.copies[i].optimiser, prefix, tensors);
        setSteps(*state.copies[i].optimiser, prefix + "optimiser_steps");
    }
    if (best.size() != 0)
        for (const auto& info : setup_.tensors) assign(best, info, "stages.best." + info.name);
    std::deque<StoredTrials<T>> stores;
    for (std::size_t i = 0; i < stores_.size(); ++i) stores.emplace_back(setup_, static_cast<int>(i)).load(find);
    auto continued = loadContinued(find);
    const std::lock_guard lock(mutex_);
    live_ = std::move(state);
    before_.reset();
    std::swap(stores_, stores);
    continued_ = std::move(continued);
    advanced_ = false;
    stages_ = std::move(stages);
    best_ = std::move(best);
    iteration_ = s.iteration;
    seconds_ = s.seconds;
}

template <class T>
void LearningState<T>::saveContinued(std::vector<NamedTensor>& to) const {
    for (std::size_t c = 0; c < continued_.size(); ++c) {
        const auto& chunk = continued_[c];
        if (!chunk.begun()) continue;
        const auto prefix = fmt::format("stream.{}.", c);
        to.push_back({prefix + "carried", numbers({chunk.carried.begin(), chunk.carried.end()}, setup_.precision())});
        to.push_back({prefix + "steps", numbers({chunk.steps.begin(), chunk.steps.end()})});
        std::vector<double> bytes, sizes;
        for (const auto& trial : chunk.trials) {
            sizes.push_back(static_cast<double>(trial.size()));
            for (const auto byte : trial) bytes.push_back(std::to_integer<int>(byte));
        }
        to.push_back({prefix + "trial_sizes", numbers(std::move(sizes))});
        to.push_back({prefix + "trials", numbers(std::move(bytes), Precision::float32)});
    }
}

template <class T>
std::vector<ContinuedTrials<T>>
LearningState<T>::loadContinued(const std::function<const Tensor*(const std::string&)>& find) const {
    std::vector<ContinuedTrials<T>> result(continued_.size());
    const auto size = Carried<T>(setup_.network, std::max(setup_.chunk, 1)).size();
    for (std::size_t c = 0; c < result.size(); ++c) {
        auto& chunk = result[c];
        const auto prefix = fmt::format("stream.{}.", c);
        const Tensor *carried = find(prefix + "carried"), *steps = find(prefix + "steps"),
                     *sizes = find(prefix + "trial_sizes"), *bytes = find(prefix + "trials");
        if (!carried) continue;
        const auto trials = at(setup_.chunk);
        if (carried->values.size() != size || !steps || steps->values.size() != trials || !sizes ||
            sizes->values.size() != trials || !bytes)
            throw Error("checkpoint", "holds streams of another experiment");
        chunk.carried.assign(carried->values.begin(), carried->values.end());
        chunk.steps.assign(steps->values.begin(), steps->values.end());
        std::size_t position = 0;
        for (double count : sizes->values) {
            auto& trial = chunk.trials.emplace_back();
            for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i, ++position) {
                if (position >= bytes->values.size()) throw Error("checkpoint", "holds streams of another experiment");
                trial.push_back(static_cast<std::byte>(static_cast<int>(bytes->values[position])));
            }
        }
    }
    return result;
}

template class LearningState<float>;
template class LearningState<double>;

} // namespace raphe
