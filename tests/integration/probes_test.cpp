// SPDX-License-Identifier: Apache-2.0
// The page of probes and interventions: every command on it runs, and leaves what it says.
#include "engine/base/npz.h"
#include "raphe/error.h"
#include "support/program.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> commandsOf(const std::string& page) {
    std::ifstream stream(page);
    std::vector<std::string> commands;
    bool inside = false;
    for (std::string line; std::getline(stream, line);) {
        if (line == "```sh" || line == "```")
            inside = line == "```sh";
        else if (inside)
            commands.push_back(line);
    }
    return commands;
}

/// Words between spaces; quotes keep spaces.
std::vector<std::string> wordsOf(const std::string& command) {
    std::vector<std::string> words(1);
    bool quoted = false;
    for (const char c : command) {
        if (c == '"')
            quoted = !quoted;
        else if (c == ' ' && !quoted)
            words.emplace_back();
        else
            words.back() += c;
    }
    return words;
}

class Probes : public testing::Test {
protected:
    Probes() : folder_(fs::path(testing::TempDir()) / ("raphe_probes_" + std::to_string(getpid()))) {
        fs::create_directories(folder_);
        before_ = fs::current_path();
        fs::current_path(folder_);
    }
    ~Probes() override {
        fs::current_path(before_);
        fs::remove_all(folder_);
    }
    static const Tensor& tensor(const std::vector<NamedTensor>& list, const std::string& name) {
        for (const auto& item : list)
            if (item.name == name) return item.tensor;
        throw Error(name, "is not in the file");
    }

    fs::path folder_, before_;
};

TEST_F(Probes, EveryCommandOfThePageRuns) {
    const auto commands = commandsOf(PROBES_PAGE);
    ASSERT_GT(commands.size(), 40u);
    for (const auto& command : commands) {
        auto words = wordsOf(command);
        ASSERT_EQ(words[0], "raphe");
        words[0] = RAPHE_PROGRAM;
        const auto result = runProgram(words);
        EXPECT_EQ(result.exitCode, 0) << command << "\n" << result.err;
        for (std::size_t w = 0; w + 1 < words.size(); ++w)
            if (words[w] == "--out" || words[w] == "--output") {

                EXPECT_TRUE(fs::exists(words[w + 1])) << command;
            }
    }
    // Weights of twenty learners, each its own, and what becomes of them when they are given back.
    const auto learned = readNpz("learned.npz");
    const auto& weight = tensor(learned, "actor.weight");
    ASSERT_EQ(weight.shape, (std::vector<std::int64_t>{20, 40, 2}));
    EXPECT_NE(std::vector<double>(weight.values.begin(), weight.values.begin() + 80),
              std::vector<double>(weight.values.begin() + 80, weight.values.begin() + 160));
    const auto after = readNpz("after.npz");
    double correct = 0;
    for (const double answer : tensor(after, "task.correct").values) correct += answer / 2000;
    EXPECT_GT(correct, 0.9) << "their last go cue was B, and they know it from the first presentation on";
}

} // namespace
} // namespace raphe::test
