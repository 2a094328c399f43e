// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/declaration.h"
#include "raphe/random.h"

#include <cmath>
#include <initializer_list>
#include <numbers>
#include <string>

namespace raphe {

/// A place or a displacement in the plane of `windy_target` and `two_targets`, a square whose opposite edges are one.
struct Point {
    double x = 0, y = 0;
};
inline Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
inline Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
inline double distance(Point a, Point b) { return std::hypot(a.x - b.x, a.y - b.y); }
inline Point along(double heading, double length) { return {length * std::cos(heading), length * std::sin(heading)}; }

template <class T>
void write(Point point, T* units) {
    units[0] = static_cast<T>(point.x);
    units[1] = static_cast<T>(point.y);
}

/// The heading that a policy's raw action stands for, in [0, 2 pi]: pi a reduced to one turn, where 0 becomes 2 pi.
inline double headingOf(double action) {
    constexpr double turn = 2 * std::numbers::pi;
    const double angle = std::numbers::pi * action;
    return angle > 0 ? std::fmod(angle, turn) : turn - std::fmod(-angle, turn);
}

/// What the tasks in the plane have in common.
struct PlaneParams {
    double stepLength = 0.25;
    double targetRadius = 0.4, targetRange = 1;
    double startRange = 1.5, startClearance = 0.6;
    double halfWidth = 2;

    /// A position that a step has moved, at most by the width of the plane.
    Point wrapped(Point p) const { return {wrapped(p.x), wrapped(p.y)}; }

    Point drawTarget(Stream& random) const { return drawWithin(targetRange, random); }
    /// One that may be too near to a target; see start().
    Point drawCandidate(Stream& random) const { return drawWithin(startRange, random); }

    /// Where the agent starts: the first candidate that is farther than the clearance from all targets.
    /// @param candidate  called as often as needed, returns a Point
    template <class Candidate>
    Point start(std::initializer_list<Point> targets, Candidate&& candidate) const {
        for (;;) {
            const Point p = candidate();
            bool free = true;
            for (const Point target : targets) free = free && distance(p, target) > startClearance;
            if (free) return p;
        }
    }

private:
    double wrapped(double x) const {
        return x > halfWidth ? x - 2 * halfWidth : x < -halfWidth ? x + 2 * halfWidth : x;
    }
    static Point drawWithin(double range, Stream& random) {
        const double x = random.uniform(-range, range), y = random.uniform(-range, range);
        return {x, y};
    }
};

/// Declares PlaneParams as hyper-parameters of a task.
inline auto planeParams() {
    return [](auto& declaration) {
        using P = PlaneParams;
        declaration
            .param("step_length", &P::stepLength,
                   {.help = "Length of the agent's own step", .min = 0, .group = "plane"})
            .param("half_width", &P::halfWidth,
                   {.help = "The plane reaches from minus to plus this, in both directions; who leaves it on one side "
                            "enters on the other",
                    .min = 1e-6,
                    .group = "plane"})
            .param("target_radius", &P::targetRadius,
                   {.help = "A target is hit at this distance or nearer", .min = 0, .group = "plane"})
            .param(
                "target_range", &P::targetRange,
                {.help = "Coordinates of targets are uniform between minus and plus this", .min = 0, .group = "plane"})
            .param("start_range", &P::startRange,
                   {.help = "Coordinates of starts are uniform between minus and plus this",
                    .min = 1e-6,
                    .group = "plane"})
            .param("start_clearance", &P::startClearance,
                   {.help = "A start is drawn again until it is farther than this from every target",
                    .min = 0,
                    .group = "plane"})
            .check([](const P& p) {
                const auto atMost = [](const char* key, const char* bound, double limit, double value) {
                    return std::string(key) + ": expected at most " + bound + " (" + std::to_string(limit) + "), got " +
                           std::to_string(value);
                };
                if (p.targetRange > p.halfWidth)
                    return atMost("target_range", "half_width", p.halfWidth, p.targetRange);
                if (p.startRange > p.halfWidth) return atMost("start_range", "half_width", p.halfWidth, p.startRange);
                // With two targets, at least a tenth of the candidates then is far enough from both.
                if (p.startClearance > 0.75 * p.startRange)
                    return atMost("start_clearance", "0.75 start_range", 0.75 * p.startRange, p.startClearance);
                return std::string{};
            });
    };
}

} // namespace raphe
