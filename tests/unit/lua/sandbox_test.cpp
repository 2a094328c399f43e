// SPDX-License-Identifier: Apache-2.0
#include "lua_fixture.h"

#include <sys/stat.h>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

class LuaSandbox : public LuaTest {
protected:
    LuaSandbox() {
        fs::create_directories(root_ / "outside");
        std::ofstream(root_ / "outside" / "secret.txt") << "secret";
        std::ofstream(root_ / "outside" / "secret.lua") << "return 'secret'";
        std::ofstream(root_ / "outside" / "secret.json") << "{\"secret\": 1}";
        fs::create_symlink(root_ / "outside" / "secret.txt", folder_ / "link.txt");
        fs::create_directory_symlink(root_ / "outside", folder_ / "link");
        fs::create_symlink(root_ / "outside" / "new.txt", folder_ / "dangling.txt");
    }
};

TEST_F(LuaSandbox, HasOnlyWhatIsAllowed) {
    for (const char* name : {"debug", "package", "warn", "os.execute", "os.exit", "os.remove", "os.rename", "os.getenv",
                             "os.setlocale", "os.tmpname", "io.popen", "io.tmpfile", "io.input", "io.output", "io.read",
                             "io.stdout", "io.stderr", "io.stdin", "string.dump"}) {
        const std::string text = name;
        EXPECT_EQ(printed("print(" + text + ")"), "nil\n") << text;
    }
}
TEST_F(LuaSandbox, NamesEveryFunctionThatScriptsCanReach) {
    // Whoever adds a function here has thought about what a script could do with it.
    EXPECT_EQ(printed("local names = {}\n"
                      "for lib, t in pairs(_G) do\n"
                      "  if type(t) == 'table' and lib ~= '_G' and lib ~= 'raphe' and lib ~= 'utf8' and lib ~= 'math' "
                      "then for f in pairs(t) do names[#names + 1] = lib .. '.' .. f end\n"
                      "  elseif type(t) == 'function' and lib ~= 'small' then names[#names + 1] = lib end\n"
                      "end\ntable.sort(names) print(table.concat(names, ' '))"),
              "assert collectgarbage coroutine.close coroutine.create coroutine.isyieldable coroutine.resume "
              "coroutine.running coroutine.status coroutine.wrap coroutine.yield "
              "dofile error getmetatable io.lines io.open io.type io.write ipairs load loadfile next os.clock os.date "
              "os.difftime os.time pairs pcall print rawequal rawget rawlen rawset "
              "require select setmetatable string.byte string.char string.find string.format string.gmatch string.gsub "
              "string.len string.lower string.match string.pack string.packsize "
              "string.rep string.reverse string.sub string.unpack string.upper table.concat table.insert table.move "
              "table.pack table.remove table.sort table.unpack tonumber tostring "
              "type xpcall\n");
}

TEST_F(LuaSandbox, LoadsTextsOnly) {
    expectHolds("local f, m = load('\\27Lua') assert(f == nil and m:find('compiled chunk'))\n"
                "local f, m = load('\\27LuaT\\0\\25\\147', 'x', 'b') assert(f == nil)\n"
                "local f, m = load('return 1 +') assert(f == nil and m:find('near'))\n"
                "assert(load('return 1 + 1')() == 2 and load('return x', 'n', 't', {x = 5})() == 5)\n"
                "local i = 0 assert(load(function() i = i + 1 return ({'return ', '7'})[i] end)() == 7)");
    writeFile("binary.lua", "\x1bLua");
    expectHolds("local f, m = loadfile('binary.lua') assert(f == nil and m:find('compiled'))");
    expectFails("load(raphe.clock)", "expected a text, got");
    expectFails("dofile('binary.lua')", "compiled chunk");
}

