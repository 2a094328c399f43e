// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../../../plugins/models/plastic_rnn/plastic_rnn.h"

#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <vector>

/// Sweeps a plastic_rnn, and a modulator M = f(w h + b) wired to it, the way the engine does: step by step while
/// acting, then recorded spans from the last to the first while learning.
namespace raphe::plasticTest {

inline const MechanismEntry& entry() {
    static const MechanismEntry result = entryOf<PlasticRnn>();
    return result;
}

struct Sizes {
    int inputs = 3, hidden = 9, trials = 3, steps = 6;
};

/// Uniform in [low, high), the same for every type and platform.
inline double draw(std::uint32_t stream, std::uint32_t index, double low, double high) {
    return Stream(7, stream, 0, 0, index).uniform(low, high);
}

template <class T>
class Driver final : private StepHost<T> {
public:
    using Array = std::vector<T>;

    Driver(ParamValues params, Sizes sizes) : sizes_(sizes), params_(std::move(params)), builder_(makeBuilder()) {
        model_.reset(static_cast<Model<T>*>(entry().maker<T>()(params_, builder_).release()));
        const auto& ports = entry().declaration.ports;
        frame_.inputs.resize(ports.size());
        frame_.outputs.resize(ports.size());
        frame_.intervened.assign(ports.size(), false);
        frame_.given.assign(ports.size(), false);
        frame_.remembered.assign(ports.size(), false);
        frame_.wired = wiring();
        frame_.locals.resize(static_cast<std::size_t>(builder_.locals()));
        for (const auto& info : builder_.weights()) {
            const auto id = static_cast<std::uint32_t>(weights.size());
            weights.emplace_back(static_cast<std::size_t>(info.rows * info.cols));
            for (std::size_t i = 0; i < weights.back().size(); ++i)
                weights.back()[i] = static_cast<T>(draw(id, static_cast<std::uint32_t>(i), -0.7, 0.9));
        }
        modulator.resize(static_cast<std::size_t>(sizes.hidden + 1));
        for (std::size_t i = 0; i < modulator.size(); ++i)
            modulator[i] = static_cast<T>(draw(50, static_cast<std::uint32_t>(i), -1, 1));
        for (const auto& w : weights) gradients.emplace_back(w.size());
        modulatorGradient.resize(modulator.size());
        inputs.resize(static_cast<std::size_t>(sizes.inputs * columns()));
        for (std::size_t i = 0; i < inputs.size(); ++i)
            inputs[i] = static_cast<T>(draw(51, static_cast<std::uint32_t>(i), -1, 1));
        inputGradient.resize(inputs.size());
        hidden.resize(static_cast<std::size_t>(sizes.hidden * columns()));
        hiddenWeight.resize(hidden.size());
        for (std::size_t i = 0; i < hidden.size(); ++i)
            hiddenWeight[i] = static_cast<T>(draw(52, static_cast<std::uint32_t>(i), -1, 1));
        signal.resize(static_cast<std::size_t>(columns()));
        signalWeight.resize(signal.size());
        for (std::size_t i = 0; i < signal.size(); ++i)
            signalWeight[i] = static_cast<T>(draw(53, static_cast<std::uint32_t>(i), -1, 1));
        for (const auto& info : builder_.states()) {
            const auto id = 60 + static_cast<std::uint32_t>(initial.size());
            const auto count = info.size() * static_cast<std::size_t>(sizes.trials);
            initial.emplace_back(count);
            stateWeights.emplace_back(count);
            initialGradient.emplace_back(count);
            states_.push_back(memory_.array<T>(count));
            adjoints_.push_back(memory_.array<T>(count));
            if (info.name == "previous" || info.name == "rate") continue;
            for (int b = 0; b < sizes.trials; ++b)
                for (int c = 0; c < info.columns; ++c)
                    for (int r = 0; r < info.rows; ++r) {
                        const auto at =
                            static_cast<std::size_t>(b) * info.size() + static_cast<std::size_t>(c * info.stride + r);
                        const auto number = static_cast<std::uint32_t>((b * info.columns + c) * info.rows + r);
                        initial.back()[at] = static_cast<T>(draw(id, number, -0.4, 0.4));
                        stateWeights.back()[at] = static_cast<T>(draw(id + 10, number, -1, 1));
                    }
        }
        frame_.states.resize(states_.size());
        frame_.links = builder_.links();
        frame_.means.resize(frame_.links.size());
        frame_.next.resize(states_.size());
        leaves_.resize(states_.size());
        frame_.weights.resize(weights.size());
    }

    // What a test may read and change.
    std::vector<Array> weights, gradients, initial, initialGradient, stateWeights;
    Array modulator, modulatorGradient, inputs, inputGradient, hidden, hiddenWeight, signal, signalWeight;
    bool inputKnown = true;         ///< before a span begins
    Credit credit = {};             ///< how it returns over recurrent links
    bool decayingModulator = false; ///< sigmoid instead of tanh

