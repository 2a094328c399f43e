// SPDX-License-Identifier: Apache-2.0
// Credit as a policy of the rule: what must hold of it in any network, and what networks refuse.
#include "chunk.h"

#include <gtest/gtest.h>

namespace raphe::test {
namespace {

Experiment withCredit(const std::string& name, const std::string& credit, double mu = 0.3, int steps = 0) {
    auto experiment = load(name);
    for (auto& node : experiment.nodes) {
        if (node.mechanism.rfind("rule.", 0) != 0) continue;
        node.params["credit"] = credit;
        node.params["credit_mu"] = mu;
        node.params["credit_steps"] = std::int64_t{steps};
    }
    return experiment;
}
void set(Experiment& experiment, const std::string& node, const std::string& key, ParamValue value) {
    for (auto& item : experiment.nodes)
        if (item.name == node) item.params[key] = std::move(value);
}
/// The task of two cues with few units and steps.
Experiment shortXor(const std::string& credit, double mu = 0.3, int steps = 0) {
    auto experiment = withCredit("delayed_xor_small", credit, mu, steps);
    experiment.stages.clear();
    experiment.trials = 6;
    experiment.chunk = 6;
    set(experiment, "task", "cue", std::int64_t{4});
    set(experiment, "task", "delay", std::int64_t{10});
    set(experiment, "network", "units", std::int64_t{15});
    for (const char* node : {"network", "readout"}) set(experiment, node, "types", std::vector<double>{3, 12});
    return experiment;
}

std::vector<double> gradientOf(const Experiment& experiment, double mebibytes = 1000) {
    Chunk<double> chunk(experiment);
    chunk.plan.memoryBytes = static_cast<std::size_t>(mebibytes * 1048576);
    Sweep<double> sweep(chunk.plan);
    sweep.learn(chunk.range, chunk.weights.data(), chunk.gradient.data());
    return {chunk.gradient.data(), chunk.gradient.data() + chunk.gradient.size()};
}

struct Policy {
    const char *experiment, *credit;
    int steps;
};
class Policies : public testing::TestWithParam<Policy> {};

TEST_P(Policies, DoNotDependOnTheSegments) {
    const auto& [name, credit, steps] = GetParam();
    const auto experiment =
        std::string(name) == "short_xor" ? shortXor(credit, 0.3, steps) : withCredit(name, credit, 0.3, steps);
    const auto whole = gradientOf(experiment);
    for (double mebibytes : {0.1, 0.001}) EXPECT_LE(difference(gradientOf(experiment, mebibytes), whole), 1e-12);
    auto exact = experiment;
    for (auto& node : exact.nodes)
        if (node.mechanism.rfind("rule.", 0) == 0) {
            node.params["credit"] = std::string("exact");
            node.params["credit_steps"] = std::int64_t{0};
        }
    EXPECT_GT(difference(gradientOf(exact), whole), 1e-6) << "the policy should make a difference";
}

TEST_P(Policies, DoNotDependOnTheChunks) {
    const auto& [name, credit, steps] = GetParam();
    auto experiment =
        std::string(name) == "short_xor" ? shortXor(credit, 0.3, steps) : withCredit(name, credit, 0.3, steps);
    Chunk<double> all(experiment);
    experiment.chunk = 2;
    Chunk<double> parts(experiment);
    Sweep<double> one(all.plan), many(parts.plan);
    one.learn(all.range, all.weights.data(), all.gradient.data());
    for (int first = 0; first < all.plan.trials; first += 2)
        many.learn({0, static_cast<std::uint32_t>(first), std::min(2, all.plan.trials - first), all.range.batch},
                   parts.weights.data(), parts.gradient.data());
    const auto list = [](const AlignedArray<double>& a) { return std::vector<double>(a.data(), a.data() + a.size()); };
    EXPECT_LE(difference(list(parts.gradient), list(all.gradient)), 1e-11);
}

INSTANTIATE_TEST_SUITE_P(
    Small, Policies,
    testing::Values(Policy{"short_xor", "modprop", 0}, Policy{"short_xor", "modprop_type", 0},
                    Policy{"short_xor", "modprop_type_diag", 0}, Policy{"short_xor", "mdgl", 0},
                    Policy{"short_xor", "mdgl_type", 0}, Policy{"short_xor", "exact", 5},
                    Policy{"short_xor", "modprop", 5}, Policy{"short_xor", "mdgl", 5},
                    Policy{"mwg_small_nm_rnn", "modprop", 0}, Policy{"mwg_small_nm_rnn", "mdgl", 0},
                    Policy{"cue_small_A_plastic", "mdgl", 0}, Policy{"cue_small_A_simple", "mdgl", 0},
                    Policy{"cue_small_A_none", "mdgl", 0}),
    [](const auto& item) {
        return std::string(item.param.experiment) + "_" + item.param.credit + "_" + std::to_string(item.param.steps);
    });

TEST(ModProp, IsExactWhereSlopesAreWhatStandsForThem) {
    for (const char* name : {"mwg_small_nm_rnn", "short_xor"}) {
        const auto linear = [&](const char* credit) {
            auto experiment = std::string(name) == "short_xor" ? shortXor(credit, 1) : withCredit(name, credit, 1);
            for (auto& node : experiment.nodes)
                if (node.mechanism == "model.rnn" || node.mechanism == "model.low_rank_rnn")
                    node.params["activation"] = std::string("identity");
            return gradientOf(experiment);
        };
        EXPECT_LE(difference(linear("modprop"), linear("exact")), 1e-11) << name;
    }
}

TEST(ModProp, IsLocalWhereNothingStandsForSlopes) {
    EXPECT_LE(difference(gradientOf(shortXor("modprop", 0)), gradientOf(shortXor("local"))), 1e-14);
    EXPECT_LE(difference(gradientOf(withCredit("mwg_small_nm_rnn", "modprop", 0)),
                         gradientOf(withCredit("mwg_small_nm_rnn", "local"))),
              1e-14);
}

TEST(ModProp, HasNoNeedOfTypesWhereEachCellIsOne) {
    for (const char* kind : {"modprop", "mdgl"}) {
        auto cells = shortXor(kind), types = shortXor(std::string(kind) + "_type");
        for (auto* experiment : {&cells, &types}) {
            set(*experiment, "network", "types", std::vector<double>(15, 1));
            std::vector<double> signs(15, 1);
            std::fill_n(signs.begin(), 3, -1);
            set(*experiment, "network", "signs", signs);
        }
        EXPECT_LE(difference(gradientOf(types), gradientOf(cells)), 1e-12) << kind;
    }
}

// -- forwards ---------------------------------------------------------------------------------------------------------

class Online : public testing::TestWithParam<std::string> {};

TEST_P(Online, EqualsTheReverseSweep) {
    const auto experiment = shortXor(GetParam());
    const auto session = sessionOf(experiment);
    const Network<double> network(session->graph(), experiment.dt);
    const int node = session->graph().node("network");
    EvaluateRequest evaluation;
    evaluation.record = {"task.observation", "network.hidden", "network.rate"};
    const auto signals = session->evaluate(evaluation).signals;
    const auto &x = signals[0].second, &z = signals[1].second;
    const auto steps = static_cast<std::size_t>(z.shape[0]), trials = static_cast<std::size_t>(z.shape[1]),
               units = static_cast<std::size_t>(z.shape[2]), inputs = static_cast<std::size_t>(x.shape[2]);

    GradientRequest request;
    request.forward.inputs = {{"task.observation", x}};
    Tensor error = z;
    Stream random(5, addressOf("error"), 0, 0, 0);
    for (double& e : error.values) e = random.normal();
    request.outputWeights = {{"network.rate", error}};
    const auto reverse = session->gradient(request).parameters;

    const auto columnMajor = [](const Tensor& t) {
        const auto rows = static_cast<std::size_t>(t.shape[0]), columns = static_cast<std::size_t>(t.shape[1]);
        std::vector<double> result(t.values.size());
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t c = 0; c < columns; ++c) result[c * rows + r] = t.values[r * columns + c];
        return result;
    };
    const auto W = columnMajor(session->get("network.recurrent_weight")),
               B = columnMajor(session->get("network.input_weight"));
    const auto form =
        network.model(node).online({creditOf(GetParam(), 0.3), -1, static_cast<int>(trials), {W.data(), B.data()}});
    ASSERT_TRUE(form);
    std::vector<double> dW(W.size()), dB(B.size()), before(units * trials), direct(units * trials);
    for (std::size_t t = 0; t < steps; ++t) {
        for (std::size_t i = 0; i < direct.size(); ++i) {
            const auto k = t * units * trials + i;
            direct[i] = z.values[k] > 0 ? error.values[k] : 0;
        }
        form->step({before.data(), x.values.data() + t * inputs * trials, direct.data()}, {dW.data(), dB.data()});
        std::copy_n(z.values.data() + t * units * trials, before.size(), before.data());
    }
    for (const auto& item : reverse) {
        const auto expected = columnMajor(item.tensor);
        if (item.name == "network.recurrent_weight") {
            EXPECT_LE(difference(dW, expected), 1e-12);
        }
        if (item.name == "network.input_weight") {
            EXPECT_LE(difference(dB, expected), 1e-12);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Credits, Online, testing::Values("local", "mdgl", "mdgl_type", "modprop_type_diag"),
                         [](const auto& item) { return item.param; });

TEST(OnlineForm, IsHandedOutOnlyWhereThereIsOne) {
    const auto experiment = shortXor("local");
    const auto session = sessionOf(experiment);
    const Network<double> network(session->graph(), experiment.dt);
    const auto& model = network.model(session->graph().node("network"));
    const std::vector<double> W(225), B(30);
    for (const char* name : {"exact", "modprop", "modprop_type"})
        EXPECT_FALSE(model.online({creditOf(name), -1, 1, {W.data(), B.data()}})) << name;
    EXPECT_TRUE(model.online({creditOf("modprop"), 3, 1, {W.data(), B.data()}}));
    EXPECT_FALSE(network.model(session->graph().node("readout")).online({creditOf("local"), -1, 1, {}}));
}

// -- cell types -------------------------------------------------------------------------------------------------------

TEST(DalesLaw, HoldsThroughoutATraining) {
    auto experiment = shortXor("modprop_type");
    for (auto& node : experiment.nodes)
        if (node.name == "learner") node.params["learning_rate"] = 0.05; // many weights reach their bound
    const auto session = sessionOf(experiment);
    const auto expectLaw = [&](double floor) {
        const auto W = session->get("network.recurrent_weight"), R = session->get("readout.weight");
        int atTheFloor = 0;
        for (std::size_t p = 0; p < 15; ++p)
            for (std::size_t q = 0; q < 15; ++q) {
                const double w = W.values[p * 15 + q] * (q < 3 ? -1 : 1);
                if (p == q)
                    EXPECT_EQ(w, 0);
                else
                    EXPECT_GE(w, floor);
                atTheFloor += w == 1e-12;
            }
        for (std::size_t k = 0; k < R.values.size(); ++k) EXPECT_GE(R.values[k] * (k % 15 < 3 ? -1 : 1), floor);
        return atTheFloor;
    };
    expectLaw(0);
    for (int i = 0; i < 20; ++i) session->iterate();
    EXPECT_GT(expectLaw(1e-12), 0);
}

TEST(BalancedWeights, CancelForEveryCellAndHaveSpectralRadiusOne) {
    auto experiment = shortXor("exact");
    set(experiment, "network", "autapses", true);
    const auto session = sessionOf(experiment);
    const auto W = session->get("network.recurrent_weight");
    const Eigen::Map<const Eigen::Matrix<double, 15, 15, Eigen::RowMajor>> matrix(W.values.data());
    EXPECT_LE(matrix.rowwise().sum().cwiseAbs().maxCoeff(), 1e-13);
    Eigen::Matrix<double, 15, 15> power = matrix; // |W^k|^(1/k) tends to the spectral radius
    double scale = 0;
    for (int k = 0; k < 14; ++k) {
        power = power * power;
        const double norm = power.norm();
        power /= norm;
        scale += std::log(norm) / std::pow(2.0, k + 1);
    }
    EXPECT_NEAR(std::exp(scale), 1, 0.01);
}

// -- refusals ---------------------------------------------------------------------------------------------------------

std::string refusal(const Experiment& experiment) {
    try {
        sessionOf(experiment);
    } catch (const Error& error) {
        return error.what();
    }
    return "accepted";
}
void expectRefusal(const Experiment& experiment, const std::vector<std::string>& words) {
    const auto text = refusal(experiment);
    for (const auto& word : words) EXPECT_NE(text.find(word), std::string::npos) << word << " in: " << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
}

TEST(Refusals, NameTheNodeAndTheRemedy) {
    for (const char* name : {"cue_small_A_plastic", "cue_small_A_simple", "cue_small_A_retro"})
        expectRefusal(withCredit(name, "modprop"), {"nodes.agent: model.plastic_rnn cannot return credit \"modprop\"",
                                                    "trace of each synapse", "choose credit exact, local or mdgl"});
    expectRefusal(withCredit("cue_small_A_none", "modprop"), {"nodes.agent", "model.rnn"});
    expectRefusal(withCredit("mwg_small_nm_rnn", "modprop_type"), {"nodes.", "types", "choose credit modprop"});
    expectRefusal(withCredit("crossed_gain", "mdgl"), {"nodes.core: a wire from gate", "exact or local"});
    auto untyped = shortXor("mdgl_type");
    for (const char* key : {"types", "signs"}) set(untyped, "network", key, std::vector<double>{});
    set(untyped, "network", "recurrent_init", std::string("normal"));
    set(untyped, "network", "shrinkage", 0.0);
    expectRefusal(untyped, {"nodes.network: model.rnn cannot return credit \"mdgl_type\"", "\"types\": [20, 80]"});
    for (const std::string model : {"model.gru", "model.lstm"}) {
        auto gated = shortXor("mdgl");
        for (auto& node : gated.nodes)
            if (node.name == "network") {
                node.mechanism = model;
                node.params = registry().find(model, "").declaration.defaults();
                node.params["units"] = std::int64_t{15};
            }
        for (auto& wire : gated.wires)
            if (wire.from.node == "network") wire.from.port = "hidden";
        for (const char* credit : {"mdgl", "modprop"}) {
            for (auto& node : gated.nodes)
                if (node.name == "learner") node.params["credit"] = std::string(credit);
            expectRefusal(gated, {"nodes.network: " + model, "gates", "choose credit exact or local"});
        }
    }
}

TEST(Refusals, AreThoseOfStagesToo) {
    auto experiment = withCredit("cue_small_A_simple", "local");
    TrainingStage stage;
    stage.name = "other";
    stage.iterations = 2;
    stage.set = {{"credit", std::string("modprop")}};
    experiment.stages = {stage};
    experiment.iterations = stage.iterations;
    expectRefusal(experiment, {"stages[0]", "model.plastic_rnn cannot return credit"});
}

// -- beside the exact gradient ----------------------------------------------------------------------------------------

TEST(Alignment, IsOneOfTheExactCreditAndLessOfOthers) {
    const auto session = sessionOf(shortXor("modprop_type"));
    for (const auto& tensor : session->alignCredit("exact")) {
        EXPECT_NEAR(tensor.cosine, 1, 1e-12) << tensor.tensor;
        EXPECT_NEAR(tensor.normRatio, 1, 1e-12) << tensor.tensor;
    }
    for (const auto& tensor : session->alignCredit("local")) {
        const bool feedforward = tensor.tensor.rfind("readout.", 0) == 0;
        EXPECT_EQ(tensor.cosine > 1 - 1e-12, feedforward) << tensor.tensor;
        EXPECT_GT(tensor.exactNorm, 0);
    }
    EXPECT_THROW(session->alignCredit("nonsense"), Error);
}

} // namespace
} // namespace raphe::test
