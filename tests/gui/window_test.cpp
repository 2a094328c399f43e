// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/mechanisms/mechanism_model.h"
#include "gui/shell/command_palette.h"
#include "gui/shell/main_window.h"
#include "gui/start/shipped_experiments.h"
#include "gui/watching/trial_panel.h"
#include "window_support.h"

#include <QApplication>
#include <QDockWidget>
#include <QMenuBar>
#include <QSettings>
#include <QStandardPaths>
#include <QTemporaryDir>

namespace raphe {
namespace {

using test::eventually;
using test::plugins;

class Window : public testing::Test {
protected:
    Window() : window(plugins(), folder.path().toStdString()) { window.show(); }

    QTemporaryDir folder;
    MainWindow window;
};

TEST_F(Window, OpensEveryExperimentThatComesWithRaphe) {
    for (const auto& name : experimentNames()) {
        CanvasView* view = window.open(QString::fromStdString(name));
        ASSERT_TRUE(view) << name;
        EXPECT_TRUE(view->document().document().problems().empty()) << name;
        EXPECT_FALSE(view->canvas().graph().nodes.empty());
        EXPECT_EQ(window.open(QString::fromStdString(name)), view) << "it is open already";
    }
}

TEST_F(Window, EveryPanelHasATitleAndIsReachedFromTheMenu) {
    for (auto* dock : window.findChildren<QDockWidget*>()) {
        EXPECT_FALSE(dock->windowTitle().isEmpty());
        EXPECT_FALSE(dock->toggleViewAction()->associatedObjects().isEmpty()) << dock->windowTitle().toStdString();
    }
}

TEST_F(Window, TrainsPlaysAndShowsTheTrialOnTheCanvas) {
    CanvasView* view = window.open("cue_small_A_simple");
    ASSERT_TRUE(view);
    for (const auto& [key, value] : {std::pair{"hidden", 6}}) {
        EXPECT_TRUE(view->document().execute(
            {{"command", "set_parameter"}, {"node", "agent"}, {"parameter", key}, {"value", value}}));
    }
    view->document().execute({{"command", "set_field"}, {"field", "iterations"}, {"value", 20}});
    const int row = window.run();
    ASSERT_GE(row, 0);
    ASSERT_TRUE(eventually([&] { return window.queue().job(row).status().state == JobState::done; }));
    bool shown = false;
    QObject::connect(&window.trials(), &TrialPanel::momentShown, [&](const CanvasScene::Moment& moment) {
        shown = shown || moment.units.count("agent.hidden") != 0;
    });
    window.trials().evaluate();
    EXPECT_TRUE(eventually([&] { return shown; }));
    EXPECT_EQ(window.run(false, true), row + 1);
    EXPECT_EQ(window.queue().job(row + 1).experiment().seed, 2u);
}

TEST_F(Window, EditingAndUndoingLeaveTheBytesOfTheFile) {
    CanvasView* view = window.open("mwg_small_nm_rnn");
    const std::string before = view->document().document().text();
    view->addMechanism("model.dense");
    view->canvas().select({"core"});
    view->duplicateSelection();
    view->arrange();
    EXPECT_NE(view->document().document().text(), before);
    while (view->document().document().canUndo()) view->document().undo();
    EXPECT_EQ(view->document().document().text(), before);
}

TEST(CommandPalette, PrefersBeginningsOfWords) {
    EXPECT_GT(matchScore("zoom", "Zoom to fit"), matchScore("zoom", "Unzoom"));
    EXPECT_GT(matchScore("ztf", "Zoom to fit"), 0);
    EXPECT_EQ(matchScore("xyz", "Zoom to fit"), 0);
}

TEST(Mechanisms, CitationsAreShortened) {
    EXPECT_EQ(shortCitation("T. Miconi, A. Rawal, J. Clune, K. O. Stanley (2019), Backpropamine"),
              "Miconi et al. 2019");
    EXPECT_EQ(shortCitation("A. One, B. Two (2020), Title"), "One & Two 2020");
    EXPECT_EQ(shortCitation("no year"), "");
}

TEST(ShippedExperiments, AreGroupedWithTheirVariants) {
    const auto shipped = shippedExperiments(plugins().registry());
    std::size_t count = 0;
    for (const auto& item : shipped) {
        EXPECT_FALSE(item.doc.empty()) << item.name;
        EXPECT_FALSE(item.paper.isEmpty()) << item.name;
        count += 1 + item.variants.size();
    }
    EXPECT_EQ(count, experimentNames().size());
}

} // namespace
} // namespace raphe
