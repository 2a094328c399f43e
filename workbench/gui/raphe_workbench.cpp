// SPDX-License-Identifier: GPL-3.0-or-later
// The program raphe-workbench: the window.

#include "engine/mechanisms/plugin_host.h"
#include "gui/scripting/script_tab.h"
#include "gui/shell/desktop_colours.h"
#include "gui/shell/main_window.h"
#include "gui/shell/settings_guard.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QSettings>
#include <QTimer>

int main(int argc, char** argv) {
    using namespace raphe;
    QApplication application{argc, argv};
    QApplication::setOrganizationName("Raphe");
    QApplication::setApplicationName("raphe-workbench");
    QApplication::setApplicationDisplayName("Raphe");
    QApplication::setApplicationVersion(RAPHE_VERSION);
    QCommandLineParser parser;
    parser.setApplicationDescription("Builds, runs and watches experiments with neuromodulated networks.");
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument("EXPERIMENT", "Files, or names of experiments that come with Raphe.",
                                 "[EXPERIMENT...]");
    parser.addOption({"runs", "Folder in which runs are kept (runs).", "DIR", "runs"});
    parser.addOption({"script", "Opens a Lua script and runs it; e is the experiment.", "FILE"});
    parser.process(application);

    const QString notice = setAsideBrokenSettings();
    applyAppearance(application, static_cast<Appearance>(QSettings{}.value("window/appearance", 0).toInt()));
    DesktopColours desktop;
    QObject::connect(&desktop, &DesktopColours::told, [&](bool dark) { setDesktopDark(application, dark); });
    PluginHost plugins;
    for (const auto& folder : PluginHost::defaultFolders()) plugins.loadFolder(folder);
    MainWindow window{plugins, parser.value("runs").toStdString()};
    window.notify(notice);
    window.fitScreen();
    window.show();
    QTimer::singleShot(0, &window, [&] {
        window.recoverJournals();
        for (const QString& name : parser.positionalArguments()) window.open(name);
        if (!parser.isSet("script")) return;
        if (auto* script = window.openScript(parser.value("script"))) script->run();
    });
    return QApplication::exec();
}
