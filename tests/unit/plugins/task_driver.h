// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace raphe::test {

/// Plays trials of a task step by step. @tparam C  a task class template
template <template <class> class C>
class TaskDriver {
public:
    explicit TaskDriver(const ParamValues& changed = {}) : declaration_(entryOf<C>().declaration) {
        auto values = declaration_.defaults();
        for (const auto& [key, value] : changed) values.at(key) = value;
        std::vector<int> sizes;
        for (const auto& port : declaration_.ports) sizes.push_back(port.size(values));
        Builder builder(declaration_, sizes, std::vector<bool>(sizes.size(), true), 1);
        task_ = std::make_unique<C<double>>(C<double>::declare().fill(values), builder);
        state_ = task_->makeTrial();
        for (int size : sizes) ports_.emplace_back(static_cast<std::size_t>(size));
    }

    const C<double>& task() const { return *task_; }
    void begin(std::uint32_t trial, std::uint64_t seed = 1) {
        Stream stream(seed, addressOf("task"), 0, trial, 0);
        static_cast<const Task<double>&>(*task_).begin(*state_, trial, stream);
        step_ = 0;
        seed_ = seed;
        trial_ = trial;
    }
    void observe() {
        clear();
        auto pointers = pointersToPorts();
        TaskStep<double> s(step_, pointers.data(), random(step_));
        static_cast<const Task<double>&>(*task_).observe(*state_, s);
        end_ = s.end();
    }
    void act() {
        auto pointers = pointersToPorts();
        TaskStep<double> s(step_, pointers.data(), random(step_));
        static_cast<const Task<double>&>(*task_).act(*state_, s);
        ++step_;
    }
    /// Shows a trial that the test made itself.
    template <class Trial>
    void observe(Trial& trial) {
        clear();
        auto pointers = pointersToPorts();
        TaskStep<double> s(step_, pointers.data(), random(step_));
        task_->observe(trial, s);
    }
    void begin(const TrialPlace& place, std::uint64_t seed = 1) {
        Stream stream(seed, addressOf("task"), place.iteration, place.trial, 0);
        static_cast<const Task<double>&>(*task_).begin(*state_, place, stream);
        step_ = 0;
        seed_ = seed;
        trial_ = place.trial;
    }
    /// How the trial ended with the step that was observed last.
    End end() const { return end_; }
    std::vector<double>& port(const char* name) { return ports_[static_cast<std::size_t>(declaration_.port(name))]; }

private:
    void clear() {
        for (std::size_t p = 0; p < ports_.size(); ++p)
            if (declaration_.ports[p].kind == PortKind::output) std::fill(ports_[p].begin(), ports_[p].end(), 0.0);
    }
    Stream random(int step) const {
        return {seed_, addressOf("task"), 0, trial_, static_cast<std::uint32_t>(step) + 1};
    }
    std::vector<double*> pointersToPorts() {
        std::vector<double*> pointers;
        for (auto& port : ports_) pointers.push_back(port.data());
        return pointers;
    }
    DeclarationData declaration_;
    std::unique_ptr<C<double>> task_;
    std::unique_ptr<TrialState> state_;
    std::vector<std::vector<double>> ports_;
    int step_ = 0;
    std::uint64_t seed_ = 1;
    std::uint32_t trial_ = 0;
    End end_ = End::none;
};

} // namespace raphe::test
