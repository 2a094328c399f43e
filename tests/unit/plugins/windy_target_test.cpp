// SPDX-License-Identifier: Apache-2.0
#include "tasks/windy_target/windy_target.h"

#include "environment_golden.h"
#include "episodes.h"

#include <set>

namespace raphe::test {
namespace {

using Driver = TaskDriver<WindyTarget>;
constexpr double pi = std::numbers::pi;

Point pointAt(const std::vector<double>& row) { return {row.at(0), row.at(1)}; }
double actionTowards(Point direction) { return std::atan2(direction.y, direction.x) / pi; }

TEST(WindyTarget, AgreesWithTheGoldenEpisodes) {
    const auto golden = environmentGolden("windy_target");
    const double gamma = golden.at("config").at("gamma");
    const auto params = paramsOf(entryOf<WindyTarget>().declaration, golden.at("config"));
    ASSERT_FALSE(golden.at("episodes").empty());
    for (const auto& episode : golden.at("episodes")) {
        Driver d(params);
        WindyTargetTrial trial{.target = pointAt(GoldenRows(episode.at("targets"))[0]),
                               .wind = episode.at("wind_direction")};
        Candidates<Point> first(episode.at("initial_candidates"));
        trial.position = d.task().start(trial, first);
        EXPECT_TRUE(first.allUsed());
        const GoldenRows action(episode.at("action")), observation(episode.at("observation")),
            heading(episode.at("direction")), position(episode.at("position")), reward(episode.at("reward")),
            hit(episode.at("hit")), deviation(episode.at("wind_angle_offset"));
        double sum = 0, discounted = 0, weight = 1;
        const auto expectObservation = [&](std::size_t t) {
            d.observe(trial);
            expectClose(joined(d.port("observation"), d.port("history")), observation[t]);
            expectClose(d.port("position"), position[t]);
            EXPECT_EQ(d.port("target"), (std::vector{trial.target.x, trial.target.y}));
            EXPECT_EQ(d.port("wind")[0], trial.wind);
        };
        for (std::size_t t = 0; t < action.count(); ++t, weight *= gamma) {
            SCOPED_TRACE(t);
            expectObservation(t);
            auto candidates = candidatesAt<Point>(episode.at("replaced"), t);
            const bool isHit = d.task().advance(
                trial, action[t][0], [&] { return deviation[t][0]; }, candidates);
            EXPECT_EQ(isHit, hit[t][0] == 1);
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

TEST(Heading, IsTheActionReducedToOneTurn) {
    EXPECT_DOUBLE_EQ(headingOf(0.5), pi / 2);
    EXPECT_DOUBLE_EQ(headingOf(1), pi);
    EXPECT_DOUBLE_EQ(headingOf(2.5), pi / 2);
    EXPECT_EQ(headingOf(2), 0);
    EXPECT_DOUBLE_EQ(headingOf(-0.5), 1.5 * pi);
    EXPECT_DOUBLE_EQ(headingOf(-1), pi);
    EXPECT_DOUBLE_EQ(headingOf(-6.5), 1.5 * pi);
}

TEST(Heading, OfNoActionIsAWholeTurn) {
    EXPECT_EQ(headingOf(0.0), 2 * pi);
    EXPECT_EQ(headingOf(-0.0), 2 * pi);
    EXPECT_EQ(headingOf(-2), 2 * pi);
}

TEST(Plane, WrapsWhatLeavesIt) {
    const PlaneParams plane;
    const auto wrapped = [&](double x, double y) {
        const Point p = plane.wrapped({x, y});
        return std::vector{p.x, p.y};
    };
    EXPECT_EQ(wrapped(2, -2), (std::vector{2.0, -2.0}));
    EXPECT_EQ(wrapped(2.25, 0.5), (std::vector{-1.75, 0.5}));
    EXPECT_EQ(wrapped(-2.5, 2.125), (std::vector{1.5, -1.875}));
}

TEST(WindyTarget, DrawsTargetsWindsAndStartsAsSpecified) {
    Driver d;
    std::vector<double> targets, winds;
    for (std::uint32_t episode = 0; episode < 4000; ++episode) {
        d.begin(episode);
        d.observe();
        const Point target = pointAt(d.port("target")), start = pointAt(d.port("position"));
        for (double x : {target.x, target.y}) targets.push_back(x);
        winds.push_back(d.port("wind")[0]);
        EXPECT_GT(distance(target, start), 0.6);
        EXPECT_LE(std::max(std::abs(start.x), std::abs(start.y)), 1.5);
        EXPECT_EQ(d.port("observation"), (std::vector{target.x - start.x, target.y - start.y}));
        EXPECT_EQ(d.port("history"), (std::vector{0.0, 0.0}));
    }
    expectUniform(targets, -1, 1);
    expectUniform(winds, 0, 2 * pi);
}

// What is left of a step without the agent's own part has the wind's length and lies in its cone.
TEST(WindyTarget, BlowsWithinTheConeOfItsWind) {
    Driver d;
    const PlaneParams plane;
    std::vector<double> deviations;
    Stream random(2, addressOf("policy"), 0, 0, 0);
    for (std::uint32_t episode = 0; episode < 40; ++episode) {
        d.begin(episode);
        for (int t = 0; t < 100; ++t) {
            d.observe();
            const Point before = pointAt(d.port("position"));
            const double wind = d.port("wind")[0];
            d.port("action") = {random.normal()};
            d.act();
            if (d.port("hit")[0] == 1) continue;
            d.observe();
            const Point blown = plane.wrapped(pointAt(d.port("position")) - before - along(d.port("history")[0], 0.25));
            EXPECT_NEAR(distance(blown, {}), 0.25, 1e-12);
            deviations.push_back(std::remainder(std::atan2(blown.y, blown.x) - wind, 2 * pi));
        }
    }
    expectUniform(deviations, -pi / 4, pi / 4);
}

TEST(WindyTarget, PaysAfterTheArrivalAndIgnoresThatStepsAction) {
    Driver d;
    std::set<std::vector<double>> places;
    for (double action : {-0.7, 0.0, 5.0}) {
        d.begin(0);
        int hits = 0;
        for (int t = 0; t < 2000 && hits == 0; ++t) {
            d.observe();
            const auto toTarget = pointAt(d.port("observation"));
            const bool there = distance(toTarget, {}) <= 0.4;
            d.port("action") = {there ? action : actionTowards(toTarget)};
            d.act();
            EXPECT_EQ(d.port("hit")[0], there ? 1 : 0);
            EXPECT_EQ(d.port("reward")[0], there ? 100 : -2);
            hits += there;
        }
        ASSERT_EQ(hits, 1);
        d.observe();
        places.insert(d.port("position"));
        EXPECT_EQ(d.port("history"), (std::vector{headingOf(action), 100.0}));
        EXPECT_GT(distance(pointAt(d.port("position")), pointAt(d.port("target"))), 0.6);
    }
    EXPECT_EQ(places.size(), 1u);
}

TEST(WindyTarget, PaysAnUntrainedPolicyAsPublished) {
    Driver d;
    Stream random(3, addressOf("policy"), 0, 0, 0);
    expectPublishedReturn(discountedReturns(d, 100, [&](auto&) { return 0.607 * random.normal(); }), -165);
}

TEST(WindyTarget, PaysAPolicyThatIgnoresTheWindAsPublished) {
    Driver d;
    const auto policy = [](Driver& driver) { return actionTowards(pointAt(driver.port("observation"))); };
    expectPublishedReturn(discountedReturns(d, 150, policy), 1590);
}

/// Steers for that image of the target beyond the edges which is reached first: with a wind w as fast as the agent
/// itself, y is met after |y|^2 / (2 y.w) steps by heading for y - steps w.
double actionThatKnowsTheWind(Driver& d) {
    const Point target = pointAt(d.port("observation")), wind = along(d.port("wind")[0], 0.25);
    double fewest = INFINITY;
    Point course;
    for (double right : {-4.0, 0.0, 4.0})
        for (double up : {-4.0, 0.0, 4.0}) {
            const Point image = target + Point{right, up};
            const double downwind = image.x * wind.x + image.y * wind.y;
            const double steps = (image.x * image.x + image.y * image.y) / (2 * downwind);
            if (downwind <= 0 || steps >= fewest) continue;
            fewest = steps;
            course = image - Point{steps * wind.x, steps * wind.y};
        }
    return actionTowards(course);
}

TEST(WindyTarget, PaysAPolicyThatKnowsTheWindAsPublished) {
    Driver d;
    expectPublishedReturn(discountedReturns(d, 100, actionThatKnowsTheWind), 6350);
}

TEST(WindyTarget, SwitchStepsDrawAnotherWind) {
    Driver plain, switched({{"switch_steps", std::vector<double>{20, 50}}});
    plain.begin(2);
    switched.begin(2);
    EXPECT_EQ(played(plain, 0, 20), played(switched, 0, 20));
    std::set<double> winds;
    switched.begin(2);
    for (int t = 0; t < 80; ++t) {
        switched.observe();
        winds.insert(switched.port("wind")[0]);
        EXPECT_EQ(winds.size(), t < 20 ? 1u : t < 50 ? 2u : 3u);
        switched.port("action") = {0.3};
        switched.act();
    }
}

TEST(WindyTarget, TrialIsAFunctionOfItsStream) { expectTrialIsAFunctionOfItsStream<WindyTarget>(); }
TEST(WindyTarget, ShowsWhatFollowsTheLastStep) { expectShowsWhatFollowsTheLastStep<WindyTarget>(); }

TEST(WindyTarget, SaysWhatIsWrongWithItsParameters) {
    expectChecksSwitchSteps<WindyTarget>();
    const auto sentence = complaint<WindyTarget>;
    EXPECT_NE(sentence({{"target_range", 2.5}}).find("half_width"), std::string::npos);
    EXPECT_NE(sentence({{"start_range", 2.5}}).find("half_width"), std::string::npos);
    EXPECT_NE(sentence({{"start_clearance", 1.2}}).find("start_range"), std::string::npos);
    EXPECT_NE(sentence({{"step_length", 3.8}}).find("wind_length"), std::string::npos);
}

} // namespace
} // namespace raphe::test
