// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/changed_session.h"

#include "engine/learning/preflight.h"

namespace raphe {

std::unique_ptr<Session> changedSession(const Session& session, const Experiment& experiment, const Registry& registry,
                                        const SessionOptions& options) {
    auto changed = Session::create(experiment, registry, options);
    for (const auto& item : session.weights()) changed->set(item.name, item.tensor);
    return changed;
}

Experiment withTrialsOfTask(Experiment changed, int otherwise, const Registry& registry) {
    if (changed.trials > 0) return changed;
    Problems problems;
    preflight(changed, registry, {}, problems);
    if (problems.concern("trials")) changed.trials = otherwise;
    return changed;
}

} // namespace raphe
