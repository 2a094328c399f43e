// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/comparison.h"

#include "small_run.h"
#include "temporary_directory.h"

#include <gmock/gmock.h>

#include <cmath>

namespace raphe {
namespace {

using test::sentenceOf;
using test::TemporaryDirectory;
using test::writeRun;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST(Quartiles, AreInterpolatedAndLeaveOutWhatIsNoNumber) {
    const auto q = quartilesOf({4, 1, std::nan(""), 3, 2});
    EXPECT_DOUBLE_EQ(q.lower, 1.75);
    EXPECT_DOUBLE_EQ(q.median, 2.5);
    EXPECT_DOUBLE_EQ(q.upper, 3.25);
    EXPECT_EQ(q.count, 4u);
    EXPECT_EQ(quartilesOf({}).count, 0u);
    EXPECT_TRUE(std::isnan(quartilesOf({}).median));
}

class Comparison : public testing::Test {
protected:
    Comparison() {
        for (int seed = 1; seed <= 3; ++seed)
            for (const char* hidden : {"8", "16"}) {
                const auto name = std::string("h") + hidden + "s" + std::to_string(seed);
                writeRun(root / name, {.hidden = hidden, .seed = std::to_string(seed), .reward = 1.0 * seed});
                folders.push_back(root / name);
            }
    }
    TemporaryDirectory root;
    std::vector<std::filesystem::path> folders;
};

TEST_F(Comparison, GroupsByExperimentAndDifferingSettingsButNotBySeed) {
    auto groups = groupRuns(runsIn(folders));
    ASSERT_THAT(groups, SizeIs(2));
    EXPECT_EQ(groups[0].name, "agent.hidden 8");
    EXPECT_THAT(groups[0].runs, SizeIs(3));
    EXPECT_DOUBLE_EQ(finalMetric(groups[0].runs, "reward").median, 2);
    writeRun(root / "other", {.experiment = "mwg"});
    folders.push_back(root / "other");
    groups = groupRuns(runsIn(folders));
    ASSERT_THAT(groups, SizeIs(3));
    EXPECT_EQ(groups[1].name, "cue, agent.hidden 16");
    EXPECT_EQ(groups[2].name, "mwg");
}

TEST_F(Comparison, DrawsMedianAndQuartilesOrEachRun) {
    const auto curves = readCurves(groupRuns(runsIn(folders)), "");
    EXPECT_EQ(curves.metric, "reward");
    const auto figure = learningCurves(curves, {.smoothing = 1});
    const auto& series = figure["panels"][0]["series"];
    ASSERT_THAT(series, SizeIs(4)) << "a band and a line for each group";
    EXPECT_EQ(series[0]["kind"], "band");
    EXPECT_DOUBLE_EQ(series[0]["lower"].back(), 1.5);
    EXPECT_DOUBLE_EQ(series[0]["upper"].back(), 2.5);
    EXPECT_EQ(series[1]["name"], "agent.hidden 8 (3 runs)");
    EXPECT_DOUBLE_EQ(series[1]["y"].back(), 2);
    EXPECT_DOUBLE_EQ(series[1]["x"].back(), 40);

    const auto each = learningCurves(curves, {.show = CurveStyle::Show::runs});
    EXPECT_THAT(each["panels"][0]["series"], SizeIs(6));
    EXPECT_TRUE(each["panels"][0]["series"][0].contains("name"));
    EXPECT_FALSE(each["panels"][0]["series"][1].contains("name")) << "one entry of the legend for each group";
    const auto finals = learningCurves(curves, {.logarithmic = true, .finals = true});
    ASSERT_THAT(finals["panels"], SizeIs(2));
    EXPECT_EQ(finals["panels"][1]["x"]["categories"][1], "agent.hidden 16");
    EXPECT_TRUE(finals["panels"][0]["series"][1]["y"][0].is_null()) << "0 has no logarithm";
}

TEST_F(Comparison, ACurveEndsWhereFewerThanHalfOfTheRunsGoOn) {
    TemporaryDirectory other;
    for (int i = 0; i < 3; ++i)
        writeRun(other / std::to_string(i), {.seed = std::to_string(i), .iterations = i == 2 ? 200 : 100 + 20 * i});
    std::vector<std::filesystem::path> runs{other / "0", other / "1", other / "2"};
    auto entries = runsIn(runs);
    std::vector<RunGroup> group{{"all", entries}};
    const auto figure = learningCurves(readCurves(group, "reward"), {.smoothing = 1});
    EXPECT_DOUBLE_EQ(figure["panels"][0]["series"][1]["x"].back(), 120);
}

TEST_F(Comparison, GivesItsNumbersAsTables) {
    const auto groups = groupRuns(runsIn(folders));
    const auto table = curvesTable(readCurves(groups, "reward"));
    EXPECT_THAT(table.columns, SizeIs(1 + 2 * (3 + 3)));
    EXPECT_EQ(table.columns[1], "agent.hidden 8, seed 1, h8s1");
    EXPECT_EQ(table.columns[4], "agent.hidden 8, median");
    ASSERT_THAT(table.rows, SizeIs(40));
    EXPECT_THAT(table.rows.back(), ElementsAre(40, 1, 2, 3, 2, 1.5, 2.5, 1, 2, 3, 2, 1.5, 2.5));
    const auto csv = comparisonAsCsv(groups);
    EXPECT_THAT(csv, HasSubstr("group,run,seed,state,runs,agent.hidden,reward,reward lower quartile,reward upper"));
    EXPECT_THAT(csv, HasSubstr("agent.hidden 8,,,,3,8,2,1.5,2.5,1,1,1\r\n"));
}

TEST_F(Comparison, SaysWhichMetricsThereAre) {
    EXPECT_THAT(sentenceOf([&] { readCurves(groupRuns(runsIn(folders)), "los"); }), HasSubstr("did you mean \"loss\""));
    EXPECT_THAT(sentenceOf([&] { runsIn({root / "nothing"}); }), HasSubstr("nothing"));
}

} // namespace
} // namespace raphe
