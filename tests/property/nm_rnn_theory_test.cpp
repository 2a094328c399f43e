// SPDX-License-Identifier: Apache-2.0
// What the theory of the NM-RNN says (J. C. Costacurta et al. 2024, section 4; specification nm_rnn, 2.8 and 2.9), of
// random networks: the gain that makes a linear network of rank 1 follow a given output, and the LSTM that a linear
// network with equal factors is.
#include "support.h"

#include <gtest/gtest.h>

namespace raphe::test {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

Tensor zeros(std::vector<std::int64_t> shape) {
    std::int64_t size = 1;
    for (auto n : shape) size *= n;
    return {std::move(shape), std::vector<double>(static_cast<std::size_t>(size)), Precision::float64};
}
const std::vector<double>& signal(const ForwardResult& result, const std::string& port) {
    for (const auto& item : result.signals)
        if (item.name == port) return item.tensor.values;
    throw Error(port, "is not among the results");
}
double dot(const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

std::unique_ptr<Session> sessionOfText(Json nodes, Json wires, std::uint64_t seed) {
    const Json document = {{"raphe", 1},  {"nodes", std::move(nodes)}, {"wires", std::move(wires)},
                           {"trials", 1}, {"precision", "float64"},    {"seed", seed}};
    return Session::create(experimentFromJson(document, registry()), registry(), {1, usualExecutor, 0});
}

// -- rank 1 -----------------------------------------------------------------------------------------------------------

/// A linear network of rank 1 whose gain is given.
struct RankOne {
    static constexpr int units = 12, steps = 30;
    double tau, divisor = 1;
    std::unique_ptr<Session> session;
    std::vector<double> l, r, c, x0;
    double d = 0;

    RankOne(double tauOfUnits, const std::string& orthogonalise, bool divided, std::uint64_t seed) : tau(tauOfUnits) {
        const Json core = {{"units", units},
                           {"rank", 1},
                           {"tau", tau},
                           {"activation", "identity"},
                           {"orthogonalise", orthogonalise},
                           {"recurrent_divisor", divided ? "units" : "one"}};
        session = sessionOfText({{"task", {{"mechanism", "task.probe"}, {"params", {{"steps", steps}}}}},
                                 {"core", {{"mechanism", "model.low_rank_rnn"}, {"params", core}}},
                                 {"gate", {{"mechanism", "model.dense"}, {"params", {{"units", 1}}}}},
                                 {"readout", {{"mechanism", "model.dense"}, {"params", {{"units", 1}}}}}},
                                {"task.observation -> core.input", "task.observation -> gate.input",
                                 "gate.output -> core.gain", "core.hidden -> readout.input"},
                                seed);
        if (divided) divisor = units;
        l = session->get("core.left_factor").values;
        r = session->get("core.right_factor").values;
        c = session->get("readout.weight").values;
        d = session->get("readout.bias").values[0];
        if (orthogonalise != "none") {
            const double length = std::sqrt(dot(l, l));
            const double sign = orthogonalise == "householder" && l[0] > 0 ? -1 : 1;
            for (double& x : l) x *= sign / length;
        }
        // A component that reads what it drives, and an output that is far from d: then the gain moves the output.
        Stream random(seed, addressOf("rank one"), 0, 0, 0);
        const double length = dot(l, l), start = 1 / dot(c, l);
        for (std::size_t i = 0; i < at(units); ++i) {
            r[i] = 1.5 * divisor * l[i] / length + 0.1 * random.normal();
            x0.push_back(start * l[i] + 0.2 * random.normal());
        }
        auto right = session->get("core.right_factor");
        right.values = r;
        session->set("core.right_factor", right);
    }

    /// The output for a gain, before the first step and after each.
    std::vector<double> output(const std::vector<double>& gain) const {
        ForwardRequest request;
        auto given = zeros({steps, 1, 1});
        given.values = gain;
        auto start = zeros({1, units});
        start.values = x0;
        request.inputs = {{"task.observation", zeros({steps, 1, 1})}, {"gate.output", given}};
        request.initialStates = {{"core.hidden", start}};
        request.record = {"readout.output"};
        auto y = signal(session->forward(request), "readout.output");
        y.insert(y.begin(), dot(c, x0) + d);
        return y;
    }
    /// The closed form: the gain whose output is f is numerator / denominator. With x = a l + w, w orthogonal to l and
    /// decaying by itself.
    struct Terms {
        double numerator, denominator;
        double gain() const { return numerator / denominator; }
    };
    std::vector<Terms> gainFor(const std::vector<double>& f) const {
        const double along = dot(l, x0) / dot(l, l), lr = dot(l, r) / divisor, cl = dot(c, l) / divisor;
        auto w = x0;
        for (std::size_t i = 0; i < w.size(); ++i) w[i] -= along * l[i];
        std::vector<Terms> result;
        for (std::size_t t = 1; t < f.size(); ++t) {
            result.push_back(
                {f[t - 1] - d + tau * (f[t] - f[t - 1]), lr * (f[t - 1] - d - dot(c, w)) + cl * dot(r, w)});
            for (double& x : w) x *= 1 - 1 / tau;
        }
        return result;
    }
};

struct Form {
    double tau;
    const char* orthogonalise;
    bool divided;
};
const Form forms[] = {{10, "none", false}, {10, "positive", false}, {3, "householder", false}, {2.5, "none", true}};

TEST(RankOneTheory, NamesTheGainThatMakesTheNetworkFollowAnOutput) {
    for (const auto& form : forms)
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            const RankOne network(form.tau, form.orthogonalise, form.divided, seed);
            std::vector<double> ramp{dot(network.c, network.x0) + network.d};
            for (int t = 1; t <= RankOne::steps; ++t) ramp.push_back(ramp[0] + std::min(t, 14) / 14.0);
            std::vector<double> gain;
            for (const auto& terms : network.gainFor(ramp)) gain.push_back(terms.gain());
            const auto y = network.output(gain);
            for (std::size_t t = 0; t < ramp.size(); ++t)
                ASSERT_NEAR(y[t], ramp[t], 1e-10) << form.orthogonalise << ", seed " << seed << ", step " << t;
        }
}

TEST(RankOneTheory, NamesTheGainThatANetworkHad) {
    for (const auto& form : forms)
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            const RankOne network(form.tau, form.orthogonalise, form.divided, seed);
            Stream random(seed, addressOf("gain"), 0, 0, 0);
            std::vector<double> gain;
            for (int t = 0; t < RankOne::steps; ++t) gain.push_back(0.7 + 0.3 * random.uniform());
            const auto found = network.gainFor(network.output(gain));
            for (std::size_t t = 0; t < gain.size(); ++t)
                ASSERT_NEAR(found[t].numerator, gain[t] * found[t].denominator, 1e-10)
                    << form.orthogonalise << ", seed " << seed << ", step " << t;
        }
}

