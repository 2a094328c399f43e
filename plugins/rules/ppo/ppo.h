// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "heads.h"
#include "kl_controller.h"
#include "params.h"
#include "raphe/plugin.h"
#include "returns.h"
#include "surrogate.h"

#include <algorithm>
#include <string>
#include <vector>

namespace raphe {

inline constexpr const char* ppoManual =
    R"(Proximal policy optimisation of recurrent actors and critics. An iteration collects a batch, computes returns and advantages with the
critic as it is, cuts trials into segments, and trains on them for several epochs.

    delta(t) = c r(t) + discount V(t+1) - V(t)            A(t) = delta(t) + discount lambda A(t+1)
    rho      = exp(log pi(a) - log pi_old(a))
    clip:        loss = -mean min(rho A, clamp(rho, 1 - clip, 1 + clip) A) - entropy_coefficient mean H
    kl_penalty:  loss = mean[ -rho A + kl_weight KL + hinge_weight max(0, KL - 2 kl_target)^2 ] - entropy_coefficient mean H
    value:       loss = mean (V - G)^2,   G the discounted return or A + V

No sum crosses the end of a trial. After a trial's end V(t+1) is 0 if it terminated; if it was truncated, and with `time_limit` bootstrap also
at the horizon, it is the critic's value of what would follow. `kl_controller` (adaptive penalty): after the epochs, with KL over the whole
batch, kl_weight grows by 1.5 above twice the target and shrinks by 1.5 below half of it, the policy's learning rate follows where the
weight has reached its bounds, and beyond four times the target the policy and its optimiser are taken back to where they were.

| paper | here |
| --- | --- |
| pi: mu, log sigma^2, or logits | ports `mean`, `log_variance`, or `logits` |
| a | `action`, as it was drawn |
| V, r, c | `value`, `reward`, `reward_scale` |
| gamma, lambda, epsilon | `discount`, `lambda`, `clip` |
| beta, eta, d_targ | `kl_weight`, `hinge_weight`, `kl_target` |

Metrics: `loss` (policy, last epoch), `return` and `discounted_return` (unscaled, means over trials), `kl`, `entropy`, `policy_loss`,
`value_loss`, `clip_fraction`, `explained_variance` (of the critic before it was trained), `kl_weight`, `learning_rate_multiplier`, `restored`,
`gradient_norm` (policy, last update).

**Differs from the paper.** The hinge, the factors and bounds of the controller, and value replay are those of the program of N. Vecoven et al. (2020).)";

/// Proximal policy optimisation: J. Schulman et al. (2017), with generalised advantages and segments of recurrent
/// trials.
template <class T>
class Ppo : public Rule<T> {
public:
    static auto declare() {
        using P = PpoParams;
        return Declaration<P>{"ppo", "1.0.0", "Proximal policy optimisation of recurrent actors and critics"}
            .citation("J. Schulman, F. Wolski, P. Dhariwal, A. Radford, O. Klimov (2017), Proximal policy optimization "
                      "algorithms, arXiv:1707.06347; J. Schulman et al. (2015), arXiv:1506.02438; the KL form as in N. "
                      "Vecoven, D. Ernst, A. Wehenkel, G. Drion (2020), PLoS ONE 15(1), "
                      "doi:10.1371/journal.pone.0227922")
            .manual(ppoManual)
            .with(ppoParams())
            .input("mean", "any", {.help = "Mean of a gaussian policy", .optional = true})
            .input("log_variance", "any", {.help = "Log variance of a gaussian policy", .optional = true})
            .input("logits", "any", {.help = "Logits of a categorical or bernoulli policy", .optional = true})
            .input("action", "any", {.help = "Action that was drawn: raw, one-hot, or 0 and 1"})
            .input("value", 1, {.help = "Predicted return, in units of scaled reward"})
            .input("reward", 1, {.help = "Reward of the action"});
    }

