// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_widget.h"
#include "gui/running/run_difference.h"
#include "gui/shell/main_window.h"
#include "gui/shell/worker_pool.h"
#include "gui/watching/curves_figure.h"
#include "gui/watching/curves_panel.h"
#include "gui/watching/matrix_view.h"
#include "gui/watching/perturbation_list.h"
#include "gui/watching/portrait_view.h"
#include "gui/watching/save_figure.h"
#include "gui/watching/tensor_data.h"
#include "gui/watching/tensor_panel.h"
#include "gui/watching/trial_panel.h"
#include "gui/watching/trial_transport.h"
#include "window_support.h"

#include <QComboBox>
#include <QDockWidget>
#include <QFile>
#include <QImage>
#include <QLabel>
#include <QListWidget>
#include <QSlider>
#include <QTemporaryDir>
#include <QtTest>

namespace raphe {
namespace {

using test::eventually;
using test::plugins;
using test::tinyExperiment;

class Watching : public testing::Test {
protected:
    Watching() : panel(plugins().registry()) {
        session = Session::create(tinyExperiment(), plugins().registry(), {.threads = 1});
        panel.resize(1000, 400);
        panel.show();
        panel.setSource(
            {"here", "A network", [this](const std::function<void(Session&)>& read) { read(*session); }, {}, {}});
    }
    ~Watching() override { WorkerPool::ofProcess().waitForDone(); }
    bool evaluates() {
        panel.evaluate();
        return eventually([&] { return panel.pair() != nullptr; });
    }

