// SPDX-License-Identifier: Apache-2.0
#include "engine/runs/run_filter.h"

#include "temporary_directory.h"

#include <gmock/gmock.h>

namespace raphe {
namespace {

using test::sentenceOf;
using testing::HasSubstr;

RunEntry example() {
    RunEntry run;
    run.folder = "runs/cue-1";
    run.experiment = "cue_reward";
    run.state = "done";
    run.seed = "3";
    run.start = "2026-11-20T09:30:00Z";
    run.seconds = 600;
    run.bytes = 2'000'000;
    run.iterations = 100;
    run.metrics = {{"reward", 9.5}};
    run.settings = {{"agent.hidden", "32"}, {"agent.rule", "\"simple\""}, {"precision", "\"float32\""}};
    return run;
}

TEST(RunFilter, TakesWordsAndComparisons) {
    const auto run = example();
    for (const char* text : {"",
                             "  ",
                             "cue",
                             "CUE done",
                             "reward > 9",
                             "reward>9",
                             "reward >= 9.5 seed = 3",
                             "agent.hidden <= 32",
                             "hidden = 32",
                             "simple",
                             "seed != 4",
                             "rule = simple",
                             "agent.rule != retroactive",
                             "state = done",
                             "State = Done",
                             "experiment ~ cue",
                             "experiment !~ mwg",
                             "experiment = cue_reward",
                             "folder ~ runs",
                             "date >= 2026-11",
                             "date = 2026-11-20",
                             "date < 2026-11-20T10",
                             "duration > 5min",
                             "duration <= 600",
                             "duration < 1h",
                             "size > 1MB",
                             "size<2.1MB",
                             "iterations >= 100",
                             "mwg or cue",
                             "not mwg",
                             "not (state = failed or reward < 9)",
                             "state = failed or (reward > 9 and seed = 3)",
                             "\"cue_reward\"",
                             "experiment = \"cue_reward\"",
                             "state = done experiment ~ cue reward > 9 seed = 3",
                             "agent.rule=simple"})
        EXPECT_TRUE(RunFilter(text).accepts(run)) << text;
    for (const char* text :
         {"mwg", "reward > 10", "cue reward < 9", "loss > 0", "agent.rule > 1", "hidden = 33", "rule = simpl",
          "state = failed", "experiment ~ mwg", "date > 2026-11-20", "duration > 11min", "size > 2MB", "not cue",
          "mwg or seed = 4", "(cue or mwg) reward < 9", "loss != 0"})
        EXPECT_FALSE(RunFilter(text).accepts(run)) << text;
}

TEST(RunFilter, ExplainsWhatIsWrong) {
    const std::pair<const char*, const char*> wrong[]{{"reward >", "expected a number after \"reward >\""},
                                                      {"reward > high", "got \"high\", as in reward > 9"},
                                                      {"reward =", "expected a number or a word"},
                                                      {"> 3", "expected a name before \">\""},
                                                      {"reward => 3", "\"=>\" compares nothing"},
                                                      {"state = dome", "did you mean \"done\"?"},
                                                      {"state > 3", "state is a text"},
                                                      {"seed = two", "expected a number after \"seed =\", got \"two\""},
                                                      {"seed ~ 2", "seed is no text"},
                                                      {"date > yesterday", "date > 2026-11-20"},
                                                      {"duration > 5 weeks", ""},
                                                      {"duration > 5weeks", "s, min, h or d"},
                                                      {"size > big", "kB, MB or GB"},
                                                      {"(cue", "there is no )"},
                                                      {"cue)", "there is no ("},
                                                      {"cue or", "expected something after \"or\""},
                                                      {"or cue", "expected something before \"or\""},
                                                      {"not", "expected something after \"not\""},
                                                      {"cue and", "both sides of \"and\""},
                                                      {"\"cue", "has no second one"}};
    for (const auto& [text, sentence] : wrong) {
        if (*sentence == 0) {
            EXPECT_NO_THROW(RunFilter{text}) << text;
            continue;
        }
        EXPECT_THAT(sentenceOf([&, given = text] { RunFilter{given}; }), HasSubstr(sentence)) << text;
    }
    EXPECT_THAT(sentenceOf([] { RunFilter(std::string(100000, '(')); }), HasSubstr("nested too deeply"));
}

TEST(RunFilter, DoubtsNamesThatNoRunHas) {
    const RunList runs{std::make_shared<RunEntry>(example())};
    EXPECT_EQ(RunFilter("reward > 9 hidden = 3 seed = 1 cue").doubt(runs), "");
    EXPECT_THAT(RunFilter("rewrad > 9").doubt(runs), HasSubstr("did you mean \"reward\"?"));
    EXPECT_THAT(RunFilter("cue or not hiden = 3").doubt(runs), HasSubstr("did you mean \"hidden\"?"));
    EXPECT_EQ(RunFilter("rewrad > 9").doubt({}), "");
}

} // namespace
} // namespace raphe
