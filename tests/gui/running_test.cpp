// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/runs/run_list.h"
#include "engine/runs/run_reader.h"
#include "gui/running/run_queue.h"
#include "gui/watching/curves_figure.h"
#include "gui/watching/trial_figure.h"
#include "gui/watching/trial_recording.h"
#include "window_support.h"

#include <QTemporaryDir>

#include <cmath>

namespace raphe {
namespace {

using test::eventually;
using test::plugins;
using test::tinyExperiment;

struct Queue {
    Queue() {
        auto settings = queue.settings();
        settings.runs = folder.path().toStdString();
        settings.threads = 1;
        queue.setSettings(settings);
    }
    bool reaches(int row, JobState state) {
        return eventually([&] { return queue.job(row).status().state == state; });
    }

    QTemporaryDir folder;
    RunQueue queue{plugins()};
};

TEST(RunQueue, ARunHasTheHashThatTheEngineGivesIt) {
    Queue here;
    const int row = here.queue.add(tinyExperiment());
    ASSERT_TRUE(here.reaches(row, JobState::done));
    ASSERT_TRUE(eventually([&] { return here.queue.job(row).history().iterations.size() == 30; }));
    RunOptions options;
    options.folder = (here.folder.path() + "/again").toStdString();
    const auto again = runExperiment(tinyExperiment(), plugins(), options);
    EXPECT_EQ(here.queue.job(row).status().message, "run hash " + again.hash);
    EXPECT_EQ(findRuns(here.folder.path().toStdString()).size(), 2u);
}

TEST(RunQueue, EvaluatingBesideTheTrainingChangesNothingOfTheRun) {
    Queue here;
    const int watched = here.queue.add(tinyExperiment(200)), alone = here.queue.add(tinyExperiment(200));
    int seen = 0;
    while (!here.queue.job(watched).status().ended()) {
        here.queue.job(watched).withSession([&](Session& session) {
            EXPECT_GT(recordTrials(session, {.trials = 3, .stream = 0, .interventions = {}}).signals.size(), 3u);
            ++seen;
        });
        QCoreApplication::processEvents();
    }
    ASSERT_TRUE(here.reaches(alone, JobState::done));
    EXPECT_GT(seen, 0);
    EXPECT_EQ(here.queue.job(watched).status().message, here.queue.job(alone).status().message);
}

TEST(RunQueue, StepsPausesGoesOnAndStops) {
    Queue here;
    const int row = here.queue.add(tinyExperiment(1000000), true);
    ASSERT_TRUE(here.reaches(row, JobState::paused));
    EXPECT_EQ(here.queue.job(row).status().iteration, 1);
    here.queue.job(row).step();
    ASSERT_TRUE(eventually([&] { return here.queue.job(row).status().iteration == 2; }));
    ASSERT_TRUE(here.reaches(row, JobState::paused));
    here.queue.job(row).resume();
    ASSERT_TRUE(eventually([&] { return here.queue.job(row).status().iteration > 10; }));
    here.queue.job(row).pause();
    ASSERT_TRUE(here.reaches(row, JobState::paused));
    here.queue.job(row).stop();
    ASSERT_TRUE(here.reaches(row, JobState::stopped));
    EXPECT_EQ(runEntry(here.queue.job(row).folder()).state, "interrupted");
}

TEST(RunQueue, AStoppedRunResumesToTheSameHash) {
    Queue here;
    auto experiment = tinyExperiment(60);
    const int whole = here.queue.add(experiment);
    ASSERT_TRUE(here.reaches(whole, JobState::done));
    const int parted = here.queue.add(experiment, true);
    ASSERT_TRUE(here.reaches(parted, JobState::paused));
    here.queue.job(parted).stop();
    ASSERT_TRUE(here.reaches(parted, JobState::stopped));
    const int resumed = here.queue.addResumed(here.queue.job(parted).folder());
    ASSERT_TRUE(here.reaches(resumed, JobState::done));
    EXPECT_EQ(here.queue.job(resumed).status().message, here.queue.job(whole).status().message);
}

TEST(RunQueue, OneRunWaitsForTheOther) {
    Queue here;
    const int first = here.queue.add(tinyExperiment(1000000)), second = here.queue.add(tinyExperiment());
    ASSERT_TRUE(here.reaches(first, JobState::running));
    EXPECT_EQ(here.queue.job(second).status().state, JobState::waiting);
    here.queue.job(first).stop();
    EXPECT_TRUE(here.reaches(second, JobState::done));
}

TEST(RunQueue, WhatCannotBeTrainedFailsWithAReasonAndLeavesNoFolder) {
    Queue here;
    auto experiment = tinyExperiment();
    experiment.chunk = 1000000;
    experiment.memoryMiB = 1e12;
    experiment.trials = 100000000;
    const int row = here.queue.add(experiment);
    ASSERT_TRUE(here.reaches(row, JobState::failed));
    EXPECT_FALSE(here.queue.job(row).status().message.empty());
    EXPECT_FALSE(std::filesystem::exists(here.queue.job(row).folder()));
}

TEST(RunQueue, ClosingWhileRunsAreUnderWayStopsThem) {
    QTemporaryDir folder;
    std::filesystem::path run;
    {
        RunQueue queue{plugins()};
        auto settings = queue.settings();
        settings.runs = folder.path().toStdString();
        queue.setSettings(settings);
        const int row = queue.add(tinyExperiment(1000000));
        run = queue.job(row).folder();
        ASSERT_TRUE(eventually([&] { return queue.job(row).status().iteration > 3; }));
    }
    EXPECT_EQ(runEntry(run).state, "interrupted");
}

TEST(Curves, DecimationKeepsPeaksAndTheOrderOfX) {
    std::vector<double> x, y;
    for (int i = 0; i < 100000; ++i) {
        x.push_back(i);
        y.push_back(i == 54321 ? 100 : std::sin(i * 0.001));
    }
    decimate(x, y, 1000);
    EXPECT_LE(x.size(), 1001u);
    EXPECT_TRUE(std::is_sorted(x.begin(), x.end()));
    EXPECT_EQ(*std::max_element(y.begin(), y.end()), 100);
}

TEST(Curves, AreSmoothedAndLeaveOutWhatHasNoLogarithm) {
    MetricHistory history;
    for (int i = 0; i < 4; ++i) history.append(i, {{"loss", i < 2 ? -1.0 : 4.0}});
    const auto figure = curvesFigure({{"run", &history}}, {{"loss"}, 2, true});
    const auto& line = std::get<FigureLine>(figure.panels.at(0).series.at(0).data);
    EXPECT_TRUE(std::isnan(line.y[0]));
    EXPECT_DOUBLE_EQ(line.y[2], 1.5);
    EXPECT_DOUBLE_EQ(line.y[3], 4);
}

TEST(Trials, ShowWhatModulatesAndTheReward) {
    auto session = Session::create(tinyExperiment(), plugins().registry());
    const auto recording = recordTrials(*session, {.trials = 3, .stream = 0, .interventions = {}});
    EXPECT_EQ(recording.steps, 20);
    EXPECT_EQ(recording.trials, 3);
    const auto ports = tellingPorts(recording);
    EXPECT_NE(std::find(ports.begin(), ports.end(), "modulator.output"), ports.end());
    EXPECT_NE(std::find(ports.begin(), ports.end(), "task.reward"), ports.end());
    EXPECT_EQ(recording.targets.front().name, "modulator.output");
    EXPECT_TRUE(std::none_of(recording.targets.begin(), recording.targets.end(), [](const auto& target) {
        return target.name == "task.reward";
    })) << "what a task says cannot be changed";
    EXPECT_TRUE(std::any_of(recording.targets.begin(), recording.targets.end(), [](const auto& target) {
        return target.name == "agent.recurrent_weight" && target.tensor && target.rows == 6 && target.columns == 6;
    }));
    TrialLook look{.trial = 2, .signals = {}};
    for (const auto& port : ports) look.signals.push_back({port});
    EXPECT_EQ(trialFigure(recording, nullptr, look).panels.size(), 1 + ports.size());
}

TEST(Trials, AnInterventionActsOnTheSameTrials) {
    auto session = Session::create(tinyExperiment(), plugins().registry());
    const auto intact = recordTrials(*session, {.trials = 2, .stream = 0, .interventions = {}});
    const auto clamped = recordTrials(
        *session, {.trials = 2, .stream = 0, .interventions = {parseIntervention("modulator.output=clamp:0.5")}});
    EXPECT_EQ(TrialRecording::value(*clamped.signal("modulator.output"), 7, 1, 0), 0.5);
    EXPECT_EQ(TrialRecording::value(*clamped.signal("task.observation"), 0, 1, 0),
              TrialRecording::value(*intact.signal("task.observation"), 0, 1, 0));
}

} // namespace
} // namespace raphe
