// SPDX-License-Identifier: Apache-2.0
// Studies as a user meets them: runs once, resumable, the same table however it came to be.
#include "engine/base/npz.h"
#include "studies_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <pty.h>
#include <random>
#include <set>

namespace raphe::test {
namespace {

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
    const auto npz = (root_ / "table.npz").string();
    ASSERT_EQ(call({"table", folder("w1"), "--npz", npz}).exitCode, 0);
    const auto columns = readNpz(npz);
    ASSERT_EQ(columns.size(), 5u);
    EXPECT_EQ(columns[0].name, "variant");
    EXPECT_EQ(columns[0].tensor.values, (std::vector<double>{0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}));
    EXPECT_EQ(columns[1].name, "agent.hidden");
    EXPECT_EQ(columns[1].tensor.values, (std::vector<double>{6, 6, 6, 9, 9, 9, 6, 6, 6, 9, 9, 9}));
    EXPECT_EQ(columns[2].tensor.values, (std::vector<double>{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3}));
    const auto line = first.find("simple,6,1,") + std::string("simple,6,1,").size();
    EXPECT_EQ(columns[3].name, "reward");
    EXPECT_EQ(columns[3].tensor.values[0], std::stod(first.substr(line)));
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
            // -1: ended before it had begun
            EXPECT_TRUE(result.exitCode == 130 || result.exitCode == -1) << result.exitCode << result.err;
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

TEST_F(Studies, SayAfterTheFirstIterationThatThereIsNoSuchMetric) {
    for (const char* measures : {R"({"reward": "rewards"})", R"({"reward": {"metric": "rewards", "evaluate": {}}})"}) {
        auto json = document(1'000'000); // nobody waits for these
        json["measures"] = Json::parse(measures);
        json["bars"] = Json::array();
        json["seeds"] = 1;
        json["variants"].erase("none");
        const auto file = write(json);
        EXPECT_EQ(call({"run", file, "--out", folder()}).exitCode, 1);
        const auto status = Json::parse(call({"status", file, "--out", folder(), "--json"}).out);
        for (const auto& run : status["runs"]) {
            EXPECT_EQ(run["state"], "failed");
            EXPECT_NE(run["problem"].get<std::string>().find("has no metric \"rewards\"; did you mean \"reward\"?"),
                      std::string::npos)
                << run["problem"];
        }
        fs::remove_all(folder());
    }
}

TEST_F(Studies, EndWithTheirStages) {
    auto json =
        Json::parse(R"({"raphe_study": 1, "name": "staged", "seeds": 1, "measures": {"loss": "loss"}, "variants": {
        "staged": {"experiment": "mwg_small_nm_rnn_staged"},
        "one": {"experiment": "mwg_small_lr_rnn", "document": {"stages": [{"name": "everything", "iterations": 10,
            "keep_best": {"metric": "loss", "goal": "min", "of": "training", "every": 2}}]}}}})");
    const auto refused = call({"check", write(json), "--set", "iterations=20"});
    EXPECT_EQ(refused.exitCode, 2);
    EXPECT_NE(refused.err.find("variants.staged: iterations: 20 would end the training before its stages do"),
              std::string::npos)
        << refused.err;
    json["axes"] = Json::parse(R"({"iterations": [20, 30]})");
    EXPECT_NE(call({"check", write(json)}).err.find("before its stages do"), std::string::npos);
    json.erase("axes");
    json["variants"]["staged"]["document"] = Json::parse(R"({"iterations": 20})");
    EXPECT_NE(call({"check", write(json)}).err.find("before its stages do"), std::string::npos);

    // The study's own number shortens the stages in proportion, and what they say in iterations.
    json["variants"]["staged"].erase("document");
    EXPECT_NE(call({"check", write(json), "--iterations", "2"}).err.find("fewer than there are stages (3)"),
              std::string::npos);
    ASSERT_EQ(call({"run", write(json), "--iterations", "20", "--out", folder("shorter"), "--quiet"}).exitCode, 0);
    for (const auto& run : Json::parse(call({"status", folder("shorter"), "--json"}).out)["runs"]) {
        EXPECT_EQ(run["iterations"], 20);
        const auto stages =
            Json::parse(readBytes(fs::path(folder("shorter")) / "runs" / run["id"].get<std::string>() / "work.json",
                                  1 << 20))["experiment"]["stages"];
        if (run["variant"] == "one") {
            EXPECT_EQ(stages[0]["iterations"], 20);
            EXPECT_EQ(stages[0]["keep_best"]["every"], 4);
        } else {
            EXPECT_EQ(stages[0]["iterations"], 4);
            EXPECT_EQ(stages[1]["iterations"], 4);
            EXPECT_EQ(stages[2]["iterations"], 12);
        }
    }

