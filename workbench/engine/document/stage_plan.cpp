// SPDX-License-Identifier: Apache-2.0
#include "engine/document/stage_plan.h"

#include "engine/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace raphe {

namespace {

std::string placeOf(int stage) { return fmt::format("stages[{}]", stage); }

std::size_t index(int i) { return static_cast<std::size_t>(i); }

double metricOf(const NamedNumbers& metrics, const Watch& watch, const std::string& place) {
    std::vector<std::string> known;
    for (const auto& [name, value] : metrics) {
        if (name == watch.metric) return value;
        known.push_back(name);
    }
    throw Error(place + ".metric", fmt::format("{} reports no metric \"{}\"{}",
                                               watch.of == MetricSource::training ? "the training" : "an evaluation",
                                               watch.metric, suggestion(watch.metric, known)));
}

double meanOf(const std::deque<double>& window) {
    double sum = 0;
    for (const double value : window) sum += value;
    return sum / static_cast<double>(window.size());
}

/// Whether a value is better than the best by more than a margin. What is not finite is not better than anything.
bool isBetter(double value, const std::optional<double>& best, Goal goal, double margin) {
    if (!std::isfinite(value)) return false;
    if (!best) return true;
    return goal == Goal::min ? value < *best - margin : value > *best + margin;
}

/// Takes numbers by name; all must be taken in the end.
class Numbers {
public:
    explicit Numbers(const NamedNumbers& numbers) {
        for (const auto& [name, value] : numbers)
            if (!numbers_.emplace(name, value).second) fail(name, "is there twice");
    }
    std::optional<double> find(const std::string& name, double low, double high) {
        const auto found = numbers_.find(name);
        if (found == numbers_.end()) return std::nullopt;
        const double value = found->second;
        if (!(value >= low && value <= high)) fail(name, fmt::format("is {}, out of range", value));
        numbers_.erase(found);
        return value;
    }
    double take(const std::string& name, double low, double high) {
        if (const auto value = find(name, low, high)) return *value;
        fail(name, "is missing");
    }
    std::optional<int> findInteger(const std::string& name, int low, int high) {
        const auto value = find(name, low, high);
        if (!value) return std::nullopt;
        if (*value != std::floor(*value)) fail(name, fmt::format("is {}, not an integer", *value));
        return static_cast<int>(*value);
    }
    int takeInteger(const std::string& name, int low, int high) {
        if (const auto value = findInteger(name, low, high)) return *value;
        fail(name, "is missing");
    }
    void requireEmpty() const {
        if (!numbers_.empty()) fail(numbers_.begin()->first, "is not known");
    }

private:
    [[noreturn]] static void fail(const std::string& name, const std::string& what) {
        throw Error("checkpoint", fmt::format("number \"{}\" of the stages {}; it belongs to another experiment",
                                              name.substr(0, 80), what));
    }
    std::map<std::string, double> numbers_;
};

constexpr double most = std::numeric_limits<double>::max();

} // namespace

StagePlan::StagePlan(const Experiment& experiment, const Registry& registry) : frozen_(experiment.frozen) {
    Problems problems;
    checkStages(experiment, registry, problems);
    problems.throwIfAny();
    if (experiment.stages.empty()) return;
    const auto rule = ruleOf(experiment, registry);
    if (!rule.declaration) throw Error("stages", "the learning rule of the experiment is not known");
    rule_ = *rule.declaration;
    base_ = *rule.params;
    // As a document would give them: every value has the type of its parameter.
    stages_ = stagesFromJson(toJson(experiment.stages), &rule_, problems);
    int end = 0;
    for (const auto& stage : stages_) ends_.push_back(end += stage.iterations);
}

StagePosition StagePlan::at(int iteration) const {
    if (iteration < 0 || iteration >= iterations())
        throw Error("stages", fmt::format("have {} iterations in all, so there is none with the number {}; iterations "
                                          "are counted from 0",
                                          iterations(), iteration));
    const auto stage = static_cast<int>(std::upper_bound(ends_.begin(), ends_.end(), iteration) - ends_.begin());
    const int end = ends_[index(stage)], first = end - stages_[index(stage)].iterations;
    return {stage, iteration - first, iteration == first, iteration + 1 == end};
}

bool StagePlan::freezes(int stage, const std::string& tensor) const {
    const auto any = [&](const std::vector<std::string>& patterns) {
        return std::any_of(patterns.begin(), patterns.end(), [&](const auto& p) { return matches(p, tensor); });
    };
    return any(frozen_) || any(stages_[index(stage)].frozen);
}

