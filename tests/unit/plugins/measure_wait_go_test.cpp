// SPDX-License-Identifier: Apache-2.0
#include "tasks/measure_wait_go/measure_wait_go.h"

#include "model_driver.h"
#include "task_driver.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <set>

namespace raphe::test {
namespace {

// mwg_datasets.json: all trials of the authors' sets, rebuilt independently from their description in float64.
TEST(MeasureWaitGo, AgreesWithTheGoldenDataSets) {
    const char* folder = std::getenv("RAPHE_GOLDEN_DIR");
    std::ifstream file(std::string(folder ? folder : RAPHE_GOLDEN_FOLDER) + "/nm_rnn/mwg_datasets.json");
    ASSERT_TRUE(file) << "no golden data";
    const auto golden = nlohmann::json::parse(file);
    for (const auto& [name, set] : golden.at("sets").items()) {
        SCOPED_TRACE(name);
        const int steps = set.at("T");
        TaskDriver<MeasureWaitGo> d(
            {{"steps", integer(steps)},
             {"intervals", set.at("intervals").get<std::vector<double>>()},
             {"measure_first", integer(set.at("measure_min"))},
             {"measure_last", integer(set.at("measure_max").get<int>() - 1)},
             {"delay", integer(set.at("delay"))},
             {"cue_amplitude", set.at("cue_amplitude").get<double>()},
             {"output_low", set.at("output_min").get<double>()},
             {"output_high", set.at("output_max").get<double>()},
             {"mask_pad", integer(set.at("mask_pad").is_null() ? -1 : set.at("mask_pad").get<int>())}});
        const auto& trials = set.at("trials");
        ASSERT_EQ(d.task().trialSet(), static_cast<int>(trials.size()));
        for (std::uint32_t number = 0; number < 2 * trials.size(); ++number) { // the set starts again after its end
            const auto& trial = trials[number % trials.size()];
            d.begin(number);
            for (int t = 0; t < steps; ++t) {
                d.observe();
                const std::vector<double> cues{trial.at("t_measure") == t ? 10.0 : 0,
                                               trial.at("t_wait") == t ? 10.0 : 0, trial.at("t_go") == t ? 10.0 : 0};
                ASSERT_EQ(d.port("observation"), cues);
                ASSERT_NEAR(d.port("target")[0], trial.at("output")[static_cast<std::size_t>(t)].get<double>(), 1e-15);
                ASSERT_EQ(d.port("mask")[0], trial.at("mask")[static_cast<std::size_t>(t)].get<double>());
                d.act();
            }
        }
    }
}

TEST(MeasureWaitGo, RandomSamplingReachesAllTrials) {
    TaskDriver<MeasureWaitGo> d({{"sampling", std::string("random")}});
    EXPECT_EQ(d.task().trialSet(), 0);
    std::set<std::pair<int, int>> seen;
    for (std::uint32_t number = 0; number < 1000; ++number) {
        d.begin(number);
        int measure = -1, wait = -1;
        for (int t = 0; t < 110; ++t) {
            d.observe();
            if (d.port("observation")[0] != 0) measure = t;
            if (d.port("observation")[1] != 0) wait = t;
            d.act();
        }
        seen.insert({measure, wait - measure});
    }
    EXPECT_EQ(seen.size(), 40u);
}

TEST(MeasureWaitGo, SaysWhatIsWrongWithItsParameters) {
    const auto declaration = entryOf<MeasureWaitGo>().declaration;
    const auto sentence = [&](const std::string& key, ParamValue value) {
        auto values = declaration.defaults();
        values.at(key) = std::move(value);
        return declaration.check(values);
    };
    EXPECT_EQ(sentence("delay", integer(15)), "");
    EXPECT_NE(sentence("steps", integer(70)).find("longest trial"), std::string::npos);
    EXPECT_EQ(sentence("steps", integer(71)), "");
    EXPECT_NE(sentence("intervals", std::vector<double>{}).find("empty"), std::string::npos);
    EXPECT_NE(sentence("intervals", std::vector<double>{12.5}).find("whole"), std::string::npos);
    EXPECT_NE(sentence("measure_last", integer(9)).find("measure_first"), std::string::npos);
}

} // namespace
} // namespace raphe::test
