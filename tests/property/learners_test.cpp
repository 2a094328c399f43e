// SPDX-License-Identifier: Apache-2.0
// Learning inside the trial: every trial is a learner of its own. What it learns depends on nobody else, on no thread
// and on no recording; the end of a step comes after the task's answer; gradients flow through weights that change on
// the way.
#include "heap_counter.h"
#include "support.h"

#include <gtest/gtest.h>

namespace raphe::test {
namespace {

NodeSpec& node(Experiment& e, const std::string& name) {
    for (auto& spec : e.nodes)
        if (spec.name == name) return spec;
    throw Error(name, "is no node");
}

/// Animals with a life short enough to be lived often, and their weights at a port.
Experiment animals(int trials = 13, int chunk = 4, const std::string& schedule = "30 A, 30 B") {
    auto e = load("gonogo_da_na");
    node(e, "task").params["schedule"] = schedule;
    node(e, "task").params["per_stimulus"] = std::int64_t{2};
    node(e, "locus_coeruleus").params["warmup"] = std::int64_t{5};
    node(e, "locus_coeruleus").params["refractory"] = std::int64_t{8};
    node(e, "locus_coeruleus").params["theta"] = 0.1;
    for (const char* layer : {"actor", "critic"}) {
        node(e, layer).params["inputs"] = std::int64_t{8};
        node(e, layer).params["expose_weights"] = true;
    }
    e.trials = trials;
    e.chunk = chunk;
    e.iterations = 3;
    return e;
}

Experiment recording(Experiment e, const std::vector<std::string>& ports) {
    for (const auto& port : ports) {
        const auto dot = port.find('.');
        Recording r;
        r.port = {port.substr(0, dot), port.substr(dot + 1)};
        r.trials = e.trials;
        r.everyIterations = 1;
        e.recordings.push_back(r);
    }
    return e;
}

const Tensor& signal(const IterationReport& report, const std::string& port) {
    for (const auto& [recording, tensor] : report.signals)
        if (recording.port.text() == port) return tensor;
    throw Error(port, "is not recorded");
}

/// Values of one trial of a (steps, trials, units) tensor.
std::vector<double> ofTrial(const Tensor& t, std::int64_t trial) {
    std::vector<double> result;
    for (std::int64_t s = 0; s < t.shape[0]; ++s)
        for (std::int64_t u = 0; u < t.shape[2]; ++u)
            result.push_back(t.values[static_cast<std::size_t>((s * t.shape[1] + trial) * t.shape[2] + u)]);
    return result;
}

std::vector<double> lives(const Experiment& e, const SessionOptions& options) {
    auto session = Session::create(e, registry(), options);
    std::vector<double> all;
    for (int i = 0; i < 3; ++i) {
        const auto report = session->iterate();
        for (const auto& [name, value] : report.metrics) all.push_back(value);
        for (const auto& [recording, tensor] : report.signals)
            if (recording.port.text() == "actor.weights")
                all.insert(all.end(), tensor.values.begin(), tensor.values.end());
    }
    return all;
}

TEST(Learners, LiveTheSameLivesOnAnyThreadsInAnyOrderWhateverIsRecorded) {
    const auto once = lives(recording(animals(), {"actor.weights"}), {1, "tbb", 0});
    EXPECT_GT(once.size(), 1000u);
    for (const int threads : {2, 3, 4, 7})
        EXPECT_EQ(lives(recording(animals(), {"actor.weights"}), {threads, "tbb", 0}), once);
    for (std::uint64_t seed = 1; seed <= 20; ++seed)
        EXPECT_EQ(lives(recording(animals(), {"actor.weights"}), {1, "shuffled", seed}), once) << seed;
    const auto more = recording(animals(), {"dopamine.error", "actor.weights", "bank.level", "critic.weights"});
    EXPECT_EQ(lives(more, {2, "tbb", 0}), once);
}

TEST(Learners, DependOnNobodyElse) {
    const auto few =
        Session::create(recording(animals(5), {"actor.weights", "choice.action"}), registry(), {1, "tbb", 0})
            ->iterate();
    const auto many =
        Session::create(recording(animals(13), {"actor.weights", "choice.action"}), registry(), {1, "tbb", 0})
            ->iterate();
    for (const char* port : {"actor.weights", "choice.action"})
        for (int trial = 0; trial < 5; ++trial)
            EXPECT_EQ(ofTrial(signal(few, port), trial), ofTrial(signal(many, port), trial)) << port << trial;
    EXPECT_NE(ofTrial(signal(many, "actor.weights"), 0), ofTrial(signal(many, "actor.weights"), 1));
}

TEST(Learners, SeeTheAnswerOfTheirOwnStepAtItsEnd) {
    const auto report =
        Session::create(recording(animals(), {"task.reward", "critic.output", "dopamine.error", "dopamine.surprise",
                                              "critic.weights", "task.observation"}),
                        registry(), {1, "tbb", 0})
            ->iterate();
    const auto& reward = signal(report, "task.reward");
    const auto& value = signal(report, "critic.output");
    const auto& error = signal(report, "dopamine.error");
    const auto& surprise = signal(report, "dopamine.surprise");
    double rewards = 0;
    for (std::size_t i = 0; i < reward.values.size(); ++i) {
        rewards += std::abs(reward.values[i]);
        ASSERT_EQ(error.values[i], reward.values[i] - value.values[i]) << i;
        ASSERT_EQ(surprise.values[i], std::abs(error.values[i])) << i;
    }
    EXPECT_GT(rewards, 0);
    // The critic's first change is rate * error * x.
    const auto x = ofTrial(signal(report, "task.observation"), 2), W = ofTrial(signal(report, "critic.weights"), 2);
    for (std::size_t j = 0; j < 8; ++j) EXPECT_DOUBLE_EQ(W[j], 0.05 * error.values[2] * x[j]);
}

TEST(Learners, OfAStreamGoOnWithTheirWeights) {
    auto cut = animals(), whole = animals();
    cut.streams = whole.streams = true;
    cut.steps = 20;
    whole.steps = 60;
    auto many = Session::create(recording(cut, {"actor.weights"}), registry(), {2, "tbb", 0}),
         one = Session::create(recording(whole, {"actor.weights"}), registry(), {1, "tbb", 0});
    std::vector<double> pieces;
    for (int i = 0; i < 3; ++i) {
        const auto before = many->snapshot(); // as a run that is killed and resumed
        many = Session::create(recording(cut, {"actor.weights"}), registry(), {1 + i, "tbb", 0});
        if (i > 0) many->restore(before);
        const auto report = many->iterate();
        const auto& t = signal(report, "actor.weights");
        pieces.insert(pieces.end(), t.values.begin(), t.values.end());
    }
    const auto report = one->iterate();
    // A stream's action draws are addressed by window, so the first window is alike and later ones are lives as good.
    const auto& all = signal(report, "actor.weights").values;
    ASSERT_EQ(pieces.size(), all.size());
    const std::size_t first = all.size() / 3;
    EXPECT_EQ(std::vector<double>(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(first)),
              std::vector<double>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first)));
    double change = 0, size = 0;
    const std::size_t row = first / 20; // numbers of a step
    for (std::size_t i = 0; i < row; ++i) {
        change += std::abs(pieces[first + i] - pieces[first - row + i]);
        size += std::abs(pieces[first - row + i]);
    }
    EXPECT_GT(size, 0);
    EXPECT_LT(change, 0.5 * size) << "the weights of the second window begin with those of the first";
}

