// SPDX-License-Identifier: Apache-2.0
// raphe branch and raphe reproduce as a user meets them.
#include "engine/base/files.h"
#include "engine/document/json_reader.h"
#include "engine/runs/run_reader.h"
#include "support/program.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

class Branches : public testing::Test {
protected:
    Branches()
        : root_(fs::path(testing::TempDir()) / ("branches_" + std::to_string(::getpid()) + "_" +
                                                testing::UnitTest::GetInstance()->current_test_info()->name())) {
        fs::remove_all(root_);
        fs::create_directories(root_);
    }
    ~Branches() override { fs::remove_all(root_); }
    static ProgramResult call(std::vector<std::string> words) {
        words.insert(words.begin(), RAPHE_PROGRAM);
        return Program(std::move(words)).finish();
    }
    std::string folder(const char* name) const { return (root_ / name).string(); }
    /// A small run; returns its hash.
    std::string train(const char* name, std::vector<std::string> more = {}) {
        std::vector<std::string> words{"run",   "cue_small_A_simple", "--set",  "trials=4", "--set", "iterations=60",
                                       "--out", folder(name),         "--json", "--quiet"};
        words.insert(words.end(), more.begin(), more.end());
        return hashOf(call(words));
    }
    static std::string hashOf(const ProgramResult& result) {
        EXPECT_EQ(result.exitCode, 0) << result.err;
        return Json::parse(result.out.substr(result.out.rfind("{\"event\":\"end\"")))["run_hash"];
    }
    Json reproduced(const char* name, int exitCode, std::vector<std::string> more = {}) {
        std::vector<std::string> words{"reproduce", folder(name), "--json"};
        words.insert(words.end(), more.begin(), more.end());
        const auto result = call(words);
        EXPECT_EQ(result.exitCode, exitCode) << result.out << result.err;
        return Json::parse(result.out);
    }
    fs::path root_;
};

TEST_F(Branches, WithoutAChangeAreTheTrunk) {
    const auto trunk = train("trunk");
    for (const char* at : {"0", "17", "59"})
        EXPECT_EQ(hashOf(call({"branch", folder("trunk"), "--at", at, "--out", folder(at), "--json", "--quiet"})),
                  trunk)
            << at;
}

TEST_F(Branches, DifferOnlyFromTheIterationOn) {
    train("trunk");
    hashOf(call({"branch", folder("trunk"), "--at", "20", "--intervene", "modulator.output=clamp:0", "--out",
                 folder("branch"), "--json", "--quiet"}));
    const auto csv = [&](const char* name) {
        const auto file = (root_ / (std::string(name) + ".csv")).string();
        EXPECT_EQ(call({"export", folder(name), "-o", file}).exitCode, 0);
        std::vector<std::string> rows; // without the seconds
        std::istringstream text(readBytes(file, 1 << 20));
        for (std::string line; std::getline(text, line);) {
            const auto first = line.find(','), second = line.find(',', first + 1);
            rows.push_back(line.substr(0, first) + line.substr(second));
        }
        return rows;
    };
    const auto a = csv("trunk"), b = csv("branch");
    ASSERT_EQ(a.size(), 61u);
    ASSERT_EQ(b.size(), 61u);
    for (std::size_t i = 0; i <= 20; ++i) EXPECT_EQ(a[i], b[i]) << i;
    EXPECT_NE(a[21], b[21]) << "the same trials, another network";
    EXPECT_EQ(reproduced("branch", 0)["same"], true);
    EXPECT_EQ(reproduced("trunk", 0, {"--threads", "3"})["same"], true);
    hashOf(call({"branch", folder("branch"), "--at", "40", "--set", "learner.learning_rate=0.01", "--out",
                 folder("twig"), "--json", "--quiet"}));
    EXPECT_EQ(reproduced("twig", 0)["same"], true);
}

TEST_F(Branches, AreComputedAgainWhereTheyWereMovedWithTheirTrunk) {
    train("trunk");
    const auto hash = hashOf(call({"branch", folder("trunk"), "--at", "20", "--intervene", "modulator.output=clamp:0",
                                   "--out", folder("branch"), "--json", "--quiet"}));
    fs::create_directories(folder("else where"));
    fs::rename(folder("branch"), folder("else where/branch"));
    fs::rename(folder("trunk"), folder("kept"));
    const auto alone = call({"reproduce", folder("else where/branch")});
    EXPECT_EQ(alone.exitCode, 2);
    EXPECT_NE(alone.err.find("no longer there; put that run back, or beside the branch"), std::string::npos)
        << alone.err;
    fs::rename(folder("kept"), folder("else where/trunk"));
    EXPECT_EQ(reproduced("else where/branch", 0)["run_hash"], hash);
}

TEST_F(Branches, SayWhatDoesNotFit) {
    train("trunk");
    const auto refused = [&](std::vector<std::string> words, const char* text) {
        words.insert(words.begin(), {"branch", folder("trunk"), "--out", folder("none")});
        const auto result = call(words);
        EXPECT_EQ(result.exitCode, 2);
        EXPECT_NE(result.err.find(text), std::string::npos) << result.err;
        EXPECT_FALSE(fs::exists(folder("none")));
    };
    refused({"--at", "61"}, "has 60 iterations, so a branch begins after 0 to 60");
    refused({"--at", "60"}, "ask for more with --iterations");
    refused({"--at", "10", "--set", "agent.hidden=7"}, "does not fit the changed experiment: agent.input_weight");
    refused({"--at", "10", "--set", "agent.hiden=7"}, "did you mean");
    EXPECT_NE(call({"branch", folder("missing"), "--at", "1"}).exitCode, 0);
}

