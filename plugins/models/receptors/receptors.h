// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

namespace raphe {

struct ReceptorsParams {
    std::vector<double> types = {1, 1}, effects = {1, -1};
    std::string form = "exponential";

    std::string check() const {
        for (double size : types)
            if (size != std::floor(size)) return "types: expected whole numbers of cells, got " + std::to_string(size);
        if (types.empty()) return "types: expected at least one number of cells, e.g. [10, 10]";
        if (effects.size() != types.size())
            return "effects: expected one for each of the " + std::to_string(types.size()) + " types, got " +
                   std::to_string(effects.size());
        return {};
    }
    int cells() const { return static_cast<int>(std::accumulate(types.begin(), types.end(), 0.0)); }
};

inline constexpr const char* receptorsManual =
    R"(What the level of a modulator does to cells of different types: each type has a receptor, which raises or lowers its gain.

    gain of a cell of type k  =  exp(v_k s)      form exponential
                                 1 + v_k s       form linear

| symbol | here |
| --- | --- |
| s | port `level`, one number for all cells |
| v | `effects`, one for each type |
| gain | port `gain`, one number for each cell; the types stand one after the other, as `types` says |

With `types` [10, 10] and `effects` [1, -1] the first ten cells have D1-like receptors and the others D2-like ones: dopamine s raises the gain
of the direct pathway of the basal ganglia and lowers that of the indirect one.)";

/// gain = exp(v s) or 1 + v s, with v fixed for each type of cells.
/// Section 2.10 of the specification nm_rnn, after the programs of J. C. Costacurta et al. (2024).
template <class T>
class Receptors final : public Model<T> {
public:
    static auto declare() {
        using P = ReceptorsParams;
        return Declaration<P>{"receptors", "1.0.0", "Gains of cells whose receptors answer to one modulator"}
            .citation(
                "J. C. Costacurta, S. Bhandarkar, D. M. Zoltowski, S. W. Linderman (2024), Structured flexibility in "
                "recurrent neural networks via neuromodulation, NeurIPS, doi:10.1101/2024.07.26.605315 (its "
                "multi-region network)")
            .manual(receptorsManual)
            .param("types", &P::types,
                   {.help = "Numbers of cells of each type, in their order", .min = 1, .max = 100000, .group = "cells"})
            .param("effects", &P::effects,
                   {.help = "How the receptor of each type answers: above 0 it raises the gain, below it lowers it",
                    .group = "cells"})
            .param(
                "form", &P::form,
                {.help = "How the gain depends on the level", .choices = {"exponential", "linear"}, .group = "cells"})
            .input("level", 1, {.help = "Level of the modulator"})
            .output("gain", Size<P>("sum of types", [](const P& p) { return p.cells(); }),
                    {.help = "Gain of each cell"})
            .check([](const P& p) { return p.check(); });
    }

    Receptors(const ReceptorsParams& p, Builder& b)
        : exponential_(p.form == "exponential"), level_(b.input("level")), gain_(b.output("gain")) {
        for (std::size_t k = 0; k < p.types.size(); ++k)
            effects_.insert(effects_.end(), static_cast<std::size_t>(p.types[k]), static_cast<T>(p.effects[k]));
    }

    void step(Step<T>& s) const override {
        const Value<T> level = s.input(level_), gain = s.destination(gain_);
        const Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>> v(effects_.data(), gain.rows);
        for (int c = 0; c < gain.cols; ++c)
            if (exponential_)
                gain.array().col(c) = (v * level.data[c]).exp();
            else
                gain.array().col(c) = T(1) + v * level.data[c];
        if (level.adjoint)
            s.tape().reverse([=, exponential = exponential_] {
                for (int c = 0; c < gain.cols; ++c) {
                    const auto a = gain.gradientArray().col(c);
                    level.adjoint[c] += exponential ? (v * a * gain.array().col(c)).sum() : (v * a).sum();
                }
            });
        s.emit(gain_, gain);
    }

private:
    bool exponential_;
    Input level_;
    Output gain_;
    std::vector<T> effects_; ///< v by cell
};

} // namespace raphe
