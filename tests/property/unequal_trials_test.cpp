// SPDX-License-Identifier: Apache-2.0
// Trials that end early, each at its own step: what follows the end counts nowhere.
#include "course.h"

#include <gtest/gtest.h>

namespace raphe::test {
namespace {

constexpr int steps = 12, trials = 5;
int lengthOf(int trial) { return std::min(steps, 6 + trial % 4); }

Json task(bool truncates) {
    return {{"steps", steps}, {"reacts", 0.2}, {"length", 6}, {"spread", 3}, {"truncates", truncates}};
}

struct Lived {
    Signals signals;
    NamedNumbers metrics;
    double at(const std::string& port, int step, int trial, int unit = 0) const {
        const auto& values = signals.at(port);
        const auto units = values.size() / (steps * trials);
        return values[static_cast<std::size_t>(step * trials + trial) * units + static_cast<std::size_t>(unit)];
    }
};
Lived liveOnce(const Json& document) {
    auto session = sessionOf(recordingAll(document));
    Lived lived;
    auto report = session->iterate();
    for (auto& [recording, tensor] : report.signals) lived.signals[recording.port.text()] = tensor.values;
    lived.metrics = report.metrics;
    return lived;
}

class Supervised : public testing::TestWithParam<std::tuple<std::string, bool>> {};

TEST_P(Supervised, LeavesOutWhatFollowsAnEnd) {
    const auto& [network, closedLoop] = GetParam();
    const auto document = supervisedCourse(network, task(false), closedLoop, 1);
    const auto lived = liveOnce(document);
    double sum = 0, weight = 0, last = 0;
    for (int b = 0; b < trials; ++b)
        for (int t = 0; t < lengthOf(b); ++t) {
            const double mask = 1 + 0.25 * (t % 3), error = lived.at("readout.output", t, b) - std::cos(0.3 * t + b);
            sum += mask * error * error;
            weight += mask;
            if (t + 1 == lengthOf(b)) last += error * error;
        }
    EXPECT_NEAR(metric(lived.metrics, "loss"), sum / weight, 1e-12 * sum / weight);
    EXPECT_NEAR(metric(lived.metrics, "final_error"), last / trials, 1e-12 * last);

    // The gradient is that of trials that go on, but whose further steps have no weight.
    auto hidden = document;
    hidden["nodes"]["task"]["params"]["hides"] = true;
    for (const double mebibytes : {8.0, 1e-4}) {
        auto experiment = experimentFromJson(document, registry()), masked = experimentFromJson(hidden, registry());
        experiment.memoryMiB = mebibytes;
        const auto gradient = gradientOf(*sessionOf(experiment)), expected = gradientOf(*sessionOf(masked));
        for (const auto& [name, values] : expected) EXPECT_LE(difference(gradient.at(name), values), 1e-12) << name;
    }
}

INSTANTIATE_TEST_SUITE_P(UnequalTrials, Supervised,
                         testing::Combine(testing::ValuesIn(courseNetworks()), testing::Bool()), [](const auto& item) {
                             return std::get<0>(item.param) + (std::get<1>(item.param) ? "_closed" : "_open");
                         });

TEST(UnequalTrials, OfActorCriticAreScoredUpToTheirEnds) {
    const double discount = 0.9, valueWeight = 0.1, concentrationWeight = 0.1;
    const auto lived = liveOnce(actor("rule.a2c", {{"discount", discount}}, task(false)));
    double policy = 0, value = 0, concentration = 0, reward = 0, count = 0;
    for (int b = 0; b < trials; ++b) {
        double future = 0;
        for (int t = lengthOf(b) - 1; t >= 0; --t) {
            const double now = lived.at("task.reward", t, b);
            future = now + discount * future;
            reward += now;
            count += 1;
            const double y0 = lived.at("readout.output", t, b, 0), y1 = lived.at("readout.output", t, b, 1),
                         p0 = 1 / (1 + std::exp(y1 - y0)), p = lived.at("head.action", t, b, 0) > 0.5 ? p0 : 1 - p0,
                         error = future - lived.at("value.output", t, b);
            policy -= std::log(p) * error;
            value += error * error;
            concentration += p0 * p0 + (1 - p0) * (1 - p0);
        }
    }
    EXPECT_NEAR(metric(lived.metrics, "reward"), reward / trials, 1e-12);
    EXPECT_NEAR(metric(lived.metrics, "policy_loss"), policy / count, 1e-12);
    EXPECT_NEAR(metric(lived.metrics, "value_loss"), value / count, 1e-12);
    EXPECT_NEAR(metric(lived.metrics, "concentration"), concentration / count, 1e-12);
    EXPECT_NEAR(metric(lived.metrics, "loss"),
                (policy + valueWeight * value + concentrationWeight * concentration) / count, 1e-12);
}

/// PPO with one gradient of each group over the whole batch, so that losses are those before any update.
Json plainPpo(bool truncates, const char* timeLimit) {
    return actor("rule.ppo",
                 {{"policy_epochs", 1},
                  {"value_epochs", 1},
                  {"policy_minibatch", 0},
                  {"value_minibatch", 0},
                  {"segment", 5},
                  {"normalise", "none"},
                  {"value_target", "lambda_return"},
                  {"time_limit", timeLimit},
                  {"discount", 0.9},
                  {"lambda", 0.8},
                  {"reward_scale", 0.5}},
                 task(truncates));
}

TEST(UnequalTrials, OfPpoAreScoredUpToTheirEnds) {
    for (const bool truncates : {false, true})
        for (const char* timeLimit : {"terminal", "bootstrap"}) {
            SCOPED_TRACE(testing::Message() << timeLimit << (truncates ? ", truncated" : ", terminated"));
            const auto document = plainPpo(truncates, timeLimit);
            const auto lived = liveOnce(document);
            // What follows an end is what trials show that do not end.
            auto endless = document;
            endless["nodes"]["task"]["params"]["length"] = 0;
            const auto longer = liveOnce(endless);
            double reward = 0, policy = 0, value = 0, count = 0;
            for (int b = 0; b < trials; ++b) {
                double advantage = 0, next = 0;
                if (truncates) next = longer.at("value.output", lengthOf(b), b);
                for (int t = lengthOf(b) - 1; t >= 0; --t) {
                    const double now = lived.at("value.output", t, b);
                    const double delta = 0.5 * lived.at("task.reward", t, b) + 0.9 * next - now;
                    advantage = delta + 0.9 * 0.8 * advantage;
                    next = now;
                    reward += lived.at("task.reward", t, b);
                    policy -= advantage;
                    value += advantage * advantage; // G - V = A for the lambda return
                    count += 1;
                }
            }
            EXPECT_NEAR(metric(lived.metrics, "return"), reward / trials, 1e-12);
            EXPECT_NEAR(metric(lived.metrics, "policy_loss"), policy / count, 1e-12);
            EXPECT_NEAR(metric(lived.metrics, "value_loss"), value / count, 1e-12);
        }
}

TEST(UnequalTrials, OfPpoHaveAValueAfterTheHorizonOnlyIfTheyAreToldTo) {
    for (const char* timeLimit : {"terminal", "bootstrap"}) {
        auto document = plainPpo(false, timeLimit);
        document["nodes"]["task"]["params"]["length"] = 0;
        auto longer = document;
        longer["nodes"]["task"]["params"]["steps"] = steps + 1;
        const auto lived = liveOnce(document);
        const auto following = liveOnce(longer).signals.at("value.output");
        double policy = 0;
        for (int b = 0; b < trials; ++b) {
            double advantage = 0;
            double next =
                timeLimit == std::string("terminal") ? 0 : following[static_cast<std::size_t>(steps * trials + b)];
            for (int t = steps - 1; t >= 0; --t) {
                const double now = lived.at("value.output", t, b);
                advantage = 0.5 * lived.at("task.reward", t, b) + 0.9 * next - now + 0.9 * 0.8 * advantage;
                next = now;
                policy -= advantage;
            }
        }
        EXPECT_NEAR(metric(lived.metrics, "policy_loss"), policy / (steps * trials), 1e-12) << timeLimit;
    }
}

TEST(UnequalTrials, HaveTheGradientsOfDifferences) {
    for (const bool truncates : {false, true}) {
        std::vector<Json> documents{supervisedCourse("plastic_simple", task(truncates), true),
                                    supervisedCourse("rnn", task(truncates), false),
                                    actor("rule.a2c", Json::object(), task(truncates))};
        for (const char* state : {"stored", "burn_in", "zero", "recompute"}) {
            auto params = ppoParameters;
            params["segment_state"] = state;
            params["burn_in"] = 2;
            documents.push_back(actor("rule.ppo", params, task(truncates)));
            params["optimisation"] = "joint";
            params.erase("value_replay");
            documents.push_back(actor("rule.ppo", params, task(truncates)));
        }
        for (const auto& document : documents) {
            const auto report = sessionOf(experimentFromJson(document, registry()))->checkGradients();
            EXPECT_FALSE(report.tensors.empty());
            for (const auto& entry : report.tensors)
                EXPECT_LE(entry.largestError, report.tolerance) << entry.name << " of " << document["nodes"]["learner"];
        }
    }
}

TEST(UnequalTrials, AreTheSameForAllThreadsAndSchedulesAndEqualForAllChunks) {
    for (const auto& document :
         {supervisedCourse("plastic_simple", task(false), true, 0.1),
          supervisedCourse("low_rank_rnn", task(true), false, 0.1),
          actor("rule.a2c", {{"learning_rate", 0.01}}, task(false)), actor("rule.ppo", ppoParameters, task(true))}) {
        const auto run = [&](const SessionOptions& options, int chunk) {
            auto experiment = experimentFromJson(document, registry());
            experiment.chunk = chunk;
            auto session = Session::create(experiment, registry(), options);
            std::pair<std::vector<NamedNumbers>, std::map<std::string, std::vector<double>>> result;
            for (int i = 0; i < 4; ++i) result.first.push_back(session->iterate().metrics);
            result.second = weightsOf(*session);
            return result;
        };
        const auto reference = run({1, "tbb", 0}, 2);
        for (int threads : {2, 3, 4, 7}) EXPECT_EQ(run({threads, "threads", 0}, 2), reference) << threads;
        for (std::uint64_t schedule = 0; schedule < 20; ++schedule)
            EXPECT_EQ(run({1, "shuffled", schedule}, 2), reference) << "schedule " << schedule;
        for (int chunk : {1, 3, 5})
            for (const auto& [name, values] : run({1, "tbb", 0}, chunk).second)
                EXPECT_LE(difference(values, reference.second.at(name)), 1e-9) << name << ", chunk " << chunk;
    }
}

} // namespace
} // namespace raphe::test
