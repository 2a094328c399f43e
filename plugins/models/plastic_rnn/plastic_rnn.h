// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plastic_kernel.h"
#include "plastic_rnn_declaration.h"

#include "raphe/plugin.h"

#include <limits>
#include <string>

namespace raphe {

/// Recurrent network with differentiable, neuromodulated Hebbian plasticity ("Backpropamine"):
///   h(t) = tanh( W_in x(t) + b_in + (W + alpha .* H(t-1)) h(t-1) )
///   H(t) = clip( H(t-1) + q(t) h(t) h(t-1)^T ),  q = eta, or given by a modulator that reads h(t)
/// T. Miconi, A. Rawal, J. Clune, K. O. Stanley (2019), Backpropamine: training self-modifying neural networks with
/// differentiable neuromodulated plasticity, ICLR. The table of symbols and the differences stand in the
/// manual (plastic_rnn_declaration.h).
///
/// The update of the trace H is deferred: the end of step t only keeps the rate q(t), and step t+1 applies it in the
/// same pass over the trace that computes its own drive (plastic_kernel.h). Below, h1 = h(t-1) is what is transmitted
/// in step t, and h0 = h(t-2) is the presynaptic factor of the update that is pending from step t-1. While recording,
/// traces are kept as they were before clipping: clipping again on reading gives H, and whether it changed anything
/// gives the exact mask of the gradient (which passes at the bound itself).
template <class T>
class PlasticRnn final : public Model<T> {
public:
    static Declaration<PlasticRnnParams> declare() { return declarePlasticRnn(); }

    explicit PlasticRnn(const PlasticRnnParams& p, Builder& b)
        : units_(p.hidden), padded_(plastic::paddedRows<T>(p.hidden)), rule_(ruleOf(p.rule)),
          leak_(p.clip == "decay" ? Leak::decay
                : p.clip == "oja" ? Leak::oja
                                  : Leak::none),
          bound_(p.clip == "hard" || p.clip == "soft" ? static_cast<T>(p.clipBound) : unbounded) {
        const int inputs = b.size("input");
        const auto recurrent =
            p.recurrentDistribution == "normal" ? Init::normal(p.recurrentInit) : Init::uniform(0, p.recurrentInit);
        const bool modulated = rule_ == Rule::simple || rule_ == Rule::retroactive;
        if (modulated && !b.wired("plasticity"))
            throw Error(
                "port \"plasticity\": rule \"" + p.rule +
                "\" needs a modulator, but nothing is wired to it; wire a model of size 1 or choose rule \"plastic\"");
        if (!modulated && b.wired("plasticity"))
            throw Error("port \"plasticity\": rule \"" + p.rule +
                        "\" takes no modulator, but something is wired to it; remove the wire or choose rule "
                        "\"simple\" or \"retroactive\"");
        hidden_ = b.output("hidden");
        plasticity_ = b.input("plasticity");
        layered_ = p.inputLayer;
        if (layered_) {
            const auto inputWeight = b.weight("input_weight", units_, inputs, Init::fanIn(inputs));
            const auto inputBias = b.weight("input_bias", units_, 1, Init::fanIn(inputs));
            input_ = Projection<T>(b, "input", inputWeight, inputBias);
        } else {
            if (inputs != units_)
                throw Error("port \"input\"", "without an input layer it needs a unit for each of the " +
                                                  std::to_string(units_) + " neurons, got " + std::to_string(inputs));
            plain_ = b.input("input");
            inputGain_ = p.inputGain;
        }
        W_ = b.weight("recurrent_weight", units_, units_, recurrent);
        driveAdjoint_ = b.local();
        before_ = b.local();
        // Before `state_`: states are stored in this order, and after a lone step h0 is the memory that held h1.
        if (rule_ != Rule::none) earlier_ = b.state("previous", units_);
        state_ = b.state("hidden", units_);
        link_ =
            b.link(state_, {.mdgl = true,
                            .reason = rule_ == Rule::none
                                          ? "without plasticity it is model.rnn with tau 1, which can"
                                          : "credit also returns through the trace of each synapse, for which there "
                                            "is no filter that is the same at all times"});
        if (rule_ == Rule::none) {
            b.remember(hidden_);
            packed_ = b.packed(W_);
            return;
        }

        perConnection_ = p.alpha == "per_connection";
        single_ = p.alpha == "single";
        alpha_ = b.weight("alpha", single_ ? 1 : units_, perConnection_ ? units_ : 1, recurrent);
        if (rule_ == Rule::plastic) eta_ = b.weight("eta", 1, 1, Init::constant(p.etaInit));
        if (rule_ == Rule::retroactive) eta_ = b.weight("eta_trace", 1, 1, Init::constant(p.etaInit));
        if (p.fanOut == "per_neuron") {
            fanGain_ = b.weight("fan_gain", units_, 1, Init::fanIn(1));
            fanBias_ = b.weight("fan_bias", units_, 1, Init::fanIn(1));
        }
        if (modulated) rate_ = b.state("rate", fanGain_.index >= 0 ? units_ : 1);
        const StateOptions square{.columns = units_, .stride = padded_, .inPlace = true};
        trace_ = b.state("hebbian_trace", units_, square);
        if (rule_ == Rule::retroactive) eligibility_ = b.state("eligibility", units_, square);
        const auto form = leak_ != Leak::none ? plastic::Form::leaky
                          : p.clip == "soft"  ? plastic::Form::soft
                                              : plastic::Form::bounded;
        const auto source = rule_ != Rule::retroactive ? plastic::Source::activity
                            : p.traceFirst             ? plastic::Source::newTrace
                                                       : plastic::Source::oldTrace;
        kernels_ = plastic::kernelsFor<T>(form, source, perConnection_);
        rows_ = b.local();
        copies_ = b.local();
        gainAdjoint_ = b.local();
        start_ = b.local();
    }

