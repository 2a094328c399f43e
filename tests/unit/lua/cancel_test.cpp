// SPDX-License-Identifier: Apache-2.0
#include "lua_fixture.h"

#include <chrono>
#include <thread>

namespace raphe::test {
namespace {

/// Scripts that never end by themselves. Each must end within a second of being told to.
struct Endless {
    const char* name;
    const char* script;
};

class LuaCancel : public LuaTest, public testing::WithParamInterface<Endless> {};

TEST_P(LuaCancel, WorksWithinASecond) {
    auto& lua = host();
    std::chrono::steady_clock::time_point told;
    std::jthread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        told = std::chrono::steady_clock::now();
        lua.cancel();
    });
    EXPECT_EQ(run(GetParam().script), 130);
    const auto ended = std::chrono::steady_clock::now();
    other.join();
    // Usually a few milliseconds; the bound only tells an end from none on a machine that is busy.
    EXPECT_LT(std::chrono::duration<double>(ended - told).count(), 30.0);
    EXPECT_EQ(printed("print('alive')"), "alive\n") << "the state stays usable";
}

const Endless endless[] = {
    {"Loop", "while true do end"},
    {"PcallLoop", "while true do pcall(function() while true do end end) end"},
    {"NestedPcalls", "local function f() pcall(f) while true do end end while true do pcall(f) end"},
    {"XpcallHandler",
     "local function h() while true do end end while true do xpcall(function() while true do end end, h) end"},
    {"XpcallHandlerThatFails", "while true do xpcall(function() error('x') end, function(m) error(m) end) end"},
    {"XpcallOfXpcall", "local function f() while true do end end while true do xpcall(xpcall, f, f, f) end"},
    {"Coroutine", "local co = coroutine.wrap(function() while true do end end) co()"},
    {"CoroutineResumeLoop", "while true do coroutine.resume(coroutine.create(function() while true do end end)) end"},
    {"CoroutineCloseHandler", "local f = coroutine.wrap(function() local x <close> = setmetatable({}, {__close = "
                              "function() while true do end end}) while true do end end) while true do pcall(f) end"},
    {"CoroutineClose",
     "while true do local co = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() "
     "while true do end end}) while true do end end) coroutine.resume(co) coroutine.close(co) end"},
    {"CloseHandler", "pcall(function() local x <close> = setmetatable({}, {__close = function() while true do end "
                     "end}) while true do end end) while true do end"},
    {"CoroutineBomb",
     "local function f() return coroutine.wrap(function() f()() end) end while true do pcall(f()) end"},
    {"CoroutinesThatYield",
     "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end"},
    {"PatternBacktracking", "return (('a'):rep(100000)):find(('.-'):rep(20) .. 'b')"},
    {"PatternMatch", "return (('a'):rep(100000)):match(('a*'):rep(50) .. 'b')"},
    {"PatternGmatch", "for w in (('a'):rep(100000)):gmatch(('.-'):rep(20) .. 'b') do end"},
    {"PatternGsub", "return (('a'):rep(100000)):gsub(('a-'):rep(20) .. 'b', '')"},
    {"PatternInPcall", "while true do pcall(string.find, ('a'):rep(100000), ('.-'):rep(20) .. 'b') end"},
    {"GsubReplacements", "while true do (('a'):rep(1000000)):gsub('.', function(c) return c end) end"},
    {"TableMove", "table.move({}, 1, 1 << 60, 2)"},
    {"TableConcat", "local t = setmetatable({}, {__index = table.concat}) table.concat(t, '', 1, 1 << 60)"},
    {"TableInsert", "table.insert(setmetatable({}, {__len = function() return 1 << 60 end}), 1, 'x')"},
    {"TableRemove", "table.remove(setmetatable({}, {__len = function() return 1 << 60 end}), 1)"},
    {"TableSort", "local t = {} for i = 1, 2000000 do t[i] = (i * 7919) % 1000003 end while true do table.sort(t) "
                  "table.sort(t, math.ult) end"},
    {"LoadReader", "load(function() return '-- ' end)"},
    {"LoadReaderOfPieces",
     "while true do local i = 0 load(function() i = i + 1 return i < 100 and '--\\n' or nil end) end"},
    {"ErrorObject", "error(setmetatable({}, {__tostring = function() while true do end end}))"},
    {"Metamethods", "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) while true do "
                    "pcall(function() return t[1] end) end"},
    {"DeepRecursion", "local function f() return 1 + f() end while true do pcall(f) end"},
    {"StringDoubling", "while true do pcall(function() local s = 'x' while #s < 1e8 do s = s .. s end end) end"},
    {"Training", "small():session{ threads = 1 }:train{ iterations = 1000000000 }"},
    {"TrainingInPcall",
     "local s = small():session{ threads = 1 } while true do pcall(s.train, s, { iterations = 1000000000 }) end"},
    {"TrainingCallback",
     "small():session{ threads = 1 }:train{ iterations = 10, on_iteration = function() while true do end end }"},
    {"TrainingCallbackInPcall", "small():session{ threads = 1 }:train{ iterations = 1000000000, on_iteration = "
                                "function() pcall(function() while true do end end) end }"},
    {"Evaluating", "small():session{ threads = 1 }:evaluate{ trials = 3000000 }"},
    {"Running", "raphe.run(small(), { out = 'r', iterations = 1000000000, threads = 1 })"},
    {"TensorMap", "local t = raphe.zeros{1000000} while true do t:map(function(x) return x end) end"},
    {"TensorProduct", "local t = raphe.zeros{3000, 3000} while true do pcall(t.matmul, t, t) end"},
    {"LongTexts", "local s = ('x'):rep(50000000) while true do local t = s .. s end"},
    {"Loading", "while true do load(('x = 1 '):rep(100000)) end"},
};
INSTANTIATE_TEST_SUITE_P(Endless, LuaCancel, testing::ValuesIn(endless),
                         [](const auto& test) { return std::string(test.param.name); });

using LuaInterrupt = LuaTest;

TEST_F(LuaInterrupt, IsAskedForFromOutside) {
    int asked = 0;
    options_.interrupted = [&] { return ++asked > 100; };
    LuaHost lua(plugins_, options_);
    EXPECT_EQ(lua.runText("while true do pcall(error) end", "script.lua"), 130);
}
TEST_F(LuaInterrupt, ARunKeepsACheckpointWhenItIsCancelled) {
    auto& lua = host();
    std::jthread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        lua.cancel();
    });
    EXPECT_EQ(run("raphe.run(small(), { out = 'kept', iterations = 1000000000, threads = 1 })"), 130);
    other.join();
    expectHolds("local r = raphe.open_run('kept')\nassert(r.provenance.exit == 'interrupted')\n"
                "assert(r.session{ threads = 1 }:iteration() == #r.metrics.iteration)");
}

} // namespace
} // namespace raphe::test