// A plugin that computes something else from one step of the trial on.
TEST_F(Branches, ReproductionNamesIterationStepAndSignal) {
    ASSERT_EQ(setenv("RAPHE_PLUGIN_PATH", DRIFTING_PLUGIN, 1), 0);
    const auto document = folder("drift.json");
    std::ofstream(document) << R"({"raphe": 1, "name": "drift", "iterations": 30, "trials": 4, "nodes": {
        "task": {"mechanism": "task.measure_wait_go"},
        "first": {"mechanism": "model.dense", "params": {"units": 5}},
        "middle": {"mechanism": "model.drifting", "params": {"units": 5}},
        "last": {"mechanism": "model.dense", "params": {"units": 1}},
        "learner": {"mechanism": "rule.supervised"}},
        "wires": ["task.observation -> first.input", "first.output -> middle.u", "middle.x -> last.input",
                  "last.output -> learner.prediction", "task.target -> learner.target", "task.mask -> learner.mask"]})";
    const auto run = [&](const char* name, std::vector<std::string> more) {
        std::vector<std::string> words{"run", document, "--out", folder(name), "--json", "--quiet"};
        words.insert(words.end(), more.begin(), more.end());
        return hashOf(call(words));
    };
    run("recorded", {"--record-all"});
    run("silent", {});
    EXPECT_EQ(reproduced("recorded", 0)["same"], true);
    ASSERT_EQ(setenv("DRIFT_STEP", "13", 1), 0);
    const auto found = reproduced("recorded", 1);
    EXPECT_EQ(found["iteration"], 0);
    EXPECT_EQ(found["signal"], "middle.x") << "before all that depends on it";
    EXPECT_EQ(found["step"], 13);
    EXPECT_EQ(found["unit"], 2);
    const auto silent = reproduced("silent", 1);
    EXPECT_EQ(silent["iteration"], 0);
    EXPECT_EQ(silent["signal"], "middle.x") << "told by the trace of the beginning";
    EXPECT_EQ(silent["step"], 13);
    EXPECT_EQ(silent["traced_after"], 0);
    EXPECT_NE(
        silent["sentence"].get<std::string>().find("signal middle.x at step 13 of a trial under the initial weights"),
        std::string::npos)
        << silent["sentence"];
    unsetenv("DRIFT_STEP");
    unsetenv("RAPHE_PLUGIN_PATH");
}

// A plugin that computes something else only once training has brought the network there.
TEST_F(Branches, ReproductionLooksAtTheStatesThatWereKept) {
    ASSERT_EQ(setenv("RAPHE_PLUGIN_PATH", DRIFTING_PLUGIN, 1), 0);
    const auto document = folder("drift.json");
    std::ofstream(document) << R"({"raphe": 1, "name": "drift", "iterations": 200, "trials": 4, "nodes": {
        "task": {"mechanism": "task.measure_wait_go"},
        "first": {"mechanism": "model.dense", "params": {"units": 5}},
        "middle": {"mechanism": "model.drifting", "params": {"units": 5}},
        "last": {"mechanism": "model.dense", "params": {"units": 1}},
        "learner": {"mechanism": "rule.supervised", "params": {"learning_rate": 0.2}}},
        "wires": ["task.observation -> first.input", "first.output -> middle.u", "middle.x -> last.input",
                  "last.output -> learner.prediction", "task.target -> learner.target", "task.mask -> learner.mask"]})";
    ASSERT_EQ(call({"run", document, "--out", folder("run"), "--quiet", "--checkpoint-every", "50"}).exitCode, 0);
    // What its units reach at the beginning and at the end.
    const auto reached = [&](const char* iterations) {
        const auto name = std::string("until_") + iterations;
        EXPECT_EQ(call({"run", document, "--out", folder(name.c_str()), "--quiet", "--record-all", "--set",
                        std::string("iterations=") + iterations})
                      .exitCode,
                  0);
        double most = 0;
        for (const auto& signal : RunReader::open(folder(name.c_str())).signals("middle.x"))
            for (const double value : signal.tensor.values) most = std::max(most, value);
        return most;
    };
    const double early = reached("1"), late = reached("200");
    ASSERT_GT(late, 1.5 * early + 0.1) << "the network does not come there";
    ASSERT_EQ(setenv("DRIFT_STEP", "0", 1), 0);
    ASSERT_EQ(setenv("DRIFT_ABOVE", std::to_string((early + late) / 2).c_str(), 1), 0);
    const auto found = reproduced("run", 1);
    EXPECT_GT(found["iteration"], 0);
    EXPECT_EQ(found["signal"], "middle.x");
    EXPECT_EQ(found["traced_after"], 150) << "the older of the two that are kept";
    unsetenv("DRIFT_ABOVE");
    unsetenv("DRIFT_STEP");
    unsetenv("RAPHE_PLUGIN_PATH");
}

} // namespace
} // namespace raphe::test