    void begin(Step<T>& s) const override {
        Tape<T>& tape = s.tape();
        if (tape.recording()) {
            // Per step the gradient of W is zbar h1^T, of rank one; for the whole span it is one matrix product. This
            // reverse step is recorded first, so it runs when all zbar of the span are there.
            const Value<T> W = s.weight(W_), Zbar = tape.make(units_, s.columns(), false),
                           before = tape.make(units_, s.columns(), false);
            s.keep(driveAdjoint_, Zbar);
            s.keep(before_, before);
            if (W.adjoint) tape.reverse([=] { W.gradient().noalias() += Zbar.value() * before.value().transpose(); });
        }
        if (rule_ != Rule::none) prepareTraces(s);
        if (layered_) input_.begin(s);
    }

    void step(Step<T>& s) const override {
        const Value<T> drive = layered_ ? input_.step(s) : inputGain_ * s.input(plain_), h1 = s.state(state_),
                       h = s.destination(hidden_);
        if (s.tape().recording()) copyInto(s.keptStep(before_), h1);
        if (rule_ == Rule::none)
            stepFixed(s, drive, h);
        else
            sweep(s, drive, h);
        s.next(state_, s.emit(hidden_, h));
        if (rule_ != Rule::none) s.next(earlier_, h1);
    }

    void close(Step<T>& s) const override {
        if (rate_.index < 0) return;
        const Value<T> M = s.input(plasticity_);
        s.next(rate_, fanGain_.index >= 0 ? s.weight(fanGain_) * M + s.weight(fanBias_) : M);
    }

    /// Applies the update that the last step left pending.
    void settle(Step<T>& s) const override {
        if (rule_ != Rule::none) sweep(s, {}, {});
    }

private:
    enum class Rule { none, plastic, simple, retroactive };
    enum class Leak { none, decay, oja };
    static constexpr T unbounded = std::numeric_limits<T>::infinity();
    static Rule ruleOf(const std::string& name) {
        return name == "none"      ? Rule::none
               : name == "plastic" ? Rule::plastic
               : name == "simple"  ? Rule::simple
                                   : Rule::retroactive;
    }