    const std::vector<StateInfo>& stateInfos() const { return builder_.states(); }
    const std::vector<WeightInfo>& weightInfos() const { return builder_.weights(); }
    const Sizes& sizes() const { return sizes_; }
    const T* state(const std::string& name) const {
        for (std::size_t k = 0; k < states_.size(); ++k)
            if (builder_.states()[k].name == name) return states_[k];
        return nullptr;
    }

    /// Acting pass. Returns the loss. Checkpoints are kept where spans of `span` steps start.
    T act(int span, bool settle = true) {
        for (std::size_t k = 0; k < states_.size(); ++k) std::copy(initial[k].begin(), initial[k].end(), states_[k]);
        checkpoints_.resize(static_cast<std::size_t>((sizes_.steps + span - 1) / span));
        for (int t = 0; t < sizes_.steps; ++t) {
            if (t % span == 0) {
                auto& checkpoint = checkpoints_[static_cast<std::size_t>(t / span)];
                checkpoint.resize(states_.size());
                for (std::size_t k = 0; k < states_.size(); ++k)
                    checkpoint[k].assign(states_[k], states_[k] + initial[k].size());
            }
            runSpan(t, 1, false, settle && t + 1 == sizes_.steps);
        }
        T loss = std::inner_product(hidden.begin(), hidden.end(), hiddenWeight.begin(), T(0));
        if (modulated()) loss = std::inner_product(signal.begin(), signal.end(), signalWeight.begin(), loss);
        for (std::size_t k = 0; k < states_.size(); ++k)
            loss = std::inner_product(stateWeights[k].begin(), stateWeights[k].end(), states_[k], loss);
        return loss;
    }

    /// Learning pass over spans of `span` steps; act() must have run with the same span.
    void learn(int span) {
        for (auto& g : gradients) std::fill(g.begin(), g.end(), T(0));
        std::fill(modulatorGradient.begin(), modulatorGradient.end(), T(0));
        std::fill(inputGradient.begin(), inputGradient.end(), T(0));
        for (std::size_t k = 0; k < states_.size(); ++k) std::fill_n(adjoints_[k], initial[k].size(), T(0));
        for (std::size_t i = checkpoints_.size(); i-- > 0;) {
            for (std::size_t k = 0; k < states_.size(); ++k)
                std::copy(checkpoints_[i][k].begin(), checkpoints_[i][k].end(), states_[k]);
            const int first = static_cast<int>(i) * span, count = std::min(span, sizes_.steps - first);
            const bool last = i + 1 == checkpoints_.size();
            runSpan(first, count, true, last);
            auto h = frame_.outputs[hiddenPort()];
            for (std::size_t e = 0; e < h.size(); ++e)
                h.adjoint[e] += hiddenWeight[static_cast<std::size_t>(sizes_.hidden * first * sizes_.trials) + e];
            if (modulated())
                for (std::size_t e = 0; e < modulation_.size(); ++e)
                    modulation_.adjoint[e] += signalWeight[static_cast<std::size_t>(first * sizes_.trials) + e];
            for (std::size_t k = 0; k < states_.size(); ++k) {
                T* adjoint = frame_.states[k].adjoint;
                if (!adjoint) continue;
                if (last)
                    for (std::size_t e = 0; e < initial[k].size(); ++e) adjoint[e] += stateWeights[k][e];
                else if (!builder_.states()[k].inPlace)
                    for (std::size_t e = 0; e < initial[k].size(); ++e) adjoint[e] += adjoints_[k][e];
            }
            tape_.backward();
            for (std::size_t k = 0; k < states_.size(); ++k)
                if (!builder_.states()[k].inPlace && leaves_[k].adjoint)
                    std::copy_n(leaves_[k].adjoint, initial[k].size(), adjoints_[k]);
        }
        for (std::size_t k = 0; k < states_.size(); ++k)
            initialGradient[k].assign(adjoints_[k], adjoints_[k] + initial[k].size());
    }

    /// Recorded forward pass over all spans, without the backward pass (for timing).
    void record(int span) {
        for (std::size_t i = 0; i < checkpoints_.size(); ++i) {
            for (std::size_t k = 0; k < states_.size(); ++k)
                std::copy(checkpoints_[i][k].begin(), checkpoints_[i][k].end(), states_[k]);
            const int first = static_cast<int>(i) * span;
            runSpan(first, std::min(span, sizes_.steps - first), true, false);
        }
    }

private:
    static std::size_t hiddenPort() { return static_cast<std::size_t>(entry().declaration.port("hidden")); }
    static std::size_t inputPort() { return static_cast<std::size_t>(entry().declaration.port("input")); }
    static std::size_t plasticityPort() { return static_cast<std::size_t>(entry().declaration.port("plasticity")); }
    int columns() const { return sizes_.steps * sizes_.trials; }
    bool modulated() const {
        const auto& rule = std::get<std::string>(params_.at("rule"));
        return rule == "simple" || rule == "retroactive";
    }
    std::vector<bool> wiring() const {
        std::vector<bool> wired(entry().declaration.ports.size(), false);
        wired[inputPort()] = true;
        wired[plasticityPort()] = modulated();
        return wired;
    }
    Builder makeBuilder() {
        std::vector<int> sizes(entry().declaration.ports.size());
        sizes[inputPort()] = sizes_.inputs;
        sizes[plasticityPort()] = 1;
        sizes[hiddenPort()] = sizes_.hidden;
        params_["hidden"] = std::int64_t{sizes_.hidden};
        return Builder(entry().declaration, sizes, wiring(), 1);
    }
    void intervene(NodeFrame<T>&, int, Value<T>, Value<T>, int) override {}