void StagePlan::checkTensors(const std::vector<std::string>& tensors) const {
    Problems problems;
    for (std::size_t s = 0; s < stages_.size(); ++s)
        for (std::size_t i = 0; i < stages_[s].frozen.size(); ++i) {
            const auto& pattern = stages_[s].frozen[i];
            if (std::none_of(tensors.begin(), tensors.end(), [&](const auto& t) { return matches(pattern, t); }))
                problems.add(fmt::format("stages[{}].frozen[{}]", s, i),
                             "no tensor matches \"" + pattern + "\"" + suggestion(pattern, tensors));
        }
    problems.throwIfAny();
}

ParamValues StagePlan::params(int iteration) const {
    const auto position = at(iteration);
    return paramsAt(stages_[index(position.stage)], rule_, base_, position.iteration);
}

ParamValue StagePlan::paramFor(const std::string& key, double value) const {
    return valueFor(*rule_.param(key), value);
}

double StagePlan::startOf(int stage, const std::string& key) const {
    return raphe::startOf(stages_[index(stage)], key, base_);
}

StageRunner::StageRunner(StagePlan plan) : plan_(std::move(plan)) { begin(0); }

void StageRunner::begin(int stage) {
    window_.clear();
    best_.reset();
    plateaus_.clear();
    if (index(stage) >= plan_.stages().size()) return;
    for (const auto& [key, schedule] : plan_.stages()[index(stage)].schedules)
        if (schedule.kind == ScheduleKind::plateau) plateaus_[key].value = plan_.startOf(stage, key);
}

std::optional<StagePosition> StageRunner::position() const {
    const int iteration = due_ ? iteration_ - 1 : iteration_;
    if (iteration >= plan_.iterations()) return std::nullopt;
    return plan_.at(iteration);
}

std::vector<StageRunner::Watched> StageRunner::watched(int stage) const {
    std::vector<Watched> result;
    const auto& description = plan_.stages()[index(stage)];
    if (description.keepBest) result.push_back({&*description.keepBest, placeOf(stage) + ".keep_best", {}});
    for (const auto& [key, schedule] : description.schedules)
        if (schedule.kind == ScheduleKind::plateau)
            result.push_back({&schedule.watch, placeOf(stage) + ".schedules." + key, key});
    return result;
}

std::vector<StageRunner::Watched> StageRunner::dueAfter(const StagePosition& position) const {
    auto result = watched(position.stage);
    // The end of a stage is a check for what is kept; a parameter is of no more use there.
    std::erase_if(result, [&](const Watched& item) {
        return position.last ? !item.key.empty() : (position.iteration + 1) % item.watch->every != 0;
    });
    return result;
}

ParamValues StageRunner::params(int iteration) const {
    auto params = plan_.params(iteration);
    if (const auto now = position(); now && now->stage == plan_.at(iteration).stage)
        for (const auto& [key, plateau] : plateaus_) params[key] = plan_.paramFor(key, plateau.value);
    return params;
}

bool StageRunner::mayChange(int iteration) const {
    const auto position = plan_.at(iteration);
    return position.first || !plan_.stages()[index(position.stage)].schedules.empty();
}

void StageRunner::record(int iteration, const NamedNumbers& metrics) {
    if (due_ || iteration != iteration_)
        throw Error("stages", fmt::format("iteration {} cannot be recorded after {} iterations{}", iteration,
                                          iteration_, due_ ? " whose check has not been made" : ""));
    const auto position = plan_.at(iteration);
    std::vector<std::pair<Watched, double>> values;
    for (const auto& item : watched(position.stage))
        if (item.watch->of == MetricSource::training)
            values.emplace_back(item, metricOf(metrics, *item.watch, item.place));
    for (const auto& [item, value] : values) {
        auto& window = windowOf(item);
        window.push_back(std::isfinite(value) ? value : NAN);
        if (window.size() > index(item.watch->window)) window.pop_front();
    }
    ++iteration_;
    due_ = !dueAfter(position).empty();
    if (!due_ && position.last) begin(position.stage + 1);
}

std::vector<int> StageRunner::evaluations() const {
    std::vector<int> trials;
    if (!due_) return trials;
    for (const auto& item : dueAfter(*position()))
        if (item.watch->of == MetricSource::evaluation &&
            std::find(trials.begin(), trials.end(), item.watch->trials) == trials.end())
            trials.push_back(item.watch->trials);
    return trials;
}