    /// Padded rows that a block of trials needs during one pass.
    struct Rows {
        enum Index { gain, leakOrPost, drive, rate, before, earlier, gainSum, leakSum, postSum, rowGainSum, count };
        T* data;
        int padded;
        T* at(int trial, Index index) const {
            return data + static_cast<std::ptrdiff_t>(trial * count + index) * padded;
        }
    };

    /// One pass over the traces of a chunk, with all that its adjoint needs to know.
    struct Pass {
        plastic::Sheet<T> sheet;
        LinkCredit<T> link;
        Value<T> h, h1, h0, rate, drive, zbar; ///< h, drive and zbar are empty if only the traces are updated
        Value<T> trace, traceNext, eligibility, eligibilityNext;
        Value<T> alpha, eta;
        bool pending; ///< an update is: not so in the first step of a trial
    };

    void prepareTraces(Step<T>& s) const {
        Tape<T>& tape = s.tape();
        s.keep(start_, s.state(trace_));
        s.keep(rows_, tape.make(padded_, Rows::count * plastic::maxBlock, false));
        // A copy in aligned columns pays if it is read often enough.
        const bool copyAll = s.spanSteps() * s.trials() >= 8;
        const int firstCopied = copyAll ? 0 : plastic::Columns<T>::firstUnsafe(units_, padded_);
        const Value<T> copies = tape.make(padded_, 2 * (units_ - firstCopied) + 1, false);
        s.keep(copies_, copies);
        plastic::Columns<T>::make(s.weight(W_).data, copies.data, units_, padded_, firstCopied);
        const Value<T> alpha = s.weight(alpha_);
        T* alphaCopy = copies.column(units_ - firstCopied);
        if (perConnection_) {
            plastic::Columns<T>::make(alpha.data, alphaCopy, units_, padded_, firstCopied);
            if (!tape.recording()) return;
            const Value<T> sum = tape.constant(padded_, units_, T(0));
            s.keep(gainAdjoint_, sum);
            if (alpha.adjoint) tape.reverse([=, units = units_] { alpha.gradient() += sum.value().topRows(units); });
        } else {
            fillRows(alphaCopy, [&](int i) { return alpha.data[single_ ? 0 : i]; });
        }
    }

    void stepFixed(Step<T>& s, Value<T> drive, Value<T> h) const {
        const LinkCredit<T> link = s.link(link_);
        const Value<T> h1 = link.state;
        if (!s.remembered(hidden_)) {
            h.value() = drive.value();
            s.packed(packed_).multiply(h1.data, h.cols, h.data);
            h.array() = h.array().tanh();
        }
        if (!s.tape().recording()) return;
        const Value<T> zbar = s.keptStep(driveAdjoint_);
        s.tape().reverse([=, W = s.packed(packed_)] {
            zbar.array() = h.gradientArray() * (T(1) - h.array().square());
            if (drive.adjoint) drive.gradient() += zbar.value();
            if (!link) return;
            if (link.direct) link.direct.array() *= T(1) - h.array().square();
            W.multiplyTransposed((link.direct ? link.direct : zbar).data, zbar.cols, h1.adjoint);
        });
    }

