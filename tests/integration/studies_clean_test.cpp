// SPDX-License-Identifier: Apache-2.0
// `raphe study clean` removes nothing that was not agreed to.
#include "engine/runs/writer_lock.h"
#include "studies_fixture.h"

#include <pty.h>

namespace raphe::test {
namespace {

class StudiesClean : public Studies {
protected:
    /// A study of four runs, one of which its document keeps.
    void SetUp() override {
        auto json = Json::parse(R"({"raphe_study": 1, "name": "small", "experiment": "cue_small_A_simple", "seeds": 4,
            "set": {"iterations": 3, "trials": 4}, "measures": {"reward": "reward"}})");
        ASSERT_EQ(call({"run", write(json), "--out", folder(), "--quiet"}).exitCode, 0);
        ASSERT_EQ(runs(folder()).size(), 4u);
        json["seeds"] = 1;
        document_ = write(json);
    }
    ProgramResult clean(std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"clean", document_, "--out", folder()});
        return call(more);
    }
    /// On a terminal. @return exit code, and what it said
    std::pair<int, std::string> answered(const std::string& answer) {
        int terminal = -1;
        const auto process = ::forkpty(&terminal, nullptr, nullptr, nullptr);
        if (process == 0) {
            ::execl(RAPHE_PROGRAM, RAPHE_PROGRAM, "study", "clean", document_.c_str(), "--out", folder().c_str(),
                    nullptr);
            ::_exit(127);
        }
        std::string said;
        char buffer[4096];
        bool told = false;
        for (;;) {
            const auto count = ::read(terminal, buffer, sizeof buffer);
            if (count <= 0) break; // the end of the program
            said.append(buffer, static_cast<std::size_t>(count));
            if (!told && said.find("[y/N]") != std::string::npos) {
                told = true;
                EXPECT_EQ(::write(terminal, answer.data(), answer.size()), static_cast<ssize_t>(answer.size()));
            }
        }
        int status = 0;
        ::waitpid(process, &status, 0);
        ::close(terminal);
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, said};
    }
    std::string document_;
};

TEST_F(StudiesClean, AsksOnATerminal) {
    const auto [refused, said] = answered("\n");
    EXPECT_EQ(refused, 1);
    EXPECT_NE(said.find("Remove 3 runs"), std::string::npos) << said;
    EXPECT_NE(said.find("cue_small_A_simple, seed 4"), std::string::npos) << said;
    EXPECT_NE(said.find("nothing was removed"), std::string::npos) << said;
    EXPECT_EQ(runs(folder()).size(), 4u);
    const auto [code, agreed] = answered("y\n");
    EXPECT_EQ(code, 0) << agreed;
    EXPECT_EQ(runs(folder()).size(), 1u);
    EXPECT_NE(clean().out.find("nothing to remove"), std::string::npos);
}

TEST_F(StudiesClean, NeedsYesWithoutATerminal) {
    const auto refused = clean();
    EXPECT_EQ(refused.exitCode, 2);
    EXPECT_NE(refused.err.find("Say --yes"), std::string::npos) << refused.err;
    EXPECT_NE(refused.out.find("seed 2"), std::string::npos) << refused.out;
    EXPECT_EQ(clean({"--json"}).exitCode, 2);
    EXPECT_EQ(clean({"--dry-run"}).exitCode, 0);
    EXPECT_EQ(clean({"--dry-run", "--yes"}).exitCode, 2);
    EXPECT_EQ(runs(folder()).size(), 4u);
    const auto result = clean({"--yes", "--json"});
    EXPECT_EQ(result.exitCode, 0) << result.err;
    EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 4);
    EXPECT_NE(result.out.find(R"({"event":"clean","removed":3,"left":0})"), std::string::npos) << result.out;
    EXPECT_EQ(runs(folder()).size(), 1u);
}

TEST_F(StudiesClean, LeavesTheFolderOfAnotherStudyAlone) {
    auto other = Json::parse(readBytes(document_, 1 << 20));
    other["name"] = "other";
    const auto path = write(other, "other.study.json");
    for (const char* command : {"clean", "run", "status"}) {
        const auto result = call({command, path, "--out", folder()});
        EXPECT_EQ(result.exitCode, 2) << command;
        EXPECT_NE(result.err.find("holds the study \"small\", not \"other\""), std::string::npos) << result.err;
    }
    EXPECT_EQ(runs(folder()).size(), 4u);
}

TEST_F(StudiesClean, LeavesWhatIsWorkedOn) {
    const auto kept = Json::parse(call({"status", document_, "--out", folder(), "--json"}).out)["runs"][0]["id"];
    std::string busy;
    for (const auto& id : runs(folder()))
        if (id != kept) busy = id;
    const stored::WriterLock claim(fs::path(folder()) / "runs" / busy / "claim");
    const auto result = clean({"--yes"});
    EXPECT_EQ(result.exitCode, 0) << result.err;
    EXPECT_NE(result.err.find("is being worked on, and stays"), std::string::npos) << result.err;
    EXPECT_EQ(runs(folder()), (std::set<std::string>{busy, kept.get<std::string>()}));
}

} // namespace
} // namespace raphe::test