    std::unique_ptr<Session> session;
    TrialPanel panel;
};

TEST_F(Watching, TheKeyboardGoesThroughTheTrial) {
    ASSERT_TRUE(evaluates());
    auto& transport = panel.transport();
    const auto press = [&](Qt::Key key, Qt::KeyboardModifiers with = {}) { QTest::keyClick(&panel, key, with); };
    press(Qt::Key_Right);
    EXPECT_EQ(transport.step(), 1);
    press(Qt::Key_Right, Qt::ShiftModifier);
    EXPECT_EQ(transport.step(), 11);
    press(Qt::Key_Left);
    EXPECT_EQ(transport.step(), 10);
    press(Qt::Key_End);
    EXPECT_EQ(transport.step(), 19);
    press(Qt::Key_Right);
    EXPECT_EQ(transport.step(), 19) << "there is nothing behind the last step";
    press(Qt::Key_Home);
    EXPECT_EQ(transport.step(), 0);
    press(Qt::Key_PageDown);
    EXPECT_EQ(transport.trial(), 1);
    press(Qt::Key_Space);
    EXPECT_TRUE(transport.playing());
    EXPECT_TRUE(eventually([&] { return transport.step() > 2; }));
    press(Qt::Key_Space);
    EXPECT_FALSE(transport.playing());
}

TEST_F(Watching, ThePhasePortraitIsOfTheLargestSignalAndOfPerturbedTrialsInTheSamePlane) {
    ASSERT_TRUE(evaluates());
    auto* view = panel.findChild<PortraitView*>();
    ASSERT_TRUE(view);
    ASSERT_TRUE(eventually([&] { return view->portrait() && !view->figure().figure().panels.empty(); }));
    EXPECT_EQ(view->portrait()->steps, 20);
    EXPECT_EQ(view->portrait()->trials, panel.pair()->intact.trials);
    EXPECT_EQ(view->figure().figure().panels[0].title, "agent.hidden");
    const auto intact = view->portrait()->x;
    panel.perturbations().add(parseIntervention("agent.hidden=scale:0.5"));
    ASSERT_TRUE(eventually([&] {
        for (const auto& series : view->figure().figure().panels[0].series)
            if (series.name == "perturbed") return true;
        return false;
    }));
    EXPECT_EQ(view->portrait()->x, intact) << "the plane is that of the intact trials";
}

TEST_F(Watching, ThePhasePortraitShowsTheFlowOfTheMomentAndSaysWhereThereIsNone) {
    ASSERT_TRUE(evaluates());
    auto* view = panel.findChild<PortraitView*>();
    ASSERT_TRUE(eventually([&] { return view->portrait() != nullptr; }));
    view->showFlow(true);
    EXPECT_TRUE(eventually([&] { return view->note().contains("moves agent.hidden"); })) << "traces change as well";
    view->showFlow(false);
    EXPECT_TRUE(view->note().isEmpty());

    session = Session::create(loadExperiment("mwg_small_nm_rnn", plugins().registry(), {"core.units=8"}),
                              plugins().registry(), {.threads = 1});
    panel.setSource(
        {"there", "Another", [this](const std::function<void(Session&)>& read) { read(*session); }, {}, {}});
    ASSERT_TRUE(evaluates());
    ASSERT_TRUE(eventually([&] { return view->portrait() && view->portrait()->steps == 110; }));
    const auto lines = [&] { return view->figure().figure().panels.at(0).series.size(); };
    const auto before = lines();
    panel.transport().setStep(3);
    view->showFlow(true);
    ASSERT_TRUE(eventually([&] { return view->flow() != nullptr || !view->note().isEmpty(); }));
    ASSERT_TRUE(view->flow()) << view->note().toStdString();
    EXPECT_EQ(view->flow()->step, 3);
    EXPECT_EQ(view->flow()->port, "core.hidden");
    EXPECT_GT(view->flow()->arrows.x.size(), 100u);
    EXPECT_GT(lines(), before);
    panel.transport().setStep(60);
    EXPECT_TRUE(eventually([&] { return view->flow() && view->flow()->step == 60; })) << "it follows the moment";
    auto* signal = view->findChild<QComboBox*>();
    signal->setCurrentText("gate.output");
    EXPECT_TRUE(eventually([&] { return view->note().contains("shows no state"); })) << view->note().toStdString();
    signal->setCurrentText("core.hidden");
    EXPECT_TRUE(eventually([&] { return view->flow() != nullptr; }));
    view->showFlow(false);
    EXPECT_FALSE(view->flow());
    EXPECT_EQ(lines(), before);
}

TEST_F(Watching, TurningASliderRunsTheTrialsAgain) {
    ASSERT_TRUE(evaluates());
    EXPECT_FALSE(panel.pair()->perturbed);
    panel.perturbations().add(parseIntervention("modulator.output=clamp:0.5"));
    ASSERT_TRUE(eventually([&] { return panel.pair()->perturbed.has_value(); }));
    const auto shown = [&] {
        return TrialRecording::value(*panel.pair()->perturbed->signal("modulator.output"), 4, 0, 0);
    };
    EXPECT_EQ(shown(), 0.5);
    auto* slider = panel.perturbations().findChild<QSlider*>();
    ASSERT_TRUE(slider);
    for (int tick = slider->minimum(); tick <= slider->maximum(); tick += 10) slider->setValue(tick);
    slider->setValue(slider->maximum());
    const double wanted = panel.perturbations().interventions().at(0).value;
    EXPECT_GE(wanted, 1) << "the end of the range";
    EXPECT_TRUE(eventually([&] { return shown() == wanted; })) << "the last one wins";
}

TEST_F(Watching, InterventionsOfTheDocumentActAsTheyAreSwitched) {
    ASSERT_TRUE(evaluates());
    auto intervention = parseIntervention("agent.hidden=scale:0");
    intervention.enabled = false;
    panel.setDocumentInterventions({intervention});
    EXPECT_EQ(panel.perturbations().interventions(), std::vector<Intervention>{intervention});
    intervention.enabled = true;
    panel.setDocumentInterventions({intervention});
    ASSERT_TRUE(eventually([&] { return panel.pair()->perturbed.has_value(); }));
    panel.setDocumentInterventions({});
    EXPECT_TRUE(eventually([&] { return !panel.pair()->perturbed.has_value(); }));
}

TEST_F(Watching, WhatCannotBeRunIsSaid) {
    ASSERT_TRUE(evaluates());
    const auto before = panel.pair();
    panel.perturbations().add(parseIntervention("agent.nothing=lesion"));
    EXPECT_TRUE(eventually([&] {
        for (const auto* label : panel.findChildren<QLabel*>())
            if (label->text().contains("nothing")) return true;
        return false;
    }));
    EXPECT_EQ(panel.pair(), before);
}

TEST_F(Watching, AStateFollowsTheCursor) {
    TensorPanel tensors{panel};
    tensors.resize(700, 300);
    tensors.show();
    ASSERT_TRUE(evaluates());
    ASSERT_TRUE(eventually([&] { return tensors.matrix().matrix().rows > 0; }));
    ASSERT_TRUE(tensors.choose("agent.hebbian_trace"));
    panel.transport().setStep(19);
    ASSERT_TRUE(eventually([&] { return tensors.matrix().reach() > 0 && tensors.matrix().matrix().columns == 6; }));
    const auto last = tensors.matrix().matrix().values;
    panel.transport().setStep(0);
    EXPECT_NE(tensors.matrix().matrix().values, last);
    panel.transport().setStep(19);
    EXPECT_EQ(tensors.matrix().matrix().values, last);
    ASSERT_TRUE(tensors.choose("agent.recurrent_weight"));
    EXPECT_EQ(tensors.matrix().matrix().values.front(),
              static_cast<float>(session->get("agent.recurrent_weight").values.front()));
}

TEST(WatchingWindow, WeightsThatAreLearnedWithinTheTrialAreAMatrix) {
    // Nothing is trained between iterations, so that there are states only.
    const auto session =
        Session::create(loadExperiment("gonogo_da_na", plugins().registry(), {"task.schedule=20 A, 20 B", "trials=4"}),
                        plugins().registry(), {.threads = 1});
    TrialPanel panel{plugins().registry()};
    panel.setSource({"animals", "animals", [&](const auto& read) { read(*session); }, {}, {}});
    TensorPanel tensors{panel};
    tensors.resize(700, 300);
    tensors.show();
    panel.show();
    panel.evaluate();
    ASSERT_TRUE(eventually([&] { return tensors.matrix().matrix().rows == 40 && tensors.matrix().reach() > 0; }))
        << "the first state is chosen by itself";
    EXPECT_EQ(tensors.matrix().matrix().columns, 2);
    panel.transport().setStep(39);
    const auto learned = tensors.matrix().matrix().values;
    EXPECT_GT(reachOf(learned), 0);
    QTest::keyClick(&panel, Qt::Key_PageDown);
    ASSERT_EQ(panel.transport().trial(), 1);
    ASSERT_TRUE(eventually([&] { return tensors.matrix().matrix().values != learned; })) << "each has its own";
}

TEST(WatchingWindow, ARunHasTheSameHashWithEveryViewOpen) {
    QTemporaryDir folder;
    std::string watched;
    {
        MainWindow window{plugins(), folder.path().toStdString()};
        window.show();
        CanvasView* view = window.open("cue_small_A_simple");
        ASSERT_TRUE(view);
        auto& document = view->document();
        document.execute({{"command", "set_parameter"}, {"node", "agent"}, {"parameter", "hidden"}, {"value", 6}});
        document.execute({{"command", "set_parameter"}, {"node", "task"}, {"parameter", "steps"}, {"value", 20}});
        for (const auto& [field, value] : {std::pair{"trials", 4}, {"chunk", 2}, {"iterations", 4000}})
            document.execute({{"command", "set_field"}, {"field", field}, {"value", value}});
        const int row = window.run();
        ASSERT_GE(row, 0);
        for (auto* dock : window.findChildren<QDockWidget*>()) {
            dock->show();
            if (window.dockWidgetArea(dock) == Qt::BottomDockWidgetArea) dock->setFloating(true);
        }
        RunJob& job = window.queue().job(row);
        ASSERT_TRUE(eventually([&] { return job.status().state >= JobState::running; }));
        int looked = 0;
        QObject::connect(&window.trials(), &TrialPanel::shown, [&] { ++looked; });
        window.trials().evaluate();
        window.trials().follow(true);
        window.tensors().follow(true);
        window.trials().perturbations().add(parseIntervention("modulator.output=clamp:0"));
        ASSERT_TRUE(eventually([&] { return window.trials().pair() != nullptr; }));
        window.trials().play(true);
        window.tensors().choose("agent.hebbian_trace");
        ASSERT_TRUE(eventually(
            [&] {
                window.trials().evaluate();
                return job.status().state == JobState::done;
            },
            100000));
        EXPECT_GT(looked, 1);
        watched = job.status().message;
    }
    auto experiment = loadExperiment("cue_small_A_simple", plugins().registry(),
                                     {"agent.hidden=6", "trials=4", "chunk=2", "task.steps=20", "iterations=4000"});
    RunOptions options;
    options.folder = (folder.path() + "/alone").toStdString();
    EXPECT_EQ(watched, "run hash " + runExperiment(experiment, plugins(), options).hash);
}

TEST(StallWatchdog, CountsHowLateItsBeatsAre) {
    double now = 1000;
    StallWatchdog watchdog{nullptr, [&] { return now; }};
    watchdog.reset();
    const auto after = [&](double milliseconds) {
        now += milliseconds;
        watchdog.beat();
    };
    for (int i = 0; i < 10; ++i) after(StallWatchdog::period);
    EXPECT_EQ(watchdog.figures().stalls, 0) << "in time";
    EXPECT_EQ(watchdog.figures().shareBelowFelt(), 1);
    after(StallWatchdog::period + 4);
    EXPECT_EQ(watchdog.figures().stalls, 0) << "nobody notices";
    after(StallWatchdog::period + 20);
    after(StallWatchdog::period + 50);
    after(StallWatchdog::period + 51);
    after(StallWatchdog::period + 300);
    after(2); // a beat that comes early makes nothing up
    const auto& figures = watchdog.figures();
    EXPECT_EQ(figures.beats, 16);
    EXPECT_EQ(figures.stalls, 4);
    EXPECT_EQ(figures.aboveFelt, 2);
    EXPECT_EQ(figures.aboveLong, 1);
    EXPECT_DOUBLE_EQ(figures.longest, 300);
    EXPECT_DOUBLE_EQ(figures.total, 421);
    EXPECT_DOUBLE_EQ(figures.shareBelowFelt(), 0.5);
    watchdog.reset();
    EXPECT_EQ(watchdog.figures().beats, 0);
}

TEST(StallWatchdog, SeesAStallOfTheEventLoop) {
    StallWatchdog watchdog;
    watchdog.start();
    ASSERT_TRUE(eventually([&] { return watchdog.figures().beats > 3; }));
    QThread::msleep(80);
    EXPECT_TRUE(eventually([&] { return watchdog.figures().aboveFelt > 0; }));
    EXPECT_GE(watchdog.figures().longest, 60);
}

TEST(RunDifference, SaysInWhatDocumentAndRunDiffer) {
    const auto run = tinyExperiment();
    auto document = run;
    document.seed = 9;
    EXPECT_TRUE(differencesBetween(run, document).empty()) << "the seed differs from run to run";
    document.set("agent.hidden", 12, plugins().registry());
    document.trials = 7;
    document.nodes.push_back(
        {"more", "model.dense", plugins().registry().find("model.dense", "").declaration.defaults()});
    std::vector<std::string> texts;
    for (const auto& item : differencesBetween(run, document)) texts.push_back(item.text());
    EXPECT_NE(std::find(texts.begin(), texts.end(), "agent.hidden 6 → 12"), texts.end());
    EXPECT_NE(std::find(texts.begin(), texts.end(), "trials 4 → 7"), texts.end());
    EXPECT_TRUE(std::any_of(texts.begin(), texts.end(), [](const auto& t) { return t.starts_with("more added"); }));
    EXPECT_EQ(texts.size(), 3u);
}

TEST(RunQueue, AWaitingRunCanBePutFirst) {
    QTemporaryDir folder;
    RunQueue queue{plugins()};
    auto settings = queue.settings();
    settings.runs = folder.path().toStdString();
    settings.threads = 1;
    queue.setSettings(settings);
    queue.add(tinyExperiment(1000000));
    queue.add(tinyExperiment(1000000));
    const int last = queue.add(tinyExperiment(5));
    const auto* job = &queue.job(last);
    queue.putFirst(last);
    EXPECT_EQ(&queue.job(1), job);
    EXPECT_EQ(queue.job(0).status().state == JobState::waiting, false) << "what is under way stays where it is";
    queue.job(0).stop();
    EXPECT_TRUE(eventually([&] { return queue.job(1).status().state == JobState::done; }));
}

TEST(Curves, EachMetricHasAPlotAndAllRunsAreInIt) {
    MetricHistory one, two;
    for (int i = 0; i < 10; ++i) {
        one.append(i, {{"loss", 1.0 + i}, {"reward", 2.0}});
        two.append(i, {{"loss", 3.0}});
    }
    const auto figure = curvesFigure({{"one", &one}, {"two", &two}}, {{"loss", "reward"}, 1, false});
    ASSERT_EQ(figure.panels.size(), 2u);
    EXPECT_EQ(figure.panels[0].series.size(), 2u);
    EXPECT_EQ(figure.panels[1].series.size(), 1u);
    EXPECT_EQ(figure.panels[1].y.label, "Reward");
    EXPECT_EQ(figure.columns, 2u);
    EXPECT_EQ(curvesFigure({{"one", &one}}, {{"loss", "reward"}, 1, false}, 1).rows, 2u);
}

TEST(Curves, KeepTheirMarkWhateverOthersAreShown) {
    MetricHistory history;
    for (int i = 0; i < 4; ++i) history.append(i, {{"loss", 1.0 + i}});
    const auto markOf = [&](std::vector<Curve> curves, const std::string& name, bool dark) {
        const auto figure = curvesFigure(curves, {{"loss"}, 1, false, dark});
        for (const auto& series : figure.panels.front().series)
            if (series.name == name) return std::pair{*series.color, std::get<FigureLine>(series.data).stroke};
        throw std::logic_error("there is no such curve");
    };
    const Curve first{"first", &history, 0}, second{"second", &history, 1}, ninth{"ninth", &history, 8};
    EXPECT_EQ(markOf({first, second}, "second", false), markOf({second}, "second", false));
    EXPECT_NE(markOf({first, second}, "first", false), markOf({first, second}, "second", false));
    EXPECT_EQ(markOf({first, ninth}, "ninth", false).first, markOf({first}, "first", false).first);
    EXPECT_NE(markOf({first, ninth}, "ninth", false).second, markOf({first}, "first", false).second);
    EXPECT_NE(markOf({first}, "first", true).first, markOf({first}, "first", false).first);
}

TEST(Curves, TheListShowsTheirColours) {
    QTemporaryDir folder;
    MainWindow window{plugins(), folder.path().toStdString()};
    for (int run = 0; run < 2; ++run) window.queue().add(tinyExperiment(3));
    ASSERT_TRUE(eventually([&] { return window.queue().jobCount() == 2 && !window.queue().anyActive(); }));
    auto* list = window.curves().findChild<QListWidget*>();
    ASSERT_EQ(list->count(), 2);
    EXPECT_NE(list->item(0)->text(), list->item(1)->text()) << "two runs of the same name";
    for (int row = 0; row < 2; ++row) {
        const QImage icon = list->item(row)->icon().pixmap(list->iconSize()).toImage();
        const auto color = curveMark(static_cast<std::size_t>(row), theme().dark).color;
        EXPECT_EQ(icon.pixelColor(icon.width() / 2, icon.height() / 2), QColor(color[0], color[1], color[2]));
    }
}

TEST(SavedFigures, AreForPaperWhateverTheScreenLooksLike) {
    FigureDescription figure;
    figure.panels.emplace_back();
    figure.panels[0].series.push_back(
        {.name = "run", .group = {}, .color = {}, .data = FigureLine{{0, 1, 2}, {1, 3, 2}}});
    FigureWidget light, dark;
    light.setFigure(figure);
    dark.setDark(true);
    dark.setFigure(figure);
    EXPECT_EQ(dark.svg({85, 60}), light.svg({85, 60}));
    EXPECT_EQ(dark.png({85, 60}, 96), light.png({85, 60}, 96));
    dark.resize(300, 200);
    dark.show();
    ASSERT_TRUE(eventually([&] { return dark.panelCount() == 1; }));
    EXPECT_LT(dark.grab().toImage().pixelColor(3, 3).lightness(), 60) << "on the screen it is dark";
}

TEST(SavedFigures, HaveTheWidthOfAColumn) {
    QTemporaryDir folder;
    FigureDescription figure;
    figure.panels.emplace_back();
    figure.panels[0].series.push_back({.name = {}, .group = {}, .color = {}, .data = FigureLine{{0, 1, 2}, {1, 3, 2}}});
    const auto file = [&](const char* name) { return folder.filePath(name); };
    const auto bytes = [](const QString& path) {
        QFile in{path};
        return in.open(QIODevice::ReadOnly) ? in.readAll() : QByteArray{};
    };
    writeFigure(figure, oneColumn, file("a.png"));
    EXPECT_NEAR(QImage(file("a.png")).width(), oneColumn / 25.4 * 300, 4);
    writeFigure(figure, twoColumns, file("b.svg"));
    EXPECT_TRUE(bytes(file("b.svg")).contains("<svg"));
    writeFigure(figure, oneColumn, file("c.pdf"));
    EXPECT_TRUE(bytes(file("c.pdf")).startsWith("%PDF"));
    EXPECT_THROW(writeFigure(figure, oneColumn, folder.filePath("no/such/folder.svg")), Error);
}

} // namespace
} // namespace raphe