    /// Applies the pending update; if `drive` is given, also computes h = tanh(drive + (W + alpha .* H) h1).
    void sweep(Step<T>& s, Value<T> drive, Value<T> h) const {
        Tape<T>& tape = s.tape();
        const bool recording = tape.recording();
        Pass pass{};
        pass.pending = s.time() > 0;
        pass.h = h;
        pass.drive = drive;
        if (recording && h) pass.zbar = s.keptStep(driveAdjoint_);
        pass.h1 = s.state(state_);
        pass.link = s.link(link_);
        pass.h0 = s.state(earlier_);
        pass.alpha = s.weight(alpha_);
        if (rate_.index >= 0) pass.rate = s.state(rate_);
        if (eta_.index >= 0) pass.eta = s.weight(eta_);
        pass.trace = s.state(trace_);
        pass.traceNext = s.advance(trace_);
        if (eligibility_.index >= 0) {
            pass.eligibility = s.state(eligibility_);
            pass.eligibilityNext = s.advance(eligibility_);
        }
        pass.sheet = sheet(s, pass);
        const Rows rows{s.kept(rows_).data, padded_};
        const int trials = s.trials();
        for (int first = 0; first < trials; first += plastic::maxBlock) {
            const int count = std::min(plastic::maxBlock, trials - first);
            plastic::TrialSweep<T> block[plastic::maxBlock];
            for (int b = 0; b < count; ++b) {
                block[b] = factors(pass, rows, b, first + b);
                T* z = rows.at(b, Rows::drive);
                fillRows(z, [&](int i) { return drive ? drive.column(first + b)[i] : T(0); });
                block[b].drive = z;
            }
            (recording ? kernels_.record : kernels_.act)[count - 1](pass.sheet, block);
            for (int b = 0; b < count && h; ++b) {
                // Over whole packets: the tail of a vectorised tanh would round differently.
                Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>, Eigen::AlignedMax> z(block[b].drive, padded_);
                z = z.tanh();
                std::copy_n(block[b].drive, units_, h.column(first + b));
            }
        }
        if (recording) tape.reverse([=, this] { sweepBack(pass, rows); });

        Value<T> traceAfter = pass.traceNext;
        if (recording && !h) { // settled: what is left must be readable, but the adjoint needs U
            traceAfter = tape.make(traceAfter.rows, traceAfter.cols, false);
            traceAfter.adjoint = pass.traceNext.adjoint;
            traceAfter.array() = pass.traceNext.array().max(-pass.sheet.bound).min(pass.sheet.bound);
        }
        s.next(trace_, traceAfter);
        if (eligibility_.index >= 0) s.next(eligibility_, pass.eligibilityNext);
    }

    plastic::Sheet<T> sheet(Step<T>& s, const Pass& pass) const {
        plastic::Sheet<T> sheet;
        sheet.units = units_;
        sheet.padded = padded_;
        const Value<T> copies = s.kept(copies_);
        const int copied = (copies.cols - 1) / 2, firstCopied = units_ - copied;
        sheet.weight = {s.weight(W_).data, copies.data, units_, padded_, firstCopied};
        sheet.gain = {pass.alpha.data, copies.column(copied), units_, padded_, firstCopied};
        sheet.rowGain = copies.column(copied);
        sheet.gainAdjoint = s.kept(gainAdjoint_).data;
        // What the trial starts with, or what a checkpoint holds, is H itself and not to be clipped on reading.
        const bool unclipped = s.tape().recording() && pass.trace.data != s.kept(start_).data;
        sheet.bound = pass.pending ? bound_ : unbounded;
        sheet.readBound = unclipped && s.time() > 1 ? bound_ : unbounded;
        sheet.keep = rule_ == Rule::retroactive && pass.pending ? T(1) - pass.eta.data[0] : T(1);
        return sheet;
    }

    template <class F>
    void fillRows(T* to, F value) const {
        for (int i = 0; i < units_; ++i) to[i] = value(i);
        std::fill(to + units_, to + padded_, T(0));
    }
    /// The rates q_i of the pending update; 0 if none is pending.
    void fillRates(const Pass& pass, T* to, int trial) const {
        if (pass.pending && pass.rate && pass.rate.rows == units_)
            std::copy_n(pass.rate.column(trial), units_, to);
        else
            std::fill_n(to, units_, !pass.pending ? T(0) : pass.rate ? pass.rate.column(trial)[0] : pass.eta.data[0]);
        std::fill(to + units_, to + padded_, T(0));
    }

