// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/running/run_queue.h"
#include "gui/shell/latest.h"
#include "gui/watching/matrix_view.h"
#include "gui/watching/portrait.h"
#include "gui/watching/tensor_data.h"
#include "gui/watching/trial_bench.h"
#include "gui/watching/trial_figure.h"
#include "window_support.h"

#include <QTemporaryDir>
#include <QThread>

#include <atomic>
#include <cmath>
#include <numeric>

namespace raphe {
namespace {

using test::eventually;
using test::plugins;
using test::tinyExperiment;

SessionSource sourceOf(Session& session) {
    return [&session](const std::function<void(Session&)>& read) { read(session); };
}

std::vector<int> stepsOf(const std::vector<TrialSpan>& spans) {
    std::vector<int> steps;
    for (const auto& span : spans)
        for (int step = span.from; step < span.to; ++step) steps.push_back(step);
    return steps;
}

TEST(Trials, EventsStandWhereTheTaskSays) {
    auto session = Session::create(tinyExperiment(), plugins().registry());
    const auto recording = recordTrials(*session, {.trials = 3, .stream = 0, .interventions = {}});
    const auto event = [&](const std::string& name) {
        for (const auto& item : recording.events)
            if (item.name == name) return item;
        return TrialEvent{};
    };
    const Tensor& response = *recording.signal("task.response");
    const Tensor& reward = *recording.signal("task.reward");
    for (int trial = 0; trial < 3; ++trial) {
        std::vector<int> go, rewarded;
        for (int step = 0; step < recording.steps; ++step) {
            if (TrialRecording::value(response, step, trial, 0) != 0) go.push_back(step);
            if (TrialRecording::value(reward, step, trial, 0) != 0) rewarded.push_back(step);
        }
        ASSERT_FALSE(go.empty());
        EXPECT_EQ(stepsOf(spansOf(recording, event("go"), trial)), go);
        EXPECT_EQ(stepsOf(spansOf(recording, event("reward"), trial)), rewarded);
        for (const auto& span : spansOf(recording, event("reward"), trial))
            EXPECT_EQ(span.label, TrialRecording::value(reward, span.from, trial, 0) < 0 ? "-1" : "");
        for (const int step : stepsOf(spansOf(recording, event("cue"), trial)))
            EXPECT_EQ(std::count(go.begin(), go.end(), step), 0) << "no cue is shown with the signal to answer";
    }
    EXPECT_EQ(event("answer").signal, "head.action") << "that of an input is what is wired to it";
    EXPECT_EQ(event("answer").first, 1u);
}

TEST(Trials, EveryTaskThatComesWithRapheDeclaresItsEvents) {
    for (const char* name : {"cue_small_A_simple", "mwg_small_nm_rnn", "nmn_biased_target_small",
                             "nmn_two_targets_small", "nmn_windy_target_small"}) {
        auto experiment = loadExperiment(name, plugins().registry(), {"trials=2"});
        auto session = Session::create(experiment, plugins().registry(), {.threads = 1});
        const auto recording = recordTrials(*session, {.trials = 2, .stream = 0, .interventions = {}});
        EXPECT_FALSE(recording.events.empty()) << name;
        const auto figure = trialFigure(recording, nullptr, {.trial = 1, .signals = {{"task.observation"}}});
        ASSERT_EQ(figure.panels.size(), 2u) << name;
        EXPECT_EQ(figure.panels[0].y.categories.size(), recording.events.size()) << name;
    }
}

TEST(Trials, PatternsOfSeveralUnitsAreToldApart) {
    TrialRecording recording;
    recording.steps = 6;
    recording.trials = 1;
    recording.signals.emplace_back("task.cue", Tensor{{6, 1, 2}, {0, 0, 1, 1, 1, 1, -1, 1, 0, 1, 1, 1}});
    const auto spans = spansOf(recording, {"cue", "task.cue", 0, 2}, 0);
    ASSERT_EQ(spans.size(), 4u);
    EXPECT_EQ(spans[0].from, 1);
    EXPECT_EQ(spans[0].to, 3);
    EXPECT_EQ(spans[0].label, "A");
    EXPECT_EQ(spans[1].label, "B");
    EXPECT_EQ(spans[2].label, "1") << "one unit: its number";
    EXPECT_EQ(spans[3].label, "A") << "the same as before";
}

TEST(Portrait, IsASignalInThePlaneInWhichItLies) {
    // An ellipse in a plane of five dimensions, off the origin.
    Tensor signal{{40, 2, 5}, {}};
    const double along[5] = {0.6, 0, 0, 0.8, 0}, across[5] = {0, 0, 1, 0, 0};
    for (int step = 0; step < 40; ++step)
        for (int trial = 0; trial < 2; ++trial)
            for (int unit = 0; unit < 5; ++unit) {
                const double angle = 2 * M_PI * (2 * step + trial) / 80;
                signal.values.push_back(7 + 3 * std::cos(angle) * along[unit] + std::sin(angle) * across[unit]);
            }
    const auto portrait = portraitIn(principalComponents(signal, 2), signal);
    EXPECT_EQ(portrait.steps, 40);
    EXPECT_EQ(portrait.trials, 2);
    EXPECT_NEAR(portrait.x[portrait.at(0, 0)], 3, 1e-9);
    EXPECT_NEAR(portrait.y[portrait.at(10, 0)], 1, 1e-9);
}

TEST(Latest, OnlyTheLastQuestionOfManyIsAnsweredAfterTheFirst) {
    QObject receiver;
    std::vector<int> answers;
    std::atomic<int> under{0}, most{0}, computed{0};
    Latest<int, int> latest{&receiver,
                            [&](const int& question, int answer) {
                                EXPECT_EQ(answer, 2 * question);
                                answers.push_back(question);
                            },
                            [](const QString&) {}};
    const auto compute = [&](const int& question) {
        most = std::max<int>(most, ++under);
        QThread::msleep(30);
        --under;
        ++computed;
        return 2 * question;
    };
    for (int question = 0; question < 100; ++question) latest.ask(question, compute);
    ASSERT_TRUE(eventually([&] { return !answers.empty() && answers.back() == 99; }));
    EXPECT_EQ(answers, (std::vector<int>{0, 99}));
    EXPECT_EQ(most, 1);
    EXPECT_EQ(computed, 2);
    latest.ask(1, compute);
    latest.drop();
    ASSERT_TRUE(eventually([&] { return !latest.busy(); }));
    EXPECT_EQ(answers.size(), 2u) << "what was dropped is not told";
}

TEST(Latest, AfterAFailureTheNextQuestionIsAnswered) {
    QObject receiver;
    QString why;
    int answer = 0;
    Latest<int, int> latest{&receiver, [&](const int&, int got) { answer = got; },
                            [&](const QString& sentence) { why = sentence; }};
    latest.ask(1, [](const int&) -> int { throw Error("here", "is wrong"); });
    ASSERT_TRUE(eventually([&] { return !why.isEmpty(); }));
    latest.ask(5, [](const int& question) { return question; });
    EXPECT_TRUE(eventually([&] { return answer == 5; }));
}

TEST(TrialBench, IntactAndPerturbedTrialsHaveTheSameDrawsAndWeights) {
    auto experiment = tinyExperiment();
    experiment.interventions = {parseIntervention("modulator.output=clamp:0.25")}; // it trains so
    auto training = Session::create(experiment, plugins().registry(), {.threads = 1});
    for (int i = 0; i < 3; ++i) training->iterate();
    TrialBench bench{sourceOf(*training), plugins().registry()};
    TrialRequest request{2, 7, {parseIntervention("agent.hidden[1]=lesion")}};
    const auto pair = bench.run(request, true);
    EXPECT_EQ(pair.iteration, 3);
    ASSERT_TRUE(pair.perturbed);
    EXPECT_EQ(pair.intact.signal("task.observation")->values[0], pair.perturbed->signal("task.observation")->values[0]);
    EXPECT_NE(TrialRecording::value(*pair.intact.signal("agent.hidden"), 5, 0, 1), 0);
    EXPECT_EQ(TrialRecording::value(*pair.perturbed->signal("agent.hidden"), 5, 0, 1), 0);
    EXPECT_NE(TrialRecording::value(*pair.intact.signal("modulator.output"), 5, 0, 0), 0.25)
        << "intact means without the interventions of the training as well";

    training->iterate();
    const auto again = bench.run(request, false);
    EXPECT_EQ(again.iteration, 3) << "the weights stay until fresh ones are asked for";
    EXPECT_EQ(again.perturbed->signal("agent.hidden")->values, pair.perturbed->signal("agent.hidden")->values);
    EXPECT_EQ(again.intact.signal("agent.hidden")->values, pair.intact.signal("agent.hidden")->values);
    EXPECT_EQ(bench.run(request, true).iteration, 4);
    request.interventions[0].enabled = false;
    EXPECT_FALSE(bench.run(request, false).perturbed) << "one that is switched off does nothing";
}

TEST(TrialBench, ReadsAStateOverTheTrial) {
    auto session = Session::create(tinyExperiment(), plugins().registry(), {.threads = 1});
    TrialBench bench{sourceOf(*session), plugins().registry()};
    const auto states = bench.states();
    ASSERT_FALSE(states.empty());
    EXPECT_EQ(states.front(), "agent.hebbian_trace") << "matrices come first";
    const auto trace = bench.stateTrace("agent.hebbian_trace", {.trials = 2, .stream = 0, .interventions = {}}, 1);
    EXPECT_EQ(trace.rows, 6);
    EXPECT_EQ(trace.columns, 6);
    ASSERT_EQ(trace.frames.size(), 20u);
    const auto player = session->play({.trials = 2, .record = {}, .interventions = {}, .stream = 0});
    for (int step = 0; step < 20; ++step) {
        ASSERT_TRUE(player->next());
        const Tensor state = player->state("agent.hebbian_trace");
        for (std::size_t i = 0; i < 36; ++i)
            ASSERT_EQ(trace.frames[static_cast<std::size_t>(step)][i], static_cast<float>(state.values[36 + i]))
                << step;
    }
    EXPECT_GT(trace.reach, 0);
}

TEST(Trials, WhatARunHasRecordedIsPlayedAsItWas) {
    QTemporaryDir folder;
    auto experiment = tinyExperiment(4);
    experiment.recordings = {{.port = {"agent", "hidden"}, .everySteps = 1, .everyIterations = 2, .trials = 2},
                             {.port = {"modulator", "output"}, .everySteps = 1, .everyIterations = 2, .trials = 2},
                             {.port = {"task", "observation"}, .everySteps = 5, .everyIterations = 2, .trials = 1}};
    struct Keep final : SessionObserver {
        void onIteration(Session&, const IterationReport& report) override {
            for (const auto& [recording, tensor] : report.signals)
                if (report.iteration == 2 && recording.port.node == "agent") hidden = tensor;
        }
        Tensor hidden;
    } keep;
    RunOptions options;
    options.folder = (folder.path() + "/run").toStdString();
    runExperiment(experiment, plugins(), options, &keep);
    const auto reader = RunReader::open(options.folder);
    EXPECT_EQ(reader.signalIterations(), (std::vector<std::int64_t>{0, 2}));
    const auto recording =
        storedTrials(reader, experimentOfRun(options.folder, plugins().registry()), plugins().registry(), 2);
    EXPECT_EQ(recording.trials, 2);
    EXPECT_EQ(recording.steps, 20);
    EXPECT_EQ(recording.signal("agent.hidden")->values, keep.hidden.values);
    EXPECT_EQ(recording.modulating, std::vector<std::string>{"modulator.output"});
    EXPECT_FALSE(recording.signal("task.observation")) << "another axis of time";
    EXPECT_THROW(storedTrials(reader, experiment, plugins().registry(), 3), Error);
}

TEST(Trials, PairsAreDrawnTogetherWithTheirDifference) {
    auto session = Session::create(tinyExperiment(), plugins().registry(), {.threads = 1});
    TrialBench bench{sourceOf(*session), plugins().registry()};
    const auto pair = bench.run({2, 0, {parseIntervention("modulator.output=perturb:0.5@10:20")}}, true);
    TrialLook look{.trial = 0, .signals = {{"agent.hidden", SignalLook::map}, {"modulator.output"}}};
    const auto figure = trialFigure(pair.intact, &*pair.perturbed, look);
    ASSERT_EQ(figure.panels.size(), 1u + 2u + 3u);
    EXPECT_EQ(figure.panels[1].title, "modulator.output") << "what modulates is next to the events";
    ASSERT_EQ(figure.panels[1].series.size(), 2u);
    const auto& intact = std::get<FigureLine>(figure.panels[1].series[0].data);
    const auto& perturbed = std::get<FigureLine>(figure.panels[1].series[1].data);
    EXPECT_EQ(intact.stroke, FigureStroke::solid);
    EXPECT_EQ(perturbed.stroke, FigureStroke::dash);
    const auto& difference = std::get<FigureLine>(figure.panels[2].series[0].data);
    EXPECT_EQ(difference.y[3], 0) << "before the change";
    EXPECT_NEAR(difference.y[10], 0.5, 1e-6);
    for (std::size_t step = 0; step < 20; ++step)
        EXPECT_DOUBLE_EQ(difference.y[step], perturbed.y[step] - intact.y[step]);
    look.pair = PairLook::both;
    EXPECT_EQ(trialFigure(pair.intact, &*pair.perturbed, look).panels.size(), 1u + 1u + 2u);
    look.pair = PairLook::difference;
    EXPECT_EQ(trialFigure(pair.intact, &*pair.perturbed, look).panels.size(), 1u + 1u + 1u);
}

TEST(Trials, OfOneStepAreShownByTheirUnits) {
    auto experiment = loadExperiment("manifold_rotation", plugins().registry());
    auto session = Session::create(experiment, plugins().registry(), {.threads = 1});
    TrialBench bench{sourceOf(*session), plugins().registry()};
    const auto pair = bench.run({3, 0, {parseIntervention("basis.context=perturb:0.25")}}, true);
    ASSERT_EQ(pair.intact.steps, 1);
    TrialLook look{.trial = 2, .signals = {{"task.image"}, {"basis.phi"}}, .pair = PairLook::bothAndDifference};
    const auto plain = trialFigure(pair.intact, nullptr, look);
    ASSERT_EQ(plain.panels.size(), 2u);
    const auto& image = std::get<FigureHeatmap>(plain.panels[0].series[0].data);
    EXPECT_EQ(image.rows, 28u);
    EXPECT_EQ(image.columns, 28u);
    EXPECT_TRUE(plain.panels[0].y.reversed) << "the first row of an image is its top";
    for (std::size_t pixel = 0; pixel < 784; ++pixel)
        ASSERT_EQ(image.values[pixel], pair.intact.signal("task.image")->values[2 * 784 + pixel]);
    const auto& phi = std::get<FigureBars>(plain.panels[1].series[0].data);
    EXPECT_EQ(phi.y.size(), 3u);
    const auto compared = trialFigure(pair.intact, &*pair.perturbed, look);
    ASSERT_EQ(compared.panels.size(), 3u + 2u) << "pictures: intact, perturbed, difference; bars: both, difference";
    const auto& difference = std::get<FigureBars>(compared.panels[4].series[0].data);
    EXPECT_EQ(difference.y[0], 0) << "the centre is always in force";
    EXPECT_NE(difference.y[1], 0);
    const auto plane = principalComponents(*pair.intact.signal("hidden.output"), 2);
    const auto portrait =
        portraitFigure("hidden.output", plane, portraitIn(plane, *pair.intact.signal("hidden.output")), nullptr, 0);
    EXPECT_EQ(std::get<FigurePoints>(portrait.panels[0].series[0].data).x.size(), 2u) << "the other trials";
}

TEST(Tensors, HistogramsCountEveryEntryOnce) {
    std::vector<float> values;
    for (int i = 0; i < 1000; ++i) values.push_back(static_cast<float>(std::sin(i)));
    const float reach = reachOf(values);
    const auto counts = histogramOf(values, reach, 61);
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0.0), 1000);
    EXPECT_GT(counts.front(), 0) << "the ends belong to it";
    EXPECT_GT(counts.back(), 0);
    EXPECT_EQ(histogramOf({0, 0, 0}, 0, 61)[30], 3) << "nothing but zeros";
    const auto summary = summaryOf({1, 2, 3});
    EXPECT_DOUBLE_EQ(summary.mean, 2);
    EXPECT_NEAR(summary.deviation, std::sqrt(2.0 / 3), 1e-6);
}

