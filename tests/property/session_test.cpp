// SPDX-License-Identifier: Apache-2.0
// What must not change a run: spectators, and being stopped and continued. And how much memory it may take.
#include "support.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <map>

namespace raphe::test {
namespace {

auto named = [](const auto& item) { return item.param; };

/// Metrics of every iteration, and afterwards the weights by name.
struct Outcome {
    std::vector<NamedNumbers> metrics;
    std::map<std::string, Tensor> weights;
};

Outcome train(Session& session, int iterations) {
    Outcome outcome;
    for (int i = 0; i < iterations; ++i) outcome.metrics.push_back(session.iterate().metrics);
    for (const auto& item : session.weights()) outcome.weights[item.name] = item.tensor;
    return outcome;
}

void expectSame(const Outcome& changed, const Outcome& plain) {
    EXPECT_EQ(changed.metrics, plain.metrics);
    for (const auto& [name, tensor] : plain.weights) EXPECT_EQ(changed.weights.at(name), tensor) << name;
}

class Spectator : public testing::TestWithParam<std::string> {};

TEST_P(Spectator, NodeThatNobodyListensToChangesNothing) {
    auto experiment = load(GetParam(), Precision::float32);
    const auto plain = train(*sessionOf(experiment), 5);
    for (bool first : {false, true}) {
        auto changed = experiment;
        NodeSpec spectator{"spectator", "model.rnn", registry().find("model.rnn", "").declaration.defaults()};
        spectator.params["tau"] = 10.0;
        spectator.params["units"] = std::int64_t{7};
        changed.nodes.insert(first ? changed.nodes.begin() : changed.nodes.end(), spectator);
        changed.wires.push_back({{"task", "observation"}, {"spectator", "input"}, {}});
        expectSame(train(*sessionOf(changed), 5), plain);
    }
}

TEST(Recording, OfAPortThatTheParametersLeaveOutSaysSo) {
    auto experiment = load("mwg_small_nm_rnn", Precision::float32);
    experiment.recordings.push_back({{"gate", "total_slope"}, 1, 1, 1});
    try {
        sessionOf(experiment);
        FAIL() << "the port does not exist";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("gate.total_slope does not exist for these parameters of model.dense"),
                  std::string::npos)
            << error.what();
    }
}

TEST_P(Spectator, RecordingChangesNothing) {
    auto experiment = load(GetParam(), Precision::float32);
    const auto plain = train(*sessionOf(experiment), 5);
    for (const auto& node : experiment.nodes)
        for (const auto& port : registry().find(node.mechanism, "").declaration.ports)
            if (port.kind == PortKind::output && port.size(node.params) != noPort)
                experiment.recordings.push_back({{node.name, port.name}, 3, 2, 4});
    expectSame(train(*sessionOf(experiment), 5), plain);
}

INSTANTIATE_TEST_SUITE_P(Small, Spectator, testing::ValuesIn(smallExperiments()), named);

class Continuation : public testing::TestWithParam<std::string> {};

TEST_P(Continuation, IsTheSameAsNeverStopping) {
    for (auto precision : {Precision::float32, Precision::float64}) {
        const auto experiment = load(GetParam(), precision);
        auto steady = sessionOf(experiment), stopped = sessionOf(experiment);
        const auto reference = train(*steady, 7);
        train(*stopped, 3);
        const auto snapshot = stopped->snapshot();
        auto continued = sessionOf(experiment);
        train(*continued, 1); // whatever it was before
        continued->restore(snapshot);
        EXPECT_EQ(continued->iteration(), 3);
        auto rest = train(*continued, 4);
        rest.metrics.insert(rest.metrics.begin(), reference.metrics.begin(), reference.metrics.begin() + 3);
        expectSame(rest, reference);
        EXPECT_EQ(continued->snapshot().tensors, steady->snapshot().tensors);
        EXPECT_EQ(continued->snapshot().optimiserSteps, steady->snapshot().optimiserSteps);
    }
}

INSTANTIATE_TEST_SUITE_P(Small, Continuation, testing::ValuesIn(smallExperiments()), named);

/// Most memory that this process has held since the last reset, in bytes.
double peakMemory() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (word == "VmHWM:" && status >> word) return std::stod(word) * 1024;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return double(usage.ru_maxrss) * 1024;
}

TEST(Memory, OfAFullScaleIterationStaysBelow200MB) {
#ifdef RAPHE_SANITIZED
    GTEST_SKIP() << "sanitizers take memory of their own";
#endif
    std::ofstream("/proc/self/clear_refs") << 5; // forgets the peak of earlier tests
    auto session = sessionOf(load("cue_reward_simple", Precision::float32), 2);
    session->iterate();
    session->iterate();
    EXPECT_LT(peakMemory(), 200e6);
    RecordProperty("megabytes", std::to_string(peakMemory() * 1e-6));
}

} // namespace
} // namespace raphe::test
