// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_list.h"
#include "engine/runs/run_store.h"

#include "temporary_directory.h"

#include <gmock/gmock.h>

#include <fstream>

namespace raphe {
namespace {

using test::sentenceOf;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void writeRun(const std::filesystem::path& folder, const std::string& hidden, double reward, const std::string& exit) {
    auto store =
        RunStore::create(folder, R"({"raphe": 1, "name": "cue", "trials": 4, "nodes": {"agent": {"mechanism": )"
                                 R"("model.plastic_rnn", "params": {"hidden": )" +
                                     hidden + "}}}}");
    store.setProvenance("seed", "3");
    if (!exit.empty()) store.setProvenance("exit", exit);
    for (int i = 0; i < 40; ++i) store.appendMetrics({i, 0.1 * i, {{"reward", i < 38 ? 0 : reward}}});
}

TEST(RunList, FindsRunsBelowAFolderAndSaysWhatTheyAre) {
    const TemporaryDirectory root;
    writeRun(root.path() / "a", "8", 10, "done");
    writeRun(root.path() / "study" / "b", "16", 2, "");
    std::filesystem::create_directories(root.path() / "c");
    std::ofstream(root.path() / "c" / "run.sqlite") << "no database";
    const auto folders = findRuns(root.path());
    ASSERT_THAT(folders, ElementsAre(root.path() / "a", root.path() / "c", root.path() / "study" / "b"));

    const auto a = runEntry(folders[0]), c = runEntry(folders[1]), b = runEntry(folders[2]);
    EXPECT_EQ(a.experiment, "cue");
    EXPECT_EQ(a.state, "done");
    EXPECT_EQ(a.iterations, 40);
    ASSERT_EQ(a.metrics.size(), 1u);
    EXPECT_DOUBLE_EQ(a.metrics[0].second, 10) << "the mean over the last 2 of 40";
    EXPECT_EQ(b.state, "interrupted");
    EXPECT_EQ(c.state, "unreadable");
    EXPECT_THAT(c.problem, HasSubstr("c"));
    EXPECT_THAT(differingSettings({a, b, c}), ElementsAre("agent.hidden"));
}

TEST(RunList, ARunThatIsBeingWrittenIsRunning) {
    const TemporaryDirectory root;
    auto store = RunStore::create(root.path() / "a", R"({"raphe": 1, "name": "cue"})");
    EXPECT_EQ(runEntry(root.path() / "a").state, "running");
}

TEST(RunList, AFolderThatIsNotThereHoldsNoRuns) { EXPECT_THAT(findRuns("/no/such/folder"), IsEmpty()); }

TEST(RunFilter, TakesWordsAndComparisons) {
    RunEntry run;
    run.folder = "runs/cue-1";
    run.experiment = "cue";
    run.state = "done";
    run.seed = "3";
    run.metrics = {{"reward", 9.5}};
    run.settings = {{"agent.hidden", "32"}, {"agent.rule", "\"simple\""}};
    for (const char* text : {"", "cue", "CUE done", "reward > 9", "reward>9", "reward >= 9.5 seed = 3",
                             "agent.hidden <= 32", "simple", "seed != 4"})
        EXPECT_TRUE(RunFilter(text).accepts(run)) << text;
    for (const char* text : {"mwg", "reward > 10", "cue reward < 9", "loss > 0", "agent.rule > 1"})
        EXPECT_FALSE(RunFilter(text).accepts(run)) << text;
}

TEST(RunFilter, ExplainsHalfAComparison) {
    EXPECT_THAT(sentenceOf([] { RunFilter("reward >"); }), HasSubstr("expected a number after \"reward >\""));
    EXPECT_THAT(sentenceOf([] { RunFilter("> 3"); }), HasSubstr("expected a name before \">\""));
}

} // namespace
} // namespace raphe
