// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/setup.h"

#include <memory>

namespace raphe {

/// Runs trials of their own under fixed weights, without training on them. @param network  the setup's, or a copy
/// @throws Error if the request does not fit, Cancelled
template <class T>
EvaluateResult evaluateTrials(const Setup<T>& setup, const Network<T>& network, const T* weights,
                              const EvaluateRequest& request, std::vector<Intervention> interventions,
                              Executor& executor, const Interrupt& interrupt);

/// The same trials one step at a time, with everything readable in between.
template <class T>
std::unique_ptr<TrialPlayer> playTrials(const Setup<T>& setup, Network<T> network, AlignedArray<T> weights,
                                        const EvaluateRequest& request, std::vector<Intervention> interventions);

} // namespace raphe
