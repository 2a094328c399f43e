// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace raphe {

struct BanditPolicyParams {
    int arms = 2;
    std::string form = "boltzmann";
    double temperature = 1, lowestTemperature = 1e-8;
    double epsilon = 0.1;
    double rho = 1, discount = 0.9999;
    bool discountAllArms = false;
    double xi = 0.6, bound = 5;
    bool eachFirst = true;
};

inline constexpr const char* banditPolicyManual =
    R"(Chooses an action by its value Q_a and, in some forms, by how often it has been chosen.

| form | choice |
| --- | --- |
| boltzmann | drawn from softmax(Q / T) |
| double_softmax | drawn from softmax(softmax(Q) / T), so that T has the scale of probabilities |
| epsilon_greedy | the largest Q with probability 1 - `epsilon`, otherwise any |
| upper_confidence | the largest Q_a + sqrt(`rho` ln N / n_a); N <- g N + 1, n_a <- g n_a + 1 for the chosen action, g = `discount` |
| garivier | the largest X_a / n_a + 2 B sqrt(`xi` ln(sum n) / n_a); X, n decay by g in each step, then X_a += r, n_a += 1; B = `bound` |
| thompson | the largest Q_a + z_a / sqrt(n_a + 1), z normal, n_a = times it was chosen |

T is `temperature` times the modulation port `temperature`, but at least `lowest_temperature`. With `each_first` every action is taken once, in turn, before the
form decides; `probability` shows what the form would do, also then. `discount_all_arms`: in upper_confidence all n decay.

| symbol | here |
| --- | --- |
| Q | port `value` |
| r | port `reward`, read at the end of the step; for garivier only |
| z | port `noise`; drawn from this node's random stream if nothing is wired |
| action | port `action`, one-hot |

Ties go to the first action. An action is drawn by inversion of the cumulative sum. Actions that are given from outside (a replay)
count like drawn ones.)";

/// Boltzmann, greedy, upper-confidence and Thompson choices among the arms of a bandit.
template <class T>
class BanditPolicy final : public Model<T> {
public:
    static auto declare() {
        using P = BanditPolicyParams;
        return Declaration<P>{"bandit_policy", "1.0.0", "Chooses an action by values and by how often it was chosen"}
            .citation(
                "Boltzmann, epsilon-greedy: R. S. Sutton, A. G. Barto (2018), Reinforcement Learning; discounted "
                "UCB: A. Garivier, E. Moulines (2011), arXiv:0805.3415; the double softmax and the discounted form: "
                "J. Lee et al. (2024), arXiv:2408.08446")
            .manual(banditPolicyManual)
            .param("arms", &P::arms, {.help = "Number of actions", .min = 1, .max = 100000, .group = "policy"})
            .param("form", &P::form,
                   {.help = "How it chooses",
                    .choices = {"boltzmann", "double_softmax", "epsilon_greedy", "upper_confidence", "garivier",
                                "thompson"},
                    .group = "policy"})
            .param("temperature", &P::temperature,
                   {.help = "Divides values in the softmax forms; times the port", .min = 0, .group = "policy"})
            .param("lowest_temperature", &P::lowestTemperature,
                   {.help = "Floor of the temperature, also where it is modulated or stimulated",
                    .min = 1e-30,
                    .group = "policy"})
            .param("epsilon", &P::epsilon,
                   {.help = "Probability of any action (epsilon_greedy)", .min = 0, .max = 1, .group = "policy"})
            .param("rho", &P::rho, {.help = "Weight of the bonus (upper_confidence)", .min = 0, .group = "policy"})
            .param("discount", &P::discount,
                   {.unit = "per step",
                    .help = "Decay of counts (upper_confidence, garivier)",
                    .min = 0,
                    .max = 1,
                    .group = "policy"})
            .param("discount_all_arms", &P::discountAllArms,
                   {.help = "Whether the counts of all actions decay (upper_confidence)", .group = "policy"})
            .param("xi", &P::xi, {.help = "Weight of the bonus (garivier)", .min = 0, .group = "policy"})
            .param("bound", &P::bound, {.help = "Half the range of rewards (garivier)", .min = 0, .group = "policy"})
            .param("each_first", &P::eachFirst,
                   {.help = "Take every action once before the form decides", .group = "policy"})
            .input("value", "arms", {.help = "Value of each action"})
            .input("reward", 1, {.help = "What the action brought (garivier)", .read = Read::end, .optional = true})
            .input("noise", "arms", {.help = "Standard normal numbers (thompson)", .optional = true})
            .modulation("temperature", 1, {.help = "Factor of the temperature", .optional = true, .neutral = 1})
            .output("action", "arms", {.help = "Chosen action, one-hot", .sampled = true})
            .output("probability", "arms", {.help = "Probability of each action, after the first round"});
    }

    BanditPolicy(const BanditPolicyParams& p, Builder& b)
        : p_(p), arms_(p.arms), form_(formOf(p.form)), value_(b.input("value")), reward_(b.input("reward")),
          noise_(b.input("noise")), temperature_(b.input("temperature")), action_(b.output("action")),
          probability_(b.output("probability")) {
        if (form_ == Form::garivier && !b.wired("reward"))
            throw Error("port \"reward\"",
                        "the form garivier averages rewards itself, but nothing is wired to it; wire "
                        "the task's reward");
        counts_ = b.state("counts", arms_);
        total_ = b.state("total", 1);
        steps_ = b.state("steps", 1);
        if (form_ != Form::garivier) return;
        sums_ = b.state("sums", arms_);
        last_ = b.state("last_action", arms_);
    }