    /// Fills in what forward and backward passes have in common. @param b  place of the trial in its block
    plastic::TrialSweep<T> factors(const Pass& pass, const Rows& rows, int b, int trial) const {
        plastic::TrialSweep<T> sweep;
        const T* h1 = pass.h1.column(trial);
        T *rate = rows.at(b, Rows::rate), *gain = rows.at(b, Rows::gain), *second = rows.at(b, Rows::leakOrPost);
        fillRates(pass, rate, trial);
        sweep.rate = rate;
        sweep.gain = rule_ == Rule::retroactive ? rate : gain;
        if (rule_ == Rule::retroactive) {
            const T eta = pass.pending ? pass.eta.data[0] : T(0);
            fillRows(second, [&](int i) { return eta * h1[i]; });
        } else {
            fillRows(gain, [&](int i) { return rate[i] * h1[i]; });
            if (leak_ == Leak::decay) std::copy_n(rate, padded_, second);
            if (leak_ == Leak::oja) fillRows(second, [&](int i) { return gain[i] * h1[i]; });
        }
        sweep.leak = sweep.post = second;
        sweep.before = h1;
        sweep.earlier = pass.h0.column(trial);
        sweep.trace = pass.trace.column(trial);
        sweep.traceNext = pass.traceNext.column(trial);
        if (pass.eligibility) {
            sweep.eligibility = pass.eligibility.column(trial);
            sweep.eligibilityNext = pass.eligibilityNext.column(trial);
        }
        return sweep;
    }

    void sweepBack(const Pass& pass, const Rows& rows) const {
        const int trials = pass.h1.cols;
        for (int first = 0; first < trials; first += plastic::maxBlock) {
            const int count = std::min(plastic::maxBlock, trials - first);
            plastic::TrialSweep<T> block[plastic::maxBlock];
            for (int b = 0; b < count; ++b) {
                const int trial = first + b;
                block[b] = factors(pass, rows, b, trial);
                T* zbar = rows.at(b, Rows::drive);
                if (pass.h) {
                    const T *h = pass.h.column(trial), *hbar = pass.h.gradientColumn(trial);
                    fillRows(zbar, [&](int i) { return hbar[i] * (T(1) - h[i] * h[i]); });
                    std::copy_n(zbar, units_, pass.zbar.column(trial));
                    if (pass.drive.adjoint) addTo(pass.drive.gradientColumn(trial), [&](int i) { return zbar[i]; });
                } else {
                    fillRows(zbar, [](int) { return T(0); });
                }
                block[b].driveAdjoint = zbar;
                block[b].beforeAdjoint = rows.at(b, Rows::before);
                block[b].earlierAdjoint = rows.at(b, Rows::earlier);
                block[b].gainSum = rows.at(b, Rows::gainSum);
                block[b].leakSum = rows.at(b, Rows::leakSum);
                block[b].postSum = rows.at(b, Rows::postSum);
                block[b].rowGainSum = rows.at(b, Rows::rowGainSum);
                for (auto index : {Rows::gainSum, Rows::leakSum, Rows::postSum, Rows::rowGainSum})
                    std::fill_n(rows.at(b, index), padded_, T(0));
                block[b].traceAdjoint = pass.trace.gradientColumn(trial);
                if (pass.eligibility) block[b].eligibilityAdjoint = pass.eligibility.gradientColumn(trial);
            }
            kernels_.backward[count - 1](pass.sheet, block);
            for (int b = 0; b < count; ++b) {
                spreadAdjoints(pass, block[b], first + b);
                spreadGainAdjoint(pass, block[b]);
            }
        }
    }

    void spreadGainAdjoint(const Pass& pass, const plastic::TrialSweep<T>& sweep) const {
        if (perConnection_ || !pass.alpha.adjoint) return;
        for (int i = 0; i < units_; ++i)
            pass.alpha.adjoint[single_ ? 0 : i] += sweep.driveAdjoint[i] * sweep.rowGainSum[i];
    }

