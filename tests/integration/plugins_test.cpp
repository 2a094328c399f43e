// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/session.h"
#include "engine/mechanisms/conformance.h"
#include "engine/mechanisms/plugin_host.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

class BrokenPlugins : public testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::path(testing::TempDir()) / ("raphe_broken_" + std::to_string(getpid()));
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    void manifest(const std::string& name, const std::string& tag) const {
        std::ofstream(folder_ / (name + ".json"))
            << R"({"raphe_plugin": 1, "name": ")" << name
            << R"(", "version": "1.0.0", "licence": "Apache-2.0", "abi": ")" << tag << R"(", "mechanisms": []})";
    }
    void library(const std::string& name, const std::string& as = {}) const {
        fs::copy_file(fs::path(BROKEN_PLUGINS) / (name + ".so"), folder_ / ((as.empty() ? name : as) + ".so"));
    }

    /// The one record of the folder; the host itself must come through unharmed.
    PluginRecord only(PluginStage stage) {
        PluginHost host;
        host.loadFolder(folder_);
        EXPECT_EQ(host.records().size(), 1u);
        EXPECT_EQ(host.records().at(0).stage, stage)
            << nameOf(host.records()[0].stage) << ": " << host.records()[0].error;
        EXPECT_EQ(host.records()[0].error.find('\n'), std::string::npos) << "one sentence";
        return host.records()[0];
    }
    static void expectSays(const PluginRecord& record, const std::string& words) {
        EXPECT_NE(record.error.find(words), std::string::npos) << record.error;
    }

    fs::path folder_;
};

TEST_F(BrokenPlugins, AGoodOneLoads) {
    manifest("good", PluginHost::abiTag());
    library("good");
    EXPECT_EQ(only(PluginStage::registered).error, "");
}

TEST_F(BrokenPlugins, AnotherAbiIsRefusedBeforeAnyCodeRuns) {
    manifest("throwing", "sdk=99;cxxabi=1;cxx11=1;eigen=9.9.9;align=16;index=4");
    library("throwing");
    const auto record = only(PluginStage::manifestRead);
    expectSays(record, "sdk=99");
    expectSays(record, PluginHost::abiTag());
    expectSays(record, "rebuild");
}

TEST_F(BrokenPlugins, AStaleManifestCannotLie) {
    manifest("stale", PluginHost::abiTag());
    library("stale");
    expectSays(only(PluginStage::compatible), "another age");
}

TEST_F(BrokenPlugins, AMissingExportIsNamed) {
    manifest("no_export", PluginHost::abiTag());
    library("no_export");
    expectSays(only(PluginStage::compatible), "raphe_plugin");
}

TEST_F(BrokenPlugins, TheLinkersOwnWordsAreKept) {
    manifest("undefined_symbol", PluginHost::abiTag());
    library("undefined_symbol");
    expectSays(only(PluginStage::compatible), "raphe_symbol_that_nobody_defines");
}

TEST_F(BrokenPlugins, AThrowingPluginIsDisabled) {
    manifest("throwing", PluginHost::abiTag());
    library("throwing");
    expectSays(only(PluginStage::loaded), "the coffee machine is on fire");
}

TEST_F(BrokenPlugins, ADuplicateNameIsRefusedNamingTheOther) {
    manifest("a_first", PluginHost::abiTag());
    library("good", "a_first");
    manifest("b_second", PluginHost::abiTag());
    library("good", "b_second");
    PluginHost host;
    host.loadFolder(folder_);
    ASSERT_EQ(host.records().size(), 2u);
    EXPECT_EQ(host.records()[0].error, "");
    expectSays(host.records()[1], "already provided by a_first");
    EXPECT_EQ(host.registry().keys().size(), 1u);
}

TEST_F(BrokenPlugins, MissingAndDamagedFilesAreReported) {
    manifest("gone", PluginHost::abiTag());
    expectSays(only(PluginStage::compatible), "missing");
    fs::remove(folder_ / "gone.json");
    std::ofstream(folder_ / "cut.json") << R"({"raphe_plugin": 1, "name": "cu)";
    expectSays(only(PluginStage::found), "cut.json");
    fs::remove(folder_ / "cut.json");
    library("good");
    expectSays(only(PluginStage::found), "no manifest");
    fs::remove(folder_ / "good.so");
    manifest("text", PluginHost::abiTag());
    std::ofstream(folder_ / "text.so") << "not a library";
    expectSays(only(PluginStage::compatible), "cannot be loaded");
}

TEST(Conformance, FindsWhatIsWrongWithAMechanism) {
    struct Params {
        int units = 2;
        double rate = -1;
    };
    static auto declaration = Declaration<Params>{"faulty", "1.0.0", ""}
                                  .param("units", &Params::units, {.help = "Units", .min = 1})
                                  .param("rate", &Params::rate, {.help = "", .min = 0})
                                  .output("output", "units", {.help = "y"});
    MechanismEntry entry;
    entry.declaration = declaration.data(Kind::model);
    const auto report = checkMechanism(entry);
    EXPECT_EQ(report.failures.size(), 3u) << "no summary, no help, a default out of range";
}

} // namespace
} // namespace raphe::test
