// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/session.h"
#include "lua/lua_host.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

namespace raphe::test {

void registerMechanisms(Registry& registry);

/// A Lua state whose working folder is fresh, with a small experiment `small()` at hand.
class LuaTest : public testing::Test {
protected:
    LuaTest() {
        registerMechanisms(plugins_.registry());
        root_ = std::filesystem::canonical(testing::TempDir()) / ("raphe_lua_" + std::to_string(getpid()));
        std::filesystem::remove_all(root_);
        folder_ = root_ / "work";
        std::filesystem::create_directories(folder_);
        options_.workingFolder = folder_;
        options_.out = [this](std::string_view text) { out_ += text; };
        options_.log = [this](std::string_view text) { log_ += text; };
    }
    ~LuaTest() override { std::filesystem::remove_all(root_); }

    static constexpr const char* preamble =
        "function small() return raphe.experiment{ name = 'small', trials = 3, nodes = {"
        " task = { mechanism = 'task.echo' },"
        " readout = { mechanism = 'model.dense', params = { units = 2 } },"
        " learner = { mechanism = 'rule.supervised', params = { optimiser = 'sgd', learning_rate = 0.1 } } },"
        " wires = { 'task.observation -> readout.input', 'readout.output -> learner.prediction', 'task.target -> "
        "learner.target' } } end\n";

    LuaHost& host() {
        if (!host_) {
            host_ = std::make_unique<LuaHost>(plugins_, options_);
            host_->runText(preamble, "preamble");
        }
        return *host_;
    }
    int run(const std::string& text) { return host().runText(text, "script.lua"); }
    /// What the script prints.
    std::string printed(const std::string& text) {
        out_.clear();
        run(text);
        return out_;
    }
    /// The message of the error with which the script ends.
    std::string failure(const std::string& text) {
        try {
            run(text);
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    }
    void expectFails(const std::string& text, const std::string& words) {
        const auto message = failure(text);
        EXPECT_NE(message.find(words), std::string::npos) << text << "\n  gave: " << message;
        EXPECT_EQ(message.rfind("script.lua:", 0), 0u) << text << "\n  gave: " << message;
    }
    /// The script checks itself with assert.
    void expectHolds(const std::string& text) { EXPECT_NO_THROW(EXPECT_EQ(run(text), 0) << text) << text; }
    void writeFile(const std::filesystem::path& name, const std::string& text) const {
        std::filesystem::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name) << text;
    }

    PluginHost plugins_;
    LuaOptions options_;
    std::unique_ptr<LuaHost> host_;
    std::filesystem::path root_, folder_;
    std::string out_, log_;
};

} // namespace raphe::test
