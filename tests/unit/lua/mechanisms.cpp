// SPDX-License-Identifier: Apache-2.0
#include "lua_fixture.h"

#include "models/dense/dense.h"
#include "models/low_rank_rnn/low_rank_rnn.h"
#include "models/rnn/rnn.h"
#include "rules/supervised/supervised.h"
#include "tasks/measure_wait_go/measure_wait_go.h"

namespace raphe::test {

namespace {

struct EchoParams {
    int units = 2, steps = 4;
};

/// Shows random numbers and asks for their halves.
template <class T>
class Echo final : public TaskOf<T, int> {
public:
    static auto declare() {
        using P = EchoParams;
        return Declaration<P>{"echo", "1.0.0", "Shows numbers and asks for their halves"}
            .param("units", &P::units, {.help = "Units of the observation", .min = 1})
            .param("steps", &P::steps, {.help = "Steps of a trial", .min = 1})
            .output("observation", "units", {.help = "Numbers"})
            .output("target", "units", {.help = "Their halves"});
    }
    Echo(const EchoParams& p, Builder& b) : p_(p), observation_(b.output("observation")), target_(b.output("target")) {}
    int steps() const override { return p_.steps; }
    void begin(int&, std::uint32_t, Stream&) const override {}
    void observe(int&, TaskStep<T>& s) const override {
        for (int u = 0; u < p_.units; ++u) {
            s.output(observation_)[u] = static_cast<T>(std::sin(1.0 + s.step() + 2 * u));
            s.output(target_)[u] = s.output(observation_)[u] / 2;
        }
    }

private:
    EchoParams p_;
    Output observation_, target_;
};

} // namespace

void registerMechanisms(Registry& registry) {
    registry.add(entryOf<Echo>(), "test");
    registry.add(entryOf<Dense>(), "test");
    registry.add(entryOf<Rnn>(), "test");
    registry.add(entryOf<LowRankRnn>(), "test");
    registry.add(entryOf<MeasureWaitGo>(), "test");
    registry.add(entryOf<Supervised>(), "test");
}

} // namespace raphe::test
