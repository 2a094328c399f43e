// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>

/// The sweep over the N x N numbers of a Hebbian trace, which is where a plastic network spends its time. Memory
/// traffic bounds it, so that one pass does everything: it applies the update that the step before has left pending,
/// computes the recurrent drive with the result, and (backwards) all adjoints of both.
///
/// Traces are column-major (column: presynaptic neuron), their columns padded to whole packets; padding rows hold zeros
/// and stay zero, since all row vectors below are padded with zeros too. So no loop over rows needs a tail.
namespace raphe::plastic {

/// Eigen's SIMD primitives under short names; the same code serves float and double on any instruction set.
template <class T>
struct Simd {
    using Packet = typename Eigen::internal::packet_traits<T>::type;
    static constexpr int width = Eigen::internal::unpacket_traits<Packet>::size;

    static Packet load(const T* from) { return Eigen::internal::ploadu<Packet>(from); }
    static void store(T* to, const Packet& x) { Eigen::internal::pstoreu(to, x); }
    static Packet all(T x) { return Eigen::internal::pset1<Packet>(x); }
    static Packet mul(const Packet& a, const Packet& b) { return Eigen::internal::pmul(a, b); }
    static Packet sub(const Packet& a, const Packet& b) { return Eigen::internal::psub(a, b); }
    /// a * b + c
    static Packet madd(const Packet& a, const Packet& b, const Packet& c) { return Eigen::internal::pmadd(a, b, c); }
    static Packet abs(const Packet& a) { return Eigen::internal::pabs(a); }
    /// x limited to [-bound, bound]; NaN stays NaN, because Eigen returns the first operand then.
    static Packet clip(const Packet& x, const Packet& bound) {
        return Eigen::internal::pmax(Eigen::internal::pmin(x, bound), Eigen::internal::pnegate(bound));
    }
    /// x where a == b, else 0
    static Packet whereEqual(const Packet& a, const Packet& b, const Packet& x) {
        return Eigen::internal::pand(x, Eigen::internal::pcmp_eq(a, b));
    }
    /// x where a < b, else 0
    static Packet whereLess(const Packet& a, const Packet& b, const Packet& x) {
        return Eigen::internal::pand(x, Eigen::internal::pcmp_lt(a, b));
    }
    static T sum(const Packet& x) { return Eigen::internal::predux(x); }
};

/// Rows of a padded column.
template <class T>
constexpr int paddedRows(int units) {
    return (units + Simd<T>::width - 1) / Simd<T>::width * Simd<T>::width;
}

/// How the trace changes; d is the increment gain_i * (h0_j or E_ij):
/// bounded U = H' + d, soft U = H' (1 - |d|) + d, leaky U = (1 - leak_i) H' + d; then H = clip(U).
enum class Form { bounded, soft, leaky };
/// What is multiplied with the gain: the presynaptic activity, or the eligibility trace before or after its own update.
enum class Source { activity, oldTrace, newTrace };

/// Columns of an N x N tensor. They are not padded, hence a packet at the end of a column reads into the next one;
/// columns from `firstCopied` on, where that would leave the tensor, are read from a padded copy.
template <class T>
struct Columns {
    const T* data = nullptr;
    const T* copy = nullptr;
    int units = 0, padded = 0, firstCopied = 0;