StageRunner::Decision StageRunner::decide(const std::vector<NamedNumbers>& metrics) {
    const auto trials = evaluations();
    if (!due_ || metrics.size() != trials.size())
        throw Error("stages",
                    fmt::format("{} evaluations were given where {} are needed", metrics.size(), trials.size()));
    const auto now = *position();
    const auto due = dueAfter(now);
    std::vector<double> values;
    for (const auto& item : due) {
        if (item.watch->of == MetricSource::training) {
            values.push_back(meanOf(windowOf(item)));
            continue;
        }
        const auto which = std::find(trials.begin(), trials.end(), item.watch->trials) - trials.begin();
        values.push_back(metricOf(metrics[static_cast<std::size_t>(which)], *item.watch, item.place));
    }

    Decision decision;
    const auto& stage = plan_.stages()[index(now.stage)];
    for (std::size_t i = 0; i < due.size(); ++i) {
        if (const auto& key = due[i].key; !key.empty()) {
            if (reduce(stage.schedules.at(key), plateaus_.at(key), values[i])) decision.reduced.push_back(key);
            continue;
        }
        const auto before = best_ ? std::optional(best_->value) : std::nullopt;
        decision.keep = isBetter(values[i], before, due[i].watch->goal, 0);
        if (decision.keep) best_ = Best{iteration_ - 1, values[i]};
    }
    decision.best = best_;
    decision.takeUp = now.last && best_ && !decision.keep;
    due_ = false;
    if (now.last) begin(now.stage + 1);
    return decision;
}

bool StageRunner::reduce(const Schedule& schedule, Plateau& plateau, double value) {
    const double margin = plateau.best ? schedule.threshold * std::abs(*plateau.best) : 0;
    if (isBetter(value, plateau.best, schedule.watch.goal, margin)) {
        plateau.best = value;
        plateau.bad = 0;
    } else {
        ++plateau.bad;
    }
    if (plateau.cooldown > 0) {
        --plateau.cooldown;
        plateau.bad = 0;
    }
    if (plateau.bad < schedule.patience) return false;
    const double reduced = std::max(plateau.value * schedule.factor, schedule.minimum);
    const bool changed = reduced < plateau.value;
    plateau.value = reduced;
    plateau.bad = 0;
    plateau.cooldown = schedule.cooldown;
    return changed;
}

NamedNumbers StageRunner::save() const {
    NamedNumbers numbers{{"iteration", iteration_}, {"due", due_ ? 1 : 0}};
    const auto add = [&numbers](const std::string& prefix, const Window& window) {
        for (std::size_t i = 0; i < window.size(); ++i)
            if (std::isfinite(window[i])) numbers.emplace_back(fmt::format("{}.window.{}", prefix, i), window[i]);
    };
    if (best_) {
        numbers.emplace_back("keep_best.value", best_->value);
        numbers.emplace_back("keep_best.iteration", best_->iteration);
    }
    add("keep_best", window_);
    for (const auto& [key, plateau] : plateaus_) {
        const auto prefix = "schedules." + key;
        numbers.emplace_back(prefix + ".value", plateau.value);
        if (plateau.best) numbers.emplace_back(prefix + ".best", *plateau.best);
        numbers.emplace_back(prefix + ".bad", plateau.bad);
        numbers.emplace_back(prefix + ".cooldown", plateau.cooldown);
        add(prefix, plateau.window);
    }
    return numbers;
}

void StageRunner::load(const NamedNumbers& saved) {
    Numbers numbers(saved);
    StageRunner loaded(plan_);
    loaded.iteration_ = numbers.takeInteger("iteration", 0, plan_.iterations());
    loaded.due_ = numbers.takeInteger("due", 0, loaded.iteration_ > 0 ? 1 : 0) == 1;
    const auto now = loaded.position();
    loaded.begin(now ? now->stage : static_cast<int>(plan_.stages().size()));
    if (loaded.due_ && loaded.dueAfter(*now).empty())
        throw Error("checkpoint", "waits for a check where the stages have none; it belongs to another experiment");
    if (now) {
        const int recorded = now->iteration + (loaded.due_ ? 1 : 0); // of the stage
        const auto fill = [&](const std::string& prefix, const Watch& watch, Window& window) {
            if (watch.of != MetricSource::training) return;
            for (int i = 0; i < std::min(watch.window, recorded); ++i)
                window.push_back(numbers.find(fmt::format("{}.window.{}", prefix, i), -most, most).value_or(NAN));
        };
        const auto& stage = plan_.stages()[index(now->stage)];
        if (stage.keepBest) {
            if (const auto value = numbers.find("keep_best.value", -most, most))
                loaded.best_ = Best{
                    numbers.takeInteger("keep_best.iteration", loaded.iteration_ - recorded, loaded.iteration_ - 1),
                    *value};
            fill("keep_best", *stage.keepBest, loaded.window_);
        }
        for (auto& [key, plateau] : loaded.plateaus_) {
            const auto prefix = "schedules." + key;
            const auto& schedule = stage.schedules.at(key);
            plateau.value = numbers.take(prefix + ".value", std::min(schedule.minimum, plateau.value), plateau.value);
            plateau.best = numbers.find(prefix + ".best", -most, most);
            plateau.bad = numbers.takeInteger(prefix + ".bad", 0, schedule.patience);
            plateau.cooldown = numbers.takeInteger(prefix + ".cooldown", 0, schedule.cooldown);
            fill(prefix, schedule.watch, plateau.window);
        }
    }
    numbers.requireEmpty();
    *this = std::move(loaded);
}

} // namespace raphe
