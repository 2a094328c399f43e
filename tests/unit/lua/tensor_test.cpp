// SPDX-License-Identifier: Apache-2.0
#include "lua_fixture.h"

namespace raphe::test {
namespace {

using LuaTensors = LuaTest;

TEST_F(LuaTensors, AreMadeFromNestedLists) {
    expectHolds("local t = raphe.tensor{ {1, 2, 3}, {4, 5, 6} }\n"
                "assert(#t.shape == 2 and t.shape[1] == 2 and t.shape[2] == 3)\n"
                "assert(t:get(2, 3) == 6 and t[2][1] == 4 and #t == 2 and t:size() == 6)\n"
                "assert(t:totable()[1][2] == 2)");
}
TEST_F(LuaTensors, AreChangedInPlace) {
    expectHolds("local t = raphe.zeros{2, 2}\nt:set(1, 2, 5)\nt[2] = raphe.tensor{7, 8}\n"
                "assert(t == raphe.tensor{ {0, 5}, {7, 8} })\nlocal v = raphe.zeros(3)\nv[2] = 1\nassert(v == "
                "raphe.tensor{0, 1, 0})");
}
TEST_F(LuaTensors, Calculate) {
    expectHolds("local a, b = raphe.tensor{1, 2}, raphe.tensor{3, 5}\n"
                "assert(a + b == raphe.tensor{4, 7} and b - a == raphe.tensor{2, 3} and a * b == raphe.tensor{3, 10})\n"
                "assert(2 * a == raphe.tensor{2, 4} and a / 2 == raphe.tensor{0.5, 1} and -a == raphe.tensor{-1, -2})\n"
                "assert(1 - a == raphe.tensor{0, -1} and a ^ 2 == raphe.tensor{1, 4} and a ~= b)");
}
TEST_F(LuaTensors, ReduceOverAllOrOneDimension) {
    expectHolds("local t = raphe.tensor{ {1, 2, 3}, {4, 5, 9} }\n"
                "assert(t:sum() == 24 and t:mean() == 4 and t:min() == 1 and t:max() == 9)\n"
                "assert(t:mean(1) == raphe.tensor{2.5, 3.5, 6} and t:sum(2) == raphe.tensor{6, 18})\n"
                "assert(raphe.tensor{1, 3}:mean(1) == 2)");
}
TEST_F(LuaTensors, AreSlicedReshapedTransposedAndMapped) {
    expectHolds("local t = raphe.tensor{ {1, 2, 3}, {4, 5, 6} }\n"
                "assert(t:slice(2, 3) == raphe.tensor{3, 6} and t:slice(1, 2) == raphe.tensor{4, 5, 6})\n"
                "assert(t:reshape{3, 2} == raphe.tensor{ {1, 2}, {3, 4}, {5, 6} } and t:transpose():get(3, 1) == 3)\n"
                "assert(t:map(function(x) return x * x end):get(2, 3) == 36)\n"
                "assert(t:matmul(t:transpose()) == raphe.tensor{ {14, 32}, {32, 77} })\n"
                "local c = t:copy() c:set(1, 1, 0) assert(t:get(1, 1) == 1)");
}
TEST_F(LuaTensors, ShowThemselves) { EXPECT_EQ(printed("print(raphe.tensor{ {1, 2.5} })"), "tensor (1, 2): 1, 2.5\n"); }
TEST_F(LuaTensors, ExplainWhatIsWrong) {
    expectFails("raphe.tensor{ {1, 2}, {3} }", "expected lists of equal length, shape (2, 2), got a list of 1");
    expectFails("raphe.tensor{ 1, 'x' }", "[2]: expected a number, got \"x\"");
    expectFails("raphe.tensor(3)", "expected a tensor or a nested list of numbers, got 3");
    expectFails("return raphe.tensor{1, 2}:get(3)", "expected an integer from 1 to 2, got 3");
    expectFails("return raphe.tensor{1, 2}:get(0)", "from 1 to 2, got 0");
    expectFails("return raphe.tensor{ {1} }:get(1)", "takes 2 indices, got 1");
    expectFails("return raphe.tensor{1, 2} + raphe.tensor{1}", "equal shapes, got (2) and (1)");
    expectFails("return raphe.tensor{1} + 'a'", "tensors and numbers, got \"a\"");
    expectFails("return raphe.tensor{1}:reshap()", "there is no \"reshap\"; did you mean \"reshape\"?");
    expectFails("return raphe.zeros{2}:reshape{3}", "holds 2 numbers, (3) would hold 3");
    expectFails("return raphe.zeros{0}:mean()", "holds no numbers");
    expectFails("return raphe.zeros{-1}", "expected an integer >= 0, got -1");
    expectFails("return raphe.zeros{1e15}", "raphe.zeros");
    expectFails("return raphe.zeros{1000000, 1000000}", "of the 4096 MiB");
    expectFails("local t = raphe.zeros{2} t.x = 3", "expected an integer from 1 to 2");
    expectFails("return raphe.tensor{1}.get(5)", "call it with a colon");
}
TEST_F(LuaTensors, SurviveTheRoundTripThroughNpz) {
    expectHolds(
        "raphe.npz.write('a.npz', { ['x.y'] = raphe.tensor{ {1, 2} }, z = {3} })\n"
        "local t = raphe.npz.read('a.npz')\nassert(t['x.y'] == raphe.tensor{ {1, 2} } and t.z == raphe.tensor{3})");
}
TEST_F(LuaTensors, AreFreedWhenNobodyNeedsThem) {
    options_.memoryLimitBytes = std::size_t{64} << 20;
    expectHolds("for i = 1, 200 do local t = raphe.zeros{1000000} end");
}

} // namespace
} // namespace raphe::test
