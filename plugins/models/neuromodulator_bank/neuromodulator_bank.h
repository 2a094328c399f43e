// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bank_text.h"

#include "raphe/plugin.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace raphe {

struct NeuromodulatorBankParams {
    std::string channels = "DA; NA";
    std::string effects = "learning_rate linear DA";
    std::string interactions = "";
    int width = 1;
};

inline constexpr const char* neuromodulatorBankManual =
    R"(Several neuromodulators, each with a tonic and a phasic part, that act on each other and set hyper-parameters of other
mechanisms: learning rate, temperature, discount, gain.

    tonic  <- tonic + (u - tonic) / tau_tonic
    phasic <- phasic (1 - 1/tau_phasic) + phasic_gain max(u - threshold, 0)
    level   = clip(baseline + w_tonic tonic + w_phasic phasic, low, high)

u is the channel's source, a unit of the port `source`, in the order of `channels`. A source that is written at the end of a
step (a reward, an error) arrives with the next step. tau_tonic 1 lets the level follow its source.

`channels`: a name for each, with settings where they differ from the defaults:

    NA; ACh tau_tonic 20; DA baseline 0.1 w_phasic 1 threshold 0.5 high 5

`effects`: target, form, channel, settings; the result is clipped to [low, high]. m is the level:

| form | value |
| --- | --- |
| linear | base + gain m |
| exp | base e^(gain m) |
| divide | base / (1 + gain m) |
| hill | base (1 + gain m^n / (half^n + m^n)), n = exponent, for m > 0 |
| reciprocal | base / (m + epsilon) |
| ratio A B | base m_A / (m_A + m_B), 0 if both are 0 |

    learning_rate ratio NA ACh low 0.01; temperature linear NA base 0 gain 1

Targets are learning_rate, temperature, inverse_temperature, discount, plasticity, gain, threshold and bias; each that is named
is an output port. Several effects on one target multiply their ratios to base (convergence).

`interactions`: "A modulates B" multiplies B's source by the level of A, "A opposes B gain 0.5" subtracts 0.5 times the level of
A from it; both are the levels of the previous step.

`width` makes every channel as many numbers as there are, for instance one an arm of a bandit.

The defaults in the literature (Doya 2002): DA scales the weight change, ACh sets the learning rate, NA the temperature, 5-HT the
discount.)";

/// Tonic and phasic levels, interactions, effects on hyper-parameters. Differentiable in its sources.
template <class T>
class NeuromodulatorBank final : public Model<T> {
public:
    static auto declare() {
        using P = NeuromodulatorBankParams;
        Declaration<P> d{"neuromodulator_bank", "1.0.0",
                         "Neuromodulators that set hyper-parameters of other mechanisms"};
        d.citation("After K. Doya (2002), Metalearning and neuromodulation, Neural Networks, "
                   "doi:10.1016/S0893-6080(02)00044-8; J. Mei et al. (2025), Improving the adaptive and continuous "
                   "learning capabilities of artificial neural networks, arXiv:2501.06762")
            .manual(neuromodulatorBankManual)
            .param("channels", &P::channels,
                   {.help = "Names of the channels, each with its settings; see the manual", .group = "bank"})
            .param("effects", &P::effects,
                   {.help = "What the channels set: target, form, channel, settings; see the manual", .group = "bank"})
            .param("interactions", &P::interactions,
                   {.help = "\"A modulates B\", \"A opposes B gain 0.5\"; see the manual", .group = "bank"})
            .param("width", &P::width,
                   {.help = "Numbers of each channel and each effect", .min = 1, .max = 1000000, .group = "bank"})
            .input("source",
                   Size<P>("channels * width",
                           [](const P& p) {
                               const auto plan = planOrEmpty(p);
                               return plan.channels.empty() ? openSize
                                                            : static_cast<int>(plan.channels.size()) * p.width;
                           }),
                   {.help = "What drives the channels, one after the other"})
            .output("level",
                    Size<P>("channels * width",
                            [](const P& p) { return static_cast<int>(planOrEmpty(p).channels.size()) * p.width; }),
                    {.help = "Levels of the channels, one after the other"});
        for (std::size_t t = 0; t < bank::targets.size(); ++t)
            d.output(bank::targets[t],
                     Size<P>("width, if an effect names it",
                             [t](const P& p) { return planOrEmpty(p).has(static_cast<int>(t)) ? p.width : noPort; }),
                     {.help = "Set by the effects on it"});
        d.check([](const P& p) {
            try {
                bank::Reader::plan(p.channels, p.effects, p.interactions);
                return std::string();
            } catch (const Error& error) {
                return std::string(error.what());
            }
        });
        return d;
    }

