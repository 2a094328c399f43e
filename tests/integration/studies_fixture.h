// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/files.h"
#include "engine/document/json_reader.h"
#include "support/program.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

namespace raphe::test {

namespace fs = std::filesystem;

/// Small studies, by the command line.
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

} // namespace raphe::test
