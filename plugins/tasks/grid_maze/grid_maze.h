// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../switch_steps.h"
#include "maze.h"

#include "raphe/plugin.h"

#include <algorithm>
#include <string>

namespace raphe {

struct GridMazeParams : SwitchParams {
    int size = 13;
    int steps = 200;
    double reward = 10;
    double wallCost = 0;
    std::string form = "backpropamine";
};

inline constexpr const char* gridMazeManual =
    R"(An agent walks through a maze and sees only the cells around it. One cell, which looks like any other, is rewarded. Whoever
steps on it is moved to a random place at once and may come back: the rewarded cell is drawn anew in each episode and then stays.
So the agent has to find the place by searching, and to remember it for the rest of the episode.

The maze has `size` x `size` cells: a border of walls, a pillar in every interior cell whose row and column are both even, and a
free centre, where the agent starts. The rewarded cell is never the centre. In a step the agent moves to the next cell up, down,
left or right (actions 0 to 3, row and column counted from the top left corner). A wall stops it and costs `wall_cost`.

| `form` | unit of `observation` | content |
| --- | --- | --- |
| both | 0 ... 8 | the 3 x 3 cells around the agent, row by row: 1 is a wall |
| backpropamine | 9 | always 0 |
| | 10 | 1 |
| | 11 | t / `steps` |
| | 12 | reward of the previous step |
| | 13 ... 16 | previous action, one-hot; at t = 0 action 0 |
| differentiable_plasticity | 9 ... 13 | always 0 |
| | 14 | reward of the previous step |
| | 15 | t |
| | 16 | 1 |

After a hit the agent is moved to a uniformly drawn free cell other than the rewarded one. In the form differentiable_plasticity it may
be this one as well; that is worth something only if the agent is still there after its next move, against a wall. At the steps
of `switch_steps` another cell is rewarded.

| paper | here |
| --- | --- |
| Backpropamine, section 4.2: 9 x 9 maze (11 with its walls) | `size` = 11; their program and figures: 13 |
| Differentiable plasticity, section 4.5 | `form` = differentiable_plasticity, `steps` = 250, `wall_cost` = 0.1 |

Rewards of an episode (200 steps, reward 10), the way being that between any two free cells:

| `size` | free cells | mean way | knowing the cell | at random |
| --- | --- | --- | --- | --- |
| 7 | 21 | 3.62 | 553 | 26.4 |
| 9 | 41 | 4.88 | 410 | 14.4 |
| 11 | 65 | 6.27 | 319 | 7.7 |
| 13 | 97 | 7.56 | 265 | 5.4 |

**Differs from the papers.** Follows the authors' programs, also in the units of the observation that the papers do not mention
(constant, time, unused). `switch_steps` is ours.)";

struct GridMazeTrial {
    int cell = 0, goal = 0;
    int previousAction = 0;
    double previousReward = 0;
};

/// Grid maze (T. Miconi et al. 2018, Differentiable plasticity, section 4.5; 2019, Backpropamine, section 4.2).
template <class T>
class GridMaze final : public TaskOf<T, GridMazeTrial> {
public:
    using Trial = GridMazeTrial;
    static constexpr int sight = 9, observed = sight + 8;