    /// From the sums of a pass to the adjoints of the activities, the rate and the trainable rates.
    void spreadAdjoints(const Pass& pass, const plastic::TrialSweep<T>& sweep, int trial) const {
        const T *h1 = sweep.before, *q = sweep.rate, *r = sweep.gainSum, *lost = sweep.leakSum, *formed = sweep.postSum;
        if (pass.link.direct && pass.h)
            returnDirect(pass, sweep, trial);
        else if (pass.link)
            addTo(pass.link.state.gradientColumn(trial), [&](int i) { return sweep.beforeAdjoint[i]; });
        if (!pass.pending) return;
        if (pass.h0.adjoint) addTo(pass.h0.gradientColumn(trial), [&](int i) { return sweep.earlierAdjoint[i]; });
        const auto rateAdjoint = [&](int i) {
            if (rule_ == Rule::retroactive) return r[i];
            if (leak_ == Leak::decay) return h1[i] * r[i] - lost[i];
            if (leak_ == Leak::oja) return h1[i] * (r[i] - h1[i] * lost[i]);
            return h1[i] * r[i];
        };
        if (pass.h1.adjoint) {
            T* h1bar = pass.h1.gradientColumn(trial);
            const T eta = pass.eta ? pass.eta.data[0] : T(0);
            if (rule_ == Rule::retroactive)
                addTo(h1bar, [&](int i) { return eta * formed[i]; });
            else if (leak_ == Leak::oja)
                addTo(h1bar, [&](int i) { return q[i] * (r[i] - T(2) * h1[i] * lost[i]); });
            else
                addTo(h1bar, [&](int i) { return q[i] * r[i]; });
        }
        if (pass.rate.adjoint && pass.rate.rows != 1) addTo(pass.rate.gradientColumn(trial), rateAdjoint);
        if (pass.rate.adjoint && pass.rate.rows == 1) pass.rate.gradientColumn(trial)[0] += sumRows(rateAdjoint);
        if (!pass.eta || !pass.eta.adjoint) return;
        if (rule_ == Rule::retroactive)
            pass.eta.adjoint[0] += sumRows([&](int i) { return h1[i] * formed[i] - lost[i]; });
        else
            pass.eta.adjoint[0] += sumRows(rateAdjoint);
    }

    /// Adds (W + alpha .* H)^T times the direct credit of the drive. Of the kernels' products only this one is of a
    /// part of the credit, and only MDGL needs it.
    void returnDirect(const Pass& pass, const plastic::TrialSweep<T>& sweep, int trial) const {
        T *d = pass.link.direct.column(trial), *back = pass.link.state.gradientColumn(trial);
        const T* h = pass.h.column(trial);
        for (int i = 0; i < units_; ++i) d[i] *= T(1) - h[i] * h[i];
        const auto& sheet = pass.sheet;
        for (int j = 0; j < units_; ++j) {
            const T *W = sheet.weight[j], *alpha = perConnection_ ? sheet.gain[j] : sheet.rowGain,
                    *U = sweep.traceNext + static_cast<std::ptrdiff_t>(j) * padded_;
            T sum = 0;
            for (int i = 0; i < units_; ++i)
                sum += d[i] * (W[i] + alpha[i] * std::clamp(U[i], -sheet.bound, sheet.bound));
            back[j] += sum;
        }
    }

    template <class F>
    void addTo(T* to, F value) const {
        for (int i = 0; i < units_; ++i) to[i] += value(i);
    }
    template <class F>
    T sumRows(F value) const {
        T sum = 0;
        for (int i = 0; i < units_; ++i) sum += value(i);
        return sum;
    }

    int units_, padded_;
    Rule rule_;
    Leak leak_;
    bool perConnection_ = false, single_ = false;
    T bound_;
    plastic::Kernels<T> kernels_;
    bool layered_;
    Projection<T> input_; ///< only with an input layer
    Input plain_;         ///< otherwise
    double inputGain_ = 1;
    Input plasticity_;
    Output hidden_;
    PackedWeight packed_; ///< only with rule none
    Weight W_, alpha_, eta_, fanGain_, fanBias_;
    Link link_;
    State state_, earlier_, rate_, trace_, eligibility_;
    Local driveAdjoint_, before_; ///< adjoint of the drive, and what was transmitted, for the whole span
    Local rows_, copies_, gainAdjoint_, start_;
};

} // namespace raphe