    NeuromodulatorBank(const NeuromodulatorBankParams& p, Builder& b)
        : plan_(bank::Reader::plan(p.channels, p.effects, p.interactions)), width_(p.width), source_(b.input("source")),
          level_(b.output("level")) {
        const int units = static_cast<int>(plan_.channels.size()) * width_;
        tonicState_ = b.state("tonic", units);
        phasicState_ = b.state("phasic", units);
        levelState_ = b.state("level", units);
        for (std::size_t t = 0; t < bank::targets.size(); ++t)
            if (plan_.has(static_cast<int>(t))) outputs_[t] = b.output(bank::targets[t]);
    }

    void step(Step<T>& s) const override {
        Pass pass;
        pass.source = s.input(source_);
        pass.tonic = s.state(tonicState_);
        pass.phasic = s.state(phasicState_);
        pass.before = s.state(levelState_);
        const int units = pass.tonic.rows, columns = pass.tonic.cols;
        pass.tonicNext = s.tape().make(units, columns);
        pass.phasicNext = s.tape().make(units, columns);
        pass.level = s.tape().make(units, columns);
        for (int c = 0; c < columns; ++c)
            for (int k = 0; k < units; ++k) advance(pass, c, k);
        s.tape().reverse([=, this] { reverseLevels(pass); });
        s.next(tonicState_, pass.tonicNext);
        s.next(phasicState_, pass.phasicNext);
        const Value<T> level = s.emit(level_, pass.level);
        s.next(levelState_, level);
        for (std::size_t t = 0; t < outputs_.size(); ++t) {
            if (outputs_[t].index < 0) continue;
            const Value<T> y = s.destination(outputs_[t]);
            const int target = static_cast<int>(t);
            for (int c = 0; c < columns; ++c)
                for (int i = 0; i < width_; ++i) y.column(c)[i] = static_cast<T>(effect(target, level, c, i));
            s.tape().reverse([=, this] { reverseEffect(target, level, y); });
            s.emit(outputs_[t], y);
        }
    }

private:
    struct Pass {
        Value<T> source, tonic, phasic, before, tonicNext, phasicNext, level;
    };
    struct Response {
        double value, da, db;
    };

    static bank::Plan planOrEmpty(const NeuromodulatorBankParams& p) {
        try {
            return bank::Reader::plan(p.channels, p.effects, p.interactions);
        } catch (const Error&) {
            return {};
        }
    }

    /// The source of a unit after the interactions; row k belongs to channel k / width.
    double driven(const Pass& p, int c, int k) const {
        double u = static_cast<double>(p.source.column(c)[k]);
        for (const auto& i : plan_.interactions) {
            if (i.to != k / width_) continue;
            const double level = static_cast<double>(p.before.column(c)[i.from * width_ + k % width_]);
            u = i.opposes ? u - i.gain * level : u * level;
        }
        return u;
    }

    void advance(const Pass& p, int c, int k) const {
        const auto& channel = plan_.channels[static_cast<std::size_t>(k / width_)];
        const double u = driven(p, c, k), tonic = static_cast<double>(p.tonic.column(c)[k]),
                     phasic = static_cast<double>(p.phasic.column(c)[k]);
        const double tonicNext = tonic + (u - tonic) / channel.tauTonic,
                     phasicNext = phasic * (1 - 1 / channel.tauPhasic) +
                                  channel.phasicGain * std::max(u - channel.threshold, 0.0);
        p.tonicNext.column(c)[k] = static_cast<T>(tonicNext);
        p.phasicNext.column(c)[k] = static_cast<T>(phasicNext);
        p.level.column(c)[k] = static_cast<T>(std::clamp(
            channel.baseline + channel.wTonic * tonicNext + channel.wPhasic * phasicNext, channel.low, channel.high));
    }

    void reverseLevels(const Pass& p) const {
        for (int c = 0; c < p.level.cols; ++c)
            for (int k = 0; k < p.level.rows; ++k) {
                const auto& channel = plan_.channels[static_cast<std::size_t>(k / width_)];
                const double level = static_cast<double>(p.level.column(c)[k]);
                const double g =
                    level > channel.low && level < channel.high ? static_cast<double>(p.level.gradientColumn(c)[k]) : 0;
                const double gTonic = static_cast<double>(p.tonicNext.gradientColumn(c)[k]) + channel.wTonic * g,
                             gPhasic = static_cast<double>(p.phasicNext.gradientColumn(c)[k]) + channel.wPhasic * g;
                add(p.tonic, c, k, gTonic * (1 - 1 / channel.tauTonic));
                add(p.phasic, c, k, gPhasic * (1 - 1 / channel.tauPhasic));
                const double u = driven(p, c, k);
                reverseDriven(p, c, k,
                              gTonic / channel.tauTonic + (u > channel.threshold ? gPhasic * channel.phasicGain : 0));
            }
    }

