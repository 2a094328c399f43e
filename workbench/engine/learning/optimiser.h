// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/graph/parameters.h"
#include "raphe/rule.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace raphe {

/// Gradient steps on the flat array of weights. Order: clip every entry, clip by the global norm
/// (scale = min(1, limit / (norm + 1e-6))), then the change of SGD (with momentum), Adam (Kingma and Ba 2015; weight
/// decay added to the gradient) or AdamW (Loshchilov and Hutter 2019; decoupled decay). epsilon is outside the root.
template <class T>
class Optimiser {
public:
    Optimiser(const OptimiserParams& params, std::size_t size)
        : params_(params), first_(size), second_(params.optimiser == "sgd" ? 0 : size) {}

    /// Changes the trainable tensors. @param gradient  is clipped in place
    /// @return norm of the gradient of the trainable tensors before clipping
    double step(AlignedArray<T>& weights, AlignedArray<T>& gradient, const std::vector<ParameterInfo>& tensors,
                int iteration) {
        const double norm = std::sqrt(squaredNorm(gradient, tensors));
        if (iteration < params_.burnIn) return norm;
        if (params_.stateResetEvery > 0 && iteration > params_.burnIn &&
            (iteration - params_.burnIn) % params_.stateResetEvery == 0)
            reset();
        if (params_.clipValue > 0) {
            const T limit = static_cast<T>(params_.clipValue);
            forEach(tensors, [&](const ParameterInfo& t) {
                for (std::size_t i = t.offset; i < t.offset + t.size(); ++i)
                    gradient[i] = std::clamp(gradient[i], -limit, limit);
            });
        }
        double scale = 1;
        if (params_.clipNorm > 0) {
            const double clipped = params_.clipValue > 0 ? std::sqrt(squaredNorm(gradient, tensors)) : norm;
            scale = std::min(1.0, params_.clipNorm / (clipped + 1e-6));
        }
        ++steps_;
        forEach(tensors, [&](const ParameterInfo& t) { change(weights, gradient, t, static_cast<T>(scale)); });
        return norm;
    }

    void reset() {
        first_.clear();
        second_.clear();
        steps_ = 0;
    }
    AlignedArray<T>& firstMoment() { return first_; }
    AlignedArray<T>& secondMoment() { return second_; }
    long steps() const { return steps_; }
    void setSteps(long steps) { steps_ = steps; }

private:
    template <class F>
    static void forEach(const std::vector<ParameterInfo>& tensors, F f) {
        for (const auto& t : tensors)
            if (t.trainable) f(t);
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
    void change(AlignedArray<T>& weights, const AlignedArray<T>& gradient, const ParameterInfo& t, T scale) {
        const T rate = static_cast<T>(params_.learningRate), decay = static_cast<T>(params_.weightDecay);
        T* __restrict w = weights.data() + t.offset;
        const T* __restrict g = gradient.data() + t.offset;
        T* __restrict m = first_.data() + t.offset;
        if (params_.optimiser == "sgd") {
            const T momentum = static_cast<T>(params_.momentum);
            for (std::size_t i = 0; i < t.size(); ++i) {
                m[i] = momentum * m[i] + (scale * g[i] + decay * w[i]);
                w[i] -= rate * m[i];
            }
            return;
        }
        T* __restrict v = second_.data() + t.offset;
        const bool decoupled = params_.optimiser == "adamw";
        const T b1 = static_cast<T>(params_.beta1), b2 = static_cast<T>(params_.beta2),
                epsilon = static_cast<T>(params_.epsilon);
        const T correction1 = static_cast<T>(1 / (1 - std::pow(params_.beta1, steps_)));
        const T correction2 = static_cast<T>(1 / std::sqrt(1 - std::pow(params_.beta2, steps_)));
        const T l2 = decoupled ? T(0) : decay, direct = decoupled ? decay : T(0);
        for (std::size_t i = 0; i < t.size(); ++i) {
            const T gradientEntry = scale * g[i] + l2 * w[i];
            m[i] = b1 * m[i] + (T(1) - b1) * gradientEntry;
            v[i] = b2 * v[i] + (T(1) - b2) * gradientEntry * gradientEntry;
            w[i] -= rate * (m[i] * correction1 / (std::sqrt(v[i]) * correction2 + epsilon) + direct * w[i]);
        }
    }

    OptimiserParams params_;
    AlignedArray<T> first_, second_;
    long steps_ = 0;
};

} // namespace raphe
