// SPDX-License-Identifier: Apache-2.0
// The protocols run to their end: a table, the bars, a figure. Trainings are far too short to meet the bars; learners
// inside trials meet theirs.
#include "support/program.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

#ifdef RAPHE_HAS_FIGURE
class Protocols : public testing::Test {
protected:
    // A protocol writes below the working folder only.
    void SetUp() override { fs::remove_all(folder_); }
    void TearDown() override { fs::remove_all(folder_); }

    ProgramResult run(const std::string& script, std::vector<std::string> options) const {
        options.insert(options.begin(), {RAPHE_PROGRAM, "lua", SCRIPTS "/" + script});
        return runProgram(options);
    }
    /// The bars are missed, and the figure is there.
    void expectTableAndFigure(const ProgramResult& result, const std::string& figure) const {
        EXPECT_EQ(result.exitCode, 1) << result.out << result.err;
        EXPECT_NE(result.out.find("|---"), std::string::npos) << result.out;
        EXPECT_NE(result.out.find("bars are NOT met\n"), std::string::npos) << result.out;
        EXPECT_NE(result.out.find("figure: " + folder_ + figure), std::string::npos) << result.out;
        ASSERT_TRUE(fs::exists(folder_ + figure));
        EXPECT_GT(fs::file_size(folder_ + figure), 1000u);
    }

    const std::string folder_ = "raphe_protocols_" + std::to_string(getpid());
};

TEST_F(Protocols, DrawTheLearningCurvesOfTheNmnAndGoOnFromTheirRuns) {
    const std::vector<std::string> options{"--seeds", "2", "--iterations", "2", "--out", folder_};
    const auto first = run("nmn/learning_curves.lua", options);
    expectTableAndFigure(first, "/learning_curves_biased_target_small.svg");
    EXPECT_NE(first.err.find("(2 iterations, 2 of them now"), std::string::npos) << first.err;
    const auto second = run("nmn/learning_curves.lua", options);
    EXPECT_EQ(second.out, first.out);
    EXPECT_NE(second.err.find("(2 iterations, 0 of them now"), std::string::npos) << second.err;
    EXPECT_EQ(second.err.find("2 of them now"), std::string::npos) << second.err;
}

TEST_F(Protocols, DrawTheLearningCurvesOfTheOtherBenchmarks) {
    for (const char* benchmark : {"2", "3"})
        expectTableAndFigure(run("nmn/learning_curves.lua",
                                 {"--benchmark", benchmark, "--seeds", "1", "--iterations", "1", "--out", folder_}),
                             *benchmark == '2' ? "/learning_curves_windy_target_small.svg"
                                               : "/learning_curves_two_targets_small.svg");
}

TEST_F(Protocols, ShowTheAdaptationOfTheNmn) {
    expectTableAndFigure(run("nmn/adaptation.lua", {"--iterations", "1", "--episodes", "40", "--out", folder_}),
                         "/adaptation_small.svg");
}

TEST_F(Protocols, FreezeTheModulatorOfTheNmnAndSwitchTheTask) {
    for (const char* benchmark : {"1", "3"})
        expectTableAndFigure(
            run("nmn/freeze_switch.lua",
                {"--benchmark", benchmark, "--iterations", "1", "--episodes", "2", "--phase", "20", "--out", folder_}),
            *benchmark == '1' ? "/freeze_switch_biased_target_small.svg" : "/freeze_switch_two_targets_small.svg");
}

TEST_F(Protocols, CompareTheVariantsOfTheNmn) {
    const auto result = run("nmn/robustness.lua", {"--seeds", "1", "--iterations", "1", "--out", folder_});
    EXPECT_TRUE(result.exitCode == 0 || result.exitCode == 1) << result.err;
    EXPECT_NE(result.out.find("bars are"), std::string::npos) << result.out << result.err;
    EXPECT_TRUE(fs::exists(folder_ + "/robustness_biased_target_small.svg"));
    EXPECT_TRUE(fs::exists(folder_ + "/rnn_biased_target_small_depth_4_seed_1"));
}

TEST_F(Protocols, CompareCreditsOnDelayedXorAndTheirGradients) {
    expectTableAndFigure(run("modprop/delayed_xor.lua", {"--seeds", "1", "--iterations", "20", "--out", folder_}),
                         "/delayed_xor.svg");
}

