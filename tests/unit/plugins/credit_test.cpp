// SPDX-License-Identifier: Apache-2.0
// How credit returns over recurrent links, model by model, against loops that follow the definition.
#include "models/gru/gru.h"
#include "models/low_rank_rnn/low_rank_rnn.h"
#include "models/rnn/rnn.h"

#include "model_driver.h"

#include "plastic_rnn_driver.h"

namespace raphe::test {
namespace {

using Array = Eigen::ArrayXXd;

/// What every policy says of a network x(t) = keep x(t-1) + rate A(t) r(x(t-1)) + ..., of one trial.
struct Oracle {
    Credit credit;
    double keep, rate;
    Array direct, slopes;                         ///< units x steps: dE/dx(t) from outside; r'(x(t-1))
    std::function<Eigen::MatrixXd(int)> feedback; ///< F(t)

    /// Adjoint of x(t), all steps.
    Array adjoints() const {
        const auto steps = direct.cols();
        Array result = direct;
        for (Eigen::Index t = steps - 1; t > 0; --t) {
            result.col(t - 1) += keep * result.col(t);
            if (credit.kind == Credit::Kind::local) continue;
            const Eigen::ArrayXd returning = (credit.kind == Credit::Kind::mdgl ? direct : result).col(t);
            const Eigen::ArrayXd back =
                (feedback(static_cast<int>(t)).transpose() * (rate * returning).matrix()).array();
            if (credit.kind == Credit::Kind::modprop)
                result.col(t - 1) += credit.mu * back;
            else
                result.col(t - 1) += slopes.col(t) * back;
        }
        return result;
    }
};

Eigen::MatrixXd typeMeans(const Eigen::MatrixXd& W, const std::vector<int>& sizes, bool self) {
    Eigen::MatrixXd F(W.rows(), W.cols());
    int p = 0;
    for (int a : sizes) {
        int q = 0;
        for (int b : sizes) {
            F.block(p, q, a, b).setConstant(W.block(p, q, a, b).mean());
            q += b;
        }
        p += a;
    }
    if (!self) F.diagonal().setZero();
    return F;
}

std::size_t portOf(const DeclarationData& declaration, const char* port) {
    return static_cast<std::size_t>(declaration.port(port));
}
/// One trial of a signal: units x steps.
Array ofTrial(const std::vector<double>& signal, int units, int trials, int steps, int trial) {
    Array result(units, steps);
    for (int t = 0; t < steps; ++t)
        for (int i = 0; i < units; ++i)
            result(i, t) = signal[static_cast<std::size_t>((t * trials + trial) * units + i)];
    return result;
}

void expectNear(const std::vector<double>& ours, const Array& theirs, const std::string& what) {
    ASSERT_EQ(ours.size(), static_cast<std::size_t>(theirs.size()));
    for (std::size_t i = 0; i < ours.size(); ++i)
        EXPECT_NEAR(ours[i], theirs(static_cast<Eigen::Index>(i)), 1e-12 * std::max(1.0, theirs.abs().maxCoeff()))
            << what << ", entry " << i;
}

class EveryCredit : public testing::TestWithParam<std::string> {};
const auto named = [](const auto& item) { return item.param; };

TEST_P(EveryCredit, ReturnsToTheUnitsOfAnRnnAsDefined) {
    constexpr int units = 7, trials = 3, steps = 6;
    const std::vector<int> sizes{2, 5};
    for (const bool gained : {false, true})
        for (const char* activation : {"tanh", "relu"}) {
            ModelDriver<Rnn, double>::Setup setup{{{"units", integer(units)},
                                                   {"tau", 4.0},
                                                   {"activation", std::string(activation)},
                                                   {"expose_rate", true},
                                                   {"types", std::vector<double>{2, 5}}},
                                                  {{"input", 2}},
                                                  trials,
                                                  steps};
            if (gained) setup.wired["gain"] = units;
            setup.credit = creditOf(GetParam(), 0.3);
            ModelDriver<Rnn, double> d(setup);
            d.sweep(true);
            const auto declaration = entryOf<Rnn>().declaration;
            const Eigen::MatrixXd W = Eigen::Map<Eigen::MatrixXd>(d.weight("recurrent_weight").data(), units, units);
            const auto F = setup.credit.feedback == Credit::Feedback::cells
                               ? W
                               : typeMeans(W, sizes, setup.credit.feedback == Credit::Feedback::typesAndSelf);
            const auto f = activationOf(activation);
            Array dW = Array::Zero(units, units), dB = Array::Zero(units, 2), dz0 = Array::Zero(units, trials);
            for (int b = 0; b < trials; ++b) {
                const auto z = ofTrial(d.output("hidden"), units, trials, steps, b),
                           x = ofTrial(d.input("input"), 2, trials, steps, b);
                Array before(units, steps), rates(units, steps), slopes = Array::Ones(units, steps),
                                                                 after = Array::Ones(units, steps), sent(units, steps);
                before.col(0) = Eigen::Map<Eigen::ArrayXd>(d.initial[0].data() + b * units, units);
                before.rightCols(steps - 1) = z.leftCols(steps - 1);
                applyActivation<double>(f, before, sent);
                scaleByDerivative<double>(f, sent, slopes);
                applyActivation<double>(f, z, rates);
                scaleByDerivative<double>(f, rates, after);
                Array direct = ofTrial(d.lossWeights[portOf(declaration, "hidden")], units, trials, steps, b);
                direct += after * ofTrial(d.lossWeights[portOf(declaration, "rate")], units, trials, steps, b);
                Array gain = Array::Ones(units, steps);
                if (gained) gain = ofTrial(d.input("gain"), units, trials, steps, b);
                const Oracle oracle{
                    setup.credit, 1 - 0.25,
                    0.25,         direct,
                    slopes,       [&](int t) {
                                        return Eigen::MatrixXd(gain.col(t).matrix().asDiagonal() * F); }};
                // With gains the means are of W alone, and what crosses is gain .* d.
                const auto zbar = oracle.adjoints();
                for (int t = 0; t < steps; ++t) {
                    dW += 0.25 * ((gain.col(t) * zbar.col(t)).matrix() * sent.col(t).matrix().transpose()).array();
                    dB += 0.25 * (zbar.col(t).matrix() * x.col(t).matrix().transpose()).array();
                }
                Oracle whole = oracle; // one step further back, to the initial state
                whole.direct = Array::Zero(units, steps + 1);
                whole.direct.rightCols(steps) = direct;
                whole.slopes = Array::Zero(units, steps + 1);
                whole.slopes.rightCols(steps) = slopes;
                whole.feedback = [&](int t) { return oracle.feedback(t - 1); };
                dz0.col(b) = whole.adjoints().col(0);
            }
            std::map<std::string, std::vector<double>> gradients;
            for (std::size_t k = 0; k < d.gradients.size(); ++k) gradients[d.weightInfos()[k].name] = d.gradients[k];
            expectNear(gradients["recurrent_weight"], dW, std::string("W, ") + activation);
            expectNear(gradients["input_weight"], dB, std::string("B, ") + activation);
            expectNear(d.initialGradients[0], dz0, std::string("initial state, ") + activation);
        }
}

INSTANTIATE_TEST_SUITE_P(Names, EveryCredit, testing::ValuesIn(creditNames()), named);

class CellCredit : public testing::TestWithParam<std::string> {};

TEST_P(CellCredit, ReturnsThroughTheComponentsOfALowRankNetwork) {
    constexpr int units = 6, rank = 2, trials = 2, steps = 5;
    for (const char* activation : {"tanh", "identity"}) {
        ModelDriver<LowRankRnn, double>::Setup setup{{{"units", integer(units)},
                                                      {"rank", integer(rank)},
                                                      {"tau", 2.0},
                                                      {"orthogonalise", std::string("none")},
                                                      {"activation", std::string(activation)}},
                                                     {{"input", 2}, {"gain", rank}},
                                                     trials,
                                                     steps};
        setup.credit = creditOf(GetParam(), 0.4);
        ModelDriver<LowRankRnn, double> d(setup);
        const auto declaration = entryOf<LowRankRnn>().declaration;
        // What a component reads is an output too; a loss on it would be credit that came over a link.
        auto& onProjection = d.lossWeights[portOf(declaration, "projection")];
        std::fill(onProjection.begin(), onProjection.end(), 0.0);
        d.sweep(true);
        const Eigen::MatrixXd Q = Eigen::Map<Eigen::MatrixXd>(d.weight("left_factor").data(), units, rank),
                              R = Eigen::Map<Eigen::MatrixXd>(d.weight("right_factor").data(), units, rank);
        const auto f = activationOf(activation);
        Array dQ = Array::Zero(units, rank), dR = Array::Zero(units, rank);
        std::vector<double> dGain(d.input("gain").size());
        for (int b = 0; b < trials; ++b) {
            const auto x = ofTrial(d.output("hidden"), units, trials, steps, b),
                       s = ofTrial(d.input("gain"), rank, trials, steps, b);
            Array before(units, steps), slopes = Array::Ones(units, steps), sent(units, steps);
            before.col(0) = Eigen::Map<Eigen::ArrayXd>(d.initial[0].data() + b * units, units);
            before.rightCols(steps - 1) = x.leftCols(steps - 1);
            applyActivation<double>(f, before, sent);
            scaleByDerivative<double>(f, sent, slopes);
            const Oracle oracle{setup.credit,
                                0.5,
                                0.5,
                                ofTrial(d.lossWeights[portOf(declaration, "hidden")], units, trials, steps, b),
                                slopes,
                                [&](int t) {
                                    return Eigen::MatrixXd(Q * s.col(t).matrix().asDiagonal() * R.transpose()); }};
            const auto xbar = oracle.adjoints();
            for (int t = 0; t < steps; ++t) {
                const Eigen::VectorXd h = R.transpose() * sent.col(t).matrix(),
                                      q = 0.5 * Q.transpose() * xbar.col(t).matrix();
                dQ += 0.5 * (xbar.col(t).matrix() * (s.col(t) * h.array()).matrix().transpose()).array();
                dR += (sent.col(t).matrix() * (s.col(t) * q.array()).matrix().transpose()).array();
                for (int k = 0; k < rank; ++k)
                    dGain[static_cast<std::size_t>((t * trials + b) * rank + k)] = q(k) * h(k);
            }
        }
        expectNear(d.gradients[0], dQ, std::string("left factor, ") + activation);
        expectNear(d.gradients[1], dR, std::string("right factor, ") + activation);
        expectNear(d.inputGradients[portOf(declaration, "gain")],
                   Eigen::Map<Array>(dGain.data(), static_cast<Eigen::Index>(dGain.size()), 1),
                   std::string("gain, ") + activation);
    }
}

INSTANTIATE_TEST_SUITE_P(Names, CellCredit, testing::Values("exact", "local", "mdgl", "modprop"), named);

// The part of MDGL's credit that crosses a link of a plastic network is that of the effective weight W + alpha .* H.
// With a Hebbian rate of zero H stays what it is at the start, and the network is a plain one with these weights.
TEST(Mdgl, CrossesTheEffectiveWeightOfAPlasticNetwork) {
    for (const char* alpha : {"per_connection", "per_neuron", "single"}) {
        auto params = plasticTest::entry().declaration.defaults();
        params["rule"] = std::string("plastic");
        params["alpha"] = std::string(alpha);
        params["hidden"] = std::int64_t{5};
        const plasticTest::Sizes sizes{2, 5, 2, 5};
        plasticTest::Driver<double> d(params, sizes);
        d.credit = creditOf("mdgl");
        std::size_t W = 0, gain = 0;
        for (std::size_t k = 0; k < d.weightInfos().size(); ++k) {
            const auto& name = d.weightInfos()[k].name;
            if (name == "recurrent_weight") W = k;
            if (name == "alpha") gain = k;
            if (name == "eta") std::fill(d.weights[k].begin(), d.weights[k].end(), 0.0);
        }
        d.act(sizes.steps);
        d.learn(sizes.steps);
        std::size_t trace = 0, state = 0;
        for (std::size_t k = 0; k < d.stateInfos().size(); ++k) {
            if (d.stateInfos()[k].name == "hebbian_trace") trace = k;
            if (d.stateInfos()[k].name == "hidden") state = k;
        }
        Array dW = Array::Zero(5, 5);
        const auto& info = d.stateInfos()[trace];
        for (int b = 0; b < sizes.trials; ++b) {
            Eigen::MatrixXd A(5, 5);
            for (int j = 0; j < 5; ++j)
                for (int i = 0; i < 5; ++i) {
                    const auto a =
                        d.weights[gain][static_cast<std::size_t>(std::string(alpha) == "per_connection" ? j * 5 + i
                                                                 : std::string(alpha) == "per_neuron"   ? i
                                                                                                        : 0)];
                    A(i, j) = d.weights[W][static_cast<std::size_t>(j * 5 + i)] +
                              a * d.initial[trace][info.size() * static_cast<std::size_t>(b) +
                                                   static_cast<std::size_t>(j * info.stride + i)];
                }
            const auto h = ofTrial(d.hidden, 5, sizes.trials, sizes.steps, b);
            Array hbar = ofTrial(d.hiddenWeight, 5, sizes.trials, sizes.steps, b);
            for (int i = 0; i < 5; ++i)
                hbar(i, sizes.steps - 1) += d.stateWeights[state][static_cast<std::size_t>(b * 5 + i)];
            const Array direct = ofTrial(d.hiddenWeight, 5, sizes.trials, sizes.steps, b);
            for (int t = sizes.steps - 1; t >= 0; --t) {
                const Eigen::ArrayXd before =
                    t > 0 ? Eigen::ArrayXd(h.col(t - 1))
                          : Eigen::ArrayXd(Eigen::Map<Eigen::ArrayXd>(d.initial[state].data() + b * 5, 5));
                dW += ((hbar.col(t) * (1 - h.col(t).square())).matrix() * before.matrix().transpose()).array();
                if (t > 0)
                    hbar.col(t - 1) += (A.transpose() * (direct.col(t) * (1 - h.col(t).square())).matrix()).array();
            }
        }
        expectNear(std::vector<double>(d.gradients[W].begin(), d.gradients[W].end()), dW, alpha);
    }
}

} // namespace
} // namespace raphe::test
