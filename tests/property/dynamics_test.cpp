// SPDX-License-Identifier: Apache-2.0
// Steps of networks as maps: networks whose fixed points and eigenvalues are known by hand.
#include "engine/analysis/fixed_points.h"
#include "engine/analysis/flow_field.h"
#include "support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace raphe::test {
namespace {

using testing::HasSubstr;
using Point = StepMap::Vector;

std::unique_ptr<Session> networkOf(const Json& nodes, const Json& wires, Json more = Json::object()) {
    Json document{{"raphe", 1}, {"trials", 1}, {"seed", 3}, {"nodes", nodes}, {"wires", wires}};
    document.update(more);
    return sessionOf(experimentFromJson(document, registry()));
}

/// x(t) = x(t-1) + 1/2 (-x(t-1) + W f(x(t-1)) + u), one or more units.
std::unique_ptr<Session> leaky(const std::vector<double>& W, const std::string& activation,
                               Json more = Json::object()) {
    const auto units = static_cast<int>(std::lround(std::sqrt(double(W.size()))));
    auto session = networkOf(
        {{"task", {{"mechanism", "task.probe"}, {"params", {{"inputs", units}}}}},
         {"net", {{"mechanism", "model.rnn"}, {"params", {{"units", units}, {"tau", 2}, {"activation", activation}}}}}},
        Json::array({"task.observation -> net.input"}), std::move(more));
    session->set("net.recurrent_weight", {{units, units}, W});
    Tensor identity{{units, units}, std::vector<double>(W.size())};
    for (int i = 0; i < units; ++i) identity.values[static_cast<std::size_t>(i * units + i)] = 1;
    session->set("net.input_weight", identity);
    return session;
}
const std::vector<double> spiral{0.5, -1, 1, 0.5};

StepMap mapOf(const Session& session, std::vector<double> u, std::vector<std::string> states = {"net"}) {
    const auto units = static_cast<std::int64_t>(u.size());
    return {session, registry(), {std::move(states), {{"task.observation", {{units}, std::move(u)}}}, {}}};
}
FixedPoints search(const StepMap& map, const StepMap::Matrix& starts, const FixedPointSearch& how = {}) {
    const auto executor = makeThreadExecutor(2);
    return findFixedPoints(map, starts, how, *executor);
}

// F(x) = x + 1/2 ((W - 1) x + u). With u = (1, 0) it rests at (1 - W)^-1 u = (0.4, 0.8); the eigenvalues of
// 1 + (W - 1) / 2 are 0.75 +- 0.5 i.
TEST(FixedPoints, OfALinearNetworkIsTheSolutionOfItsEquation) {
    const auto session = leaky(spiral, "identity");
    const auto map = mapOf(*session, {1, 0});
    StepMap::Matrix starts(2, 3);
    starts << 5, -3, 0, 1, 7, 0;
    const auto found = search(map, starts);
    ASSERT_EQ(found.points.size(), 1u);
    const auto& point = found.points[0];
    EXPECT_NEAR(point.state[0], 0.4, 1e-12);
    EXPECT_NEAR(point.state[1], 0.8, 1e-12);
    EXPECT_LT(point.speed, 1e-12);
    EXPECT_EQ(point.starts, 3);
    EXPECT_NEAR(point.distance, std::hypot(0.4, 0.8), 1e-12) << "from the third start";
    EXPECT_EQ(point.dynamics.stability, "stable");
    EXPECT_TRUE(point.dynamics.oscillates);
    ASSERT_EQ(point.dynamics.eigenvalues.size(), 2u);
    EXPECT_NEAR(std::abs(point.dynamics.eigenvalues[0] - std::complex<double>(0.75, 0.5)), 0, 1e-12);
    EXPECT_NEAR(std::abs(point.dynamics.eigenvalues[1] - std::complex<double>(0.75, -0.5)), 0, 1e-12);
    EXPECT_LT(point.dynamics.disagreement, 1e-9);
}

TEST(Jacobian, IsTheDerivativeInRowsOfNextStates) {
    const auto session = leaky(spiral, "identity");
    const auto map = mapOf(*session, {0, 0});
    const auto local = localDynamics(map, Point::Zero(2));
    EXPECT_NEAR(local.jacobian(0, 0), 0.75, 1e-15);
    EXPECT_NEAR(local.jacobian(0, 1), -0.5, 1e-15);
    EXPECT_NEAR(local.jacobian(1, 0), 0.5, 1e-15);
}

// W = 2 tanh: the origin repels with 1 + (2 - 1) / 2, and x = 2 tanh(x) at 1.9150080481545375 (SciPy's brentq), where
// the slope of the step is 1/2 + (1 - (x/2)^2).
TEST(FixedPoints, OfABistableUnitAreThree) {
    const auto session = leaky({2}, "tanh");
    const auto map = mapOf(*session, {0});
    StepMap::Matrix starts(1, 9);
    for (int i = 0; i < 9; ++i) starts(0, i) = -3 + 0.75 * i;
    auto found = search(map, starts);
    ASSERT_EQ(found.points.size(), 3u);
    std::sort(found.points.begin(), found.points.end(),
              [](const auto& a, const auto& b) { return a.state[0] < b.state[0]; });
    constexpr double outer = 1.9150080481545375;
    EXPECT_NEAR(found.points[0].state[0], -outer, 1e-10);
    EXPECT_NEAR(found.points[1].state[0], 0, 1e-10);
    EXPECT_NEAR(found.points[2].state[0], outer, 1e-10);
    EXPECT_EQ(found.points[0].dynamics.stability, "stable");
    EXPECT_EQ(found.points[1].dynamics.stability, "unstable");
    EXPECT_NEAR(found.points[1].dynamics.eigenvalues[0].real(), 1.5, 1e-9);
    EXPECT_NEAR(found.points[2].dynamics.eigenvalues[0].real(), 1.5 - outer * outer / 4, 1e-9);
    EXPECT_EQ(found.points[0].starts + found.points[1].starts + found.points[2].starts + found.failed + found.ended, 9);
}

TEST(FixedPoints, AreSaddlesWhereOneDirectionLeavesAndMarginalOnALine) {
    const auto saddle = leaky({3, 0, 0, 0}, "identity");
    EXPECT_EQ(localDynamics(mapOf(*saddle, {0, 0}), Point::Zero(2)).stability, "saddle");
    const auto line = leaky({1, 0, 0, 0}, "identity"); // the first unit stays where it is
    const auto map = mapOf(*line, {0, 0});
    StepMap::Matrix starts(2, 2);
    starts << 1, -2, 0.5, 0.5;
    const auto found = search(map, starts);
    ASSERT_EQ(found.points.size(), 2u) << "each start has its own point on the line";
    EXPECT_NEAR(found.points[0].state[0], 1, 1e-9);
    EXPECT_NEAR(found.points[1].state[0], -2, 1e-9);
    EXPECT_EQ(found.points[0].dynamics.stability, "marginal");
}

// x + u = 0 has no solution for a unit with W = 1 and input 0.1: its speed is 0.05 everywhere.
TEST(FixedPoints, MayBeMissing) {
    const auto session = leaky({1}, "identity");
    const auto map = mapOf(*session, {0.1});
    EXPECT_TRUE(search(map, StepMap::Matrix::Zero(1, 1)).points.empty());
    EXPECT_EQ(search(map, StepMap::Matrix::Zero(1, 1)).ended, 1);
    FixedPointSearch slow;
    slow.slow = 0.051;
    const auto found = search(map, StepMap::Matrix::Zero(1, 1), slow);
    ASSERT_EQ(found.points.size(), 1u);
    EXPECT_FALSE(found.points[0].fixed);
    EXPECT_NEAR(found.points[0].speed, 0.05, 1e-15);
}

TEST(FixedPoints, AreTheSameBitsForAnyNumberOfThreadsAndAnyOrder) {
    std::vector<double> W;
    for (int i = 0; i < 400; ++i) W.push_back(0.7 * std::sin(1.7 * i * i + i));
    const auto session = leaky(W, "tanh");
    const auto map = mapOf(*session, std::vector<double>(20, 0.1));
    const StepMap::Matrix starts =
        startingStates({{1, 20}, std::vector<double>(20, 0.5)}, 0, 0, 1).replicate(1, 12).eval() +
        StepMap::Matrix::NullaryExpr(20, 12, [](auto i, auto j) { return std::sin(double(3 * i + 7 * j)); });
    std::vector<FixedPoints> all;
    for (const auto& executor : {makeThreadExecutor(1), makeThreadExecutor(3)})
        all.push_back(findFixedPoints(map, starts, {}, *executor));
    for (std::uint64_t seed : {1, 2}) all.push_back(findFixedPoints(map, starts, {}, *makeShuffledExecutor(seed)));
    ASSERT_FALSE(all[0].points.empty());
    for (const auto& other : all) {
        ASSERT_EQ(other.points.size(), all[0].points.size());
        for (std::size_t i = 0; i < other.points.size(); ++i) {
            EXPECT_EQ(other.points[i].state, all[0].points[i].state);
            EXPECT_EQ(other.points[i].dynamics.eigenvalues, all[0].points[i].dynamics.eigenvalues);
        }
    }
    for (const auto& point : all[0].points) {
        EXPECT_LT(map.change(point.state).norm(), 1e-9);
        EXPECT_LT(point.dynamics.disagreement, 1e-7);
    }
}

TEST(StartingStates, AreDrawnEachOnceAndMayBeNoisy) {
    const Tensor visited{{2, 3, 1}, {0, 1, 2, 3, 4, 5}};
    EXPECT_EQ(startingStates(visited, 0, 0, 1), (StepMap::Matrix(1, 6) << 0, 1, 2, 3, 4, 5).finished());
    const auto drawn = startingStates(visited, 6, 0, 4);
    std::vector<double> values(drawn.data(), drawn.data() + 6);
    EXPECT_NE(values, visited.values);
    std::sort(values.begin(), values.end());
    EXPECT_EQ(values, visited.values);
    EXPECT_EQ(startingStates(visited, 20, 0.5, 4), startingStates(visited, 20, 0.5, 4));
    EXPECT_NE(startingStates(visited, 20, 0.5, 4), startingStates(visited, 20, 0.5, 5));
}

TEST(FlowField, OfALinearNetworkIsItsMatrix) {
    const auto session = leaky(spiral, "identity");
    const auto map = mapOf(*session, {1, 0});
    const auto executor = makeThreadExecutor(2);
    const auto field = flowField(map, planeOf(Point::Zero(2), 0, 1), {-1, 1, -2, 2, 11, 9}, *executor);
    ASSERT_EQ(field.x.size(), 99u);
    EXPECT_EQ(field.x[10], 1);
    EXPECT_EQ(field.y[98], 2);
    for (std::size_t i = 0; i < field.x.size(); ++i) {
        const double x = field.x[i], y = field.y[i];
        EXPECT_NEAR(field.dx[i], 0.5 * (-0.5 * x - y + 1), 1e-14);
        EXPECT_NEAR(field.dy[i], 0.5 * (x - 0.5 * y), 1e-14);
        EXPECT_NEAR(field.speed[i], std::hypot(field.dx[i], field.dy[i]), 1e-14);
    }
}

TEST(FlowField, SaysHowMuchLeavesThePlane) {
    const auto session = leaky({0, 0, 0, 0, 0, 0, 0, 0, 0}, "identity"); // x is halved in each step
    const auto map = mapOf(*session, {0, 0, 0});
    const auto executor = makeThreadExecutor(1);
    const Point through = (Point(3) << 9, 9, 4).finished();
    const auto field = flowField(map, planeOf(through, 0, 1), {-1, 1, -1, 1, 3, 3}, *executor);
    EXPECT_NEAR(field.dx[4], 0, 1e-15) << "in the middle";
    EXPECT_NEAR(field.speed[4], 2, 1e-15) << "it falls along the third state";
    EXPECT_NEAR(field.dx[0], 0.5, 1e-15);
}

TEST(FlowField, ArrowsPointAlongTheFlowAndStayInTheirCells) {
    FlowField field{{0, 2, 0, 2, 3, 3}, {1, 1}, {1, 2}, {4, 0}, {0, -1}, {4, 1}};
    const auto arrows = arrowsOf(field, 0.8);
    ASSERT_EQ(arrows.x.size(), 12u) << "a shaft, a head and a gap for each";
    EXPECT_EQ(arrows.x[0], 1);
    EXPECT_NEAR(arrows.x[1], 1.8, 1e-15) << "the longest";
    EXPECT_EQ(arrows.y[1], 1);
    EXPECT_TRUE(std::isnan(arrows.y[5]));
    EXPECT_NEAR(arrows.y[7], 2 - 0.4, 1e-15) << "a quarter of the speed, half the length";
}

/// NM-RNN in small: a modulator sets the gains of a low-rank core through a gate.
std::unique_ptr<Session> modulated(Json more = Json::object()) {
    return networkOf(
        {{"task", {{"mechanism", "task.probe"}, {"params", {{"inputs", 2}}}}},
         {"modulator", {{"mechanism", "model.rnn"}, {"params", {{"units", 3}, {"tau", 20}}}}},
         {"gate",
          {{"mechanism", "model.dense"},
           {"params", {{"units", 2}, {"activation", "sigmoid"}, {"weight_init", "normal"}, {"weight_deviation", 1}}}}},
         {"core", {{"mechanism", "model.low_rank_rnn"}, {"params", {{"units", 8}, {"rank", 2}, {"tau", 5}}}}},
         {"readout", {{"mechanism", "model.dense"}, {"params", {{"units", 1}}}}},
         {"learner", {{"mechanism", "rule.supervised"}, {"params", {{"credit", "local"}}}}}},
        Json::array({"task.observation -> modulator.input", "modulator.hidden -> gate.input",
                     "gate.output -> core.gain", "task.observation -> core.input", "core.hidden -> readout.input",
                     "readout.output -> learner.prediction", "task.target -> learner.target",
                     "task.mask -> learner.mask"}),
        std::move(more));
}
const NamedTensor still{"task.observation", {{2}, {0.3, -0.2}}};

TEST(StepMap, OfSeveralNodesHasTheDerivativeOfAllWhateverTheCredit) {
    const auto session = modulated();
    const StepMap map(*session, registry(), {{"modulator", "core.hidden"}, {still}, {}});
    ASSERT_EQ(map.size(), 11);
    EXPECT_EQ(map.parts()[0].name, "modulator.hidden");
    EXPECT_EQ(map.parts()[1].first, 3);
    const Point at = Point::LinSpaced(11, -1, 1);
    const auto local = localDynamics(map, at);
    EXPECT_LT(local.disagreement, 1e-8);
    EXPECT_GT(local.jacobian.bottomLeftCorner(8, 3).cwiseAbs().maxCoeff(), 1e-4) << "the modulator moves the core";
    EXPECT_EQ(local.jacobian.topRightCorner(3, 8).cwiseAbs().maxCoeff(), 0) << "and nothing leads back";
    EXPECT_EQ(map.after(at), map.after(at.replicate(1, 70)).col(69)) << "the same bits alone and among others";
}

TEST(StepMap, DoesWhatTheNetworkDoes) {
    const auto session = modulated({{"precision", "float64"}});
    const StepMap map(*session, registry(), {{"core"}, {still, {"gate.output", {{2}, {0.5, 0.9}}}}, {}});
    Point x = Point::LinSpaced(8, -1, 1);
    Tensor input{{4, 1, 2}, {0.3, -0.2, 0.3, -0.2, 0.3, -0.2, 0.3, -0.2}};
    Tensor gain{{4, 1, 2}, {0.5, 0.9, 0.5, 0.9, 0.5, 0.9, 0.5, 0.9}};
    const auto swept = session->forward({{{"task.observation", input}, {"gate.output", gain}},
                                         {{"core.hidden", {{1, 8}, {x.data(), x.data() + 8}}}},
                                         {}});
    for (int step = 0; step < 4; ++step) x = map.after(x);
    for (const auto& [name, tensor] : swept.finalStates)
        if (name == "core.hidden") {
            for (int i = 0; i < 8; ++i) EXPECT_NEAR(x[i], tensor.values[static_cast<std::size_t>(i)], 1e-14);
        }
}

std::string failure(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

TEST(StepMap, WantsToKnowOfAllThatMovesTheChosenStates) {
    const auto session = modulated();
    const auto says = [&](const StepMapRequest& request, const std::string& words) {
        EXPECT_THAT(failure([&] { StepMap(*session, registry(), request); }), HasSubstr(words));
    };
    says({{"core"}, {still}, {}},
         "modulator.hidden moves core.hidden; let it move, too (states), hold it (held), or hold a "
         "signal between the two (inputs)");
    says({{"core"}, {still}, {{"modulator.hidden", {{3}, {1, 2, 3}}}}}, "no error");
    says({{"core"}, {still}, {{"modulator.hidden", {{2}, {1, 2}}}}},
         "held.modulator.hidden: expected 3 numbers, got 2");
    says({{"modulator"}, {still}, {}}, "no error");
    says({{"cor"}, {still}, {}}, "nothing has the state \"cor\"");
    says({{}, {still}, {}}, "there are modulator.hidden, core.hidden");
    says({{"core", "core.hidden"}, {still}, {}}, "core.hidden is named twice");
    says({{"core"}, {}, {}}, "no signal is held");
    says({{"core"}, {{"gate.output", {{2}, {1, 1}}}}, {}}, "task.observation must be given");
    says({{"core"}, {still, {"gate.output", {{3}, {1, 1, 1}}}}, {}}, "gate.output");
}

// A readout of the network that is fed back is a value of the step before, and no state.
TEST(StepMap, RefusesWhatDoesNotFollowFromTheStates) {
    const Json nodes{{"task", {{"mechanism", "task.probe"}, {"params", {{"inputs", 2}}}}},
                     {"net", {{"mechanism", "model.rnn"}, {"params", {{"units", 3}}}}},
                     {"gate", {{"mechanism", "model.dense"}, {"params", {{"units", 3}, {"activation", "sigmoid"}}}}}};
    const auto fedBack = networkOf(
        nodes, Json::array({"task.observation -> net.input", "net.hidden -> gate.input", "gate.output -> net.gain"}));
    EXPECT_THAT(
        failure([&] {
            mapOf(*fedBack, {0.3, -0.2});
        }),
        HasSubstr("the next net.hidden does not follow from the states alone: gate.output is delivered a step late"));

    const auto noisy = leaky(spiral, "identity");
    noisy->setInterventions({parseIntervention("net.hidden=noise:0.1")});
    EXPECT_THAT(failure([&] { mapOf(*noisy, {0, 0}); }), HasSubstr("draws random numbers in each step"));
}

TEST(StepMap, HasTheInterventionsOfTheSession) {
    const auto session = leaky(spiral, "identity");
    session->setInterventions({parseIntervention("net.recurrent_weight[1]=lesion")}); // what unit 1 sends to unit 0
    const auto local = localDynamics(mapOf(*session, {0, 0}), Point::Zero(2));
    EXPECT_EQ(local.jacobian(0, 1), 0);
    EXPECT_NEAR(local.jacobian(1, 0), 0.5, 1e-15);
    session->setInterventions({parseIntervention("net.hidden=lesion@0:1")});
    EXPECT_THAT(failure([&] {
                    mapOf(*session, {0, 0});
                }),
                HasSubstr("interventions: net.hidden acts in some steps only"));
}

TEST(StepMap, KeepsTheWeightsThatTheSessionHad) {
    const auto session = leaky(spiral, "identity");
    const auto map = mapOf(*session, {0, 0});
    session->set("net.recurrent_weight", {{2, 2}, {0, 0, 0, 0}});
    EXPECT_NEAR(map.jacobian(Point::Zero(2))(0, 0), 0.75, 1e-15);
}

TEST(StepMap, HoldsWhatReachedANodeAtAMoment) {
    const auto session = modulated({{"precision", "float64"}});
    std::vector<NamedTensor> signals{{"task.observation", {{2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}}},
                                     {"gate.output", {{2, 2, 2}, {.1, .2, .3, .4, .5, .6, .7, .8}}}};
    const auto request = heldAt(*session, {"core.hidden"}, signals, 1, 0);
    ASSERT_EQ(request.inputs.size(), 2u);
    for (const auto& item : request.inputs)
        EXPECT_EQ(item.tensor.values,
                  item.name == "gate.output" ? (std::vector<double>{.5, .6}) : (std::vector<double>{5, 6}));
    EXPECT_EQ(StepMap(*session, registry(), request).size(), 8);
    EXPECT_THAT(failure([&] { heldAt(*session, {"core"}, signals, 2, 0); }),
                HasSubstr("there is no step 3 of trial 1"));
    signals.pop_back();
    EXPECT_EQ(heldAt(*session, {"modulator"}, signals, 1, 1).inputs.size(), 1u);
    EXPECT_THAT(failure([&] { heldAt(*session, {"core"}, signals, 1, 0); }),
                HasSubstr("gate.output is not among the recorded signals; record it as well"));
}

// A network whose state comes back to its modulator a step late: the state is held, not the wire.
TEST(StepMap, HoldsTheStateThatALateWireShows) {
    const auto session = networkOf({{"task", {{"mechanism", "task.probe"}, {"params", {{"inputs", 2}}}}},
                                    {"modulator", {{"mechanism", "model.rnn"}, {"params", {{"units", 3}}}}},
                                    {"core", {{"mechanism", "model.rnn"}, {"params", {{"units", 3}}}}}},
                                   Json::array({"task.observation -> modulator.input", "modulator.hidden -> core.gain",
                                                "task.observation -> core.input", "core.hidden -> modulator.feedback"}),
                                   {{"precision", "float64"}});
    const std::vector<NamedTensor> signals{{"task.observation", {{2, 1, 2}, {1, 2, 3, 4}}},
                                           {"core.hidden", {{2, 1, 3}, {.1, .2, .3, .4, .5, .6}}}};
    const auto request = heldAt(*session, {"modulator"}, signals, 1, 0);
    ASSERT_EQ(request.held.size(), 1u);
    EXPECT_EQ(request.held[0].name, "core.hidden");
    EXPECT_EQ(request.held[0].tensor.values, (std::vector<double>{.1, .2, .3})) << "of the step before";
    const StepMap map(*session, registry(), request);
    EXPECT_LT(localDynamics(map, Point::Zero(3)).disagreement, 1e-8);
    const StepMap whole(*session, registry(), {{"modulator", "core"}, {request.inputs[0]}, {}});
    EXPECT_LT(localDynamics(whole, Point::LinSpaced(6, -1, 1)).disagreement, 1e-8) << "late wires of states included";
}

TEST(StepMap, KnowsWhichStateAPortShows) {
    const auto session = modulated({{"precision", "float64"}});
    EXPECT_EQ(stateShownBy(*session, "core.hidden", {still}), "core.hidden");
    EXPECT_EQ(stateShownBy(*session, "gate.output", {still}), "");
}

} // namespace
} // namespace raphe::test
