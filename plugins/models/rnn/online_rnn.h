// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <deque>
#include <vector>

namespace raphe {

/// The online form of a network of leaky units, z(t) = k z(t-1) + a ( g W f(z(t-1)) + B u(t) + b ), k = 1 - a, for
/// every credit that has one:
///
///   local               d_p e_q                                           e_q: trace of what q sent, decaying with k
///   mdgl                 + f'(z_p(t-1)) (F^T d)_p a g e_q(t-1)            credit that crossed one link
///   modprop_type_diag    + sum over types A of m_A D_A,type(p),q          m_A: sum of d over A, the modulator of type
///   A modprop with taps    sum over s <= taps of ((M^T)^s d)_p a sent_q(t-s),  M = k + a g mu F
///
/// where d is the direct credit of this step. D and the S that it follows are traces of sender q for pairs of types
/// (specification modprop, section 2.5): C C (units + inputs) numbers a trial instead of one for each synapse and step.
template <class T>
class OnlineRnn final : public OnlineCredit<T> {
public:
    using typename OnlineCredit<T>::Step;
    using Array = Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic>;

    struct Network {
        int units, inputs;
        Activation activation;
        T rate, scale;
        std::vector<int> types;
    };

    static bool has(const OnlineRequest<T>& request, const std::vector<int>& types) {
        const auto& credit = request.credit;
        if (credit.steps > 0 || (credit.feedback != Credit::Feedback::cells && types.empty())) return false;
        if (credit.kind != Credit::Kind::modprop) return credit.kind != Credit::Kind::exact && request.taps < 0;
        return request.taps >= 0 || credit.feedback == Credit::Feedback::typesAndSelf;
    }

    OnlineRnn(const OnlineRequest<T>& request, Network network)
        : request_(request), net_(std::move(network)), means_(TypeMeans<T>::size(net_.types)),
          feedback_(net_.units, net_.units) {
        const int n = net_.units;
        const auto& credit = request.credit;
        feedback_ = ConstMap(request.weights[0], n, n).matrix();
        if (credit.feedback != Credit::Feedback::cells) {
            const bool self = credit.feedback == Credit::Feedback::typesAndSelf;
            const TypeMeans<T> means(request.weights[0], net_.types, self, means_.data());
            const Matrix<T> identity = Matrix<T>::Identity(n, n);
            feedback_.setZero(); // F^T from its products with unit vectors
            means.multiplyTransposed(identity.data(), n, feedback_.data());
            feedback_.transposeInPlace();
        }
        for (int p = 0; p < n; ++p) typeOf_.push_back(0);
        for (int a = 0, p = 0; a < static_cast<int>(net_.types.size()); ++a)
            for (int i = 0; i < net_.types[static_cast<std::size_t>(a)]; ++i)
                typeOf_[static_cast<std::size_t>(p++)] = a;
        for (int sources : {n, net_.inputs, 1}) {
            Traces traces;
            traces.eligibility = Array::Zero(sources, request.trials);
            traces.before = traces.eligibility;
            if (filtered()) {
                traces.sent.assign(means_.size(), traces.eligibility);
                traces.modulated.assign(means_.size(), traces.eligibility);
            }
            traces_.push_back(std::move(traces));
        }
    }

