// SPDX-License-Identifier: Apache-2.0
#include "tasks/grid_maze/grid_maze.h"

#include "episodes.h"

#include <rapidcheck.h>

#include <deque>
#include <set>

namespace raphe::test {
namespace {

using Driver = TaskDriver<GridMaze>;
const std::string early = "differentiable_plasticity";

ParamValues sized(int size) { return {{"size", std::int64_t{size}}}; }

std::vector<double> oneHot(int action) {
    std::vector<double> result(4);
    result[static_cast<std::size_t>(action)] = 1;
    return result;
}
int cellOf(const Maze& maze, const std::vector<double>& place) {
    return maze.cell(static_cast<int>(place[0]), static_cast<int>(place[1]));
}

/// Steps from each cell to the goal; -1: a wall, or no way.
std::vector<int> distances(const Maze& maze, int goal) {
    std::vector<int> result(static_cast<std::size_t>(maze.size() * maze.size()), -1);
    std::deque<int> next{goal};
    result[static_cast<std::size_t>(goal)] = 0;
    for (; !next.empty(); next.pop_front())
        for (int move = 0; move < Maze::moves; ++move) {
            const int to = maze.beyond(next.front(), move);
            if (maze.isWall(to) || result[static_cast<std::size_t>(to)] >= 0) continue;
            result[static_cast<std::size_t>(to)] = result[static_cast<std::size_t>(next.front())] + 1;
            next.push_back(to);
        }
    return result;
}

/// Mean way from one free cell to another.
double meanWay(const Maze& maze) {
    double sum = 0, count = 0;
    for (int goal : maze.freeCells()) {
        const auto steps = distances(maze, goal);
        for (int from : maze.freeCells())
            if (from != goal) {
                sum += steps[static_cast<std::size_t>(from)];
                ++count;
            }
    }
    return sum / count;
}

/// Expected hits of an episode of a policy that goes in all directions alike, exactly.
double hitsAtRandom(const Maze& maze, int steps) {
    double hits = 0;
    const auto& cells = maze.freeCells();
    for (int goal : cells) {
        if (goal == maze.centre()) continue;
        std::vector<double> now(static_cast<std::size_t>(maze.size() * maze.size())), next;
        now[static_cast<std::size_t>(maze.centre())] = 1;
        for (int t = 0; t < steps; ++t) {
            next.assign(now.size(), 0);
            for (int cell : cells)
                for (int move = 0; move < Maze::moves; ++move) {
                    const int to = maze.beyond(cell, move);
                    next[static_cast<std::size_t>(maze.isWall(to) ? cell : to)] +=
                        now[static_cast<std::size_t>(cell)] / Maze::moves;
                }
            const double arrived = next[static_cast<std::size_t>(goal)];
            next[static_cast<std::size_t>(goal)] = 0;
            for (int cell : cells)
                if (cell != goal) next[static_cast<std::size_t>(cell)] += arrived / double(cells.size() - 1);
            hits += arrived;
            now = next;
        }
    }
    return hits / double(cells.size() - 1);
}

/// Sum of rewards of each episode. @param policy  takes the driver, returns a direction
template <class Policy>
std::vector<double> rewards(Driver& d, int episodes, Policy&& policy) {
    std::vector<double> result;
    for (int episode = 0; episode < episodes; ++episode) {
        d.begin(static_cast<std::uint32_t>(episode));
        double sum = 0;
        for (int t = 0; t < d.task().steps(); ++t) {
            d.observe();
            d.port("action") = oneHot(policy(d));
            d.act();
            sum += d.port("reward")[0];
        }
        result.push_back(sum);
    }
    return result;
}

/// The specification's table of reference values (section 3.2): rewards of 200 steps at 10 a hit.
struct Published {
    int size;
    std::size_t cells, observations;
    double way, oracle, random;
};
constexpr Published published[] = {{7, 21, 15, 3.62, 553, 26.4},
                                   {9, 41, 23, 4.88, 410, 14.4},
                                   {11, 65, 15, 6.27, 319, 7.7},
                                   {13, 97, 24, 7.56, 265, 5.4}};

TEST(GridMaze, HasThePublishedCellsAndWays) {
    for (const auto& expected : published) {
        const Maze maze(expected.size);
        EXPECT_EQ(maze.freeCells().size(), expected.cells) << expected.size;
        const double way = meanWay(maze);
        EXPECT_NEAR(way, expected.way, 0.0051) << expected.size;
        EXPECT_NEAR(2000 / way, expected.oracle, 0.5) << expected.size;
        std::set<std::vector<double>> seen;
        Driver d(sized(expected.size));
        for (int cell : maze.freeCells()) {
            GridMazeTrial trial{.cell = cell, .goal = 0};
            d.observe(trial);
            const auto& x = d.port("observation");
            seen.insert({x.begin(), x.begin() + 9});
        }
        EXPECT_EQ(seen.size(), expected.observations) << expected.size;
    }
}

TEST(GridMaze, LooksLikeThePublishedOnes) {
    const auto drawn = [](int size) {
        const Maze maze(size);
        std::vector<std::string> rows(static_cast<std::size_t>(size));
        for (int cell = 0; cell < size * size; ++cell)
            rows[static_cast<std::size_t>(maze.row(cell))] += maze.isWall(cell) ? '#' : '.';
        return rows;
    };
    const auto small = drawn(11), large = drawn(13);
    for (std::size_t r = 0; r < 11; ++r)
        EXPECT_EQ(small[r], r == 0 || r == 10 ? "###########" : r % 2 ? "#.........#" : "#.#.#.#.#.#");
    for (std::size_t r = 0; r < 13; ++r)
        EXPECT_EQ(large[r], r == 0 || r == 12 ? "#############"
                            : r == 6          ? "#.#.#...#.#.#"
                            : r % 2           ? "#...........#"
                                              : "#.#.#.#.#.#.#");
}

TEST(GridMaze, PaysARandomPolicyAsPublished) {
    for (const auto& expected : published) {
        const double exact = 10 * hitsAtRandom(Maze(expected.size), 200);
        EXPECT_NEAR(exact, expected.random, 0.05) << expected.size;
        Driver d(sized(expected.size));
        Stream random(3, addressOf("policy"), 0, 0, 0);
        const Estimate ours(rewards(d, 4000, [&](auto&) { return static_cast<int>(random.integer(4)); }));
        EXPECT_NEAR(ours.mean, exact, 5 * ours.error) << expected.size;
    }
}

TEST(GridMaze, PaysWhoKnowsTheCellAsPublished) {
    for (const auto& expected : published) {
        Driver d(sized(expected.size));
        const Maze maze(expected.size);
        std::map<int, std::vector<int>> toGoal;
        std::vector<double> ways;
        int steps = 0;
        const Estimate ours(rewards(d, 1500, [&](Driver& driver) {
            const int cell = cellOf(maze, driver.port("position")), goal = cellOf(maze, driver.port("goal"));
            auto& steps = toGoal[goal];
            if (steps.empty()) steps = distances(maze, goal);
            for (int move = 0; move < Maze::moves; ++move)
                if (steps[static_cast<std::size_t>(maze.beyond(cell, move))] ==
                    steps[static_cast<std::size_t>(cell)] - 1)
                    return move;
            return 0;
        }));
        // A mean way for each hit but the first, which starts in the centre and is shorter or longer.
        EXPECT_NEAR(ours.mean, expected.oracle, 5 * ours.error + 10) << expected.size;
        EXPECT_LT(ours.error, 2.5);
    }
}

TEST(GridMaze, DrawsTheRewardedCellUniformlyButNeverTheCentre) {
    Driver d(sized(7));
    const Maze maze(7);
    std::map<int, int> goals, landings;
    constexpr int episodes = 20000;
    for (std::uint32_t episode = 0; episode < episodes; ++episode) {
        d.begin(episode);
        d.observe();
        EXPECT_EQ(cellOf(maze, d.port("position")), maze.centre());
        const int goal = cellOf(maze, d.port("goal"));
        ++goals[goal];
        // Straight to a cell beside the centre, if that is the rewarded one.
        if (goal != maze.beyond(maze.centre(), 2)) continue;
        d.port("action") = oneHot(2);
        d.act();
        EXPECT_EQ(d.port("hit")[0], 1);
        EXPECT_EQ(d.port("reward")[0], 10);
        d.observe();
        EXPECT_EQ(cellOf(maze, d.port("goal")), goal);
        ++landings[cellOf(maze, d.port("position"))];
    }
    EXPECT_EQ(goals.size(), 20u);
    EXPECT_EQ(goals.count(maze.centre()), 0u);
    for (auto [cell, count] : goals) EXPECT_NEAR(count, episodes / 20.0, 5 * std::sqrt(episodes / 20.0)) << cell;
    EXPECT_EQ(landings.size(), 20u); // the centre, but not the rewarded cell
    EXPECT_EQ(landings.count(maze.beyond(maze.centre(), 2)), 0u);
    const double each = goals[maze.beyond(maze.centre(), 2)] / 20.0;
    for (auto [cell, count] : landings) EXPECT_NEAR(count, each, 5 * std::sqrt(each)) << cell;
}

TEST(GridMaze, ObservationHasTheSpecifiedLayout) {
    for (const std::string& form : {std::string("backpropamine"), early}) {
        Driver d({{"form", form}, {"size", std::int64_t{11}}, {"wall_cost", 0.1}});
        const Maze maze(11);
        d.begin(0);
        int previousAction = 0;
        double previousReward = 0, least = 0;
        for (int t = 0; t < 200; ++t) {
            d.observe();
            const auto x = d.port("observation");
            ASSERT_EQ(x.size(), 17u);
            const int cell = cellOf(maze, d.port("position"));
            for (int r = -1; r <= 1; ++r)
                for (int c = -1; c <= 1; ++c)
                    EXPECT_EQ(x[static_cast<std::size_t>(3 * (r + 1) + c + 1)], maze.isWall(cell + r * 11 + c));
            EXPECT_EQ(x[4], 0);
            const std::vector<double> rest(x.begin() + 9, x.end());
            std::vector<double> expected(8);
            if (form == early) {
                expected[5] = previousReward;
                expected[6] = t;
                expected[7] = 1;
            } else {
                expected[1] = 1;
                expected[2] = t / 200.0;
                expected[3] = previousReward;
                expected[static_cast<std::size_t>(4 + previousAction)] = 1;
            }
            EXPECT_EQ(rest, expected) << t;
            previousAction = (t / 7) % 4;
            d.port("action") = oneHot(previousAction);
            d.act();
            previousReward = d.port("reward")[0];
            least = std::min(least, previousReward);
        }
        EXPECT_EQ(least, -0.1);
    }
}

TEST(GridMaze, WallsStopTheAgentInAnyMaze) {
    EXPECT_TRUE(rc::check("the agent moves by one cell or stays before a wall, and is elsewhere after a hit only", [] {
        const int size = 5 + 2 * *rc::gen::inRange(0, 8);
        const auto seed = *rc::gen::arbitrary<std::uint64_t>();
        const auto form = *rc::gen::element(std::string("backpropamine"), early);
        Driver d({{"size", std::int64_t{size}}, {"form", form}, {"wall_cost", 0.5}});
        const Maze maze(size);
        RC_ASSERT(int(maze.freeCells().size()) ==
                  (size - 2) * (size - 2) - (size - 3) / 2 * ((size - 3) / 2) + (size / 2 % 2 == 0 ? 1 : 0));
        const auto reached = distances(maze, maze.centre());
        for (int cell : maze.freeCells()) RC_ASSERT(reached[static_cast<std::size_t>(cell)] >= 0);
        d.begin(0, seed);
        Stream random(seed, 1, 0, 0, 0);
        for (int t = 0; t < 200; ++t) {
            d.observe();
            const int cell = cellOf(maze, d.port("position")), goal = cellOf(maze, d.port("goal"));
            RC_ASSERT(!maze.isWall(cell) && !maze.isWall(goal) && goal != maze.centre());
            if (form != early) RC_ASSERT(cell != goal);
            const int move = static_cast<int>(random.integer(4)), to = maze.beyond(cell, move);
            const int there = maze.isWall(to) ? cell : to;
            d.port("action") = oneHot(move);
            d.act();
            RC_ASSERT((d.port("hit")[0] == 1) == (there == goal));
            RC_ASSERT(d.port("reward")[0] == (there == goal ? 10 : 0) - (maze.isWall(to) ? 0.5 : 0));
            d.observe();
            if (there != goal) RC_ASSERT(cellOf(maze, d.port("position")) == there);
        }
    }));
}

// An agent that is moved onto the rewarded cell is paid only after its next move, if a wall keeps it there.
TEST(GridMaze, OfTheEarlierPaperMayMoveTheAgentOntoTheRewardedCell) {
    Driver d({{"form", early}, {"size", std::int64_t{7}}});
    const Maze maze(7);
    int landed = 0, hits = 0;
    Stream random(9, 1, 0, 0, 0);
    for (std::uint32_t episode = 0; episode < 300; ++episode) {
        d.begin(episode);
        bool hit = false;
        for (int t = 0; t < 200; ++t) {
            d.observe();
            const int cell = cellOf(maze, d.port("position"));
            const bool onGoal = cell == cellOf(maze, d.port("goal"));
            if (onGoal) {
                EXPECT_TRUE(hit); // it was moved there
                ++landed;
            }
            const int move = static_cast<int>(random.integer(4));
            d.port("action") = oneHot(move);
            d.act();
            hit = d.port("hit")[0] == 1;
            hits += hit;
            if (onGoal) EXPECT_EQ(hit, maze.isWall(maze.beyond(cell, move)));
        }
    }
    EXPECT_NEAR(landed, hits / 21.0, 5 * std::sqrt(hits / 21.0));
}

TEST(GridMaze, SwitchStepsRewardAnotherCell) {
    Driver plain(sized(9)), switched({{"size", std::int64_t{9}}, {"switch_steps", std::vector<double>{30, 60}}});
    const Maze maze(9);
    for (std::uint32_t episode = 0; episode < 50; ++episode) {
        plain.begin(episode);
        switched.begin(episode);
        std::vector<int> goals;
        for (int t = 0; t < 100; ++t) {
            for (auto* d : {&plain, &switched}) {
                d->observe();
                d->port("action") = oneHot((t * 7 + t / 5) % 4);
            }
            if (t < 30) EXPECT_EQ(plain.port("observation"), switched.port("observation"));
            const int goal = cellOf(maze, switched.port("goal"));
            EXPECT_NE(goal, maze.centre());
            if (goals.empty() || goals.back() != goal) {
                EXPECT_EQ(t, 30 * static_cast<int>(goals.size()));
                goals.push_back(goal);
            }
            plain.act();
            switched.act();
        }
        EXPECT_EQ(goals.size(), 3u);
    }
}

TEST(GridMaze, TrialIsAFunctionOfItsStream) {
    const auto played = [](std::uint32_t number, std::uint64_t seed) {
        Driver d(sized(9));
        std::vector<double> shown;
        d.begin(number, seed);
        for (int t = 0; t < 200; ++t) {
            d.observe();
            d.port("action") = oneHot((t * 5 + t / 7) % 4);
            d.act();
            for (const char* port : {"observation", "reward", "goal"})
                shown.insert(shown.end(), d.port(port).begin(), d.port(port).end());
        }
        return shown;
    };
    EXPECT_EQ(played(4, 7), played(4, 7));
    EXPECT_NE(played(4, 7), played(5, 7));
    EXPECT_NE(played(4, 7), played(4, 8));
}

TEST(GridMaze, SaysWhatIsWrongWithItsParameters) {
    EXPECT_EQ(complaint<GridMaze>({}), "");
    EXPECT_NE(complaint<GridMaze>(sized(12)).find("odd"), std::string::npos);
    expectChecksSwitchSteps<GridMaze>();
}

} // namespace
} // namespace raphe::test
