// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/update_form.h"
#include "raphe/optimiser.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace raphe {

/// Gradient steps on the flat array of weights. Order: clip every entry, clip by the global norm
/// (scale = min(1, limit / (norm + 1e-6))), the tensor's own form of the gradient (UpdateForm), then the change of SGD
/// (with momentum), Adam (Kingma and Ba 2015; weight decay added to the gradient) or AdamW (Loshchilov and Hutter 2019;
/// decoupled decay). epsilon is outside the root.
///
/// Constraint of a tensor: entries that it fixes have no gradient, and after the change it holds again.
///
/// The averages belong to tensors, the count of steps to a group of tensors that are changed together; the settings are
/// those of each step, so that they can change from one to the next.
template <class T>
class Optimiser {
public:
    explicit Optimiser(std::size_t size, std::size_t groups = 1) : first_(size), steps_(groups) {}

    /// Changes the trainable tensors. @param gradient  is clipped in place
    /// @param factors  means of the signals that scale changes (Network::factorSignals); null: there are none
    /// @return norm of the gradient of the trainable tensors before clipping
    double step(const OptimiserParams& params, AlignedArray<T>& weights, AlignedArray<T>& gradient,
                const std::vector<ParameterInfo>& tensors, int iteration, std::size_t group = 0,
                const T* factors = nullptr) {
        mask(tensors, gradient);
        const double norm = std::sqrt(squaredNorm(gradient, tensors));
        if (iteration < params.burnIn) return norm;
        if (params.optimiser != "sgd" && second_.size() == 0) second_ = AlignedArray<T>(first_.size());
        if (params.stateResetEvery > 0 && iteration > params.burnIn &&
            (iteration - params.burnIn) % params.stateResetEvery == 0)
            reset(tensors, group);
        if (params.clipValue > 0) {
            const T limit = static_cast<T>(params.clipValue);
            forEach(tensors, [&](const ParameterInfo& t) {
                for (std::size_t i = t.offset; i < t.offset + t.size(); ++i)
                    gradient[i] = std::clamp(gradient[i], -limit, limit);
            });
        }
        double scale = 1;
        if (params.clipNorm > 0) {
            const double clipped = params.clipValue > 0 ? std::sqrt(squaredNorm(gradient, tensors)) : norm;
            scale = std::min(1.0, params.clipNorm / (clipped + 1e-6));
        }
        ++steps_[group];
        forEach(tensors, [&](const ParameterInfo& t) {
            if (t.form && !t.form->matrix.empty()) precondition(t, gradient.data() + t.offset, scratch_);
            if (t.form && entryFactors(t, factors, scratch_)) {
                const T* all = scratch_.data();
                change(params, steps_[group], weights, gradient, t, static_cast<T>(scale),
                       [all](T x, std::size_t i) { return all[i] * x; });
            } else {
                change(params, steps_[group], weights, gradient, t, static_cast<T>(scale),
                       [](T x, std::size_t) { return x; });
            }
            if (t.constraint) constrain(*t.constraint, params, t, weights);
        });
        keepCircles(tensors, weights.data());
        return norm;
    }

    /// Clears what constraints fix.
    static void mask(const std::vector<ParameterInfo>& tensors, AlignedArray<T>& gradient) {
        for (const auto& t : tensors)
            if (t.constraint && t.constraint->hollow) clearDiagonal(t, gradient);
    }

