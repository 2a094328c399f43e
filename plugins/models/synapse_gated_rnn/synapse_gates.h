// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../lanewise.h"

#include "raphe/tape.h"

#include <algorithm>

namespace raphe {

/// Products with W .* G, G = sigmoid(U diag(s) V^T), where s and so G differs from column to column. G is never stored.
/// Works on strips of receivers as wide as a vector; what W and U have no rows for is filled with zeros.
template <class T>
class SynapseGates {
    static constexpr int L = detail::RegisterProduct<T>::lanes;
    using Lanes = lanewise::Lanes<T, L>;

public:
    /// Lays the weights out. @param W  receivers x senders  @param U  receivers x rank  @param V  senders x rank
    static SynapseGates layOut(Value<T> W, Value<T> U, Value<T> V) {
        Tape<T>& tape = *W.tape;
        const SynapseGates gates(
            tape.make((W.rows + L - 1) / L * L, (tape.recording() ? 2 : 1) * (W.cols + U.cols), false),
            tape.make(V.cols, 2 * V.rows, false), V);
        auto all = gates.memory_.value();
        all.setZero();
        all.topLeftCorner(W.rows, W.cols) = W.value();
        all.block(0, W.cols, U.rows, U.cols) = U.value();
        return gates;
    }
    /// Works on what has been laid out.
    SynapseGates(Value<T> memory, Value<T> work, Value<T> V)
        : memory_(memory), weighted_(work.columns(0, V.rows)), bar_(work.columns(V.rows, V.rows)), work_(work), V_(V),
          senders_(V.rows), rank_(V.cols) {}

    /// W and U; where gradients are recorded, theirs stand behind them.
    Value<T> memory() const { return memory_; }
    /// What a product writes down on its way.
    Value<T> work() const { return work_; }

    /// y = (W .* G) x, column by column.
    void multiply(Value<T> x, Value<T> signal, Value<T> y) const {
        for (int c = 0; c < x.cols; ++c) {
            weigh(signal.column(c));
            for (int row = 0; row < y.rows; row += L) {
                Lanes sum = Lanes::Zero();
                for (int j = 0; j < senders_; ++j) sum += at(row, j) * gate(row, weighted_.column(j)) * x.column(c)[j];
                std::copy_n(sum.data(), std::min(L, y.rows - row), y.column(c) + row);
            }
        }
    }

    /// @param yBar  adjoint of y  @param xBar  becomes that of x
    /// Adds to the adjoint of the signal, if it has one, to those of W and U in memory(), and to that of V.
    void differentiate(Value<T> x, Value<T> signal, Value<T> yBar, Value<T> xBar) const {
        for (int c = 0; c < x.cols; ++c) {
            weigh(signal.column(c));
            bar_.array().setZero();
            xBar.array().col(c).setZero();
            for (int row = 0; row < yBar.rows; row += L) {
                Lanes a = Lanes::Zero();
                std::copy_n(yBar.column(c) + row, std::min(L, yBar.rows - row), a.data());
                for (int j = 0; j < senders_; ++j) {
                    const T sent = x.column(c)[j];
                    const Lanes w = at(row, j), open = gate(row, weighted_.column(j)), reached = a * open;
                    const Lanes back = w * reached, sum = sent * back * (T(1) - open); // adjoint of U diag(s) v_j
                    add(sent * reached, row, gradientOffset() + j);
                    xBar.column(c)[j] += back.sum();
                    for (int k = 0; k < rank_; ++k) {
                        add(weighted_.column(j)[k] * sum, row, gradientOffset() + senders_ + k);
                        bar_.column(j)[k] += (at(row, senders_ + k) * sum).sum();
                    }
                }
            }
            for (int j = 0; j < senders_; ++j)
                for (int k = 0; k < rank_; ++k) {
                    const T b = bar_.column(j)[k];
                    if (V_.adjoint) V_.gradientColumn(k)[j] += b * signal.column(c)[k];
                    if (signal.adjoint) signal.gradientColumn(c)[k] += b * V_.column(k)[j];
                }
        }
    }

    /// Adds what differentiate() has gathered to the adjoints of W and U.
    void addGradients(Value<T> W, Value<T> U) const {
        const auto all = memory_.value();
        if (W.adjoint) W.gradient() += all.block(0, gradientOffset(), W.rows, W.cols);
        if (U.adjoint) U.gradient() += all.block(0, gradientOffset() + W.cols, U.rows, U.cols);
    }

private:
    int gradientOffset() const { return senders_ + rank_; }
    Lanes at(int row, int column) const { return lanewise::load<L>(memory_.column(column) + row); }
    void add(const Lanes& x, int row, int column) const {
        T* to = memory_.column(column) + row;
        lanewise::store<T, L>(lanewise::load<L>(to) + x, to);
    }
    void weigh(const T* signal) const {
        for (int j = 0; j < senders_; ++j)
            for (int k = 0; k < rank_; ++k) weighted_.column(j)[k] = signal[k] * V_.column(k)[j];
    }
    /// The gates of a strip of receivers for one sender.
    Lanes gate(int row, const T* weighted) const {
        Lanes sum = weighted[0] * at(row, senders_);
        for (int k = 1; k < rank_; ++k) sum += weighted[k] * at(row, senders_ + k);
        return lanewise::sigmoid(sum);
    }

    Value<T> memory_;
    Value<T> weighted_, bar_; ///< s .* v_j for each sender j, and its adjoint
    Value<T> work_, V_;
    int senders_, rank_;
};

} // namespace raphe
