// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"

#include <string>
#include <vector>

namespace raphe {

class Registry;

/// Whether a task, a model and a learning rule fit together in the plainest experiment that they allow.
struct Combination {
    std::string task, model, rule; ///< keys
    std::string reason;            ///< why they do not fit; empty: they do
    Json document;                 ///< the experiment; null if none could be laid out
    bool fits() const { return reason.empty(); }
};

/// The plainest experiment of a task, a model and a rule, laid out by the names of their ports and with default
/// parameters: the model reads what the task shows, readouts and a head give the rule and the task what they ask for,
/// rewards, targets and masks go where they are expected. Then it is built, without a training.
Combination combine(const Registry& registry, const std::string& task, const std::string& model,
                    const std::string& rule);

/// Every task with every model and every rule, in alphabetical order.
std::vector<Combination> combinations(const Registry& registry);

/// The page of the documentation: a table for each rule, and the reasons.
std::string combinationsMarkdown(const std::vector<Combination>& combinations);

} // namespace raphe