TEST_F(Protocols, MeasureWaitGoIsAStudyAndGoesOnFromItsRuns) {
    const std::vector<std::string> options{"--seeds", "2", "--iterations", "20", "--out", folder_};
    const auto first = run("nm_rnn/measure_wait_go.lua", options);
    expectTableAndFigure(first, "/measure_wait_go.svg");
    const auto stored = fs::last_write_time(fs::directory_iterator(folder_ + "/runs")->path() / "run.sqlite");
    EXPECT_EQ(run("nm_rnn/measure_wait_go.lua", options).out, first.out);
    EXPECT_EQ(fs::last_write_time(fs::directory_iterator(folder_ + "/runs")->path() / "run.sqlite"), stored);
}

TEST_F(Protocols, CompareTheGainOfRankOneWithItsClosedForm) {
    const auto result = run("nm_rnn/rank_one_theory.lua", {"--seeds", "1", "--iterations", "20", "--out", folder_});
    expectTableAndFigure(result, "/rank_one_theory.svg");
    EXPECT_NE(result.out.find("met  with the predicted gain every network follows every target"), std::string::npos)
        << result.out << "\nhowever little it has learned";
}

TEST_F(Protocols, TakeTheModulationAwayFromVariants) {
    expectTableAndFigure(run("nm_rnn/variants.lua", {"--seeds", "1", "--iterations", "2", "--out", folder_}),
                         "/variants.svg");
}

TEST_F(Protocols, ShowWhichLstmALinearNmRnnIs) {
    const auto result = run("nm_rnn/lstm_correspondence.lua", {"--out", folder_});
    EXPECT_EQ(result.exitCode, 0) << result.out << result.err;
    EXPECT_NE(result.out.find("all bars are met\n"), std::string::npos) << result.out;
    EXPECT_GT(fs::file_size(folder_ + "/lstm_correspondence.svg"), 1000u);
}

TEST_F(Protocols, OfLearnersInsideTrialsMeetTheirBars) {
    const auto expectBars = [&](const std::string& name, const ProgramResult& result) {
        EXPECT_EQ(result.exitCode, 0) << result.out << result.err;
        EXPECT_NE(result.out.find("all bars are met\n"), std::string::npos) << result.out;
        EXPECT_GT(fs::file_size(folder_ + "/" + name + ".svg"), 1000u);
    };
    expectBars("set_shift", run("learners/set_shift.lua", {"--animals", "100", "--out", folder_}));
    expectBars("lifelong_bandit", run("learners/lifelong_bandit.lua", {"--quick", "--out", folder_}));
    const auto result = run("learners/cue_validity.lua", {"--trials", "20", "--out", folder_});
    EXPECT_EQ(result.exitCode, 0) << result.out << result.err;
    EXPECT_TRUE(fs::exists(folder_ + "/cue_validity.svg"));
}

TEST_F(Protocols, LookIntoLearnersInsideTrials) {
    for (const auto& [script, options] : std::vector<std::pair<std::string, std::vector<std::string>>>{
             {"set_shift_probes", {"--animals", "50"}},
             {"bandit_probes", {"--environments", "10", "--contexts", "4", "--only", "inside"}},
             {"bandit_probes", {"--environments", "40", "--contexts", "4", "--only", "lesions"}},
             {"bandit_probes", {"--environments", "40", "--only", "stimulation"}}}) {
        auto words = options;
        words.insert(words.end(), {"--out", folder_});
        const auto result = run("learners/" + script + ".lua", words);
        EXPECT_EQ(result.exitCode, 0) << result.out << result.err;
        EXPECT_GT(fs::file_size(folder_ + "/" + script + ".svg"), 1000u);
    }
}

TEST_F(Protocols, LookIntoTheWeightManifold) {
    const auto result = run("weight_manifold/probes.lua", {"--iterations", "120", "--frames", "2", "--out", folder_});
    EXPECT_EQ(result.exitCode, 0) << result.out << result.err;
    EXPECT_GT(fs::file_size(folder_ + "/manifold_probes.svg"), 1000u);
    EXPECT_TRUE(fs::exists(folder_ + "/walk_001.png"));
}