    // A training of one stage has as many iterations as the stage, more or fewer, and ends as the stage does.
    json["variants"].erase("staged");
    const auto study = write(json);
    for (const char* iterations : {"6", "14"}) {
        ASSERT_EQ(call({"run", study, "--out", folder(), "--quiet", "--set", std::string("iterations=") + iterations})
                      .exitCode,
                  0);
        const auto status = Json::parse(call({"status", folder(), "--json"}).out)["runs"][0];
        EXPECT_EQ(status["iterations"], std::stoi(iterations));
        const auto work = Json::parse(
            readBytes(fs::path(folder()) / "runs" / status["id"].get<std::string>() / "work.json", 1 << 20));
        EXPECT_EQ(work["experiment"]["stages"][0]["iterations"], std::stoi(iterations));
    }
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
    expectProblem("/axes/agent.hidden", Json{6, 9, 6}, "axes.agent.hidden[2]: 6 is in the list already");
    expectProblem("/axes", Json{{"seed", {1, 2}}}, "axes.seed: seeds are no axis");
    expectProblem("/set/seed", 4, "set.seed: all variants have the same seeds");
    expectProblem("/sampling", Json{{"random", 3}}, "sampling: asks for 3 points at random; the axes have 2 in all");
    expectProblem("/bars/0/where", Json{{"agent.hidden", 7}}, "bars[0].where.agent.hidden: 7 is none of the values");
    expectProblem("/measures/seed", "reward", "measures.seed: a column of the table has this name");
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

TEST_F(Studies, KeepTheExperimentsOfOthersInTheirFolder) {
    fs::create_directories(root_ / "my files");
    std::ofstream(root_ / "my files" / "mine.json")
        << R"({"raphe": 1, "name": "mine", "base": "cue_small_A_simple", "iterations": 3, "trials": 4})";
    std::ofstream(root_ / "other.json") << R"({"raphe": 1, "base": "my files/mine", "trials": 5})";
    const auto study = write(Json::parse(R"({"raphe_study": 1, "name": "moved", "measures": {"reward": "reward"},
        "variants": {"a": {"experiment": "my files/mine.json"}, "b": {"experiment": "other"}, "c": {"experiment": "cue_small_A_none",
        "set": {"iterations": 3}}}})"));
    ASSERT_EQ(call({"run", study, "--out", folder("out here"), "--quiet"}).exitCode, 0);
    const auto first = table(folder("out here"));
    fs::rename(folder("out here"), folder("moved"));
    fs::remove_all(root_ / "my files");
    fs::remove(root_ / "other.json");
    const auto status = Json::parse(call({"status", folder("moved"), "--json"}).out);
    ASSERT_EQ(status["runs"].size(), 3u);
    for (const auto& run : status["runs"]) EXPECT_EQ(run["state"], "done") << run.dump();
    ASSERT_EQ(call({"run", folder("moved"), "--quiet"}).exitCode, 0);
    EXPECT_EQ(table(folder("moved")), first);
}

TEST_F(Studies, RandomPointsAreDifferentOnes) {
    auto json = document(3);
    json["axes"] = Json::parse(
        R"({"agent.hidden": {"from": 4, "to": 64, "count": 5, "log": true, "round": true}, "trials": [2, 3]})");
    json["sampling"] = Json{{"random", 9}, {"seed", 3}};
    json["seeds"] = 1;
    json["bars"] = Json::array();
    const auto status = Json::parse(call({"status", write(json), "--out", folder(), "--json"}).out);
    std::set<std::string> ids;
    for (const auto& run : status["runs"]) ids.insert(run["id"].get<std::string>());
    EXPECT_EQ(ids.size(), 18u); // of two variants
}

TEST_F(Studies, DrawWhatCanBeDrawn) {
#ifndef RAPHE_HAS_FIGURE
    GTEST_SKIP() << "figures are drawn by raphe-figure, which this build does not have";
#endif
    auto json = document(3);
    json["figures"] = Json::parse(R"([{"name": "wrong", "metric": "rewrad"}, {"name": "curves", "metric": "reward"}])");
    const auto study = write(json);
    auto result = call({"report", study, "--out", folder()});
    EXPECT_EQ(result.exitCode, 1) << "its bar is open" << result.err;
    EXPECT_TRUE(fs::exists(fs::path(folder()) / "report.html")) << result.err;
    result = call({"plot", study, "--out", folder()});
    EXPECT_EQ(result.exitCode, 1);
    EXPECT_NE(result.err.find("no figure can be drawn yet: no run is done"), std::string::npos) << result.err;
    ASSERT_EQ(call({"run", study, "--out", folder(), "--quiet"}).exitCode, 0);
    result = call({"plot", study, "--out", folder()});
    EXPECT_EQ(result.exitCode, 1);
    EXPECT_NE(result.err.find("figures.wrong: "), std::string::npos) << result.err;
    EXPECT_NE(result.out.find("curves.svg"), std::string::npos) << result.out;
    ASSERT_EQ(call({"report", study, "--out", folder()}).exitCode, 0);
    const auto page = readBytes(fs::path(folder()) / "report.html", 1 << 26);
    EXPECT_NE(page.find("no metric is called &quot;rewrad&quot;"), std::string::npos);
    EXPECT_NE(page.find("<svg"), std::string::npos);
}

TEST_F(Studies, FitTheTerminal) {
    const auto study = write(document(400));
    winsize size{8, 44, 0, 0};
    int terminal = -1;
    const auto process = ::forkpty(&terminal, nullptr, nullptr, &size);
    if (process == 0) {
        ::execl(RAPHE_PROGRAM, RAPHE_PROGRAM, "study", "run", study.c_str(), "--out", folder().c_str(), "--workers",
                "7", "--threads", "7", nullptr);
        ::_exit(127);
    }
    std::string said;
    char buffer[4096];
    for (;;) {
        const auto count = ::read(terminal, buffer, sizeof buffer);
        if (count <= 0) break; // the end of the program
        said.append(buffer, static_cast<std::size_t>(count));
    }
    int status = 0;
    ::waitpid(process, &status, 0);
    ::close(terminal);
    EXPECT_EQ(status, 0) << said;
    EXPECT_NE(said.find("and 2 more"), std::string::npos) << said;
    std::istringstream lines(said);
    int progress = 0;
    for (std::string line; std::getline(lines, line);) {
        if (const auto start = line.rfind("\033[2K"); start != std::string::npos) line.erase(0, start + 4);
        while (!line.empty() && line.back() == '\r') line.pop_back();
        if (!line.starts_with("  simple") && !line.starts_with("  none") && !line.ends_with("done")) continue;
        ++progress;
        EXPECT_LT(line.size(), 44u) << line;
    }
    EXPECT_GT(progress, 5) << said;
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