TEST_F(LuaSandbox, KeepsFilesWithinTheFolders) {
    writeFile("inside.txt", "hello\n");
    expectHolds(
        "assert(io.open('inside.txt'):read('a') == 'hello\\n')\n"
        "for line in io.lines('inside.txt') do assert(line == 'hello') end\n"
        "local f <close> = assert(io.open('new.txt', 'w')) f:write('x')\n"
        "assert(io.open('./sub/../inside.txt'))\nassert(select(2, io.open('nothing.txt')):find('No such file'))");
    const std::string outside = "outside the working folder";
    for (const std::string path : {"../outside/secret.txt", "/etc/passwd", "link.txt", "link/secret.txt",
                                   "./x/../../outside/secret.txt", "link/../outside/secret.txt", "..", "../work2"}) {
        expectFails("io.open('" + path + "')", outside);
        expectFails("io.open('" + path + "', 'w')", outside);
        expectFails("io.lines('" + path + "')", outside);
        expectFails("raphe.json.read('" + path + "')", outside);
        expectFails("raphe.json.write('" + path + "', {})", outside);
        expectFails("raphe.npz.read('" + path + "')", outside);
        expectFails("raphe.npz.write('" + path + "', {a = {1}})", outside);
        expectFails("dofile('" + path + "')", outside);
        expectFails("raphe.open_run('" + path + "')", outside);
        expectFails("raphe.plot{ y = {1}, file = '" + path + "' }", outside);
        expectFails("small():session{ threads = 1 }:save('" + path + "')", outside);
        expectFails("small():session{ threads = 1 }:load('" + path + "')", outside);
        expectFails("raphe.run(small(), { out = '" + path + "', iterations = 1 })", outside);
    }
    expectFails("raphe.load('../outside/secret.json')", outside);
    expectFails("raphe.load('link/secret.json')", outside);
    expectFails("io.open('dangling.txt', 'w')", "neither a file nor a folder");
    EXPECT_FALSE(fs::exists(root_ / "outside" / "new.txt"));
    expectFails("io.open('inside.txt\\0/../../x')", "expected the name of a file");
    expectFails("io.open('')", "expected the name of a file");
    expectFails("io.open('inside.txt', 'x')", "expected a mode");
    expectFails("raphe.experiment{ base = '../outside/secret', nodes = {} }", "without a folder");
}
TEST_F(LuaSandbox, RefusesPipesAndDevices) {
    ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
    expectFails("io.open('pipe')", "neither a file nor a folder");
}
TEST_F(LuaSandbox, OpensTheRunsFolderToo) {
    options_.runFolder = root_ / "outside";
    expectHolds("assert(io.open('" + (root_ / "outside" / "secret.txt").string() + "'):read('a') == 'secret')");
}
TEST_F(LuaSandbox, OpensEverythingWhenAllowed) {
    options_.allowIo = true;
    expectHolds("assert(io.open('../outside/secret.txt'):read('a') == 'secret')");
}
TEST_F(LuaSandbox, RequiresFilesBesideTheScript) {
    writeFile("protocols/helpers.lua", "return { twice = function(x) return 2 * x end }");
    writeFile("protocols/sub/more.lua", "return ...");
    writeFile("protocols/main.lua",
              "#!/usr/bin/env raphe\nlocal h = require 'helpers'\nassert(h == require 'helpers' and require 'sub.more' "
              "== 'sub.more' and require 'raphe' == raphe)\nreturn h.twice(4)");
    EXPECT_EQ(host().runFile(folder_ / "protocols" / "main.lua"), 8);
    for (const std::string name :
         {"../outside/secret", "link.secret", "/etc/passwd", "..outside.secret", ".hidden", "a\\0b"}) {
        writeFile("protocols/bad.lua", "require '" + name + "'");
        EXPECT_THROW(host().runFile(folder_ / "protocols" / "bad.lua"), Error) << name;
    }
    fs::create_symlink(root_ / "outside" / "secret.lua", folder_ / "protocols" / "evil.lua");
    writeFile("protocols/bad.lua", "return require 'evil'");
    EXPECT_THROW(host().runFile(folder_ / "protocols" / "bad.lua"), Error);
}
TEST_F(LuaSandbox, RequiresModulesThatComeWithRaphe) {
    expectHolds(R"(
        local p = require 'raphe.protocol'
        assert(p == require 'raphe.protocol')
        local o = p.options({ seeds = 3, full = false, out = 'x', threads = p.whole }, { '--full', '--seeds', '5' })
        assert(o.full == true and o.seeds == 5 and o.out == 'x' and o.threads == nil)
        assert(raphe.statistics.median { 3, 1, 2 } == 2 and raphe.statistics.quantile({ 0, 10 }, 0.25) == 2.5)
        assert(not pcall(raphe.statistics.median, { 1, "x" }) and not pcall(raphe.statistics.median, 3))
        assert(p.tail({ 1, 2, 3 }, 2) == 2.5 and p.tail({ 1 }, 5) == 1)
        local s = p.smooth({ 2, 4, 6 }, 2)
        assert(s[1] == 2 and s[2] == 3 and s[3] == 5)
        for _, words in ipairs { { '--sedes', '5' }, { '--seeds' }, { '--seeds', '1.5' }, { '--out' }, { 'full' } } do
            local fine, problem = pcall(p.options, { seeds = 3, full = false, out = 'x' }, words)
            assert(not fine and problem:find(words[1], 1, true), problem)
        end)");
    writeFile("protocols/bad.lua", "require 'raphe.prtocol'");
    EXPECT_THROW(host().runFile(folder_ / "protocols" / "bad.lua"), Error);
}
TEST_F(LuaSandbox, AScriptOutsideReadsItsHelpersButWritesNothingThere) {
    std::ofstream(root_ / "outside" / "main.lua") << "assert(require 'secret' == 'secret')\n"
                                                     "assert(not pcall(io.open, '" +
                                                         (root_ / "outside" / "secret.lua").string() +
                                                         "', 'w'))\nreturn 5";
    EXPECT_EQ(host().runFile(root_ / "outside" / "main.lua"), 5);
}

