// SPDX-License-Identifier: Apache-2.0
// A session behind a window: it is paused, cancelled, looked at and evaluated from other threads while it trains, and
// stepped. None of this changes what is trained, and nobody sees a state between iterations.
#include "course.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>

namespace raphe::test {
namespace {

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }
void sleepFor(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

bool waitFor(const std::function<bool()>& condition) {
    for (int i = 0; i < 60'000 && !condition(); ++i) sleepFor(1);
    return condition();
}

#ifdef RAPHE_SANITIZED
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// -- pause and cancel -------------------------------------------------------------------------------------------------

struct Watcher final : SessionObserver {
    std::atomic<bool> paused{false};
    std::atomic<int> reports{0}, pauses{0};
    void onIteration(Session&, const IterationReport&) override { ++reports; }
    void onProgress(Session&, double) override { ++reports; }
    void onPaused(Session&) override {
        paused = true;
        ++pauses;
    }
    void onResumed(Session&) override { paused = false; }
};

/// Trains on a thread of its own, until cancelled.
struct Training {
    explicit Training(Session& s) : session(s), thread([&] { completed = s.trainTo(1'000'000, &watcher); }) {}
    ~Training() {
        session.cancel();
        if (thread.joinable()) thread.join();
    }
    Session& session;
    Watcher watcher;
    std::atomic<bool> completed{true};
    std::thread thread;
};

/// An iteration that takes seconds.
std::unique_ptr<Session> slowSession() {
    auto experiment = load(sanitized ? "nmn_biased_target_small" : "nmn_biased_target", Precision::float32);
    experiment.set("learner.policy_epochs", 100, registry());
    return sessionOf(experiment, 2);
}

TEST(Control, ActsWithinAnIteration) {
    std::vector<double> pausing, cancelling;
    for (int round = 0; round < 4; ++round) {
        auto session = slowSession();
        Training training(*session);
        for (int i = 0; i < 3; ++i) {
            sleepFor(70 + 90 * round + 37 * i);
            const auto begun = Clock::now();
            session->pause();
            ASSERT_TRUE(waitFor([&] { return training.watcher.paused.load(); }));
            pausing.push_back(secondsSince(begun));
            EXPECT_TRUE(session->paused());
            sleepFor(20);
            const int reports = training.watcher.reports;
            sleepFor(50);
            EXPECT_EQ(training.watcher.reports, reports) << "it goes on";
            session->resume();
            ASSERT_TRUE(waitFor([&] { return !training.watcher.paused.load(); }));
        }
        EXPECT_EQ(training.watcher.pauses, 3);
        if (round % 2 == 1) { // also while paused
            session->pause();
            ASSERT_TRUE(waitFor([&] { return training.watcher.paused.load(); }));
        }
        const auto begun = Clock::now();
        session->cancel();
        training.thread.join();
        cancelling.push_back(secondsSince(begun));
        EXPECT_FALSE(training.completed);
        EXPECT_EQ(session->iteration(), 0) << "the iteration should take longer than this test";
    }
    const auto median = [](std::vector<double> times) {
        std::sort(times.begin(), times.end());
        return times[times.size() / 2];
    };
    const double limit = sanitized ? 20 : 1;
    for (double time : pausing) EXPECT_LT(time, limit);
    for (double time : cancelling) EXPECT_LT(time, limit);
    RecordProperty("pause_milliseconds", std::to_string(1000 * median(pausing)));
    RecordProperty("cancel_milliseconds", std::to_string(1000 * median(cancelling)));
    std::cout << "pause " << 1000 * median(pausing) << " ms, cancel " << 1000 * median(cancelling) << " ms (medians)\n";
}

TEST(Control, OfQuickPausesIsAlwaysAnnounced) {
    auto session = sessionOf(load("nmn_biased_target_small", Precision::float32), 3);
    Training training(*session);
    for (int i = 0; i < 60; ++i) {
        session->pause();
        ASSERT_TRUE(waitFor([&] { return training.watcher.paused.load(); })) << "pause " << i;
        session->resume();
        session->pause(); // before all have noticed
        sleepFor(i % 3);
        session->resume();
        ASSERT_TRUE(waitFor([&] { return !training.watcher.paused.load(); })) << "resumption " << i;
    }
}

TEST(Control, OfAnIterationThatIsCancelledAndRepeatedGivesTheSameBits) {
    const auto experiment = load("nmn_biased_target_small", Precision::float32);
    auto plain = sessionOf(experiment, 2), disturbed = sessionOf(experiment, 2);
    const int iterations = sanitized ? 2 : 4;
    for (int i = 0; i < iterations; ++i) plain->iterate();
    int cancelled = 0;
    for (int delay = 3; disturbed->iteration() < iterations; delay = delay * 3 / 2 + 1) {
        const auto before = disturbed->snapshot();
        std::thread other([&] {
            sleepFor(delay);
            disturbed->cancel();
        });
        disturbed->trainTo(before.iteration + 1);
        other.join();
        disturbed->clearCancel();
        if (disturbed->iteration() > before.iteration) continue;
        ++cancelled;
        EXPECT_EQ(disturbed->snapshot().tensors, before.tensors) << "cancelled after " << delay << " ms";
    }
    EXPECT_GT(cancelled, 0);
    EXPECT_EQ(disturbed->snapshot().tensors, plain->snapshot().tensors);
}

// -- looking on -------------------------------------------------------------------------------------------------------

std::vector<double> flat(const Session& session) {
    std::vector<double> all;
    for (const auto& item : session.weights())
        all.insert(all.end(), item.tensor.values.begin(), item.tensor.values.end());
    return all;
}

/// What every iteration leaves, without anybody looking on.
struct History {
    std::vector<NamedNumbers> metrics;
    std::vector<std::vector<NamedTensor>> snapshots;
    std::vector<std::vector<double>> weights;
    std::vector<EvaluateResult> evaluations;
};

EvaluateRequest requestOf(const Experiment& experiment) {
    EvaluateRequest request;
    request.trials = 3;
    for (const auto& wire : experiment.wires)
        if (wire.from.node != "task") request.record.push_back(wire.from.text());
    std::sort(request.record.begin(), request.record.end());
    request.record.erase(std::unique(request.record.begin(), request.record.end()), request.record.end());
    request.stream = 5;
    return request;
}

History historyOf(const Experiment& experiment, int iterations) {
    History history;
    auto session = sessionOf(experiment, 2);
    for (int i = 0; i <= iterations; ++i) {
        history.snapshots.push_back(session->snapshot().tensors);
        history.weights.push_back(flat(*session));
        history.evaluations.push_back(session->evaluate(requestOf(experiment)));
        if (i < iterations) history.metrics.push_back(session->iterate().metrics);
    }
    return history;
}

struct Looked {
    std::string name;
    Json document;
};
std::vector<Looked> lookedAt() {
    auto kl = ppoParameters;
    kl["surrogate"] = "kl_penalty";
    kl["value_replay"] = 3;
    return {{"ppo", actor("rule.ppo", kl, ends)},
            {"ppo_stream", asStream(actor("rule.ppo", kl, ends), 8)},
            {"supervised_stream", asStream(supervisedCourse("plastic_simple", ends, true, 0.05), 8)},
            {"supervised", supervisedCourse("rnn", ends, false, 0.05)},
            {"a2c", actor("rule.a2c", Json::object(), ends)}};
}

class Onlookers : public testing::TestWithParam<Looked> {};

TEST_P(Onlookers, SeeWhatIterationsLeaveAndDisturbNothing) {
    const auto experiment = experimentFromJson(GetParam().document, registry());
    const int iterations = sanitized ? 15 : 60;
    const auto history = historyOf(experiment, iterations);
    const auto request = requestOf(experiment);
    auto session = sessionOf(experiment, 2);

    std::atomic<bool> stop{false};
    std::atomic<int> looks{0};
    std::vector<std::thread> onlookers;
    const auto watch = [&](const std::function<void()>& look) {
        onlookers.emplace_back([&, look] {
            while (!stop) {
                look();
                ++looks;
                std::this_thread::yield();
            }
        });
    };
    const auto isIn = [](const auto& list, const auto& same) { return std::any_of(list.begin(), list.end(), same); };
    watch([&] {
        const auto snapshot = session->snapshot();
        EXPECT_EQ(snapshot.tensors, history.snapshots[static_cast<std::size_t>(snapshot.iteration)])
            << "after iteration " << snapshot.iteration;
    });
    watch([&] {
        const auto weights = flat(*session);
        EXPECT_TRUE(isIn(history.weights, [&](const auto& known) { return known == weights; })) << "weights";
        const auto name = session->parameters().back().name;
        const auto tensor = session->get(name);
        EXPECT_TRUE(isIn(history.snapshots, [&](const auto& known) {
            return isIn(known, [&](const auto& item) { return item.name == name && item.tensor == tensor; });
        })) << name;
    });
    watch([&] {
        const auto result = session->evaluate(request);
        EXPECT_TRUE(isIn(history.evaluations, [&](const auto& known) {
            return known.signals == result.signals && known.metrics == result.metrics;
        })) << "evaluation";
    });
    watch([&] {
        const auto player = session->play(request);
        player->next();
        player->next();
        const auto shown = player->signal(request.record[0]);
        EXPECT_TRUE(isIn(history.evaluations, [&](const auto& known) {
            const auto& values = known.signals[0].second.values;
            const std::vector<double> second(values.begin() + static_cast<std::ptrdiff_t>(shown.values.size()),
                                             values.begin() + static_cast<std::ptrdiff_t>(2 * shown.values.size()));
            return difference(shown.values, second) <= 1e-12;
        })) << request.record[0];
    });
    std::vector<NamedNumbers> metrics;
    for (int i = 0; i < iterations; ++i) metrics.push_back(session->iterate().metrics);
    EXPECT_TRUE(waitFor([&] { return looks > 8; }));
    stop = true;
    for (auto& thread : onlookers) thread.join();
    EXPECT_EQ(metrics, history.metrics);
    EXPECT_EQ(session->snapshot().tensors, history.snapshots.back());
}

TEST_P(Onlookers, MayRestoreAndChangeWeightsBetweenIterations) {
    const auto experiment = experimentFromJson(GetParam().document, registry());
    auto session = sessionOf(experiment, 2);
    const auto start = session->snapshot();
    const auto first = session->iterate().metrics;
    const auto early = session->snapshot();
    session->restore(start);
    EXPECT_EQ(session->snapshot().tensors, start.tensors);
    EXPECT_EQ(session->iterate().metrics, first);
    EXPECT_EQ(session->snapshot().tensors, early.tensors);
    std::atomic<bool> stop{false};
    std::thread onlooker([&] {
        while (!stop) {
            const auto snapshot = session->snapshot();
            EXPECT_GE(snapshot.iteration, 1);
            std::this_thread::yield();
        }
    });
    for (int i = 0; i < 10; ++i) {
        session->iterate();
        session->restore(early);
        const auto name = session->parameters().front().name;
        session->set(name, session->get(name));
        session->resetOptimiser();
    }
    stop = true;
    onlooker.join();
    EXPECT_EQ(session->iteration(), 1);
}

TEST_P(Onlookers, InterveneFromTheNextIterationOn) {
    const auto experiment = experimentFromJson(GetParam().document, registry());
    const std::vector<Intervention> perturbed{{{"net", "hidden"}, Operation::perturb, 0, 0.5, 2, -1}};
    auto plain = sessionOf(experiment, 1), changed = sessionOf(experiment, 3);
    std::vector<NamedNumbers> expected;
    for (int i = 0; i < 9; ++i) {
        plain->setInterventions(i % 3 == 1 ? perturbed : std::vector<Intervention>{});
        expected.push_back(plain->iterate().metrics);
    }
    struct Changer final : SessionObserver {
        std::vector<Intervention> list;
        std::vector<NamedNumbers> metrics;
        void onIteration(Session& session, const IterationReport& report) override {
            metrics.push_back(report.metrics);
            session.setInterventions(session.iteration() % 3 == 1 ? list : std::vector<Intervention>{});
        }
    } changer;
    changer.list = perturbed;
    EXPECT_TRUE(changed->trainTo(9, &changer));
    EXPECT_EQ(changer.metrics, expected);
    EXPECT_EQ(flat(*changed), flat(*plain));

    // At any moment, from another thread.
    std::atomic<bool> stop{false};
    std::thread other([&] {
        for (int i = 0; !stop; ++i) {
            changed->setInterventions(i % 2 == 0 ? perturbed : std::vector<Intervention>{});
            EXPECT_LE(changed->interventions().size(), 1u);
            std::this_thread::yield();
        }
    });
    EXPECT_TRUE(changed->trainTo(20));
    stop = true;
    other.join();
}

INSTANTIATE_TEST_SUITE_P(Rules, Onlookers, testing::ValuesIn(lookedAt()),
                         [](const auto& item) { return item.param.name; });

TEST(Sessions, AtTheSameTimeAreAsAlone) {
    std::vector<std::vector<double>> alone, together(lookedAt().size());
    for (const auto& item : lookedAt()) {
        auto session = sessionOf(experimentFromJson(item.document, registry()), 2);
        for (int i = 0; i < 8; ++i) session->iterate();
        alone.push_back(flat(*session));
    }
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < together.size(); ++i)
        threads.emplace_back([&, i] {
            auto session = sessionOf(experimentFromJson(lookedAt()[i].document, registry()), 2);
            for (int k = 0; k < 8; ++k) session->iterate();
            together[i] = flat(*session);
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(together, alone);
}

// -- steps ------------------------------------------------------------------------------------------------------------

struct Played {
    std::string name;
    std::function<Experiment()> experiment;
    std::string node, port; ///< to intervene on
};
std::vector<Played> playedExperiments() {
    std::vector<Played> result;
    for (const char* name : {"cue_small_A_none", "cue_small_A_plastic", "cue_small_A_simple", "cue_small_A_retro"})
        result.push_back({name, [=] { return load(name); }, "agent", "hidden"});
    for (const char* name : {"mwg_small_nm_rnn", "crossed_gain"})
        result.push_back({name, [=] { return load(name); }, "core", "hidden"});
    result.push_back(
        {"nmn_biased_target_small", [] { return load("nmn_biased_target_small"); }, "actor_gru", "hidden"});
    for (const auto& item : lookedAt())
        result.push_back({item.name, [=] { return experimentFromJson(item.document, registry()); }, "net", "hidden"});
    return result;
}

class Steps : public testing::TestWithParam<Played> {};

/// Signals of all steps of a player, by port, put together as evaluate() has them.
Signals playAll(TrialPlayer& player, const std::vector<std::string>& ports,
                const std::function<void(int)>& before = {}) {
    Signals signals;
    for (int t = 0; t < player.steps(); ++t) {
        if (before) before(t);
        EXPECT_TRUE(player.next());
        EXPECT_EQ(player.step(), t + 1);
        for (const auto& port : ports) {
            const auto tensor = player.signal(port);
            EXPECT_EQ(tensor.shape[0], player.trials());
            signals[port].insert(signals[port].end(), tensor.values.begin(), tensor.values.end());
        }
    }
    EXPECT_FALSE(player.next());
    return signals;
}

TEST_P(Steps, ShowWhatAnEvaluationShows) {
    const auto experiment = GetParam().experiment();
    auto session = sessionOf(experiment, 2);
    session->iterate();
    EvaluateRequest request;
    request.trials = 7;
    request.stream = 3;
    for (const auto& node : session->graph().nodes())
        for (std::size_t p = 0; p < node.portSizes.size(); ++p)
            if (node.declaration().ports[p].kind == PortKind::output && node.portSizes[p] > 0)
                request.record.push_back(node.name + "." + node.declaration().ports[p].name);
    const bool exact = session->graph().closedLoop();
    const auto compare = [&](const Signals& played, const EvaluateResult& result) {
        for (const auto& [port, tensor] : result.signals) {
            EXPECT_LE(difference(played.at(port), tensor.values), exact ? 0 : 1e-12) << port;
        }
    };
    const auto intact = session->evaluate(request);
    compare(playAll(*session->play(request), request.record), intact);

    // Perturbed from a step on, while it is played: the same draws, intact until then.
    const int from = session->steps() / 2;
    const Intervention change{{GetParam().node, GetParam().port}, Operation::clamp, 1, 0.9, from, -1};
    auto perturbedRequest = request;
    perturbedRequest.interventions = {change};
    const auto perturbed = session->evaluate(perturbedRequest);
    const auto player = session->play(request);
    const auto played = playAll(*player, request.record, [&](int t) {
        if (t == from) player->intervene({change});
    });
    compare(played, perturbed);
    const auto& port = GetParam().node + "." + GetParam().port;
    const auto at = [&](const EvaluateResult& result) {
        for (const auto& [name, tensor] : result.signals)
            if (name == port) return tensor;
        return Tensor{};
    };
    const auto a = at(intact), b = at(perturbed);
    const auto step = a.values.size() / static_cast<std::size_t>(a.shape[0]);
    EXPECT_TRUE(
        std::equal(a.values.begin(), a.values.begin() + from * static_cast<std::ptrdiff_t>(step), b.values.begin()));
    EXPECT_NE(a.values, b.values);

    // Taken back again: an intervention on steps that are over leaves no trace in the list.
    EXPECT_THROW(player->intervene({{{GetParam().node, "no_such_port"}, Operation::clamp, 1, 0.9, 0, -1}}), Error);
}

TEST(Noise, HasItsDeviationAndDrawsOfItsOwn) {
    const auto signal = [](const std::vector<Intervention>& interventions, int threads) {
        auto session = sessionOf(load("mwg_small_nm_rnn"), threads);
        EvaluateRequest request;
        request.trials = 60;
        request.record = {"readout.output", "core.hidden"};
        request.interventions = interventions;
        const auto result = session->evaluate(request);
        return std::pair{result.signals[0].second, result.signals[1].second};
    };
    const Intervention noise{{"readout", "output"}, Operation::noise, -1, 0.5, 10, -1};
    auto off = noise;
    off.enabled = false;
    const auto [plain, core] = signal({}, 1);
    const auto [once, sameCore] = signal({noise}, 1);
    EXPECT_EQ(core.values, sameCore.values) << "nothing that comes before it draws other numbers";
    EXPECT_EQ(signal({noise}, 2).first.values, once.values);
    EXPECT_EQ(signal({off}, 1).first.values, plain.values);
    const auto step = plain.values.size() / static_cast<std::size_t>(plain.shape[0]);
    double sum = 0, squares = 0, product = 0;
    const auto difference = [&](const Tensor& a, std::size_t i) { return a.values[i] - plain.values[i]; };
    const auto [both, unused] = signal({noise, noise}, 1);
    static_cast<void>(unused);
    const auto [second, unused2] = signal({off, noise}, 1);
    static_cast<void>(unused2);
    double count = 0;
    for (std::size_t i = 0; i < plain.values.size(); ++i) {
        if (i < 10 * step) {
            ASSERT_EQ(once.values[i], plain.values[i]) << "before its first step";
            continue;
        }
        ++count;
        sum += difference(once, i);
        squares += difference(once, i) * difference(once, i);
        product += difference(once, i) * difference(second, i);
        ASSERT_NEAR(difference(both, i), difference(once, i) + difference(second, i), 1e-12);
    }
    // Four standard errors of mean, variance and covariance of so many independent numbers.
    EXPECT_LT(std::abs(sum / count), 4 * 0.5 / std::sqrt(count));
    EXPECT_LT(std::abs(squares / count - 0.25), 4 * 0.25 * std::sqrt(2 / count));
    EXPECT_LT(std::abs(product / count), 4 * 0.25 / std::sqrt(count)) << "the second entry has numbers of its own";
}

TEST(Interventions, ActOnAGroupOfComponents) {
    auto session = sessionOf(load("mwg_small_nm_rnn"));
    EvaluateRequest request;
    request.trials = 2;
    request.record = {"core.hidden"};
    request.interventions = {parseIntervention("core.hidden[3:8]=clamp:7")};
    EXPECT_EQ(request.interventions[0].count, 5);
    const auto result = session->evaluate(request);
    const auto& values = result.signals[0].second.values;
    const auto units = static_cast<std::size_t>(result.signals[0].second.shape.back());
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i] == 7, i % units >= 3 && i % units < 8) << i;
    // Of a tensor row by row: the same as each entry alone.
    request.interventions = {parseIntervention("core.input_weight[1:4]=clamp:0.5")};
    const auto group = session->evaluate(request);
    request.interventions.clear();
    for (int entry = 1; entry < 4; ++entry)
        request.interventions.push_back({{"core", "input_weight"}, Operation::clamp, entry, 0.5, 0, -1});
    EXPECT_EQ(session->evaluate(request).signals[0].second.values, group.signals[0].second.values);
    const auto refusal = [&](const char* text) -> std::string {
        try {
            session->evaluate({.trials = 1, .record = {}, .interventions = {parseIntervention(text)}});
            return {};
        } catch (const Error& error) {
            return error.what();
        }
    };
    EXPECT_NE(refusal("core.hidden[3:3]=lesion").find("count"), std::string::npos);
    EXPECT_NE(refusal("core.hidden[3:100000]=lesion").find("do not exist"), std::string::npos);
    EXPECT_THROW(interventionFromJson({{"port", "core.hidden"}, {"count", 2}}, "it"), Error);
}

TEST(Noise, OnATensorIsOneDisplacement) {
    auto session = sessionOf(load("mwg_small_nm_rnn"));
    const Intervention noise{{"readout", "weight"}, Operation::noise, -1, 0.2, 0, -1};
    EvaluateRequest request;
    request.trials = 4;
    request.record = {"readout.output"};
    const auto plain = session->evaluate(request);
    request.interventions = {noise};
    const auto first = session->evaluate(request), again = session->evaluate(request);
    EXPECT_EQ(first.signals[0].second.values, again.signals[0].second.values);
    EXPECT_NE(first.signals[0].second.values, plain.signals[0].second.values);
    EXPECT_THROW(interventionFromJson({{"port", "readout.output"}, {"operation", "noise"}, {"value", -1}}, "it"),
                 Error);
}

TEST_P(Steps, AreThoseOfTheWeightsThatTheSessionHadThen) {
    auto session = sessionOf(GetParam().experiment(), 2);
    EvaluateRequest request;
    request.trials = 2;
    request.record = {GetParam().node + "." + GetParam().port};
    const auto expected = session->evaluate(request).signals[0].second.values;
    const auto player = session->play(request);
    session->iterate();
    EXPECT_LE(difference(playAll(*player, request.record).begin()->second, expected), 1e-12);
    EXPECT_GT(difference(session->evaluate(request).signals[0].second.values, expected), 0);
}

INSTANTIATE_TEST_SUITE_P(Played, Steps, testing::ValuesIn(playedExperiments()),
                         [](const auto& item) { return item.param.name; });

} // namespace
} // namespace raphe::test
