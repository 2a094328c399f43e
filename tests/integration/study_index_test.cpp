// SPDX-License-Identifier: Apache-2.0
// The index of a study says what the folders say, whatever happens to them.
#include "engine/base/files.h"
#include "engine/mechanisms/plugin_host.h"
#include "engine/runs/run_store.h"
#include "engine/runs/writer_lock.h"
#include "engine/studies/study_index.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

namespace raphe {
namespace {

namespace fs = std::filesystem;

class StudyIndexes : public testing::Test {
protected:
    StudyIndexes()
        : root_(fs::path(testing::TempDir()) / ("study_index_" + std::to_string(::getpid()))), folder_(root_ / "study"),
          index_(root_ / "cache" / "study.index") {
        fs::remove_all(root_);
        plugins_.loadFolder(PLUGIN_FOLDER);
        study_ = studyFromJson(Json::parse(R"({"raphe_study": 1, "name": "many", "experiment": "cue_small_A_simple",
            "seeds": 70, "measures": {"reward": "reward"}})"));
        plan_ = planOf(study_, plugins_.registry());
        folder_.prepare(study_);
        for (std::size_t i = 0; i + 1 < plan_.size(); ++i) makeRun(plan_[i]); // the last one is missing
        settle();
    }
    ~StudyIndexes() override { fs::remove_all(root_); }

    void makeRun(const StudyRun& run) {
        const auto path = folder_.run(run.id);
        fs::create_directories(path / "claim");
        if (made_.empty()) {
            made_ = path;
            auto store = RunStore::create(path, run.experiment().toJson().dump(2));
            store.setProvenance("run_hash", "0123");
            store.setProvenance("exit", "done");
            store.appendMetrics({0, 0.1, {{"reward", 1.5}}});
        } else {
            for (const char* name : {"run.sqlite", "experiment.json", "run.lock"})
                fs::copy_file(made_ / name, path / name);
        }
        folder_.setMeasures(run.id, study_.measures, {{"reward", static_cast<double>(run.seed)}});
    }
    /// Later than the tick of the file system in which something was written.
    static void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(120)); }

    /// What an index says that a program has opened just now; and that it is what the folders say.
    std::vector<StudyRunStatus> statuses(std::size_t opened) {
        StudyIndex index(folder_, index_);
        auto found = index.statuses(plan_, study_.measures);
        EXPECT_EQ(index.opened(), opened);
        for (std::size_t i = 0; i < plan_.size(); ++i) {
            const auto now = folder_.status(plan_[i], study_.measures);
            EXPECT_EQ(found[i].state, now.state) << i;
            EXPECT_EQ(found[i].measures, now.measures) << i;
            EXPECT_EQ(found[i].iterations, now.iterations) << i;
            EXPECT_EQ(found[i].hash, now.hash) << i;
            EXPECT_EQ(found[i].problem, now.problem) << i;
        }
        return found;
    }

    /// A run is opened again where its last change was so recent that it may not have been the last one.
    void again() {
        StudyIndex index(folder_, index_);
        index.statuses(plan_, study_.measures);
        EXPECT_LE(index.opened(), 1u);
    }

    fs::path root_;
    StudyFolder folder_;
    fs::path index_, made_;
    PluginHost plugins_;
    Study study_;
    std::vector<StudyRun> plan_;
};

TEST_F(StudyIndexes, OpenOnlyWhatHasChanged) {
    EXPECT_EQ(statuses(69)[3].measures.at("reward"), 4);
    EXPECT_EQ(statuses(0)[69].state, StudyRunState::missing);

    folder_.setFailure(plan_[5].id, "it broke");
    EXPECT_EQ(statuses(1)[5].problem, "it broke");
    settle();
    again(); // what was new then may have changed twice
    EXPECT_EQ(statuses(0)[5].state, StudyRunState::failed);
    folder_.forgetFailure(plan_[5].id);
    EXPECT_EQ(statuses(1)[5].state, StudyRunState::done);
    settle();
    again();

    folder_.setMeasures(plan_[6].id, study_.measures, {{"reward", -1}});
    EXPECT_EQ(statuses(1)[6].measures.at("reward"), -1);
    settle();
    again();

    makeRun(plan_[69]);
    EXPECT_EQ(statuses(1)[69].state, StudyRunState::done);
    settle();
    again();
    fs::remove_all(folder_.run(plan_[7].id));
    EXPECT_EQ(statuses(0)[7].state, StudyRunState::missing);
}

TEST_F(StudyIndexes, SeeWorkersAndWriters) {
    statuses(69);
    {
        const stored::WriterLock claim(folder_.run(plan_[2].id) / "claim");
        settle();
        EXPECT_EQ(statuses(1)[2].state, StudyRunState::running);
        EXPECT_EQ(statuses(1)[2].state, StudyRunState::running);
    }
    EXPECT_EQ(statuses(1)[2].state, StudyRunState::done);
    EXPECT_EQ(statuses(0)[2].state, StudyRunState::done);
    {
        auto store = RunStore::open(folder_.run(plan_[3].id));
        store.appendMetrics({1, 0.2, {{"reward", 2.5}}});
        settle();
        statuses(1);
    }
    EXPECT_EQ(statuses(1)[3].iterations, 2);
}

TEST_F(StudyIndexes, AreMadeAnewWhereTheyAreDamaged) {
    statuses(69);
    const auto whole = readBytes(index_, 1 << 24);
    for (const auto& damaged : {std::string(), std::string("x"), whole.substr(0, whole.size() / 2), whole + "x",
                                std::string(whole.size(), '\xff')}) {
        writeAtomically(index_, damaged);
        statuses(69);
        statuses(0);
    }
    for (std::size_t at = 0; at < whole.size(); at += 2003) { // one bit
        auto damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 4);
        writeAtomically(index_, damaged);
        StudyIndex index(folder_, index_);
        EXPECT_EQ(index.statuses(plan_, study_.measures)[3].measures.at("reward"), 4) << at;
        EXPECT_EQ(index.opened(), 69u) << at;
    }
    fs::remove(index_);
    fs::create_directories(index_); // nothing can be kept there
    statuses(69);
    statuses(69);
    fs::remove(index_);
    // Other measures than those that were asked for then are judged anew, without opening a run.
    statuses(69);
    study_.measures[0].definition = Json::parse(R"({"metric": "reward", "over": 0.5})");
    EXPECT_EQ(statuses(0)[3].state, StudyRunState::trained);
}

} // namespace
} // namespace raphe