    const T* operator[](int column) const {
        return column < firstCopied ? data + static_cast<std::ptrdiff_t>(column) * units
                                    : copy + static_cast<std::ptrdiff_t>(column - firstCopied) * padded;
    }
    /// First column at whose end a packet would leave the tensor.
    static int firstUnsafe(int units, int padded) {
        const auto size = static_cast<std::ptrdiff_t>(units) * units;
        return size < padded ? 0 : static_cast<int>((size - padded) / units) + 1;
    }
    /// Fills the copy; it has room for (units - firstCopied) padded columns.
    static Columns make(const T* data, T* copy, int units, int padded, int firstCopied) {
        for (int j = firstCopied; j < units; ++j) {
            T* to = copy + static_cast<std::ptrdiff_t>(j - firstCopied) * padded;
            std::copy_n(data + static_cast<std::ptrdiff_t>(j) * units, units, to);
            std::fill(to + units, to + padded, T(0));
        }
        return {data, copy, units, padded, firstCopied};
    }
};

/// What all trials of a sweep share.
template <class T>
struct Sheet {
    int units = 0, padded = 0;
    Columns<T> weight;          ///< W
    Columns<T> gain;            ///< alpha per connection
    const T* rowGain = nullptr; ///< alpha per neuron, padded
    T* gainAdjoint = nullptr;   ///< of alpha per connection: padded columns, added to
    T bound = 0;                ///< |H| <= bound after this update
    T readBound = 0;            ///< and before it: recorded traces are stored unclipped
    T keep = 1;                 ///< 1 - eta_E
};

/// One trial of a sweep. The first group are the factors of the pending update.
template <class T>
struct TrialSweep {
    const T* rate = nullptr;        ///< rows: q_i; for the caller
    const T* gain = nullptr;        ///< rows: q_i h1_i, or q_i if the eligibility trace is the source
    const T* leak = nullptr;        ///< rows: share of H' that is lost
    const T* post = nullptr;        ///< rows: eta_E h1_i
    const T* earlier = nullptr;     ///< columns: h0_j
    const T* trace = nullptr;       ///< H' (unclipped if recorded)
    T* traceNext = nullptr;         ///< H in place; U while recording
    const T* eligibility = nullptr; ///< E'
    T* eligibilityNext = nullptr;   ///< E

    const T* before = nullptr; ///< columns: h1_j, which is transmitted
    T* drive = nullptr;        ///< rows: added to

    const T* driveAdjoint = nullptr; ///< rows
    T* traceAdjoint = nullptr;       ///< of H, afterwards of H'
    T* eligibilityAdjoint = nullptr; ///< of E, afterwards of E'
    T* beforeAdjoint = nullptr;      ///< columns: set, share of the transmission only
    T* earlierAdjoint = nullptr;     ///< columns: set
    T* gainSum = nullptr;            ///< rows: sum_j dbar_ij (h0_j or E_ij)
    T* leakSum = nullptr;            ///< rows: sum_j Ubar_ij H'_ij, or sum_j Ebar_ij E'_ij
    T* postSum = nullptr;            ///< rows: sum_j Ebar_ij h0_j
    T* rowGainSum = nullptr;         ///< rows: sum_j H_ij h1_j
};

template <class T>
using SweepFunction = void (*)(const Sheet<T>&, const TrialSweep<T>*);

/// Kernels for one way of changing the trace. `trials` of them share one pass, hence the loads of W and alpha. A pass
/// goes through memory strictly in order, column by column; taking several columns at once saves loads of the row
/// vectors, but is slower, because the hardware then prefetches less well.
template <class T, Form form, Source source, bool gainMatrix, int trials>
struct Sweep {
    using S = Simd<T>;
    using Packet = typename S::Packet;
    static constexpr bool eligible = source != Source::activity;

