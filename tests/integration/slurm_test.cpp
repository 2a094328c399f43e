// SPDX-License-Identifier: Apache-2.0
// Studies on a real Slurm of one node, started by tests/slurm/one_node.sh.
#include "engine/base/files.h"
#include "engine/document/json_reader.h"
#include "support/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

class Slurm : public testing::Test {
protected:
    Slurm() : root_(fs::path(testing::TempDir()) / ("slurm_" + std::to_string(::getpid()))) {
        fs::remove_all(root_);
        fs::create_directories(root_);
    }
    void SetUp() override {
        const auto result = Program({"/bin/bash", SLURM_SCRIPT, "start", (root_ / "cluster").string()}).finish();
        const auto at = result.out.find("SLURM_CONF=");
        if (result.exitCode == 0 && at != std::string::npos) {
            setenv("SLURM_CONF", result.out.substr(at + 11, result.out.find('\n', at) - at - 11).c_str(), 1);
            started_ = true;
            return;
        }
        if (std::getenv("RAPHE_REQUIRE_SLURM")) FAIL() << "Slurm cannot be started here: " << result.err;
        GTEST_SKIP() << "Slurm cannot be started here: " << result.err;
    }
    void TearDown() override {
        if (started_) Program({"/bin/bash", SLURM_SCRIPT, "stop", (root_ / "cluster").string()}).finish();
        unsetenv("SLURM_CONF");
        fs::remove_all(root_);
    }

