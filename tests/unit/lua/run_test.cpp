// SPDX-License-Identifier: Apache-2.0
#include "lua_fixture.h"

namespace raphe::test {
namespace {

using LuaRuns = LuaTest;

TEST_F(LuaRuns, TrainsIntoAFolderAndReadsItAgain) {
    expectHolds("local seen = 0\nlocal o = raphe.run(small(), { out = 'r', iterations = 10, seed = 3, threads = 1, "
                "on_iteration = function(m) seen = seen + 1 end })\n"
                "assert(seen == 10 and o.iterations == 10 and o.completed and #o.run_hash == 32 and o.metrics.loss and "
                "o.seconds >= 0)\n"
                "local r = raphe.open_run('r')\nassert(#r.metrics.iteration == 10 and r.metrics.iteration[1] == 0 and "
                "#r.metrics.loss == 10 and r.provenance.seed == '3')\n"
                "assert(r.experiment:get('seed') == 3 and r.session{ threads = 1 }:iteration() == 10 and r:session{ "
                "threads = 1 }:iteration() == 10 and r:session():iteration() == 10)");
}
TEST_F(LuaRuns, ResumesToTheSameHash) {
    expectHolds("local whole = raphe.run(small(), { out = 'whole', iterations = 20, threads = 1 })\n"
                "local part = raphe.run(small(), { out = 'part', iterations = 20, threads = 1, on_iteration = "
                "function(m) return m.iteration < 6 end })\n"
                "assert(not part.completed and part.iterations == 7)\n"
                "local before = raphe.open_run('part').provenance\n"
                "local rest = raphe.run(small(), { out = 'part', iterations = 20, threads = 2, resume = true })\n"
                "assert(rest.completed and rest.run_hash == whole.run_hash)\n"
                "local after = raphe.open_run('part').provenance -- what the run began with stays\n"
                "assert(after.start == before.start and after.threads == '1' and after.exit == 'done')");
}
TEST_F(LuaRuns, KeepsRecordedSignals) {
    expectHolds("local d = small():json() d.record = { { port = 'readout.output', every_iterations = 5 } }\n"
                "raphe.run(raphe.experiment(d), { out = 'r', iterations = 10, threads = 1 })\nlocal list = "
                "raphe.open_run('r'):signals('readout.output')\n"
                "assert(#list == 2 and list[2].iteration == 5 and list[1].tensor.shape[1] == 4)");
}
TEST_F(LuaRuns, EndProperlyWhenACallbackFails) {
    EXPECT_EQ(failure("raphe.run(small(), { out = 'r', iterations = 10, threads = 1, on_iteration = function(m) if "
                      "m.iteration == 4 then error('enough') end end })"),
              "script.lua:1: enough");
    expectHolds("local r = raphe.open_run('r') assert(r.provenance.exit == 'failed' and #r.metrics.loss == 5)");
}
TEST_F(LuaRuns, ExplainWhatIsWrong) {
    expectFails("raphe.run(small(), { iteration = 3 })",
                "there is no argument \"iteration\"; did you mean \"iterations\"?");
    expectFails("raphe.open_run('nothing')", "nothing");
    expectFails("raphe.run('mwg_smal_nm_rnn')", "did you mean");
    expectHolds("raphe.run(small(), { out = 'r', iterations = 1, threads = 1 })");
    expectFails("raphe.run(small(), { out = 'r', iterations = 1, threads = 1 })", "r");
    expectFails("raphe.open_run('r').session{ thread = 1 }", "did you mean \"threads\"?");
}
TEST_F(LuaRuns, PlotsExplainWhatIsWrong) {
    expectFails("raphe.plot{ y = { 1, 2 } }", "say where to: file = ");
    expectFails("raphe.plot{ file = 'a.svg' }", "expected panels");
    expectFails("raphe.plot{ y = { 1, 2 }, file = 'a.txt' }", "pictures are written as .svg, .png or .pdf");
    expectFails("raphe.plot{ runs = { 'missing' }, file = 'a.svg' }", "give the directory of a run");
    expectFails("raphe.plot(3)", "expected a table");
    expectFails("raphe.plot{ series = { 3 }, file = 'a.svg' }", "expected a list of series");
}

} // namespace
} // namespace raphe::test
