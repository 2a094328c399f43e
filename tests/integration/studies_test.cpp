// SPDX-License-Identifier: Apache-2.0
// Studies as a user meets them: runs once, resumable, the same table however it came to be.
#include "engine/base/files.h"
#include "engine/document/json_reader.h"
#include "support/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

class Studies : public testing::Test {
protected:
    Studies()
        : root_(fs::path(testing::TempDir()) / ("studies_" + std::to_string(::getpid()) + "_" +
                                                testing::UnitTest::GetInstance()->current_test_info()->name())) {
        fs::remove_all(root_);
        fs::create_directories(root_);
    }
    ~Studies() override { fs::remove_all(root_); }

    static Json document(int iterations = 40) {
        return Json::parse(R"({"raphe_study": 1, "name": "small",
            "variants": {"simple": {"experiment": "cue_small_A_simple"}, "none": {"experiment": "cue_small_A_none"}},
            "axes": {"agent.hidden": [6, 9]}, "seeds": 3,
            "measures": {"reward": "reward", "fresh": {"metric": "reward", "evaluate": {"trials": 10}}},
            "bars": [{"measure": "reward", "variant": "simple", "at_least": -100}],
            "set": {"iterations": )" +
                           std::to_string(iterations) + ", \"trials\": 6}}");
    }
    std::string write(const Json& study, const std::string& name = "study.study.json") {
        std::ofstream(root_ / name) << study.dump(1);
        return (root_ / name).string();
    }
    std::string folder(const std::string& name = "study") const { return (root_ / name).string(); }
    static ProgramResult call(std::vector<std::string> words) {
        words.insert(words.begin(), {RAPHE_PROGRAM, "study"});
        return Program(std::move(words)).finish();
    }
    static std::string table(const std::string& folder) { return readBytes(fs::path(folder) / "table.csv", 1 << 20); }
    static std::set<std::string> runs(const std::string& folder) {
        std::set<std::string> result;
        for (const auto& item : fs::directory_iterator(fs::path(folder) / "runs"))
            result.insert(item.path().filename());
        return result;
    }
    /// When each run's database was last written.
    static std::map<std::string, fs::file_time_type> written(const std::string& folder) {
        std::map<std::string, fs::file_time_type> result;
        for (const auto& id : runs(folder))
            result[id] = fs::last_write_time(fs::path(folder) / "runs" / id / "run.sqlite");
        return result;
    }
    fs::path root_;
};

TEST_F(Studies, HaveTheSameTableForAnyNumberOfWorkers) {
    const auto study = write(document());
    std::string first;
    for (const char* workers : {"1", "2", "5"}) {
        const auto out = folder(std::string("w") + workers);
        const auto result = call({"run", study, "--out", out, "--workers", workers, "--quiet"});
        ASSERT_EQ(result.exitCode, 0) << result.err;
        if (first.empty()) first = table(out);
        EXPECT_EQ(table(out), first);
    }
    EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 13);
    EXPECT_EQ(first.find(",,"), std::string::npos) << first;
}

