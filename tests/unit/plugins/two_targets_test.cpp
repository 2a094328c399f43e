// SPDX-License-Identifier: Apache-2.0
#include "tasks/two_targets/two_targets.h"

#include "environment_golden.h"
#include "episodes.h"

#include <set>

namespace raphe::test {
namespace {

using Driver = TaskDriver<TwoTargets>;
using Hit = TwoTargets<double>::Hit;

Point pointAt(const std::vector<double>& row, std::size_t first = 0) { return {row.at(first), row.at(first + 1)}; }
double actionTowards(Point direction) { return std::atan2(direction.y, direction.x) / std::numbers::pi; }

TEST(TwoTargets, AgreesWithTheGoldenEpisodes) {
    const auto golden = environmentGolden("two_targets");
    const double gamma = golden.at("config").at("gamma");
    const auto params = paramsOf(entryOf<TwoTargets>().declaration, golden.at("config"));
    ASSERT_FALSE(golden.at("episodes").empty());
    for (const auto& episode : golden.at("episodes")) {
        Driver d(params);
        const GoldenRows targets(episode.at("targets"));
        const std::size_t good = episode.at("good_target");
        TwoTargetsTrial trial{.good = pointAt(targets[good]),
                              .bad = pointAt(targets[1 - good]),
                              .order = episode.at("order").at(0) == good ? 0 : 1};
        Candidates<Point> first(episode.at("initial_candidates"));
        trial.position = d.task().start(trial, first);
        EXPECT_TRUE(first.allUsed());
        const GoldenRows action(episode.at("action")), observation(episode.at("observation")),
            heading(episode.at("direction")), position(episode.at("position")), reward(episode.at("reward")),
            hit(episode.at("hit"));
        double sum = 0, discounted = 0, weight = 1;
        const auto expectObservation = [&](std::size_t t) {
            d.observe(trial);
            expectClose(joined(d.port("observation"), d.port("history")), observation[t]);
            expectClose(d.port("position"), position[t]);
            EXPECT_EQ(d.port("good"), targets[good]);
            EXPECT_EQ(d.port("bad"), targets[1 - good]);
            EXPECT_EQ(d.port("order")[0], static_cast<double>(trial.order));
        };
        for (std::size_t t = 0; t < action.count(); ++t, weight *= gamma) {
            SCOPED_TRACE(t);
            expectObservation(t);
            auto candidates = candidatesAt<Point>(episode.at("replaced"), t);
            const Hit atTarget = d.task().advance(trial, action[t][0], candidates);
            EXPECT_EQ(static_cast<double>(atTarget), hit[t][0]);
            EXPECT_TRUE(candidates.allUsed());
            expectClose(trial.heading, heading[t][0]);
            expectClose(trial.reward, reward[t][0]);
            sum += trial.reward;
            discounted += weight * trial.reward;
        }
        expectObservation(action.count());
        expectClose(sum, episode.at("sum_of_rewards"));
        expectClose(discounted, episode.at("discounted_sum_of_rewards"));
    }
}

TEST(TwoTargets, DrawsTargetsOrdersAndStartsAsSpecified) {
    Driver d;
    constexpr int episodes = 4000;
    std::vector<double> goods, bads;
    double badFirst = 0;
    for (std::uint32_t episode = 0; episode < episodes; ++episode) {
        d.begin(episode);
        d.observe();
        const Point good = pointAt(d.port("good")), bad = pointAt(d.port("bad")), start = pointAt(d.port("position"));
        for (double x : {good.x, good.y}) goods.push_back(x);
        for (double x : {bad.x, bad.y}) bads.push_back(x);
        badFirst += d.port("order")[0];
        EXPECT_GT(std::min(distance(good, start), distance(bad, start)), 0.6);
        EXPECT_LE(std::max(std::abs(start.x), std::abs(start.y)), 1.5);
        const bool goodFirst = d.port("order")[0] == 0;
        const Point first = (goodFirst ? good : bad) - start, second = (goodFirst ? bad : good) - start;
        EXPECT_EQ(d.port("observation"), (std::vector{first.x, first.y, second.x, second.y}));
        EXPECT_EQ(d.port("history"), (std::vector{0.0, 0.0}));
    }
    expectUniform(goods, -1, 1);
    expectUniform(bads, -1, 1);
    EXPECT_NEAR(badFirst / episodes, 0.5, 5 * 0.5 / std::sqrt(double(episodes)));
}

TEST(TwoTargets, ObservationJumpsWhereThePositionGoesRound) {
    Driver d;
    TwoTargetsTrial trial{.good = {0, 1}, .bad = {0.5, 1}, .position = {1.9, -1.5}};
    d.observe(trial);
    const auto before = d.port("observation");
    d.task().advance(trial, 2, [] { return Point{}; }); // to the right: heading 0
    EXPECT_DOUBLE_EQ(trial.position.x, -1.85);
    EXPECT_DOUBLE_EQ(trial.position.y, -1.5);
    d.observe(trial);
    EXPECT_NEAR(d.port("observation")[0] - before[0], 4 - 0.25, 1e-12);
    EXPECT_NEAR(d.port("observation")[2] - before[2], 4 - 0.25, 1e-12);
}

TEST(TwoTargets, PaysForTheNearerOfOverlappingTargets) {
    Driver d;
    const auto hitAt = [&](double x) {
        TwoTargetsTrial trial{.good = {0, 0}, .bad = {0.5, 0}, .position = {x, 0}};
        const Hit hit = d.task().advance(trial, 0.2, [] { return Point{-1.4, -1.4}; });
        EXPECT_EQ(trial.reward, hit == Hit::good ? 100 : hit == Hit::bad ? -50 : 0);
        return hit;
    };
    EXPECT_EQ(hitAt(-0.41), Hit::none);
    EXPECT_EQ(hitAt(-0.4), Hit::good);
    EXPECT_EQ(hitAt(0.24), Hit::good);
    EXPECT_EQ(hitAt(0.26), Hit::bad);
    EXPECT_EQ(hitAt(0.89), Hit::bad);
    EXPECT_EQ(hitAt(0.91), Hit::none);
}

double actionTowardsGood(Driver& d) {
    return actionTowards(pointAt(d.port("observation"), d.port("order")[0] == 0 ? 0 : 2));
}
double actionTowardsNearest(Driver& d) {
    const Point first = pointAt(d.port("observation")), second = pointAt(d.port("observation"), 2);
    return actionTowards(distance(first, {}) <= distance(second, {}) ? first : second);
}

TEST(TwoTargets, PaysAfterTheArrivalAndIgnoresThatStepsAction) {
    Driver d;
    std::set<std::vector<double>> places;
    for (double action : {-0.7, 0.0, 5.0}) {
        d.begin(0);
        bool arrived = false;
        for (int t = 0; t < 100 && !arrived; ++t) {
            d.observe();
            const double toGood = distance(pointAt(d.port("good")), pointAt(d.port("position"))),
                         toBad = distance(pointAt(d.port("bad")), pointAt(d.port("position")));
            arrived = std::min(toGood, toBad) <= 0.4;
            d.port("action") = {arrived ? action : actionTowardsNearest(d)};
            d.act();
            EXPECT_EQ(d.port("hit")[0], !arrived ? 0 : toGood <= toBad ? 1 : 2);
            EXPECT_EQ(d.port("reward")[0], !arrived ? 0 : toGood <= toBad ? 100 : -50);
        }
        ASSERT_TRUE(arrived);
        const double reward = d.port("reward")[0];
        d.observe();
        places.insert(d.port("position"));
        EXPECT_EQ(d.port("history"), (std::vector{headingOf(action), reward}));
    }
    EXPECT_EQ(places.size(), 1u);
}

TEST(TwoTargets, PaysAnUntrainedPolicyAsPublished) {
    Driver d;
    Stream random(3, addressOf("policy"), 0, 0, 0);
    expectPublishedReturn(discountedReturns(d, 100, [&](auto&) { return 0.607 * random.normal(); }), 143);
}

TEST(TwoTargets, PaysAPolicyThatKnowsTheGoodTargetAsPublished) {
    Driver d;
    expectPublishedReturn(discountedReturns(d, 150, actionTowardsGood), 7130);
}

TEST(TwoTargets, PaysAPolicyThatGoesToTheNearestTargetAsPublished) {
    Driver d;
    expectPublishedReturn(discountedReturns(d, 150, actionTowardsNearest), 2520);
}

TEST(TwoTargets, SwitchStepsExchangeTheTargetsBehindAnUnchangedView) {
    Driver plain, switched({{"switch_steps", std::vector<double>{30, 60}}});
    for (auto* d : {&plain, &switched}) d->begin(2);
    for (int t = 0; t < 90; ++t) {
        for (auto* d : {&plain, &switched}) {
            d->observe();
            d->port("action") = {actionTowardsNearest(*d)};
            d->act();
        }
        const bool exchanged = t >= 30 && t < 60;
        EXPECT_EQ(plain.port("observation"), switched.port("observation"));
        EXPECT_EQ(plain.port("position"), switched.port("position"));
        EXPECT_EQ(plain.port("good"), switched.port(exchanged ? "bad" : "good"));
        EXPECT_EQ(plain.port("bad"), switched.port(exchanged ? "good" : "bad"));
        EXPECT_EQ(plain.port("order")[0] != switched.port("order")[0], exchanged);
        const double hit = plain.port("hit")[0];
        EXPECT_EQ(switched.port("hit")[0], exchanged && hit != 0 ? 3 - hit : hit);
    }
}

TEST(TwoTargets, TrialIsAFunctionOfItsStream) { expectTrialIsAFunctionOfItsStream<TwoTargets>(); }
TEST(TwoTargets, ShowsWhatFollowsTheLastStep) { expectShowsWhatFollowsTheLastStep<TwoTargets>(); }

TEST(TwoTargets, SaysWhatIsWrongWithItsParameters) {
    expectChecksSwitchSteps<TwoTargets>();
    const auto sentence = complaint<TwoTargets>;
    EXPECT_NE(sentence({{"start_clearance", 1.2}}).find("start_range"), std::string::npos);
    EXPECT_NE(sentence({{"step_length", 4.1}}).find("half_width"), std::string::npos);
}

} // namespace
} // namespace raphe::test