    /// recorded: traces are read and written unclipped, so that the gradient's mask can be told from them later.
    template <bool recorded>
    static void forward(const Sheet<T>& sheet, const TrialSweep<T>* all) {
        TrialSweep<T> trial[trials]; // a copy: the stores below cannot change its pointers
        std::copy_n(all, trials, trial);
        const std::ptrdiff_t padded = sheet.padded;
        const T* const rowGain = sheet.rowGain;
        const Packet bound = S::all(sheet.bound), readBound = S::all(sheet.readBound), keep = S::all(sheet.keep);
        const Packet one = S::all(T(1));
        for (int j = 0; j < sheet.units; ++j) {
            const T *weight = sheet.weight[j], *gain = gainMatrix ? sheet.gain[j] : nullptr;
            Packet h0[trials], h1[trials];
            for (int b = 0; b < trials; ++b) {
                h0[b] = S::all(trial[b].earlier[j]);
                h1[b] = S::all(trial[b].before[j]);
            }
            for (std::ptrdiff_t i = 0; i < padded; i += S::width) {
                const std::ptrdiff_t at = j * padded + i;
                const Packet w = S::load(weight + i), alpha = S::load((gainMatrix ? gain : rowGain) + i);
#pragma GCC unroll 4
                for (int b = 0; b < trials; ++b) {
                    const Packet q = S::load(trial[b].gain + i);
                    Packet H = S::load(trial[b].trace + at), factor = h0[b], U;
                    if constexpr (recorded && form != Form::leaky) H = S::clip(H, readBound);
                    if constexpr (eligible) {
                        const Packet E = S::load(trial[b].eligibility + at), post = S::load(trial[b].post + i);
                        const Packet next = S::madd(post, h0[b], S::mul(keep, E));
                        S::store(trial[b].eligibilityNext + at, next);
                        factor = source == Source::oldTrace ? E : next;
                    }
                    if constexpr (form == Form::bounded) U = S::madd(q, factor, H);
                    if constexpr (form == Form::soft) {
                        const Packet d = S::mul(q, factor);
                        U = S::madd(H, S::sub(one, S::abs(d)), d);
                    }
                    if constexpr (form == Form::leaky) {
                        const Packet kept = S::sub(one, S::load(trial[b].leak + i));
                        U = S::madd(q, factor, S::mul(kept, H));
                    }
                    H = form == Form::leaky ? U : S::clip(U, bound);
                    S::store(trial[b].traceNext + at, recorded ? U : H);
                    S::store(trial[b].drive + i, S::madd(S::madd(alpha, H, w), h1[b], S::load(trial[b].drive + i)));
                }
            }
        }
    }

