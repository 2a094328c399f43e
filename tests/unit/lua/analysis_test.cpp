// SPDX-License-Identifier: Apache-2.0
#include "lua_fixture.h"

namespace raphe::test {
namespace {

using LuaAnalysis = LuaTest;

TEST_F(LuaAnalysis, FindsPrincipalComponents) {
    // (3, 4) a, about (1, 1): one direction
    expectHolds(
        "local p = raphe.analysis.pca({ { 4, 5 }, { -2, -3 }, { 1, 1 } })\n"
        "assert(math.abs(p.axes:get(1, 1) - 0.6) < 1e-12 and math.abs(p.axes:get(1, 2) - 0.8) < 1e-12)\n"
        "assert(math.abs(p.variance[1] - 25) < 1e-12 and p.variance[2] == 0 and math.abs(p.share[1] - 1) < 1e-12)\n"
        "assert(math.abs(p.scores:get(1, 1) - 5) < 1e-12 and p.scores.shape[2] == 2 and p.mean[2] == 1)\n"
        "local q = raphe.analysis.project(p, { { { 1, 1 }, { 4, 5 } } })\n"
        "assert(#q.shape == 3 and math.abs(q:get(1, 2, 1) - 5) < 1e-12)\n"
        "local x = raphe.analysis.lift(p, { { 10 } })\n"
        "assert(math.abs(x:get(1, 1) - 7) < 1e-12 and math.abs(x:get(1, 2) - 9) < 1e-12)");
    expectFails("raphe.analysis.pca({ { 1, 2 } })", "pca: expected at least two samples, got 1");
    expectFails("raphe.analysis.pca({ { 1, 2 }, { 2, 1 } }, { component = 1 })", "did you mean \"components\"?");
    expectFails("raphe.analysis.project(3, { { 1 } })", "expected what raphe.analysis.pca() returned, got 3");
}

TEST_F(LuaAnalysis, DecodesNumbersAndClasses) {
    expectHolds(
        "local x, y, c = raphe.zeros{ 40, 2 }, {}, {}\n"
        "local random = raphe.random(3)\n"
        "for i = 1, 40 do x:set(i, 1, random:normal(0, 1)):set(i, 2, random:normal(0, 1))\n"
        " y[i] = 3 + 2 * x:get(i, 1) - x:get(i, 2) c[i] = i % 2 == 0 and 'a' or 'b'\n"
        " if c[i] == 'a' then x:set(i, 1, x:get(i, 1) + 100) y[i] = y[i] + 200 end end\n"
        "local d = raphe.analysis.decode(x, y, { ridge = 1e-9 })\n"
        "assert(d.r2 > 1 - 1e-9 and d.score == d.r2 and #d.fold_scores == 5 and #d.predicted.shape == 1)\n"
        "local e = raphe.analysis.decode(x, c, { folds = 4 })\n"
        "assert(e.accuracy == 1 and e.chance == 0.5 and e.labels[2] == 'a' and e.labels[3] == 'b')\n"
        "local f = raphe.analysis.ridge(x, y, { ridge = 0 })\n"
        "assert(math.abs(f.offset - 3) < 1e-9 and math.abs(f.weights[2] + 1) < 1e-9)\n"
        "assert(math.abs(raphe.analysis.r2(y, raphe.analysis.predict(f, x)) - 1) < 1e-12)\n"
        "local both = raphe.analysis.ridge({ { 0 }, { 1 } }, { { 1, 2 }, { 3, 1 } }, { ridge = 0 })\n"
        "assert(both.offset[2] == 2 and math.abs(raphe.analysis.predict(both, { { 2 } }):get(1, 1) - 5) < 1e-12)\n"
        "local z = raphe.tensor{ x:totable(), x:totable() }\n"
        "local steps = raphe.analysis.decode(z, y, { ridge = 1e-9, threads = 1 })\n"
        "assert(#steps.score == 2 and steps.score[2] == d.r2 and steps.steps[1].r2 == d.r2)");
    expectFails("raphe.analysis.decode({ { 1 }, { 2 }, { 3 } }, { 1, 2, 3 }, { order = 'random' })",
                "raphe.analysis.decode.order: expected shuffled, blocks or interleaved, got \"random\"");
    expectFails("raphe.analysis.decode({ { 1 }, { 2 } }, { 1, 2 })", "expected 2 to 2 folds");
    expectFails("raphe.analysis.decode({ { 1 }, { 2 } }, { 'a', 2 })", "entry 2 is 2");
}

TEST_F(LuaAnalysis, FitsPsychometricCurves) {
    expectHolds(
        "local c = raphe.analysis.psychometric{ level = { -1, 3 }, yes = { 10, 30 }, trials = { 40, 40 }, guess = 0, "
        "lapse = 0, resamples = 100, seed = 4 }\n"
        "assert(math.abs(c.threshold - 1) < 1e-8 and math.abs(c.slope - math.log(3) / 2) < 1e-8)\n"
        "assert(c.interval.threshold.low < 1 and c.interval.threshold.high > 1 and c.lapse == 0)\n"
        "assert(c.share[1] == 0.25 and #c.curve.x == 101 and math.abs(c.curve.y[101] - 0.75) < 1e-8)\n"
        "local level, choice = {}, {}\n"
        "for i = 1, 80 do level[i] = i <= 40 and -1 or 3 choice[i] = i <= 10 or (i > 40 and i <= 70) end\n"
        "local d = raphe.analysis.psychometric{ level = level, choice = choice, guess = 0, lapse = 0, resamples = 0 }\n"
        "assert(d.threshold == c.threshold and d.interval == nil)");
    expectFails("raphe.analysis.psychometric{ level = { 0, 1 }, yes = { 0, 5 }, trials = { 5, 5 } }",
                "switch at once between the levels 0 and 1");
    expectFails("raphe.analysis.psychometric{ level = { 0, 1 }, yes = { 0.5, 5 }, trials = { 5, 5 } }",
                "psychometric.yes: expected whole numbers from 0 on, got 0.5");
}

/// An rnn of two units, x + 1/2 (-x + W x + u): it rests at (0.4, 0.8) for u = (1, 0), with eigenvalues 0.75 +- 0.5 i.
constexpr const char* spiral =
    "function spiral() local e = raphe.experiment{ trials = 2, nodes = { task = { mechanism = 'task.echo' },"
    " net = { mechanism = 'model.rnn', params = { units = 2, tau = 2, activation = 'identity' } } },"
    " wires = { 'task.observation -> net.input' } }\n"
    "local s = e:session{ threads = 1 }\n"
    "s:set('net.recurrent_weight', { { 0.5, -1 }, { 1, 0.5 } }) s:set('net.input_weight', { { 1, 0 }, { 0, 1 } }) "
    "return s end\n"
    "local s, near = spiral(), function(a, b) return math.abs(a - b) < 1e-9 end\n"
    "local held = { ['task.observation'] = { 1, 0 } }\n";

TEST_F(LuaAnalysis, FindsFixedPointsOfANetwork) {
    expectHolds(std::string(spiral) +
                "local f = raphe.analysis.fixed_points(s, { states = 'net', inputs = held, starts = { { 3, 3 }, { -1, "
                "0 } } })\n"
                "assert(#f.points == 1 and f.starts == 2 and f.ended == 0 and f.failed == 0)\n"
                "local p = f.points[1]\n"
                "assert(near(p.state[1], 0.4) and near(p.state[2], 0.8) and p.stability == 'stable' and p.oscillates)\n"
                "assert(near(p.eigenvalues:get(1, 1), 0.75) and near(p.eigenvalues:get(2, 2), -0.5) and p.starts == 2 "
                "and p.fixed)\n"
                "assert(f.layout[1].name == 'net.hidden' and f.layout[1].first == 1 and f.layout[1].size == 2)\n"
                "local j = raphe.analysis.jacobian(s, { states = { 'net.hidden' }, inputs = held, at = { 0, 0 } })\n"
                "assert(near(j.matrix:get(1, 2), -0.5) and near(j.matrix:get(2, 1), 0.5) and near(j.change[1], 0.5))\n"
                "assert(j.disagreement < 1e-8 and j.unstable == 0)\n"
                "local again = raphe.analysis.fixed_points(s, { states = 'net', inputs = held, starts = { { 3, 3 }, { "
                "-1, 0 } }, "
                "threads = 3 })\n"
                "assert(again.points[1].state[1] == p.state[1])");
}
TEST_F(LuaAnalysis, DrawsTheFlowOfANetworkAtAMoment) {
    expectHolds(
        std::string(spiral) +
        "local r = s:evaluate{ record = { 'task.observation', 'net.hidden' } }\n"
        "local u = r.signals['task.observation'][2][1]\n"
        "local moment = { signals = r.signals, step = 2, trial = 1 }\n"
        "local f = raphe.analysis.flow_field(s, { states = { 'net' }, moment = moment, plane = { through = { 0, 0 } }, "
        "x = { -1, 1 }, y = { -1, 1 }, columns = 3, rows = 5 })\n"
        "assert(f.dx.shape[1] == 5 and f.dx.shape[2] == 3 and f.x:get(1, 3) == 1)\n"
        "assert(math.abs(f.dx:get(3, 2) - u[1] / 2) < 1e-6 and math.abs(f.dy:get(3, 2) - u[2] / 2) < 1e-6)\n"
        "assert(#f.arrows.x == #f.arrows.y and #f.arrows.x == 6 * 15)\n"
        "local x = raphe.analysis.pca(r.signals['net.hidden'])\n"
        "local g = raphe.analysis.flow_field(s, { states = { 'net' }, inputs = held, plane = { pca = x, components = { "
        "2, 1 } }, "
        "x = { -1, 1 }, y = { -1, 1 } })\n"
        "assert(g.speed.shape[1] == 20)");
}
TEST_F(LuaAnalysis, SaysWhatIsWrongAndWhatToDo) {
    const auto fails = [&](const std::string& call, const std::string& words) {
        const auto message = failure(std::string(spiral) + call);
        EXPECT_NE(message.find(words), std::string::npos) << call << "\n  gave: " << message;
    };
    fails("raphe.analysis.fixed_points(s, { states = 'net', inputs = held })",
          "raphe.analysis.fixed_points.starts: give states to start from");
    fails("raphe.analysis.fixed_points(s, { states = 'nte', inputs = held, starts = { { 1, 1 } } })",
          "did you mean \"net\"?");
    fails("raphe.analysis.fixed_points(s, { states = 'net', inputs = held, starts = { { 1, 1, 1 } } })",
          "expected 2 numbers for each starting state, got 3");
    fails("raphe.analysis.jacobian(s, { states = 'net', inputs = held })",
          "raphe.analysis.jacobian.at: give a state: 2 numbers");
    fails("raphe.analysis.jacobian(s, { states = 'net', at = { 0, 0 } })", "inputs: no signal is held");
    fails("raphe.analysis.flow_field(s, { states = 'net', inputs = held, x = { 0, 1 }, y = { 0, 1 }, plane = {} })",
          "say which: {pca = what pca() returned}");
    fails("raphe.analysis.flow_field(s, { states = 'net', inputs = held, plane = { through = { 0, 0 } }, x = { 1, 0 }, "
          "y = { 0, 1 } })",
          "expected two ranges from a lower to a higher number");
    fails("raphe.analysis.jacobian(s, { states = 'net', moment = { signals = {}, step = 1 }, at = { 0, 0 } })",
          "task.observation is not among the recorded signals; record it as well");
    fails("s:close() raphe.analysis.jacobian(s, {})", "session: it has been closed");
}

} // namespace
} // namespace raphe::test
