// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/gradient_check.h"

#include "engine/learning/conductor.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace raphe {

namespace {

using Loss = std::function<double(const AlignedArray<double>& weights)>;

/// Holds a gradient against differences of the loss around `weights`.
class Comparison {
public:
    Comparison(GradientCheckReport& report, std::uint64_t seed, int entriesPerTensor)
        : report_(report), seed_(seed), entriesPerTensor_(entriesPerTensor) {}

    /// Differences of the loss carry rounding errors of about 1e-16 / step; gradients far below the largest of the
    /// network cannot be told from them, so errors are relative to at least 1e-4 of that.
    void compare(const std::vector<ParameterInfo>& tensors, const AlignedArray<double>& weights,
                 const AlignedArray<double>& gradient, const Loss& loss) {
        AlignedArray<double> moved = weights.clone();
        double overall = 0;
        for (const auto& info : tensors)
            for (std::size_t i = 0; i < info.size(); ++i)
                overall = std::max(overall, std::abs(gradient[info.offset + i]));
        for (const auto& info : tensors) {
            if (!info.trainable) continue;
            GradientCheckEntry entry{info.name, 0, 0, 0};
            Stream stream(seed_, addressOf(info.name, addressOf("gradcheck")), 0, 0, 0);
            std::vector<std::size_t> which(info.size());
            std::iota(which.begin(), which.end(), std::size_t{0});
            stream.shuffle(which.begin(), static_cast<std::uint32_t>(which.size()));
            which.resize(std::min(which.size(), at(entriesPerTensor_)));
            for (std::size_t i = 0; i < info.size(); ++i)
                entry.largestGradient = std::max(entry.largestGradient, std::abs(gradient[info.offset + i]));
            const double scale = std::max({entry.largestGradient, 1e-4 * overall, 1e-12});
            // Where a bound is crossed between the two points, a difference is wrong however exact the gradient is;
            // closer points then agree. So the step is made smaller as long as that helps.
            const auto difference = [&](const std::function<double(double)>& lossAt, double expected) {
                double error = std::numeric_limits<double>::infinity();
                for (double h : {1e-5, 1e-6, 1e-7}) {
                    error = std::min(error, std::abs((lossAt(h) - lossAt(-h)) / (2 * h) - expected));
                    if (error / scale < 0.1 * report_.tolerance) break;
                }
                entry.largestError = std::max(entry.largestError, error / scale);
                ++entry.entries;
            };
            for (auto i : which) {
                double& x = moved[info.offset + i];
                const double old = x;
                difference(
                    [&](double h) {
                        x = old + h;
                        const double value = loss(moved);
                        x = old;
                        return value;
                    },
                    gradient[info.offset + i]);
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
                along += direction[i] * gradient[info.offset + i];
            }
            difference(
                [&](double h) {
                    for (std::size_t i = 0; i < info.size(); ++i)
                        moved[info.offset + i] = weights[info.offset + i] + h * direction[i];
                    return loss(moved);
                },
                along);
            std::copy_n(weights.data() + info.offset, info.size(), moved.data() + info.offset);
            add(entry);
        }
    }

private:
    void add(const GradientCheckEntry& entry) {
        for (auto& known : report_.tensors)
            if (known.name == entry.name) {
                known.entries += entry.entries;
                known.largestError = std::max(known.largestError, entry.largestError);
                known.largestGradient = std::max(known.largestGradient, entry.largestGradient);
                return;
            }
        report_.tensors.push_back(entry);
    }