    static void backward(const Sheet<T>& sheet, const TrialSweep<T>* all) {
        TrialSweep<T> trial[trials];
        std::copy_n(all, trials, trial);
        const std::ptrdiff_t padded = sheet.padded;
        const T* const rowGain = sheet.rowGain;
        T* const gainAdjoint = sheet.gainAdjoint;
        const Packet bound = S::all(sheet.bound), readBound = S::all(sheet.readBound), keep = S::all(sheet.keep);
        const Packet one = S::all(T(1)), zero = S::all(T(0));
        const auto add = [](T* to, const Packet& a, const Packet& b) { S::store(to, S::madd(a, b, S::load(to))); };
        for (int j = 0; j < sheet.units; ++j) {
            const T *weight = sheet.weight[j], *gain = gainMatrix ? sheet.gain[j] : nullptr;
            Packet h0[trials], h1[trials], h0Sum[trials], h1Sum[trials];
            for (int b = 0; b < trials; ++b) {
                h0[b] = S::all(trial[b].earlier[j]);
                h1[b] = S::all(trial[b].before[j]);
                h0Sum[b] = h1Sum[b] = zero;
            }
            for (std::ptrdiff_t i = 0; i < padded; i += S::width) {
                const std::ptrdiff_t at = j * padded + i;
                const Packet w = S::load(weight + i), alpha = S::load((gainMatrix ? gain : rowGain) + i);
                Packet alphaBar = gainMatrix ? S::load(gainAdjoint + at) : zero;
#pragma GCC unroll 4
                for (int b = 0; b < trials; ++b) {
                    // transmission: z_i += (W_ij + alpha_ij H_ij) h1_j
                    const Packet zbar = S::load(trial[b].driveAdjoint + i), q = S::load(trial[b].gain + i);
                    const Packet U = S::load(trial[b].traceNext + at);
                    const Packet H = form == Form::leaky ? U : S::clip(U, bound);
                    const Packet product = S::mul(zbar, h1[b]);
                    if constexpr (gainMatrix)
                        alphaBar = S::madd(product, H, alphaBar);
                    else
                        add(trial[b].rowGainSum + i, H, h1[b]);
                    h1Sum[b] = S::madd(S::madd(alpha, H, w), zbar, h1Sum[b]);
                    const Packet Hbar = S::madd(product, alpha, S::load(trial[b].traceAdjoint + at));

                    // the pending update; the gradient passes where clipping did not change U
                    const Packet G = form == Form::leaky ? Hbar : S::whereEqual(H, U, Hbar);
                    Packet Hold{}, factor = h0[b], E{}, dbar = G, keptBar = G;
                    if constexpr (form != Form::bounded) Hold = S::load(trial[b].trace + at);
                    if constexpr (eligible) {
                        E = S::load(trial[b].eligibility + at);
                        factor = source == Source::oldTrace ? E : S::load(trial[b].eligibilityNext + at);
                    }
                    if constexpr (form == Form::soft) {
                        Hold = S::clip(Hold, readBound);
                        const Packet d = S::mul(q, factor); // dU/dd = 1 - sign(d) H', its mean where d = 0
                        const Packet signedH = S::sub(S::whereLess(zero, d, Hold), S::whereLess(d, zero, Hold));
                        dbar = S::mul(G, S::sub(one, signedH));
                        keptBar = S::mul(G, S::sub(one, S::abs(d)));
                    }
                    if constexpr (form == Form::leaky) {
                        add(trial[b].leakSum + i, G, Hold);
                        keptBar = S::mul(G, S::sub(one, S::load(trial[b].leak + i)));
                    }
                    S::store(trial[b].traceAdjoint + at, keptBar);
                    add(trial[b].gainSum + i, dbar, factor);
                    if constexpr (!eligible) {
                        h0Sum[b] = S::madd(dbar, q, h0Sum[b]);
                    } else { // E = keep E' + post_i h0_j
                        Packet Ebar = S::load(trial[b].eligibilityAdjoint + at);
                        if constexpr (source == Source::newTrace) Ebar = S::madd(dbar, q, Ebar);
                        add(trial[b].postSum + i, Ebar, h0[b]);
                        add(trial[b].leakSum + i, Ebar, E);
                        h0Sum[b] = S::madd(Ebar, S::load(trial[b].post + i), h0Sum[b]);
                        Ebar = S::mul(keep, Ebar);
                        if constexpr (source == Source::oldTrace) Ebar = S::madd(dbar, q, Ebar);
                        S::store(trial[b].eligibilityAdjoint + at, Ebar);
                    }
                }
                if constexpr (gainMatrix) S::store(gainAdjoint + at, alphaBar);
            }
            for (int b = 0; b < trials; ++b) {
                trial[b].beforeAdjoint[j] = S::sum(h1Sum[b]);
                trial[b].earlierAdjoint[j] = S::sum(h0Sum[b]);
            }
        }
    }
};

/// Most trials that share a pass.
constexpr int maxBlock = 2;

/// The kernels of one configuration; index: trials in the block - 1.
template <class T>
struct Kernels {
    SweepFunction<T> act[maxBlock] = {}, record[maxBlock] = {}, backward[maxBlock] = {};
};

namespace detail {
template <class T, Form form, Source source, bool gainMatrix>
Kernels<T> kernels() {
    using One = Sweep<T, form, source, gainMatrix, 1>;
    using Two = Sweep<T, form, source, gainMatrix, 2>;
    return {{&One::template forward<false>, &Two::template forward<false>},
            {&One::template forward<true>, &Two::template forward<true>},
            {&One::backward, &Two::backward}};
}
template <class T, Form form, Source source>
Kernels<T> kernels(bool gainMatrix) {
    return gainMatrix ? kernels<T, form, source, true>() : kernels<T, form, source, false>();
}
} // namespace detail

/// @pre  form is not leaky if the source is an eligibility trace
template <class T>
Kernels<T> kernelsFor(Form form, Source source, bool gainMatrix) {
    if (source == Source::activity) {
        if (form == Form::bounded) return detail::kernels<T, Form::bounded, Source::activity>(gainMatrix);
        if (form == Form::soft) return detail::kernels<T, Form::soft, Source::activity>(gainMatrix);
        return detail::kernels<T, Form::leaky, Source::activity>(gainMatrix);
    }
    if (source == Source::oldTrace) {
        if (form == Form::soft) return detail::kernels<T, Form::soft, Source::oldTrace>(gainMatrix);
        return detail::kernels<T, Form::bounded, Source::oldTrace>(gainMatrix);
    }
    if (form == Form::soft) return detail::kernels<T, Form::soft, Source::newTrace>(gainMatrix);
    return detail::kernels<T, Form::bounded, Source::newTrace>(gainMatrix);
}

} // namespace raphe::plastic
