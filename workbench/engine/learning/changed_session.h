// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/session.h"

#include <memory>

namespace raphe {

/// The weights of a session under an experiment whose parameters may differ, for instance another split of a data set
/// or other trials of a task. The tensors must be the same. @throws Error
std::unique_ptr<Session> changedSession(const Session& session, const Experiment& experiment, const Registry& registry,
                                        const SessionOptions& options);

/// An experiment whose parameters have changed, and with them perhaps the task's own set of trials: where it says 0
/// trials and the task has no set, they become `otherwise`.
Experiment withTrialsOfTask(Experiment changed, int otherwise, const Registry& registry);

} // namespace raphe
