// SPDX-License-Identifier: Apache-2.0
// The gradient does not depend on how the computation is cut: into segments of steps, into chunks of trials, or by the
// numbering of units.
#include "chunk.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

namespace raphe::test {
namespace {

class Credit : public testing::TestWithParam<std::string> {};
auto named = [](const auto& item) { return item.param; };

void expectTheSameForAnySegments(const Experiment& experiment) {
    Chunk<double> chunk(experiment);
    std::vector<double> whole;
    double loss = 0;
    std::set<int> counts;
    for (double mebibytes : {1000.0, 8.0, 2.0, 1.0, 0.5, 0.25, 0.1, 0.001}) {
        chunk.plan.memoryBytes = static_cast<std::size_t>(mebibytes * 1048576);
        Sweep<double> sweep(chunk.plan);
        counts.insert(sweep.segmentCount());
        chunk.gradient.clear();
        sweep.learn(chunk.range, chunk.weights.data(), chunk.gradient.data());
        const std::vector<double> gradient(chunk.gradient.data(), chunk.gradient.data() + chunk.gradient.size());
        if (whole.empty()) {
            EXPECT_EQ(sweep.segmentCount(), 1);
            whole = gradient;
            loss = sweep.objective().loss;
            EXPECT_GT(std::abs(loss), 0);
        }
        EXPECT_LE(difference(gradient, whole), 1e-12) << sweep.segmentCount() << " segments";
        EXPECT_NEAR(sweep.objective().loss, loss, 1e-12 * std::abs(loss)) << sweep.segmentCount() << " segments";
    }
    EXPECT_GE(counts.size(), 3u) << "the budgets should lead to several ways of cutting";
}

TEST_P(Credit, DoesNotDependOnTheSegments) { expectTheSameForAnySegments(load(GetParam())); }

TEST_P(Credit, DoesNotDependOnTheSegmentsWhereItIsLocal) {
    auto experiment = load(GetParam());
    for (auto& node : experiment.nodes)
        if (node.mechanism.rfind("rule.", 0) == 0) node.params["credit"] = std::string("local");
    expectTheSameForAnySegments(experiment);
}

/// Gradients of a whole batch, summed over chunks.
std::pair<std::vector<double>, double> batchGradient(Experiment experiment, int trials) {
    experiment.chunk = trials;
    Chunk<double> chunk(experiment);
    Sweep<double> sweep(chunk.plan);
    double loss = 0, weight = 0;
    for (int first = 0; first < chunk.range.batch; first += chunk.plan.trials) {
        const TrialRange range{0, static_cast<std::uint32_t>(first),
                               std::min(chunk.plan.trials, chunk.range.batch - first), chunk.range.batch};
        sweep.learn(range, chunk.weights.data(), chunk.gradient.data());
        loss += sweep.objective().loss;
        weight += sweep.objective().lossWeight;
    }
    std::vector<double> gradient(chunk.gradient.data(), chunk.gradient.data() + chunk.gradient.size());
    return {gradient, loss / weight};
}

TEST_P(Credit, IsTheSumOverChunksOfAnySize) {
    const auto experiment = load(GetParam());
    const auto [whole, loss] = batchGradient(experiment, 1'000'000);
    for (int trials : {1, 2, 3, 7, 16}) {
        const auto [gradient, sum] = batchGradient(experiment, trials);
        EXPECT_LE(difference(gradient, whole), 1e-11) << trials << " trials a chunk";
        EXPECT_NEAR(sum, loss, 1e-12 * std::abs(loss)) << trials << " trials a chunk";
    }
}

INSTANTIATE_TEST_SUITE_P(Small, Credit, testing::ValuesIn(smallExperiments()), named);

// -- numbering ------------------------------------------------------------------------------------------------------

/// Which tensors have the units of one node as rows or as columns.
struct Layout {
    const char *experiment, *node, *port;
    std::vector<std::string> rows, columns;
};

Tensor permuted(const Tensor& tensor, const std::vector<std::size_t>& order, bool rows, bool columns) {
    const auto height = static_cast<std::size_t>(tensor.shape[0]), width = static_cast<std::size_t>(tensor.shape[1]);
    Tensor result = tensor;
    for (std::size_t r = 0; r < height; ++r)
        for (std::size_t c = 0; c < width; ++c)
            result.values[r * width + c] = tensor.values[(rows ? order[r] : r) * width + (columns ? order[c] : c)];
    return result;
}

class Numbering : public testing::TestWithParam<Layout> {};

TEST_P(Numbering, OfUnitsChangesNothingElse) {
    const auto& layout = GetParam();
    const auto address = std::string(layout.node) + "." + layout.port;
    const auto contains = [](const auto& list, const std::string& name) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    const auto evaluate = [&](Session& session) {
        EvaluateRequest request;
        request.trials = 4;
        request.record = {address};
        return session.evaluate(request);
    };
    auto plain = sessionOf(load(layout.experiment)), renumbered = sessionOf(load(layout.experiment));
    const auto reference = evaluate(*plain);
    const auto units = static_cast<std::size_t>(reference.signals[0].second.shape[2]);
    EXPECT_TRUE(rc::check(address + " of " + layout.experiment, [&] {
        std::vector<std::size_t> order(units);
        std::iota(order.begin(), order.end(), std::size_t{0});
        for (std::size_t i = units; i > 1; --i) std::swap(order[i - 1], order[*rc::gen::inRange<std::size_t>(0, i)]);
        for (const auto& info : plain->parameters())
            renumbered->set(info.name, permuted(plain->get(info.name), order, contains(layout.rows, info.name),
                                                contains(layout.columns, info.name)));
        const auto result = evaluate(*renumbered);
        for (std::size_t m = 0; m < result.metrics.size(); ++m)
            RC_ASSERT(std::abs(result.metrics[m].second - reference.metrics[m].second) <=
                      1e-12 * std::max(1.0, std::abs(reference.metrics[m].second)));
        std::vector<double> expected = reference.signals[0].second.values;
        for (std::size_t i = 0; i < expected.size(); ++i)
            expected[i] = reference.signals[0].second.values[i / units * units + order[i % units]];
        RC_ASSERT(difference(result.signals[0].second.values, expected) <= 1e-12);
    }));
}

INSTANTIATE_TEST_SUITE_P(
    Networks, Numbering,
    testing::Values(
        Layout{"cue_small_A_simple",
               "agent",
               "hidden",
               {"agent.input_weight", "agent.input_bias", "agent.recurrent_weight", "agent.alpha"},
               {"agent.recurrent_weight", "agent.alpha", "modulator.weight", "policy.weight", "value.weight"}},
        Layout{"cue_small_A_retro",
               "agent",
               "hidden",
               {"agent.input_weight", "agent.input_bias", "agent.recurrent_weight", "agent.alpha"},
               {"agent.recurrent_weight", "agent.alpha", "modulator.weight", "policy.weight", "value.weight"}},
        Layout{"mwg_small_nm_rnn",
               "core",
               "hidden",
               {"core.left_factor", "core.right_factor", "core.input_weight"},
               {"readout.weight"}},
        Layout{"mwg_small_nm_rnn",
               "modulator",
               "hidden",
               {"modulator.recurrent_weight", "modulator.input_weight"},
               {"modulator.recurrent_weight", "gate.weight"}}),
    [](const auto& item) { return std::string(item.param.experiment) + "_" + item.param.node; });

} // namespace
} // namespace raphe::test
