// SPDX-License-Identifier: Apache-2.0
#include "tasks/cue_reward/cue_reward.h"

#include "model_driver.h"
#include "task_driver.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

namespace raphe::test {
namespace {

using Driver = TaskDriver<CueReward>;
using Bits = std::vector<double>;

ParamValues params(int cues, int bits, int steps, bool fixed = false) {
    return {{"cues", integer(cues)}, {"cue_bits", integer(bits)}, {"steps", integer(steps)}, {"fixed_cues", fixed}};
}

std::string sentence(const ParamValues& changed) {
    const auto declaration = entryOf<CueReward>().declaration;
    auto values = declaration.defaults();
    for (const auto& [key, value] : changed) values.at(key) = value;
    return declaration.check(values);
}

// Figures of the task's specification (section 3.1); tolerances are 5 standard errors for this number of episodes.
TEST(CueReward, HasTheSpecifiedStatistics) {
    Driver d;
    constexpr int episodes = 4000;
    double responses = 0, squares = 0, shown = 0, chance = 0;
    std::map<int, int> lengths;
    Stream random(5, 1, 0, 0, 0);
    for (std::uint32_t e = 0; e < episodes; ++e) {
        d.begin(e);
        int count = 0, last = -1;
        for (int t = 0; t < 120; ++t) {
            d.observe();
            const int action = static_cast<int>(random.integer(2));
            d.port("action") = {1.0 - action, double(action)};
            d.act();
            if (d.port("response")[0] == 0) {
                EXPECT_EQ(d.port("reward")[0], 0);
                continue;
            }
            ++count;
            chance += d.port("reward")[0];
            shown += (d.port("reward")[0] > 0) == (action == 1); // the target was
            if (last >= 0) ++lengths[t - last];
            last = t;
        }
        EXPECT_GE(count, 16);
        EXPECT_LE(count, 21);
        responses += count;
        squares += double(count) * count;
    }
    const double mean = responses / episodes, deviation = std::sqrt(squares / episodes - mean * mean);
    EXPECT_NEAR(mean, 18.21, 5 * deviation / std::sqrt(double(episodes)) + 0.005);
    EXPECT_NEAR(shown / responses, 0.5, 5 * 0.5 / std::sqrt(responses));
    EXPECT_NEAR(chance / responses, 0, 5 / std::sqrt(responses));
    ASSERT_EQ(lengths.size(), 4u);
    double total = 0;
    for (auto [length, count] : lengths) total += count;
    for (auto [length, count] : lengths) {
        EXPECT_GE(length, 5);
        EXPECT_LE(length, 8);
        EXPECT_NEAR(count / total, 0.25, 0.01); // slightly off 1/4: the cut at the end favours short ones
    }
}

/// Keeps the cues that may be the target, from the rewards of this episode.
class IdealObserver {
public:
    explicit IdealObserver(int cues) : cues_(cues) {}

