// SPDX-License-Identifier: Apache-2.0
// The experiments of Backpropamine have the published networks, and what they are trained with are gradients.
#include "engine/document/experiment.h"
#include "engine/learning/session.h"
#include "engine/mechanisms/plugin_host.h"

#include <gtest/gtest.h>

#include <string>

namespace raphe::test {
namespace {

class BackpropamineExperiments : public testing::Test {
protected:
    BackpropamineExperiments() { plugins_.loadFolder(PLUGIN_FOLDER); }

    std::unique_ptr<Session> session(const std::string& name, Precision precision = Precision::float32) const {
        auto experiment = loadExperiment(name, plugins_.registry());
        experiment.precision = precision;
        return Session::create(experiment, plugins_.registry(), {1, "tbb", 0});
    }

    PluginHost plugins_;
};

/// Table 2.5 of the specification.
TEST_F(BackpropamineExperiments, HaveThePublishedNumberOfParameters) {
    const std::pair<const char*, long> published[]{
        {"cue_reward_none", 46203},  {"cue_reward_plastic", 86204}, {"cue_reward_simple", 86404},
        {"cue_reward_retro", 86405}, {"maze_none", 12305},          {"maze_none_139", 22523},
        {"maze_plastic", 22731},     {"maze_simple", 22406},        {"maze_retro", 22407}};
    for (const auto& [name, expected] : published) {
        long count = 0;
        for (const auto& p : session(name)->parameters()) count += static_cast<long>(p.rows) * p.columns;
        EXPECT_EQ(count, expected) << name;
    }
}

TEST_F(BackpropamineExperiments, AreTrainedWithGradients) {
    for (const char* name :
         {"maze_small_simple", "maze_small_retro", "maze_small_plastic", "maze_small_none", "maze_fan_out",
          "maze_early_plastic", "cue_small_B_fixed_soft", "cue_small_B_fixed_plastic_soft", "pattern_completion_small",
          "pattern_completion_small_none"}) {
        const auto report = session(name, Precision::float64)->checkGradients(3);
        EXPECT_TRUE(report.passed()) << name;
        for (const auto& tensor : report.tensors)
            EXPECT_GT(tensor.largestGradient, 0) << name << ": nothing depends on " << tensor.name;
    }
}

} // namespace
} // namespace raphe::test