// -- LSTM -------------------------------------------------------------------------------------------------------------

/// The linear network with equal factors, its modulator, and what it did with random inputs.
struct Modes {
    static constexpr int units = 10, rank = 3, inputs = 2, steps = 40;
    Matrix<double> Q, B;
    std::unique_ptr<Session> session;
    std::vector<NamedTensor> given;
    std::vector<double> gain; ///< [step][component]
    Matrix<double> w, drive;  ///< rank x steps: Q^T x and Q^T B u
    Matrix<double> x, input;

    Modes(double tau, double modulatorTau, std::uint64_t seed) {
        session = sessionOfText(
            {{"task", {{"mechanism", "task.probe"}, {"params", {{"steps", steps}, {"inputs", inputs}}}}},
             {"core",
              {{"mechanism", "model.low_rank_rnn"},
               {"params",
                {{"units", units}, {"rank", rank}, {"tau", tau}, {"activation", "identity"}, {"symmetric", true}}}}},
             {"modulator", {{"mechanism", "model.rnn"}, {"params", {{"units", 4}, {"tau", modulatorTau}}}}},
             {"gate", {{"mechanism", "model.dense"}, {"params", {{"units", rank}, {"activation", "sigmoid"}}}}}},
            {"task.observation -> core.input", "task.observation -> modulator.input", "modulator.hidden -> gate.input",
             "gate.output -> core.gain"},
            seed);
        auto u = zeros({steps, 1, inputs});
        Stream random(seed, addressOf("input"), 0, 0, 0);
        for (double& number : u.values) number = random.normal();
        given = {{"task.observation", u}};
        input = Eigen::Map<Matrix<double>>(u.values.data(), inputs, steps);
        const auto matrix = [](const Tensor& t) {
            Matrix<double> m(t.shape[0], t.shape[1]);
            for (Eigen::Index r = 0; r < m.rows(); ++r)
                for (Eigen::Index c = 0; c < m.cols(); ++c)
                    m(r, c) = t.values[static_cast<std::size_t>(r * m.cols() + c)];
            return m;
        };
        Tape<double> tape;
        const Value<double> factor = tape.make(units, rank);
        factor.value() = matrix(session->get("core.left_factor"));
        Q = orthonormalise(Orthonormal::positive, factor).value();
        B = matrix(session->get("core.input_weight"));
    }
    void run() {
        ForwardRequest request{given, {}, {"core.hidden", "gate.output"}};
        const auto result = session->forward(request);
        gain = signal(result, "gate.output");
        auto hidden = signal(result, "core.hidden");
        x = Eigen::Map<Matrix<double>>(hidden.data(), units, steps);
        w = Q.transpose() * x;
        drive = Q.transpose() * B * input;
    }
};

