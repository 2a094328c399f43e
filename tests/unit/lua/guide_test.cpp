// SPDX-License-Identifier: Apache-2.0
#include "lua_fixture.h"

#include "engine/base/files.h"

#include <sstream>
#include <vector>

namespace raphe::test {
namespace {

struct Block {
    std::string words, text;
    int line = 0;
};

std::vector<Block> blocksOf(const std::string& path) {
    std::istringstream stream(readBytes(path, 1 << 20));
    std::vector<Block> blocks;
    bool inside = false;
    int number = 0;
    for (std::string line; std::getline(stream, line);) {
        ++number;
        if (!inside && line.rfind("```lua", 0) == 0) {
            blocks.push_back({line.substr(3), "", number});
            inside = true;
        } else if (inside && line == "```") {
            inside = false;
        } else if (inside) {
            blocks.back().text += line + "\n";
        }
    }
    return blocks;
}

using LuaGuide = LuaTest;

TEST_F(LuaGuide, EveryBlockRuns) {
    const auto blocks = blocksOf(LUA_GUIDE);
    ASSERT_GE(blocks.size(), 8u);
    host().runText("raphe.plot = function(t) assert(t.file) end", "guide"); // drawing needs the program raphe-figure
    for (const auto& block : blocks) {
        SCOPED_TRACE("block at line " + std::to_string(block.line));
        EXPECT_NO_THROW(EXPECT_EQ(host().runText(block.text, "lua-guide.md"), 0));
    }
}

} // namespace
} // namespace raphe::test
