// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/runs/run_reader.h"
#include "engine/runs/run_store.h"
#include "figure_widget.h"
#include "gui/comparing/comparison_view.h"
#include "gui/runs/runs_panel.h"
#include "gui/runs/trash_strip.h"
#include "gui/shell/main_window.h"
#include "gui/watching/figure_export_dialog.h"
#include "gui/watching/trial_panel.h"
#include "window_support.h"

#include <QAbstractItemModelTester>
#include <QAction>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QStandardPaths>
#include <QSvgRenderer>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QTreeView>

#include <fstream>

namespace raphe {
namespace {

using test::eventually;
using test::plugins;
using test::tinyExperiment;

struct Stored {
    const char *folder, *experiment, *hidden, *seed, *exit;
    double reward;
};

void write(const std::filesystem::path& root, const Stored& run) {
    auto store = RunStore::create(root / run.folder,
                                  std::string(R"({"raphe": 1, "name": ")") + run.experiment +
                                      R"(", "iterations": 20, "nodes": {"agent": {"mechanism": "model.plastic_rnn", )" +
                                      R"("params": {"hidden": )" + run.hidden + "}}}}");
    store.setProvenance("seed", run.seed);
    store.setProvenance("start", std::string("2026-11-2") + run.seed + "T09:30:00Z");
    if (*run.exit) store.setProvenance("exit", run.exit);
    for (int i = 0; i < 20; ++i) store.appendMetrics({i, 0.1 * i, {{"reward", run.reward}, {"loss", 1}}});
    store.commitCheckpoint({19, {}, "{}"});
}

constexpr Stored cue1{"cue1", "cue", "8", "1", "done", 5}, cue2{"cue2", "cue", "16", "2", "done", 9},
    cue3{"cue3", "cue", "16", "3", "", 7}, mwg{"mwg1", "mwg", "32", "4", "failed", 1};

RunList entries(const std::filesystem::path& root, std::initializer_list<Stored> runs) {
    RunList list;
    for (const auto& run : runs) {
        write(root, run);
        list.push_back(std::make_shared<RunEntry>(runEntry(root / run.folder)));
    }
    return list;
}

QStringList shown(const RunsModel& model, const QModelIndex& parent = {}) {
    QStringList names;
    for (int row = 0; row < model.rowCount(parent); ++row) names << model.index(row, 0, parent).data().toString();
    return names;
}

QString cell(const RunsModel& model, const QString& key, const QModelIndex& row) {
    for (int column = 0; column < model.columnCount(); ++column)
        if (model.columnKey(column) == key) return row.siblingAtColumn(column).data().toString();
    return "no such column";
}

class Runs : public testing::Test {
protected:
    std::filesystem::path root() const { return folder.path().toStdString(); }
    QTemporaryDir folder;
};

TEST_F(Runs, AreGroupedByExperimentWithTheirNumberAndMedians) {
    RunsModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.setRuns(entries(root(), {cue1, cue2, cue3, mwg}));
    ASSERT_EQ(model.rowCount(), 2);
    const QModelIndex cue = model.indexOf("group cue");
    ASSERT_TRUE(cue.isValid());
    EXPECT_EQ(cue.data().toString(), "cue  (3)");
    EXPECT_EQ(cell(model, "metric reward", cue), "7");
    EXPECT_EQ(cell(model, "state", cue), "1 interrupted, 2 done");
    EXPECT_EQ(cell(model, "setting agent.hidden", cue), "2 values");
    EXPECT_EQ(shown(model, cue), (QStringList{"cue3", "cue2", "cue1"})) << "the latest first";
    EXPECT_EQ(model.runsOf(cue).size(), 3u);
    model.sort(RunsModel::fixed, Qt::DescendingOrder);
    EXPECT_EQ(shown(model, model.indexOf("group cue")), (QStringList{"cue2", "cue3", "cue1"}));
    model.setGrouped(false);
    EXPECT_EQ(shown(model), (QStringList{"cue", "cue", "cue", "mwg"}));
    model.setGrouped(true);
    model.setFilter("reward > 6");
    EXPECT_EQ(shown(model), QStringList{"cue  (2)"});
    EXPECT_THROW(model.setFilter("reward >"), Error);
    EXPECT_EQ(model.shownCount(), 2) << "the filter from before holds";
}

TEST_F(Runs, AChangedListKeepsWhatIsChosen) {
    RunsModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    auto runs = entries(root(), {cue1, cue2, mwg});
    model.setRuns(runs);
    int resets = 0;
    QObject::connect(&model, &QAbstractItemModel::modelReset, [&] { ++resets; });
    const QPersistentModelIndex chosen = model.indexOf(QString::fromStdString(runs[1]->folder.string()));
    ASSERT_TRUE(chosen.isValid());
    auto changed = std::make_shared<RunEntry>(*runs[1]);
    changed->state = "running";
    runs[1] = changed;
    runs.pop_back();
    model.setRuns(runs);
    EXPECT_EQ(resets, 0) << "unless columns come or go";
    ASSERT_TRUE(chosen.isValid());
    EXPECT_EQ(model.run(chosen)->state, "running");
}

TEST_F(Runs, PanelFollowsTheFolderAndExplainsWrongFilters) {
    write(root(), cue1);
    RunsPanel panel{root()};
    panel.show();
    ASSERT_TRUE(eventually([&] { return panel.model().runs().size() == 1; }));
    write(root(), mwg);
    std::filesystem::create_directories(root() / "broken");
    std::ofstream(root() / "broken" / "run.sqlite") << "nothing";
    panel.refresh();
    ASSERT_TRUE(eventually([&] { return panel.model().runs().size() == 3; }));
    const QModelIndex broken = panel.model().indexOf(QString::fromStdString((root() / "broken").string()));
    EXPECT_TRUE(broken.data().toString().startsWith("broken: cannot be read: "))
        << broken.data().toString().toStdString();
    EXPECT_TRUE(panel.view().isFirstColumnSpanned(broken.row(), broken.parent()));

    auto* filter = panel.findChild<QLineEdit*>();
    const auto complaint = [&] {
        QString words;
        for (auto* label : panel.findChildren<QLabel*>())
            if (label->isVisible() && label->palette().color(QPalette::WindowText) == theme().bad)
                words += label->text();
        return words;
    };
    filter->setText("reward > 3");
    EXPECT_TRUE(eventually([&] { return panel.model().shownCount() == 1; }));
    EXPECT_EQ(complaint(), "");
    filter->setText("reward >");
    EXPECT_TRUE(eventually([&] { return complaint().contains("expected a number after \"reward >\""); }));
    EXPECT_EQ(panel.model().shownCount(), 1) << "the list stays while one types";
    filter->setText("rewrad > 3");
    EXPECT_TRUE(eventually([&] { return complaint().contains("did you mean \"reward\"?"); }));
    filter->clear();
    EXPECT_TRUE(eventually([&] { return panel.model().shownCount() == 3; }));
    EXPECT_EQ(complaint(), "");
}

TEST_F(Runs, TheTrashTakesRunsAndGivesThemBack) {
    const auto runs = entries(root(), {cue1, cue2});
    auto writer = RunStore::open(root() / "cue2");
    TrashStrip strip;
    strip.show();
    int changes = 0;
    QObject::connect(&strip, &TrashStrip::changed, [&] { ++changes; });
    const auto said = [&] { return strip.findChild<QLabel*>()->text(); };
    strip.move(runs);
    ASSERT_TRUE(eventually([&] { return said() != "moving…"; }));
    EXPECT_TRUE(std::filesystem::exists(root() / "cue2" / "run.sqlite")) << "it is being written";
    EXPECT_TRUE(said().contains("is being written and stays")) << said().toStdString();
    ASSERT_EQ(changes, 1) << said().toStdString();
    EXPECT_FALSE(std::filesystem::exists(root() / "cue1"));
    const QString place = said().section("trash: ", 1).section(" — ", 0, 0);
    EXPECT_TRUE(std::filesystem::exists(place.toStdString())) << place.toStdString();
    strip.findChild<QPushButton*>()->click();
    ASSERT_TRUE(eventually([&] { return changes == 2; }));
    EXPECT_EQ(runEntry(root() / "cue1").state, "done");
    EXPECT_FALSE(std::filesystem::exists(place.toStdString()));
}

TEST_F(Runs, AreComparedByGroupsWithCurvesAndATable) {
    ComparisonView view{entries(root(), {cue1, cue2, cue3})};
    view.resize(900, 700);
    view.show();
    EXPECT_EQ(view.title(), "3 runs compared");
    const auto& model = view.model();
    QAbstractItemModelTester tester(const_cast<ComparisonModel*>(&model),
                                    QAbstractItemModelTester::FailureReportingMode::Fatal);
    ASSERT_EQ(model.rowCount(), 2);
    EXPECT_EQ(model.index(1, 0).data().toString(), "agent.hidden 16");
    EXPECT_EQ(model.rowCount(model.index(1, 0)), 2);
    QStringList row;
    for (int column = 0; column < model.columnCount(); ++column) row << model.index(1, column).data().toString();
    EXPECT_EQ(row, (QStringList{"agent.hidden 16", "2 runs", "16", "8  [7.5, 8.5]", "1  [1, 1]"}));
    ASSERT_TRUE(eventually([&] { return view.figure().isVisible(); }));
    const auto& panel = view.figure().figure().panels.front();
    ASSERT_EQ(panel.series.size(), 3u) << "a run alone has a line, two have a line and a band";
    EXPECT_TRUE(std::holds_alternative<FigureBand>(panel.series[1].data));
}

TEST_F(Runs, FiguresGoOntoPaperInColumnWidths) {
    FigureDescription figure;
    figure.title = "Seen on the screen only";
    figure.panels.emplace_back().series.push_back(
        {.name = "a", .group = {}, .color = {}, .data = FigureLine{.x = {0, 1}, .y = {0, 1}}});
    FigureExportDialog dialog{[&](std::size_t) { return figure; }, 1};
    EXPECT_EQ(dialog.millimetres().width(), oneColumn);
    EXPECT_EQ(dialog.format(), "svg");
    const QByteArray svg = dialog.bytes();
    EXPECT_TRUE(svg.contains("viewBox=\"0 0 321 ")) << "85 mm in 1/96 inch\n" << svg.left(400).toStdString();
    EXPECT_FALSE(svg.contains("Seen on the screen")) << "papers have captions";
    EXPECT_TRUE(QSvgRenderer{svg}.isValid());
}

TEST_F(Runs, AnyCheckpointOfARunCanBePlayed) {
    RunOptions options;
    options.folder = root() / "run";
    options.checkpointEvery = 10;
    runExperiment(tinyExperiment(30), plugins(), options);
    const auto entry = runEntry(options.folder);
    ASSERT_EQ(entry.checkpoints.size(), 2u);
    MainWindow window{plugins(), root()};
    window.show();
    for (const auto checkpoint : entry.checkpoints) {
        int recorded = 0;
        const auto watch = QObject::connect(&window.trials(), &TrialPanel::momentShown, [&] { ++recorded; });
        Q_EMIT window.runs().playWanted(options.folder, QString{"checkpoint %1"}.arg(checkpoint), checkpoint);
        EXPECT_TRUE(eventually([&] { return recorded > 0; })) << checkpoint;
        QObject::disconnect(watch);
    }
    const auto early = sessionOfRun(options.folder, plugins().registry(), {}, entry.checkpoints.front());
    EXPECT_EQ(early->iteration(), entry.checkpoints.front() + 1);
    EXPECT_THROW(sessionOfRun(options.folder, plugins().registry(), {}, 5), Error);
}

TEST_F(Runs, GoOnAsACopyToTheHashOfALongerRun) {
    RunOptions options;
    options.folder = root() / "whole";
    const auto whole = runExperiment(tinyExperiment(60), plugins(), options);
    options.folder = root() / "short";
    const auto brief = runExperiment(tinyExperiment(40), plugins(), options);
    MainWindow window{plugins(), root()};
    Q_EMIT window.runs().continueWanted(root() / "short", 60);
    ASSERT_TRUE(eventually([&] { return window.queue().jobCount() == 1; }));
    ASSERT_TRUE(eventually([&] { return window.queue().job(0).status().ended(); }));
    EXPECT_EQ(window.queue().job(0).status().message, "run hash " + whole.hash);
    EXPECT_EQ(runEntry(root() / "short").hash, brief.hash) << "the original stays as it is";
    const auto copy = runEntry(window.queue().job(0).folder());
    EXPECT_EQ(copy.state, "done");
    EXPECT_EQ(copy.planned, 60);
}

TEST_F(Runs, OpenAsTheyWereAndInATabOfTheirOwn) {
    RunOptions options;
    options.folder = root() / "run";
    runExperiment(tinyExperiment(20), plugins(), options);
    MainWindow window{plugins(), root()};
    window.show();
    auto* tabs = window.centralWidget()->findChild<QTabWidget*>(); // another one is in the panel of trials
    Q_EMIT window.runs().documentWanted(options.folder);
    ASSERT_TRUE(eventually([&] { return window.currentView() != nullptr; }));
    EXPECT_EQ(window.currentView()->document().experiment().iterations, 20);
    Q_EMIT window.runs().compareWanted({std::make_shared<RunEntry>(runEntry(options.folder))});
    EXPECT_EQ(tabs->count(), 3);
    EXPECT_EQ(window.currentView(), nullptr);
    for (auto* action : window.findChildren<QAction*>()) // a window that is not active takes no keys
        if (action->shortcut() == QKeySequence{Qt::CTRL | Qt::Key_W}) action->trigger();
    EXPECT_EQ(tabs->count(), 2) << "a comparison closes like a document";
}

} // namespace
} // namespace raphe