    /// Sure if all or none of the candidates are shown; otherwise a guess, which here is 0.
    int answer(const std::set<Bits>& shown) const { return shownCandidates(shown).size() == candidateCount() ? 1 : 0; }
    void learn(const std::set<Bits>& shown, bool targetShown) {
        if (targetShown) {
            candidates_ = shownCandidates(shown);
            isolated_ = true;
            return;
        }
        excluded_.insert(shown.begin(), shown.end());
        for (const auto& cue : shown) candidates_.erase(cue);
    }

private:
    std::size_t candidateCount() const {
        return isolated_ ? candidates_.size() : static_cast<std::size_t>(cues_) - excluded_.size();
    }
    std::set<Bits> shownCandidates(const std::set<Bits>& shown) const {
        std::set<Bits> result;
        for (const auto& cue : shown)
            if (isolated_ ? candidates_.count(cue) == 1 : excluded_.count(cue) == 0) result.insert(cue);
        return result;
    }
    int cues_;
    bool isolated_ = false;     ///< whether candidates_ lists all candidates; else all cues that are not excluded
    std::set<Bits> candidates_; // some cues may not have been seen yet
    std::set<Bits> excluded_;
};

// Two answers of an episode are guesses with four cues, one with two; a guess costs 1 on average.
TEST(CueReward, IdealObserverLosesWhatItMustGuess) {
    for (auto [cues, guesses] : {std::pair{4, 2}, {2, 1}}) {
        Driver d(params(cues, 20, 120));
        constexpr int episodes = 3000;
        double lost = 0;
        for (std::uint32_t e = 0; e < episodes; ++e) {
            d.begin(e);
            IdealObserver observer(cues);
            std::set<Bits> shown;
            for (int t = 0; t < 120; ++t) {
                d.observe();
                const auto& x = d.port("observation");
                if (x[0] != 0) shown.insert(Bits(x.begin(), x.begin() + 20));
                const bool go = d.port("response")[0] == 1;
                const int action = go ? observer.answer(shown) : 0;
                d.port("action") = {1.0 - action, double(action)};
                d.act();
                if (!go) continue;
                const double reward = d.port("reward")[0];
                lost += 1 - reward;
                observer.learn(shown, (reward > 0) == (action == 1));
                shown.clear();
            }
        }
        EXPECT_NEAR(lost / episodes, guesses, 5 * std::sqrt(double(guesses) / episodes));
    }
}

TEST(CueReward, ObservationHasTheSpecifiedLayout) {
    Driver d;
    d.begin(0);
    std::vector<double> previousAction{0, 0};
    double previousReward = 0;
    for (int t = 0; t < 120; ++t) {
        d.observe();
        const auto x = d.port("observation");
        ASSERT_EQ(x.size(), 27u);
        EXPECT_EQ(x[20], d.port("response")[0]);
        EXPECT_EQ(x[21], 1);
        EXPECT_DOUBLE_EQ(x[22], t / 120.0);
        EXPECT_EQ(x[23], previousReward);
        EXPECT_EQ(x[24], 0);
        EXPECT_EQ(x[25], previousAction[0]);
        EXPECT_EQ(x[26], previousAction[1]);
        if (x[20] == 1) {
            for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(x[i], 0);
        }
        previousAction = t % 3 == 0 ? std::vector{0.0, 1.0} : std::vector{1.0, 0.0};
        d.port("action") = previousAction;
        d.act();
        previousReward = d.port("reward")[0];
    }
}

TEST(CueReward, ShowsDistinctCuesHalfOfThemEachTime) {
    EXPECT_TRUE(rc::check("cues are distinct, bits are +-1, half of the cues are shown before a Go", [] {
        const int cues = 2 * *rc::gen::inRange(1, 5), bits = *rc::gen::inRange(4, 12);
        const auto seed = *rc::gen::arbitrary<std::uint64_t>();
        Driver d(params(cues, bits, 400));
        d.begin(0, seed);
        std::set<Bits> all, now;
        int shownSteps = 0;
        for (int t = 0; t < 400; ++t) {
            d.observe();
            const auto& x = d.port("observation");
            const Bits cue(x.begin(), x.begin() + bits);
            if (cue[0] != 0) {
                for (double bit : cue) RC_ASSERT(std::abs(bit) == 1);
                all.insert(cue);
                now.insert(cue);
                ++shownSteps;
            }
            if (d.port("response")[0] == 1) {
                RC_ASSERT(now.size() == static_cast<std::size_t>(cues / 2));
                RC_ASSERT(shownSteps == cues / 2);
                now.clear();
                shownSteps = 0;
            }
            d.port("action") = {1, 0};
            d.act();
        }
        RC_ASSERT(all.size() == static_cast<std::size_t>(cues));
    }));
}

TEST(CueReward, FixedCuesAreOneHotAndTheSameInAllEpisodes) {
    Driver d(params(4, 4, 120, true));
    std::set<Bits> all;
    for (std::uint32_t e = 0; e < 20; ++e) {
        d.begin(e);
        for (int t = 0; t < 120; ++t) {
            d.observe();
            const auto& x = d.port("observation");
            ASSERT_EQ(x.size(), 11u);
            const Bits cue(x.begin(), x.begin() + 4);
            if (cue != Bits(4)) all.insert(cue);
            d.port("action") = {1, 0};
            d.act();
        }
    }
    EXPECT_EQ(all, (std::set<Bits>{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}));
}

TEST(CueReward, SwitchStepsMakeAnotherCueTheTarget) {
    Driver plain, switched({{"switch_steps", std::vector<double>{40, 80}}});
    int right = 0, answers = 0;
    for (std::uint32_t e = 0; e < 200; ++e) {
        plain.begin(e);
        switched.begin(e);
        std::vector<double> targets;
        for (int t = 0; t < 120; ++t) {
            plain.observe();
            switched.observe();
            const auto& x = switched.port("observation");
            if (t < 40) EXPECT_EQ(x, plain.port("observation"));
            EXPECT_EQ(Bits(x.begin(), x.begin() + 21), // the same cues are shown
                      Bits(plain.port("observation").begin(), plain.port("observation").begin() + 21));
            const double target = switched.port("target")[0];
            if (targets.empty() || targets.back() != target) {
                EXPECT_EQ(t, 40 * static_cast<int>(targets.size()));
                targets.push_back(target);
            }
            for (auto* d : {&plain, &switched}) {
                d->port("action") = {0, 1};
                d->act();
            }
            if (t < 40) EXPECT_EQ(plain.port("reward"), switched.port("reward"));
            if (switched.port("response")[0] == 1) {
                ++answers;
                right += switched.port("reward")[0] > 0;
            }
        }
        EXPECT_EQ(targets.size(), 3u);
    }
    EXPECT_NEAR(double(right) / answers, 0.5, 5 * 0.5 / std::sqrt(answers));
}

TEST(CueReward, IsJudgedByTheTargetAtGo) {
    // Two cues, of which one is shown: after a switch the correct answer is the other one.
    Driver plain(params(2, 10, 60));
    auto values = params(2, 10, 60);
    values["switch_steps"] = std::vector<double>{20};
    Driver other(values);
    for (std::uint32_t e = 0; e < 50; ++e) {
        plain.begin(e);
        other.begin(e);
        for (int t = 0; t < 60; ++t) {
            for (auto* d : {&plain, &other}) {
                d->observe();
                d->port("action") = {0, 1};
                d->act();
            }
            EXPECT_EQ(other.port("reward")[0], (t < 20 ? 1 : -1) * plain.port("reward")[0]) << t;
        }
    }
}

TEST(CueReward, EpisodesOfABatchMayShareTheirCues) {
    const auto entry = entryOf<CueReward>();
    auto values = entry.declaration.defaults();
    values["shared_cues"] = true;
    std::vector<int> sizes;
    for (const auto& port : entry.declaration.ports) sizes.push_back(port.size(values));
    Builder builder(entry.declaration, sizes, std::vector<bool>(sizes.size(), true), 1);
    const CueReward<double> task(CueReward<double>::declare().fill(values), builder);
    const auto trial = [&](std::uint32_t iteration, std::uint32_t number) {
        CueRewardTrial result;
        Stream random(1, 2, iteration, number, 0);
        task.begin(result, TrialPlace{iteration, number, 30, 1, 2}, random);
        return result;
    };
    std::set<int> targets;
    std::set<std::vector<int>> courses;
    for (std::uint32_t number = 0; number < 30; ++number) {
        const auto one = trial(4, number);
        EXPECT_EQ(one.bits, trial(4, 0).bits);
        targets.insert(one.target[0]);
        courses.insert(one.shown);
    }
    EXPECT_EQ(targets.size(), 4u);
    EXPECT_EQ(courses.size(), 30u);
    EXPECT_NE(trial(5, 0).bits, trial(4, 0).bits);
}

TEST(CueReward, SaysWhatIsWrongWithItsParameters) {
    EXPECT_EQ(sentence({}), "");
    EXPECT_NE(sentence(params(3, 20, 120)).find("even"), std::string::npos);
    EXPECT_NE(sentence(params(4, 1, 120)).find("apart"), std::string::npos);
    EXPECT_NE(sentence(params(4, 3, 120, true)).find("one-hot"), std::string::npos);
    EXPECT_EQ(sentence(params(4, 4, 120, true)), "");
}

} // namespace
} // namespace raphe::test