    Ppo(const PpoParams& params, Builder& b)
        : p_(params), gaussian_(p_.head == "gaussian"), joint_(p_.optimisation == "joint"), mean_(b.input("mean")),
          logVariance_(b.input("log_variance")), logits_(b.input("logits")), action_(b.input("action")),
          value_(b.input("value")), reward_(b.input("reward")) {
        for (const char* port : headPorts()) {
            if (!b.wired(port)) throw Error(std::string("port \"") + port + "\"", "a " + p_.head + " policy needs it");
            if (b.size(port) != b.size("action"))
                throw Error(std::string("port \"") + port + "\"", "expected as many units as the action has (" +
                                                                      std::to_string(b.size("action")) + "), got " +
                                                                      std::to_string(b.size(port)));
        }
        trials_ = b.trials("trials", {.batches = joint_ ? 1 : p_.valueReplay,
                                      .segment = p_.segment,
                                      .burnIn = p_.segmentState == "burn_in" ? p_.burnIn : 0,
                                      .steps = p_.trainSteps,
                                      .following = true,
                                      .beyondHorizon = p_.timeLimit == "bootstrap"});
        advantage_ = b.field("advantage", trials_);
        return_ = b.field("return", trials_);
        auto ports = headPorts();
        if (joint_) ports.push_back("value");
        policy_ = b.group("policy", ports);
        critic_ = joint_ ? policy_ : b.group("value", {"value"});
        klWeight_ = b.memory("kl_weight", {p_.klWeight});
        multiplier_ = b.memory("learning_rate_multiplier", {1.0});
        backup_ = b.copy("before_update", policy_, {.checkpointed = false});
    }

    void iterate(Iteration<T>& it) const override {
        if (it.streams() && p_.timeLimit == "terminal")
            throw Error("time_limit",
                        "the trials are streams, which go on after an iteration; set it to \"bootstrap\"");
        it.collect(trials_);
        prepare(it, it.newest(trials_));
        it.progress(0.15);
        const double loss = trainPolicy(it);
        if (!joint_) trainValue(it);
        it.metric("loss", loss);
    }

    void score(Objective<T>& o) const override {
        const Value<T> reward = o.input(reward_);
        double sum = 0, discounted = 0;
        for (int b = 0; b < o.trials; ++b) {
            double weight = 1;
            for (int t = 0; t < o.steps && o.counts(t, b); ++t, weight *= p_.discount) {
                sum += static_cast<double>(reward.data[o.column(t, b)]);
                discounted += weight * static_cast<double>(reward.data[o.column(t, b)]);
            }
        }
        o.addLoss(-discounted, o.trials);
        o.addMetric("return", sum, o.trials);
        o.addMetric("discounted_return", discounted, o.trials);
    }

protected:
    /// The order in which segments are taken in an epoch; also the place for a test's own.
    virtual void arrange(std::vector<Stretch>& segments, Stream& random, bool /*policy*/, int /*epoch*/) const {
        random.shuffle(segments.begin(), static_cast<std::uint32_t>(segments.size()));
    }
    /// Sees the summary of every gradient, in order; for tests.
    virtual void observed(const Summary&, double /*gradientNorm*/, bool /*policy*/) const {}

private:
    std::vector<const char*> headPorts() const {
        if (gaussian_) return {"mean", "log_variance"};
        return {"logits"};
    }
    int trainedSteps(const Batch<T>& batch) const {
        return p_.trainSteps > 0 ? std::min(p_.trainSteps, batch.steps) : batch.steps;
    }

    // -- returns and advantages -------------------------------------------------------------------------------------