TEST_F(Protocols, LookIntoNetworksOfDiffusingModulators) {
    for (const char* part : {"units", "wrong", "manifold", "free"}) {
        const auto result = run("diffusing_modulators/further_conditions.lua",
                                {"--only", part, "--seeds", "1", "--iterations", "6", "--out", folder_});
        EXPECT_TRUE(result.exitCode == 0 || result.exitCode == 1) << result.out << result.err;
        EXPECT_EQ(result.err.find("lua:"), std::string::npos) << part << result.err;
    }
    EXPECT_TRUE(fs::exists(folder_ + "/further_conditions.svg"));
}

TEST_F(Protocols, WalkTheWeightManifold) {
    for (const char* part : {"e1", "e3", "e6"}) {
        const auto result = run("weight_manifold/weight_manifold.lua",
                                {"--only", part, "--seeds", "1", "--iterations", "3", "--out", folder_});
        EXPECT_TRUE(result.exitCode == 0 || result.exitCode == 1) << result.err;
        EXPECT_NE(result.out.find("bars are"), std::string::npos) << result.out << result.err;
        if (*part == 'e' && part[1] == '6') EXPECT_EQ(result.exitCode, 0) << result.out;
    }
    EXPECT_TRUE(fs::exists(folder_ + "/walk.svg"));
    EXPECT_NE(run("weight_manifold/weight_manifold.lua", {"--only", "e9"}).err.find("expected e1"), std::string::npos);
}

TEST_F(Protocols, LearnTaskAfterTask) {
    const auto result = run("diffusing_modulators/continual_learning.lua",
                            {"--only", "split_shared", "--seeds", "1", "--iterations", "2", "--out", folder_});
    expectTableAndFigure(result, "/continual_learning.svg");
}

TEST_F(Protocols, DrawTheFiguresOfBackpropamine) {
    const std::vector<std::string> options{"--seeds", "1", "--iterations", "8", "--workers", "1", "--out"};
    for (const char* name : {"cue_reward", "maze", "fixed_cues", "pattern_completion"}) {
        auto these = options;
        these.push_back(folder_ + "/" + name);
        const auto result = run(std::string("backpropamine/") + name + ".lua", these);
        expectTableAndFigure(result, std::string("/") + name + "/" + name + ".svg");
    }
    const auto soFar =
        run("backpropamine/maze.lua", {"--so-far", "--seeds", "1", "--iterations", "8", "--out", folder_ + "/maze"});
    EXPECT_EQ(soFar.exitCode, 0) << soFar.err;
    EXPECT_NE(soFar.out.find("Iterations 7 to 7 of every run"), std::string::npos) << soFar.out;
}

TEST_F(Protocols, DrawModulatorsOfSeveralNetworks) {
    expectTableAndFigure(run("backpropamine/modulators.lua", {"--seeds", "2", "--iterations", "2", "--trials", "4",
                                                              "--workers", "1", "--out", folder_}),
                         "/modulators.svg");
}

TEST_F(Protocols, ProbeATrainedPlasticNetwork) {
    for (const std::string rule : {"simple", "retroactive"}) {
        const auto result =
            run("backpropamine/probes.lua", {"--rule", rule, "--iterations", "2", "--trials", "20", "--out", folder_});
        expectTableAndFigure(result, rule == "simple" ? "/probes_cue_small_A_simple_seed_1.svg"
                                                      : "/probes_cue_small_A_retro_seed_1.svg");
        for (const char* probe : {"intact", "freeze", "no M", "flipped", "traces", "activities", "reversed"})
            EXPECT_NE(result.out.find("\n| " + std::string(probe) + " "), std::string::npos) << probe;
    }
    EXPECT_NE(run("backpropamine/probes.lua", {"--rule", "none"}).err.find("expected simple or retroactive"),
              std::string::npos);
}

TEST_F(Protocols, RefuseOptionsThatDoNotExist) {
    const auto result = run("nmn/robustness.lua", {"--seed", "1"});
    EXPECT_NE(result.exitCode, 0);
    EXPECT_NE(result.err.find("--seeds"), std::string::npos) << result.err;
}
#endif

} // namespace
} // namespace raphe::test