    void runSpan(int first, int count, bool recording, bool settle) {
        const int trials = sizes_.trials;
        tape_.clear();
        tape_.setRecording(recording);
        typename Step<T>::Window window{first, count, 0, count, trials, 1, 0, 0, 0, 0, nullptr, credit};
        for (std::size_t k = 0; k < weights.size(); ++k) {
            const auto& info = builder_.weights()[k];
            frame_.weights[k] = {&tape_, weights[k].data(), recording ? gradients[k].data() : nullptr, info.rows,
                                 info.cols};
        }
        frame_.packed.clear();
        for (int k : builder_.packedWeights()) {
            const auto& W = frame_.weights[static_cast<std::size_t>(k)];
            frame_.packed.emplace_back(W.data, W.rows, W.cols,
                                       tape_.arena().template array<T>(Packed<T>::size(W.rows, W.cols)));
        }
        for (std::size_t k = 0; k < states_.size(); ++k) {
            const auto& info = builder_.states()[k];
            Value<T> leaf{&tape_, states_[k], nullptr, static_cast<int>(info.size()), trials};
            if (recording) leaf.adjoint = info.inPlace ? adjoints_[k] : tape_.zeros(leaf.size());
            frame_.states[k] = leaves_[k] = leaf;
            frame_.next[k] = {};
        }
        const auto inputOffset = static_cast<std::size_t>(sizes_.inputs * first * trials);
        const Value<T> input{&tape_, inputs.data() + inputOffset,
                             recording ? inputGradient.data() + inputOffset : nullptr, sizes_.inputs, count * trials};
        frame_.outputs[hiddenPort()] = tape_.make(sizes_.hidden, count * trials);
        modulation_ = tape_.make(1, count * trials);
        const Value<T> w{&tape_, modulator.data(), recording ? modulatorGradient.data() : nullptr, 1, sizes_.hidden};
        const Value<T> bias{&tape_, modulator.data() + sizes_.hidden,
                            recording ? modulatorGradient.data() + sizes_.hidden : nullptr, 1, 1};
        frame_.inputs[inputPort()] = inputKnown ? input : Value<T>{};
        {
            Step<T> s(tape_, frame_, *this, window);
            model_->begin(s);
        }
        window.count = 1;
        for (int t = 0; t < count; ++t) {
            window.offset = t;
            Step<T> s(tape_, frame_, *this, window);
            frame_.inputs[inputPort()] = input.columns(t * trials, trials);
            model_->step(s);
            swapStates();
            if (!modulated()) continue;
            const auto h = frame_.outputs[hiddenPort()].columns(t * trials, trials);
            const auto M = modulation_.columns(t * trials, trials);
            copyInto(M, activate(decayingModulator ? Activation::sigmoid : Activation::tanh, affine(w, h, bias)));
            frame_.inputs[plasticityPort()] = M;
            model_->close(s);
            swapStates();
        }
        if (settle) {
            window.offset = count;
            Step<T> s(tape_, frame_, *this, window);
            model_->settle(s);
            swapStates();
        }
        const auto h = frame_.outputs[hiddenPort()];
        std::copy_n(h.data, h.size(), hidden.data() + sizes_.hidden * first * trials);
        if (modulated()) std::copy_n(modulation_.data, modulation_.size(), signal.data() + first * trials);
        if (recording) return;
        for (std::size_t k = 0; k < states_.size(); ++k)
            if (frame_.states[k].data != states_[k])
                std::copy_n(frame_.states[k].data, frame_.states[k].size(), states_[k]);
    }
    void swapStates() {
        for (std::size_t k = 0; k < frame_.states.size(); ++k)
            if (frame_.next[k]) {
                frame_.states[k] = frame_.next[k];
                frame_.next[k] = {};
            }
    }

    Sizes sizes_;
    ParamValues params_;
    Builder builder_;
    std::unique_ptr<Model<T>> model_;
    Tape<T> tape_;
    Arena memory_;
    NodeFrame<T> frame_;
    std::vector<T*> states_, adjoints_;
    std::vector<Value<T>> leaves_;
    Value<T> modulation_;
    std::vector<std::vector<Array>> checkpoints_;
};

} // namespace raphe::plasticTest
