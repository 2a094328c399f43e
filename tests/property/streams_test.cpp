// SPDX-License-Identifier: Apache-2.0
// Streams: trials go on from one iteration to the next, and begin anew where they end. However a stream is cut into
// windows, chunks and segments, it is the same stream.
#include "course.h"
#include "heap_counter.h"

#include <gtest/gtest.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace raphe::test {
namespace {

void expectSame(const std::map<std::string, std::vector<double>>& a,
                const std::map<std::string, std::vector<double>>& b, double tolerance) {
    ASSERT_EQ(a.size(), b.size());
    for (const auto& [name, values] : b) EXPECT_LE(difference(a.at(name), values), tolerance) << name;
}

std::string complaintOf(const Json& document, int iterations = 1) {
    try {
        auto session = sessionOf(experimentFromJson(document, registry()));
        for (int i = 0; i < iterations; ++i) session->iterate();
    } catch (const Error& error) {
        return error.what();
    }
    return "no complaint";
}

class Windows : public testing::TestWithParam<std::tuple<std::string, bool>> {
protected:
    std::string network() const { return std::get<0>(GetParam()); }
    bool closedLoop() const { return std::get<1>(GetParam()); }
};

const auto windowName = [](const auto& item) {
    return std::get<0>(item.param) + (std::get<1>(item.param) ? "_closed" : "_open");
};

TEST_P(Windows, TogetherAreOneLongWindow) {
    for (const bool learning : {false, true})
        for (const int length : {0, 7}) { // endless, and with ends inside of windows and between them
            // No horizon ends a trial, since the border of a window would.
            const Json task = {{"reacts", 0.3}, {"length", length}, {"spread", 3}, {"steps", 0}};
            const auto document = learning ? supervisedCourse(network(), task, closedLoop())
                                           : courseNetwork(network(), task, closedLoop());
            auto many = sessionOf(recordingAll(asStream(document, 6))),
                 one = sessionOf(recordingAll(asStream(document, 30)));
            SCOPED_TRACE(testing::Message() << "learning " << learning << ", length " << length);
            const auto cut = live(*many, 5), whole = live(*one, 1);
            EXPECT_GT(whole.at("net.hidden").size(), 0u);
            expectSame(cut, whole, 1e-12);
            std::map<std::string, std::vector<double>> left, expected;
            // Five gradients leave other averages than one.
            for (const auto& item : many->snapshot().tensors)
                if (!item.name.starts_with("optimiser.")) left[item.name] = item.tensor.values;
            for (const auto& item : one->snapshot().tensors)
                if (!item.name.starts_with("optimiser.")) expected[item.name] = item.tensor.values;
            EXPECT_EQ(expected.count("stream.1.carried"), 1u) << "two chunks";
            expectSame(left, expected, 1e-12);
        }
}

/// Trial `number` for itself, cut after `steps`.
Json alone(const Json& document, int number, int steps) {
    auto single = document;
    single.erase("streams");
    single.erase("steps");
    auto& task = single["nodes"]["task"]["params"];
    task["length"] = 0;
    task["spread"] = 0;
    task["first"] = number;
    task["steps"] = steps;
    single["trials"] = single["chunk"] = 1;
    return single;
}

TEST_P(Windows, HoldTrialsThatBeginAnewAsIfTheyWereAlone) {
    for (const int steps : {29, 30})
        for (const double mebibytes : {8.0, 1e-4}) {
            SCOPED_TRACE(testing::Message() << steps << " steps, " << mebibytes << " MiB");
            const auto document = asStream(
                supervisedCourse(network(), {{"reacts", 0.3}, {"length", 5}, {"spread", 3}}, closedLoop(), 1), steps);
            auto experiment = recordingAll(document);
            experiment.memoryMiB = mebibytes;
            const auto lived = live(*sessionOf(experiment), 1);
            const auto gradient = gradientOf(*sessionOf(experiment));

            std::map<std::string, std::vector<double>> sum;
            double weight = 0;
            for (int b = 0; b < 5; ++b)
                for (int first = 0, length = 5 + b % 4; first < steps; first += length) {
                    const int count = std::min(length, steps - first);
                    auto single = sessionOf(recordingAll(alone(document, b, count)));
                    double weightHere = 0;
                    for (int t = 0; t < count; ++t) weightHere += 1 + 0.25 * (t % 3);
                    for (const auto& [name, values] : gradientOf(*single)) {
                        sum[name].resize(values.size());
                        for (std::size_t i = 0; i < values.size(); ++i) sum[name][i] += weightHere * values[i];
                    }
                    weight += weightHere;
                    const auto expected = live(*sessionOf(recordingAll(alone(document, b, count))), 1);
                    for (const auto& [port, values] : expected) {
                        const auto units = values.size() / static_cast<std::size_t>(count);
                        std::vector<double> here;
                        for (int t = first; t < first + count; ++t) {
                            const double* from = lived.at(port).data() + static_cast<std::size_t>(t * 5 + b) * units;
                            here.insert(here.end(), from, from + units);
                        }
                        EXPECT_LE(difference(here, values), 1e-12) << port << ", trial " << b << " from " << first;
                    }
                }
            for (auto& [name, values] : sum)
                for (auto& x : values) x /= weight;
            expectSame(gradient, sum, 1e-12);
        }
}

TEST_P(Windows, HaveTheGradientOfTheirOwnSteps) {
    const auto document = asStream(supervisedCourse(network(), {{"length", 9}, {"spread", 2}}, closedLoop(), 1), 7);
    auto still = document;
    still["nodes"]["learner"]["params"]["learning_rate"] = 0;
    for (const double mebibytes : {8.0, 1e-4}) {
        auto experiment = experimentFromJson(document, registry());
        experiment.memoryMiB = mebibytes;
        auto before = sessionOf(experimentFromJson(still, registry())), session = sessionOf(experiment);
        live(*before, 2);
        const auto start = before->snapshot();
        session->restore(start);
        const auto gradient = gradientOf(*session);
        const auto lossAt = [&](const std::string& name, std::size_t entry, double h) {
            session->restore(start);
            auto tensor = session->get(name);
            tensor.values[entry] += h;
            session->set(name, tensor);
            return metric(session->iterate().metrics, "loss");
        };
        double largest = 0;
        for (const auto& [name, values] : gradient)
            for (double x : values) largest = std::max(largest, std::abs(x));
        ASSERT_GT(largest, 1e-3);
        for (const auto& [name, values] : gradient)
            for (std::size_t i = 0; i < values.size(); i += std::max<std::size_t>(1, values.size() / 5)) {
                const double h = 1e-5, expected = (lossAt(name, i, h) - lossAt(name, i, -h)) / (2 * h);
                EXPECT_NEAR(values[i], expected, 1e-7 * largest) << name << " entry " << i;
            }
    }
}

TEST_P(Windows, AreTheSameForAllThreadsSchedulesAndRecordings) {
    const auto document =
        asStream(supervisedCourse(network(), {{"reacts", 0.3}, {"length", 5}, {"spread", 3}}, closedLoop(), 0.05), 8);
    const auto run = [&](const Experiment& experiment, const SessionOptions& options) {
        auto session = Session::create(experiment, registry(), options);
        std::vector<NamedNumbers> metrics;
        for (int i = 0; i < 6; ++i) metrics.push_back(session->iterate().metrics);
        return std::pair{metrics, session->snapshot().tensors};
    };
    auto plain = experimentFromJson(document, registry());
    const auto reference = run(plain, {1, "tbb", 0});
    for (int threads : {2, 3, 4, 7}) EXPECT_EQ(run(plain, {threads, "threads", 0}), reference) << threads;
    EXPECT_EQ(run(plain, {3, "tbb", 0}), reference);
    for (std::uint64_t schedule = 0; schedule < 20; ++schedule)
        EXPECT_EQ(run(plain, {1, "shuffled", schedule}), reference) << "schedule " << schedule;
    EXPECT_EQ(run(recordingAll(document), {2, "tbb", 0}), reference);

    // Stopped after every iteration and continued in a new session.
    SessionSnapshot snapshot;
    std::vector<NamedNumbers> metrics;
    for (int i = 0; i < 6; ++i) {
        auto session = sessionOf(plain, 2);
        if (i > 0) session->restore(snapshot);
        metrics.push_back(session->iterate().metrics);
        snapshot = session->snapshot();
    }
    EXPECT_EQ(metrics, reference.first);
    EXPECT_EQ(snapshot.tensors, reference.second);
}

INSTANTIATE_TEST_SUITE_P(Networks, Windows, testing::Combine(testing::ValuesIn(courseNetworks()), testing::Bool()),
                         windowName);

// -- rules and refusals ---------------------------------------------------------------------------------------------

TEST(StreamRules, AllTrain) {
    const auto learns = [](const Json& document, const char* name) {
        auto session = sessionOf(experimentFromJson(document, registry()), 2);
        const auto before = weightsOf(*session);
        double first = 0, last = 0;
        for (int i = 0; i < 150; ++i) {
            const auto value = metric(session->iterate().metrics, name);
            ASSERT_TRUE(std::isfinite(value)) << "iteration " << i;
            (i < 20 ? first : last) += i < 20 || i >= 130 ? value : 0;
        }
        EXPECT_NE(weightsOf(*session), before);
        if (std::string(name) == "loss")
            EXPECT_LT(last, 0.7 * first);
        else
            EXPECT_GT(last, first) << document.dump();
    };
    for (const int length : {0, 5}) {
        const Json task = {{"reacts", 0.3}, {"length", length}, {"spread", 3}};
        learns(asStream(supervisedCourse("gru", task, false, 0.1), 6), "loss");
        learns(asStream(actor("rule.a2c", {{"learning_rate", 0.01}}, task), 6), "reward");
        auto params = ppoParameters;
        params["policy_learning_rate"] = 0.001;
        learns(asStream(actor("rule.ppo", params, task), 8), "return");
    }
}

TEST(StreamRules, PpoIsTheSameForThreadsAndCheckpoints) {
    for (const bool truncates : {false, true}) {
        auto task = ends;
        task["truncates"] = truncates;
        const auto experiment = experimentFromJson(asStream(actor("rule.ppo", ppoParameters, task), 8), registry());
        const auto run = [&](const SessionOptions& options, int stopEvery) {
            auto session = Session::create(experiment, registry(), options);
            std::vector<NamedNumbers> metrics;
            for (int i = 0; i < 6; ++i) {
                metrics.push_back(session->iterate().metrics);
                if (stopEvery == 0 || (i + 1) % stopEvery != 0) continue;
                const auto snapshot = session->snapshot();
                session = Session::create(experiment, registry(), options);
                session->restore(snapshot);
            }
            return std::pair{metrics, session->snapshot().tensors};
        };
        const auto reference = run({1, "tbb", 0}, 0);
        for (int threads : {2, 3, 4, 7}) EXPECT_EQ(run({threads, "threads", 0}, 0), reference) << threads;
        for (std::uint64_t schedule = 0; schedule < 20; ++schedule)
            EXPECT_EQ(run({1, "shuffled", schedule}, 0), reference) << "schedule " << schedule;
        for (int every : {1, 2, 4}) EXPECT_EQ(run({2, "tbb", 0}, every), reference) << "stopped every " << every;
    }
}

TEST(StreamRules, GradientsOfAFirstWindowAreThoseOfDifferences) {
    for (const bool truncates : {false, true}) {
        auto task = ends;
        task["truncates"] = truncates;
        for (const auto& document :
             {supervisedCourse("plastic_retroactive", task, true), supervisedCourse("rnn", task, false),
              actor("rule.a2c", Json::object(), task), actor("rule.ppo", ppoParameters, task)}) {
            const auto report = sessionOf(experimentFromJson(asStream(document, 12), registry()))->checkGradients();
            EXPECT_FALSE(report.tensors.empty());
            for (const auto& entry : report.tensors)
                EXPECT_LE(entry.largestError, report.tolerance)
                    << entry.name << " of " << document["nodes"]["learner"]["mechanism"];
        }
    }
}

TEST(StreamRules, RefuseWhatTheyCannotDo) {
    auto params = ppoParameters;
    params["time_limit"] = "terminal";
    const auto terminal = complaintOf(asStream(actor("rule.ppo", params, ends), 8));
    EXPECT_NE(terminal.find("time_limit: the trials are streams, which go on after an iteration; set it to "
                            "\"bootstrap\""),
              std::string::npos)
        << terminal;
    const auto tooShort = complaintOf(asStream(actor("rule.a2c", Json::object(), ends), 1));
    EXPECT_NE(tooShort.find("steps: the last step of a window is not scored"), std::string::npos) << tooShort;
    const auto shared = complaintOf(asStream(actor("rule.a2c", {{"value_baseline", "first_episode"}}, ends), 8));
    EXPECT_NE(shared.find("value_baseline: first_episode compares whole trials"), std::string::npos) << shared;
}

TEST(StreamRules, RefuseATaskThatCannotKeepItsTrialsBeforeAnythingRuns) {
    auto experiment = load("cue_small_A_simple");
    experiment.streams = true;
    experiment.steps = 1000; // more than a trial of this task has
    try {
        sessionOf(experiment);
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "nodes.task: this task cannot keep its trials, so they cannot be streams");
    }
}