TEST(Learners, AreChangedByInterventionsOnTheirWeights) {
    auto e = recording(animals(), {"actor.weights", "actor.output"});
    auto session = Session::create(e, registry(), {1, "tbb", 0});
    Intervention set;
    set.target = {"actor", "weights"};
    set.operation = Operation::clamp;
    set.value = 0.25;
    set.from = 10;
    set.to = 11;
    session->setInterventions({set});
    const auto report = session->iterate();
    const auto W = ofTrial(signal(report, "actor.weights"), 3);
    for (std::size_t i = 10 * 16; i < 11 * 16; ++i) EXPECT_EQ(W[i], 0.25);
    for (std::size_t i = 11 * 16; i < 12 * 16; ++i) EXPECT_NEAR(W[i], 0.25, 0.5) << "it learns on from there";
    double off = 0;
    for (std::size_t i = 9 * 16; i < 10 * 16; ++i) off += std::abs(W[i] - 0.25);
    EXPECT_GT(off, 0);
}

const Tensor& state(const EvaluateResult& result, const std::string& name) {
    for (const auto& [key, tensor] : result.states)
        if (key == name) return tensor;
    throw Error(name, "has not been kept");
}

TEST(Learners, LeaveTheirWeightsAndBeginWithThoseThatAreGiven) {
    auto e = animals();
    auto session = Session::create(e, registry(), {2, usualExecutor, 0});
    EvaluateRequest request;
    request.trials = 13;
    request.record = {"actor.weights", "actor.output", "task.observation"};
    request.states = {"actor.weight", "critic.*"};
    const auto first = session->evaluate(request);
    ASSERT_EQ(first.states.size(), 2u) << "actor.weight and critic.weight";
    const auto& left = state(first, "actor.weight");
    EXPECT_EQ(left.shape, (std::vector<std::int64_t>{13, 8, 2}));
    const auto& weights = first.signals[0].second; // (steps, trials, units x inputs), row by row
    const std::size_t last = weights.values.size() - 13 * 16;
    for (std::size_t trial = 0; trial < 13; ++trial)
        for (std::size_t unit = 0; unit < 2; ++unit)
            for (std::size_t input = 0; input < 8; ++input)
                ASSERT_EQ(left.values[(trial * 8 + input) * 2 + unit],
                          weights.values[last + trial * 16 + unit * 8 + input]);
    EXPECT_EQ(session->evaluate(request).states, first.states) << "what is left does not depend on the one before";

    // Other trials begin with them, each learner with its own, whatever the chunk.
    request.initialStates = first.states;
    request.stream = 7;
    for (const int chunk : {4, 13}) {
        e.chunk = chunk;
        auto other = Session::create(e, registry(), {2, usualExecutor, 0});
        const auto second = other->evaluate(request);
        const auto& y = second.signals[1].second;
        const auto& x = second.signals[2].second;
        for (std::size_t trial = 0; trial < 13; ++trial)
            for (std::size_t unit = 0; unit < 2; ++unit) {
                double sum = 0;
                for (std::size_t input = 0; input < 8; ++input)
                    sum += left.values[(trial * 8 + input) * 2 + unit] * x.values[trial * 8 + input];
                ASSERT_NEAR(y.values[trial * 2 + unit], sum, 1e-12) << "trial " << trial << ", chunk " << chunk;
            }
        const auto player = other->play(request);
        player->next();
        const auto shown = player->signal("actor.output");
        for (std::size_t i = 0; i < shown.values.size(); ++i) ASSERT_EQ(shown.values[i], y.values[i]);
    }
}