TEST_F(Studies, RunOnlyWhatIsNew) {
    auto json = document();
    ASSERT_EQ(call({"run", write(json), "--out", folder(), "--quiet"}).exitCode, 0);
    const auto before = written(folder());
    EXPECT_EQ(before.size(), 12u);

    json["figures"] = Json::parse(R"([{"name": "curves", "metric": "reward"}])");
    json["bars"][0]["at_least"] = -50;
    json["variants"]["plain"] = json["variants"]["none"]; // another name for the same runs
    ASSERT_EQ(call({"run", write(json), "--out", folder(), "--quiet"}).exitCode, 0);
    EXPECT_EQ(written(folder()), before);

    json["measures"]["longer"] = Json::parse(R"({"metric": "reward", "evaluate": {"trials": 30}})");
    ASSERT_EQ(call({"run", write(json), "--out", folder(), "--quiet"}).exitCode, 0);
    EXPECT_EQ(runs(folder()).size(), 12u);
    const auto result = Json::parse(call({"status", folder(), "--json"}).out);
    for (const auto& run : result["runs"]) {
        EXPECT_EQ(run["state"], "done");
        EXPECT_EQ(run["measures"].size(), 3u);
        EXPECT_EQ(run["iterations"], 40);
    }

    json["seeds"] = 4;
    ASSERT_EQ(call({"run", write(json), "--out", folder(), "--quiet"}).exitCode, 0);
    EXPECT_EQ(runs(folder()).size(), 16u);
    const auto after = written(folder());
    for (const auto& [id, time] : before) EXPECT_EQ(after.at(id), time) << id << " was run again";

    json["seeds"] = 1;
    EXPECT_NE(call({"clean", write(json), "--out", folder()}).out.find("removed"), std::string::npos);
    EXPECT_EQ(runs(folder()).size(), 4u);
}

