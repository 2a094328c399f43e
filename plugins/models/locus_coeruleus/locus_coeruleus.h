// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <algorithm>

namespace raphe {

struct LocusCoeruleusParams {
    double rateFast = 0.1, rateSlow = 0.01, slowStart = 0.3;
    double theta = 0.3;
    int refractory = 60, warmup = 100;
    double burst = 1, decayTime = 40;
};

inline constexpr const char* locusCoeruleusManual =
    R"(Compares the surprise of the last steps with the surprise that is usual, and answers with a burst of noradrenaline when it
is exceeded: unexpected uncertainty.

    F <- F + a_F (surprise - F)
    burst = F > S + theta, if the last burst is more than `refractory` steps past and `warmup` steps have gone
    S <- S + a_S (surprise - S)
    NA <- NA (1 - 1/tau);   NA <- `burst` at a burst

all at the end of a step, so that a burst acts from the next step on.

| symbol | here |
| --- | --- |
| surprise | port `surprise`, read at the end of the step: the magnitude of a prediction error |
| F, S | fast and slow mean: states `fast`, `slow`; S, the expected surprise, starts at `slow_start` |
| a_F, a_S | `rate_fast`, `rate_slow` |
| NA | port `noradrenaline`, as it is at the start of the step |
| S | port `expected_surprise`, likewise (a stand-in for acetylcholine) |
| F | port `recent_surprise`, likewise |
| burst | port `burst`, 1 in the step at whose end a burst begins |)";

/// Surprise above what is usual triggers bursts of noradrenaline.
template <class T>
class LocusCoeruleus final : public Model<T> {
public:
    static auto declare() {
        using P = LocusCoeruleusParams;
        return Declaration<P>{"locus_coeruleus", "1.0.0", "Bursts of noradrenaline at surprise above what is usual"}
            .citation(
                "Designed after J. Mei et al. (2025), Improving the adaptive and continuous learning capabilities "
                "of artificial neural networks: lessons from multi-neuromodulatory dynamics, arXiv:2501.06762, "
                "section 6, and A. J. Yu, P. Dayan (2005), Uncertainty, neuromodulation, and attention, Neuron, "
                "doi:10.1016/j.neuron.2005.04.026")
            .manual(locusCoeruleusManual)
            .param("rate_fast", &P::rateFast,
                   {.unit = "per step", .help = "Rate of the fast mean", .min = 0, .max = 1, .group = "surprise"})
            .param("rate_slow", &P::rateSlow,
                   {.unit = "per step", .help = "Rate of the slow mean", .min = 0, .max = 1, .group = "surprise"})
            .param("slow_start", &P::slowStart, {.help = "Slow mean before the first step", .group = "surprise"})
            .param("theta", &P::theta, {.help = "How far the fast mean must lie above the slow one", .group = "burst"})
            .param("refractory", &P::refractory,
                   {.unit = "steps", .help = "Steps after a burst without another", .min = 0, .group = "burst"})
            .param("warmup", &P::warmup,
                   {.unit = "steps", .help = "Steps at the start without a burst", .min = 0, .group = "burst"})
            .param("burst", &P::burst, {.help = "Noradrenaline after a burst", .group = "burst"})
            .param("decay_time", &P::decayTime,
                   {.unit = "steps", .help = "Time constant of the decay of noradrenaline", .min = 1, .group = "burst"})
            .input("surprise", 1, {.help = "Magnitude of a prediction error", .read = Read::end})
            .output("noradrenaline", 1, {.help = "Level at the start of the step"})
            .output("expected_surprise", 1, {.help = "Slow mean at the start of the step"})
            .output("recent_surprise", 1, {.help = "Fast mean at the start of the step"})
            .output("burst", 1, {.help = "1 where a burst begins with the end of the step", .read = Read::end})
            .event("burst", "burst");
    }

    LocusCoeruleus(const LocusCoeruleusParams& p, Builder& b)
        : p_(p), surprise_(b.input("surprise")), burst_(b.output("burst")), noradrenaline_(b.state("noradrenaline", 1)),
          slow_(b.state("slow", 1, {.initial = p.slowStart})), fast_(b.state("fast", 1)), steps_(b.state("steps", 1)),
          since_(b.state("since_burst", 1, {.initial = longAgo})) {
        noradrenalineOut_ = b.output("noradrenaline", noradrenaline_);
        slowOut_ = b.output("expected_surprise", slow_);
        fastOut_ = b.output("recent_surprise", fast_);
    }

    void step(Step<T>& s) const override {
        // What an intervention makes of the level is the level.
        s.next(noradrenaline_, s.emit(noradrenalineOut_, s.state(noradrenaline_).constant()));
        s.emit(slowOut_, s.state(slow_).constant());
        s.emit(fastOut_, s.state(fast_).constant());
    }

    void close(Step<T>& s) const override {
        const Value<T> surprise = s.input(surprise_), burst = s.tape().make(1, s.columns(), false);
        const auto fresh = [&](State state) { return s.tape().make(1, s.state(state).cols, false); };
        const Value<T> na = s.state(noradrenaline_), slow = s.state(slow_), fast = s.state(fast_),
                       steps = s.state(steps_), since = s.state(since_), naNext = fresh(noradrenaline_),
                       slowNext = fresh(slow_), fastNext = fresh(fast_), stepsNext = fresh(steps_),
                       sinceNext = fresh(since_);
        for (int c = 0; c < burst.cols; ++c) {
            const T u = surprise.data[c];
            fastNext.data[c] = fast.data[c] + static_cast<T>(p_.rateFast) * (u - fast.data[c]);
            const bool bursts = fastNext.data[c] > slow.data[c] + static_cast<T>(p_.theta) &&
                                since.data[c] > static_cast<T>(p_.refractory) &&
                                steps.data[c] >= static_cast<T>(p_.warmup);
            slowNext.data[c] = slow.data[c] + static_cast<T>(p_.rateSlow) * (u - slow.data[c]);
            naNext.data[c] = bursts ? static_cast<T>(p_.burst) : na.data[c] * static_cast<T>(1 - 1 / p_.decayTime);
            burst.data[c] = bursts ? T(1) : T(0);
            stepsNext.data[c] = std::min(steps.data[c] + 1, static_cast<T>(longAgo));
            sinceNext.data[c] = bursts ? T(1) : std::min(since.data[c] + 1, static_cast<T>(longAgo));
        }
        s.next(noradrenaline_, naNext);
        s.next(slow_, slowNext);
        s.next(fast_, fastNext);
        s.next(steps_, stepsNext);
        s.next(since_, sinceNext);
        s.emit(burst_, burst);
    }

private:
    static constexpr double longAgo = 8388608; ///< steps are counted up to here, exactly in single precision

    LocusCoeruleusParams p_;
    Input surprise_;
    Output burst_, noradrenalineOut_, slowOut_, fastOut_;
    State noradrenaline_, slow_, fast_, steps_, since_;
};

} // namespace raphe