    void prepare(Iteration<T>& it, const Batch<T>& batch) const {
        const int steps = batch.steps, trials = batch.trials;
        const auto columns = static_cast<std::size_t>(steps) * static_cast<std::size_t>(trials);
        const bool bootstraps = p_.timeLimit == "bootstrap"; // also after the horizon
        const T *value = batch.signal(value_).data, *reward = batch.signal(reward_).data;
        std::vector<T> next(columns);
        std::vector<char> terminated(columns), ended(columns);
        double sum = 0, discounted = 0;
        for (int b = 0; b < trials; ++b) {
            const int length = batch.lengths[b];
            double weight = 1;
            for (int t = 0; t < length; ++t) {
                const auto c = static_cast<std::size_t>(batch.column(t, b));
                const bool last = t + 1 == length;
                ended[c] = last || batch.end(t, b) != End::none;
                const bool valued = bootstraps || batch.end(t, b) == End::truncated;
                const T* after = ended[c] && valued ? batch.after(value_, t, b) : nullptr;
                terminated[c] = ended[c] && !after;
                next[c] = after ? *after : last ? T(0) : value[batch.column(t + 1, b)];
                sum += static_cast<double>(reward[c]);
                discounted += weight * static_cast<double>(reward[c]);
                weight *= p_.discount;
            }
            const ppo::TrialColumn<T, char> trial{reward + b,       value + b, next.data() + b, terminated.data() + b,
                                                  ended.data() + b, length,    trials};
            ppo::ReturnColumn<T> result;
            result.advantage = batch.field(advantage_) + b;
            (p_.valueTarget == "monte_carlo" ? result.monteCarlo : result.lambdaReturn) = batch.field(return_) + b;
            ppo::computeReturns(trial, {p_.discount, p_.lambda, p_.rewardScale}, result);
        }
        const auto trained = static_cast<std::size_t>(trainedSteps(batch)) * static_cast<std::size_t>(trials);
        std::vector<char> valid(trained);
        for (std::size_t c = 0; c < trained; ++c)
            valid[c] = batch.counts(static_cast<int>(c) / trials, static_cast<int>(c) % trials);
        if (p_.normalise == "batch")
            ppo::normaliseAdvantages(batch.field(advantage_), trained, p_.advantageEpsilon, valid.data());
        it.metric("return", sum / trials);
        it.metric("discounted_return", discounted / trials);
        it.metric("explained_variance", explainedVariance(batch.field(return_), value, trained, valid));
    }

    /// 1 - Var(G - V) / Var(G); 0 if the returns are all equal.
    static double explainedVariance(const T* target, const T* value, std::size_t count,
                                    const std::vector<char>& valid) {
        std::vector<T> error(count);
        for (std::size_t c = 0; c < count; ++c) error[c] = valid[c] ? target[c] - value[c] : T(0);
        const double spread = ppo::momentsOf(target, count, valid.data()).deviation,
                     left = ppo::momentsOf(error.data(), count, valid.data()).deviation;
        return spread > 0 ? 1 - left * left / (spread * spread) : 0;
    }

    // -- updates ----------------------------------------------------------------------------------------------------

    /// Segments of all trials of some batches: all first ones, then all second ones, ...
    std::vector<Stretch> segments(Iteration<T>& it, int firstBatch) const {
        std::vector<Stretch> result;
        const int steps = trainedSteps(it.batch(trials_, firstBatch));
        for (int first = 0; first < steps; first += p_.segment)
            for (int i = firstBatch; i < it.batches(trials_); ++i) {
                const auto batch = it.batch(trials_, i);
                for (int b = 0; b < batch.trials; ++b)
                    if (first < batch.lengths[b])
                        result.push_back({i, b, first, std::min(p_.segment, steps - first),
                                          p_.segmentState == "burn_in" ? std::min(p_.burnIn, first) : 0,
                                          p_.segmentState == "zero"});
            }
        return result;
    }

    OptimiserParams optimiser(double learningRate) const {
        OptimiserParams o;
        o.optimiser = p_.optimiser;
        o.learningRate = learningRate;
        o.momentum = p_.momentum;
        o.beta1 = p_.beta1;
        o.beta2 = p_.beta2;
        o.epsilon = p_.epsilon;
        o.weightDecay = p_.weightDecay;
        o.clipNorm = p_.clipNorm;
        return o;
    }

    /// One epoch over segments in minibatches. @return summary and norm of the last gradient
    template <class Work>
    std::pair<Summary, double> epoch(Iteration<T>& it, Group group, std::vector<Stretch>& all, int minibatch,
                                     const OptimiserParams& settings, const Work& objective) const {
        const std::size_t size = minibatch > 0 ? static_cast<std::size_t>(minibatch) : all.size();
        std::pair<Summary, double> last;
        for (std::size_t first = 0; first < all.size(); first += size) {
            const std::span<const Stretch> part(all.data() + first, std::min(size, all.size() - first));
            last.first = it.differentiate(group, trials_, part, objective);
            last.second = it.update(group, settings);
            observed(last.first, last.second, group.index == policy_.index);
        }
        return last;
    }

