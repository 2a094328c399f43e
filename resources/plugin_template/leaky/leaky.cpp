// SPDX-License-Identifier: Apache-2.0
#include "raphe/plugin.h"

namespace raphe {

struct LeakyParams {
    int units = 10; // the initialiser is the default
    double tau = 10;
};

/// Integrators with a leak:  tau dx/dt = -x + u.
template <class T>
class Leaky final : public Model<T> {
public:
    static auto declare() {
        using P = LeakyParams;
        return Declaration<P>{"leaky", "1.0.0", "Integrators with a leak"}
            .citation("Standard")
            .manual("    tau dx/dt = -x + u\n\nx, u: ports `x`, `u`; tau: `tau`.")
            .param("units", &P::units, {.help = "Number of units", .min = 1})
            .param("tau", &P::tau,
                   {.unit = "time", .help = "Time constant, in the unit of the experiment's dt", .min = 1e-3})
            .input("u", "units", {.help = "Input"})
            .output("x", "units", {.help = "State after the step"});
    }

    Leaky(const LeakyParams& p, Builder& b)
        : tau_(p.tau), u_(b.input("u")), state_(b.state("x", p.units)), x_(b.output("x", state_)) {}

    void step(Step<T>& s) const override {
        const auto x = s.state(state_), u = s.input(u_);
        s.next(state_, s.emit(x_, x + (s.dt() / tau_) * (u - x)));
    }

private:
    double tau_;
    Input u_;
    State state_;
    Output x_;
};

} // namespace raphe

RAPHE_PLUGIN(raphe::Leaky)
