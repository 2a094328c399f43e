// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/learning/session.h"
#include "engine/mechanisms/plugin_host.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QEventLoop>

#include <gtest/gtest.h>

namespace raphe::test {

/// The plugins of this build, loaded once.
inline const PluginHost& plugins() {
    static const auto* host = [] {
        auto* made = new PluginHost;
        made->loadFolder(PLUGIN_FOLDER);
        return made;
    }();
    return *host;
}

/// Lets events happen until the condition holds. @return whether it came to hold
template <class Condition>
bool eventually(Condition condition, int milliseconds = 20000) {
    QElapsedTimer clock;
    clock.start();
    while (!condition()) {
        if (clock.elapsed() > milliseconds) return false;
        QCoreApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents, 20);
    }
    return true;
}

/// A training that takes well under a second.
inline Experiment tinyExperiment(int iterations = 30) {
    return loadExperiment(
        "cue_small_A_simple", plugins().registry(),
        {"agent.hidden=6", "trials=4", "chunk=2", "task.steps=20", "iterations=" + std::to_string(iterations)});
}

} // namespace raphe::test
