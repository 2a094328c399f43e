// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <cmath>
#include <string>
#include <vector>

namespace raphe {

struct DiffusingModulatorParams {
    int sources = 5, grid = 10;
    double radius = 0.35, reach = 0.15, floor = 0;
};

inline constexpr const char* diffusingModulatorManual =
    R"(Modulators that are released at places of a square on which the units of a network lie, and thin out with the distance.

    c_j = floor + sum_k a_k exp(-|x_j - y_k|^2 / (2 rho^2))
    x_j = ((i + 1/2) / n, (l + 1/2) / n),  j = n i + l
    y_k = (1/2 + r cos 2 pi k / K, 1/2 + r sin 2 pi k / K)

| symbol | here |
| --- | --- |
| a | port `release`: how much each of the K = `sources` sources releases, for example one for each task |
| c | port `concentration`: n^2 numbers, n = `grid` |
| a as it acts | port `released`; interventions there let other sources release, and do nothing else |
| r, rho | `radius` of the ring of sources, `reach` of the modulator |
| floor | `floor`: concentration everywhere |

Wired to `plasticity` of a layer (and to `input_plasticity` of the next one) it decides where a network learns; wired to `slope` (with
`bias_placement` inside) where it is active.

**Differs from the paper.** J. Velez and J. Clune evolved networks on a foraging task; the ring of sources, the bell-shaped field and the
use as a gain are of our own making.)";

/// Concentrations at the units of a square grid of modulators that diffuse from sources on a ring.
template <class T>
class DiffusingModulator final : public Model<T> {
public:
    static auto declare() {
        using P = DiffusingModulatorParams;
        return Declaration<P>{"diffusing_modulator", "1.0.0", "Modulators that diffuse from places on a grid of units"}
            .citation(
                "R. Velez, J. Clune (2017), Diffusion-based neuromodulation can eliminate catastrophic forgetting "
                "in simple neural networks, PLoS ONE, doi:10.1371/journal.pone.0187736")
            .manual(diffusingModulatorManual)
            .param("sources", &P::sources, {.help = "Sources on the ring", .min = 1, .max = 1000, .group = "field"})
            .param("grid", &P::grid,
                   {.help = "Units along a side of the square", .min = 1, .max = 1000, .group = "field"})
            .param("radius", &P::radius,
                   {.unit = "side of the square", .help = "Radius of the ring of sources", .min = 0, .group = "field"})
            .param("reach", &P::reach,
                   {.unit = "side of the square",
                    .help = "Distance at which the concentration is exp(-1/2)",
                    .min = 1e-6,
                    .group = "field"})
            .param("floor", &P::floor, {.help = "Concentration without any release", .group = "field"})
            .input("release", "sources", {.help = "What each source releases"})
            .output("concentration", Size<P>("grid * grid", [](const P& p) { return p.grid * p.grid; }),
                    {.help = "Concentration at each unit"})
            .output("released", "sources", {.help = "What each source releases; interventions act here"});
    }

    DiffusingModulator(const DiffusingModulatorParams& p, Builder& b)
        : units_(p.grid * p.grid), sources_(p.sources), floor_(static_cast<T>(p.floor)), release_(b.input("release")),
          concentration_(b.output("concentration")), released_(b.output("released")) {
        for (int k = 0; k < sources_; ++k) {
            const double angle = 6.283185307179586476925286766559 * k / sources_;
            const double x = 0.5 + p.radius * std::cos(angle), y = 0.5 + p.radius * std::sin(angle);
            for (int j = 0; j < units_; ++j) {
                const double dx = (j / p.grid + 0.5) / p.grid - x, dy = (j % p.grid + 0.5) / p.grid - y;
                field_.push_back(static_cast<T>(std::exp(-(dx * dx + dy * dy) / (2 * p.reach * p.reach))));
            }
        }
    }

    void step(Step<T>& s) const override {
        const Value<T> a = s.emit(released_, s.input(release_)), c = s.destination(concentration_);
        const Value<T> field{&s.tape(), const_cast<T*>(field_.data()), nullptr, units_, sources_};
        c.value().noalias() = field.value() * a.value();
        c.array() += floor_;
        if (a.adjoint && c.adjoint)
            s.tape().reverse([=] { a.gradient().noalias() += field.value().transpose() * c.gradient(); });
        s.emit(concentration_, c);
    }

private:
    int units_, sources_;
    T floor_;
    std::vector<T> field_; ///< by source and unit
    Input release_;
    Output concentration_, released_;
};

} // namespace raphe