TEST(StreamRules, MayHaveWindowsInWhichNothingCounts) {
    // After the ramp of Measure-Wait-Go the mask is 0 for good.
    auto experiment = load("mwg_small_nm_rnn");
    experiment.streams = true;
    experiment.steps = 60;
    auto session = sessionOf(experiment, 2);
    for (int i = 0; i < 5; ++i)
        for (const auto& [name, value] : session->iterate().metrics)
            EXPECT_TRUE(std::isfinite(value)) << name << " of iteration " << i;
}

TEST(StreamMemory, DoesNotGrow) {
#if defined(__GLIBC__) && !defined(RAPHE_SANITIZED)
    for (const auto& document :
         {supervisedCourse("plastic_simple", ends, true, 0.01), supervisedCourse("rnn", ends, false, 0.01),
          courseNetwork("gru", ends, true), actor("rule.ppo", ppoParameters, ends)}) {
        auto session = sessionOf(experimentFromJson(asStream(document, 8), registry()));
        const auto bytes = [] {
            const auto info = mallinfo2();
            return static_cast<double>(info.uordblks + info.hblkhd);
        };
        for (int i = 0; i < 20; ++i) session->iterate();
        const double warm = bytes();
        for (int i = 0; i < 600; ++i) session->iterate();
        // One number kept per step would be 38400 bytes. The allocator's own store of free blocks counts as used, and
        // moves by a few thousand bytes with what a machine's clock and its number of cores change.
        EXPECT_LE(bytes(), warm + 20000) << document["nodes"].dump();
    }
#else
    GTEST_SKIP() << "sanitizers bring an allocator of their own";
#endif
}

} // namespace
} // namespace raphe::test