TEST_F(Studies, SurviveKillsOfWorkersAndExecutor) {
    const auto study = write(document(300));
    ASSERT_EQ(call({"run", study, "--out", folder("whole"), "--quiet"}).exitCode, 0);
    std::mt19937 random(5);
    for (int round = 0; round < 8; ++round) {
        Program executor(
            {RAPHE_PROGRAM, "study", "run", study, "--out", folder(), "--quiet", "--workers", "3", "--retry"});
        std::this_thread::sleep_for(std::chrono::milliseconds(30 + random() % 400));
        const int signal = round % 2 == 0 ? SIGKILL : SIGINT;
        executor.signal(signal);
        const auto result = executor.finish();
        if (signal == SIGINT && result.exitCode != 0) {
            EXPECT_EQ(result.exitCode, 130) << result.err;
        }
    }
    // Workers of a killed executor end by themselves, after a checkpoint.
    ProgramResult last;
    for (int attempt = 0; attempt < 100; ++attempt) {
        last = call({"run", study, "--out", folder(), "--quiet", "--retry"});
        const auto status = Json::parse(call({"status", folder(), "--json"}).out);
        if (std::all_of(status["runs"].begin(), status["runs"].end(),
                        [](const Json& run) { return run["state"] == "done"; }))
            break;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ASSERT_EQ(call({"run", study, "--out", folder(), "--quiet"}).exitCode, 0);
    EXPECT_EQ(table(folder()), table(folder("whole")));
}

TEST_F(Studies, TwoExecutorsNeverDoTheSameRun) {
    const auto study = write(document(400));
    Program a({RAPHE_PROGRAM, "study", "run", study, "--out", folder(), "--json", "--quiet", "--workers", "2"});
    Program b({RAPHE_PROGRAM, "study", "run", study, "--out", folder(), "--json", "--quiet", "--workers", "2"});
    const auto first = a.finish(), second = b.finish();
    std::multiset<std::string> ended;
    for (const auto* result : {&first, &second}) {
        std::istringstream lines(result->out);
        for (std::string line; std::getline(lines, line);)
            if (const auto item = Json::parse(line); item["event"] == "run")
                ended.insert(item["id"].get<std::string>());
    }
    // What one has done and the other finds done is not run again: its hash and its one start stay.
    ASSERT_EQ(call({"run", study, "--out", folder(), "--quiet"}).exitCode, 0);
    ASSERT_EQ(call({"run", study, "--out", folder("whole"), "--quiet"}).exitCode, 0);
    EXPECT_EQ(table(folder()), table(folder("whole")));
    EXPECT_GE(ended.size(), 12u);
}

TEST_F(Studies, WriteDownFailuresAndGoOn) {
    auto json = document();
    json.erase("axes");
    json["variants"]["wild"] = Json::parse(
        R"({"experiment": "mwg_small_lr_rnn", "set": {"learner.learning_rate": 1e30, "learner.clip_norm": 0, "learner.optimiser": "sgd", "trials": 0}})");
    json["measures"] = Json::parse(R"({"loss": "loss"})");
    json["bars"] = Json::array();
    const auto study = write(json);
    const auto result = call({"run", study, "--out", folder(), "--json", "--quiet"});
    EXPECT_EQ(result.exitCode, 1);
    const auto status = Json::parse(call({"status", folder(), "--json"}).out);
    int failed = 0, done = 0;
    for (const auto& run : status["runs"]) {
        if (run["state"] == "failed") {
            ++failed;
            EXPECT_EQ(run["variant"], "wild");
            EXPECT_NE(run["problem"].get<std::string>().find("iteration"), std::string::npos) << run["problem"];
        }
        done += run["state"] == "done";
    }
    EXPECT_EQ(failed, 3);
    EXPECT_EQ(done, 6);
    const auto before = written(folder());
    EXPECT_EQ(call({"run", study, "--out", folder(), "--quiet"}).exitCode, 1); // not tried again unless asked
    EXPECT_EQ(written(folder()), before);

    // A worker that dies without a word.
    const auto id = status["runs"][0]["id"].get<std::string>();
    std::ofstream(fs::path(folder()) / "runs" / id / "run.sqlite", std::ios::trunc) << "no database";
    const auto broken = Json::parse(call({"status", folder(), "--json"}).out);
    EXPECT_EQ(broken["runs"][0]["state"], "failed");
    EXPECT_FALSE(broken["runs"][0]["problem"].get<std::string>().empty());
}

TEST_F(Studies, SayWhatIsWrongWithADocument) {
    const auto expectProblem = [&](const char* pointer, const Json& value, const std::string& text) {
        auto json = document();
        json[Json::json_pointer(pointer)] = value;
        const auto result = call({"run", write(json), "--out", folder("none")});
        EXPECT_EQ(result.exitCode, 2) << text;
        EXPECT_NE(result.err.find(text), std::string::npos) << result.err;
        EXPECT_FALSE(fs::exists(folder("none"))) << text;
    };
    expectProblem("/raphe_study", 2, "raphe_study: expected version 1");
    expectProblem("/sees", 3, "sees: unknown field \"sees\"; did you mean \"seeds\"");
    expectProblem("/seeds", 0, "seeds: expected integer from 1");
    expectProblem("/seeds", Json{1, 2, 1}, "seeds[2]: seed 1 is in the list already");
    expectProblem("/variants", Json::object(), "variants: expected an object with at least one variant");
    expectProblem("/variants/none/experiment", "cue_smal_A_none",
                  "variants.none: cue_smal_A_none: neither a file nor an experiment");
    expectProblem("/variants/none/set", Json{{"agent.hiden", 3}}, "variants.none.set.agent.hiden:");
    expectProblem("/variants/none/document", Json{{"wires", Json::array()}},
                  "variants.none, agent.hidden = 6: nodes.agent: nothing is wired");
    expectProblem("/axes/agent.hidden", Json::array(), "axes.agent.hidden: expected a list of 1 to 10000 values");
    expectProblem("/axes/agent.hidden", Json{{"from", 1}, {"to", 0}, {"count", 3}, {"log", true}},
                  "axes.agent.hidden: a range of logarithms");
    expectProblem("/axes/agent.hidden", Json{-1}, "axes.agent.hidden:");
    expectProblem("/sampling", "gird", "sampling: expected one of grid, zip");
    expectProblem("/measures/fresh", Json{{"evaluate", Json::object()}}, "measures.fresh: a measure needs \"metric\"");
    expectProblem("/measures/fresh", Json{{"metric", "reward"}, {"over", 2}}, "measures.fresh.over: expected a part");
    expectProblem("/measures/fresh", Json{{"metric", "reward"}, {"evaluate", {{"set", {{"task.cuees", 1}}}}}},
                  "measures.fresh:");
    expectProblem("/bars/0/variant", "simpel",
                  "bars[0].variant: there is no variant \"simpel\"; did you mean \"simple\"");
    expectProblem("/bars/0/p", 0.05, "bars[0].p: a rank test needs");
    expectProblem("/figures", Json::parse(R"([{"name": "a", "kind": "measures"}])"),
                  "figures[0]: a figure of measures needs");
    EXPECT_NE(call({"run", "no_such_study"}).err.find("neither a study document nor a study"), std::string::npos);
    EXPECT_NE(call({"status", root_.string()}).err.find("holds no study"), std::string::npos);
}

TEST_F(Studies, JudgeTheirBars) {
    auto json = document();
    json["axes"] = Json::parse(R"({"agent.hidden": {"from": 4, "to": 16, "count": 2, "log": true}})");
    json["bars"] = Json::parse(R"([
        {"measure": "reward", "variant": "simple", "statistic": "lowest", "above": -100},
        {"measure": "reward", "variant": "simple", "statistic": "highest", "at_least": 100},
        {"measure": "reward", "variant": "none", "minus": "none", "statistic": "mean", "at_least": 0, "at_most": 0},
        {"measure": "reward", "variant": "none", "over": "none", "at_least": 1, "at_most": 1, "where": {"agent.hidden": 16}},
        {"measure": "reward", "variant": "none", "minus": "none", "above": -1, "p": 0.05},
        {"measure": "reward", "variant": "simple", "statistic": "rate", "solved": -100, "at_least": 1}])");
    const auto study = write(json);
    const auto open = Json::parse(call({"table", study, "--out", folder(), "--json"}).out);
    for (const auto& bar : open["bars"]) EXPECT_FALSE(bar["complete"].get<bool>() || bar["met"].get<bool>());
    ASSERT_EQ(call({"run", study, "--out", folder(), "--quiet"}).exitCode, 0);
    const auto result = call({"table", study, "--out", folder(), "--json"});
    EXPECT_EQ(result.exitCode, 1) << "a bar is not met";
    const auto bars = Json::parse(result.out)["bars"];
    const bool expected[] = {true, false, true, true, false, true};
    for (std::size_t i = 0; i < bars.size(); ++i) EXPECT_EQ(bars[i]["met"], expected[i]) << bars[i].dump();
}

