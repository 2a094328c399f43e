// SPDX-License-Identifier: Apache-2.0
// Tasks for learners inside trials: statistics of their specifications, tolerances of five standard errors.
#include "tasks/cue_blocks/cue_blocks.h"
#include "tasks/set_shift/set_shift.h"
#include "tasks/switching_bandit/switching_bandit.h"

#include "model_driver.h"
#include "task_driver.h"

#include <gtest/gtest.h>

namespace raphe::test {
namespace {

TEST(SetShift, ShowsTwoOfFourStimuliAndPaysByTheCueOfThePhase) {
    TaskDriver<SetShift> d({{"schedule", std::string("2000 A, 3000 X")}, {"per_stimulus", integer(3)}});
    EXPECT_EQ(d.task().steps(), 5000);
    d.begin(4);
    double visual = 0, auditory = 0, both = 0, mean = 0, square = 0;
    Stream random(9, 1, 0, 0, 0);
    for (int t = 0; t < 5000; ++t) {
        d.observe();
        const auto& shown = d.port("stimulus");
        ASSERT_EQ(shown[0] + shown[1], 1);
        ASSERT_EQ(shown[2] + shown[3], 1);
        visual += shown[0];
        auditory += shown[2];
        both += shown[0] * shown[2];
        const bool go = t < 2000 ? shown[0] == 1 : shown[2] == 1;
        ASSERT_EQ(d.port("go")[0], go ? 1 : 0);
        ASSERT_EQ(d.port("phase")[0], t < 2000 ? 0 : 1);
        for (std::size_t i = 0; i < 12; ++i) {
            const double noise = d.port("observation")[i] * std::sqrt(6.0) - shown[i / 3];
            mean += noise;
            square += noise * noise;
        }
        const bool answers = random.integer(2) == 1;
        d.port("action") = {answers ? 0.0 : 1.0, answers ? 1.0 : 0.0};
        d.act();
        ASSERT_EQ(d.port("reward")[0], !answers ? 0 : go ? 1 : -1);
        ASSERT_EQ(d.port("correct")[0], answers == go ? 1 : 0);
    }
    EXPECT_NEAR(visual / 5000, 0.5, 5 * 0.5 / std::sqrt(5000.0));
    EXPECT_NEAR(auditory / 5000, 0.5, 5 * 0.5 / std::sqrt(5000.0));
    EXPECT_NEAR(both / 5000, 0.25, 5 * 0.433 / std::sqrt(5000.0));
    EXPECT_NEAR(mean / 60000, 0, 5 * 0.1 / std::sqrt(60000.0));
    EXPECT_NEAR(std::sqrt(square / 60000), 0.1, 5 * 0.1 / std::sqrt(2 * 60000.0));
}

TEST(SetShift, FlipsTheSignOfSomeRewards) {
    TaskDriver<SetShift> d({{"schedule", std::string("10000 B")}, {"flip", 0.1}});
    d.begin(0);
    double flipped = 0;
    for (int t = 0; t < 10000; ++t) {
        d.observe();
        d.port("action") = {0, 1};
        d.act();
        flipped += (d.port("reward")[0] > 0) != (d.port("go")[0] == 1);
    }
    EXPECT_NEAR(flipped / 10000, 0.1, 5 * 0.3 / 100);
}

TEST(SetShift, SaysWhatIsWrongWithASchedule) {
    const auto declaration = entryOf<SetShift>().declaration;
    const auto sentence = [&](const std::string& text) {
        auto values = declaration.defaults();
        values["schedule"] = text;
        return declaration.check(values);
    };
    EXPECT_EQ(sentence("1 A"), "");
    EXPECT_EQ(sentence("300 A, 300 Y,10 X"), "");
    for (const char* text :
         {"", "A", "100", "100 C", "100 A; 100 B", "0 A", "-5 A", "100 A,", "99999999 A", "5000000 A, 6000000 B"})
        EXPECT_EQ(sentence(text).rfind("schedule: ", 0), 0u) << text << ": " << sentence(text);
}

TEST(SwitchingBandit, RedrawsItsArmsTogetherWithTheStatedProbability) {
    TaskDriver<SwitchingBandit> d({{"contexts", integer(40)}, {"context_length", integer(3)}});
    EXPECT_EQ(d.task().steps(), 120);
    double switches = 0, mean = 0, deviation = 0, drawn = 0;
    for (std::uint32_t trial = 0; trial < 300; ++trial) {
        d.begin(trial);
        std::vector<double> before;
        for (int t = 0; t < 120; ++t) {
            d.observe();
            const auto now = d.port("mean");
            const bool changed = t > 0 && now != before;
            ASSERT_EQ(d.port("switch")[0], changed ? 1 : 0) << t;
            if (changed) {
                ASSERT_EQ(t % 3, 0);
                for (std::size_t a = 0; a < 5; ++a) ASSERT_NE(now[a], before[a]);
            }
            switches += changed;
            if (t == 0 || changed)
                for (std::size_t a = 0; a < 5; ++a, ++drawn) {
                    mean += now[a];
                    deviation += d.port("deviation")[a];
                    ASSERT_LE(std::abs(now[a]), 5);
                    ASSERT_GE(d.port("deviation")[a], 0.001);
                }
            before = now;
            d.port("action") = {0, 0, 1, 0, 0};
            d.act();
            const double best = *std::max_element(now.begin(), now.end());
            ASSERT_DOUBLE_EQ(d.port("regret")[0], best - now[2]);
            ASSERT_EQ(d.port("correct")[0], best == now[2] ? 1 : 0);
        }
    }
    EXPECT_NEAR(switches / (300 * 39), 0.4, 5 * 0.49 / std::sqrt(300.0 * 39));
    EXPECT_NEAR(mean / drawn, 0, 5 * 2.89 / std::sqrt(drawn));
    EXPECT_NEAR(deviation / drawn, 1.0005, 5 * 0.58 / std::sqrt(drawn));
}

TEST(SwitchingBandit, PaysNormalRewardsThatDoNotDependOnOtherChoices) {
    TaskDriver<SwitchingBandit> d({{"contexts", integer(1)}, {"context_length", integer(4000)}});
    std::vector<std::vector<double>> paid(5);
    for (std::size_t arm = 0; arm < 5; ++arm) {
        d.begin(1);
        double sum = 0, square = 0, mean = 0, deviation = 0;
        for (int t = 0; t < 4000; ++t) {
            d.observe();
            mean = d.port("mean")[arm];
            deviation = d.port("deviation")[arm];
            d.port("action").assign(5, 0.0);
            d.port("action")[arm] = 1;
            d.act();
            const double z = (d.port("reward")[0] - mean) / deviation;
            paid[arm].push_back(z);
            sum += z;
            square += z * z;
        }
        EXPECT_NEAR(sum / 4000, 0, 5 / std::sqrt(4000.0)) << arm;
        EXPECT_NEAR(square / 4000, 1, 5 * std::sqrt(2 / 4000.0)) << arm;
    }
    for (std::size_t a = 0; a < 5; ++a)
        for (std::size_t b = 0; b < a; ++b) {
            double product = 0;
            for (std::size_t t = 0; t < 4000; ++t) product += paid[a][t] * paid[b][t];
            EXPECT_NEAR(product / 4000, 0, 5 / std::sqrt(4000.0)) << a << b;
        }
    // Another arm in every other step: those steps pay what they paid before.
    d.begin(1);
    for (std::size_t t = 0; t < 100; ++t) {
        d.observe();
        const std::size_t arm = t % 2 ? 3 : 1;
        d.port("action").assign(5, 0.0);
        d.port("action")[arm] = 1;
        d.act();
        ASSERT_DOUBLE_EQ((d.port("reward")[0] - d.port("mean")[arm]) / d.port("deviation")[arm], paid[arm][t]);
    }
}

TEST(SwitchingBandit, ReversesItsArms) {
    TaskDriver<SwitchingBandit> d({{"arms", integer(2)},
                                   {"contexts", integer(4)},
                                   {"context_length", integer(2000)},
                                   {"switch_probability", 1.0},
                                   {"environment", std::string("reversal")}});
    d.begin(0);
    double paid[2] = {0, 0};
    for (int t = 0; t < 8000; ++t) {
        d.observe();
        const bool swapped = t / 2000 % 2 == 0; // the first context is swapped already
        ASSERT_EQ(d.port("mean")[0], swapped ? 0.4 : 0.6);
        ASSERT_EQ(d.port("mean")[1], swapped ? 0.6 : 0.4);
        d.port("action") = {1, 0};
        d.act();
        ASSERT_TRUE(d.port("reward")[0] == 0 || d.port("reward")[0] == 1);
        paid[swapped ? 0 : 1] += d.port("reward")[0];
    }
    EXPECT_NEAR(paid[0] / 4000, 0.4, 5 * 0.49 / std::sqrt(4000.0));
    EXPECT_NEAR(paid[1] / 4000, 0.6, 5 * 0.49 / std::sqrt(4000.0));
}

TEST(CueBlocks, AreValidAsOftenAsStated) {
    TaskDriver<CueBlocks> d({{"validity", std::vector<double>{0.9, 0.2}}, {"block_length", integer(4000)}});
    d.begin(0);
    double valid[2] = {0, 0};
    for (int t = 0; t < 8000; ++t) {
        d.observe();
        ASSERT_EQ(d.port("block")[0], t / 4000);
        valid[t / 4000] += d.port("valid")[0];
        d.act();
    }
    EXPECT_NEAR(valid[0] / 4000, 0.9, 5 * 0.3 / std::sqrt(4000.0));
    EXPECT_NEAR(valid[1] / 4000, 0.2, 5 * 0.4 / std::sqrt(4000.0));
}

} // namespace
} // namespace raphe::test
