// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace raphe::test {

/// Sweeps one model the way the engine does, without an engine: spans of steps forwards, then backwards. The loss is
/// the sum over outputs of fixed random weights times the signal, so that each number of each output matters.
template <template <class> class C, class T>
class ModelDriver final : private StepHost<T> {
public:
    struct Setup {
        ParamValues params = {};          ///< those that differ from the defaults
        std::map<std::string, int> wired; ///< units of each wired port
        int trials = 3, steps = 5;
        bool known = true;  ///< whether begin() sees the inputs
        Credit credit = {}; ///< how it returns over recurrent links
    };

    explicit ModelDriver(Setup setup)
        : setup_(std::move(setup)), declaration_(entryOf<C>().declaration), builder_(makeBuilder()),
          model_(std::make_unique<C<T>>(C<T>::declare().fill(values_), builder_)) {
        Stream random(11, addressOf("driver"), 0, 0, 0);
        const auto fill = [&](std::vector<T>& numbers, std::size_t count, double mean, double spread) {
            numbers.resize(count);
            for (auto& x : numbers) x = static_cast<T>(mean + spread * random.normal());
        };
        const auto columns = static_cast<std::size_t>(setup_.trials * setup_.steps);
        const auto ports = declaration_.ports.size();
        inputs.resize(ports);
        inputGradients.resize(ports);
        outputs.resize(ports);
        lossWeights.resize(ports);
        frame_.inputs.resize(ports);
        frame_.outputs.resize(ports);
        frame_.intervened.assign(ports, false);
        frame_.given.assign(ports, false);
        frame_.remembered.assign(ports, false);
        frame_.wired.assign(ports, false);
        for (std::size_t p = 0; p < ports; ++p) {
            const auto& info = declaration_.ports[p];
            const auto count = columns * static_cast<std::size_t>(std::max(sizes_[p], 0));
            if (info.kind == PortKind::output) {
                outputs[p].resize(count);
                fill(lossWeights[p], count, 0, info.sampled ? 0 : 1);
            } else if (setup_.wired.count(info.name)) {
                frame_.wired[p] = true;
                fill(inputs[p], count, info.neutral, info.neutral == 1 ? 0.2 : 1);
                inputGradients[p].resize(count);
            }
        }
        for (const auto& info : builder_.weights()) {
            weights.emplace_back();
            fill(weights.back(), static_cast<std::size_t>(info.rows * info.cols), 0, 0.6);
            gradients.emplace_back(weights.back().size());
        }
        frame_.weights.resize(weights.size());
        for (const auto& info : builder_.states()) {
            initial.emplace_back();
            fill(initial.back(), info.size() * static_cast<std::size_t>(setup_.trials), info.initial, 0.5);
            initialGradients.emplace_back(initial.back().size());
        }
        leaves_.resize(initial.size());
        frame_.states.resize(initial.size());
        frame_.next.resize(initial.size());
        frame_.locals.resize(static_cast<std::size_t>(builder_.locals()));
        frame_.links = builder_.links();
        frame_.means.resize(frame_.links.size());
        frame_.entity = addressOf("model");
    }

    /// Forward pass; recorded, if asked for, and then differentiated.
    double sweep(bool learn) {
        tape_.clear();
        tape_.setRecording(learn);
        typename Step<T>::Window window{0,       setup_.steps, 0, setup_.steps, setup_.trials, 1, 1, 0, 0, 0,
                                        nullptr, setup_.credit};
        for (std::size_t k = 0; k < weights.size(); ++k) {
            const auto& info = builder_.weights()[k];
            T* gradient = learn && !frozen ? gradients[k].data() : nullptr;
            frame_.weights[k] = {&tape_, weights[k].data(), gradient, info.rows, info.cols};
        }
        frame_.packed.clear();
        for (int k : builder_.packedWeights()) {
            const auto& W = frame_.weights[static_cast<std::size_t>(k)];
            frame_.packed.emplace_back(W.data, W.rows, W.cols,
                                       tape_.arena().template array<T>(Packed<T>::size(W.rows, W.cols)));
        }
        for (std::size_t k = 0; k < builder_.links().size(); ++k) {
            const auto& link = builder_.links()[k];
            if (link.types.empty()) continue;
            T* memory = tape_.arena().template array<T>(TypeMeans<T>::size(link.types));
            frame_.means[k] = TypeMeans<T>(frame_.weights[static_cast<std::size_t>(link.weight.index)].data,
                                           builder_.links()[k].types,
                                           setup_.credit.feedback == Credit::Feedback::typesAndSelf, memory);
        }
        for (std::size_t k = 0; k < initial.size(); ++k) {
            const int rows = static_cast<int>(builder_.states()[k].size());
            Value<T> leaf{&tape_, initial[k].data(), nullptr, rows, setup_.trials};
            if (learn) leaf.adjoint = tape_.zeros(leaf.size());
            frame_.states[k] = leaves_[k] = leaf;
            frame_.next[k] = {};
        }
        std::fill(frame_.locals.begin(), frame_.locals.end(), Value<T>{});
        for (std::size_t p = 0; p < sizes_.size(); ++p) {
            if (declaration_.ports[p].kind == PortKind::output && sizes_[p] > 0)
                frame_.outputs[p] = tape_.make(sizes_[p], setup_.steps * setup_.trials);
            frame_.inputs[p] = setup_.known ? columns(p, 0, setup_.steps, learn) : Value<T>{};
        }
        Step<T> whole(tape_, frame_, *this, window);
        model_->begin(whole);
        if (initial.empty()) {
            for (std::size_t p = 0; p < sizes_.size(); ++p) frame_.inputs[p] = columns(p, 0, setup_.steps, learn);
            model_->step(whole);
        } else {
            window.count = 1;
            for (int t = 0; t < setup_.steps; ++t) {
                window.offset = t;
                for (std::size_t p = 0; p < sizes_.size(); ++p) frame_.inputs[p] = columns(p, t, 1, learn);
                Step<T> s(tape_, frame_, *this, window);
                model_->step(s);
                for (std::size_t k = 0; k < initial.size(); ++k)
                    if (frame_.next[k]) {
                        frame_.states[k] = frame_.next[k];
                        frame_.next[k] = {};
                    }
            }
        }
        double loss = 0;
        for (std::size_t p = 0; p < sizes_.size(); ++p) {
            if (outputs[p].empty()) continue;
            const auto& y = frame_.outputs[p];
            std::copy_n(y.data, y.size(), outputs[p].data());
            for (std::size_t i = 0; i < y.size(); ++i) loss += static_cast<double>(lossWeights[p][i] * y.data[i]);
            if (learn)
                for (std::size_t i = 0; i < y.size(); ++i) y.adjoint[i] += lossWeights[p][i];
        }
        if (!learn) return loss;
        for (auto& list : {&gradients, &inputGradients, &initialGradients})
            for (auto& numbers : *list) std::fill(numbers.begin(), numbers.end(), T(0));
        tape_.backward();
        for (std::size_t k = 0; k < initial.size(); ++k)
            if (leaves_[k].adjoint) std::copy_n(leaves_[k].adjoint, initial[k].size(), initialGradients[k].data());
        return loss;
    }