    void step(Step<T>& s) const override {
        const Value<T> p = s.destination(probability_);
        for (int c = 0; c < s.columns(); ++c) choose(s, c, p.column(c));
        const Value<T> seen = s.emit(probability_, p);
        Value<T> action = s.tape().constant(arms_, s.columns(), T(0));
        for (int c = 0; c < s.columns() && !s.given(action_); ++c) {
            const int steps = static_cast<int>(s.state(steps_).data[c]);
            Stream random = s.random(c);
            action.column(c)[p_.eachFirst && steps < arms_ ? steps : random.categorical(seen.column(c), arms_)] = T(1);
        }
        action = s.emit(action_, action).constant();
        count(s, action);
        if (form_ == Form::garivier) s.next(last_, action);
    }

    /// Sums up what each action has brought.
    void close(Step<T>& s) const override {
        if (form_ != Form::garivier) return;
        const Value<T> sums = changed(s, sums_), action = s.state(last_), reward = s.input(reward_);
        for (int c = 0; c < sums.cols; ++c) {
            for (int a = 0; a < arms_; ++a) sums.column(c)[a] *= static_cast<T>(p_.discount);
            sums.column(c)[chosen(action, c)] += reward.data[c];
        }
    }

private:
    enum class Form { boltzmann, doubleSoftmax, epsilonGreedy, upperConfidence, garivier, thompson };
    static Form formOf(const std::string& name) {
        return name == "boltzmann"          ? Form::boltzmann
               : name == "double_softmax"   ? Form::doubleSoftmax
               : name == "epsilon_greedy"   ? Form::epsilonGreedy
               : name == "upper_confidence" ? Form::upperConfidence
               : name == "garivier"         ? Form::garivier
                                            : Form::thompson;
    }

    Value<T> changed(Step<T>& s, State state) const {
        const Value<T> before = s.state(state), after = s.tape().make(before.rows, before.cols, false);
        std::copy_n(before.data, before.size(), after.data);
        s.next(state, after);
        return after;
    }
    int chosen(Value<T> action, int c) const {
        return static_cast<int>(std::max_element(action.column(c), action.column(c) + arms_) - action.column(c));
    }

    void count(Step<T>& s, Value<T> action) const {
        const Value<T> counts = changed(s, counts_), total = changed(s, total_), steps = changed(s, steps_);
        const bool all = form_ == Form::garivier || (form_ == Form::upperConfidence && p_.discountAllArms);
        const T g = static_cast<T>(p_.discount);
        for (int c = 0; c < action.cols; ++c) {
            const int a = chosen(action, c);
            T* n = counts.column(c);
            for (int k = 0; all && k < arms_; ++k) n[k] *= g;
            if (form_ == Form::upperConfidence && !all) n[a] *= g;
            n[a] += T(1);
            total.data[c] = g * total.data[c] + T(1);
            steps.data[c] = std::min(steps.data[c] + T(1), static_cast<T>(arms_)); // all that is asked of it
        }
    }

    void softmax(const T* from, T scale, T* to) const {
        const T largest = *std::max_element(from, from + arms_);
        T sum = 0;
        for (int a = 0; a < arms_; ++a) sum += to[a] = std::exp((from[a] - largest) * scale);
        for (int a = 0; a < arms_; ++a) to[a] /= sum;
    }

    /// Probabilities of one trial's actions.
    void choose(Step<T>& s, int c, T* p) const {
        const T *Q = s.input(value_).column(c), *n = s.state(counts_).column(c);
        if (form_ == Form::boltzmann || form_ == Form::doubleSoftmax) {
            const T temperature = std::max(static_cast<T>(p_.temperature) *
                                               (s.wired(temperature_) ? s.input(temperature_).data[c] : T(1)),
                                           static_cast<T>(p_.lowestTemperature));
            if (form_ == Form::doubleSoftmax) softmax(Q, T(1), p);
            softmax(form_ == Form::doubleSoftmax ? p : Q, T(1) / temperature, p);
            return;
        }
        int best = 0;
        T highest = 0;
        T counted = 0;
        for (int a = 0; a < arms_; ++a) counted += n[a];
        Stream random = s.random(c);
        for (int a = 0; a < arms_; ++a) {
            T index = Q[a];
            if (form_ == Form::upperConfidence && n[a] > T(0))
                index += std::sqrt(static_cast<T>(p_.rho) * std::max(std::log(s.state(total_).data[c]), T(0)) / n[a]);
            if (form_ == Form::garivier)
                index = n[a] > T(0)
                            ? s.state(sums_).column(c)[a] / n[a] +
                                  T(2) * static_cast<T>(p_.bound) *
                                      std::sqrt(static_cast<T>(p_.xi) * std::max(std::log(counted), T(0)) / n[a])
                            : std::numeric_limits<T>::max();
            if (form_ == Form::thompson)
                index += (s.wired(noise_) ? s.input(noise_).column(c)[a] : static_cast<T>(random.normal())) /
                         std::sqrt(n[a] + T(1));
            if (a > 0 && !(index > highest)) continue;
            highest = index;
            best = a;
        }
        const T other = form_ == Form::epsilonGreedy ? static_cast<T>(p_.epsilon) / static_cast<T>(arms_) : T(0);
        std::fill_n(p, arms_, other);
        p[best] += form_ == Form::epsilonGreedy ? T(1) - static_cast<T>(p_.epsilon) : T(1);
    }

    BanditPolicyParams p_;
    int arms_;
    Form form_;
    Input value_, reward_, noise_, temperature_;
    Output action_, probability_;
    State counts_, sums_, total_, steps_, last_;
};

} // namespace raphe
