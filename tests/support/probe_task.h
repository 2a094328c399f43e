// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/task.h"

namespace raphe::test {

struct ProbeParams {
    int inputs = 1, context = 1, targets = 1, steps = 1, actions = 0;
};

/// A task without content: its signals are given from outside by the tests.
template <class T>
class Probe final : public TaskOf<T, int> {
public:
    static auto declare() {
        using P = ProbeParams;
        return Declaration<P>{"probe", "1.0.0", "Signals that a test gives"}
            .param("inputs", &P::inputs, {.help = "Units of observation", .min = 1})
            .param("context", &P::context, {.help = "Units of context", .min = 1})
            .param("targets", &P::targets, {.help = "Units of target and mask", .min = 1})
            .param("steps", &P::steps, {.help = "Steps of a trial", .min = 1})
            .param("actions", &P::actions, {.help = "Units of action; 0: open loop", .min = 0})
            .input("action", "actions", {.help = "Not used", .read = Read::end, .optional = true})
            .output("observation", "inputs", {.help = "Zero unless given"})
            .output("context", "context", {.help = "Zero unless given"})
            .output("target", "targets", {.help = "Zero unless given"})
            .output("mask", "targets", {.help = "Zero unless given"})
            .output("reward", 1, {.help = "Zero unless given", .read = Read::end});
    }
    Probe(const ProbeParams& params, Builder&) : steps_(params.steps) {}
    int steps() const override { return steps_; }
    void begin(int&, std::uint32_t, Stream&) const override {}
    void observe(int&, TaskStep<T>&) const override {}

private:
    int steps_;
};

} // namespace raphe::test
