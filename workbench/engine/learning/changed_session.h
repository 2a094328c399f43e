// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/session.h"

#include <memory>

namespace raphe {

/// The weights of a session under an experiment whose parameters may differ, for instance another split of a data set
/// or other trials of a task. The tensors must be the same. @throws Error
std::unique_ptr<Session> changedSession(const Session& session, const Experiment& experiment, const Registry& registry,
                                        const SessionOptions& options);

} // namespace raphe
