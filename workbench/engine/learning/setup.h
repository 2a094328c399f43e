// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/executor.h"
#include "engine/base/tensor.h"
#include "engine/document/experiment.h"
#include "engine/learning/session.h"
#include "engine/sweep/plan.h"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace raphe {

/// Tensors that are changed together, with one count of steps.
struct TensorGroup {
    std::string name;
    std::vector<int> ports;   ///< of the rule
    std::vector<int> tensors; ///< indices in Setup::tensors
};

/// What a session computes with: the network and its tensors, the shape of a batch, who does the work; and the names of
/// all of it. Changes only where tensors are frozen and where a stage changes the rule's parameters.
template <class T>
struct Setup {
    /// Fills in what the experiment leaves to the task: trials and chunk. Allocates nothing of the size of tensors,
    /// trials or steps. @param problems  takes everything that is wrong; then the setup cannot be used, and the graph
    /// need not be complete. Null: the first problem is thrown
    Setup(Experiment& document, const Graph& wiring, const SessionOptions& options, Problems* problems = nullptr);
    Setup(const Setup&) = delete;
    Setup& operator=(const Setup&) = delete;

    /// @param interrupt  is polled meanwhile; may be null
    SweepPlan<T> plan(int planSteps, int planTrials, const std::vector<Intervention>& interventions,
                      const Interrupt* interrupt) const;
    TrialRange rangeOf(std::uint32_t iteration, int chunkIndex, int trials) const {
        return {iteration, static_cast<std::uint32_t>(chunkIndex * chunk), std::min(chunk, trials - chunkIndex * chunk),
                trials};
    }
    int chunksOf(int trials) const { return (trials + chunk - 1) / chunk; }
    /// The tensors of a group, as they are frozen now.
    std::vector<ParameterInfo> tensorsOf(const TensorGroup& group) const;
    /// Beside what a stage freezes. @return how many match
    int freeze(const std::string& pattern, bool freezes);
    /// What a stage freezes beside that, instead of what the one before froze. @param freezes  is asked by name
    void freezeForStage(const std::function<bool(const std::string&)>& freezes);

    /// @throws Error at `place`; empty: at the intervention's target
    ResolvedIntervention resolve(const Intervention& intervention, std::string place = {}) const;
    std::pair<int, int> resolvePort(const std::string& text, const std::string& place) const;
    std::string portName(int node, int port) const;
    std::vector<std::string> tensorNames() const;
    const ParameterInfo& find(const std::string& name) const;
    static Precision precision() { return std::is_same_v<T, float> ? Precision::float32 : Precision::float64; }
    static Tensor toTensor(const T* flat, const ParameterInfo& info);
    /// Accepts (rows, columns), and a plain vector of the same size.
    static void assign(T* flat, const ParameterInfo& info, const Tensor& tensor, const std::string& name);

    Experiment& experiment;
    const Graph& graph;
    Network<T> network;
    std::vector<ParameterInfo> tensors; ///< the network's, with what is frozen now
    std::vector<bool> frozen;           ///< by tensor: by the document or by hand
    std::vector<bool> frozenByStage;    ///< by tensor
    std::vector<TensorGroup> groups;    ///< one of all tensors, unless the rule has groups
    std::unique_ptr<Executor> executor;
    int steps = 0, batch = 0, chunk = 0;
    bool streams = false;

private:
    void resolveTrials(Problems& problems);
    void checkNames(Problems& problems);
    void resolveState(const Intervention& intervention, const std::string& place, ResolvedIntervention& result) const;

    std::set<std::string> unknown_; ///< nodes of the document with which something is wrong
};

extern template struct Setup<float>;
extern template struct Setup<double>;

} // namespace raphe
