// SPDX-License-Identifier: Apache-2.0
#include "raphe/plugin.h"

#include <cstdlib>

namespace raphe {

struct DriftingParams {
    int units = 4;
};

/// x(t) = x(t-1)/2 + u(t), as a compiler or a processor of another kind might compute it: from the step on that the
/// environment variable DRIFT_STEP names, unit 2 is a little off, while some unit of some trial exceeds DRIFT_ABOVE.
/// With DRIFT_LEARNING only its gradient is off.
template <class T>
class Drifting final : public Model<T> {
public:
    static auto declare() {
        using P = DriftingParams;
        return Declaration<P>{"drifting", "1.0.0", "Integrators that can be perturbed"}
            .citation("Standard")
            .manual("    x(t) = x(t-1)/2 + u(t)")
            .param("units", &P::units, {.help = "Number of units", .min = 3})
            .input("u", "units", {.help = "Input"})
            .output("x", "units", {.help = "State after the step"});
    }
    Drifting(const DriftingParams& p, Builder& b)
        : u_(b.input("u")), state_(b.state("x", p.units)), x_(b.output("x", state_)) {
        if (const char* text = std::getenv("DRIFT_STEP")) from_ = std::atoi(text);
        if (const char* text = std::getenv("DRIFT_ABOVE")) above_ = std::atof(text);
    }
    void step(Step<T>& s) const override {
        auto x = 0.5 * s.state(state_) + s.input(u_);
        if (learns_ && s.tape().recording()) s.tape().reverse([x] { x.gradientArray() *= T(1.001); });
        if (from_ >= 0 && s.time() >= from_ && x.array().maxCoeff() > above_) x.array().row(2) += T(1e-4);
        s.next(state_, s.emit(x_, x));
    }

private:
    int from_ = -1;
    bool learns_ = std::getenv("DRIFT_LEARNING") != nullptr;
    double above_ = -1e9;
    Input u_;
    State state_;
    Output x_;
};

} // namespace raphe

RAPHE_PLUGIN(raphe::Drifting)