    static auto declare() {
        using P = GridMazeParams;
        return Declaration<P>{"grid_maze", "1.0.0", "Find the rewarded cell of a maze, and come back to it"}
            .citation("T. Miconi, A. Rawal, J. Clune, K. O. Stanley (2019), Backpropamine: training self-modifying "
                      "neural networks with differentiable neuromodulated plasticity, ICLR, arXiv:2002.10585; "
                      "T. Miconi, K. O. Stanley, J. Clune (2018), Differentiable plasticity: training plastic neural "
                      "networks with backpropagation, ICML, arXiv:1804.02464")
            .manual(gridMazeManual)
            .param("size", &P::size,
                   {.unit = "cells",
                    .help = "Cells of a side, with the walls; odd",
                    .min = 5,
                    .max = 999,
                    .group = "task"})
            .param("steps", &P::steps,
                   {.unit = "steps", .help = "Length of an episode", .min = 1, .max = 1000000, .group = "task"})
            .param("reward", &P::reward, {.help = "Reward of reaching the cell", .group = "task"})
            .param("wall_cost", &P::wallCost, {.help = "What walking into a wall costs", .min = 0, .group = "task"})
            .param("form", &P::form,
                   {.help = "Which paper's observation, and whether an agent that is moved away from the rewarded cell "
                            "may land there again (differentiable_plasticity)",
                    .choices = {"backpropamine", "differentiable_plasticity"},
                    .group = "task"})
            .with(switchParams("Steps from which on another cell is rewarded; empty: none"))
            .input("action", Maze::moves, {.help = "Chosen action, one-hot: up, down, left, right", .read = Read::end})
            .output("observation", observed, {.help = "Cells around the agent, time, previous reward and action"})
            .output("reward", 1, {.help = "Reward of the action of this step", .read = Read::end})
            .output("hit", 1, {.help = "1 if this step reached the rewarded cell, else 0", .read = Read::end})
            .output("position", 2, {.help = "Row and column of the agent, from 0; for probes"})
            .output("goal", 2, {.help = "Row and column of the rewarded cell; for probes"})
            .event("hit", "hit")
            .check([](const P& p) {
                return p.size % 2 == 0 ? "size: expected an odd number, got " + std::to_string(p.size) : std::string{};
            });
    }

    GridMaze(const GridMazeParams& params, Builder& b)
        : p_(params), maze_(params.size), early_(params.form == "differentiable_plasticity"),
          action_(b.input("action")), observation_(b.output("observation")), reward_(b.output("reward")),
          hit_(b.output("hit")), position_(b.output("position")), goal_(b.output("goal")) {}

    const Maze& maze() const { return maze_; }
    int steps() const override { return p_.steps; }
    bool observesEnd() const override { return true; }

    void begin(Trial& trial, std::uint32_t, Stream& random) const override {
        trial = {};
        trial.cell = maze_.centre();
        trial.goal = maze_.draw(random, maze_.centre(), maze_.centre());
    }

    void observe(Trial& trial, TaskStep<T>& s) const override {
        T* x = s.output(observation_);
        for (int i = 0; i < sight; ++i)
            x[i] = maze_.isWall(trial.cell + (i / 3 - 1) * maze_.size() + i % 3 - 1) ? T(1) : T(0);
        T* rest = x + sight;
        if (early_) {
            rest[5] = static_cast<T>(trial.previousReward);
            rest[6] = static_cast<T>(s.step());
            rest[7] = T(1);
        } else {
            rest[1] = T(1);
            rest[2] = static_cast<T>(s.step()) / static_cast<T>(p_.steps);
            rest[3] = static_cast<T>(trial.previousReward);
            rest[4 + trial.previousAction] = T(1);
        }
        show(s.output(position_), trial.cell);
        show(s.output(goal_), trial.goal);
    }

    void act(Trial& trial, TaskStep<T>& s) const override {
        Stream random = s.random();
        const T* action = s.input(action_);
        trial.previousAction = static_cast<int>(std::max_element(action, action + Maze::moves) - action);
        trial.previousReward = 0;
        const int destination = maze_.beyond(trial.cell, trial.previousAction);
        if (maze_.isWall(destination))
            trial.previousReward -= p_.wallCost;
        else
            trial.cell = destination;
        const bool hit = trial.cell == trial.goal;
        if (hit) trial.previousReward += p_.reward;
        // Drawn first, so that it is the same whatever the agent does.
        if (p_.switchesAt(s.step() + 1)) trial.goal = maze_.draw(random, trial.goal, maze_.centre());
        if (hit) trial.cell = landing(trial.goal, random);
        *s.output(reward_) = static_cast<T>(trial.previousReward);
        *s.output(hit_) = hit ? T(1) : T(0);
    }

private:
    int landing(int goal, Stream& random) const {
        const auto& cells = maze_.freeCells();
        return early_ ? cells[random.integer(static_cast<std::uint32_t>(cells.size()))]
                      : maze_.draw(random, goal, goal);
    }
    void show(T* to, int cell) const {
        to[0] = static_cast<T>(maze_.row(cell));
        to[1] = static_cast<T>(maze_.column(cell));
    }

    GridMazeParams p_;
    Maze maze_;
    bool early_;
    Input action_;
    Output observation_, reward_, hit_, position_, goal_;
};

} // namespace raphe