    /// All gradients against central differences.
    void expectGradients(double tolerance = 1e-7) {
        sweep(true);
        const auto compare = [&](std::vector<T>& numbers, const std::vector<T>& gradient, const std::string& what) {
            ASSERT_EQ(numbers.size(), gradient.size());
            for (std::size_t i = 0; i < numbers.size(); ++i) {
                const T old = numbers[i];
                const double h = 1e-6;
                numbers[i] = old + h;
                const double up = sweep(false);
                numbers[i] = old - h;
                const double down = sweep(false);
                numbers[i] = old;
                EXPECT_NEAR(gradient[i], (up - down) / (2 * h),
                            tolerance * std::max(1.0, std::abs(double(gradient[i]))))
                    << what << ", entry " << i;
            }
        };
        for (std::size_t k = 0; k < weights.size(); ++k) compare(weights[k], gradients[k], builder_.weights()[k].name);
        for (std::size_t p = 0; p < inputs.size(); ++p)
            if (!inputs[p].empty()) compare(inputs[p], inputGradients[p], declaration_.ports[p].name);
        for (std::size_t k = 0; k < initial.size(); ++k) compare(initial[k], initialGradients[k], "initial state");
    }

    const std::vector<T>& output(const char* port) const {
        return outputs[static_cast<std::size_t>(declaration_.port(port))];
    }
    std::vector<T>& input(const char* port) { return inputs[static_cast<std::size_t>(declaration_.port(port))]; }
    std::vector<T>& weight(const std::string& name) {
        for (std::size_t k = 0; k < weights.size(); ++k)
            if (builder_.weights()[k].name == name) return weights[k];
        throw Error(name, "no such tensor");
    }
    const std::vector<WeightInfo>& weightInfos() const { return builder_.weights(); }
    std::size_t memory() { return tape_.arena().capacity(); }

    std::vector<std::vector<T>> weights, gradients, initial, initialGradients;
    std::vector<std::vector<T>> inputs, inputGradients, outputs, lossWeights; ///< by port
    bool frozen = false;                                                      ///< weights without adjoints

private:
    Builder makeBuilder() {
        values_ = declaration_.defaults();
        for (const auto& [key, value] : setup_.params) values_.at(key) = value;
        std::vector<bool> wired;
        for (const auto& port : declaration_.ports) {
            const auto found = setup_.wired.find(port.name);
            wired.push_back(found != setup_.wired.end());
            const int declared = port.size(values_);
            sizes_.push_back(wired.back() ? found->second : declared == openSize ? 0 : declared);
        }
        return Builder(declaration_, sizes_, wired, 1);
    }
    Value<T> columns(std::size_t port, int step, int count, bool learn) {
        if (inputs[port].empty()) return {};
        const auto offset = static_cast<std::size_t>(sizes_[port] * step * setup_.trials);
        return {&tape_, inputs[port].data() + offset, learn ? inputGradients[port].data() + offset : nullptr,
                sizes_[port], count * setup_.trials};
    }
    void intervene(NodeFrame<T>&, int, Value<T>, Value<T>, int) override {}

    Setup setup_;
    DeclarationData declaration_;
    ParamValues values_;
    std::vector<int> sizes_;
    Builder builder_;
    std::unique_ptr<Model<T>> model_;
    Tape<T> tape_;
    NodeFrame<T> frame_;
    std::vector<Value<T>> leaves_;
};

inline ParamValue integer(int value) { return std::int64_t{value}; }

} // namespace raphe::test