TEST(Learners, AreNotGivenStatesThatDoNotFit) {
    auto session = Session::create(animals(), registry(), {1, usualExecutor, 0});
    const auto complaint = [&](const std::string& name, std::vector<std::int64_t> shape, std::vector<double> values,
                               const std::string& pattern) {
        EvaluateRequest request;
        request.trials = 2;
        if (!values.empty()) request.initialStates = {{name, {std::move(shape), std::move(values)}}};
        if (!pattern.empty()) request.states = {pattern};
        try {
            session->evaluate(request);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("nothing");
    };
    EXPECT_EQ(complaint("critic.weight", {2, 3}, std::vector<double>(6), ""),
              "critic.weight: expected 16 numbers (8 for each of 2 trials), got 6");
    EXPECT_EQ(complaint("critic.wieght", {2, 8}, std::vector<double>(16), ""),
              "critic.wieght: the node has no state of this name; did you mean \"weight\"?");
    EXPECT_EQ(complaint("critic.weight", {2, 8}, std::vector<double>(16, NAN), ""),
              "critic.weight: holds a number that is not finite");
    EXPECT_NE(complaint("", {}, {}, "nobody.*").find("no state matches \"nobody.*\""), std::string::npos);
    EXPECT_EQ(complaint("critic.weight", {2, 8}, std::vector<double>(16, 0.5), "critic.weight"), "nothing");
}

TEST(Learners, TenThousandTakeNoMoreMemoryThanThoseThatAreSweptTogether) {
    if (!HeapCounter::available()) GTEST_SKIP() << "sanitizers replace malloc; the other builds count";
    const auto peak = [](int trials, bool streams) {
        auto e = load("gonogo_da_na", Precision::float32);
        node(e, "task").params["schedule"] = "10 A, 10 B";
        e.trials = trials;
        e.streams = streams;
        if (streams) e.steps = 10;
        const HeapPeak heap;
        auto session = Session::create(e, registry(), {1, usualExecutor, 0});
        for (int i = 0; i < 2; ++i) session->iterate();
        return static_cast<double>(heap.bytes());
    };
    const double chunk = peak(25, false);
    EXPECT_LT(peak(10000, false), chunk + 1e6) << "lives that end leave nothing but their metrics";
    // In a stream each has weights of its own: 2 x 40 of the actor, 40 of the critic, and a dozen levels, in single
    // precision; once as they were before an iteration, and once as they are after it.
    EXPECT_LT(peak(10000, true) - peak(25, true), 2.5 * 10000 * (120 + 16) * 4);
}

TEST(Learners, WhoseNumbersExplodeAreNamedWithNodeStepAndTrial) {
    auto e = animals();
    e.precision = Precision::float32;
    node(e, "critic").params["learning_rate"] = 1e6; // its error grows from step to step
    auto session = Session::create(e, registry(), {2, "tbb", 0});
    try {
        session->iterate();
        FAIL() << "nothing was noticed";
    } catch (const NumericError& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find("iteration 0: "), std::string::npos) << text;
        EXPECT_NE(text.find(" is not finite from step "), std::string::npos) << text;
        EXPECT_NE(text.find(" of trial "), std::string::npos) << text;
        EXPECT_NE(text.find("critic."), std::string::npos) << text;
        EXPECT_EQ(text.find("clip_norm"), std::string::npos) << "there is no such thing here: " << text;
    }
    EXPECT_EQ(session->iteration(), 0);
}

