// SPDX-License-Identifier: GPL-3.0-or-later
// Trains an experiment in the window, with every panel open and trials playing, and reports how long the event loop
// stalled. Exits with 1 if it stalled for longer than is aimed at.
#include "engine/mechanisms/plugin_host.h"
#include "gui/shell/main_window.h"
#include "gui/watching/tensor_panel.h"
#include "gui/watching/trial_panel.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QDockWidget>
#include <QTemporaryDir>
#include <QTimer>

#include <fmt/format.h>

int main(int argc, char** argv) {
    using namespace raphe;
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM") && !qEnvironmentVariableIsSet("DISPLAY"))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    const QTemporaryDir home;
    for (const char* folder : {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"})
        qputenv(folder, home.filePath(folder).toUtf8());
    QApplication application{argc, argv};
    QApplication::setOrganizationName("Raphe");
    QApplication::setApplicationName("raphe-window-benchmark");
    QCommandLineParser parser;
    parser.setApplicationDescription("Measures stalls of the window while a network trains.");
    parser.addHelpOption();
    parser.addOption({"experiment", "What is trained (cue_reward_simple).", "NAME", "cue_reward_simple"});
    parser.addOption({"seconds", "How long (120).", "N", "120"});
    parser.addOption({"threads", "Of the training (2).", "N", "2"});
    parser.process(application);
    applyAppearance(application, Appearance::light);

    PluginHost plugins;
    plugins.loadFolder(PLUGIN_FOLDER);
    MainWindow window{plugins, home.filePath("runs").toStdString()};
    window.resize(1600, 1000);
    window.show();
    if (!window.open(parser.value("experiment"))) return 2;
    auto settings = window.queue().settings();
    settings.threads = parser.value("threads").toInt();
    window.queue().setSettings(settings);
    const int row = window.run();
    if (row < 0) return 2;
    for (auto* dock : window.findChildren<QDockWidget*>()) {
        dock->show();
        if (window.dockWidgetArea(dock) == Qt::BottomDockWidgetArea) {
            dock->setFloating(true); // so that all of them are drawn at the same time
            dock->resize(900, 400);
        }
    }
    RunJob& job = window.queue().job(row);
    int from = 0;
    const int seconds = parser.value("seconds").toInt();
    QTimer::singleShot(5000, &window, [&] {
        window.trials().evaluate();
        window.trials().follow(true);
        window.tensors().follow(true);
    });
    QTimer::singleShot(10000, &window, [&] {
        window.trials().play(true);
        from = job.status().iteration;
        window.watchdog().reset();
    });
    StallFigures stalls;
    QTimer::singleShot(10000 + 1000 * seconds, &window, [&] {
        stalls = window.watchdog().figures();
        fmt::print("{}: {} iterations in {} s with {} threads, all panels open, a trial playing\n",
                   parser.value("experiment").toStdString(), job.status().iteration - from, seconds, settings.threads);
        QApplication::exit(); // quit() would ask whether to stop the run
    });
    QApplication::exec();
    window.trials().play(false);
    const double felt = 100.0 * static_cast<double>(stalls.aboveFelt) / static_cast<double>(std::max(1L, stalls.beats));
    fmt::print("beats {}, stalls above {} ms: {}; above {} ms: {}; above {} ms: {}; longest {:.0f} ms\n", stalls.beats,
               StallFigures::noticed, stalls.stalls, StallFigures::felt, stalls.aboveFelt, StallFigures::long_,
               stalls.aboveLong, stalls.longest);
    fmt::print("below {} ms: {:.2f} % of the stalls, {:.2f} % of the beats\n", StallFigures::felt,
               100 * stalls.shareBelowFelt(), 100 - felt);
    return stalls.shareBelowFelt() >= 0.99 && stalls.aboveLong == 0 ? 0 : 1;
}