    void step(const Step& step, const std::vector<T*>& gradients) override {
        const int n = net_.units, trials = request_.trials;
        const ConstMap before(step.before, n, trials), direct(step.direct, n, trials);
        Array sent(n, trials);
        applyActivation<T>(net_.activation, before, sent);
        const Array operands[] = {net_.scale * sent, ConstMap(step.input, net_.inputs, trials), Array::Ones(1, trials)};
        if (request_.credit.kind == Credit::Kind::modprop && request_.taps >= 0)
            return tap(operands, direct, gradients);
        Array crossing; // credit that crossed one link, of the receiver before this step
        if (request_.credit.kind == Credit::Kind::mdgl) {
            crossing = (feedback_.transpose() * direct.matrix()).array() * (net_.rate * net_.scale);
            scaleByDerivative<T>(net_.activation, sent, crossing);
        }
        for (std::size_t w = 0; w < gradients.size(); ++w) {
            auto& traces = traces_[w];
            traces.before = traces.eligibility;
            traces.eligibility = (T(1) - net_.rate) * traces.eligibility + net_.rate * operands[w];
            if (filtered()) advance(traces, operands[w]);
            if (!gradients[w]) continue;
            Eigen::Map<Matrix<T>> gradient(gradients[w], n, traces.eligibility.rows());
            gradient += direct.matrix() * traces.eligibility.matrix().transpose();
            if (request_.credit.kind == Credit::Kind::mdgl)
                gradient += crossing.matrix() * traces.before.matrix().transpose();
            if (filtered()) modulate(traces, direct, gradient);
        }
    }

private:
    using ConstMap = Eigen::Map<const Array>;
    /// Of the senders of one weight: sources x trials each.
    struct Traces {
        Array eligibility, before;
        std::vector<Array> sent, modulated; ///< S and D, by type (a) + types * target type (beta)
    };

    bool filtered() const { return request_.credit.kind == Credit::Kind::modprop && request_.taps < 0; }

    void advance(Traces& traces, const Array& operand) {
        const auto types = net_.types.size();
        const T keep = T(1) - net_.rate, through = net_.rate * net_.scale * static_cast<T>(request_.credit.mu);
        const auto old = traces.sent;
        for (std::size_t beta = 0; beta < types; ++beta)
            for (std::size_t a = 0; a < types; ++a) {
                Array sum = Array::Zero(operand.rows(), operand.cols());
                for (std::size_t b = 0; b < types; ++b) sum += means_[a + b * types] * old[b + beta * types];
                auto &S = traces.sent[a + beta * types], &D = traces.modulated[a + beta * types];
                S = keep * S + through * static_cast<T>(net_.types[a]) * sum;
                if (a == beta) S += net_.rate * operand;
                D = keep * D + through * sum;
            }
    }
    void modulate(const Traces& traces, const ConstMap& direct, Eigen::Map<Matrix<T>>& gradient) const {
        const auto types = net_.types.size();
        for (std::size_t a = 0; a < types; ++a) {
            Eigen::Array<T, 1, Eigen::Dynamic> modulator = Eigen::Array<T, 1, Eigen::Dynamic>::Zero(direct.cols());
            for (Eigen::Index p = 0; p < direct.rows(); ++p)
                if (static_cast<std::size_t>(typeOf_[static_cast<std::size_t>(p)]) == a) modulator += direct.row(p);
            for (Eigen::Index p = 0; p < direct.rows(); ++p) {
                const auto beta = static_cast<std::size_t>(typeOf_[static_cast<std::size_t>(p)]);
                gradient.row(p) += (traces.modulated[a + beta * types].rowwise() * modulator).rowwise().sum().matrix();
            }
        }
    }
    void tap(const Array (&operands)[3], const ConstMap& direct, const std::vector<T*>& gradients) {
        last_.push_front({operands[0], operands[1], operands[2]});
        if (static_cast<int>(last_.size()) > request_.taps + 1) last_.pop_back();
        const T keep = T(1) - net_.rate, through = net_.rate * net_.scale * static_cast<T>(request_.credit.mu);
        Matrix<T> credit = direct.matrix();
        for (const auto& past : last_) {
            for (std::size_t w = 0; w < gradients.size(); ++w)
                if (gradients[w])
                    Eigen::Map<Matrix<T>>(gradients[w], net_.units, past[w].rows()) +=
                        net_.rate * credit * past[w].matrix().transpose();
            credit = keep * credit + through * feedback_.transpose() * credit;
        }
    }

    OnlineRequest<T> request_;
    Network net_;
    std::vector<T> means_;
    Matrix<T> feedback_;
    std::vector<int> typeOf_;
    std::vector<Traces> traces_;
    std::deque<std::vector<Array>> last_; ///< operands of the last steps, the newest first
};

} // namespace raphe
