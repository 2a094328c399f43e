// SPDX-License-Identifier: Apache-2.0
#include "lua_fixture.h"

namespace raphe::test {
namespace {

using LuaApi = LuaTest;

TEST_F(LuaApi, IsTheModuleThatRequireReturns) {
    expectHolds("local r = require 'raphe' assert(r == raphe and r.version:match('^%d+%.%d+%.%d+$'))");
}
TEST_F(LuaApi, ListsAndDescribesMechanisms) {
    expectHolds("assert(table.concat(raphe.list('task'), ' ') == 'task.echo task.measure_wait_go' and #raphe.list() == "
                "#raphe.list('tasks') + #raphe.list('models') + #raphe.list('rules'))\n"
                "local d = raphe.describe('model.dense')\n"
                "assert(d.name == 'model.dense' and d.params[1].key == 'units' and d.params[1].default == 1 and "
                "d.params[1].min == 1)\n"
                "assert(d.ports[1].kind == 'input' and d.tensors[1].name == 'weight' and d.summary ~= '' and "
                "d.params[2].choices[1])");
    expectFails("raphe.list('modle')", "expected task, model or rule, got \"modle\"");
    expectFails("raphe.describe('model.dens')", "did you mean \"model.dense\"?");
}
TEST_F(LuaApi, LoadsExperimentsByNameAndByFile) {
    expectHolds("local e = raphe.load('mwg_small_nm_rnn') raphe.json.write('mine.json', e:json())\n"
                "local f = raphe.load('mine.json') assert(raphe.json.encode(e:json()) == raphe.json.encode(f:json()))\n"
                "assert(#raphe.experiments() > 5)");
    expectFails("raphe.load('mwg_smal_nm_rnn')", "did you mean \"mwg_small_nm_rnn\"?");
    expectFails("raphe.load(3)", "expected an experiment, or the name or file of one, got 3");
}
TEST_F(LuaApi, SetsAndGetsParameters) {
    expectHolds("local e = small() e:set('readout.activation', 'tanh'):set('trials', 5) "
                "assert(e:get('readout.activation') == 'tanh' and e:get('trials') == 5)\n"
                "local f = e:copy() f:set('trials', 6) assert(e:get('trials') == 5)\n"
                "local c = e:check() assert(c.nodes == 3 and c.wires == 3 and c.steps == 4 and c.numbers == 6 and "
                "c.closed_loop == false and c.memory > 1000 and c.checkpoint > 0 and c.signals_per_1000 == 0)\n"
                "assert(c.memory_parts.weights > 0 and e:check{threads = 1}.memory <= e:check{threads = 8}.memory)");
    expectFails("small():set('steps', 5):check()", "steps: the task says how many steps a trial has");
    expectFails("small():set('readout.unitz', 3)", "did you mean \"units\"?");
    expectFails("small():set('readout.units', 'many')", "expected integer from 1 to 1000000, got \"many\"");
    expectFails("small():set('readuot.units', 3)", "did you mean \"readout\"?");
    expectFails("small():get('readout.unitz')", "did you mean \"units\"?");
    expectFails("small():set('readout.units', function() end)", "got a function");
    expectFails("small():chekc()", "there is no \"chekc\"; did you mean \"check\"?");
}
TEST_F(LuaApi, SetsAndGetsStages) {
    expectHolds(
        "local e = small():set('stages', { { name = 'a', iterations = 3, set = {}, frozen = {} }, { name = 'b', "
        "iterations = 4, schedules = { learning_rate = { kind = 'linear', to = 0 } } } })\n"
        "assert(e:get('iterations') == 7 and #e:get('stages') == 2 and e:get('stages[1].name') == 'b')\n"
        "e:set('stages[0].iterations', 5):set('stages[0].frozen', { 'readout.*' })\n"
        "assert(e:get('iterations') == 9 and e:get('stages[0].frozen')[1] == 'readout.*')\n"
        "e:set('stages[0].frozen', {}):set('stages[1].schedules', {}) assert(#e:get('stages[0].frozen') == 0)\n"
        "e:set('stages', e:get('stages')) e:set('stages[0].keep_best', { metric = 'loss', goal = 'min' })\n"
        "assert(e:get('stages[0].keep_best.every') == 100)\n"
        "e:set('stages[0].keep_best', nil) assert(e:get('stages')[1].keep_best == nil)\n"
        "local f = raphe.experiment(e:json()) assert(raphe.json.encode(e:json()) == raphe.json.encode(f:json()))\n"
        "e:set('stages', {}) assert(#e:get('stages') == 0 and e:json().stages == nil)");
    expectFails("small():set('stages', { { name = 'a', iterations = 0 } })",
                "stages[0].iterations: expected integer from 1 to 1000000000, got 0");
    expectFails("small():set('stages[0].iterations', 1)", "stages[0].iterations: there is no number 0");
    expectFails("small():set('stages', { { name = 'a', iterations = 2 } }):get('stages[0].iteratons')",
                "did you mean \"iterations\"?");
    expectFails("small():set('stages', { { name = 'a', iterations = 2, set = { rate = 1 } } })",
                "stages[0].set.rate: rule.supervised has no parameter \"rate\"");
}
TEST_F(LuaApi, ReportsEveryProblemOfAnExperiment) {
    expectFails("raphe.experiment{ nodes = { a = { mechanism = 'model.dense', params = { unitz = 2 } } }, wirse = {} }",
                "did you mean \"wires\"?");
    expectFails("raphe.experiment{ nodes = { a = { mechanism = 'model.dense', params = { unitz = 2 } } } }",
                "nodes.a.params.unitz: model.dense has no parameter \"unitz\"; did you mean \"units\"?");
    expectFails("raphe.experiment(3)", "expected a table {nodes = ..., wires = ...}, got 3");
    expectFails("local e = raphe.experiment{ nodes = { a = { mechanism = 'model.dense' } }, wires = {} } e:session()",
                "");
    expectHolds("raphe.experiment{ nodes = { a = { mechanism = 'model.dense', params = {} } }, wires = {}, record = "
                "{}, frozen = {}, interventions = {}, stages = {} }");
}
TEST_F(LuaApi, TrainsAndReportsEachIteration) {
    expectHolds(
        "local s = small():session{ seed = 1, threads = 1, precision = 'float64' }\n"
        "local seen = {}\nlocal last = s:train{ iterations = 20, on_iteration = function(m) seen[#seen + 1] = "
        "m.iteration assert(m.loss and m.seconds >= 0) end }\n"
        "assert(#seen == 20 and seen[1] == 0 and seen[20] == 19 and last.iteration == 19 and s:iteration() == 20)\n"
        "local again = s:train{ iterations = 5 } assert(s:iteration() == 25 and again.loss < last.loss)\n"
        "s:train{ iterations = 100, on_iteration = function(m) return m.iteration < 29 end } assert(s:iteration() == "
        "30)\n"
        "assert(s:train{ iterations = 1 }.iteration == 30)");
    expectFails("small():session{ threads = 1 }:train{ iteratons = 3 }",
                "session:train: there is no argument \"iteratons\"; did you mean \"iterations\"?");
    expectFails("small():session{ threads = 1 }:train{ iterations = 'many' }",
                "session:train.iterations: expected an integer >= 0, got \"many\"");
    expectFails("small():session{ threads = 1 }:train(3)", "expected a table of named arguments");
    expectFails("small():session{ precision = 'float16' }", "float32");
    expectFails("small():session{ threads = 0 }", "expected an integer from 1 to 1024, got 0");
    expectFails("small():session{ executor = 'gpu' }", "expected tbb, threads or shuffled");
}
TEST_F(LuaApi, TrainsThroughStages) {
    const std::string stages =
        "local function staged() return small():set('stages', { { name = 'a', iterations = 3, frozen = { "
        "'readout.weight' } }, { name = 'b', iterations = 4, set = { learning_rate = 0 }, keep_best = { metric = "
        "'loss', goal = 'min', every = 2 } } }):session{ seed = 1, threads = 1, precision = 'float64' } end\n"
        "local function same(a, b) return raphe.json.encode(a:totable()) == raphe.json.encode(b:totable()) end\n";
    expectHolds(stages +
                "local s, seen = staged(), {}\nlocal weight, bias = s:get('readout.weight'), s:get('readout.bias')\n"
                "local last = s:train{ on_iteration = function(m) seen[#seen + 1] = m.stage end }\n"
                "assert(table.concat(seen) == 'aaabbbb' and last.stage == 'b' and s:iteration() == 7)\n"
                "assert(same(s:get('readout.weight'), weight) and not same(s:get('readout.bias'), bias))");
    expectHolds(stages +
                "local s = staged() local bias = s:get('readout.bias') s:freeze('readout.bias') s:train{ "
                "iterations = 3 } assert(same(s:get('readout.bias'), bias))\n"
                "s:unfreeze('*') s:train{ iterations = 4, on_iteration = function(m) return m.iteration < 4 end }\n"
                "assert(s:iteration() == 5) s:train() assert(s:iteration() == 7)");
    expectHolds(stages + "local s = staged() s:train{ iterations = 4 } local here = s:snapshot() s:train() local b = "
                         "s:get('readout.bias') s:restore(here) s:train() assert(same(s:get('readout.bias'), b))");
    expectFails(stages + "staged():train{ iterations = 8 }", "stages: have 7 iterations in all");
    expectFails(stages + "staged():restore(small():session{ threads = 1, precision = 'float64' }:snapshot())",
                "checkpoint: knows nothing of stages");
    expectHolds("assert(small():session{ threads = 1 }:train{ iterations = 1 }.stage == nil)");
}
TEST_F(LuaApi, PassesErrorsOfCallbacksOnUnchanged) {
    EXPECT_EQ(
        failure(
            "\nsmall():session{ threads = 1 }:train{ iterations = 3, on_iteration = function()\n error('mine') end }"),
        "script.lua:3: mine");
    expectHolds("local t = {} local s = small():session{ threads = 1 }\nlocal ok, e = pcall(s.train, s, { iterations = "
                "3, on_iteration = function() error(t) end }) assert(not ok and e == t)\n"
                "assert(s:iteration() == 1) s:train{ iterations = 1 } assert(s:iteration() == 2)");
    expectFails("local s = small():session{ threads = 1 } s:train{ iterations = 3, on_iteration = function() s:train{ "
                "iterations = 1 } end }",
                "is training already");
    expectFails(
        "local s = small():session{ threads = 1 } s:train{ iterations = 3, on_iteration = function() s:close() end }",
        "the session is training");
    expectFails("coroutine.wrap(function() small():session{ threads = 1 }:train{ iterations = 3, on_iteration = "
                "function() coroutine.yield() end } end)()",
                "attempt to yield across");
}
TEST_F(LuaApi, GivesTheSameNumbersForTheSameSeed) {
    expectHolds("local function loss(threads, executor) return small():set('trials', 8):set('chunk', 2):session{ seed "
                "= 4, threads = threads, executor = executor, schedule_seed = 3 }:train{ iterations = 5 }.loss end\n"
                "assert(loss(1) == loss(2) and loss(1) == loss(2, 'shuffled') and loss(1) == loss(2, 'threads'))");
}
TEST_F(LuaApi, EvaluatesAndRecords) {
    expectHolds(
        "local s = small():session{ threads = 1 }\nlocal r = s:evaluate{ trials = 7, record = { 'readout.output' } }\n"
        "local t = r.signals['readout.output'] assert(r.metrics.loss and t.shape[1] == 4 and t.shape[2] == 7 and "
        "t.shape[3] == 2)\n"
        "local c = s:evaluate{ trials = 2, record = 'readout.output', interventions = { { port = 'readout.output', "
        "component = 1, operation = 'clamp', value = 3 } } }\n"
        "local o = c.signals['readout.output'] assert(o:slice(3, 2):min() == 3 and o:slice(3, 2):max() == 3 and "
        "o:slice(3, 1):max() < 3)");
    expectFails("small():session{ threads = 1 }:evaluate{ record = { 'readout.outptu' } }", "did you mean \"output\"?");
    // The same weights under other parameters; the session itself stays as it is.
    expectHolds("local s = small():session{ threads = 1 } local port = 'task.observation'\n"
                "local longer = s:evaluate{ trials = 5, record = port, set = { ['task.steps'] = 9 } }\n"
                "assert(longer.signals[port].shape[1] == 9 and longer.signals[port].shape[2] == 5 and s:steps() == 4)\n"
                "s:set('readout.weight', s:get('readout.weight') * 2)\n"
                "local whole = s:evaluate{ trials = 2 }.metrics.loss\n"
                "assert(s:evaluate{ trials = 2, set = { ['task.steps'] = 4 } }.metrics.loss == whole)\n"
                "s:intervene{ port = 'readout.output', operation = 'clamp', value = 5 }\n"
                "assert(s:evaluate{ record = 'readout.output', set = { ['task.steps'] = 1 } "
                "}.signals['readout.output']:min() == 5)");
    expectFails("small():session{ threads = 1 }:evaluate{ set = { ['task.stepz'] = 3 } }", "steps");
    expectFails("small():session{ threads = 1 }:evaluate{ set = 3 }", "expected a table");
    expectFails("small():session{ threads = 1 }:evaluate{ trials = 100000000, record = { 'readout.output' } }",
                "of the 4096 MiB");
    expectFails("small():session{ threads = 1 }:evaluate{ record = { x = 1 } }", "expected a list of texts");
}
TEST_F(LuaApi, NamesTheStatesOfTrialsThatItPlays) {
    expectHolds("local p = raphe.load('mwg_small_nm_rnn'):session{ threads = 1 }:play{ trials = 2 }\n"
                "assert(p:next() and table.concat(p:states(), ' ') == 'modulator.hidden core.hidden')\n"
                "for _, name in ipairs(p:states()) do assert(p:state(name).shape[1] == 2) end");
}
TEST_F(LuaApi, ReadsAndWritesWeights) {
    expectHolds(
        "local s = small():session{ threads = 1, precision = 'float64' }\nlocal names = {}\n"
        "for _, p in ipairs(s:parameters()) do names[p.name] = p end\n"
        "assert(names['readout.weight'].shape[1] == 2 and names['readout.weight'].shape[2] == 2 and "
        "names['readout.bias'].shape[2] == 1 and names['readout.bias'].trainable)\n"
        "s:set('readout.weight', raphe.tensor{ {1, 2}, {3, 4} }) assert(s:get('readout.weight'):get(2, 1) == 3)\n"
        "s:set('readout.bias', {5, 6}) assert(s:get('readout.bias'):get(2, 1) == 6)\n"
        "assert(s:freeze('readout.*') == 2) s:train{ iterations = 3 } assert(s:get('readout.weight') == raphe.tensor{ "
        "{1, 2}, {3, 4} })\n"
        "assert(s:unfreeze('*') == 2) s:train{ iterations = 1 } assert(s:get('readout.weight') ~= raphe.tensor{ {1, "
        "2}, {3, 4} })");
    expectFails("small():session{ threads = 1 }:get('readout.wieght')", "did you mean \"readout.weight\"?");
    expectFails("small():session{ threads = 1 }:set('readout.weight', raphe.zeros{3, 3})",
                "expected shape (2, 2), got (3, 3)");
    expectFails("small():session{ threads = 1 }:freeze('core.*')", "no tensor matches \"core.*\"");
}
TEST_F(LuaApi, SavesAndLoadsTensorsByName) {
    expectHolds(
        "local s = small():session{ seed = 1, threads = 1 } local u = small():session{ seed = 2, threads = 1 }\n"
        "s:save('a.npz') assert(s:get('readout.weight') ~= u:get('readout.weight')) u:load('a.npz') "
        "assert(s:get('readout.weight') == u:get('readout.weight'))\n"
        "raphe.npz.write('part.npz', { ['readout.bias'] = raphe.tensor{ {7}, {8} } }) u:load('part.npz', { partial = "
        "true }) assert(u:get('readout.bias'):get(2, 1) == 8)");
    expectFails("raphe.npz.write('p.npz', { ['readout.bias'] = {7, 8}, other = {1} }) small():session{ threads = 1 "
                "}:load('p.npz')",
                "p.npz: does not fit this session; it lacks readout.weight; the session has no other");
    expectHolds("raphe.npz.write('bad.npz', { ['readout.bias'] = {7, 8}, ['readout.weight'] = {1, 2, 3} }) local s = "
                "small():session{ threads = 1 } local before = s:get('readout.bias')\n"
                "local ok, m = pcall(s.load, s, 'bad.npz') assert(not ok and m:find('expected shape %(2, 2%)') and "
                "s:get('readout.bias') == before)");
}
TEST_F(LuaApi, ComputesInOpenLoopAndDifferentiates) {
    expectHolds(
        "local s = small():session{ threads = 1, precision = 'float64' }\n"
        "s:set('readout.weight', { {1, 2}, {3, 4} }) s:set('readout.bias', { {0}, {1} })\n"
        "local x = raphe.tensor{ { {1, 1} }, { {0, 2} } }\n"
        "local out = s:forward{ inputs = { ['task.observation'] = x }, record = { 'readout.output' } }\n"
        "local y = out.signals['readout.output'] assert(y:get(1, 1, 1) == 3 and y:get(1, 1, 2) == 8 and y:get(2, 1, 2) "
        "== 9 and type(out.states) == 'table')\n"
        "local w = raphe.tensor{ { {1, 0} }, { {10, 0} } }\n"
        "local g = s:gradient{ inputs = { ['task.observation'] = x }, output = 'readout.output', weights = w }\n"
        "assert(g['readout.weight'] == raphe.tensor{ {1, 21}, {0, 0} } and g['readout.bias'] == raphe.tensor{ {11}, "
        "{0} })\n"
        "assert(g.inputs['task.observation'] == raphe.tensor{ { {1, 2} }, { {10, 20} } })\n"
        "local h = s:gradient{ inputs = { ['task.observation'] = x }, outputs = { ['readout.output'] = w } } "
        "assert(h['readout.bias'] == g['readout.bias'])");
    expectFails("small():session{ threads = 1 }:gradient{ inputs = { ['task.observation'] = { { {1, 1} } } }, output = "
                "'readout.output' }",
                "belong together");
    expectFails("small():session{ threads = 1 }:gradient{ inputs = { ['task.observation'] = { { {1, 1} } } } }",
                "say of what");
    expectFails("small():session{ threads = 1 }:forward{ inputs = { ['task.observation'] = { {1, 1} } } }",
                "expected shape (steps, trials, units), got (1, 2)");
    expectFails("small():session{ threads = 1 }:forward{}", "no signal is given");
}
TEST_F(LuaApi, TrainsOnGivenSignals) {
    expectHolds(
        "local s = small():session{ threads = 1, precision = 'float64' }\n"
        "local given = { inputs = { ['task.observation'] = { { {1, 0} } }, ['task.target'] = { { {0.5, 0} } } } }\n"
        "local before = s:loss_on(given) s:train_on(given) assert(s:loss_on(given) < before and s:iteration() == 1)");
}
TEST_F(LuaApi, CarriesStatesFromOneCallToTheNext) {
    expectHolds(
        "local d = small():json() d.nodes.core = { mechanism = 'model.rnn', params = { units = 3 } }\n"
        "d.wires[1] = 'task.observation -> core.input' d.wires[#d.wires + 1] = 'core.hidden -> readout.input'\n"
        "local s = raphe.experiment(d):session{ threads = 1, precision = 'float64' }\n"
        "local function forward(x, states) return s:forward{ inputs = { ['task.observation'] = x }, record = { "
        "'core.hidden' }, initial_states = states } end\n"
        "local a, b = { {1, 2} }, { {3, 4} }\nlocal whole, first = forward{ a, b }, forward{ a }\nlocal second = "
        "forward({ b }, { ['core.hidden'] = first.states['core.hidden'] })\n"
        "assert(whole.states['core.hidden'] == second.states['core.hidden'] and whole.signals['core.hidden'][2] == "
        "second.signals['core.hidden'][1])\n"
        "local g = s:gradient{ inputs = { ['task.observation'] = { a } }, initial_states = { ['core.hidden'] = { {0, "
        "0, 0} } }, state_weights = { ['core.hidden'] = { {1, 0, 0} } } }\n"
        "assert(g.initial_states['core.hidden']:size() == 3 and g['core.recurrent_weight'])\n"
        "assert(s:steps() == 4 and s:trials() == 3 and s:threads() == 1 and s:experiment():get('name') == 'small')");
}
TEST_F(LuaApi, Intervenes) {
    expectHolds("local s = small():session{ threads = 1 }\ns:intervene{ port = 'readout.output', component = 0, "
                "operation = 'clamp', value = 0.25, from = 1, to = 3 }\n"
                "local o = s:evaluate{ trials = 1, record = { 'readout.output' } }.signals['readout.output']\n"
                "assert(o:get(2, 1, 1) == 0.25 and o:get(3, 1, 1) == 0.25 and o:get(1, 1, 1) ~= 0.25 and o:get(4, 1, "
                "1) ~= 0.25)\n"
                "assert(#s:interventions() == 1 and s:interventions()[1].operation == 'clamp') s:clear_interventions() "
                "assert(#s:interventions() == 0)");
    expectFails(
        "small():session{ threads = 1 }:intervene{ port = 'readout.output', component = 2, operation = 'clamp' }",
        "component 2 does not exist; there are 2, counted from 0");
    expectFails("small():session{ threads = 1 }:intervene{ prt = 'readout.output' }", "did you mean \"port\"?");
    expectFails("small():session{ threads = 1 }:intervene()", "expected a table");
}
TEST_F(LuaApi, ChecksGradientsAndGoesBackToSnapshots) {
    expectHolds("local s = small():session{ threads = 1, precision = 'float64' }\nlocal c = s:gradcheck() "
                "assert(c.passed and #c.tensors == 2 and c.tensors[1].error <= c.tolerance)\n"
                "local snap = s:snapshot() local a = s:train{ iterations = 3 }.loss s:restore(snap) "
                "assert(s:iteration() == 0 and s:train{ iterations = 3 }.loss == a)\n"
                "assert(tostring(s) == 'session of small after 3 iterations' and tostring(small()) == 'experiment "
                "small (3 nodes)')\n"
                "s:close() assert(not pcall(s.iteration, s))");
    expectFails("small():session{ threads = 1 }:gradcheck()", "float64");
    expectFails("small():session{ threads = 1 }:restore({})", "expected what session:snapshot() returned");
}
TEST_F(LuaApi, StopsAtNumbersThatAreNotFinite) {
    EXPECT_THROW(run("small():set('learner.learning_rate', 1e30):session{ threads = 1 }:train{ iterations = 100 }"),
                 NumericError);
    expectHolds("assert(not pcall(function() small():set('learner.learning_rate', 1e30):session{ threads = 1 }:train{ "
                "iterations = 100 } end))");
    EXPECT_THROW(run("error('x')"), Error);
}
TEST_F(LuaApi, ReadsAndWritesJson) {
    expectHolds("local t = raphe.json.decode('{\"a\": [1, 2.5, null, []], \"b\": {}, \"c\": true}')\n"
                "assert(t.a[1] == 1 and math.type(t.a[1]) == 'integer' and t.a[2] == 2.5 and t.a[3] == raphe.json.null "
                "and t.c == true)\n"
                "assert(raphe.json.encode(t) == '{\"a\":[1,2.5,null,[]],\"b\":{},\"c\":true}')\n"
                "assert(raphe.json.encode{ b = 1, a = { 'x' } } == '{\"a\":[\"x\"],\"b\":1}' and "
                "raphe.json.encode(raphe.json.list{}) == '[]')\n"
                "assert(raphe.json.encode({ 1 }, { indent = 0 }) == '[\\n1\\n]' and raphe.json.encode(raphe.tensor{ "
                "{1, 2} }) == '[[1.0,2.0]]')\n"
                "raphe.json.write('a.json', { x = { 1, 2 } }) assert(raphe.json.read('a.json').x[2] == 2)");
    expectFails("raphe.json.decode('{\"a\": 1, \"a\": 2}')", "raphe.json.decode:1:");
    expectFails("raphe.json.encode{ 1, x = 2 }", "mixes named fields with list items");
    expectFails("raphe.json.encode{ 1, nil, 3 }", "is a list with gaps");
    expectFails("raphe.json.encode(0 / 0)", "expected a finite number");
    expectFails("raphe.json.encode{ a = { b = print } }", "a.b: expected a number");
}
TEST_F(LuaApi, DrawsRandomNumbersThatDependOnTheSeedOnly) {
    expectHolds("local a, b, c = raphe.random(1), raphe.random(1), raphe.random(2)\nassert(a:uniform() == b:uniform() "
                "and a:normal() == b:normal() and a:uniform() ~= c:uniform())\n"
                "local seen = {} for i = 1, 200 do local k = a:integer(3) seen[k] = true assert(k >= 1 and k <= 3) end "
                "assert(seen[1] and seen[2] and seen[3])\n"
                "for i = 1, 100 do local x, k = a:uniform(2, 3), a:integer(-2, 2) assert(x >= 2 and x < 3 and k >= -2 "
                "and k <= 2) end\n"
                "local t = a:shuffle{ 1, 2, 3, 4 } table.sort(t) assert(table.concat(t) == '1234')");
    expectFails("raphe.random(1):integer(0)", "expected a range");
    expectFails("raphe.random()", "expected an integer >= 0, got nothing");
}
TEST_F(LuaApi, PrintsLogsAndReadsTheClock) {
    options_.scriptArguments = {"a", "7"};
    EXPECT_EQ(printed("print(1, 'x', nil) io.write('a', 2) raphe.log('careful') print(#raphe.args, raphe.args[2], "
                      "raphe.clock() > 0)"),
              "1\tx\tnil\na22\t7\ttrue\n");
    EXPECT_EQ(log_, "careful\n");
}
TEST_F(LuaApi, ReturnsTheScriptsExitCode) {
    EXPECT_EQ(run("return 3"), 3);
    EXPECT_EQ(run("return 'x'"), 0);
    EXPECT_EQ(run("return 300"), 0);
}
TEST_F(LuaApi, SaysWhereAMistakeIs) {
    EXPECT_EQ(failure("local x = \n"), "script.lua:2: unexpected symbol near <eof>");
    EXPECT_EQ(failure("\nraphe.lod('x')"),
              "script.lua:2: raphe: there is no \"lod\" in the module; did you mean \"load\"?");
    EXPECT_EQ(failure("\n\nlocal e = small()\npcall(error)\ne:set('readout.units', 0)"),
              "script.lua:5: nodes.readout.params.units: expected integer from 1 to 1000000, got 0");
    EXPECT_EQ(failure("local ok, m = pcall(raphe.load, 3) error(m, 0)"),
              "script.lua:1: raphe.load: expected an experiment, or the name or file of one, got 3");
    EXPECT_THROW(host().runFile(folder_ / "missing.lua"), Error);
}

} // namespace
} // namespace raphe::test