TEST(Learners, AreDifferentiatedThroughTheirLives) {
    for (const char* name : {"crossed_animals_with_encoder", "crossed_noradrenaline_gain"}) {
        auto e = load(name);
        e.trials = e.trials > 0 ? 5 : 0;
        e.chunk = 3;
        e.memoryMiB = 0.2; // several segments
        const auto report = sessionOf(e)->checkGradients(8);
        for (const auto& tensor : report.tensors)
            EXPECT_LE(tensor.largestError, report.tolerance) << name << ": " << tensor.name;
        EXPECT_TRUE(report.passed()) << name;
        double largest = 0;
        for (const auto& tensor : report.tensors) largest = std::max(largest, tensor.largestGradient);
        EXPECT_GT(largest, 0) << name;
    }
}

TEST(Learners, ActAsTheyAreDifferentiated) {
    // The loss of an update is that of the acting pass: metrics of both agree.
    auto e = load("crossed_animals_with_encoder");
    e.memoryMiB = 0.2;
    auto session = sessionOf(e);
    const auto evaluated = session->evaluate({});
    EXPECT_TRUE(std::isfinite(metric(evaluated.metrics, "loss")));
    for (int i = 0; i < 2; ++i) {
        const auto report = session->iterate();
        EXPECT_TRUE(std::isfinite(metric(report.metrics, "gradient_norm")));
        EXPECT_GT(metric(report.metrics, "gradient_norm"), 0);
    }
}

std::string complaint(const Json& document) {
    try {
        const Graph graph(experimentFromJson(document, registry()), registry());
    } catch (const Error& error) {
        return error.what();
    }
    return "no complaint";
}

TEST(EndOfStep, HasAnOrderAndRefusesCyclesAndTasks) {
    Json document = {{"raphe", 1},
                     {"nodes",
                      {{"task", {{"mechanism", "task.set_shift"}}},
                       {"a", {{"mechanism", "model.prediction_error"}}},
                       {"b", {{"mechanism", "model.prediction_error"}}},
                       {"layer", {{"mechanism", "model.three_factor_layer"}, {"params", {{"units", 2}}}}},
                       {"choice", {{"mechanism", "model.categorical"}}}}},
                     {"wires",
                      {"task.observation -> layer.input", "layer.output -> choice.logits",
                       "choice.action -> task.action", "task.reward -> a.outcome", "b.error -> a.expectation",
                       "task.reward -> b.outcome", "task.correct -> b.expectation", "a.error -> layer.modulator"}}};
    const Graph graph(experimentFromJson(document, registry()), registry());
    std::vector<std::string> order;
    for (int n : graph.closeOrder()) order.push_back(graph.nodes()[static_cast<std::size_t>(n)].name);
    EXPECT_EQ(order, (std::vector<std::string>{"b", "a", "layer"}));

    auto cyclic = document;
    cyclic["wires"][6] = "a.error -> b.expectation";
    const auto sentence = complaint(cyclic);
    EXPECT_NE(sentence.find("closes a cycle within the end of a step"), std::string::npos) << sentence;
    EXPECT_NE(sentence.find("wires[6]"), std::string::npos) << sentence;

    auto late = document;
    late["nodes"]["choice"]["params"]["choices"] = 1;
    late["wires"] = {"task.observation -> layer.input", "layer.output -> choice.logits", "a.error -> task.action",
                     "b.error -> task.action",          "task.reward -> a.outcome",      "task.reward -> b.outcome",
                     "task.correct -> a.expectation",   "task.correct -> b.expectation", "a.error -> layer.modulator"};
    late["nodes"]["choice"]["params"]["choices"] = 2;
    const auto refused = complaint(late);
    EXPECT_NE(refused.find("after the task has acted"), std::string::npos) << refused;
}

} // namespace
} // namespace raphe::test