    void reset() {
        first_.clear();
        second_.clear();
        std::fill(steps_.begin(), steps_.end(), 0);
    }
    Optimiser clone() const {
        Optimiser copy(0, steps_.size());
        copy.first_ = first_.clone();
        copy.second_ = second_.clone();
        copy.steps_ = steps_;
        return copy;
    }
    const AlignedArray<T>& firstMoment() const { return first_; }
    /// Empty before the first step of adam or adamw.
    const AlignedArray<T>& secondMoment() const { return second_; }
    void needSecondMoment() {
        if (second_.size() == 0) second_ = AlignedArray<T>(first_.size());
    }
    std::size_t groups() const { return steps_.size(); }
    long steps(std::size_t group = 0) const { return steps_[group]; }
    void setSteps(long steps, std::size_t group = 0) { steps_[group] = steps; }

private:
    template <class F>
    static void forEach(const std::vector<ParameterInfo>& tensors, F f) {
        for (const auto& t : tensors)
            if (t.trainable) f(t);
    }
    static void clearDiagonal(const ParameterInfo& t, AlignedArray<T>& numbers) {
        for (int i = 0; i < std::min(t.rows, t.cols); ++i)
            numbers[t.offset + static_cast<std::size_t>(i) * (static_cast<std::size_t>(t.rows) + 1)] = T(0);
    }
    static void constrain(const Constraint& constraint, const OptimiserParams& params, const ParameterInfo& t,
                          AlignedArray<T>& weights) {
        const T loss = static_cast<T>(params.learningRate * constraint.shrinkage),
                floor = static_cast<T>(constraint.floor);
        const auto rows = static_cast<std::size_t>(t.rows);
        for (std::size_t c = 0; c < constraint.signs.size(); ++c) {
            const T sign = static_cast<T>(constraint.signs[c]);
            T* column = weights.data() + t.offset + c * rows;
            for (std::size_t r = 0; r < rows; ++r) {
                const T magnitude = std::max(sign * column[r], T(0)) - loss;
                column[r] = sign * (magnitude <= T(0) ? floor : magnitude);
            }
        }
        if (constraint.hollow) clearDiagonal(t, weights);
    }
    static double squaredNorm(const AlignedArray<T>& gradient, const std::vector<ParameterInfo>& tensors) {
        double sum = 0;
        forEach(tensors, [&](const ParameterInfo& t) {
            double partial[8] = {};
            for (std::size_t i = 0; i < t.size(); ++i) {
                const double g = static_cast<double>(gradient[t.offset + i]);
                partial[i % 8] += g * g;
            }
            for (double p : partial) sum += p;
        });
        return sum;
    }
    void reset(const std::vector<ParameterInfo>& tensors, std::size_t group) {
        for (const auto& t : tensors) {
            std::fill_n(first_.data() + t.offset, t.size(), T(0));
            if (second_.size() != 0) std::fill_n(second_.data() + t.offset, t.size(), T(0));
        }
        steps_[group] = 0;
    }
    /// @param scaled  what is left of a change of an entry: in sgd before momentum, in adam after its normalisation
    template <class Scaled>
    void change(const OptimiserParams& params, long step, AlignedArray<T>& weights, const AlignedArray<T>& gradient,
                const ParameterInfo& t, T scale, Scaled scaled) {
        const T rate = static_cast<T>(params.learningRate), decay = static_cast<T>(params.weightDecay);
        T* __restrict w = weights.data() + t.offset;
        const T* __restrict g = gradient.data() + t.offset;
        T* __restrict m = first_.data() + t.offset;
        if (params.optimiser == "sgd") {
            const T momentum = static_cast<T>(params.momentum);
            for (std::size_t i = 0; i < t.size(); ++i) {
                m[i] = momentum * m[i] + scaled(scale * g[i] + decay * w[i], i);
                w[i] -= rate * m[i];
            }
            return;
        }
        T* __restrict v = second_.data() + t.offset;
        const bool decoupled = params.optimiser == "adamw";
        const T b1 = static_cast<T>(params.beta1), b2 = static_cast<T>(params.beta2),
                epsilon = static_cast<T>(params.epsilon);
        const T correction1 = static_cast<T>(1 / (1 - std::pow(params.beta1, step)));
        const T correction2 = static_cast<T>(1 / std::sqrt(1 - std::pow(params.beta2, step)));
        const T l2 = decoupled ? T(0) : decay, direct = decoupled ? decay : T(0);
        for (std::size_t i = 0; i < t.size(); ++i) {
            const T gradientEntry = scale * g[i] + l2 * w[i];
            m[i] = b1 * m[i] + (T(1) - b1) * gradientEntry;
            v[i] = b2 * v[i] + (T(1) - b2) * gradientEntry * gradientEntry;
            w[i] -= rate * scaled(m[i] * correction1 / (std::sqrt(v[i]) * correction2 + epsilon) + direct * w[i], i);
        }
    }

    AlignedArray<T> first_, second_;
    std::vector<long> steps_;
    std::vector<T> scratch_;
};

} // namespace raphe