TEST_F(Studies, ReportInOnePage) {
#ifndef RAPHE_HAS_FIGURE
    GTEST_SKIP() << "figures are drawn by raphe-figure, which this build does not have";
#endif
    auto json = document();
    json["doc"] = "Less < more & \"more\"";
    json["figures"] = Json::parse(
        R"([{"name": "curves", "metric": "reward"}, {"name": "final", "kind": "measures", "measure": "fresh"}])");
    const auto study = write(json);
    ASSERT_EQ(call({"run", study, "--out", folder(), "--quiet"}).exitCode, 0);
    const auto result = call({"report", folder()});
    ASSERT_EQ(result.exitCode, 0) << result.err;
    const auto page = readBytes(fs::path(folder()) / "report.html", 1 << 26);
    EXPECT_NE(page.find("Less &lt; more &amp; &quot;more&quot;"), std::string::npos);
    EXPECT_EQ(page.find("http-equiv"), std::string::npos);
    EXPECT_EQ(page.find("src="), std::string::npos) << "nothing from elsewhere";
    std::size_t pictures = 0;
    for (auto at = page.find("<svg"); at != std::string::npos; at = page.find("<svg", at + 1)) ++pictures;
    EXPECT_EQ(pictures, 2u);
    EXPECT_NE(page.find("12 runs: 12 done"), std::string::npos);
}

TEST_F(Studies, ThatComeWithRaphePassTheCheck) {
    int count = 0;
    for (const auto& item : fs::directory_iterator(fs::path(RESOURCES) / "studies")) {
        const auto result = call({"check", item.path().string()});
        EXPECT_EQ(result.exitCode, 0) << result.err;
        ++count;
    }
    EXPECT_GE(count, 2);
}

} // namespace
} // namespace raphe::test
