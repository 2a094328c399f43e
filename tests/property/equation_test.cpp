// SPDX-License-Identifier: Apache-2.0
// Discretisation: Euler's method is of first order, so that half the step leaves half the error.
#include "support.h"

#include <gtest/gtest.h>

namespace raphe::test {
namespace {

/// Final state of a leaky network, driven by a constant input for 40 units of time.
std::vector<double> finalState(const std::string& mechanism, const Json& params, double dt) {
    const int steps = static_cast<int>(std::lround(40 / dt));
    Json document = {{"raphe", 1}, {"precision", "float64"}, {"trials", 1}, {"dt", dt}, {"seed", 3}};
    document["nodes"]["task"] = {{"mechanism", "task.probe"}, {"params", {{"inputs", 2}, {"steps", steps}}}};
    document["nodes"]["net"] = {{"mechanism", mechanism}, {"params", params}};
    document["wires"] = Json::array({"task.observation -> net.input"});
    auto session = sessionOf(experimentFromJson(document, registry()));
    ForwardRequest request;
    Tensor input{{steps, 1, 2}, {}, Precision::float64};
    for (int t = 0; t < steps; ++t) input.values.insert(input.values.end(), {0.7, -0.4});
    request.inputs.push_back({"task.observation", input});
    for (const auto& state : session->forward(request).finalStates)
        if (state.name == "net.hidden") return state.tensor.values;
    return {};
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
}

class Euler : public testing::TestWithParam<std::pair<const char*, Json>> {};

TEST_P(Euler, HalvesItsErrorWithTheStep) {
    const auto& [mechanism, params] = GetParam();
    const auto fine = finalState(mechanism, params, 1.0 / 1024);
    ASSERT_FALSE(fine.empty());
    double previous = distance(finalState(mechanism, params, 0.5), fine);
    ASSERT_GT(previous, 1e-6);
    for (double dt : {0.25, 0.125, 0.0625}) {
        const double error = distance(finalState(mechanism, params, dt), fine);
        EXPECT_NEAR(previous / error, 2, 0.15) << "dt = " << dt;
        previous = error;
    }
}

INSTANTIATE_TEST_SUITE_P(Networks, Euler,
                         testing::Values(std::pair{"model.rnn", Json{{"units", 12}, {"tau", 10}}},
                                         std::pair{"model.low_rank_rnn",
                                                   Json{{"units", 12}, {"rank", 2}, {"tau", 10}}}),
                         [](const auto& item) { return std::string(item.param.first).substr(6); });

} // namespace
} // namespace raphe::test