TEST(Tensors, ColoursAreSymmetricAroundZero) {
    const QColor low = MatrixView::colour(-1), zero = MatrixView::colour(0), high = MatrixView::colour(1);
    EXPECT_GT(low.blue(), low.red());
    EXPECT_GT(high.red(), high.blue());
    EXPECT_EQ(zero.red(), zero.blue());
    EXPECT_GT(zero.lightness(), low.lightness());
}

TEST(Tensors, TheMouseReadsTheEntryUnderIt) {
    MatrixView view;
    view.resize(300, 216);
    view.setMatrix({2, 2, {0, 1, -2, 3}}, 3);
    int told = 0;
    const auto first = view.entryAt({20, 20});
    ASSERT_TRUE(first);
    EXPECT_EQ(*first, (std::pair{0, 0}));
    for (int x = 0; x < 300; x += 3)
        for (int y = 0; y < 216; y += 3)
            if (const auto entry = view.entryAt(QPointF(x, y)); entry && *entry == std::pair{1, 1}) ++told;
    EXPECT_GT(told, 100);
    EXPECT_FALSE(view.entryAt({295, 100})) << "beside the matrix";
    EXPECT_EQ(shownMatrix(Tensor{{5, 1}, {1, 2, 3, 4, 5}}).rows, 1) << "a vector lies";
}

} // namespace
} // namespace raphe