    /// Undoes the interactions from the last to the first.
    void reverseDriven(const Pass& p, int c, int k, double g) const {
        const auto& list = plan_.interactions;
        for (std::size_t last = list.size(); last-- > 0;) {
            const auto& i = list[last];
            if (i.to != k / width_) continue;
            const int from = i.from * width_ + k % width_;
            const double level = static_cast<double>(p.before.column(c)[from]);
            if (i.opposes) {
                add(p.before, c, from, -i.gain * g);
                continue;
            }
            double u = static_cast<double>(p.source.column(c)[k]); // as it was before this interaction
            for (std::size_t j = 0; j < last; ++j) {
                if (list[j].to != k / width_) continue;
                const double other = static_cast<double>(p.before.column(c)[list[j].from * width_ + k % width_]);
                u = list[j].opposes ? u - list[j].gain * other : u * other;
            }
            add(p.before, c, from, u * g);
            g *= level;
        }
        add(p.source, c, k, g);
    }

    static void add(const Value<T>& value, int c, int k, double g) {
        if (value.adjoint) value.gradientColumn(c)[k] += static_cast<T>(g);
    }

    Response respond(const bank::Effect& e, Value<T> level, int c, int i) const {
        using bank::Form;
        const double a = static_cast<double>(level.column(c)[e.a * width_ + i]);
        Response r{0, 0, 0};
        switch (e.form) {
        case Form::linear:
            r = {e.base + e.gain * a, e.gain, 0};
            break;
        case Form::exponential:
            r.value = e.base * std::exp(e.gain * a);
            r.da = r.value * e.gain;
            break;
        case Form::divide:
            r.value = e.base / (1 + e.gain * a);
            r.da = -r.value * e.gain / (1 + e.gain * a);
            break;
        case Form::hill: {
            r.value = e.base;
            if (a <= 0) break;
            const double power = std::pow(a, e.exponent), half = std::pow(e.half, e.exponent), sum = half + power;
            r.value = e.base * (1 + e.gain * power / sum);
            r.da = e.base * e.gain * e.exponent * power / a * half / (sum * sum);
            break;
        }
        case Form::reciprocal:
            r.value = e.base / (a + e.epsilon);
            r.da = -r.value / (a + e.epsilon);
            break;
        case Form::ratio: {
            const double b = static_cast<double>(level.column(c)[e.b * width_ + i]), sum = a + b;
            if (sum == 0) break;
            r = {e.base * a / sum, e.base * b / (sum * sum), -e.base * a / (sum * sum)};
            break;
        }
        }
        if (r.value < e.low || r.value > e.high) r = {std::clamp(r.value, e.low, e.high), 0, 0};
        return r;
    }

    double effect(int target, Value<T> level, int c, int i) const {
        double value = 1;
        bool first = true;
        for (const auto& e : plan_.effects) {
            if (e.target != target) continue;
            const double response = respond(e, level, c, i).value;
            value *= first ? response : response / e.base;
            first = false;
        }
        return value;
    }

    void reverseEffect(int target, Value<T> level, Value<T> y) const {
        for (int c = 0; c < y.cols; ++c)
            for (int i = 0; i < width_; ++i) {
                const double g = static_cast<double>(y.gradientColumn(c)[i]);
                for (const auto& e : plan_.effects) {
                    if (e.target != target) continue;
                    double others = 1;
                    bool first = true;
                    for (const auto& other : plan_.effects) {
                        if (other.target != target) continue;
                        const double base = first ? 1 : other.base;
                        others *= (&other == &e ? 1 : respond(other, level, c, i).value) / base;
                        first = false;
                    }
                    const auto r = respond(e, level, c, i);
                    add(level, c, e.a * width_ + i, g * others * r.da);
                    if (e.b >= 0) add(level, c, e.b * width_ + i, g * others * r.db);
                }
            }
    }

    bank::Plan plan_;
    int width_;
    Input source_;
    Output level_;
    std::array<Output, bank::targets.size()> outputs_{};
    State tonicState_, phasicState_, levelState_;
};

} // namespace raphe
