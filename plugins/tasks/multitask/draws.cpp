// SPDX-License-Identifier: Apache-2.0
#include "draws.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <numbers>
#include <vector>

namespace raphe::multitask {

namespace {

using std::numbers::pi;

/// A published duration, ms: one of a list, or uniform between two.
struct Duration {
    bool uniform = false;
    std::vector<double> values;
    double longest() const { return *std::max_element(values.begin(), values.end()); }
    double draw(Stream& random) const {
        if (uniform) return random.uniform(values[0], values[1]);
        return values[random.integer(static_cast<std::uint32_t>(values.size()))];
    }
};
Duration between(double low, double high) { return {true, {low, high}}; }
Duration oneOf(std::initializer_list<double> values) { return {false, values}; }

/// Durations of the epochs of a course; those that it does not have are 0.
struct Epochs {
    Duration before = oneOf({0}); ///< up to the first stimulus
    Duration first = oneOf({0});  ///< while it is shown
    Duration gap = oneOf({0});    ///< until the second stimulus or, of a memory, until the answer
    Duration second = oneOf({0});
    Duration wait = oneOf({0}); ///< from the end of the second to the go
    Duration response = oneOf({500});
};

Epochs epochsOf(Family family, Course course) {
    Epochs e;
    const bool yang = family == Family::yang;
    const auto brief = oneOf({200, 400, 600}), delay = oneOf({200, 400, 800, 1600}), any = between(200, 1600);
    if (!yang) e.response = between(300, 700);
    switch (course) {
    case Course::sustained:
        e.before = between(300, 700);
        e.first = yang ? between(500, 1500) : between(200, 1500);
        break;
    case Course::reaction:
        e.before = between(500, 2500);
        if (!yang) e.response = between(300, 1700);
        break;
    case Course::memory:
        e.before = yang ? oneOf({300, 500, 700}) : between(300, 700);
        e.first = yang ? brief : any;
        e.gap = yang ? delay : any;
        break;
    case Course::decision:
        e.before = between(100, 400);
        e.first = oneOf({400, 800, 1600});
        break;
    case Course::delayedDecision:
        e.before = yang ? brief : between(200, 600);
        e.first = e.second = yang ? brief : any;
        e.gap = yang ? delay : any;
        e.wait = between(100, 300);
        break;
    case Course::match:
    case Course::category:
        e.before = yang ? brief : between(200, 600);
        e.first = yang ? brief : any;
        e.gap = yang ? delay : any;
        if (yang && course == Course::category) e.response = brief;
        break;
    }
    return e;
}

/// Every duration is cut off to whole steps by itself.
Timing timingOf(const Epochs& e, const Clock& clock, Stream& random) {
    Timing t;
    t.on1 = clock.steps(e.before.draw(random));
    t.off1 = t.on1 + clock.steps(e.first.draw(random));
    t.on2 = t.off1 + clock.steps(e.gap.draw(random));
    t.off2 = t.on2 + clock.steps(e.second.draw(random));
    t.go = t.off2 + clock.steps(e.wait.draw(random));
    t.steps = t.go + clock.steps(e.response.draw(random));
    return t;
}

/// Durations in seconds, stretched to the whole trial.
Timing stretchedTiming(Course course, const Clock& clock, Stream& random) {
    const double before = random.uniform(0.3, 0.7);
    std::vector<double> durations{before};
    if (course == Course::sustained) {
        durations.push_back(random.uniform(0.2, 1.5));
    } else {
        durations.push_back(random.uniform(0.2, 1.6));
        durations.push_back(random.uniform(0.2, 1.6));
    }
    durations.push_back(random.uniform(0.3, 0.7));
    const auto at = stretched(durations, clock.stretched);
    Timing t;
    t.steps = clock.stretched;
    t.on1 = at[0];
    t.off1 = at[1];
    t.go = at.back();
    t.on2 = t.off1;
    t.off2 = t.go;
    return t;
}

double sign(Stream& random) { return random.integer(2) == 0 ? -1 : 1; }

/// Two strengths whose mean is near 1.
void drawStrengths(Family family, Course course, Stream& random, double* pair) {
    double mean = 1, coherence = 0;
    if (family == Family::fourTasks) {
        coherence = random.uniform(0.1, 0.8);
    } else {
        mean = random.uniform(0.8, 1.2);
        const double simultaneous[] = {0.01, 0.02, 0.04, 0.08}, delayed[] = {0.08, 0.16, 0.32};
        coherence = course == Course::decision ? simultaneous[random.integer(4)]
                    : family == Family::yang   ? delayed[random.integer(3)]
                                               : random.uniform(0.005, 0.8);
    }
    coherence *= sign(random);
    pair[0] = mean + coherence;
    pair[1] = mean - coherence;
}

} // namespace

int longest(Family family, const Paradigm& paradigm, const Clock& clock) {
    if (family == Family::fourTasks) return clock.stretched;
    const auto e = epochsOf(family, paradigm.course);
    int steps = 0;
    for (const auto* epoch : {&e.before, &e.first, &e.gap, &e.second, &e.wait, &e.response})
        steps += clock.steps(epoch->longest());
    return steps;
}

Draw drawTrial(Family family, const Paradigm& paradigm, const Clock& clock, Stream& shared, Stream& own) {
    Draw draw;
    draw.timing = family == Family::fourTasks ? stretchedTiming(paradigm.course, clock, shared)
                                              : timingOf(epochsOf(family, paradigm.course), clock, shared);
    if (family != Family::fourTasks)
        for (int& modality : draw.modality) modality = static_cast<int>(shared.integer(2));
    auto* angle = draw.angle;
    const auto around = [](double x) { return x - 2 * pi * std::floor(x / (2 * pi)); };
    angle[0] = own.uniform(0, 2 * pi);
    switch (paradigm.course) {
    case Course::sustained:
    case Course::reaction:
    case Course::memory:
        break;
    case Course::decision:
    case Course::delayedDecision:
        angle[1] = around(angle[0] + own.uniform(pi / 2, 3 * pi / 2));
        drawStrengths(family, paradigm.course, own, draw.strength[0]);
        if (paradigm.modality == Modality::both) {
            const double low = family == Family::yang ? 0.2 : 0.005;
            for (int i = 0; i < 2; ++i) {
                const double share = own.uniform(low, 0.8) * sign(own) / 2, mean = draw.strength[0][i];
                draw.strength[0][i] = mean * (1 + share);
                draw.strength[1][i] = mean * (1 - share);
            }
        } else if (paradigm.modality == Modality::second) {
            std::copy_n(draw.strength[0], 2, draw.strength[1]);
        } else {
            drawStrengths(family, paradigm.course, own, draw.strength[1]);
        }
        break;
    case Course::match:
        draw.match = own.integer(2) == 1;
        angle[1] = draw.match ? angle[0] : around(angle[0] + own.uniform(pi / 9, 17 * pi / 9));
        break;
    case Course::category:
        for (int i = 0; i < 2; ++i)
            angle[i] = family == Family::yang ? (0.1 + 0.2 * own.integer(10)) * pi : own.uniform(0, 2 * pi);
        break;
    }
    return draw;
}

} // namespace raphe::multitask
