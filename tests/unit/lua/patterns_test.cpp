// SPDX-License-Identifier: Apache-2.0
#include "lua_fixture.h"

namespace raphe::test {
namespace {

using LuaPatterns = LuaTest;

// Examples of the reference manual and of the library's own tests.
TEST_F(LuaPatterns, FindAndMatchAsTheManualSays) {
    expectHolds(
        "assert(select('#', ('abc'):find('b')) == 2 and ('abc'):find('b') == 2 and not ('abc'):find('x'))\n"
        "assert(('a.c'):find('.', 1, true) == 2 and ('abc'):find('', 10) == nil and ('abc'):find('', 4) == 4)\n"
        "assert(('key = value'):match('^(%w+)%s*=%s*(%w+)$') == 'key')\n"
        "assert(('  trim '):match('^%s*(.-)%s*$') == 'trim')\n"
        "local a, b = ('hello'):match('()ll()') assert(a == 3 and b == 5)\n"
        "assert(('THE (quick) fox'):find('%((%a+)%)') == 5)\n"
        "assert(('f(a(b)c)d'):match('%b()') == '(a(b)c)')\n"
        "assert(('THE (quick) fox'):match('%f[%a]%a+%f[%A]') == 'THE')\n"
        "assert((\"say 'it'\"):match([=[(['\"])(.-)%1]=]) == \"'\")\n"
        "assert(('x-y]'):match('[]-]') == '-' and ('a^'):match('[%^x]') == '^' and ('b'):match('[^a]') == 'b')\n"
        "assert(('aaab'):match('a-b') == 'aaab' and ('aaa'):match('a?a?a?a?') == 'aaa' and ('ab'):match('.-$') == "
        "'ab')\n"
        "assert(('0x1F'):match('%x+', 3) == '1F' and ('abc'):match('%u') == nil and ('a\\0b'):match('%z') == nil)\n"
        "assert(('alo'):match('.*', -2) == 'lo' and ('a$a'):match('$a') == '$a')");
}
TEST_F(LuaPatterns, GsubAndGmatchAsTheManualSays) {
    expectHolds("assert(('hello world'):gsub('(%w+)', '%1 %1') == 'hello hello world world')\n"
                "assert(('hello world'):gsub('%w+', '%0 %0', 1) == 'hello hello world')\n"
                "assert(('hello world from Lua'):gsub('(%w+)%s*(%w+)', '%2 %1') == 'world hello Lua from')\n"
                "assert(('$name-$v'):gsub('%$(%w+)', { name = 'lua', v = 5 }) == 'lua-5')\n"
                "assert(('abc'):gsub('', '-') == '-a-b-c-' and select(2, ('abc'):gsub('', '-')) == 4)\n"
                "assert(('abc'):gsub('%w', function(c) return c ~= 'b' and c:upper() end) == 'AbC')\n"
                "assert(('aaa'):gsub('^a', 'b') == 'baa' and ('50%'):gsub('%%', '%%%%') == '50%%')\n"
                "local n = 0 for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do n = n + v end assert(n == 3)\n"
                "local w = {} for c in ('abc'):gmatch('%w*') do w[#w + 1] = c end assert(#w == 1 and w[1] == 'abc')");
}
TEST_F(LuaPatterns, ExplainMistakes) {
    expectFails("('a'):find('[a')", "a [ has no ]");
    expectFails("('a'):find('%')", "ends with %");
    expectFails("('a'):find('(a')", "not closed");
    expectFails("('a'):match('a)')", "closes nothing");
    expectFails("('a'):find('%1')", "no capture %1");
    expectFails("('a'):gsub('a', '%2')", "no capture %2");
    expectFails("('a'):gsub('a', '%x')", "followed by a digit");
    expectFails("('a'):gsub('a', function() return {} end)", "expected a text or a number");
    expectFails("('x'):rep(300):match(('(x)'):rep(33))", "more than 32 captures");
    expectFails("('a'):rep(1000):match(('a?'):rep(1000) .. 'b')", "too complex");
}

} // namespace
} // namespace raphe::test
