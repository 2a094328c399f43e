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

struct DiceParams {
    int throws = 0;
};
/// Throws dice in act(): `throws` that nobody sees and one that is written down.
template <class T>
class Dice final : public TaskOf<T, int> {
public:
    static auto declare() {
        return Declaration<DiceParams>{"dice", "1.0.0", "Random numbers of each step"}
            .param("throws", &DiceParams::throws, {.help = "Throws of step 1 that are not shown", .min = 0})
            .input("action", 1, {.help = "Not used", .read = Read::end})
            .output("observation", 1, {.help = "1"})
            .output("face", 1, {.help = "Uniform in [0, 1)", .read = Read::end});
    }
    Dice(const DiceParams& p, Builder& b)
        : throws_(p.throws), observation_(b.output("observation")), face_(b.output("face")) {}
    int steps() const override { return 4; }
    void begin(int&, std::uint32_t, Stream&) const override {}
    void observe(int&, TaskStep<T>& s) const override { *s.output(observation_) = 1; }
    void act(int&, TaskStep<T>& s) const override {
        Stream random = s.random();
        *s.output(face_) = static_cast<T>(random.uniform());
        if (s.step() == 1)
            for (int i = 0; i < throws_; ++i) random.bits();
    }

private:
    int throws_;
    Output observation_, face_;
};

std::vector<double> facesOfDice(int throws, int threads, int chunk, std::uint32_t stream) {
    static const Registry dice = [] {
        Registry r = registry();
        r.add(entryOf<Dice>(), "tests");
        return r;
    }();
    const Json document = {{"raphe", 1},
                           {"nodes",
                            {{"task", {{"mechanism", "task.dice"}, {"params", {{"throws", throws}}}}},
                             {"agent", {{"mechanism", "model.dense"}}}}},
                           {"wires", {"task.observation -> agent.input", "agent.output -> task.action"}},
                           {"precision", "float64"},
                           {"trials", 6},
                           {"chunk", chunk}};
    EvaluateRequest request;
    request.record = {"task.face"};
    request.stream = stream;
    auto session = Session::create(experimentFromJson(document, dice), dice, {threads, "tbb", 0});
    return session->evaluate(request).signals[0].second.values;
}

TEST(TaskRandom, IsAnotherInEachStepAndTrialAndStream) {
    auto faces = facesOfDice(0, 1, 2, 0);
    const auto others = facesOfDice(0, 1, 2, 1);
    faces.insert(faces.end(), others.begin(), others.end());
    ASSERT_EQ(faces.size(), 48u);
    std::sort(faces.begin(), faces.end());
    EXPECT_EQ(std::adjacent_find(faces.begin(), faces.end()), faces.end());
}
TEST(TaskRandom, DependsNeitherOnThreadsAndChunksNorOnWhatAnotherStepDraws) {
    const auto faces = facesOfDice(0, 1, 2, 0);
    EXPECT_EQ(facesOfDice(0, 2, 2, 0), faces);
    EXPECT_EQ(facesOfDice(0, 1, 3, 0), faces);
    EXPECT_EQ(facesOfDice(1000, 1, 2, 0), faces);
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
