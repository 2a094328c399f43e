// SPDX-License-Identifier: Apache-2.0
// Interventions that exchange states between trials (operation swap): what is exchanged, when, and its gradient; also
// for traces whose change a model has put off.
#include "support.h"

#include "engine/base/text.h"

#include <gtest/gtest.h>

#include <cmath>

namespace raphe::test {
namespace {

struct Variant {
    const char *rule, *clip;
    friend std::ostream& operator<<(std::ostream& out, const Variant& v) { return out << v.rule << "_" << v.clip; }
};
constexpr int steps = 11, exchangedBefore = 5, trials = 4, units = 6, inputs = 3;

/// A plastic network in open loop, with two networks behind it, of which the second sees the first one step late.
Experiment network(const Variant& v, int length = steps) {
    Json document = {
        {"raphe", 1},
        {"nodes",
         {{"task", {{"mechanism", "task.probe"}, {"params", {{"inputs", inputs}, {"steps", length}}}}},
          {"agent",
           {{"mechanism", "model.plastic_rnn"},
            {"params",
             {{"hidden", units}, {"rule", v.rule}, {"clip", v.clip}, {"clip_bound", 0.3}, {"recurrent_init", 0.5}}}}},
          {"after", {{"mechanism", "model.rnn"}, {"params", {{"units", 2}, {"tau", 3.0}}}}},
          {"late", {{"mechanism", "model.rnn"}, {"params", {{"units", 2}, {"tau", 3.0}}}}}}},
        {"wires", Json::array({"task.observation -> agent.input",
                               "agent.hidden -> after.input",
                               {{"from", "after.hidden"}, {"to", "late.input"}, {"delay", 1}}})},
        {"precision", "float64"},
        {"trials", trials},
        {"chunk", trials}};
    if (v.rule != std::string("plastic")) {
        document["nodes"]["modulator"] = {
            {"mechanism", "model.dense"},
            {"params", {{"units", 1}, {"activation", v.clip == std::string("decay") ? "sigmoid" : "tanh"}}}};
        document["wires"].push_back("agent.hidden -> modulator.input");
        document["wires"].push_back("modulator.output -> agent.plasticity");
    }
    return experimentFromJson(document, registry());
}

/// Other numbers for each trial before step `alikeFrom`, from then on the same for all.
NamedTensor signals(int length, int alikeFrom, int first = 0) {
    Tensor x{{length, trials, inputs}, {}, Precision::float64};
    for (int t = first; t < first + length; ++t)
        for (int b = 0; b < trials; ++b)
            for (int i = 0; i < inputs; ++i)
                x.values.push_back(1.5 * std::sin(1 + 0.7 * t + 2.3 * i + (t < alikeFrom ? 1.1 * b : 0)));
    return {"task.observation", x};
}

const Tensor& find(const std::vector<NamedTensor>& list, const std::string& name) {
    for (const auto& item : list)
        if (item.name == name) return item.tensor;
    throw Error(name, "is not among the results");
}
std::vector<Intervention> exchanging(const std::vector<std::string>& states, int step = exchangedBefore) {
    std::vector<Intervention> result;
    for (const auto& state : states) result.push_back(parseIntervention(state + "=swap@" + std::to_string(step)));
    return result;
}
std::vector<std::string> statesOf(Session& session) {
    return session.play({.trials = 2, .record = {}, .interventions = {}})->states();
}

/// (steps, trials, units), with the trials of each pair exchanged from a step on.
std::vector<double> pairsExchanged(const Tensor& signal, int from) {
    std::vector<double> result;
    const auto rows = static_cast<int>(signal.shape[2]);
    for (int t = 0; t < signal.shape[0]; ++t)
        for (int b = 0; b < trials; ++b) {
            const int source = t < from ? b : b ^ 1;
            const auto first = signal.values.begin() + (t * trials + source) * rows;
            result.insert(result.end(), first, first + rows);
        }
    return result;
}

class Exchange : public testing::TestWithParam<Variant> {};

TEST_P(Exchange, OfAllStatesIsThatOfTheTrials) {
    auto session = sessionOf(network(GetParam()));
    ForwardRequest request{{signals(steps, exchangedBefore)}, {}, {"agent.hidden", "after.hidden", "late.hidden"}};
    const auto plain = session->forward(request);
    session->setInterventions(exchanging(statesOf(*session)));
    const auto exchanged = session->forward(request);
    for (const auto& port : request.record)
        EXPECT_LT(difference(find(exchanged.signals, port).values,
                             pairsExchanged(find(plain.signals, port), exchangedBefore)),
                  1e-12)
            << port;
    EXPECT_GT(difference(find(exchanged.signals, "agent.hidden").values, find(plain.signals, "agent.hidden").values),
              1e-3);
    // Twice is not at all.
    auto twice = exchanging(statesOf(*session));
    for (const auto& again : exchanging(statesOf(*session))) twice.push_back(again);
    session->setInterventions(twice);
    EXPECT_LT(difference(find(session->forward(request).signals, "agent.hidden").values,
                         find(plain.signals, "agent.hidden").values),
              1e-12);
}

TEST_P(Exchange, OfTheTraceIsThatOfWhatHasBeenLearned) {
    // The first steps by themselves leave the traces, with all that they have changed; the others start from there.
    auto first = sessionOf(network(GetParam(), exchangedBefore)),
         rest = sessionOf(network(GetParam(), steps - exchangedBefore)), whole = sessionOf(network(GetParam()));
    const auto left = first->forward({{signals(exchangedBefore, steps)}, {}, {"agent.hidden"}}).finalStates;
    auto trace = find(left, "agent.hebbian_trace");
    const auto size = static_cast<std::ptrdiff_t>(units * units);
    for (int b = 0; b < trials; b += 2)
        std::swap_ranges(trace.values.begin() + b * size, trace.values.begin() + (b + 1) * size,
                         trace.values.begin() + (b + 1) * size);
    std::vector<NamedTensor> start{{"agent.hidden", find(left, "agent.hidden")}, {"agent.hebbian_trace", trace}};
    if (GetParam().rule == std::string("retroactive"))
        start.push_back({"agent.eligibility", find(left, "agent.eligibility")});
    const auto expected =
        rest->forward({{signals(steps - exchangedBefore, steps, exchangedBefore)}, start, {"agent.hidden"}});
    whole->setInterventions(exchanging({"agent.hebbian_trace"}));
    const auto exchanged = whole->forward({{signals(steps, steps)}, {}, {"agent.hidden"}});
    const auto& all = find(exchanged.signals, "agent.hidden").values;
    const std::vector<double> after(all.begin() + exchangedBefore * trials * units, all.end());
    EXPECT_LT(difference(after, find(expected.signals, "agent.hidden").values), 1e-12);
    for (const char* state : {"agent.hebbian_trace", "agent.hidden"})
        EXPECT_LT(difference(find(exchanged.finalStates, state).values, find(expected.finalStates, state).values),
                  1e-12);
}

TEST_P(Exchange, HasAGradientThatMatchesCentralDifferences) {
    for (const double memory : {1000.0, 1e-5}) { // one segment but for the exchange, and several
        auto experiment = network(GetParam());
        experiment.memoryMiB = memory;
        auto session = sessionOf(experiment);
        session->setInterventions(exchanging({"agent.hebbian_trace"}, 4));
        auto more = session->interventions();
        for (const auto& item : exchanging({"agent.hidden"}, 7)) more.push_back(item);
        session->setInterventions(more);
        GradientRequest request;
        request.forward = {{signals(steps, steps)}, {}, {"agent.hidden", "late.hidden"}};
        Tensor weights{{steps, trials, units}, {}, Precision::float64};
        for (int i = 0; i < steps * trials * units; ++i) weights.values.push_back(std::cos(1.3 * i));
        request.outputWeights.push_back({"agent.hidden", weights});
        weights.shape[2] = 2;
        weights.values.resize(static_cast<std::size_t>(steps * trials * 2));
        request.outputWeights.push_back({"late.hidden", weights});
        const auto gradient = session->gradient(request);
        const auto loss = [&](const ForwardRequest& forward) {
            const auto result = session->forward(forward);
            double sum = 0;
            for (const auto& [port, weight] : request.outputWeights) {
                const auto& values = find(result.signals, port).values;
                for (std::size_t i = 0; i < values.size(); ++i) sum += weight.values[i] * values[i];
            }
            return sum;
        };
        constexpr double step = 1e-6;
        auto changed = request.forward;
        auto& x = changed.inputs[0].tensor.values;
        std::vector<double> slopes;
        for (double& value : x) {
            const double before = value;
            value = before + step;
            const double above = loss(changed);
            value = before - step;
            slopes.push_back((above - loss(changed)) / (2 * step));
            value = before;
        }
        EXPECT_LT(difference(find(gradient.inputs, "task.observation").values, slopes), 1e-6) << memory;
        for (const auto& info : session->parameters()) {
            auto tensor = session->get(info.name);
            slopes.clear();
            for (double& value : tensor.values) {
                const double before = value;
                value = before + step;
                session->set(info.name, tensor);
                const double above = loss(request.forward);
                value = before - step;
                session->set(info.name, tensor);
                slopes.push_back((above - loss(request.forward)) / (2 * step));
                value = before;
            }
            session->set(info.name, tensor);
            EXPECT_LT(difference(find(gradient.parameters, info.name).values, slopes), 1e-6) << info.name;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Rules, Exchange,
                         testing::Values(Variant{"plastic", "hard"}, Variant{"plastic", "decay"},
                                         Variant{"plastic", "oja"}, Variant{"simple", "hard"},
                                         Variant{"simple", "soft"}, Variant{"simple", "decay"},
                                         Variant{"retroactive", "hard"}, Variant{"retroactive", "none"}),
                         [](const auto& tested) { return std::string(tested.param.rule) + "_" + tested.param.clip; });

Experiment closedLoop(const std::string& name = "cue_small_A_retro") {
    auto experiment = load(name);
    experiment.trials = 12;
    experiment.chunk = 4;
    return experiment;
}
const std::vector<std::string> traces{"agent.hebbian_trace", "agent.eligibility"};

TEST(ExchangeInClosedLoop, HasTheGradientThatTheCheckFinds) {
    auto experiment = closedLoop();
    experiment.interventions = exchanging(traces, 23);
    for (const auto& item : exchanging({"agent.hidden"}, 40)) experiment.interventions.push_back(item);
    const auto report = sessionOf(experiment)->checkGradients(4);
    for (const auto& entry : report.tensors) EXPECT_LT(entry.largestError, report.tolerance) << entry.name;
    EXPECT_TRUE(report.passed());
}

TEST(ExchangeInClosedLoop, IsTheSameStepByStepAndForAnyThreadsAndChunks) {
    const EvaluateRequest request{
        .trials = 11, .record = {"agent.hidden", "task.reward"}, .interventions = exchanging(traces, 20)};
    auto session = sessionOf(closedLoop());
    const auto together = session->evaluate(request);
    EXPECT_EQ(sessionOf(closedLoop(), 3)->evaluate(request).signals, together.signals);
    auto otherwise = closedLoop();
    otherwise.chunk = 6;
    EXPECT_LT(
        difference(sessionOf(otherwise)->evaluate(request).signals[0].second.values, together.signals[0].second.values),
        1e-12);
    // From the start, and only when it is about to act; one that is taken back has left no trace.
    for (const int when : {0, 20}) {
        auto plain = request;
        plain.interventions.clear();
        const auto player = session->play(when == 0 ? request : plain);
        const auto& expected = together.signals[0].second;
        for (int t = 0; player->next(); ++t) {
            const auto shown = player->signal("agent.hidden").values;
            const auto first = expected.values.begin() + t * static_cast<std::ptrdiff_t>(shown.size());
            EXPECT_EQ(shown, std::vector<double>(first, first + static_cast<std::ptrdiff_t>(shown.size())))
                << "step " << t << ", given before step " << when;
            if (when > 0 && t + 1 == when) player->intervene(request.interventions);
        }
    }
    auto plain = request;
    plain.interventions.clear();
    const auto untouched = session->evaluate(plain);
    const auto player = session->play(request);
    for (int t = 0; player->next(); ++t) {
        if (t + 1 == 20) player->intervene({});
        const auto shown = player->signal("agent.hidden").values;
        const auto first = untouched.signals[0].second.values.begin() + t * static_cast<std::ptrdiff_t>(shown.size());
        EXPECT_LT(difference(shown, std::vector<double>(first, first + static_cast<std::ptrdiff_t>(shown.size()))),
                  1e-12);
    }
    EXPECT_NE(untouched.signals, together.signals);
}

TEST(ExchangeInClosedLoop, TrainsWithTheSameBitsForAnyThreads) {
    auto experiment = closedLoop();
    experiment.interventions = exchanging({"agent.hebbian_trace"}, 30);
    auto one = sessionOf(experiment), three = sessionOf(experiment, 3), without = sessionOf(closedLoop());
    for (auto* session : {one.get(), three.get(), without.get()}) session->trainTo(3);
    EXPECT_EQ(one->snapshot().tensors, three->snapshot().tensors);
    EXPECT_NE(one->snapshot().tensors, without->snapshot().tensors);
}

TEST(ExchangeSentence, SaysWhatCannotBeExchanged) {
    const auto sentence = [](auto&& attempt) -> std::string {
        try {
            attempt();
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    };
    const auto document = [&](const std::string& text, auto&& change) {
        auto experiment = closedLoop();
        change(experiment);
        experiment.interventions = {parseIntervention(text)};
        return sentence([&] { sessionOf(experiment); });
    };
    const auto same = [](Experiment&) {};
    EXPECT_EQ(document("agent.hebbian_trace=swap@30", same), "");
    EXPECT_EQ(document("agent.hebbian_trace=swap@30:", same), "");
    EXPECT_NE(document("modulator.output=swap@30", same).find("modulator has none"), std::string::npos);
    EXPECT_NE(document("agent.trace=swap@30", same).find("it has previous, hidden, rate, hebbian_trace, eligibility"),
              std::string::npos);
    EXPECT_NE(document("agent.hidden=swap@30", [](auto& e) { e.chunk = 3; }).find("even number"), std::string::npos);
    EXPECT_NE(document("agent.hidden=swap@60", same).find("outside the trial (1 to 59)"), std::string::npos);
    EXPECT_NE(document("agent.hidden=swap@30", [](auto& e) { e.streams = true; }).find("streams"), std::string::npos);
    EXPECT_NE(sentence([] { parseIntervention("agent.hidden=swap"); }).find("before which"), std::string::npos);
    EXPECT_NE(sentence([] { parseIntervention("agent.hidden[2]=swap@3"); }).find("component"), std::string::npos);
    EXPECT_NE(sentence([] { parseIntervention("agent.hidden=swap@3:5"); }).find("to"), std::string::npos);
    EXPECT_NE(sentence([] { parseIntervention("agent.hidden=swap:1@3"); }).find("value"), std::string::npos);
    EXPECT_NE(sentence([] { parseIntervention("agent.hidden=clamp:1@3"); }).find("expected node.port"),
              std::string::npos);
    const auto replays = sentence([] {
        auto experiment = load("nmn_biased_target_small", Precision::float32);
        experiment.chunk = 2;
        experiment.interventions = {parseIntervention("actor_gru.hidden=swap@3")};
        sessionOf(experiment)->iterate();
    });
    EXPECT_NE(replays.find("use swap in evaluations"), std::string::npos) << replays;
}

} // namespace
} // namespace raphe::test