    double trainPolicy(Iteration<T>& it) const {
        const double klWeight = it.number(klWeight_);
        const auto settings = optimiser(p_.policyLearningRate * it.number(multiplier_));
        const bool controlled = p_.surrogate == "kl_penalty" && p_.klController;
        if (controlled) it.save(backup_);
        auto all = segments(it, it.batches(trials_) - 1);
        Stream random = it.random("policy segments");
        std::pair<Summary, double> last;
        for (int epoch = 0; epoch < p_.policyEpochs; ++epoch) {
            if (p_.segmentState == "recompute" && epoch > 0) it.refresh(policy_, trials_);
            if (p_.policyMinibatch > 0) arrange(all, random, true, epoch);
            last = this->epoch(it, policy_, all, p_.policyMinibatch, settings,
                               [&](Objective<T>& o) { addPolicyLoss(o, klWeight); });
            it.progress(0.15 + (joint_ ? 0.85 : 0.3) * (epoch + 1) / p_.policyEpochs);
        }
        double kl = last.first.metric("kl");
        bool restored = false;
        if (controlled) {
            kl = klOfBatch(it);
            ppo::KlController controller{klWeight, it.number(multiplier_)};
            restored = controller.update(kl, p_.klTarget);
            if (restored) it.restore(backup_);
            it.number(klWeight_) = controller.beta;
            it.number(multiplier_) = controller.learningRateMultiplier;
        }
        it.metric("kl", kl);
        for (const char* name : {"entropy", "policy_loss", "clip_fraction"}) it.metric(name, last.first.metric(name));
        if (joint_) it.metric("value_loss", last.first.metric("value_loss"));
        it.metric("kl_weight", it.number(klWeight_));
        it.metric("learning_rate_multiplier", it.number(multiplier_));
        it.metric("restored", restored ? 1 : 0);
        it.metric("gradient_norm", last.second);
        return last.first.loss;
    }

    /// Mean divergence of the new policy, with states from the starts of the trials.
    double klOfBatch(Iteration<T>& it) const {
        const auto batch = it.newest(trials_);
        std::vector<Stretch> whole;
        for (int b = 0; b < batch.trials; ++b) whole.push_back({it.batches(trials_) - 1, b, 0, trainedSteps(batch)});
        return it.infer(policy_, trials_, whole, [&](Objective<T>& o) { addPolicyLoss(o, 0); }).metric("kl");
    }

    void trainValue(Iteration<T>& it) const {
        it.refresh(critic_, trials_);
        auto all = segments(it, 0);
        Stream random = it.random("value segments");
        const auto settings = optimiser(p_.valueLearningRate);
        double loss = 0;
        for (int epoch = 0; epoch < p_.valueEpochs; ++epoch) {
            arrange(all, random, false, epoch);
            loss = this->epoch(it, critic_, all, p_.valueMinibatch, settings,
                               [&](Objective<T>& o) {
                                   const double sum = addValueLoss(o, 1.0);
                                   o.addLoss(sum, counted(o));
                               })
                       .first.loss;
            it.progress(0.45 + 0.55 * (epoch + 1) / p_.valueEpochs);
        }
        it.metric("value_loss", loss);
    }

    // -- losses of a chunk ------------------------------------------------------------------------------------------

    static double counted(const Objective<T>& o) {
        double count = 0;
        for (int b = 0; b < o.trials; ++b) count += o.lengths ? o.lengths[b] : o.steps;
        return count;
    }

    /// @return sum of the squared errors; adjoints are weighted
    double addValueLoss(Objective<T>& o, double weight) const {
        const Value<T> value = o.input(value_), old = o.storedInput(value_);
        double sum = 0;
        for (int t = 0; t < o.steps; ++t)
            for (int b = 0; b < o.trials; ++b) {
                if (!o.counts(t, b)) continue;
                const int c = o.column(t, b);
                const auto term =
                    ppo::valueLoss(value.data[c], old.data[c], o.field(return_, c), static_cast<T>(p_.valueClip));
                sum += static_cast<double>(term.value);
                if (value.adjoint) value.adjoint[c] += static_cast<T>(weight) * term.gradient;
            }
        return sum;
    }

