// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_reader.h"
#include "engine/runs/run_store.h"

#include "temporary_directory.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <random>
#include <thread>

namespace raphe {
namespace {

using namespace std::chrono_literals;
using test::sentenceOf;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr const char* document = R"({"raphe":1})";

Metrics metricsOf(std::int64_t iteration) {
    return {iteration,
            0.25 * static_cast<double>(iteration),
            {{"reward", 0.1 * static_cast<double>(iteration)}, {"loss", -1e-17}}};
}

Checkpoint checkpointOf(std::int64_t iteration) {
    const auto value = static_cast<double>(iteration);
    return {iteration,
            {{"agent.w", {{2, 2}, {value, 0.1f, -0.0, 3}, Precision::float32}},
             {"adam.m", {{3}, {value, 0.1, 1e-300}, Precision::float64}}},
            "{\"iteration\":" + std::to_string(iteration) + "}"};
}

/// Another program's hand on the file.
void executeSql(const std::filesystem::path& directory, const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((directory / "run.sqlite").c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
}

class RunDirectory : public testing::Test {
protected:
    TemporaryDirectory temporary_;
    std::filesystem::path run_ = temporary_ / "runs/one";
};
using RunStoreTest = RunDirectory;
using RunReaderTest = RunDirectory;

TEST_F(RunStoreTest, ReturnsEverythingThatWasCommitted) {
    const Tensor signal{{2, 3}, {1, 2, 3, 4, 5, 0.1}, Precision::float64};
    {
        auto store = RunStore::create(run_, document);
        store.setProvenance("version", "0.0.1");
        store.setProvenance("version", "0.1.0");
        store.setProvenance("host", "");
        store.appendMetrics(metricsOf(1));
        store.appendMetrics({2, 0.5, {{"loss", 3}, {"reward", std::numeric_limits<double>::infinity()}}});
        store.appendMetrics({5, 0.5, {}});
        store.appendEvent(2, "note", R"({"a":1})");
        store.appendSignal("agent.hidden", 1, signal);
        store.appendSignal("agent.hidden", 2, {{}, {4}, Precision::float32});
        store.appendSignal("task.cue", 2, {{0, 3}, {}, Precision::float32});
        store.commitCheckpoint(checkpointOf(5));
    }
    const auto reader = RunReader::open(run_);
    EXPECT_EQ(reader.experimentJson(), document);
    EXPECT_EQ(test::readFile(run_ / "experiment.json"), document);
    EXPECT_THAT(reader.provenance(), ElementsAre(Pair("host", ""), Pair("version", "0.1.0")));
    EXPECT_THAT(reader.metrics(),
                ElementsAre(metricsOf(1),
                            Metrics{2, 0.5, {{"loss", 3}, {"reward", std::numeric_limits<double>::infinity()}}},
                            Metrics{5, 0.5, {}}));
    EXPECT_EQ(reader.metrics(2).size(), 1u);
    ASSERT_EQ(reader.events().size(), 1u);
    EXPECT_EQ(reader.events()[0].kind, "note");
    EXPECT_EQ(reader.events()[0].json, R"({"a":1})");
    EXPECT_EQ(reader.signal("agent.hidden", 1), signal);
    EXPECT_EQ(reader.signal("agent.hidden", 3), std::nullopt);
    ASSERT_EQ(reader.signals("agent.hidden").size(), 2u);
    EXPECT_EQ(reader.signals("agent.hidden")[1].tensor, (Tensor{{}, {4}, Precision::float32}));
    EXPECT_EQ(reader.signals("task.cue")[0].tensor, (Tensor{{0, 3}, {}, Precision::float32}));
    EXPECT_TRUE(reader.signals("nothing").empty());
    ASSERT_EQ(reader.listSignals().size(), 2u);
    EXPECT_EQ(reader.listSignals()[0].port, "agent.hidden");
    EXPECT_EQ(reader.listSignals()[0].count, 2);
    EXPECT_EQ(reader.latestCheckpoint(), checkpointOf(5));
}

TEST_F(RunStoreTest, KeepsEveryBitOfACheckpoint) {
    // More than one part (16 MiB each), and values that no float holds although the tensor says float32.
    Tensor large{{5, 1024, 1024}, std::vector<double>(5 * 1024 * 1024), Precision::float32};
    for (std::size_t i = 0; i < large.values.size(); ++i)
        large.values[i] = static_cast<float>(std::sin(static_cast<double>(i)));
    const Checkpoint checkpoint{
        3, {{"large", large}, {"odd", {{2}, {0.1, -0.0}, Precision::float32}}, {"none", {{0}, {}}}}, "{}"};
    auto store = RunStore::create(run_, document);
    store.commitCheckpoint(checkpoint);
    const auto read = RunReader::open(run_).latestCheckpoint();
    ASSERT_TRUE(read.has_value());
    EXPECT_TRUE(*read == checkpoint);
    EXPECT_TRUE(std::signbit(read->tensors[1].tensor.values[1]));
}

TEST_F(RunStoreTest, KeepsTheLastTwoCheckpoints) {
    auto store = RunStore::create(run_, document);
    for (const auto iteration : {1, 2, 3, 3, 4}) store.commitCheckpoint(checkpointOf(iteration));
    store.truncateAfter(3);
    EXPECT_EQ(RunReader::open(run_).latestCheckpoint(), checkpointOf(3));
    store.truncateAfter(2);
    EXPECT_EQ(RunReader::open(run_).latestCheckpoint(), std::nullopt);
}

TEST_F(RunStoreTest, RefusesADirectoryThatHoldsARun) {
    { auto store = RunStore::create(run_, document); }
    EXPECT_THAT(sentenceOf([&] { RunStore::create(run_, "{}"); }),
                HasSubstr("already holds a run; continue it with --resume"));
    EXPECT_EQ(RunReader::open(run_).experimentJson(), document);
    std::filesystem::create_directories(temporary_ / "mine");
    test::writeFile(temporary_ / "mine/experiment.json", "my own");
    EXPECT_THAT(sentenceOf([&] { RunStore::create(temporary_ / "mine", document); }), HasSubstr("already holds a run"));
    EXPECT_EQ(test::readFile(temporary_ / "mine/experiment.json"), "my own");
    test::writeFile(temporary_ / "file", "");
    EXPECT_THAT(sentenceOf([&] { RunStore::create(temporary_ / "file", document); }),
                HasSubstr("choose another --out"));
}

TEST_F(RunStoreTest, StartsWhereAnEarlierStartWasKilled) {
    std::filesystem::create_directories(run_);
    test::writeFile(run_ / "run.sqlite", "");
    auto store = RunStore::create(run_, document);
    EXPECT_EQ(RunReader::open(run_).experimentJson(), document);
}

TEST_F(RunStoreTest, StartsWhereAKillLeftAHalfWrittenDatabase) {
    std::filesystem::create_directories(run_);
    const auto child = ::fork();
    if (child == 0) { // ends with pages on the disk and the journal that undoes them
        sqlite3* database = nullptr;
        sqlite3_open((run_ / "run.sqlite").c_str(), &database);
        sqlite3_exec(database, "BEGIN; CREATE TABLE unfinished(x)", nullptr, nullptr, nullptr);
        ::_exit(sqlite3_db_cacheflush(database));
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    ASSERT_TRUE(std::filesystem::exists(run_ / "run.sqlite-journal"));
    EXPECT_THAT(sentenceOf([&] { RunReader::open(run_); }), HasSubstr("was killed, so continue the run with --resume"));
    EXPECT_FALSE(RunStore::holdsRun(run_));
    auto store = RunStore::create(run_, document);
    EXPECT_EQ(RunReader::open(run_).experimentJson(), document);
}

TEST_F(RunStoreTest, RestoresTheDocumentThatAKillPrevented) {
    { auto store = RunStore::create(run_, document); }
    std::filesystem::remove(run_ / "experiment.json");
    auto store = RunStore::open(run_);
    EXPECT_EQ(test::readFile(run_ / "experiment.json"), document);
}

TEST_F(RunStoreTest, RefusesASecondWriterUntilTheFirstHasGone) {
    {
        const auto first = RunStore::create(run_, document);
        const auto busy = "another process (" + std::to_string(::getpid()) + ") is writing this run";
        EXPECT_THAT(sentenceOf([&] { RunStore::open(run_); }), HasSubstr(busy));
        EXPECT_THAT(sentenceOf([&] { RunStore::create(run_, document); }), HasSubstr(busy));
    }
    EXPECT_NO_THROW(RunStore::open(run_));
}

TEST_F(RunStoreTest, ForgetsWhatCameAfterTheCheckpoint) {
    {
        auto store = RunStore::create(run_, document);
        for (std::int64_t i = 1; i <= 4; ++i) {
            store.appendMetrics(metricsOf(i));
            store.appendEvent(i, "note", "{}");
            store.appendSignal("p", i, {{1}, {static_cast<double>(i)}});
            if (i == 2) store.commitCheckpoint(checkpointOf(2));
        }
    }
    auto store = RunStore::open(run_);
    EXPECT_THAT(sentenceOf([&] { store.appendMetrics(metricsOf(3)); }), HasSubstr("truncate the run first"));
    store.truncateAfter(2);
    const auto reader = RunReader::open(run_);
    EXPECT_THAT(reader.metrics(), ElementsAre(metricsOf(1), metricsOf(2)));
    EXPECT_EQ(reader.events().size(), 2u);
    EXPECT_EQ(reader.signals("p").size(), 2u);
    store.appendMetrics(metricsOf(3));
    store.appendSignal("p", 3, {{1}, {3}});
    store.commit();
    EXPECT_EQ(reader.metrics().size(), 3u);
    store.appendMetrics(metricsOf(4)); // still in the buffer
    store.truncateAfter(3);
    EXPECT_EQ(reader.metrics().size(), 3u);
}

TEST_F(RunStoreTest, CommitsByItselfOnlyWhenDue) {
    auto store = RunStore::create(run_, document);
    const auto reader = RunReader::open(run_);
    EXPECT_FALSE(store.commitIfDue(0ms));
    store.appendMetrics(metricsOf(1));
    EXPECT_FALSE(store.commitIfDue(1h));
    EXPECT_TRUE(reader.metrics().empty());
    EXPECT_TRUE(store.commitIfDue(0ms));
    EXPECT_EQ(reader.metrics().size(), 1u);
    EXPECT_FALSE(store.commitIfDue(0ms));
}

TEST_F(RunStoreTest, RefusesWhatCannotBeOrdered) {
    auto store = RunStore::create(run_, document);
    store.appendMetrics(metricsOf(3));
    EXPECT_THAT(sentenceOf([&] { store.appendMetrics(metricsOf(3)); }), HasSubstr("come after iteration 3"));
    EXPECT_THAT(sentenceOf([&] { store.commitCheckpoint(checkpointOf(2)); }),
                HasSubstr("comes after metrics of iteration 3"));
    EXPECT_THAT(sentenceOf([&] { store.appendSignal("p", 3, {{2}, {1}}); }), HasSubstr("has 1 values, expected the 2"));
}

TEST_F(RunStoreTest, SurvivesKillsAtAnyMoment) {
    { auto store = RunStore::create(run_, document); }
    std::mt19937 random(22);
    std::int64_t reached = 0;
    for (int round = 0; round < 10; ++round) {
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            try {
                auto store = RunStore::open(run_);
                const auto last = RunReader::open(run_).latestCheckpoint();
                const auto start = last ? last->iteration : 0;
                store.truncateAfter(start);
                for (auto i = start + 1;; ++i) {
                    store.appendMetrics(metricsOf(i));
                    store.appendSignal("p", i, {{64}, std::vector<double>(64, static_cast<double>(i))});
                    if (i % 3 == 0)
                        store.commitCheckpoint(checkpointOf(i));
                    else
                        store.commit();
                }
            } catch (...) {
                std::_Exit(1);
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 150));
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";

        const auto reader = RunReader::open(run_);
        std::string damage;
        const auto checkpoint = reader.latestCheckpoint(&damage);
        EXPECT_EQ(damage, "");
        const auto metrics = reader.metrics();
        for (std::size_t i = 0; i < metrics.size(); ++i)
            EXPECT_EQ(metrics[i], metricsOf(static_cast<std::int64_t>(i) + 1));
        EXPECT_EQ(reader.signals("p").size(), metrics.size());
        if (!checkpoint) continue;
        EXPECT_EQ(*checkpoint, checkpointOf(checkpoint->iteration));
        EXPECT_GE(static_cast<std::int64_t>(metrics.size()), checkpoint->iteration);
        EXPECT_LT(static_cast<std::int64_t>(metrics.size()), checkpoint->iteration + 3);
        EXPECT_GE(checkpoint->iteration, reached);
        reached = checkpoint->iteration;
    }
    EXPECT_GT(reached, 0);
    EXPECT_NO_THROW(RunStore::open(run_)); // the lock went with the last child
}

TEST_F(RunReaderTest, SeesCommitsWhileTheWriterWorksAndNeverBlocksIt) {
    auto store = RunStore::create(run_, document);
    store.appendMetrics(metricsOf(1));
    store.commitCheckpoint(checkpointOf(1));
    std::atomic<bool> done{false};
    std::atomic<int> problems{0};
    std::thread watcher([&] {
        const auto reader = RunReader::open(run_);
        std::size_t seen = 0;
        while (!done) {
            try {
                const auto metrics = reader.metrics();
                const auto checkpoint = reader.latestCheckpoint();
                if (metrics.size() < seen || !checkpoint || *checkpoint != checkpointOf(checkpoint->iteration))
                    ++problems;
                seen = metrics.size();
            } catch (const Error& error) {
                ADD_FAILURE() << error.what();
                ++problems;
                return;
            }
        }
    });
    for (std::int64_t i = 2; i <= 60; ++i) {
        store.appendMetrics(metricsOf(i));
        store.commitCheckpoint(checkpointOf(i));
    }
    done = true;
    watcher.join();
    EXPECT_EQ(problems, 0);
    EXPECT_EQ(RunReader::open(run_).metrics().size(), 60u);
}

TEST_F(RunReaderTest, FallsBackToTheCheckpointBeforeADamagedOne) {
    for (const std::string damage :
         {"UPDATE checkpoint_tensor SET data = zeroblob(length(data)) WHERE iteration = 2 AND position = 1",
          "UPDATE checkpoint_tensor SET name = 'agent.v' WHERE iteration = 2 AND position = 0",
          "UPDATE checkpoint_tensor SET shape = '4' WHERE iteration = 2 AND position = 0",
          "UPDATE checkpoint_tensor SET bytes = 1000000000000 WHERE iteration = 2",
          "DELETE FROM checkpoint_tensor WHERE iteration = 2 AND position = 1",
          "UPDATE checkpoint SET state = '{}' WHERE iteration = 2", "DELETE FROM iteration WHERE iteration = 2"}) {
        std::filesystem::remove_all(run_);
        {
            auto store = RunStore::create(run_, document);
            for (const std::int64_t i : {1, 2}) {
                store.appendMetrics(metricsOf(i));
                store.commitCheckpoint(checkpointOf(i));
            }
        }
        executeSql(run_, damage);
        std::string sentence;
        EXPECT_EQ(RunReader::open(run_).latestCheckpoint(&sentence), checkpointOf(1)) << damage;
        EXPECT_THAT(sentence, HasSubstr("is damaged")) << damage;
    }
    executeSql(run_, "UPDATE checkpoint SET state = '{}'");
    EXPECT_THAT(sentenceOf([&] { RunReader::open(run_).latestCheckpoint(); }),
                HasSubstr("checkpoint at iteration 1 is damaged"));
}

TEST_F(RunReaderTest, NoticesADamagedSignal) {
    {
        auto store = RunStore::create(run_, document);
        store.appendSignal("p", 1, {{2}, {1, 2}});
    }
    executeSql(run_, "UPDATE signal SET data = zeroblob(length(data))");
    EXPECT_THAT(sentenceOf([&] { RunReader::open(run_).signals("p"); }),
                HasSubstr("the signal of \"p\" at iteration 1 is damaged"));
    EXPECT_THAT(sentenceOf([&] { RunReader::open(run_).signal("p", 1); }), HasSubstr("is damaged"));
}

TEST_F(RunReaderTest, SaysWhatIsWrongWithADirectory) {
    EXPECT_THAT(sentenceOf([&] { RunReader::open(run_); }), HasSubstr("there is no such directory"));
    std::filesystem::create_directories(run_);
    EXPECT_THAT(sentenceOf([&] { RunReader::open(run_); }), HasSubstr("run.sqlite is missing"));
    EXPECT_THAT(sentenceOf([&] { RunStore::open(run_); }), HasSubstr("run.sqlite is missing"));
    test::writeFile(run_ / "run.sqlite", std::string(5000, 'x'));
    EXPECT_THAT(sentenceOf([&] { RunReader::open(run_); }), HasSubstr("run.sqlite: the database reports"));
    EXPECT_THAT(sentenceOf([&] { RunStore::open(run_); }), HasSubstr("not a SQLite database"));
    EXPECT_THAT(sentenceOf([&] { RunStore::create(run_, document); }), HasSubstr("not a SQLite database"));
    test::writeFile(run_ / "run.sqlite", "");
    EXPECT_THAT(sentenceOf([&] { RunReader::open(run_); }), HasSubstr("holds no complete run"));
}

TEST_F(RunReaderTest, RefusesOtherSchemas) {
    { auto store = RunStore::create(run_, document); }
    executeSql(run_, "CREATE VIEW more AS SELECT 1");
    EXPECT_THAT(sentenceOf([&] { RunReader::open(run_); }), HasSubstr("tables that Raphe does not know"));
    executeSql(run_, "DROP VIEW more; DROP TABLE event");
    EXPECT_THAT(sentenceOf([&] { RunReader::open(run_); }), HasSubstr("lost some of its tables"));
    executeSql(run_, "PRAGMA user_version=99");
    EXPECT_THAT(sentenceOf([&] { RunStore::open(run_); }), HasSubstr("newer version of Raphe"));
}

TEST_F(RunReaderTest, SurvivesTruncatedAndMutatedDatabases) {
    {
        auto store = RunStore::create(run_, document);
        for (std::int64_t i = 1; i <= 50; ++i) {
            store.appendMetrics(metricsOf(i));
            store.appendSignal("p", i, {{2}, {1, 2}});
        }
        store.commitCheckpoint(checkpointOf(50));
    }
    const auto bytes = test::readFile(run_ / "run.sqlite");
    std::mt19937 random(23);
    int refused = 0;
    for (int round = 0; round < 300; ++round) {
        auto damaged = bytes;
        if (round % 3 == 0) damaged.resize(random() % bytes.size());
        for (auto edits = damaged.empty() ? 0 : random() % 40; edits > 0; --edits)
            damaged[random() % damaged.size()] = static_cast<char>(random() % 256);
        test::writeFile(run_ / "run.sqlite", damaged);
        for (const auto* suffix : {"run.sqlite-wal", "run.sqlite-shm"}) std::filesystem::remove(run_ / suffix);
        try {
            const auto reader = RunReader::open(run_);
            static_cast<void>(reader.metrics());
            static_cast<void>(reader.events());
            static_cast<void>(reader.latestCheckpoint());
            static_cast<void>(reader.signals("p"));
        } catch (const Error&) {
            ++refused;
        }
    }
    EXPECT_GT(refused, 100);
}

TEST_F(RunStoreTest, HoldsFewRowsHoweverManyAreAppended) {
    auto store = RunStore::create(run_, document);
    std::size_t most = 0;
    const auto iterations = static_cast<std::int64_t>(5 * RunStore::maxBufferedRows);
    for (std::int64_t i = 0; i < iterations; ++i) {
        store.appendMetrics(metricsOf(i));
        if (i % 3 == 0) store.appendEvent(i, "noted", "{}");
        if (i % 100 == 0) store.appendSignal("p", i, {{1}, {0.5}, Precision::float64});
        most = std::max(most, store.bufferedRows());
    }
    EXPECT_LT(most, RunStore::maxBufferedRows);
    EXPECT_GT(most, RunStore::maxBufferedRows / 2) << "a commit for every few rows would be slow";
    store.commit();
    EXPECT_EQ(store.bufferedRows(), 0u);
    EXPECT_EQ(RunReader::open(run_).metricsCount(), iterations);
}

TEST_F(RunReaderTest, ShowsMetricsOneIterationAtATime) {
    auto store = RunStore::create(run_, document);
    for (const std::int64_t i : {1, 2, 5}) store.appendMetrics(metricsOf(i));
    store.appendMetrics({6, 1, {}});
    store.commit();
    const auto reader = RunReader::open(run_);
    std::vector<Metrics> seen;
    reader.forEachMetrics([&](const Metrics& row) { seen.push_back(row); }, 1);
    EXPECT_THAT(seen, ElementsAre(metricsOf(2), metricsOf(5), Metrics{6, 1, {}}));
    EXPECT_EQ(reader.metricsCount(), 4);
}

} // namespace
} // namespace raphe