TEST_F(LuaSandbox, HidesMetatables) {
    expectHolds(
        "assert(getmetatable('') == 'string' and getmetatable(raphe.zeros{1}) == 'tensor' and getmetatable(raphe) == "
        "'raphe')\n"
        "assert(getmetatable(small()) == 'experiment' and getmetatable(small():session{threads = 1}) == 'session')\n"
        "assert(getmetatable(raphe.random(1)) == 'random' and getmetatable(io.open('x', 'w')) == 'file')\n"
        "assert(not pcall(setmetatable, raphe, {}) and not pcall(setmetatable, '', {}) and not pcall(setmetatable, "
        "raphe.zeros{1}, {}))\n"
        "assert(not pcall(function() getmetatable('').__index.find = nil end))");
    expectHolds("assert(not pcall(function() return raphe.zeros{1}.__gc end) and not pcall(function() return "
                "small().__gc end))");
}
TEST_F(LuaSandbox, HasNoFinalizers) {
    expectFails("setmetatable({}, { __gc = function() end })", "scripts cannot have finalizers");
    expectFails("setmetatable({}, { __gc = true })", "scripts cannot have finalizers");
    expectHolds("local called = false local mt = {} local t = setmetatable({}, mt) mt.__gc = function() called = true "
                "end t = nil collectgarbage() assert(not called)");
}
TEST_F(LuaSandbox, MethodsTakeOnlyTheirOwnObjects) {
    expectFails("raphe.zeros{1}.get(io.open('x', 'w'), 1)", "call it with a colon");
    expectFails("small():session{threads = 1}.train(small(), {})", "call it with a colon");
    expectFails("small().set(raphe.random(1), 'a', 1)", "call it with a colon");
    expectFails("raphe.random(1).uniform()", "call it with a colon");
}
TEST_F(LuaSandbox, EndsEndlessRecursion) {
    expectFails("local function f() return 1 + f() end f()", "stack overflow");
    expectFails("local t = setmetatable({}, {}) getmetatable(t).__tostring = tostring tostring(t)", "overflow");
    expectFails("local function f(s) return s:gsub('.', f) end f('a')", "overflow");
    expectFails("local function f() coroutine.wrap(f)() end f()", "overflow");
    expectFails("local t = {} t.t = t raphe.json.encode(t)", "contains itself");
    expectFails("load(('('):rep(100000))() ", "attempt to call a nil value");
    expectHolds("local co co = coroutine.wrap(function() return pcall(co) end) assert(not co())");
    expectFails("local ok, m = xpcall(error, function(e) error(e) end, 'x') error(m)", "script.lua");
}
TEST_F(LuaSandbox, LimitsMemory) {
    options_.memoryLimitBytes = std::size_t{64} << 20;
    for (const char* bomb :
         {"local t = {} for i = 1, 1e9 do t[i] = i end", "local s = 'x' while true do s = s .. s end",
          "local t = {} while true do t[#t + 1] = ('x'):rep(1000000) .. #t end",
          "local t = {} while true do t[#t + 1] = raphe.zeros{100000} end",
          "local t = {} for i = 1, 1e9 do t[i] = coroutine.create(print) end",
          "local t = {} while true do t[#t + 1] = { t[#t] } end", "return raphe.json.encode(raphe.zeros{100000000})",
          "local s = ('x'):rep(1000000) return s:gsub('.', s)",
          "local t = {} for i = 1, 1000 do t[i] = ('x'):rep(1000000) end return table.concat(t)",
          "local t = {} while true do t[#t + 1] = small():session{ threads = 1 } end",
          "return string.rep('abcdefgh', 30000000)",
          "local t = setmetatable({}, {__index = function() return ('x'):rep(1000000) end}) return table.concat(t, '', "
          "1, 1e9 // 1)"}) {
        const auto message = failure(bomb);
        EXPECT_TRUE(message.find("memory") != std::string::npos || message.find("may use") != std::string::npos)
            << bomb << "\n  gave: " << message;
        EXPECT_EQ(printed("print(1 + 1)"), "2\n") << "the state stays usable";
    }
    expectHolds("for i = 1, 100 do small():session{ threads = 1 } end");
    expectHolds("assert(not pcall(function() local t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end end))");
}
TEST_F(LuaSandbox, LimitsRepetition) {
    expectFails("('x'):rep(1e15 // 1 | 0)", "more than 256 MiB");
    expectFails("('x'):rep(1 << 62, 'yyyy')", "more than 256 MiB");
    expectHolds("assert((''):rep(1 << 62) == '' and ('ab'):rep(3, ',') == 'ab,ab,ab' and ('x'):rep(-1) == '')");
}
TEST_F(LuaSandbox, TakesErrorsOfAnyKind) {
    EXPECT_EQ(failure("error({})").substr(0, 6), "table:");
    EXPECT_EQ(failure("error(setmetatable({}, {__tostring = function() return 'mine' end}))"), "mine");
    EXPECT_EQ(failure("error(setmetatable({}, {__tostring = function() error('again') end}))"),
              "the script ended with an error that has no text");
    EXPECT_EQ(failure("error(setmetatable({}, {__tostring = function() return {} end}))"),
              "the script ended with an error that has no text");
    EXPECT_EQ(failure("error()"), "nil");
    EXPECT_EQ(failure("error('plain', 0)"), "script.lua:1: plain");
    EXPECT_EQ(failure("\n\nerror('here')"), "script.lua:3: here");
}
TEST_F(LuaSandbox, RepeatsItsRandomNumbers) {
    LuaHost one(plugins_, options_), two(plugins_, options_);
    one.runText("print(math.random(), math.random(100), raphe.random(3):normal())", "a");
    const auto first = out_;
    out_.clear();
    two.runText("print(math.random(), math.random(100), raphe.random(3):normal())", "a");
    EXPECT_EQ(out_, first);
    expectFails("math.randomseed()", "give a seed");
    expectHolds("math.randomseed(5) local a = math.random() math.randomseed(5) assert(a == math.random())");
}
TEST_F(LuaSandbox, KeepsTheTableFunctionsMeaning) {
    expectHolds(
        "local t = {1, 2, 3} table.insert(t, 4) table.insert(t, 1, 0) assert(table.concat(t, ',') == '0,1,2,3,4')\n"
        "assert(table.remove(t) == 4 and table.remove(t, 1) == 0 and #t == 3 and table.remove({}) == nil)\n"
        "assert(table.concat(table.move({1, 2, 3}, 1, 3, 2), ',') == '1,1,2,3' and table.concat(table.move({1, 2, 3}, "
        "2, 3, 1), ',') == '2,3,3')\n"
        "assert(#table.move({1, 2}, 1, 2, 3, {9, 9}) == 4 and table.concat({}, 'x') == '' and table.concat({1, 'a', "
        "2.5}, '-', 2) == 'a-2.5')\n"
        "local s = {3, 1, 2} table.sort(s) assert(s[1] == 1 and s[3] == 3) table.sort(s, function(a, b) return a > b "
        "end) assert(s[1] == 3)");
    expectFails("table.insert({}, 5, 1)", "position 5 lies outside 1 to 1");
    expectFails("table.insert({})", "expected (table, value)");
    expectFails("table.concat({ {} })", "neither a text nor a number");
    expectFails("table.sort({1, 'x'})", "attempt to compare");
}
TEST_F(LuaSandbox, KeepsCoroutinesMeaning) {
    expectHolds("local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) assert(co(1) "
                "== 2 and co(5) == 10 and not pcall(co))\n"
                "local c = coroutine.create(function() error('oops') end) local ok, m = coroutine.resume(c) assert(not "
                "ok and m:find('oops') and coroutine.status(c) == 'dead')\n"
                "local closed = false local w = coroutine.wrap(function() local x <close> = setmetatable({}, {__close "
                "= function() closed = true end}) error('e') end)\n"
                "local ok, m = pcall(w) assert(not ok and m:find('e') and closed)\n"
                "local y = coroutine.wrap(function() return xpcall(function() return coroutine.yield(1) end, print) "
                "end) assert(y() == 1 and y(7) == true)\n"
                "local co2 = coroutine.create(function() coroutine.yield() end) coroutine.resume(co2) "
                "assert(coroutine.close(co2) and coroutine.status(co2) == 'dead')");
}

} // namespace
} // namespace raphe::test