    void addPolicyLoss(Objective<T>& o, double klWeight) const {
        const int units = o.storedInput(action_).rows;
        if (gaussian_) {
            const Value<T> mean = o.input(mean_), logVariance = o.input(logVariance_), oldMean = o.storedInput(mean_),
                           oldLogVariance = o.storedInput(logVariance_);
            const T epsilon = static_cast<T>(p_.varianceEpsilon);
            addPolicyTerms(
                o, klWeight,
                [&](int c) {
                    return ppo::Gaussian<T>{mean.column(c), logVariance.column(c), units, epsilon};
                },
                [&](int c) {
                    return ppo::Gaussian<T>{oldMean.column(c), oldLogVariance.column(c), units, epsilon};
                },
                [&](int c, const auto& now, const auto& old, const T* action, const ppo::HeadGradient<T>& g) {
                    if (mean.adjoint)
                        now.addGradient(action, old, g, mean.gradientColumn(c), logVariance.gradientColumn(c));
                });
        } else if (p_.head == "categorical") {
            addLogitTerms<ppo::Categorical<T>>(o, klWeight, units);
        } else {
            addLogitTerms<ppo::Bernoulli<T>>(o, klWeight, units);
        }
    }

    template <class Head>
    void addLogitTerms(Objective<T>& o, double klWeight, int units) const {
        const Value<T> logits = o.input(logits_), old = o.storedInput(logits_);
        addPolicyTerms(
            o, klWeight,
            [&](int c) {
                return Head{logits.column(c), units};
            },
            [&](int c) {
                return Head{old.column(c), units};
            },
            [&](int c, const auto& now, const auto& before, const T* action, const ppo::HeadGradient<T>& g) {
                if (logits.adjoint) now.addGradient(action, before, g, logits.gradientColumn(c));
            });
    }

    /// The policy's loss, and the value's where both are trained together. @param now, before  heads of a column
    template <class Now, class Before, class AddGradient>
    void addPolicyTerms(Objective<T>& o, double klWeight, Now now, Before before, AddGradient addGradient) const {
        const Value<T> actions = o.storedInput(action_);
        const bool penalised = p_.surrogate == "kl_penalty";
        const T entropyWeight = static_cast<T>(p_.entropyCoefficient);
        ppo::Diagnostics sums;
        double policyLoss = 0, penalty = 0;
        for (int t = 0; t < o.steps; ++t)
            for (int b = 0; b < o.trials; ++b) {
                if (!o.counts(t, b)) continue;
                const int c = o.column(t, b);
                const auto head = now(c), old = before(c);
                const T* action = actions.column(c);
                const T advantage = o.field(advantage_, c), logProbability = head.logProbability(action),
                        oldLogProbability = old.logProbability(action), kl = head.klFrom(old), entropy = head.entropy();
                const auto term = penalised ? ppo::unclippedSurrogate(logProbability, oldLogProbability, advantage)
                                            : ppo::clippedSurrogate(logProbability, oldLogProbability, advantage,
                                                                    static_cast<T>(p_.clip));
                ppo::HeadGradient<T> g;
                g.logProbability = term.gradient;
                g.entropy = -entropyWeight;
                policyLoss += static_cast<double>(term.value);
                if (penalised) {
                    const auto cost = ppo::klPenalty(kl, static_cast<T>(klWeight), static_cast<T>(p_.hingeWeight),
                                                     static_cast<T>(p_.klTarget));
                    g.kl = cost.gradient;
                    penalty += static_cast<double>(cost.value);
                }
                sums.add(term, kl, entropy);
                addGradient(c, head, old, action, g);
            }
        double loss = policyLoss + penalty - p_.entropyCoefficient * sums.entropy;
        if (joint_ && o.input(value_)) {
            const double valueLoss = addValueLoss(o, p_.valueCoefficient);
            loss += p_.valueCoefficient * valueLoss;
            o.addMetric("value_loss", valueLoss, sums.count);
        }
        o.addLoss(loss, sums.count);
        o.addMetric("policy_loss", policyLoss, sums.count);
        o.addMetric("kl", sums.kl, sums.count);
        o.addMetric("entropy", sums.entropy, sums.count);
        o.addMetric("clip_fraction", sums.outOfRange, sums.count);
    }

    PpoParams p_;
    bool gaussian_, joint_;
    Input mean_, logVariance_, logits_, action_, value_, reward_;
    TrialStore trials_;
    Field advantage_, return_;
    Group policy_, critic_;
    Memory klWeight_, multiplier_;
    Copy backup_;
};

} // namespace raphe
