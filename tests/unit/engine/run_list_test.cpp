// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_list.h"
#include "engine/runs/run_table.h"

#include "small_run.h"
#include "temporary_directory.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <random>
#include <thread>

namespace raphe {
namespace {

using test::TemporaryDirectory;
using test::writeRun;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

RunList shared(std::initializer_list<RunEntry> runs) {
    RunList list;
    for (const auto& run : runs) list.push_back(std::make_shared<RunEntry>(run));
    return list;
}

TEST(RunList, FindsRunsBelowAFolderAndSaysWhatTheyAre) {
    const TemporaryDirectory root;
    writeRun(root / "a");
    writeRun(root.path() / "study" / "b", {.hidden = "16", .exit = ""});
    std::filesystem::create_directories(root / "c");
    std::ofstream(root.path() / "c" / "run.sqlite") << "no database";
    const auto folders = findRuns(root.path());
    ASSERT_THAT(folders, ElementsAre(root / "a", root / "c", root.path() / "study" / "b"));

    const auto a = runEntry(folders[0]), c = runEntry(folders[1]), b = runEntry(folders[2]);
    EXPECT_EQ(a.experiment, "cue");
    EXPECT_EQ(a.state, "done");
    EXPECT_EQ(a.iterations, 40);
    EXPECT_EQ(a.planned, 40);
    EXPECT_DOUBLE_EQ(a.seconds, 20);
    EXPECT_GT(a.bytes, 4096);
    EXPECT_THAT(a.checkpoints, ElementsAre(39));
    ASSERT_EQ(a.metrics.size(), 2u);
    EXPECT_DOUBLE_EQ(a.metrics[0].second, 10) << "the mean over the last 2 of 40";
    EXPECT_EQ(b.state, "interrupted");
    EXPECT_EQ(c.state, "unreadable");
    EXPECT_THAT(c.problem, StartsWith("cannot be read: "));
    EXPECT_THAT(differingSettings(shared({a, b, c})), ElementsAre("agent.hidden"));
    EXPECT_THAT(metricNames(shared({a, b, c})), ElementsAre("reward", "loss"));
}

TEST(RunList, ARunThatIsBeingWrittenIsRunning) {
    const TemporaryDirectory root;
    auto store = RunStore::create(root / "a", R"({"raphe": 1, "name": "cue"})");
    EXPECT_EQ(runEntry(root / "a").state, "running");
}

TEST(RunList, LookingAtARunLeavesNoTraceBesideIt) {
    const TemporaryDirectory root;
    writeRun(root / "a");
    const auto before = std::distance(std::filesystem::directory_iterator(root / "a"), {});
    EXPECT_EQ(runEntry(root / "a").state, "done");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root / "a"), {}), before);
}

TEST(RunList, WhoLooksDoesNotKeepAWriterAway) {
    const TemporaryDirectory root;
    writeRun(root / "a");
    std::atomic<bool> stop{false};
    std::thread reader([&] {
        while (!stop) runEntry(root / "a");
    });
    for (int i = 0; i < 100; ++i) EXPECT_NO_THROW(RunStore::open(root / "a"));
    stop = true;
    reader.join();
}

TEST(RunList, AFolderThatIsNotThereHoldsNoRuns) { EXPECT_THAT(findRuns("/no/such/folder"), IsEmpty()); }

TEST(RunList, LinksThatGoInCirclesAndWhatIsNoFileDoNotHoldItUp) {
    const TemporaryDirectory root;
    writeRun(root / "a");
    std::filesystem::create_directories(root.path() / "b" / "c");
    std::filesystem::create_directory_symlink(root.path(), root.path() / "b" / "c" / "up");
    std::filesystem::create_symlink("self", root / "self");
    std::filesystem::create_directories(root / "pipe");
    ASSERT_EQ(::mkfifo((root.path() / "pipe" / "run.sqlite").c_str(), 0600), 0);
    std::filesystem::create_directories(root.path() / "folder" / "run.sqlite");
    std::filesystem::create_directories(root / "loop");
    std::filesystem::create_symlink("run.sqlite", root.path() / "loop" / "run.sqlite");
    writeRun(root / ".hidden");
    const auto found = scanRuns(root.path());
    ASSERT_EQ(found.size(), 4u);
    EXPECT_EQ(found[0].folder, (root / "a").string());
    for (std::size_t i = 1; i < 4; ++i) {
        EXPECT_FALSE(found[i].problem.empty()) << found[i].folder;
        const auto entry = runEntry(found[i].folder);
        EXPECT_EQ(entry.state, "unreadable") << found[i].folder;
    }
}