    std::string write(int iterations, const char* more = "") {
        const auto path = (root_ / "s.study.json").string();
        std::ofstream(path) << R"({"raphe_study": 1, "name": "s", "set": {"trials": 4, "iterations": )" << iterations
                            << R"(},
            "variants": {"simple": {"experiment": "cue_small_A_simple"}, "none": {"experiment": "cue_small_A_none"}}, "seeds": 2,
            "measures": {"reward": "reward", "fresh": {"metric": "reward", "evaluate": {"trials": 10}}})"
                            << more << "}";
        return path;
    }
    std::string folder(const char* name) const { return (root_ / name).string(); }
    static ProgramResult study(std::vector<std::string> words) {
        words.insert(words.begin(), {RAPHE_PROGRAM, "study"});
        return Program(std::move(words)).finish();
    }
    static ProgramResult shell(const std::string& command) { return Program({"/bin/bash", "-c", command}).finish(); }
    Json status(const char* name) { return Json::parse(study({"status", folder(name), "--json"}).out); }
    /// Waits for as long as a slow machine may need.
    static bool within(int seconds, const std::function<bool()>& holds) {
        for (int i = 0; i < seconds * 10; ++i) {
            if (holds()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        return false;
    }
    bool allAre(const char* name, const char* state) {
        const auto runs = status(name)["runs"];
        return std::all_of(runs.begin(), runs.end(), [&](const Json& run) { return run["state"] == state; });
    }
    std::string table(const char* name) {
        const auto file = folder(name) + ".csv";
        study({"table", folder(name), "--csv", file});
        return readBytes(file, 1 << 20);
    }
    fs::path root_;
    bool started_ = false;
};

TEST_F(Slurm, GivesTheTableOfTheLocalExecutor) {
    const auto document = write(40);
    ASSERT_EQ(study({"run", document, "--out", folder("local"), "--quiet"}).exitCode, 0);
    std::ofstream(root_ / "slurm.json") << R"({"partition": "normal", "time": "1:00:00", "cpus": 1})";
    const auto submitted = study(
        {"submit", document, "--out", folder("cluster_runs"), "--slurm", (root_ / "slurm.json").string(), "--json"});
    ASSERT_EQ(submitted.exitCode, 0) << submitted.err;
    EXPECT_EQ(Json::parse(submitted.out)["runs"], 4);
    EXPECT_TRUE(within(600, [&] { return allAre("cluster_runs", "done"); })) << status("cluster_runs").dump();
    EXPECT_EQ(table("cluster_runs"), table("local"));
    EXPECT_EQ(Json::parse(study({"submit", document, "--out", folder("cluster_runs"), "--json"}).out)["runs"], 0);
}

TEST_F(Slurm, APreemptedJobWritesACheckpointAndGoesOn) {
    const auto document = write(6000, R"(, "axes": {"agent.hidden": [50]})");
    ASSERT_EQ(study({"submit", document, "--out", folder("runs"), "--json"}).exitCode, 0);
    // Both cores are taken by runs; then somebody with more right to them comes.
    EXPECT_TRUE(within(300, [&] {
        const auto runs = status("runs")["runs"];
        return std::count_if(runs.begin(), runs.end(), [](const Json& run) { return run["iterations"] > 20; }) > 0;
    }));
    ASSERT_EQ(shell("sbatch -p urgent --exclusive -o /dev/null --wrap 'sleep 1'").exitCode, 0);
    EXPECT_TRUE(within(600, [] { return shell("squeue -h -a -r -o '%r'").out.find("BeginTime") != std::string::npos; }))
        << shell("squeue -a").out;
    const auto queued = status("runs");
    EXPECT_TRUE(std::any_of(queued["runs"].begin(), queued["runs"].end(), [](const Json& run) {
        return run["state"] == "interrupted" && run["iterations"] > 0 && run.value("queue", "") == "PENDING";
    })) << queued.dump();
    // Slurm lets a job that was queued again wait for two minutes; nobody else is here.
    EXPECT_TRUE(within(900, [&] {
        shell("for job in $(squeue -h -a -r -t PENDING -o %A); do scontrol update JobId=$job StartTime=now; done");
        return allAre("runs", "done");
    })) << status("runs").dump();
    ASSERT_EQ(study({"run", document, "--out", folder("local"), "--quiet"}).exitCode, 0);
    EXPECT_EQ(table("runs"), table("local"));
}

TEST_F(Slurm, CancelledJobsLeaveCheckpointsAndTheQueue) {
    const auto document = write(1'000'000);
    ASSERT_EQ(study({"submit", document, "--out", folder("runs")}).exitCode, 0);
    EXPECT_TRUE(within(300, [&] {
        const auto runs = status("runs")["runs"];
        return std::count_if(runs.begin(), runs.end(), [](const Json& run) { return run["iterations"] > 20; }) > 0;
    }));
    EXPECT_NE(study({"status", folder("runs")}).out.find("pending in the queue"), std::string::npos);
    EXPECT_EQ(study({"cancel", folder("runs")}).out, "1 jobs cancelled\n");
    EXPECT_TRUE(within(300, [&] { return shell("squeue -h").out.empty(); }));
    EXPECT_TRUE(within(120, [&] {
        const auto runs = status("runs")["runs"];
        return std::none_of(runs.begin(), runs.end(),
                            [](const Json& run) { return run["state"] == "running" || run["state"] == "failed"; });
    })) << status("runs").dump();
}

TEST_F(Slurm, SaysWhatIsWrongWithSettings) {
    const auto document = write(40);
    std::ofstream(root_ / "slurm.json") << R"({"partition": "nowhere", "cpu": 2})";
    auto result = study({"submit", document, "--out", folder("runs"), "--slurm", (root_ / "slurm.json").string()});
    EXPECT_EQ(result.exitCode, 2);
    EXPECT_NE(result.err.find("unknown field \"cpu\"; did you mean \"cpus\""), std::string::npos) << result.err;
    std::ofstream(root_ / "slurm.json") << R"({"partition": "nowhere"})";
    result = study({"submit", document, "--out", folder("runs"), "--slurm", (root_ / "slurm.json").string()});
    EXPECT_EQ(result.exitCode, 2);
    EXPECT_NE(result.err.find("invalid partition"), std::string::npos) << result.err;
    EXPECT_EQ(shell("squeue -h").out, "");
}

} // namespace
} // namespace raphe::test
