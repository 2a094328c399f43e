// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_index.h"
#include "engine/runs/run_reader.h"

#include "small_run.h"
#include "temporary_directory.h"

#include <gmock/gmock.h>

#include <fstream>
#include <random>
#include <thread>

namespace raphe {
namespace {

using test::TemporaryDirectory;
using test::writeRun;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// A file system counts time in ticks; beyond one, a run counts as settled.
void letTimePass() { std::this_thread::sleep_for(std::chrono::milliseconds(80)); }

std::vector<std::string> statesOf(const RunList& runs) {
    std::vector<std::string> states;
    for (const auto& run : runs) states.push_back(run->folder.filename().string() + " " + run->state);
    return states;
}

class Index : public testing::Test {
protected:
    Index() { std::filesystem::create_directories(runs); }
    TemporaryDirectory folder;
    std::filesystem::path runs = folder / "runs", file = folder.path() / "cache" / "index.sqlite";
};

TEST_F(Index, OpensOnlyWhatHasChanged) {
    writeRun(runs / "a");
    writeRun(runs / "b");
    letTimePass();
    RunIndex index(runs, file);
    EXPECT_THAT(index.known(), IsEmpty());
    const auto first = index.refresh();
    EXPECT_THAT(statesOf(first), ElementsAre("a done", "b done"));
    EXPECT_EQ(index.opened(), 2u);
    const auto second = index.refresh();
    EXPECT_EQ(index.opened(), 0u);
    EXPECT_EQ(first[0], second[0]) << "the same object";

    { RunStore::open(runs / "b").setProvenance("exit", "failed"); }
    writeRun(runs / "c");
    std::filesystem::remove_all(runs / "a");
    const auto third = index.refresh();
    EXPECT_THAT(statesOf(third), ElementsAre("b failed", "c done"));
    EXPECT_EQ(index.opened(), 2u);
    EXPECT_EQ(index.trouble(), "");
}

TEST_F(Index, IsKeptAndHoldsEverythingOfAnEntry) {
    writeRun(runs / "a", {.hidden = "64", .seed = "7", .reward = 3.25});
    letTimePass();
    const auto read = RunIndex(runs, file).refresh().front();
    RunIndex again(runs, file);
    const auto known = again.known();
    ASSERT_THAT(known, SizeIs(1));
    const auto& kept = *known.front();
    EXPECT_EQ(kept.folder, read->folder);
    EXPECT_EQ(kept.experiment, "cue");
    EXPECT_EQ(kept.state, "done");
    EXPECT_EQ(kept.start, read->start);
    EXPECT_EQ(kept.hash, read->hash);
    EXPECT_EQ(kept.seed, "7");
    EXPECT_EQ(kept.iterations, 40);
    EXPECT_EQ(kept.planned, 40);
    EXPECT_EQ(kept.seconds, read->seconds);
    EXPECT_EQ(kept.bytes, read->bytes);
    EXPECT_EQ(kept.checkpoints, read->checkpoints);
    EXPECT_EQ(kept.metrics, read->metrics);
    EXPECT_EQ(kept.settings, read->settings);
    again.refresh();
    EXPECT_EQ(again.opened(), 0u);
}

TEST_F(Index, FollowsARunWhileItIsWritten) {
    RunIndex index(runs, file);
    {
        auto store = RunStore::create(runs / "a", R"({"raphe": 1, "name": "cue"})");
        EXPECT_THAT(statesOf(index.refresh()), ElementsAre("a running"));
        store.appendMetrics({0, 1, {{"reward", 1}}});
        store.commit();
        EXPECT_EQ(index.refresh().front()->iterations, 1);
        letTimePass();
        index.refresh();
        EXPECT_THAT(statesOf(index.refresh()), ElementsAre("a running"));
    }
    EXPECT_THAT(statesOf(index.refresh()), ElementsAre("a interrupted"));
}

TEST_F(Index, AWriterThatWasKilledIsNoLongerRunning) {
    writeRun(runs / "a", {.exit = ""});
    { // what a kill leaves behind: a journal, and no lock
        auto store = RunStore::open(runs / "a");
        store.setProvenance("host", "here");
        store.commit();
        std::filesystem::create_directories(runs / "b");
        for (const char* name : {"run.sqlite", "run.sqlite-wal", "experiment.json"})
            std::filesystem::copy(runs / "a" / name, runs / "b" / name);
    }
    letTimePass();
    RunIndex index(runs, file);
    EXPECT_THAT(statesOf(index.refresh()), ElementsAre("a interrupted", "b interrupted"));
    EXPECT_THAT(statesOf(index.refresh()), ElementsAre("a interrupted", "b interrupted"));
    auto writer = RunStore::open(runs / "b");
    EXPECT_THAT(statesOf(index.refresh()), ElementsAre("a interrupted", "b running"));
}

TEST_F(Index, IsMadeAnewWhenItIsDamaged) {
    for (const char* name : {"a", "b", "c"}) writeRun(runs / name);
    letTimePass();
    RunIndex(runs, file).refresh();
    const auto whole = test::readFile(file);
    std::mt19937 random(3);
    for (int i = 0; i < 200; ++i) {
        auto bytes = whole;
        if (i % 4 == 0) bytes.resize(random() % whole.size());
        for (int change = i % 4 == 0 ? 0 : 1 + i % 7; change > 0 && !bytes.empty(); --change)
            bytes[i % 4 == 1 ? random() % std::min<std::size_t>(bytes.size(), 200) : random() % bytes.size()] =
                static_cast<char>(random());
        test::writeFile(file, bytes);
        RunIndex index(runs, file);
        index.known();
        EXPECT_THAT(statesOf(index.refresh()), ElementsAre("a done", "b done", "c done")) << i;
        EXPECT_EQ(index.trouble(), "") << i;
    }
}

TEST_F(Index, WorksWhereNothingCanBeKept) {
    writeRun(runs / "a");
    std::filesystem::create_directories(file); // a folder is in the way
    RunIndex blocked(runs, file), nowhere(runs, {});
    EXPECT_THAT(statesOf(blocked.refresh()), ElementsAre("a done"));
    EXPECT_NE(blocked.trouble(), "");
    EXPECT_THAT(statesOf(nowhere.refresh()), ElementsAre("a done"));
    EXPECT_TRUE(std::filesystem::is_directory(file));
}

TEST_F(Index, TheFolderItselfMayBeARun) {
    writeRun(runs / "a");
    letTimePass();
    RunIndex(runs / "a" / "", file).refresh();
    RunIndex index(runs / "a", file);
    ASSERT_THAT(index.known(), SizeIs(1));
    EXPECT_EQ(index.known().front()->folder, runs / "a");
}

TEST_F(Index, EndsEarlyWhenItIsToldTo) {
    writeRun(runs / "a");
    const std::atomic<bool> stop{true};
    EXPECT_THAT(RunIndex(runs, file).refresh({}, &stop), IsEmpty());
}

TEST_F(Index, TwoMayShareTheFile) {
    for (int i = 0; i < 20; ++i) writeRun(runs / ("r" + std::to_string(i)));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 5; ++i) EXPECT_THAT(RunIndex(runs, file).refresh(), SizeIs(20));
        });
    for (auto& thread : threads) thread.join();
    EXPECT_THAT(RunIndex(runs, file).refresh(), SizeIs(20));
}

TEST(RunIndexFile, LiesInTheCacheFolderByTheFolderOfTheRuns) {
    const auto a = RunIndex::cacheFile("/data/runs"), b = RunIndex::cacheFile("/data/other");
    EXPECT_NE(a, b);
    EXPECT_EQ(a, RunIndex::cacheFile("/data/x/../runs"));
    EXPECT_EQ(a.parent_path().filename(), "raphe");
}

} // namespace
} // namespace raphe