    GradientCheckReport& report_;
    std::uint64_t seed_;
    int entriesPerTensor_;
};

/// Conducts one iteration and checks gradients on the way.
class CheckingConductor final : public Conductor<double> {
public:
    CheckingConductor(Setup<double>& setup, LearningState<double>& state, const Interrupt& interrupt,
                      Comparison& comparison)
        : Conductor(setup, state, &interrupt), interrupt_(interrupt), comparison_(comparison),
          checked_(setup.groups.size()) {}

protected:
    void differentiated(const Pass& pass, const Summary& summary) override {
        if (checked_[at(pass.group.index)]++ >= 2) return;
        std::vector<std::vector<double>> frozen;
        auto forwards = pass;
        forwards.differentiate = false;
        forwards.frozen = &frozen;
        sweepStretches(forwards);
        forwards.again = true;
        const auto weights = state_.live().weights.clone();
        forwards.burnInWeights = weights.data();
        const auto gradient = gradient_.clone();
        comparison_.compare(setup_.tensorsOf(setup_.groups[at(pass.group.index)]), weights, gradient,
                            [&](const AlignedArray<double>& moved) {
                                interrupt_.poll();
                                forwards.weights = moved.data();
                                const auto result = sweepStretches(forwards);
                                return result.loss * result.weight / summary.weight;
                            });
        std::copy_n(gradient.data(), gradient.size(), gradient_.data());
    }

private:
    const Interrupt& interrupt_;
    Comparison& comparison_;
    std::vector<int> checked_;
};

void checkPlainRule(Setup<double>& setup, const AlignedArray<double>& weights,
                    const std::vector<Intervention>& interventions, const Interrupt& interrupt,
                    Comparison& comparison) {
    const auto& rule = setup.network.rule();
    const TrialRange range{0, 0, setup.batch, setup.batch};
    auto plan = setup.plan(setup.steps, setup.batch, interventions, &interrupt);
    plan.credit = Credit{}; // no other is the gradient of anything
    const auto batchOf = [&](const Sweep<double>& sweep) {
        std::vector<const double*> pointers;
        if (rule.needsBatch())
            for (std::size_t p = 0; p < setup.graph.nodes()[at(setup.graph.rule())].portSizes.size(); ++p)
                pointers.push_back(sweep.ruleInput(p).data());
        return pointers;
    };
    Sweep<double> acting(plan);
    AlignedArray<double> gradient(setup.network.size());
    acting.act(range, weights.data());
    const auto batch = batchOf(acting);
    acting.learn(range, weights.data(), gradient.data(), batch.empty() ? nullptr : &batch);
    const double weight = acting.objective().lossWeight;
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] /= weight;
    Sweep<double> replay(plan);
    replay.give(acting.knownSignals(), {}, true);
    replay.ends() = acting.ends();
    std::vector<double> frozen;
    bool first = true;
    const auto loss = [&](const AlignedArray<double>& w) {
        interrupt.poll();
        replay.act(range, w.data());
        const auto pointers = batchOf(replay);
        replay.score(range, pointers.empty() ? nullptr : &pointers, &frozen, !first);
        first = false;
        return replay.objective().loss / weight;
    };
    loss(weights);
    comparison.compare(setup.tensors, weights, gradient, loss);
}

/// Biases that start at zero put units exactly at a bend of their activation, where there is no derivative to compare.
AlignedArray<double> displace(const Setup<double>& setup, const AlignedArray<double>& weights) {
    auto displaced = weights.clone();
    Stream stream(setup.experiment.seed, addressOf("gradcheck displacement"), 0, 0, 0);
    for (const auto& info : setup.tensors)
        if (info.trainable)
            for (std::size_t i = 0; i < info.size(); ++i) displaced[info.offset + i] += 1e-3 * stream.normal();
    return displaced;
}

} // namespace

GradientCheckReport checkGradients(const Experiment& experiment, const Network<double>& network,
                                   const AlignedArray<double>& weights, const std::vector<ParameterInfo>& tensors,
                                   const std::vector<Intervention>& interventions, int entriesPerTensor,
                                   const Interrupt& interrupt) {
    Experiment small = experiment;
    small.trials = std::min(experiment.trials, 4);
    small.chunk = small.trials;
    small.recordings.clear();
    Setup<double> setup(small, network.graph(), {1, "tbb", 0});
    setup.network = network;
    setup.tensors = tensors;
    GradientCheckReport report;
    Comparison comparison(report, experiment.seed, entriesPerTensor);
    const auto displaced = displace(setup, weights);
    if (dynamic_cast<const GradientRule<double>*>(&setup.network.rule())) {
        checkPlainRule(setup, displaced, interventions, interrupt, comparison);
        return report;
    }
    LearningState<double> state(setup);
    std::copy_n(displaced.data(), displaced.size(), state.live().weights.data());
    CheckingConductor conductor(setup, state, interrupt, comparison);
    conductor.setInterventions(interventions);
    conductor.run({});
    return report;
}

} // namespace raphe