TEST(RunList, DamagedRunsAreReadOrSayWhyNot) {
    const TemporaryDirectory root;
    writeRun(root / "a");
    const auto whole = test::readFile(root.path() / "a" / "run.sqlite");
    std::filesystem::create_directories(root / "b");
    std::mt19937 random(5);
    int unreadable = 0;
    for (int i = 0; i < 300; ++i) {
        auto bytes = whole;
        if (i % 3 == 0) bytes.resize(random() % whole.size());
        for (std::size_t changes = i % 3 == 0 ? 0 : 1 + random() % 20; changes > 0 && !bytes.empty(); --changes)
            bytes[i % 3 == 1 ? random() % std::min<std::size_t>(bytes.size(), 4096) : random() % bytes.size()] =
                static_cast<char>(random());
        test::writeFile(root.path() / "b" / "run.sqlite", bytes);
        const auto entry = runEntry(root / "b");
        if (entry.state != "unreadable") continue;
        ++unreadable;
        EXPECT_THAT(entry.problem, StartsWith("cannot be read: "));
        EXPECT_EQ(entry.problem.find('\n'), std::string::npos) << entry.problem;
    }
    EXPECT_GT(unreadable, 100);
}

TEST(RunList, WhatAStrangersDocumentHoldsIsCut) {
    const TemporaryDirectory root;
    std::string params;
    for (int i = 0; i < 5000; ++i) params += (i ? ", \"p" : "\"p") + std::to_string(i) + "\": 1";
    RunStore::create(root / "a", R"({"raphe": 1, "name": ")" + std::string(100000, 'x') +
                                     R"(", "nodes": {"agent": {"params": {)" + params + "}}}}");
    const auto entry = runEntry(root / "a");
    EXPECT_EQ(entry.state, "interrupted") << entry.problem;
    EXPECT_LT(entry.experiment.size(), 300u);
    EXPECT_LE(entry.settings.size(), 2000u);
}

TEST(RunTable, ShowsWhatWasChangedWithinAnExperiment) {
    RunEntry a, b, c;
    a.experiment = b.experiment = "cue";
    c.experiment = "mwg";
    a.settings = {{"agent.hidden", "8"}, {"trials", "4"}};
    b.settings = {{"agent.hidden", "16"}, {"trials", "4"}};
    c.settings = {{"core.units", "8"}, {"trials", "60"}};
    EXPECT_THAT(changedSettings(shared({a, b, c})), ElementsAre("agent.hidden"));
}

TEST(RunTable, IsCsvThatOtherProgramsRead) {
    RunEntry a, b;
    a.folder = "runs/a, b";
    a.experiment = b.experiment = "say \"cue\"";
    a.state = b.state = "done";
    a.metrics = {{"reward", 9.5}};
    a.settings = {{"agent.rule", "\"simple\""}};
    b.folder = "runs/b";
    EXPECT_EQ(runsAsCsv(shared({a, b})), "folder,experiment,state,seed,iterations,seconds,bytes,start,hash,reward,"
                                         "agent.rule\r\n\"runs/a, b\",\"say \"\"cue\"\"\",done,,0,0,0,,,9.5,simple\r\n"
                                         "runs/b,\"say \"\"cue\"\"\",done,,0,0,0,,,,\r\n");
    EXPECT_EQ(runAsJson(a)["settings"]["agent.rule"], "simple");
}

} // namespace
} // namespace raphe