TEST(LinearNmRnn, IsTheCellOfAnLstm) {
    for (const double tau : {1.0, 4.0, 10.0}) {
        Modes network(tau, 5, 3);
        network.run();
        Eigen::VectorXd w = network.Q.transpose() * Eigen::VectorXd::Constant(Modes::units, 0.1);
        Eigen::VectorXd rest = Eigen::VectorXd::Constant(Modes::units, 0.1) - network.Q * w; // orthogonal to Q
        for (int t = 0; t < Modes::steps; ++t) {
            for (int k = 0; k < Modes::rank; ++k) {
                const double forget = 1 - (1 - network.gain[at(t * Modes::rank + k)]) / tau;
                EXPECT_GT(forget, 1 - 1 / tau);
                EXPECT_LT(forget, 1);
                w(k) = forget * w(k) + network.drive(k, t) / tau;
                ASSERT_NEAR(network.w(k, t), w(k), 1e-13) << "tau " << tau << ", step " << t;
            }
            // The part of x that is orthogonal to Q forgets at the same rate always; with tau = 1, everything.
            const Eigen::VectorXd input = network.B * network.input.col(t);
            rest = (1 - 1 / tau) * rest + (input - network.Q * (network.Q.transpose() * input)) / tau;
            ASSERT_LE((network.x.col(t) - network.Q * network.w.col(t) - rest).cwiseAbs().maxCoeff(), 1e-13);
        }
    }
}

/// A modulator without memory has gates that depend on the present input alone, as those of an LSTM may. Its candidate
/// is so small that tanh is the identity but for a part in 1e10; its input gates are open.
TEST(LinearNmRnn, HasALstmThatDoesTheSame) {
    constexpr int rank = Modes::rank, inputs = Modes::inputs;
    constexpr double small = 1e-5;
    Modes network(1, 1, 4);
    network.session->set("modulator.recurrent_weight", zeros({4, 4}));
    network.run();
    const auto lstm = sessionOfText(
        {{"task", {{"mechanism", "task.probe"}, {"params", {{"steps", Modes::steps}, {"inputs", inputs}}}}},
         {"core", {{"mechanism", "model.lstm"}, {"params", {{"units", rank}}}}}},
        {"task.observation -> core.input"}, 1);
    auto W = zeros({4 * rank, inputs}), b = zeros({4 * rank, 1});
    const auto A = network.session->get("gate.weight").values,
               Bz = network.session->get("modulator.input_weight").values,
               bz = network.session->get("gate.bias").values;
    const Matrix<double> candidate = network.Q.transpose() * network.B;
    for (int k = 0; k < rank; ++k) {
        b.values[at(k)] = 40;
        b.values[at(rank + k)] = bz[at(k)];
        for (int j = 0; j < inputs; ++j) {
            for (int m = 0; m < 4; ++m)
                W.values[at((rank + k) * inputs + j)] += A[at(k * 4 + m)] * Bz[at(m * inputs + j)];
            W.values[at((2 * rank + k) * inputs + j)] = small * candidate(k, j);
        }
    }
    lstm->set("core.input_weight", W);
    lstm->set("core.bias", b);
    lstm->set("core.recurrent_weight", zeros({4 * rank, rank}));
    auto start = zeros({1, rank});
    const Eigen::VectorXd w0 = network.Q.transpose() * Eigen::VectorXd::Constant(Modes::units, 0.1);
    for (int k = 0; k < rank; ++k) start.values[at(k)] = small * w0(k);
    ForwardRequest request{network.given, {{"core.cell", start}}, {"core.cell"}};
    const auto cell = signal(lstm->forward(request), "core.cell");
    for (int t = 0; t < Modes::steps; ++t)
        for (int k = 0; k < rank; ++k)
            ASSERT_NEAR(cell[at(t * rank + k)] / small, network.w(k, t), 1e-8) << "step " << t << ", component " << k;
}

} // namespace
} // namespace raphe::test
